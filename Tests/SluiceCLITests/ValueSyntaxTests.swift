import SluiceCore
import Testing

@testable import SluiceCLI

struct ValueSyntaxTests {
    @Test(
        "sizes are numbers with the units of 1000 and of 1024",
        arguments: [
            ("1024", 1024), ("2048B", 2048), ("1KiB", 1024), ("32MiB", 32 << 20),
            ("32mib", 32 << 20),
            ("1GB", 1_000_000_000), ("2KB", 2_000), ("1GiB", 1 << 30),
        ])
    func sizes(_ text: String, _ bytes: Int) throws {
        #expect(try ValueSyntax.bytes(text, in: 0...1 << 40) == bytes)
    }

    @Test(
        "a size that is none is refused",
        arguments: [
            "", "MiB", "-1", "1.5GiB", "32 MiB", "32XB", "9223372036854775807GiB",
            "99999999999999999999",
            "0x10", "１KiB",
        ])
    func badSizes(_ text: String) {
        let failure = #expect(throws: Failure.self) {
            try ValueSyntax.bytes(text, in: 1 << 10...1 << 30)
        }
        #expect(
            failure?.description == """
                expected a size from 1KiB to 1GiB
                hint: Write a size like 32MiB, 1GB or a number of bytes.
                """)
    }

    @Test("a unit that could mean two sizes is asked back")
    func ambiguousUnit() {
        let failure = #expect(throws: Failure.self) {
            try ValueSyntax.bytes("32m", in: 0...1 << 40)
        }
        #expect(
            failure?.description == """
                the unit 'm' could mean two sizes
                hint: Write 32MiB or 32MB.
                """)
    }

    @Test(
        "a size reads back as it is shown",
        arguments: [
            (0, "0"), (1, "1"), (1023, "1023"), (1024, "1KiB"), (32 << 20, "32MiB"),
            (1_000_000, "1MB"), (1_500_000, "1500KB"), (1 << 30, "1GiB"),
        ])
    func shownSizes(_ bytes: Int, _ text: String) throws {
        #expect(ValueSyntax.text(bytes: bytes) == text)
        #expect(try ValueSyntax.bytes(text, in: 0...1 << 40) == bytes)
    }

    @Test(
        "times are numbers with units, larger ones first",
        arguments: [
            ("90s", Duration.seconds(90)), ("90", .seconds(90)), ("30m", .seconds(1_800)),
            ("4h", .seconds(14_400)), ("1h30m", .seconds(5_400)), ("2d", .seconds(172_800)),
            ("1s500ms", .milliseconds(1_500)),
        ])
    func times(_ text: String, _ duration: Duration) throws {
        #expect(try ValueSyntax.duration(text, in: .zero ... .seconds(864_000)) == duration)
    }

    @Test(
        "a time that is none is refused",
        arguments: [
            "", "h", "1x", "30m1h", "1h1h", "-5s", "1.5h", "0", "31d", "99999999999999999999h",
            "9223372036854775807",
        ])
    func badTimes(_ text: String) {
        let failure = #expect(throws: Failure.self) {
            try ValueSyntax.duration(text, in: .seconds(1) ... .seconds(30 * 86_400))
        }
        #expect(
            failure?.description == """
                expected a time from 1s to 30d
                hint: Write a time like 90s, 30m, 4h or 1h30m.
                """)
    }

    @Test(
        "a time reads back as it is shown",
        arguments: [
            (Duration.seconds(90), "1m30s"), (.seconds(3_600), "1h"), (.zero, "0s"),
            (.milliseconds(1_500), "1s500ms"), (.seconds(90_061), "1d1h1m1s"),
        ])
    func shownTimes(_ duration: Duration, _ text: String) throws {
        #expect(ValueSyntax.text(duration) == text)
        #expect(try ValueSyntax.duration(text, in: .zero ... .seconds(864_000)) == duration)
    }

    @Test(
        "patterns are separated by commas that no backslash hides",
        arguments: [
            ("a", ["a"]), ("a,b", ["a", "b"]), ("a\\,b", ["a\\,b"]), ("a\\\\,b", ["a\\\\", "b"]),
        ])
    func patterns(_ text: String, _ items: [String]) throws {
        #expect(try ValueSyntax.globs(text) == items)
    }

    @Test("an empty pattern between commas is refused")
    func emptyPattern() {
        let failure = #expect(throws: Failure.self) { try ValueSyntax.globs("a,,b") }
        #expect(failure?.message == "a table pattern is empty")
    }

    @Test("true and false are the only flags in variables and files")
    func booleans() throws {
        #expect(try ValueSyntax.boolean("true"))
        #expect(try ValueSyntax.boolean("1"))
        #expect(try !ValueSyntax.boolean("false"))
        #expect(try !ValueSyntax.boolean("0"))
        let failure = #expect(throws: Failure.self) { try ValueSyntax.boolean("yes") }
        #expect(failure?.message == "expected true or false")
    }
}
