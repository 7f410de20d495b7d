import SluiceCore
import SluiceRecords
import TestSupport
import Testing

@testable import SluiceSQLite

@Suite("Tables are described in words every engine has")
struct SQLiteDefinitionTests {
    private func definitions(_ sql: String) throws -> [Name: TableDefinition] {
        let folder = try ScratchFolder()
        return try Exported(try folder.database(sql)).tables.mapValues(\.plan.definition)
    }

    @Test("columns carry declaration, NULL, literal defaults and identity")
    func columns() throws {
        let table = try definitions(
            """
            CREATE TABLE t(id INTEGER PRIMARY KEY AUTOINCREMENT, a VARCHAR(20) NOT NULL DEFAULT \
            'it''s',
                b DECIMAL(10,2) DEFAULT -1.5, c DEFAULT (1 + 2), d DEFAULT CURRENT_TIMESTAMP, e \
                DEFAULT NULL,
                f DEFAULT "old", g BLOB DEFAULT x'00ff', h DEFAULT TRUE, i AS (a || 'x'));
            """)["t"]
        #expect(
            table?.columns.map(\.declared).prefix(3) == ["INTEGER", "VARCHAR(20)", "DECIMAL(10,2)"])
        #expect(
            table?.columns.map(\.defaultLiteral) == [
                nil, "'it''s'", "-1.5", nil, nil, "NULL", "'old'", "x'00ff'", "1", nil,
            ])
        #expect(
            table?.columns.map(\.isNullable) == [
                false, false, true, true, true, true, true, true, true, true,
            ])
        #expect(table?.columns.map(\.isIdentity) == [true] + Array(repeating: false, count: 9))
        #expect(table?.columns.last?.isGenerated == true)
        #expect(table?.primaryKey == ["id"])
        #expect(
            table?.omissions == [
                "the default expression of column c", "the default expression of column d",
                "the expression of column i",
            ])
    }

    @Test("plain indexes and unique constraints are described, others are named as left out")
    func indexes() throws {
        let table = try definitions(
            """
            CREATE TABLE t(a, b TEXT COLLATE NOCASE, c, UNIQUE (c, a), PRIMARY KEY (c, b));
            CREATE UNIQUE INDEX u ON t(a); CREATE INDEX d ON t(c DESC, a); CREATE INDEX p ON t(a) \
            WHERE a > 1;
            CREATE INDEX e ON t(a + 1); CREATE INDEX n ON t(b); CREATE INDEX n2 ON t(b COLLATE \
            BINARY);
            """)["t"]
        #expect(
            table?.indexes == [
                TableDefinition.Index(name: "t_unique_1", columns: ["c", "a"], isUnique: true),
                TableDefinition.Index(name: "u", columns: ["a"], isUnique: true),
                TableDefinition.Index(name: "d", columns: ["c", "a"], isUnique: false),
                TableDefinition.Index(name: "n2", columns: ["b"], isUnique: false),
            ])
        #expect(table?.primaryKey == ["c", "b"])
        #expect(
            table?.omissions == [
                "the collation NOCASE of column b", "the descending order of the index d",
                "the partial index p", "the index e on an expression",
                "the index n with the collation NOCASE",
            ])
    }

    @Test("foreign keys keep their order, columns and actions, circular ones too")
    func foreignKeys() throws {
        let tables = try definitions(
            """
            CREATE TABLE Parent(x, y, child REFERENCES kid, PRIMARY KEY (x, y));
            CREATE TABLE kid(id INTEGER PRIMARY KEY, a, b, up REFERENCES KID(ID) DEFERRABLE \
            INITIALLY DEFERRED,
                FOREIGN KEY (a, b) REFERENCES parent(X, Y) ON DELETE CASCADE ON UPDATE SET NULL,
                FOREIGN KEY (a) REFERENCES elsewhere(z), CHECK (a > 'CHECK'), CHECK (b /* CHECK \
                */ > 0));
            """)
        #expect(
            tables["kid"]?.foreignKeys == [
                TableDefinition.ForeignKey(
                    columns: ["up"], table: TableName("kid"), otherColumns: ["id"]),
                TableDefinition.ForeignKey(
                    columns: ["a", "b"], table: TableName("Parent"), otherColumns: ["x", "y"],
                    onDelete: "CASCADE", onUpdate: "SET NULL"),
                TableDefinition.ForeignKey(
                    columns: ["a"], table: TableName("elsewhere"), otherColumns: ["z"]),
            ])
        #expect(
            tables["Parent"]?.foreignKeys == [
                TableDefinition.ForeignKey(
                    columns: ["child"], table: TableName("kid"), otherColumns: [])
            ])
        #expect(
            tables["kid"]?.omissions == [
                "2 CHECK constraints", "when deferred foreign keys are checked",
            ])
    }

    @Test("what only the table's text says is named as left out")
    func words() throws {
        let tables = try definitions(
            """
            CREATE TABLE a(x INT CHECK (x > 0), "check" TEXT DEFAULT 'CHECK');
            CREATE TABLE b(x UNIQUE ON CONFLICT REPLACE);
            """)
        #expect(tables["a"]?.omissions == ["a CHECK constraint"])
        #expect(tables["b"]?.omissions == ["what happens on conflict"])
    }

    @Test("SQL is cut into words as SQLite cuts it")
    func tokens() {
        let sql =
            #"CREATE Table "a""b"(x'00', 'it''s', [c d], `e`, 1.5e+3, .5, 0xFF -- no"# + "\n"
            + #"/* no */ é_1 <> "open"#
        #expect(
            SQLiteTokens.all(of: sql) == [
                .word("CREATE"), .word("TABLE"), .quoted("a\"b"), .symbol(UInt8(ascii: "(")),
                .blob("x'00'"), .symbol(UInt8(ascii: ",")), .string("'it''s'"),
                .symbol(UInt8(ascii: ",")), .quoted("c d"), .symbol(UInt8(ascii: ",")),
                .quoted("e"), .symbol(UInt8(ascii: ",")), .number("1.5e+3"),
                .symbol(UInt8(ascii: ",")), .number(".5"), .symbol(UInt8(ascii: ",")),
                .number("0xFF"), .word("é_1"), .symbol(UInt8(ascii: "<")),
                .symbol(UInt8(ascii: ">")), .quoted("open"),
            ])
        #expect(SQLiteTokens.all(of: "1 /* open") == [.number("1")])
        #expect(SQLiteTokens.all(of: "[") == [.quoted("")])
    }

    @Test(
        "values survive as literals and as JSON",
        arguments: [
            SQLiteValue.null, .integer(.min), .integer(.max), .real(0.1), .real(-0.0), .real(1e300),
            .real(.leastNonzeroMagnitude), .real(.infinity), .real(-.infinity), .text("it's"),
            .text("a\0b\n"),
            .text([0xFF]), .text(""), .blob([]), .blob([0, 255]),
        ])
    func values(value: SQLiteValue) throws {
        let folder = try ScratchFolder()
        let path = try folder.database("CREATE TABLE t(a);")
        // SQLite reads -0.0 as 0.0.
        let expected: SQLiteValue = value == .real(-0.0) ? .real(0) : value
        #expect(try query(path, "SELECT \(value.literal)") == [[expected]])
        #expect(SQLiteValue(try JSON(parsing: Array(value.json.compact.utf8))) == value)
    }

    @Test("other JSON is no value")
    func wrongValues() {
        for json: JSON in [
            true, [], [:], ["blob": "0"], ["real": "00"], ["text": 1], ["other": "00"],
            ["blob": "00", "text": "00"], .double(1.5),
        ] {
            #expect(SQLiteValue(json) == nil)
        }
    }
}
