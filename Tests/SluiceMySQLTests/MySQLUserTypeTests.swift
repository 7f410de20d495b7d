import SluiceCore
import SluiceRecords
import Testing

@testable import SluiceMySQL

@Suite("A type that a user wants of MySQL")
struct MySQLUserTypeTests {
    private static let flavor = MySQLFlavor("10.11.0-MariaDB")

    @Test(
        "is known with its numbers, also by its other names",
        arguments: [
            ("varchar(20)", "varchar(20)", .text(characters: 20, bytes: nil, isPadded: false)),
            ("char", "char", .text(characters: 1, bytes: nil, isPadded: true)),
            ("TEXT", "TEXT", .text(characters: nil, bytes: 65_535, isPadded: false)),
            (
                "text character set latin1", "text character set latin1",
                .text(characters: nil, bytes: nil, isPadded: false)
            ),
            ("boolean", "tinyint(1)", .integer(bits: 8, isUnsigned: false)),
            ("integer unsigned", "integer unsigned", nil),
            ("integer", "int", .integer(bits: 32, isUnsigned: false)),
            ("bigint unsigned", "bigint unsigned", .integer(bits: 64, isUnsigned: true)),
            ("numeric(12, 2)", "decimal(12, 2)", .decimal(precision: 12, scale: 2)),
            ("decimal", "decimal", .decimal(precision: 10, scale: 0)),
            ("datetime(3)", "datetime(3)", .dateTime(digits: 3)), ("bit(8)", "bit(8)", .bits(8)),
            ("double precision", "double", .float64(places: nil)),
            ("varbinary(9)", "varbinary(9)", .bytes(limit: 9, isPadded: false)),
            ("json", "json", .text(characters: nil, bytes: 4_294_967_295, isPadded: false)),
        ] as [(String, String, MySQLStorage?)])
    func names(_ text: String, _ declared: String, _ storage: MySQLStorage?) {
        let type = MySQLUserType(text, MySQLUserTypeTests.flavor)
        #expect(type?.storage == storage)
        if storage != nil { #expect(type?.declared == declared) }
    }

    @Test(
        "is none where the server has none, or it says more than a type",
        arguments: [
            "", "mood", "serial", "varchar", "varbinary", "float(30)", "text; DROP TABLE t",
            "int AUTO_INCREMENT", "int COMMENT 'x'", "varchar(20) NOT NULL", "enum('a'",
        ])
    func none(_ text: String) {
        #expect(MySQLUserType(text, MySQLUserTypeTests.flavor) == nil)
    }

    private func problem(_ type: ColumnType, as wanted: String?, inKey isKey: Bool = false)
        -> String?
    {
        let field = Field(
            name: "a", avroName: "a", type: type, isNullable: true, targetDeclaration: wanted)
        let key = TableDefinition.Index(name: "i", columns: ["a"], isUnique: true)
        let plan = TablePlan(
            schema: RecordSchema(table: TableName("t"), fields: [field]),
            definition: TableDefinition(columns: [], indexes: isKey ? [key] : []), chunks: [])
        return MySQLUserType.problem(of: field, in: plan, MySQLUserTypeTests.flavor)
    }

    @Test("is refused by name where values would be changed, or a key could not be made")
    func problems() {
        let start = "column a of table t is to be declared"
        #expect(problem(.text, as: nil) == nil)
        #expect(problem(.text, as: "enum('a','b')", inKey: true) == nil)
        #expect(problem(.boolean, as: "bit(1)") == nil)
        #expect(problem(.text, as: "text") == nil)
        #expect(problem(.text, as: "varchar(768)", inKey: true) == nil)
        #expect(
            problem(.text, as: "text", inKey: true) == "\(start) text, which is too long for a key")
        #expect(
            problem(.text, as: "varchar(769)", inKey: true)
                == "\(start) varchar(769), which is too long for a key")
        #expect(problem(.date, as: "int") == "\(start) int, which would change values of type date")
        #expect(problem(.text, as: "mood") == "\(start) mood, which is no type of MySQL's own")
    }
}
