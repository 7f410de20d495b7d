import SluiceCore
import SluiceRecords
import TestSupport
import Testing

@testable import SluiceSQLite

@Suite("Record types and SQLite's columns")
struct SQLiteMappingTests {
    private func field(_ type: ColumnType, _ declared: String) -> Field {
        Field(name: "c", avroName: "c", type: type, isNullable: true, declared: declared)
    }

    @Test(
        "a declaration is taken where it says nothing but a type",
        arguments: [
            ("VARCHAR(20)", true), ("DECIMAL(10, 2)", true), ("DOUBLE PRECISION", true),
            ("unsigned big int", true), ("_x9", true),
            ("", false), ("INT PRIMARY KEY", false), ("TEXT DEFAULT 5", false), ("INT)", false),
            ("INT(1,2,3)", false), ("INT(x)", false), ("TEXT COLLATE NOCASE", false),
            ("INT, b TEXT", false), ("INT--", false), ("\"INT\"", false), ("INT(-1)", false),
            ("9INT", false), ("INT/*", false), ("größe", false),
        ])
    func safeDeclarations(_ declared: String, _ isSafe: Bool) {
        #expect(SQLiteMapping.isSafe(declared) == isSafe)
    }

    @Test(
        "a column built from a plan keeps its values",
        arguments: [
            (ColumnType.decimal(precision: 10, scale: 2), "numeric(10,2)", "TEXT"),
            (.uint64, "bigint unsigned", "TEXT"), (.timestamp, "timestamptz", "TEXT"),
            (.text, "varchar(20)", "varchar(20)"), (.boolean, "boolean", "boolean"),
            (.int64, "bigint", "bigint"), (.float64, "double precision", "REAL"),
            (.bytes, "bytea", "bytea"), (.json, "jsonb", "TEXT"), (.any, "", ""),
            (.int32, "INT PRIMARY KEY", "INTEGER"),
        ])
    func foreignDeclarations(_ type: ColumnType, _ declared: String, _ expected: String) {
        #expect(
            SQLiteMapping.declaration(for: field(type, declared), isSameEngine: false) == expected)
    }

    @Test("SQLite's own declarations stay, unless every value would be converted")
    func ownDeclarations() {
        func declaration(_ type: ColumnType, _ declared: String) -> String {
            SQLiteMapping.declaration(for: field(type, declared), isSameEngine: true)
        }
        #expect(declaration(.any, "DATETIME") == "DATETIME")
        #expect(declaration(.float64, "DECIMAL(10,2)") == "DECIMAL(10,2)")
        #expect(declaration(.text, "BLOB") == "BLOB")
        #expect(declaration(.int64, "TEXT") == "INTEGER")
        // From a STRICT table, and none is made here.
        #expect(declaration(.any, "ANY") == "")
        #expect(declaration(.text, "any") == "TEXT")
    }

    @Test(
        "what makes a text a number is what SQLite says",
        arguments: [
            "12", " 12 ", "+1", "-.5", "5.", "1e5", "1E+05", "0x10", "", ".", "e5", "1e", "1e+",
            "12a", "1 2", "\t7\n", "--1", "inf", "nan", "9223372036854775808", "1.0e-400", "+", "١",
        ])
    func numbers(_ text: String) throws {
        let folder = try ScratchFolder()
        let connection = try SQLiteConnection(folder.path("b.db"), .create, stop: StopSignal())
        try connection.execute("CREATE TABLE t(a NUMERIC)")
        let insert = try connection.prepare("INSERT INTO t VALUES(?)")
        try insert.bind(text, at: 1)
        try insert.run()
        let stays = try connection.text("SELECT typeof(a) FROM t") == "text"
        let found = Array(text.utf8).withUnsafeBytes { SQLiteConversion.makesNumber($0) }
        #expect(found == !stays)
    }

    @Test(
        "what makes a real number an integer is what SQLite says",
        arguments: [
            1.0, -0.0, 0.5, 9.2e18, 9_223_372_036_854_775_807.0, -9_223_372_036_854_775_808.0,
            9_223_372_036_854_774_784.0, 1e300, .infinity, 4_503_599_627_370_497.0,
        ])
    func integers(_ value: Double) throws {
        let folder = try ScratchFolder()
        let connection = try SQLiteConnection(folder.path("b.db"), .create, stop: StopSignal())
        try connection.execute("CREATE TABLE t(a NUMERIC, r REAL)")
        let insert = try connection.prepare("INSERT INTO t VALUES(?1, ?1)")
        try insert.bind(value, at: 1)
        try insert.run()
        let stays = try connection.text("SELECT typeof(a) FROM t") == "real"
        #expect(SQLiteConversion.makesInteger(value) == !stays)
        let real = try connection.prepare("SELECT r FROM t")
        _ = try real.step()
        #expect((real.real(0).bitPattern == value.bitPattern) == !SQLiteConversion.losesSign(value))
    }

    @Test(
        "a default is taken where it says nothing but a value",
        arguments: [
            ("5", true), ("-1.5e3", true), ("'it''s'", true), ("x'00ff'", true), ("NULL", true),
            ("TRUE", true), ("''", true),
            ("'a'b'", false), ("'", false), ("x'0'", false), ("x'0g'", false), ("(1)", false),
            ("5)", false), ("now()", false), ("CURRENT_TIMESTAMP", false), ("'a", false),
            ("' '); DROP TABLE t; --'", false), ("", false), ("5 ", false), ("-", false),
        ])
    func literals(_ literal: String, _ isSafe: Bool) {
        #expect(SQLiteLiteral.isSafe(literal) == isSafe)
    }
}
