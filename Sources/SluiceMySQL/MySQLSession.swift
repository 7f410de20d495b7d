internal import SluiceCore
internal import SluiceRecords

/// A lane's own transaction on the snapshot, which was opened together with all others'.
///
/// It cannot be opened again: when its connection is lost, so is its view of the database.
final class MySQLSession: SourceSession {
    private let connection: MySQLConnection
    private let catalog: MySQLCatalog
    private var reader: MySQLReader?
    private var readChunk: (TableName, Chunk)?

    init(_ connection: MySQLConnection, _ catalog: MySQLCatalog) {
        self.connection = connection
        self.catalog = catalog
    }

    /// After a failure nothing more can be read where the transaction is gone.
    private func makeReady() throws(Failure) {
        reader?.close()
        reader = nil
        readChunk = nil
        guard connection.isOpen, connection.isInTransaction else {
            throw Failure(
                .unavailable, "the snapshot on \(connection.place) is lost with its connection",
                hint: "Run the same command again.")
        }
    }

    func plan(_ source: SourceTable, _ options: PlanOptions) throws(Failure) -> TablePlan {
        let table = try table(source.name)
        if let filter = options.filter { try check(filter, table) }
        let rowCount =
            table.byteCount > options.chunkBytes
            ? MySQLChunks.rowCount(of: table, options) : nil
        return try plan(source, options, chunkRows: rowCount)
    }

    /// - Parameter chunkRows: how many rows a chunk should have; nothing: one chunk has all.
    func plan(
        _ source: SourceTable, _ options: PlanOptions, chunkRows: Int?
    ) throws(Failure) -> TablePlan {
        let table = try table(source.name)
        let key = chunkRows == nil ? nil : MySQLKey(of: table)
        var chunks = [Chunk(number: 0)]
        if let key, let chunkRows {
            try makeReady()
            chunks = try explaining(table) { () throws(Failure) in
                try MySQLChunks.make(
                    of: table, by: key, rowCount: chunkRows, options, on: connection)
            }
        }
        return TablePlan(
            schema: table.schema, definition: table.definition, chunks: chunks,
            filter: options.filter, estimatedRows: source.estimatedRows,
            estimatedBytes: source.estimatedBytes,
            details: details(of: table, key))
    }

    private func details(of table: MySQLTable, _ key: MySQLKey?) -> JSON {
        var members: [JSON.Member] = [.init("key", JSON(key?.index.text))]
        if let period = table.period {
            members.append(
                .init("period", [.string(period.start.text), .string(period.end.text)]))
        }
        return .object(members)
    }

    func open(_ chunk: Chunk, of plan: TablePlan, hidesKeys: Bool) throws(Failure) {
        let table = try table(plan.table)
        guard table.schema == plan.schema else {
            throw Failure(
                .refused, "the plan of \(plan.table) is not one of this table",
                hint: "The plan was made by another version or changed by somebody; export anew.")
        }
        try makeReady()
        let source = try from(plan, chunk)
        reader = try explaining(table) { () throws(Failure) in
            try MySQLReader(
                connection, table.storedColumns, source, plan, hidesKeys: hidesKeys)
        }
        readChunk = (plan.table, chunk)
    }

    func fill(_ batch: inout Batch, byteGoal: Int) throws(Failure) -> Bool {
        guard let reader else { throw Failure(.bug, "records are read before a chunk was opened") }
        return try reader.fill(&batch, byteGoal: byteGoal)
    }

    /// What the server itself said when it had sent the chunk; it is asked anew only where it was
    /// not this session that read it.
    func countRows(in chunk: Chunk, of plan: TablePlan) throws(Failure) -> Int {
        if let readChunk, readChunk == (plan.table, chunk), let counted = reader?.countedRows {
            return counted
        }
        try makeReady()
        return try connection.integer("SELECT COUNT(*)\(try from(plan, chunk))") ?? 0
    }

    func countRows(of plan: TablePlan) throws(Failure) -> Int {
        try makeReady()
        return try connection.integer("SELECT COUNT(*)\(try from(plan, nil))") ?? 0
    }

    func close() {
        reader?.close()
        reader = nil
        connection.close()
    }
}

// MARK: Statements

extension MySQLSession {
    private func table(_ name: TableName) throws(Failure) -> MySQLTable {
        guard let table = catalog.table(name) else {
            throw Failure(.bug, "\(name) is read, and the catalogue does not have it")
        }
        return table
    }

    /// ` FROM t WHERE …` for a chunk, or for the whole table.
    private func from(_ plan: TablePlan, _ chunk: Chunk?) throws(Failure) -> String {
        let table = try table(plan.table)
        var conditions: [String] = []
        var hint = ""
        if let chunk, chunk.lower != nil || chunk.upper != nil {
            guard let name = plan.details["key"]?.text,
                let key = MySQLKey(named: Name(name), of: table)
            else {
                throw Failure(
                    .refused, "the plan of \(plan.table) is not one of this table",
                    hint:
                        "The plan was made by another version or changed by somebody; export anew.")
            }
            if let condition = try key.condition(chunk) { conditions.append(condition) }
            hint = " FORCE INDEX (\(key.index.quoted))"
        }
        if let filter = plan.filter { conditions.append("(\n\(filter)\n)") }
        let condition =
            conditions.isEmpty ? "" : " WHERE " + conditions.joined(separator: " AND ")
        return " FROM \(table.source)\(hint)\(condition)"
    }

    private func explaining<Result>(
        _ table: MySQLTable, _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        do throws(Failure) {
            return try body()
        } catch {
            guard error.code == "1412" else { throw error }
            throw Failure(
                .failed, "\(table.name) was changed after the snapshot was taken",
                code: error.code,
                hint: "Run the same command again when nobody changes the schema.")
        }
    }

    /// The user's filter, tried alone so that a mistake in it is told from one of ours.
    private func check(_ filter: String, _ table: MySQLTable) throws(Failure) {
        do throws(Failure) {
            guard MySQLFilter.isOneExpression(filter) else {
                throw Failure(.usage, "it is not one expression")
            }
            try makeReady()
            _ = try connection.query(
                "SELECT 1 FROM \(table.source) WHERE (\n\(filter)\n) LIMIT 0")
        } catch {
            guard error.kind == .failed || error.kind == .usage || error.kind == .bug else {
                throw error
            }
            let message = error.kind == .bug ? "the server calls it wrong SQL" : error.message
            throw Failure(
                .usage, "the filter of table \(table.name) is not understood: \(message)",
                code: error.code, hint: "Correct --where \(table.name)=….")
        }
    }
}

/// What a user's condition may consist of.
enum MySQLFilter {
    /// Whether nothing in it closes the parentheses around it, and so leaves the chunk's bounds
    /// behind.
    static func isOneExpression(_ filter: String) -> Bool {
        let text = Array(filter.utf8)
        var depth = 0
        var place = 0
        while place < text.count {
            switch text[place] {
            case UInt8(ascii: "'"), UInt8(ascii: "\""), UInt8(ascii: "`"):
                guard let end = endOfQuoted(text, place) else { return false }
                place = end
                continue
            case UInt8(ascii: "("): depth += 1
            case UInt8(ascii: ")"):
                depth -= 1
                if depth < 0 { return false }
            case UInt8(ascii: ";"): return false
            // Comments may hide a bracket; they have no place in a condition.
            case UInt8(ascii: "#"): return false
            case UInt8(ascii: "-") where isDashComment(text[place...]): return false
            case UInt8(ascii: "/") where text[place...].starts(with: "/*".utf8): return false
            default: break
            }
            place += 1
        }
        return depth == 0
    }

    /// Two dashes with something else than a blank behind them are two signs.
    private static func isDashComment(_ text: ArraySlice<UInt8>) -> Bool {
        guard text.starts(with: "--".utf8) else { return false }
        return text.dropFirst(2).first.map { $0 <= UInt8(ascii: " ") } ?? true
    }

    /// The place behind the closing mark; marks are doubled inside, or escaped in strings.
    private static func endOfQuoted(_ text: [UInt8], _ start: Int) -> Int? {
        let mark = text[start]
        var place = start + 1
        while place < text.count {
            if text[place] == UInt8(ascii: "\\"), mark != UInt8(ascii: "`") {
                place += 2
                continue
            }
            if text[place] == mark {
                guard place + 1 < text.count, text[place + 1] == mark else { return place + 1 }
                place += 1
            }
            place += 1
        }
        return nil
    }
}
