public import SluiceCore
public import SluiceRecords

/// One table as an export sees it.
public struct ExportedTable {
    public var plan: TablePlan
    /// Each chunk's rows as lines of CSV.
    public var chunks: [[String]]
    public var reserved: [Int]

    public var lines: [String] { chunks.flatMap { $0 } }
    public var types: [String] { plan.schema.fields.map(\.type.description) }

    /// Reads every chunk through a lane, a row or a few at a time, and lets the server count them.
    public init(
        _ plan: TablePlan, through session: any SourceSession, rowByteLimit: Int = 256 << 20,
        hidesKeys: Bool = false
    ) throws {
        self.plan = plan
        chunks = []
        reserved = Array(repeating: 0, count: plan.schema.fields.count)
        guard Chunk.coverAll(plan.chunks) else { throw Failure(.bug, "a gap") }
        for chunk in plan.chunks {
            try session.open(chunk, of: plan, hidesKeys: hidesKeys)
            var batch = Batch(fieldCount: plan.schema.fields.count, rowByteLimit: rowByteLimit)
            while try session.fill(&batch, byteGoal: batch.bytes.count + 64) {}
            guard try session.countRows(in: chunk, of: plan) == batch.rowCount else {
                throw Failure(.bug, "the server counts other rows in the chunk")
            }
            for place in reserved.indices { reserved[place] += batch.reserved[place] }
            chunks.append(try csv(batch, plan.schema))
        }
        guard try session.countRows(of: plan) == lines.count else {
            throw Failure(.bug, "the server counts other rows in the table")
        }
    }
}

/// What an export of a database sees through one lane.
public struct Exported {
    private var tables: [String: ExportedTable] = [:]

    /// - Parameter plan: a table's plan; nothing: as the session makes it.
    public init(
        _ snapshot: any Snapshot, of names: [TableName], _ options: PlanOptions,
        rowByteLimit: Int = 256 << 20, hidesKeys: Bool = false,
        plan: ((any SourceSession, SourceTable) throws -> TablePlan)? = nil
    ) throws {
        let session = try snapshot.openSession()
        defer { session.close() }
        for name in names {
            let table = SourceTable(name: name, estimatedRows: 0, estimatedBytes: 0)
            tables[name.table.text] = try ExportedTable(
                try plan?(session, table) ?? session.plan(table, options), through: session,
                rowByteLimit: rowByteLimit, hidesKeys: hidesKeys)
        }
    }

    public subscript(_ name: String) -> ExportedTable {
        get throws {
            guard let table = tables[name] else { throw Failure(.bug, "no table \(name)") }
            return table
        }
    }
}

/// The records as CSV, a line each, after a check that they are well-formed.
public func csv(_ batch: borrowing Batch, _ schema: RecordSchema) throws -> [String] {
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
