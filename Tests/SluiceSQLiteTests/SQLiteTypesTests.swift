import SluiceCore
import SluiceRecords
import TestSupport
import Testing

@testable import SluiceSQLite

@Suite("Column types follow what is declared and what is there")
struct SQLiteTypesTests {
    @Test(
        "a column has its declared type where every value conforms, that of its values where not",
        arguments: [
            ("INTEGER", "1, NULL", ColumnType.int64),
            ("BIGINT", "", .int64),
            ("INTEGER", "'x'", .text),
            ("INTEGER", "1, 'x'", .any),
            ("INTEGER", "9223372036854775807, 9223372036854775808", .any),
            ("REAL", "1, 2.5", .float64),
            ("DOUBLE PRECISION", "", .float64),
            ("REAL", "1, x'00'", .any),
            ("TEXT", "1, 'x'", .text),
            ("VARCHAR(3)", "", .text),
            ("TEXT", "x'00'", .bytes),
            ("TEXT", "CAST(x'ff' AS TEXT)", .any),
            ("BLOB", "x'00'", .bytes),
            ("BLOB", "", .bytes),
            ("BLOB", "'x'", .text),
            ("BLOB", "1, x'00'", .any),
            ("", "'x'", .text),
            ("", "", .any),
            ("", "NULL", .any),
            ("DECIMAL(10,2)", "1, 2.5", .any),
            ("DECIMAL(10,2)", "1.5, 2.5", .float64),
            ("NUMERIC", "1, 2", .int64),
            ("DATE", "'2026-01-31'", .text),
            ("DATE", "", .any),
            ("BOOLEAN", "0, 1", .int64),
            ("FLOATING POINT", "1", .int64),
        ])
    func typing(declared: String, values: String, expected: ColumnType) throws {
        let folder = try ScratchFolder()
        let rows = values.split(separator: ", ").map { "INSERT INTO t VALUES (\($0));" }
        let path = try folder.database("CREATE TABLE t(c \(declared));" + rows.joined())
        let table = try Exported(path)["t"]
        #expect(table.types == [.int64, expected])
        #expect(table.plan.schema.fields[1].declared == declared)
        #expect(table.rows.map { $0[1] } == (try query(path, "SELECT c FROM t")).map { $0[0] })
    }

    @Test("STRICT tables are typed by their declarations, ANY by its values")
    func strict() throws {
        let folder = try ScratchFolder()
        let path = try folder.database(
            """
            CREATE TABLE t(a INTEGER PRIMARY KEY, b INT, c REAL, d TEXT, e BLOB, f ANY, g ANY) \
            STRICT;
            INSERT INTO t VALUES (1, 2, 3, 4, x'05', 6, NULL), (2, NULL, NULL, NULL, NULL, 'x', \
            NULL);
            """)
        let table = try Exported(path)["t"]
        #expect(table.types == [.int64, .int64, .float64, .text, .bytes, .any, .any])
        #expect(
            table.plan.schema.fields.map(\.isNullable)
                == [false, true, true, true, true, true, true])
        #expect(
            table.rows[0] == [
                .integer(1), .integer(2), .real(3), .text("4"), .blob([5]), .integer(6), .null,
            ])
    }

    @Test("a field may be NULL where the column allows it, or where NULL is there all the same")
    func nullability() throws {
        let folder = try ScratchFolder()
        let path = try folder.database(
            """
            CREATE TABLE t(a INTEGER NOT NULL, b INTEGER, c INTEGER);
            INSERT INTO t VALUES (1, 2, NULL);
            PRAGMA writable_schema = 1;
            UPDATE sqlite_schema SET sql = 'CREATE TABLE t(a INTEGER NOT NULL, b INTEGER, c \
            INTEGER NOT NULL)';
            """)
        let table = try Exported(path)["t"]
        #expect(table.plan.schema.fields.map(\.isNullable) == [false, false, true, true])
        #expect(table.rows == [[.integer(1), .integer(1), .integer(2), .null]])
    }

    @Test("text is valid UTF-16 exactly where its surrogates stand in pairs")
    func utf16() {
        func check(_ units: [UInt16]) -> Bool {
            units.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }.withUnsafeBytes {
                SQLiteText.isUTF16($0, isBigEndian: false)
            }
        }
        #expect(check([]))
        #expect(check([0x41, 0xD83D, 0xDE00, 0x42]))
        #expect(!check([0xD83D]))
        #expect(!check([0xD83D, 0x41]))
        #expect(!check([0xDE00]))
        #expect(!check([0xDE00, 0xD83D]))
        #expect(!check([0xD83D, 0xD83D, 0xDE00]))
    }

    @Test("generalized UTF-8 is one to one with UTF-16")
    func generalized() {
        let samples: [[UInt16]] = [
            [], [0x41], [0xD800], [0xDFFF, 0xD800], [0xD83D, 0xDE00], [0xD83D, 0x41], [0, 0x7FF],
            [0xFFFF, 0xFEFF], [0xD83D, 0xD83D, 0xDE00, 0xDE00],
        ]
        for units in samples {
            for isBigEndian in [false, true] {
                let stored = units.flatMap { unit in
                    let bytes = [UInt8(unit >> 8), UInt8(unit & 0xFF)]
                    return isBigEndian ? bytes : bytes.reversed()
                }
                let text = stored.withUnsafeBytes {
                    SQLiteText.generalizedUTF8($0, isBigEndian: isBigEndian)
                }
                let back = text.withUnsafeBytes {
                    SQLiteText.utf16(generalizedUTF8: $0, isBigEndian: isBigEndian)
                }
                #expect(back == stored)
                let isValid = stored.withUnsafeBytes {
                    SQLiteText.isUTF16($0, isBigEndian: isBigEndian)
                }
                #expect(text.withUnsafeBytes { SQLiteText.isUTF8($0) } == isValid)
            }
        }
        for wrong: [UInt8] in [
            [0xFF], [0xC0, 0x80], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0xBD, 0xED, 0xB8, 0x80], [0xC3],
            [0xF4, 0x90, 0x80, 0x80],
        ] {
            #expect(
                wrong.withUnsafeBytes {
                    SQLiteText.utf16(generalizedUTF8: $0, isBigEndian: false)
                } == nil)
        }
    }
}
