import SluiceCore
import SluiceRecords
import TestSupport
import Testing

@testable import SluiceSQLite

@Suite("Names and types that a user wants of SQLite")
struct SQLiteOverridesTests {
    private let path: String
    private let folder: ScratchFolder

    init() throws {
        folder = try ScratchFolder()
        path = folder.path("a.db")
        try Shell.sqlite(path, "CREATE TABLE t(c INTEGER); CREATE TABLE u(c INTEGER, d INTEGER)")
    }

    private func plan(
        _ name: Name, _ columns: [Name], _ type: ColumnType = .int64, as wanted: String? = nil
    ) -> TablePlan {
        TablePlan(
            schema: RecordSchema(
                table: TableName(name),
                fields: columns.map {
                    Field(
                        name: $0, avroName: "c", type: type, isNullable: true,
                        targetDeclaration: wanted)
                }),
            definition: TableDefinition(
                columns: columns.map { TableDefinition.Column(name: $0) }),
            chunks: [Chunk(number: 0)])
    }

    private func survey(_ tables: [TablePlan], _ onExisting: OnExisting) throws -> TargetSurvey {
        try SQLiteTarget(path: path).survey(
            LoadRequest(
                dataset: "d1", tables: tables, trustedSchema: nil, onExisting: onExisting,
                sourceEngine: "postgres"))
    }

    @Test("are refused where only case tells them apart")
    func letters() throws {
        #expect(
            try survey([plan("v", ["c", "C"])], .refuse).conflicts == [
                "columns c and C of table v would be one in SQLite"
            ])
        #expect(
            try survey([plan("t", ["c", "C"])], .use).conflicts == [
                "columns c and C of table t would be one in SQLite"
            ])
        #expect(
            try survey([plan("t", ["c"]), plan("T", ["c"])], .use).conflicts == [
                "tables t and T would be one in SQLite"
            ])
        #expect(try survey([plan("t", ["c"]), plan("u", ["c", "d"])], .use).conflicts == [])
    }

    @Test("are declared as wanted, or refused by name where values would be changed")
    func types() throws {
        let start = "column a of table v is to be declared"
        func conflicts(_ type: ColumnType, _ wanted: String) throws -> [String] {
            try survey([plan("v", ["a"], type, as: wanted)], .refuse).conflicts
        }
        #expect(try conflicts(.text, "varchar(20)") == [])
        #expect(try conflicts(.decimal(precision: 9, scale: 2), "TEXT") == [])
        #expect(
            try conflicts(.decimal(precision: 9, scale: 2), "decimal(9,2)") == [
                "\(start) decimal(9,2), which would change values of type decimal(9,2)"
            ])
        #expect(
            try conflicts(.text, "text); DROP TABLE t") == [
                "\(start) text); DROP TABLE t, which is no type for SQLite"
            ])
        let field = Field(
            name: "a", avroName: "a", type: .int64, isNullable: true, declared: "bigint",
            targetDeclaration: "NUMBER(5)")
        #expect(SQLiteMapping.declaration(for: field, isSameEngine: false) == "NUMBER(5)")
    }
}
