internal import CSQLite
internal import SluiceCore
internal import SluiceRecords

/// Inserts records into one table with one compiled statement. Belongs to the writer.
final class SQLiteLoader {
    private let plan: TablePlan
    /// Nothing where messages must not show keys.
    private let names: RowName?
    private let connection: SQLiteConnection
    private let statement: SQLiteStatement
    private var binder: SQLiteBinder

    init(
        _ plan: TablePlan, hidesKeys: Bool, on connection: SQLiteConnection
    ) throws(Failure) {
        self.plan = plan
        names = hidesKeys ? nil : RowName(plan)
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
                let failure = error.refusesRow ? error.refusing(row: row) : error
                throw failure.during(place(of: row, from: start, in: batch))
            }
            let code = sqlite3_step(handle)
            guard code == SQLITE_DONE else {
                let failure = explained(code)
                sqlite3_reset(handle)
                throw
                    (SQLiteLoader.isRowRefused(code) ? failure.refusing(row: row) : failure)
                    .during(place(of: row, from: start, in: batch))
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

    /// Inserts one record; why it is refused, where it is.
    func insert(_ record: UnsafeRawBufferPointer) throws(Failure) -> (
        failure: Failure, code: Int32
    )? {
        let handle = statement.handle
        var cursor = RecordCursor(record)
        defer { sqlite3_reset(handle) }
        do throws(Failure) {
            try binder.bind(&cursor, to: handle)
        } catch {
            guard error.refusesRow else { throw error }
            return (error, SQLITE_OK)
        }
        let code = sqlite3_step(handle)
        guard code != SQLITE_DONE else { return nil }
        guard SQLiteLoader.isRowRefused(code) else { throw explained(code) }
        return (explained(code), code)
    }

    /// Whether the code is about a row's values, so that others may be taken without it.
    private static func isRowRefused(_ code: Int32) -> Bool {
        [SQLITE_CONSTRAINT, SQLITE_MISMATCH, SQLITE_TOOBIG].contains(code & 0xFF)
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
        let record = UnsafeRawBufferPointer(rebasing: batch.bytes.bytes[start...])
        // What made the row fail may be that its record cannot be read.
        let name = try? names?.text(of: record)
        return "loading row \(row)\(name.map { " (\($0))" } ?? "") of \(plan.table)"
    }
}
