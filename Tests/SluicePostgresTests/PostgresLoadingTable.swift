import SluiceCore
import SluiceRecords
import TestSupport
import Testing

@testable import SluicePostgres

/// Records out of a list of byte strings, or a failure at their end.
final class ListedRecords: RecordSource {
    private let records: [[UInt8]]
    private let failure: Failure?
    private var place = 0

    init(_ records: [[UInt8]], failingWith failure: Failure? = nil) {
        self.records = records
        self.failure = failure
    }

    func fill(_ batch: inout Batch, byteGoal: Int) throws(Failure) -> Bool {
        while place < records.count, batch.bytes.count < byteGoal {
            batch.bytes.append(records[place])
            batch.endRecord()
            place += 1
        }
        if place == records.count, let failure { throw failure }
        return place < records.count
    }

    static func digest(_ records: [[UInt8]]) -> Digest {
        var digest = Digest.empty
        for record in records { record.withUnsafeBytes { digest.add($0) } }
        return digest
    }
}

/// One record, field by field.
func record(_ write: (inout ByteBuffer) -> Void) -> [UInt8] {
    var buffer = ByteBuffer()
    write(&buffer)
    return buffer.array()
}

func text(_ text: String, into buffer: inout ByteBuffer) {
    Array(text.utf8).withUnsafeBytes { buffer.appendBytes($0) }
}

/// A target with one table `t`, made from its definition or there already.
struct PostgresLoadingTable {
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

    @discardableResult
    func load(_ records: [[UInt8]], as unit: String = "s1") throws -> LoadOutcome {
        try session.load(
            unit, of: plan, from: ListedRecords(records),
            expecting: ListedRecords.digest(records))
    }

    func failure(_ records: [[UInt8]]) -> String? {
        TestSupport.failure(of: { try load(records) })?.description
    }

    /// Rows and units that are there.
    func content() throws -> String {
        try database.sql(
            "SELECT count(*) FROM t; SELECT unit FROM sluice.sluice_ledger ORDER BY unit")
    }

    /// What the table has, and what of it does not fit.
    func readBack() throws -> (digest: Digest, misfits: [String]) {
        var digest = Digest.empty
        var misfits: [String] = []
        for slice in try session.slices(of: plan, atMost: 2) {
            let records = try session.readBack(slice, of: plan)
            var batch = Batch(fieldCount: plan.schema.fields.count)
            var hasMore = true
            while hasMore {
                batch.removeAll()
                hasMore = try records.fill(&batch, byteGoal: 1 << 16)
                digest += batch.digest
                misfits += batch.misfits.map { "\($0.row): \($0.column) holds \($0.what)" }
            }
        }
        return (digest, misfits)
    }
}
