internal import SluiceCore
internal import SluiceRecords

/// A lane's transaction on the snapshot that the locking session exported.
final class PostgresSession: SourceSession {
    private let address: PostgresAddress
    private let snapshot: String
    private let catalog: PostgresCatalog
    private let stop: StopSignal
    private var connection: PostgresConnection
    private var reader: PostgresReader?
    private var readChunk: (TableName, Chunk)?
    /// Whose locks the transaction holds beside the locker's.
    private var touched: Set<TableName> = []

    /// A server has room for so many locks and no more; the locker's are those that matter.
    private static let touchedLimit = 100

    /// How long a lane waits for a table that another session wants for itself alone. That session
    /// waits for the export, so this would never end.
    private static let lockLimit = "10s"

    init(
        _ address: PostgresAddress, snapshot: String, _ catalog: PostgresCatalog, stop: StopSignal
    ) throws(Failure) {
        self.address = address
        self.snapshot = snapshot
        self.catalog = catalog
        self.stop = stop
        connection = try PostgresConnection(address, stop: stop)
        try begin()
    }

    private func begin() throws(Failure) {
        try connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        do throws(Failure) {
            try connection.execute(
                "SET TRANSACTION SNAPSHOT \(PostgresQuoting.literal(snapshot))")
        } catch  where error.code == "22023" || error.code == "42704" {
            throw Failure(
                .failed, "the snapshot on \(address.place) is gone: its session was ended",
                code: error.code,
                hint: "Look for who ended it, then run the same command again. A pooler between "
                    + "sluice and the server must keep sessions apart.")
        }
        // As it is, so that what is not UTF-8 can be named; the server would end the statement.
        if catalog.takesAnyBytes {
            try connection.execute("SET LOCAL client_encoding = 'SQL_ASCII'")
        }
        try connection.execute("SET LOCAL lock_timeout = '\(PostgresSession.lockLimit)'")
    }

    /// After a failure the transaction, or the whole session, is of no more use.
    private func makeReady() throws(Failure) {
        reader?.close()
        reader = nil
        if connection.isOpen, connection.isInTransaction,
            touched.count <= PostgresSession.touchedLimit
        {
            return
        }
        touched = []
        if connection.isOpen {
            try connection.execute("ROLLBACK")
        } else {
            connection.close()
            connection = try PostgresConnection(address, stop: stop)
        }
        try begin()
    }

    func plan(_ source: SourceTable, _ options: PlanOptions) throws(Failure) -> TablePlan {
        let table = try table(source.name)
        if let filter = options.filter { try check(filter, table) }
        let key = table.hasBlockRanges ? nil : PostgresKey(of: table)
        return TablePlan(
            schema: table.schema, definition: table.definition,
            chunks: try chunks(of: table, by: key, options), filter: options.filter,
            estimatedRows: source.estimatedRows, estimatedBytes: source.estimatedBytes,
            details: ["key": key.map { .array($0.names.map { .string($0.text) }) } ?? .null])
    }

    private func chunks(
        of table: PostgresTable, by key: PostgresKey?, _ options: PlanOptions
    ) throws(Failure) -> [Chunk] {
        if table.hasBlockRanges { return PostgresChunks.make(of: table, options) }
        guard let key, table.byteCount > options.chunkBytes else { return [Chunk(number: 0)] }
        try makeReady()
        touched.insert(table.name)
        return try PostgresChunks.make(of: table, by: key, options, on: connection)
    }

    func open(_ chunk: Chunk, of plan: TablePlan, hidesKeys: Bool) throws(Failure) {
        let table = try table(plan.table)
        guard table.schema == plan.schema else {
            throw Failure(
                .refused, "the plan of \(plan.table) is not one of this table",
                hint: "The plan was made by another version or changed by somebody; export anew.")
        }
        try makeReady()
        readChunk = nil
        let columns = table.storedColumns
        let selected = columns.map(\.selected).joined(separator: ", ")
        let sql = "SELECT \(selected)\(try from(plan, chunk))"
        reader = try explaining(table) { () throws(Failure) in
            try PostgresReader(
                connection, sql, plan, columns.map(\.value.reading),
                checksText: catalog.takesAnyBytes, hidesKeys: hidesKeys)
        }
        readChunk = (plan.table, chunk)
    }

    func fill(_ batch: inout Batch, byteGoal: Int) throws(Failure) -> Bool {
        guard let reader else { throw Failure(.bug, "records are read before a chunk was opened") }
        return try reader.fill(&batch, byteGoal: byteGoal)
    }

    /// What the server itself said when it had copied the chunk; it is asked anew only where it was
    /// not this session that read it.
    func countRows(in chunk: Chunk, of plan: TablePlan) throws(Failure) -> Int {
        if let readChunk, readChunk == (plan.table, chunk), let counted = reader?.countedRows {
            return counted
        }
        try makeReady()
        return try connection.integer("SELECT count(*)\(try from(plan, chunk))") ?? 0
    }

    func countRows(of plan: TablePlan) throws(Failure) -> Int {
        try makeReady()
        return try connection.integer("SELECT count(*)\(try from(plan, nil))") ?? 0
    }

    func close() {
        reader?.close()
        reader = nil
        connection.close()
    }
}

// MARK: Statements

extension PostgresSession {
    private func table(_ name: TableName) throws(Failure) -> PostgresTable {
        guard let table = catalog.table(name) else {
            throw Failure(
                .refused, "\(name) is planned but not in the database",
                hint: "The dataset is of another state of the database; export anew.")
        }
        return table
    }

    /// Children and partitions are tables of their own.
    private func from(_ plan: TablePlan, _ chunk: Chunk?) throws(Failure) -> String {
        touched.insert(plan.table)
        var conditions: [String] = []
        if let chunk, let range = try range(chunk, of: plan) { conditions.append(range) }
        // On lines of its own: a comment in the user's filter ends there.
        if let filter = plan.filter { conditions.append("(\n\(filter)\n)") }
        let condition =
            conditions.isEmpty ? "" : " WHERE \(conditions.joined(separator: " AND "))"
        return " FROM ONLY \(plan.table.quoted)\(condition)"
    }

    private func range(_ chunk: Chunk, of plan: TablePlan) throws(Failure) -> String? {
        guard let names = plan.details["key"]?.elements else {
            return try PostgresChunks.condition(chunk)
        }
        guard
            let key = PostgresKey(names.map { Name($0.text ?? "") }, of: try table(plan.table))
        else {
            throw Failure(
                .refused, "the plan of \(plan.table) is not one of this table",
                hint: "The plan was made by another version or changed by somebody; export anew.")
        }
        return try key.condition(chunk)
    }

    private func explaining<Result>(
        _ table: PostgresTable, _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        do throws(Failure) {
            return try body()
        } catch {
            switch error.code {
            case "55P03":
                throw Failure(
                    .unavailable, "another session waits to have \(table.name) for itself alone",
                    code: error.code,
                    hint: "It waits for this export, and this export would wait for it. Run the "
                        + "same command again when it is done.")
            case "0A000" where table.isUnlogged:
                throw Failure(
                    .refused, "\(table.name) is unlogged, and a standby does not have its rows",
                    code: error.code, hint: "Leave it out with --exclude, or read the primary.")
            default: throw error
            }
        }
    }

    /// The user's filter, tried alone so that a mistake in it is told from one of ours.
    private func check(_ filter: String, _ table: PostgresTable) throws(Failure) {
        do throws(Failure) {
            guard PostgresSession.isOneExpression(filter) else {
                throw Failure(.usage, "it is not one expression")
            }
            try makeReady()
            _ = try connection.query(
                "SELECT 1 FROM ONLY \(table.name.quoted) WHERE (\n\(filter)\n) LIMIT 0")
        } catch {
            guard error.kind == .failed || error.kind == .usage else { throw error }
            throw Failure(
                .usage, "the filter of table \(table.name) is not understood: \(error.message)",
                code: error.code, hint: "Correct --where \(table.name)=….")
        }
    }

    /// Whether nothing in the filter closes the parentheses around it, and so leaves the chunk's
    /// bounds behind.
    private static func isOneExpression(_ filter: String) -> Bool {
        let text = Array(filter.utf8)
        var tokens = PostgresTokens(text)
        var depth = 0
        while let token = tokens.next() {
            guard token.kind == .symbol else { continue }
            switch text[token.range.lowerBound] {
            case UInt8(ascii: "("): depth += 1
            case UInt8(ascii: ")"): depth -= 1
            case UInt8(ascii: ";"): return false
            default: break
            }
            if depth < 0 { return false }
        }
        return depth == 0 && !tokens.isBroken
    }
}
