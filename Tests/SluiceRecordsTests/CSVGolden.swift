import SluiceCore
import Testing

@testable import SluiceRecords

/// One value of a column and the one text it has.
struct CSVGolden: CustomTestStringConvertible, Sendable {
    let type: ColumnType
    let text: String
    let record: [UInt8]

    var testDescription: String { "\(type) \(text)" }

    init(_ type: ColumnType, _ text: String, _ write: (inout ByteBuffer) -> Void) {
        self.type = type
        self.text = text
        var buffer = ByteBuffer()
        write(&buffer)
        record = buffer.array()
    }

    static func long(_ type: ColumnType, _ text: String, _ value: Int64) -> CSVGolden {
        CSVGolden(type, text) { $0.appendLong(value) }
    }

    static func decimal(_ type: ColumnType, _ text: String, _ value: Int128) -> CSVGolden {
        CSVGolden(type, text) { $0.appendUnscaled(value) }
    }

    static func string(_ type: ColumnType, _ text: String, _ value: String) -> CSVGolden {
        CSVGolden(type, text) { buffer in
            Array(value.utf8).withUnsafeBytes { buffer.appendBytes($0) }
        }
    }

    static func any(
        _ text: String, _ branch: AnyBranch, _ write: (inout ByteBuffer) -> Void
    ) -> CSVGolden {
        CSVGolden(.any, text) { buffer in
            buffer.appendBranch(branch)
            write(&buffer)
        }
    }

    static func blob(_ value: [UInt8]) -> (inout ByteBuffer) -> Void {
        { buffer in value.withUnsafeBytes { buffer.appendBytes($0) } }
    }

    static let all: [CSVGolden] = numbers + moments + strings + others

    private static let money = ColumnType.decimal(precision: 12, scale: 3)
    private static let wide = ColumnType.decimal(precision: 38, scale: 0)
    private static let end38: Int128 = ReservedValues.decimalEnd(precision: 38)

    private static let numbers = [
        long(.int32, "-2147483648", -2_147_483_648), long(.int64, "0", 0),
        long(.int64, "9223372036854775807", .max), long(.int64, "-9223372036854775808", .min),
        decimal(.uint64, "18446744073709551615", Int128(UInt64.max)), decimal(.uint64, "0", 0),
        decimal(money, "-1.050", -1050), decimal(money, "0.000", 0),
        decimal(money, "999999999.999", 999_999_999_999),
        decimal(money, "#1000000000000", 1_000_000_000_000),
        decimal(money, "#-1000000000001", -1_000_000_000_001),
        decimal(wide, "-99999999999999999999999999999999999999", 1 - end38),
        decimal(wide, "#100000000000000000000000000000000000001", end38 + 1),
        CSVGolden(.float32, "0.1") { $0.appendFloat(0.1) },
        CSVGolden(.float32, "-inf") { $0.appendFloat(-.infinity) },
        CSVGolden(.float64, "-0.0") { $0.appendDouble(-0.0) },
        CSVGolden(.float64, "1e+16") { $0.appendDouble(1e16) },
        CSVGolden(.float64, "nan") { $0.appendDouble(-.nan) },
        CSVGolden(.boolean, "true") { $0.appendBoolean(true) },
        CSVGolden(.boolean, "false") { $0.appendBoolean(false) },
    ]

    private static let moments = [
        long(.date, "2024-02-29", 19782), long(.date, "-0001-12-31", -719_529),
        long(.date, "10000-01-01", 2_932_897), long(.date, "#-2147472692", -2_147_472_692),
        long(.date, "#-1000000000", -1_000_000_000),
        long(.time, "00:00:00", 0), long(.time, "-00:00:00.5", -500_000),
        long(.time, "838:59:59.999999", 3_020_399_999_999),
        long(.timestamp, "1970-01-01 00:00:00Z", 0),
        long(.timestamp, "1969-12-31 23:59:59.999999Z", -1),
        long(.timestamp, "#-9222425352054775809", -9_222_425_352_054_775_809),
        long(.localTimestamp, "2024-02-29 12:00:00.25", 1_709_208_000_250_000),
        long(.localTimestamp, "#-4000000000000000000", -4_000_000_000_000_000_000),
        long(.localTimestamp, "#-9223372036854775808", .min),
    ]

    private static let strings = [
        string(.text, "plain text", "plain text"), string(.text, "\"\"", ""),
        string(.text, "\"\\N\"", "\\N"), string(.text, "\"\\.\"", "\\."),
        string(.text, "\"NULL\"", "NULL"), string(.text, "\"Null\"", "Null"),
        string(.text, "nulls", "nulls"), string(.text, "\" x\"", " x"),
        string(.text, "\"x \"", "x "), string(.text, "\"a,b\"", "a,b"),
        string(.text, "\"say \"\"x\"\"\"", "say \"x\""), string(.text, "\"a\nb\"", "a\nb"),
        string(.text, "\"a\rb\"", "a\rb"), string(.text, "\"a\tb\"", "a\tb"),
        string(.text, "\"a\0b\"", "a\0b"), string(.text, "\"é\"", "é"),
        string(.text, "\"#1\"", "#1"), string(.text, "\"-1\"", "-1"), string(.text, "1", "1"),
        string(.text, "a'b;c", "a'b;c"), string(.numberText, "1e999", "1e999"),
        string(
            .uuid, "00112233-4455-6677-8899-aabbccddeeff", "00112233-4455-6677-8899-aabbccddeeff"),
        string(.json, "\"{\"\"a\"\": 1}\"", "{\"a\": 1}"), string(.enumeration, "red", "red"),
        string(.set, "\"a,b\"", "a,b"), string(.bitString, "0110", "0110"),
        string(.bitString, "\"\"", ""), string(.serverText, "\"[1,2)\"", "[1,2)"),
    ]

    private static let others = [
        CSVGolden(.bytes, "\\x", blob([])), CSVGolden(.bytes, "\\x00ff5c", blob([0, 255, 0x5C])),
        any("\\N", .null) { _ in },
        any("7", .long) { $0.appendLong(7) },
        any("7.0", .double) { $0.appendDouble(7) },
        any("inf", .double) { $0.appendDouble(.infinity) },
        any("\"7\"", .string, blob(Array("7".utf8))),
        any("\"x'00'\"", .string, blob(Array("x'00'".utf8))),
        any("x'00ff'", .bytes, blob([0, 255])), any("x''", .bytes, blob([])),
        any("t'61ff'", .invalidText, blob([0x61, 255])),
    ]
}
