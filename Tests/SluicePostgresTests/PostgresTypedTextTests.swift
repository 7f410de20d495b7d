import SluiceCore
import SluiceRecords
import TestSupport
import Testing

@testable import SluicePostgres

/// Texts, integers and moments that another engine kept for want of a type, on their way back into it.
@Suite("Values that come back into the type they were made from")
struct PostgresTypedTextTests {
    struct Case: Sendable, CustomStringConvertible {
        let declared: String
        let values: [String]
        var description: String { declared }
    }

    private static let cases = [
        Case(
            declared: "date",
            values: ["2024-02-29", "0001-01-01", "9999-12-31", "-4713-11-24", "10000-01-01"]),
        Case(declared: "time", values: ["00:00:00", "23:59:59.999999", "24:00:00", "12:34:56.5"]),
        Case(
            declared: "timestamp",
            values: ["2024-02-29 12:34:56.000001", "0001-01-01 00:00:00", "-0001-12-31 23:59:59.5"]
        ),
        Case(
            declared: "timestamptz",
            values: ["1970-01-01 00:00:00Z", "2038-01-19 03:14:07.999999Z", "0000-12-31 23:59:59Z"]
        ),
        Case(declared: "uuid", values: ["123e4567-e89b-12d3-a456-426655440000"]),
        Case(
            declared: "numeric", values: ["1.50", "-0.000001", "0", "99999999999999999999", "NaN"]),
        Case(declared: "numeric(12,2)", values: ["1.50", "-9999999999.99", "0.00"]),
        Case(declared: "json", values: ["{\"a\" : 1}", "null", " [1, 2]\n"]),
        Case(declared: "bit varying(9)", values: ["", "1", "101010101"]),
    ]

    @Test("are kept and read back as the same texts", arguments: cases, ["", ", other inet"])
    func texts(_ value: Case, _ other: String) throws {
        let extra = other.isEmpty ? [] : [(Name("other"), ColumnType.serverText, true)]
        let table = try PostgresLoadingTable(
            [("id", .int32, false), ("v", .text, true)] + extra, key: ["id"],
            existing: "CREATE TABLE t(id int PRIMARY KEY, v \(value.declared)\(other))")
        var records: [[UInt8]] = []
        for (index, value) in (value.values + [nil as String?]).enumerated() {
            records.append(
                record { buffer in
                    buffer.appendLong(Int64(index))
                    if let value {
                        buffer.appendNotNull()
                        text(value, into: &buffer)
                    } else {
                        buffer.appendNull()
                    }
                    if !other.isEmpty { buffer.appendNull() }
                })
        }
        try table.load(records)
        let (digest, misfits) = try table.readBack()
        #expect(misfits == [])
        #expect(digest == ListedRecords.digest(records))
        #expect(
            try table.database.sql("SELECT count(v) FROM t") == "\(value.values.count)\n")
    }

    @Test(
        "are refused where they are written otherwise",
        arguments: [
            ("date", "2024-2-29"), ("date", "2023-02-29"), ("date", ""), ("date", "infinity"),
            ("date", "5874898-01-01"), ("time", "1:00:00"), ("time", "12:34:56.50"),
            ("timestamp", "2024-01-01"), ("timestamp", "2024-01-01T00:00:00"),
            ("timestamp", "2024-01-01 00:00:00Z"), ("timestamptz", "2024-01-01 00:00:00"),
            ("timestamptz", "2024-01-01 00:00:00+00"), ("timestamp", "now"),
        ])
    func refused(_ declared: String, _ value: String) throws {
        for other in ["", ", other inet"] {
            let extra = other.isEmpty ? [] : [(Name("other"), ColumnType.serverText, true)]
            let table = try PostgresLoadingTable(
                [("id", .int32, false), ("v", .text, false)] + extra, key: ["id"],
                existing: "CREATE TABLE t(id int PRIMARY KEY, v \(declared)\(other))")
            let bad = record { buffer in
                buffer.appendLong(42)
                text(value, into: &buffer)
                if !other.isEmpty { buffer.appendNull() }
            }
            let failure = table.failure([bad])?.description ?? ""
            #expect(failure.contains("while loading row 1 (id = 42) of public.t"), "\(failure)")
            #expect(!failure.contains("bug"))
            #expect(try table.database.sql("SELECT count(*) FROM t") == "0\n")
        }
    }

    @Test("are whole numbers in a column of true and false", arguments: ["", ", other inet"])
    func booleans(_ other: String) throws {
        let extra = other.isEmpty ? [] : [(Name("other"), ColumnType.serverText, true)]
        let table = try PostgresLoadingTable(
            [("id", .int32, false), ("v", .int64, false)] + extra, key: ["id"],
            existing: "CREATE TABLE t(id int PRIMARY KEY, v boolean\(other))")
        func row(_ value: Int64) -> [UInt8] {
            record { buffer in
                buffer.appendLong(value)
                buffer.appendLong(value)
                if !other.isEmpty { buffer.appendNull() }
            }
        }
        try table.load([row(0), row(1)])
        #expect(try table.database.sql("SELECT v FROM t ORDER BY id") == "f\nt\n")
        let (digest, misfits) = try table.readBack()
        #expect(misfits == [])
        #expect(digest == ListedRecords.digest([row(0), row(1)]))
    }

    @Test(
        "are moments with and without a time zone, both of UTC",
        arguments: [(ColumnType.timestamp, "timestamp"), (.localTimestamp, "timestamptz")])
    func moments(_ type: ColumnType, _ declared: String) throws {
        for other in ["", ", other inet"] {
            let extra = other.isEmpty ? [] : [(Name("other"), ColumnType.serverText, true)]
            let table = try PostgresLoadingTable(
                [("v", type, false)] + extra, existing: "CREATE TABLE t(v \(declared)\(other))")
            let rows = [Int64(0), -1, 1_700_000_000_123_456].map { value in
                record { buffer in
                    buffer.appendLong(value)
                    if !other.isEmpty { buffer.appendNull() }
                }
            }
            try table.load(rows)
            let (digest, misfits) = try table.readBack()
            #expect(misfits == [])
            #expect(digest == ListedRecords.digest(rows))
            #expect(
                try table.database.sql("SET timezone = 'UTC'; SELECT max(v)::text FROM t")
                    .hasPrefix("2023-11-14 22:13:20.123456"))
        }
    }
}
