internal import SluiceCore
internal import SluiceRecords

/// A lane's read transaction on the file, begun with the snapshot.
final class SQLiteSession: SourceSession {
    let connection: SQLiteConnection
    private let catalog: SQLiteCatalog
    private let giveBack: (SQLiteConnection) -> Void
    private var reader: SQLiteReader?
    private var isClosed = false

    init(
        _ connection: SQLiteConnection, _ catalog: SQLiteCatalog,
        giveBack: @escaping (SQLiteConnection) -> Void
    ) {
        self.connection = connection
        self.catalog = catalog
        self.giveBack = giveBack
    }

    func plan(_ source: SourceTable, _ options: PlanOptions) throws(Failure) -> TablePlan {
        guard let table = catalog.tables[source.name.table] else {
            throw Failure(.bug, "\(source.name) is planned but not in the catalogue")
        }
        let names = SQLiteSession.fieldNames(of: table)
        let census = try SQLiteCensus(
            connection,
            SQLiteSession.select(
                names, from: table.from,
                where: try SQLiteSession.filter(options.filter, table, connection),
                order: table.key.order),
            keyColumns: SQLiteSession.places(of: table.key, in: names), options)
        try census.run()
        let schema = SQLiteSession.schema(of: table, names, census.columnKinds)
        return TablePlan(
            schema: schema,
            definition: try SQLiteDefinition.read(table, in: catalog, on: connection),
            chunks: census.chunks, filter: options.filter, estimatedRows: census.rowCount,
            estimatedBytes: census.byteCount, owner: source.owner,
            details: [
                "key": table.key.json, "strict": .bool(table.isStrict),
                "without_rowid": .bool(table.isWithoutRowid),
            ])
    }

    func open(_ chunk: Chunk, of plan: TablePlan, hidesKeys: Bool) throws(Failure) {
        reader = nil
        let key = try SQLiteSession.key(of: plan)
        let names = plan.schema.fields.map(\.name)
        let sql = SQLiteSession.select(
            names, from: SQLiteSession.from(plan, key),
            where: SQLiteSession.join(try key.condition(chunk), plan.filter), order: key.order)
        reader = try SQLiteReader(
            connection, sql, plan.schema,
            names: SQLiteReader.RowNames(
                columns: hidesKeys ? [] : SQLiteSession.places(of: key, in: names)))
    }

    func fill(_ batch: inout Batch, byteGoal: Int) throws(Failure) -> Bool {
        guard let reader else { throw Failure(.bug, "records are read before a chunk was opened") }
        return try reader.fill(&batch, byteGoal: byteGoal)
    }

    func countRows(in chunk: Chunk, of plan: TablePlan) throws(Failure) -> Int {
        let key = try SQLiteSession.key(of: plan)
        return try count(plan, SQLiteSession.join(try key.condition(chunk), plan.filter))
    }

    func countRows(of plan: TablePlan) throws(Failure) -> Int {
        try count(plan, SQLiteSession.join(nil, plan.filter))
    }

    func close() {
        guard !isClosed else { return }
        isClosed = true
        reader = nil
        giveBack(connection)
    }

    private func count(_ plan: TablePlan, _ condition: String?) throws(Failure) -> Int {
        let key = try SQLiteSession.key(of: plan)
        let filter = condition.map { " WHERE \($0)" } ?? ""
        return try connection.integer(
            "SELECT count(*) FROM \(SQLiteSession.from(plan, key))\(filter)") ?? 0
    }
}

/// What goes into statements.
extension SQLiteSession {
    /// The columns of records: the rowid, where it is no column of the table, and all that rows are
    /// stored in.
    private static func fieldNames(of table: SQLiteTable) -> [Name] {
        let hidden = table.key.isHidden ? table.key.parts.map(\.name) : []
        return hidden + table.storedColumns.map(\.name)
    }

    /// Where the key's columns are among the fields.
    private static func places(of key: SQLiteKey, in names: [Name]) -> [Int] {
        key.parts.compactMap { part in names.firstIndex { $0.folded == part.name.folded } }
    }

    private static func from(_ plan: TablePlan, _ key: SQLiteKey) -> String {
        let hint = key.index.map { "INDEXED BY \($0.quoted)" } ?? "NOT INDEXED"
        return "main.\(plan.table.table.quoted) \(hint)"
    }

    private static func select(
        _ names: [Name], from: String, where condition: String?, order: String
    ) -> String {
        let columns = names.map(\.quoted).joined(separator: ", ")
        let filter = condition.map { " WHERE \($0)" } ?? ""
        return "SELECT \(columns) FROM \(from)\(filter)\(order)"
    }

    /// On lines of its own: a comment in the user's filter ends there.
    private static func join(_ range: String?, _ filter: String?) -> String? {
        let filter = filter.map { "(\n\($0)\n)" }
        switch (range, filter) {
        case (let range?, let filter?): return "\(range) AND \(filter)"
        default: return range ?? filter
        }
    }

    /// The user's filter, tried alone so that a mistake in it is told from one of ours.
    private static func filter(
        _ filter: String?, _ table: SQLiteTable, _ connection: SQLiteConnection
    ) throws(Failure) -> String? {
        guard let filter else { return nil }
        do throws(Failure) {
            guard isOneExpression(filter) else {
                throw Failure(.usage, "it is not one expression")
            }
            _ = try connection.prepare("SELECT (\n\(filter)\n) FROM \(table.from)")
        } catch {
            guard error.kind == .failed || error.kind == .usage else { throw error }
            throw Failure(
                .usage, "the filter of table \(table.name) is not understood: \(error.message)",
                code: error.code, hint: "Correct --where \(table.name)=….")
        }
        return join(nil, filter)
    }

    /// Whether nothing in the filter closes the parentheses around it, and so leaves the chunk's
    /// bounds behind.
    private static func isOneExpression(_ filter: String) -> Bool {
        var depth = 0
        for token in SQLiteTokens.all(of: filter) {
            switch token {
            case .symbol(UInt8(ascii: "(")): depth += 1
            case .symbol(UInt8(ascii: ")")): depth -= 1
            case .symbol(UInt8(ascii: ";")): return false
            default: break
            }
            if depth < 0 { return false }
        }
        return depth == 0
    }

    private static func key(of plan: TablePlan) throws(Failure) -> SQLiteKey {
        guard let key = plan.details["key"].flatMap({ SQLiteKey($0) }) else {
            throw Failure(
                .failed, "the plan of \(plan.table) has no key as SQLite needs it",
                hint: "The plan was made by another version or changed by somebody; export anew.")
        }
        return key
    }

    private static func schema(
        of table: SQLiteTable, _ names: [Name], _ kinds: [SQLiteKinds]
    ) -> RecordSchema {
        let avroNames = AvroNames.make(for: names)
        let columns = table.storedColumns
        let hiddenCount = names.count - columns.count
        let isRowid = table.key.form == .rowid ? table.key.parts[0].name : nil
        let fields = names.indices.map { index in
            guard index >= hiddenCount else {
                return Field(
                    name: names[index], avroName: avroNames[index], type: .int64,
                    isNullable: false, isRowid: true)
            }
            let column = columns[index - hiddenCount]
            // Old databases have NULL where the declaration forbids it: the value counts.
            let mayBeNull = !column.isNotNull && column.name != isRowid
            return Field(
                name: column.name, avroName: avroNames[index],
                type: kinds[index].columnType(column.affinity),
                isNullable: mayBeNull || kinds[index].contains(.null), declared: column.declared)
        }
        return RecordSchema(table: TableName(table.name), fields: fields)
    }
}
