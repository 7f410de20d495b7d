internal import CSQLite
internal import SluiceCore
internal import SluiceRecords

/// Tries records in a table like the target's, in a database that only memory holds: SQLite itself
/// judges, through the loader that would load them.
final class SQLiteValueCheck: ValueCheck {
    private let request: LoadRequest
    /// Nothing where there is no file yet.
    private let file: SQLiteConnection?
    private let stop: StopSignal
    private let plan: SQLiteSchemaPlan
    /// Nothing where the table is one of SQLite's own, which takes everything.
    private var trial: Trial?
    private var keys: [SQLiteLooseKey] = []
    private(set) var omissions: [String] = []

    private struct Trial {
        let memory: SQLiteConnection
        let loader: SQLiteLoader
        let validator: RecordValidator
        let fields: [Field]
        /// As messages of SQLite's begin, so that a column is found in them.
        let columns: [String]
    }

    init(_ request: LoadRequest, _ file: SQLiteConnection?, stop: StopSignal) {
        self.request = request
        self.file = file
        self.stop = stop
        plan = SQLiteSchemaPlan(request)
    }

    var looseKeys: [LooseKey] { keys.map(\.key) }

    func open(_ table: TablePlan) throws(Failure) {
        trial = nil
        keys = []
        omissions = []
        guard let sql = try definition(of: table.table.table) else { return }
        let memory = try SQLiteConnection(":memory:", .memory, stop: stop)
        try memory.execute("PRAGMA encoding = '\(try encoding().rawValue)'")
        try SQLiteWriter.arrange(memory, for: request)
        try SQLiteSchemaStatement.run(sql, .table, table.table.table, on: memory)
        let fields = table.schema.fields
        trial = Trial(
            memory: memory,
            loader: try SQLiteLoader(table, hidesKeys: true, on: memory),
            validator: RecordValidator(table.schema), fields: fields,
            columns: fields.map { "column \($0.name) cannot " })
        switch request.onExisting {
        case .refuse, .replace: break
        case .use, .truncate:
            guard let file else { return }
            (keys, omissions) = try SQLiteLooseKey.all(of: table, on: file)
        }
    }

    /// What makes the table: its own SQL where it is there and stays.
    private func definition(of name: Name) throws(Failure) -> String? {
        switch request.onExisting {
        case .refuse, .replace:
            for item in plan.items {
                if case .make(.table, let made, let sql) = item.action,
                    made.folded == name.folded
                {
                    return sql
                }
            }
            return nil
        case .use, .truncate:
            guard let file, !name.folded.utf8.starts(with: "sqlite_".utf8) else { return nil }
            return try SQLiteSchemaEntry.find(name, like: .table, on: file)?.sql
        }
    }

    private func encoding() throws(Failure) -> SQLiteEncoding {
        if let file, try file.integer("PRAGMA page_count") != 0 { return try file.encoding() }
        return request.trustedSchema.flatMap { SQLiteSettings($0.settings) }?.encoding ?? .utf8
    }

    func look(at batch: borrowing Batch, report: (ValueMisfit) -> Void) throws(Failure) {
        guard let trial else { return }
        try trial.memory.execute("BEGIN")
        do throws(Failure) {
            try look(at: batch, in: trial, report: report)
        } catch {
            _ = try? trial.memory.execute("ROLLBACK")
            throw error
        }
        try trial.memory.execute("ROLLBACK")
    }

    private func look(
        at batch: borrowing Batch, in trial: Trial, report: (ValueMisfit) -> Void
    ) throws(Failure) {
        var reserved = [Int](repeating: 0, count: trial.fields.count)
        var cursor = RecordCursor(batch.bytes.bytes)
        for row in 0..<batch.rowCount {
            let start = cursor.position
            try trial.validator.check(&cursor, reserved: &reserved)
            let record = cursor.read(since: start)
            guard var refusal = try trial.loader.insert(record) else { continue }
            if SQLiteValueCheck.isDuplicate(refusal.code) {
                // Keys are looked at by their folds; here each row stands alone.
                try trial.memory.execute("ROLLBACK; BEGIN")
                guard let again = try trial.loader.insert(record) else { continue }
                refusal = again
            }
            report(
                ValueMisfit(
                    row: row, start: start, field: column(of: refusal.failure, in: trial),
                    failure: refusal.failure))
        }
    }

    /// UNIQUE, PRIMARY KEY and rowid.
    private static func isDuplicate(_ code: Int32) -> Bool {
        [6, 8, 10].contains(code >> 8) && code & 0xFF == SQLITE_CONSTRAINT
    }

    /// The column that a message names; nothing where it is about the row.
    private func column(of failure: Failure, in trial: Trial) -> Int? {
        let named = trial.columns.indices.filter { failure.message.hasPrefix(trial.columns[$0]) }
        if let longest = named.max(by: {
            trial.columns[$0].utf8.count < trial.columns[$1].utf8.count
        }) {
            return longest
        }
        // `NOT NULL constraint failed: orders.day`, `cannot store TEXT value in INTEGER column
        // orders.day`.
        return trial.fields.firstIndex { failure.message.hasSuffix(".\($0.name)") }
    }

    func fold(
        _ batch: borrowing Batch, by key: Int, into folds: inout KeyFolds
    ) throws(Failure) {
        try keys[key].fold(batch, into: &folds)
    }

    func close() {
        trial = nil
        file?.close()
    }
}
