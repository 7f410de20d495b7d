internal import CSQLite
internal import SluiceCore
internal import SluiceRecords

/// Inserts records into one table with one compiled statement. Belongs to the writer.
final class SQLiteLoader {
    private let plan: TablePlan
    private let hidesKeys: Bool
    private let connection: SQLiteConnection
    private let statement: SQLiteStatement
    private var binder: SQLiteBinder

    init(
        _ plan: TablePlan, hidesKeys: Bool, on connection: SQLiteConnection
    ) throws(Failure) {
        self.plan = plan
        self.hidesKeys = hidesKeys
        self.connection = connection
        let table = plan.table.table
        let facts = try SQLiteTableFacts(table, on: connection)
        var names: [String] = []
        var bindings: [SQLiteBinding] = []
        for field in plan.schema.fields {
            if field.isRowid {
                guard let rowid = facts.rowidName else {
                    throw Failure(
                        .refused, "table \(table) has no rowid to keep those of the dataset in")
                }
                names.append(rowid)
                bindings.append(SQLiteBinding(field, affinity: .integer, isRowid: true))
                continue
            }
            guard let column = facts.column(field.name) else {
                throw Failure(.refused, "table \(table) has no column \(field.name)")
            }
            names.append(column.name.quoted)
            bindings.append(
                SQLiteBinding(
                    field, affinity: facts.affinity(of: column),
                    isRowid: facts.alias == column.name))
        }
        // A constraint of the table may say ON CONFLICT IGNORE or REPLACE, which would lose rows:
        // ABORT overrides it.
        statement = try connection.prepare(
            "INSERT OR ABORT INTO \(table.quoted)(\(names.joined(separator: ", "))) VALUES("
                + names.indices.map { "?\($0 + 1)" }.joined(separator: ", ") + ")")
        binder = SQLiteBinder(
            bindings, names: plan.schema.fields.map(\.name),
            encoding: try connection.encoding())
    }

    /// Inserts every record of the batch.
    ///
    /// - Parameter firstRow: its first record's number in its shard, counted from 1.
    func insert(_ batch: borrowing Batch, firstRow: Int) throws(Failure) {
        let handle = statement.handle
        let before = sqlite3_total_changes64(connection.handle)
        var cursor = RecordCursor(batch.bytes.bytes)
        var row = firstRow
        while !cursor.isAtEnd {
            let start = cursor.position
            do throws(Failure) {
                try binder.bind(&cursor, to: handle)
            } catch {
                sqlite3_reset(handle)
                throw error.during(place(of: row, from: start, in: batch))
            }
            let code = sqlite3_step(handle)
            guard code == SQLITE_DONE else {
                let failure = explained(code)
                sqlite3_reset(handle)
                throw failure.during(place(of: row, from: start, in: batch))
            }
            sqlite3_reset(handle)
            row &+= 1
        }
        let inserted = Int(sqlite3_total_changes64(connection.handle) - before)
        guard row - firstRow == batch.rowCount, inserted == batch.rowCount else {
            throw Failure(
                .bug,
                "\(inserted) rows of a batch of \(batch.rowCount) were inserted into \(plan.table)")
        }
    }

    private func explained(_ code: Int32) -> Failure {
        let failure = connection.failure(code)
        switch code {
        case SQLITE_CONSTRAINT | 6 << 8, SQLITE_CONSTRAINT | 8 << 8, SQLITE_CONSTRAINT | 10 << 8:
            return failure.hinting(
                "Two rows have the same key; was the table empty before the load?")
        case SQLITE_CONSTRAINT | 1 << 8, SQLITE_CONSTRAINT | 5 << 8:
            return failure.hinting(
                "The target's constraint is stricter than the source; drop it, or leave the table out."
            )
        case SQLITE_CONSTRAINT | 12 << 8:
            return failure.hinting(
                "The target's table is STRICT; make the column ANY, or leave the table out.")
        default: return failure
        }
    }

    /// `loading row 17 (id = 7) of orders`.
    private func place(of row: Int, from start: Int, in batch: borrowing Batch) -> String {
        var cursor = RecordCursor(UnsafeRawBufferPointer(rebasing: batch.bytes.bytes[start...]))
        let key = hidesKeys ? nil : SQLiteKeyText.key(of: plan, at: &cursor)
        return "loading row \(row)\(key.map { " (\($0))" } ?? "") of \(plan.table)"
    }
}

/// A row's key as messages show it.
enum SQLiteKeyText {
    /// Longer values are cut.
    private static let byteLimit = 80

    /// `id = 7`, or nothing where the table has no key or the record cannot be read.
    static func key(of plan: TablePlan, at cursor: inout RecordCursor) -> String? {
        var parts: [String] = []
        let key = Set(plan.definition.primaryKey)
        for field in plan.schema.fields {
            guard let value = try? value(of: field, at: &cursor) else { return nil }
            if key.contains(field.name) && !field.isRowid || key.isEmpty && field.isRowid {
                parts.append("\(field.isRowid ? "rowid" : field.name.text) = \(value)")
            }
        }
        return parts.isEmpty ? nil : parts.joined(separator: ", ")
    }

    private static func value(
        of field: Field, at cursor: inout RecordCursor
    ) throws(Failure) -> String {
        if field.isNullable, field.type != .any, try cursor.isNull() { return "NULL" }
        switch field.type {
        case .boolean: return try cursor.boolean() ? "1" : "0"
        case .int32, .int64: return String(try cursor.long())
        case .float32: return String(try cursor.float())
        case .float64: return String(try cursor.double())
        case .bytes: return blob(try cursor.bytes())
        case .any: return try anyValue(at: &cursor)
        case .text, .numberText, .uuid, .json, .enumeration, .set, .bitString, .serverText:
            return text(try cursor.bytes())
        case .uint64, .decimal, .date, .time, .timestamp, .localTimestamp:
            return try madeText(field.type, at: &cursor)
        }
    }

    private static func madeText(
        _ type: ColumnType, at cursor: inout RecordCursor
    ) throws(Failure) -> String {
        var output = ByteBuffer()
        switch type {
        case .decimal(_, let scale):
            DecimalText.append(try cursor.unscaled(), scale: scale, to: &output)
        case .uint64: DecimalText.append(try cursor.unscaled(), scale: 0, to: &output)
        case .date:
            CalendarText.append(date: Int32(clamping: try cursor.long()), to: &output)
        case .time: CalendarText.append(time: try cursor.long(), to: &output)
        default:
            CalendarText.append(
                timestamp: try cursor.long(), isUTC: type == .timestamp, to: &output)
        }
        return text(output.bytes)
    }

    private static func anyValue(at cursor: inout RecordCursor) throws(Failure) -> String {
        switch try cursor.anyBranch() {
        case .null: return "NULL"
        case .long: return String(try cursor.long())
        case .double: return String(try cursor.double())
        case .string: return text(try cursor.bytes())
        case .bytes, .invalidText: return blob(try cursor.bytes())
        }
    }

    private static func text(_ bytes: UnsafeRawBufferPointer) -> String {
        let cut = bytes.prefix(byteLimit)
        return "'" + String(decoding: cut, as: UTF8.self) + (bytes.count > byteLimit ? "…'" : "'")
    }

    private static func blob(_ bytes: UnsafeRawBufferPointer) -> String {
        let cut = bytes.prefix(byteLimit / 2)
        return "x'" + Hexadecimal.string(cut) + (bytes.count > byteLimit / 2 ? "…'" : "'")
    }
}
