import SluiceCore
import SluiceRecords
import Testing

@testable import SluicePostgres

@Suite("What a column is declared as")
struct PostgresMappingTests {
    @Test(
        "of a PostgreSQL source, what it was, where every server has the type",
        arguments: [
            "integer", "character varying(80)", "numeric(12,2)", "numeric(5,-2)", "text[]",
            "timestamp(3) without time zone", "character(3)[]", "int4range", "\"char\"",
        ])
    func kept(_ declared: String) {
        let field = Field(
            name: "a", avroName: "a", type: .serverText, isNullable: true, declared: declared)
        #expect(PostgresMapping.declaration(for: field, isSameEngine: true) == declared)
        #expect(PostgresMapping.declaration(for: field) == "text")
    }

    @Test(
        "what its records need, where the declaration may say something else",
        arguments: [
            "public.mood", "integer; DROP TABLE t", "text)", "numeric(1,2", "serial", "",
            "character varying(80) CHECK (a > 0)", "integer DEFAULT 1", "text COLLATE \"C\"",
            "numeric()", "(1)", "timestamp(3)) without time zone",
        ])
    func replaced(_ declared: String) {
        let field = Field(
            name: "a", avroName: "a", type: .int64, isNullable: true, declared: declared)
        #expect(PostgresMapping.declaration(for: field, isSameEngine: true) == "bigint")
    }

    @Test("defaults are values and nothing else")
    func literals() {
        #expect(PostgresLiteral.text("-1.50", for: .decimal(precision: 5, scale: 2)) == "-1.50")
        #expect(PostgresLiteral.text("'it''s'", for: .text) == "'it''s'")
        #expect(PostgresLiteral.text("12", for: .text) == "'12'")
        #expect(PostgresLiteral.text("1", for: .boolean) == "true")
        #expect(PostgresLiteral.text("X'00FF'", for: .bytes) == "'\\x00ff'")
        #expect(PostgresLiteral.text("null", for: .date) == "NULL")
        for bad in ["'a' || 'b'", "''; DROP TABLE t; --'", "1; SELECT 2", "now()", "1e5", "", "'a"]
        {
            #expect(PostgresLiteral.text(bad, for: .text) == nil, "\(bad)")
            #expect(PostgresLiteral.text(bad, for: .int64) == nil, "\(bad)")
        }
    }
}
