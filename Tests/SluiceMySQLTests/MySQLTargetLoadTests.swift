import SluiceCore
import SluiceRecords
import TestSupport
import Testing

@testable import SluiceMySQL

@Suite("Loading into MariaDB")
struct MySQLTargetLoadTests {
    private static let allBytes = [UInt8](0...255)

    private static func values(_ type: ColumnType) -> [(inout ByteBuffer) -> Void] {
        switch type {
        case .boolean: return [{ $0.appendBoolean(true) }, { $0.appendBoolean(false) }]
        case .int32: return longs(0, -1, Int64(Int32.min), Int64(Int32.max))
        case .int64: return longs(0, -1, Int64.min, Int64.max)
        case .uint64: return numbers(0, Int128(UInt64.max), 1 << 63)
        case .float32:
            return [0, 0.1, 16_777_216, .leastNonzeroMagnitude, .greatestFiniteMagnitude].map {
                value in { $0.appendFloat(value) }
            }
        case .float64:
            return [0, 0.1, -1e300, .leastNonzeroMagnitude, .greatestFiniteMagnitude].map {
                value in { $0.appendDouble(value) }
            }
        case .decimal(let precision, _):
            let end = ReservedValues.decimalEnd(precision: precision)
            return numbers(0, 1, -1, end - 1, 1 - end)
        case .numberText: return texts("0", "-1.50", "NaN", "0.00", "123456789.0001")
        case .text, .serverText, .set, .enumeration:
            return texts(
                "", "a\tb\nc\r\\d\0e\u{1A}", "'\"\\N", "\\N", "é😀 ", "NULL",
                String(repeating: "x", count: 99_999))
        case .bytes:
            return bytes(
                [], allBytes, [0xF0, 0x9F, 0x5C, 0xC3, 0x09, 0xE2, 0x82, 0x0A, 0xFF],
                Array(repeating: 0xF0, count: 70_000))
        case .date: return longs(0, -719_528, 2_932_896, -1_000_000_000, -1_000_000_000 + 32)
        case .time: return longs(0, 3_020_399_999_999, -3_020_399_999_999, 86_400_000_000)
        case .timestamp, .localTimestamp:
            return longs(
                0, -1, 253_402_300_799_999_999, -62_167_219_200_000_000,
                -4_000_000_000_000_000_000, -4_000_000_000_000_000_000 + 86_399_999_999)
        case .uuid: return texts("ffffffff-ffff-ffff-0000-000000000000")
        case .json: return texts("{\"b\": 1,  \"a\" :[1.10]}", "null")
        case .bitString: return texts("", "1", "010110011")
        case .any:
            return [
                { buffer in
                    buffer.appendBranch(.long)
                    buffer.appendLong(1)
                },
                { buffer in
                    buffer.appendBranch(.double)
                    buffer.appendDouble(1)
                },
                { buffer in
                    buffer.appendBranch(.string)
                    text("a\0\\\"'\t", into: &buffer)
                },
                { buffer in
                    buffer.appendBranch(.bytes)
                    allBytes.withUnsafeBytes { buffer.appendBytes($0) }
                },
                { $0.appendBranch(.null) },
            ]
        }
    }

    private static let types: [ColumnType] = [
        .boolean, .int32, .int64, .uint64, .float32, .float64,
        .decimal(precision: 1, scale: 0), .decimal(precision: 12, scale: 2),
        .decimal(precision: 38, scale: 38), .numberText, .text, .bytes, .date, .time, .timestamp,
        .localTimestamp, .uuid, .json, .bitString, .enumeration, .set, .serverText, .any,
    ]

    private func expectKept(
        _ type: ColumnType, _ values: [(inout ByteBuffer) -> Void], existing: String? = nil
    ) throws {
        let table = try MySQLLoadingTable(
            [("id", .int32, false), ("v", type, true)], key: ["id"], existing: existing)
        let records = records(of: values, isNullable: type != .any)
        let digest = ListedRecords.digest(records)
        #expect(try table.load(records) == .loaded(mapped: digest))
        let found = try table.readBack()
        #expect(found.misfits == [])
        #expect(found.digest == digest)
    }

    @Test("keeps every value of a type as it is", arguments: types)
    func everyType(_ type: ColumnType) throws {
        try expectKept(type, MySQLTargetLoadTests.values(type))
    }

    @Test(
        "reads a value back as a misfit that a wider column has and its field's type has not",
        arguments: [
            (ColumnType.int32, "int unsigned", "3000000000"), (.int32, "bigint", "-2147483649"),
            (.decimal(precision: 5, scale: 2), "decimal(7,2)", "1000.00"),
            (.decimal(precision: 5, scale: 2), "decimal(6,3)", "1.001"),
        ])
    func widerColumns(_ type: ColumnType, _ declared: String, _ value: String) throws {
        let table = try MySQLLoadingTable(
            [("id", .int32, false), ("v", type, true)], key: ["id"],
            existing: "CREATE TABLE t(id int PRIMARY KEY, v \(declared))")
        _ = try table.load(records(of: []))
        try table.database.sql("UPDATE t SET v = \(value)")
        #expect(
            try table.readBack().misfits == ["id = 0: v holds a value that is no \(type)"])
    }

    @Test(
        "keeps them by INSERT, too, where the server takes no LOAD DATA LOCAL, in arrays or not",
        arguments: types, [MySQLLoadingWay.arrays, .rows])
    func byInsert(_ type: ColumnType, _ way: MySQLLoadingWay) throws {
        let table = try MySQLLoadingTable(
            [("id", .int32, false), ("v", type, true)], key: ["id"])
        try table.use(way)
        let records = records(
            of: MySQLTargetLoadTests.values(type), isNullable: type != .any)
        let digest = ListedRecords.digest(records)
        #expect(try table.load(records) == .loaded(mapped: digest))
        #expect(try table.readBack().digest == digest)
    }

    @Test("keeps by arrays as many rows as there are, of any length, and those without values")
    func arrays() throws {
        let table = try MySQLLoadingTable(
            [
                ("id", .int32, false), ("bit", .bitString, true), ("raw", .bytes, true),
                ("t", .text, true), ("f", .float32, true), ("rowid", .int64, false),
            ], key: ["id"],
            existing: "CREATE TABLE t(id int PRIMARY KEY, bit bit(64), raw longblob, t longtext, "
                + "f float)", declared: ["bit": "bit(64)"])
        try table.use(.arrays)
        let rows = (0..<10_000).map { number in
            record { buffer in
                buffer.appendLong(Int64(number))
                guard number % 7 > 0 else {
                    for _ in 0..<4 { buffer.appendNull() }
                    buffer.appendLong(0)
                    return
                }
                buffer.appendNotNull()
                let bits = String(repeating: number % 2 == 0 ? "10" : "01", count: 32)
                text(bits, into: &buffer)
                buffer.appendNotNull()
                let bytes = [UInt8](repeating: UInt8(number % 256), count: number % 300)
                bytes.withUnsafeBytes { buffer.appendBytes($0) }
                buffer.appendNotNull()
                let length = number == 5000 ? 2_000_000 : number % 50
                text(String(repeating: "é'", count: length), into: &buffer)
                buffer.appendNotNull()
                buffer.appendFloat(Float(number) / 7)
                buffer.appendLong(0)
            }
        }
        let digest = ListedRecords.digest(rows)
        #expect(try table.load(rows) == .loaded(mapped: digest))
        #expect(try table.readBack().digest == digest)
    }

    @Test("uses arrays where the server takes them, rows can be taken back, and types are known")
    func whereArrays() throws {
        func bindsArrays(_ type: ColumnType, _ options: String = "") throws -> Bool {
            let table = try MySQLLoadingTable(
                [("id", .int32, false), ("v", type, true)], key: ["id"],
                existing: "CREATE TABLE t(id int PRIMARY KEY, v longtext) \(options)")
            let connection = try open(table.database.url)
            let loader = try MySQLLoader(
                table.plan, in: table.request, on: connection, takesLines: false)
            return loader.arrays != nil
        }
        #expect(try bindsArrays(.text))
        #expect(try !bindsArrays(.any))
        #expect(try !bindsArrays(.text, "ENGINE=MyISAM"))
    }

    /// What a text becomes in a column of another type, and the forms in which it is taken.
    private static let forms: [(declared: String, good: [String], bad: String, message: String)] = [
        (
            "date", ["2024-02-29", "0000-01-01"], "2024-2-29",
            "column v cannot keep a text that is not written as dates are printed"
        ),
        (
            "datetime(3)", ["2024-02-29 01:02:03.5", "1000-01-01 00:00:00"],
            "2024-02-29 01:02:03.500",
            "column v cannot keep a text that is not written as timestamps are printed"
        ),
        (
            "timestamp(6) NULL", ["2024-02-29 01:02:03Z"], "2024-02-29 01:02:03",
            "column v cannot keep a text that is not written as timestamps in UTC are printed"
        ),
        (
            "time(6)", ["-838:59:59.999999", "01:02:03"], "1:02:03",
            "column v cannot keep a text that is not written as times are printed"
        ),
        (
            "decimal(10,2)", ["-1.50", "0.00"], "1.5",
            "column v cannot keep a number without exactly 2 decimal places"
        ),
        (
            "bigint unsigned", ["0", "18446744073709551615"], "01",
            "column v cannot keep a text that is not written as whole numbers are printed"
        ),
        (
            "uuid", ["00112233-4455-6677-8899-aabbccddeeff"],
            "00112233-4455-6677-8899-AABBCCDDEEFF",
            "column v cannot keep a text that is not written as UUIDs are printed"
        ),
        (
            "inet6", ["2001:db8::1", "::"], "2001:DB8::1",
            "column v cannot keep a text that is not written as addresses are printed"
        ),
        (
            "bit(5)", ["01010", "11111"], "1",
            "column v cannot keep a text that is no string of 5 bits"
        ),
        (
            "enum('a','it''s','2')", ["it's", "a", "2"], "1",
            "column v cannot keep a label that is none of its own"
        ),
        (
            "set('a','b','c')", ["", "a,c", "b"], "b,a",
            "column v cannot keep a label that is none of its own"
        ),
    ]

    @Test(
        "takes a text into another type's column in the one form it is printed in",
        arguments: 0..<11)
    func textForms(_ index: Int) throws {
        let form = MySQLTargetLoadTests.forms[index]
        let make = "CREATE TABLE t(id int PRIMARY KEY, v \(form.declared))"
        let good = form.good.map { value -> (inout ByteBuffer) -> Void in
            { text(value, into: &$0) }
        }
        try expectKept(.text, good, existing: make)
        let table = try MySQLLoadingTable(
            [("id", .int32, false), ("v", .text, true)], key: ["id"], existing: make)
        let failure = try #require(table.failure(records(of: texts(form.bad))))
        #expect(failure.message == form.message)
        #expect(failure.places == ["loading row 1 (id = 0) of t"])
        #expect(try table.content() == "0\nbegin t\n")
    }

    @Test("keeps numbers in columns with declared places where those do not round them")
    func fixedPlaces() throws {
        let floats: [Float] = [0, 0.1, -1234.25, 99_999.99, 16_777.22]
        try expectKept(
            .float32, floats.map { value in { $0.appendFloat(value) } },
            existing: "CREATE TABLE t(id int PRIMARY KEY, v float(7,2))")
        let doubles: [Double] = [0, 0.001, -1234.125, 9_999_999.999]
        try expectKept(
            .float64, doubles.map { value in { $0.appendDouble(value) } },
            existing: "CREATE TABLE t(id int PRIMARY KEY, v double(10,3))")
        let table = try MySQLLoadingTable(
            [("id", .int32, false), ("v", .float64, true)], key: ["id"],
            existing: "CREATE TABLE t(id int PRIMARY KEY, v double(10,3))")
        let failure = try #require(table.failure(records(of: [{ $0.appendDouble(0.0001) }])))
        #expect(failure.message == "column v cannot keep a number of this size or precision")
    }
}
