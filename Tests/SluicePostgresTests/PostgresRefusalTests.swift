import SluiceCore
import SluiceRecords
import TestSupport
import Testing

@testable import SluicePostgres

@Suite("Values that PostgreSQL cannot keep")
struct PostgresRefusalTests {
    struct Case: Sendable, CustomStringConvertible {
        let type: ColumnType
        let declared: String
        let value: @Sendable (inout ByteBuffer) -> Void
        let what: String
        let remedy: String
        var description: String { declared }
    }

    private static func long(_ value: Int64) -> @Sendable (inout ByteBuffer) -> Void {
        { $0.appendLong(value) }
    }

    private static func word(_ value: String) -> @Sendable (inout ByteBuffer) -> Void {
        { text(value, into: &$0) }
    }

    private static let wider = "Declare the target's column wider."
    private static let correct = "Correct the row in the source, or leave it out with --where."
    private static let asText = "Declare the target's column as text."

    private static let cases: [Case] = [
        Case(
            type: .text, declared: "text", value: word("a\u{0}b"),
            what: "a text with a NUL character",
            remedy: "PostgreSQL has no text with NUL; make the source's column a binary one."),
        Case(
            type: .text, declared: "varchar(3)", value: word("äöüß"),
            what: "a text of more than 3 characters", remedy: wider),
        Case(
            type: .text, declared: "char(3)", value: word("ab"),
            what: "a text that is not 3 characters long",
            remedy: "The target's column would add blanks; declare it varchar or text."),
        Case(
            type: .int64, declared: "smallint", value: long(32_768),
            what: "an integer of this size", remedy: wider),
        Case(
            type: .int64, declared: "integer", value: long(1 << 31),
            what: "an integer of this size", remedy: wider),
        Case(
            type: .float64, declared: "real", value: { $0.appendDouble(0.1) },
            what: "a number of this size or precision", remedy: wider),
        Case(
            type: .numberText, declared: "numeric", value: word("1e5"),
            what: "a number that is written like this", remedy: asText),
        Case(
            type: .numberText, declared: "numeric(9,2)", value: word("1.234"),
            what: "a number with as many decimal places", remedy: wider),
        Case(
            type: .date, declared: "date", value: long(-2_440_589),
            what: "a date that PostgreSQL does not have", remedy: correct),
        Case(
            type: .date, declared: "date",
            // MySQL's 0000-00-00.
            value: long(-1_000_000_000),
            what: "a date that PostgreSQL does not have", remedy: correct),
        Case(
            type: .time, declared: "time", value: long(-1),
            what: "a time that PostgreSQL does not have", remedy: correct),
        Case(
            type: .localTimestamp, declared: "timestamp", value: long(-210_866_803_200_000_001),
            what: "a timestamp that PostgreSQL does not have", remedy: correct),
        Case(
            type: .uuid, declared: "uuid", value: word("00112233-4455-6677-8899-AABBCCDDEEFF"),
            what: "a text that is no UUID", remedy: asText),
        Case(
            type: .bitString, declared: "bit varying", value: word("012"),
            what: "a text that is no bit string", remedy: asText),
        Case(
            type: .text, declared: "date", value: word("yesterday"),
            what: "a text that is no date or time, or is written otherwise", remedy: asText),
        Case(
            type: .int64, declared: "boolean", value: long(-1),
            what: "an integer other than 0 and 1",
            remedy: "Declare the target's column as an integer."),
    ]

    @Test(
        "are named with their row, column and remedy, and nothing of their shard is kept",
        arguments: cases)
    func refused(_ value: Case) throws {
        for other in ["", ", other inet"] {
            let columns = other.isEmpty ? [] : [(Name("other"), ColumnType.serverText, true)]
            let table = try PostgresLoadingTable(
                [("id", .int32, false), ("v", value.type, false)] + columns, key: ["id"],
                existing: "CREATE TABLE t(id int PRIMARY KEY, v \(value.declared)\(other))")
            let bad = record { buffer in
                buffer.appendLong(42)
                value.value(&buffer)
                if !other.isEmpty { buffer.appendNull() }
            }
            #expect(
                table.failure([bad])?.description == """
                    column v cannot keep \(value.what)
                      while loading row 1 (id = 42) of public.t
                    hint: \(value.remedy)
                    """)
            #expect(try table.database.sql("SELECT count(*) FROM t") == "0\n")
        }
    }

    @Test("show no key where keys are hidden")
    func hiddenKeys() throws {
        let table = try PostgresLoadingTable(
            [("id", .int32, false), ("v", .int64, false)], key: ["id"],
            existing: "CREATE TABLE t(id int PRIMARY KEY, v smallint)", hidesKeys: true)
        let rows = [1, 1 << 20].map { value in
            record {
                $0.appendLong(42)
                $0.appendLong(Int64(value))
            }
        }
        #expect(
            table.failure(rows)?.description == """
                column v cannot keep an integer of this size
                  while loading row 2 of public.t
                hint: Declare the target's column wider.
                """)
    }
}
