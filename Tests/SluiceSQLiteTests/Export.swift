import SluiceCore
import SluiceRecords

@testable import SluiceSQLite

/// One table as an export sees it.
struct ExportedTable {
    var plan: TablePlan
    /// Each chunk's rows, decoded.
    var chunks: [[[SQLiteValue]]]
    var digest: Digest

    var rows: [[SQLiteValue]] { chunks.flatMap { $0 } }
    var types: [ColumnType] { plan.schema.fields.map(\.type) }
}

/// What one export of a file saw.
struct Exported {
    var catalog: Catalog
    var tables: [Name: ExportedTable]

    /// Reads the whole file under one snapshot, chunk by chunk.
    init(
        _ path: String, chunkBytes: Int = 1 << 20, chunkLimit: Int = 10_000,
        filters: [Name: String] = [:], rowByteLimit: Int = 256 << 20,
        consistency: Consistency = .snapshot, hidesKeys: Bool = false
    ) throws {
        let source = SQLiteSource(path: path, busyLimit: .milliseconds(200))
        let snapshot = try source.openSnapshot(consistency, lanes: 1, stop: StopSignal())
        catalog = try snapshot.catalog()
        tables = [:]
        let session = try snapshot.openSession()
        for table in catalog.tables {
            let options = PlanOptions(
                chunkBytes: chunkBytes, chunkLimit: chunkLimit, filter: filters[table.name.table])
            let plan = try session.plan(table, options)
            var exported = ExportedTable(plan: plan, chunks: [], digest: .empty)
            for chunk in plan.chunks {
                try session.open(chunk, of: plan, hidesKeys: hidesKeys)
                var batch = Batch(fieldCount: plan.schema.fields.count, rowByteLimit: rowByteLimit)
                while try session.fill(&batch, byteGoal: batch.bytes.count + 64) {}
                let counted = try session.countRows(in: chunk, of: plan)
                guard counted == batch.rowCount else {
                    throw Failure(.bug, "\(counted) rows counted, \(batch.rowCount) read")
                }
                exported.digest += batch.digest
                exported.chunks.append(try decode(batch.bytes.bytes, plan.schema))
            }
            guard try session.countRows(of: plan) == exported.digest.rowCount else {
                throw Failure(.bug, "the table's count differs")
            }
            tables[table.name.table] = exported
        }
        session.close()
        try snapshot.close()
    }

    subscript(_ table: Name) -> ExportedTable {
        get throws {
            guard let table = tables[table] else { throw Failure(.bug, "no table \(table)") }
            return table
        }
    }
}

/// Records as rows, by their schema; every record is checked, too.
func decode(_ bytes: UnsafeRawBufferPointer, _ schema: RecordSchema) throws -> [[SQLiteValue]] {
    var checker = RecordCursor(bytes)
    var reserved = Array(repeating: 0, count: schema.fields.count)
    let validator = RecordValidator(schema)
    while !checker.isAtEnd { try validator.check(&checker, reserved: &reserved) }
    var cursor = RecordCursor(bytes)
    var rows: [[SQLiteValue]] = []
    while !cursor.isAtEnd {
        var row: [SQLiteValue] = []
        for field in schema.fields { row.append(try decode(&cursor, field)) }
        rows.append(row)
    }
    return rows
}

private func decode(_ cursor: inout RecordCursor, _ field: Field) throws -> SQLiteValue {
    if field.type != .any, field.isNullable, try cursor.isNull() { return .null }
    switch field.type {
    case .int64: return .integer(try cursor.long())
    case .float64: return .real(try cursor.double())
    case .text: return .text([UInt8](try cursor.bytes()))
    case .bytes: return .blob([UInt8](try cursor.bytes()))
    case .any:
        switch try cursor.anyBranch() {
        case .null: return .null
        case .long: return .integer(try cursor.long())
        case .double: return .real(try cursor.double())
        case .string, .invalidText: return .text([UInt8](try cursor.bytes()))
        case .bytes: return .blob([UInt8](try cursor.bytes()))
        }
    default: throw Failure(.bug, "no such type in SQLite")
    }
}

/// What a SELECT gives, value by value.
func query(_ path: String, _ sql: String) throws -> [[SQLiteValue]] {
    let connection = try SQLiteConnection(path, .read, stop: StopSignal())
    let statement = try connection.prepare(sql)
    var rows: [[SQLiteValue]] = []
    while try statement.step() {
        rows.append((0..<statement.columnCount).map { statement.value($0) })
    }
    return rows
}

extension SQLiteValue {
    static func text(_ text: String) -> SQLiteValue { .text(Array(text.utf8)) }
}
