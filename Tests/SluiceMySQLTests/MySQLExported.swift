import SluiceCore
import SluiceRecords
import TestSupport

@testable import SluiceMySQL

/// Servers ask for a password, which the option file below `MYSQL_HOME` holds.
func open(_ url: String, stop: StopSignal = StopSignal()) throws -> MySQLConnection {
    try MySQLConnection(try MySQLAddress(url: url, shown: "mysql://test"), stop: stop)
}

func source(_ url: String) throws -> MySQLSource {
    try MySQLSource(url: url, shown: "mysql://test")
}

/// One table as an export sees it.
struct MySQLExportedTable {
    var plan: TablePlan
    /// Each chunk's rows as lines of CSV.
    var chunks: [[String]]
    var reserved: [Int]

    var lines: [String] { chunks.flatMap { $0 } }
    var types: [String] { plan.schema.fields.map(\.type.description) }
}

/// What an export of a database sees through one lane.
struct MySQLExported {
    var tables: [String: MySQLExportedTable] = [:]

    /// - Parameter chunkRows: nothing: as the statistics have it.
    init(
        _ snapshot: any Snapshot, of names: [String], chunkRows: Int? = nil,
        chunkLimit: Int = 10_000, filter: String? = nil, rowByteLimit: Int = 256 << 20,
        hidesKeys: Bool = false
    ) throws {
        let session = try snapshot.openSession()
        defer { session.close() }
        for name in names {
            let table = SourceTable(
                name: TableName(Name(name)), estimatedRows: 0, estimatedBytes: 0)
            let options = PlanOptions(
                chunkBytes: 1 << 30, chunkLimit: chunkLimit, filter: filter)
            var plan = try session.plan(table, options)
            if let chunkRows, let own = session as? MySQLSession {
                plan = try own.plan(table, options, chunkRows: chunkRows)
            }
            guard Chunk.coverAll(plan.chunks) else { throw Failure(.bug, "a gap") }
            var exported = MySQLExportedTable(
                plan: plan, chunks: [],
                reserved: Array(repeating: 0, count: plan.schema.fields.count))
            for chunk in plan.chunks {
                try session.open(chunk, of: plan, hidesKeys: hidesKeys)
                var batch = Batch(
                    fieldCount: plan.schema.fields.count, rowByteLimit: rowByteLimit)
                while try session.fill(&batch, byteGoal: batch.bytes.count + 64) {}
                guard try session.countRows(in: chunk, of: plan) == batch.rowCount else {
                    throw Failure(.bug, "the server counts other rows in the chunk")
                }
                for place in exported.reserved.indices {
                    exported.reserved[place] += batch.reserved[place]
                }
                exported.chunks.append(try csv(batch, plan.schema))
            }
            guard try session.countRows(of: plan) == exported.lines.count else {
                throw Failure(.bug, "the server counts other rows in the table")
            }
            tables[name] = exported
        }
    }

    subscript(_ name: String) -> MySQLExportedTable {
        get throws {
            guard let table = tables[name] else { throw Failure(.bug, "no table \(name)") }
            return table
        }
    }
}

/// The records as CSV, a line each, after a check that they are well-formed.
func csv(_ batch: borrowing Batch, _ schema: RecordSchema) throws -> [String] {
    var cursor = RecordCursor(batch.bytes.bytes)
    var reserved = Array(repeating: 0, count: schema.fields.count)
    let validator = RecordValidator(schema)
    for _ in 0..<batch.rowCount { try validator.check(&cursor, reserved: &reserved) }
    for place in reserved.indices where reserved[place] != batch.reserved[place] {
        throw Failure(.bug, "reserved values were counted wrongly")
    }
    let writer = ShardWriter(schema: schema, format: ShardFormat(.csv, .none))
    let shard = ShardBytes()
    try writer.begin(shard)
    try writer.append(batch)
    _ = try writer.finish()
    let text = String(decoding: shard.buffer.bytes, as: UTF8.self)
    return text.split(separator: "\n", omittingEmptySubsequences: false).dropFirst().dropLast()
        .map(String.init)
}
