import Glibc
import SluiceCore
import Testing

@Suite("Hexadecimal digits")
struct HexadecimalTests {
    @Test("stand for bytes, both ways")
    func bothWays() {
        let bytes = Array(0...255 as ClosedRange<UInt8>)
        let text = Hexadecimal.string(bytes)
        #expect(text.hasPrefix("000102") && text.hasSuffix("fdfeff") && text.utf8.count == 512)
        #expect(Hexadecimal.bytes(text) == bytes)
        #expect(Hexadecimal.bytes("") == [])
    }

    @Test(
        "are refused in any other form", arguments: ["0", "0A", "0g", "é", "0x", " 1", "1 ", "@@"])
    func refused(_ text: String) {
        #expect(Hexadecimal.bytes(text) == nil)
    }

    @Test("have their value in either case")
    func anyCase() {
        #expect("09afAF".utf8.map { Hexadecimal.anyCaseValue($0) } == [0, 9, 10, 15, 10, 15])
        #expect("/:`g@G".utf8.allSatisfy { Hexadecimal.anyCaseValue($0) == nil })
    }
}

@Suite("Names")
struct NameTests {
    @Test("are told apart byte by byte")
    func bytes() {
        #expect(Name("\u{E9}") != Name("e\u{301}"))
        #expect(Set<Name>(["\u{E9}", "e\u{301}", "e", "E", "e"]).count == 4)
        #expect(Name("orders") == "orders")
    }

    @Test("are ordered by their bytes")
    func order() {
        let names: [Name] = ["", "A", "Z", "a", "a_b", "ab", "e\u{301}", "\u{E9}", "\u{1F600}"]
        #expect(names.reversed().sorted() == names)
    }

    @Test("are refused where they are not UTF-8")
    func invalid() {
        let bytes: [UInt8] = [0x61, 0xFF]
        bytes.withUnsafeBytes { #expect(Name(utf8: $0) == nil) }
        Array("a\0b".utf8).withUnsafeBytes { #expect(Name(utf8: $0) == "a\0b") }
    }

    @Test("of tables show their schema where there is one")
    func tables() {
        #expect(TableName("orders").description == "orders")
        #expect(TableName(schema: "public", "orders").description == "public.orders")
        let tables = [
            TableName("b"), TableName(schema: "a", "z"), TableName(schema: "b", "a"),
        ]
        #expect(tables.reversed().sorted() == tables)
    }
}

@Suite("The clock")
struct ClockTests {
    @Test(
        "writes seconds as UTC",
        arguments: [
            (0, "1970-01-01T00:00:00Z"), (951_782_400, "2000-02-29T00:00:00Z"),
            (1_769_903_999, "2026-01-31T23:59:59Z"), (-1, "1969-12-31T23:59:59Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
        ])
    func timestamp(_ seconds: Int, _ text: String) {
        #expect(Clock.timestamp(seconds) == text)
    }

    @Test("sleeps at least as long as it is told, and not for less than nothing")
    func sleep() {
        let begin = Clock.now
        Clock.sleep(.milliseconds(20))
        #expect(Clock.now - begin >= .milliseconds(20))
        Clock.sleep(.milliseconds(-20))
        #expect((Duration.seconds(3) / 2).inSeconds == 1.5)
    }
}

@Suite("A byte buffer")
struct ByteBufferTests {
    @Test("grows and keeps its bytes")
    func grows() {
        var buffer = ByteBuffer(capacity: 0)
        var expected: [UInt8] = []
        for number in 0..<5000 {
            buffer.append(UInt8(truncatingIfNeeded: number))
            expected.append(UInt8(truncatingIfNeeded: number))
            if number.isMultiple(of: 7) {
                buffer.append("é")
                expected += [0xC3, 0xA9]
            }
        }
        buffer.append([])
        #expect(buffer.array() == expected)
    }

    @Test("is cut at both ends")
    func cut() {
        var buffer = ByteBuffer()
        buffer.append(Array(0..<100))
        buffer.removeFirst(10)
        buffer.truncate(to: 50)
        #expect(buffer.array() == Array(10..<60))
        buffer.removeFirst(50)
        #expect(buffer.array() == [])
        buffer.append([1])
        #expect(buffer.array() == [1])
    }

    @Test("keeps its memory unless it is told to give it back")
    func memory() {
        var buffer = ByteBuffer(capacity: 1000)
        buffer.append([1, 2, 3])
        buffer.removeAll()
        let kept = buffer.capacity
        #expect(kept == 1000)
        buffer.removeAll(keepingAtMost: 100)
        let given = buffer.capacity
        #expect(given == 100)
        buffer.append([4])
        #expect(buffer.array() == [4])
    }

    @Test("takes what a reader fills in, and nothing of a reader that fails")
    func filled() throws {
        var buffer = ByteBuffer()
        buffer.append([1])
        try buffer.append(upTo: 1000) { room throws(Failure) in
            room[0] = 2
            return 1
        }
        do throws(Failure) {
            try buffer.append(upTo: 10) { room throws(Failure) in
                room[0] = 9
                throw Failure(.failed, "no")
            }
        } catch {
            #expect(error.message == "no")
        }
        #expect(buffer.array() == [1, 2])
    }
}

@Suite("The stop signal")
struct StopSignalTests {
    @Test("keeps the first reason and says it")
    func first() {
        let stop = StopSignal()
        #expect(stop.reason == nil)
        stop.raise(.timeLimit)
        stop.raise(.abortCondition)
        #expect(stop.reason == .timeLimit)
    }

    @Test(
        "ends the work with words for each reason",
        arguments: [
            (.signal, .interrupted, "interrupted", "Run the same command again to continue."),
            (
                .timeLimit, .unfinished, "the time limit was reached",
                "Run the same command again to continue, or raise --time-limit."
            ),
            (
                .abortCondition, .unfinished, "the --abort-if command succeeded",
                "Run the same command again to continue when its condition is over."
            ),
        ] as [(StopSignal.Reason, Failure.Kind, String, String)])
    func words(
        _ reason: StopSignal.Reason, _ kind: Failure.Kind, _ message: String, _ hint: String
    ) {
        let stop = StopSignal()
        stop.raise(reason)
        do throws(Failure) {
            try stop.check()
            Issue.record("nothing was thrown")
        } catch {
            #expect(error.kind == kind)
            #expect(error.message == message)
            #expect(error.hint == hint)
        }
    }

    @Test(
        "is raised by the first signal, also twice at once; a later one ends the process",
        arguments: [SIGINT, SIGTERM])
    func signals(_ number: Int32) async {
        await #expect(processExitsWith: .exitCode(130)) { [number = number as Int32] in
            StopSignal.catchSignals()
            let stop = StopSignal()
            kill(getpid(), number)
            while stop.reason == nil { Clock.sleep(.milliseconds(1)) }
            // A broken pipe is an error code by now.
            kill(getpid(), SIGPIPE)
            guard stop.reason == .signal else { exit(1) }
            // As `timeout` sends it, to the process and to its group.
            kill(getpid(), number)
            Clock.sleep(.milliseconds(700))
            kill(getpid(), number)
            Clock.sleep(.seconds(60))
            exit(2)
        }
    }
}
