import SluiceCore
import SluiceRecords
import Testing

@testable import SluicePostgres

@Suite("A type that a user wants of PostgreSQL")
struct PostgresUserTypeTests {
    @Test(
        "is known by all of its names",
        arguments: [
            ("varchar(20)", "character varying(20)", .text(limit: 20, isPadded: false)),
            ("VARCHAR", "character varying", .text(limit: nil, isPadded: false)),
            ("char ( 3 )", "character(3)", .text(limit: 3, isPadded: true)),
            ("character", "character", .text(limit: 1, isPadded: true)),
            ("int", "integer", .int32), ("int8", "bigint", .int64),
            ("smallint", "smallint", .int16),
            ("Bool", "boolean", .boolean),
            ("decimal(12, 2)", "numeric(12,2)", .numeric(precision: 12, scale: 2)),
            ("numeric(5)", "numeric(5)", .numeric(precision: 5, scale: 0)),
            ("numeric", "numeric", .numeric(precision: nil, scale: nil)),
            ("double  precision", "double precision", .float64), ("float4", "real", .float32),
            ("timestamptz", "timestamp with time zone", .timestamp),
            ("timestamp", "timestamp without time zone", .localTimestamp),
            ("timestamp(3)", "timestamp(3) without time zone", .localTimestamp),
            ("timestamp(0) with time zone", "timestamp(0) with time zone", .timestamp),
            ("time(6)", "time(6) without time zone", .time),
            ("varbit", "bit varying", .bits), ("bit(3)", "bit(3)", .bits),
            ("jsonb", "jsonb", .jsonb),
            ("inet", "inet", .other), ("integer[]", "integer[]", .other),
        ] as [(String, String, PostgresStorage)])
    func names(_ text: String, _ declared: String, _ storage: PostgresStorage) {
        let type = PostgresUserType(text)
        #expect(type?.declared == declared)
        #expect(type?.storage == storage)
    }

    @Test(
        "is none where it comes not with the server, or says more than a type",
        arguments: [
            "", "mood", "serial", "timestamp(7)", "timestamptz(3) x", "interval(1)", "timetz(3)",
            "float(3)", "int(11)",
            "numeric(0)", "numeric(4,-1)", "numeric(1,2,3)", "varchar(0)", "varchar(x)", "text)(",
            "text; DROP TABLE t", "text DEFAULT 1", "text\"", "integer(1)",
        ])
    func none(_ text: String) {
        #expect(PostgresUserType(text) == nil)
    }

    private func problem(_ type: ColumnType, as wanted: String?, inKey isKey: Bool = false)
        -> String?
    {
        let field = Field(
            name: "a", avroName: "a", type: type, isNullable: true, targetDeclaration: wanted)
        let key = TableDefinition.Index(name: "i", columns: ["a"], isUnique: false)
        let plan = TablePlan(
            schema: RecordSchema(table: TableName(schema: "s", "t"), fields: [field]),
            definition: TableDefinition(columns: [], indexes: isKey ? [key] : []), chunks: [])
        return PostgresUserType.problem(
            of: field, in: plan,
            LoadRequest(dataset: "", tables: [], trustedSchema: nil, onExisting: .refuse))
    }

    @Test("is refused by name where values would be changed, or an index could not be made")
    func problems() {
        let start = "column a of table s.t is to be declared"
        #expect(problem(.text, as: nil) == nil)
        #expect(problem(.text, as: "varchar(20)", inKey: true) == nil)
        #expect(problem(.int32, as: "numeric(12,2)") == nil)
        #expect(problem(.bitString, as: "boolean") == nil)
        #expect(problem(.text, as: "json") == nil)
        #expect(
            problem(.text, as: "json", inKey: true)
                == "\(start) json, which no key or index takes")
        #expect(
            problem(.text, as: "boolean")
                == "\(start) boolean, which would change values of type text")
        #expect(
            problem(.timestamp, as: "mood")
                == "\(start) mood, which is no type that comes with PostgreSQL")
    }
}
