import SluiceCore
import SluiceRecords
import TestSupport
import Testing

@testable import SluicePostgres

/// A target with one table `t`, made from its definition or there already.
struct PostgresLoadingTable: LoadingTable {
    let database: PostgresDatabase
    let plan: TablePlan
    let request: LoadRequest
    let target: PostgresTarget
    let session: any TargetSession
    let warnings: [String]

    init(
        _ fields: [(Name, ColumnType, Bool)], key: [Name] = [], existing: String? = nil,
        onExisting: OnExisting? = nil, hidesKeys: Bool = false
    ) throws {
        database = try PostgresDatabase()
        let fields = fields.map {
            Field(
                name: $0.0, avroName: $0.0.text, type: $0.1, isNullable: $0.2,
                isRowid: $0.0 == "rowid")
        }
        plan = TablePlan(
            schema: RecordSchema(table: TableName(schema: "public", "t"), fields: fields),
            definition: TableDefinition(
                columns: fields.map {
                    TableDefinition.Column(name: $0.name, isNullable: $0.isNullable)
                }, primaryKey: key), chunks: [Chunk(number: 0)])
        request = LoadRequest(
            dataset: "d1", tables: [plan], trustedSchema: nil,
            onExisting: onExisting ?? (existing == nil ? .refuse : .use), sourceEngine: "sqlite",
            hidesKeys: hidesKeys)
        if let existing { try database.sql(existing) }
        target = try PostgresTarget(url: database.url, shown: "postgres://test")
        let survey = try target.survey(request)
        warnings = survey.warnings
        try #require(survey.conflicts == [])
        session = try target.openSession(request, stop: StopSignal())
        try session.prepare()
        for step in survey.steps { try session.perform(step) }
        try session.begin([plan])
    }

    /// Rows and units that are there.
    func content() throws -> String {
        try database.sql(
            "SELECT count(*) FROM t; SELECT unit FROM sluice.sluice_ledger ORDER BY unit")
    }
}
