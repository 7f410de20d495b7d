import SluiceCore
import SluiceRecords
import Testing

@testable import SluiceMySQL

@Suite("What a column is declared as in MySQL")
struct MySQLMappingTests {
    private let mariadb = MySQLFlavor("10.11.6-MariaDB")
    private let mysql = MySQLFlavor("8.0.36")

    private func declared(
        _ type: ColumnType, _ declared: String = "", from engine: String = "sqlite",
        length: Int? = nil, on flavor: MySQLFlavor? = nil
    ) -> String {
        MySQLDeclarations(flavor: flavor ?? mariadb, sourceEngine: engine).declaration(
            for: Field(
                name: "a", avroName: "a", type: type, isNullable: true, declared: declared),
            length: length)
    }

    @Test(
        "of a MySQL source, what it was",
        arguments: [
            "int(10) unsigned zerofill", "enum('a','b,c)','it''s')", "decimal(65,30)",
            "varchar(20) CHARACTER SET latin1 COLLATE latin1_bin", "set('x')", "bit(64)",
            "datetime(6)", "geometry", "double(10,2) unsigned",
        ])
    func kept(_ text: String) {
        #expect(declared(.serverText, text, from: "mysql") == text)
        #expect(declared(.serverText, text) == "longtext")
    }

    @Test(
        "what its records need, where the declaration may say something else",
        arguments: [
            "int; DROP TABLE t", "int) ENGINE=MyISAM", "varchar(20", "enum('a'", "int DEFAULT 1",
            "int AS (1)", "", "serial", "varchar(20) COLLATE", "enum('a\\')",
        ])
    func replaced(_ text: String) {
        #expect(declared(.int64, text, from: "mysql") == "bigint")
    }

    @Test("depends on the server where servers differ")
    func flavors() {
        #expect(declared(.json) == "json")
        #expect(declared(.json, on: mysql) == "longtext")
        #expect(declared(.decimal(precision: 38, scale: 38)) == "decimal(38,38)")
        #expect(declared(.decimal(precision: 38, scale: 38), on: mysql) == "longtext")
        #expect(mariadb.exactCollation == "utf8mb4_nopad_bin")
        #expect(mysql.exactCollation == "utf8mb4_0900_bin")
        #expect(MySQLFlavor("8.0.11").exactCollation == "utf8mb4_bin")
    }

    @Test("has an end where it is part of a key, and where PostgreSQL says so")
    func lengths() {
        #expect(declared(.text, length: 768) == "varchar(768)")
        #expect(declared(.bytes, length: 3072) == "varbinary(3072)")
        #expect(declared(.text, "character varying(20)", from: "postgres") == "varchar(20)")
        #expect(declared(.text, "character(20)", from: "postgres", length: 9) == "varchar(9)")
        #expect(declared(.text, "character varying(20)") == "longtext")
        #expect(declared(.bitString, "bit(5)") == "bit(5)")
        #expect(declared(.bitString, "bit varying(5)") == "longtext")
    }

    @Test("takes defaults that are values and nothing else")
    func literals() {
        func literal(_ text: String, _ type: ColumnType, _ declared: String = "int") -> String? {
            MySQLLiteral.text(text, for: type, declared, mariadb)
        }
        #expect(literal("-1.50", .decimal(precision: 5, scale: 2)) == "-1.50")
        #expect(literal("'it''s \\'", .text) == "'it''s \\\\'")
        #expect(literal("12", .text) == "'12'")
        #expect(literal("true", .boolean) == "1")
        #expect(literal("X'00FF'", .bytes) == "x'00FF'")
        #expect(literal("NULL", .date) == "NULL")
        #expect(MySQLLiteral.text("'a'", for: .text, "longtext", mysql) == "('a')")
        for bad in ["'a' || 'b'", "''; DROP TABLE t; --'", "1; SELECT 2", "now()", "1e5", "", "'a"]
        {
            #expect(literal(bad, .text) == nil, "\(bad)")
            #expect(literal(bad, .int64) == nil, "\(bad)")
        }
    }
}
