import SluiceCore
import SluiceRecords
import TestSupport
import Testing

@testable import SluiceMySQL

/// How rows go in.
enum MySQLLoadingWay: CaseIterable {
    case lines
    case arrays
    case rows
}

/// A target with one table `t`, made from its definition or there already.
struct MySQLLoadingTable: LoadingTable {
    let database: MariaDBDatabase
    let plan: TablePlan
    let request: LoadRequest
    let target: MySQLTarget
    let session: any TargetSession
    let warnings: [String]

    init(
        _ fields: [(Name, ColumnType, Bool)], key: [Name] = [], existing: String? = nil,
        sourceEngine: String = "sqlite", declared: [Name: String] = [:], hidesKeys: Bool = false
    ) throws {
        database = try MariaDBDatabase()
        let fields = fields.map {
            Field(
                name: $0.0, avroName: $0.0.text, type: $0.1, isNullable: $0.2,
                declared: declared[$0.0] ?? "", isRowid: $0.0 == "rowid")
        }
        plan = TablePlan(
            schema: RecordSchema(table: TableName("t"), fields: fields),
            definition: TableDefinition(
                columns: fields.filter { !$0.isRowid }.map {
                    TableDefinition.Column(
                        name: $0.name, declared: $0.declared, isNullable: $0.isNullable)
                }, primaryKey: key), chunks: [Chunk(number: 0)])
        request = LoadRequest(
            dataset: "d1", tables: [plan], trustedSchema: nil,
            onExisting: existing == nil ? .refuse : .use, sourceEngine: sourceEngine,
            hidesKeys: hidesKeys)
        if let existing { try database.sql(existing) }
        target = try MySQLTarget(url: database.url, shown: "mysql://test")
        let survey = try target.survey(request)
        warnings = survey.warnings
        try #require(survey.conflicts == [])
        session = try target.openSession(request, stop: StopSignal())
        try session.prepare()
        for step in survey.steps { try session.perform(step) }
        try session.begin([plan])
    }

    /// Has rows go in another way than the server would have it.
    func use(_ way: MySQLLoadingWay) throws {
        let session = try #require(session as? MySQLTargetSession)
        session.takesLines = way == .lines
        session.takesArrays = way == .arrays
    }

    /// How many rows there are, and the ledger's units.
    func content() throws -> String {
        try database.sql("SELECT COUNT(*) FROM t; SELECT unit FROM sluice_ledger ORDER BY unit")
    }
}

/// Records with a number and one value of a type each, the last of them NULL.
func records(of values: [(inout ByteBuffer) -> Void], isNullable: Bool = true) -> [[UInt8]] {
    let rows: [[UInt8]] = values.enumerated().map { number, write in
        record { buffer in
            buffer.appendLong(Int64(number))
            if isNullable { buffer.appendNotNull() }
            write(&buffer)
        }
    }
    guard isNullable else { return rows }
    return rows + [
        record { buffer in
            buffer.appendLong(Int64(values.count))
            buffer.appendNull()
        }
    ]
}

func longs(_ values: Int64...) -> [(inout ByteBuffer) -> Void] {
    values.map { value in { $0.appendLong(value) } }
}

func texts(_ values: String...) -> [(inout ByteBuffer) -> Void] {
    values.map { value in { text(value, into: &$0) } }
}

func numbers(_ values: Int128...) -> [(inout ByteBuffer) -> Void] {
    values.map { value in { $0.appendUnscaled(value) } }
}

func bytes(_ values: [UInt8]...) -> [(inout ByteBuffer) -> Void] {
    values.map { value in { buffer in value.withUnsafeBytes { buffer.appendBytes($0) } } }
}
