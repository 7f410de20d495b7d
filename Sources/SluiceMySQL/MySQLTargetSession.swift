internal import SluiceCore
internal import SluiceRecords

/// A lane's connection to a MySQL target.
final class MySQLTargetSession: TargetSession {
    private let target: MySQLTarget
    private let request: LoadRequest
    private let stop: StopSignal
    private var connection: MySQLConnection?
    private var loaders: [TableName: MySQLLoader] = [:]
    private var reading: MySQLReadBack?
    private var batch = Batch(fieldCount: 0)
    private var batchFieldCount = 0
    /// Whether the server looks at foreign keys at this moment.
    private var looksAtKeys = false
    /// Whether rows go in by LOAD DATA LOCAL where the server takes it; a test may say no.
    var takesLines = true
    /// Whether they otherwise go in by arrays where the server takes those; a test may say no.
    var takesArrays = true

    init(_ target: MySQLTarget, _ request: LoadRequest, stop: StopSignal) {
        self.target = target
        self.request = request
        self.stop = stop
    }

    /// The session's connection; after a loss a new one.
    private func open() throws(Failure) -> MySQLConnection {
        if let reading {
            reading.abandon()
            self.reading = nil
        }
        if let connection, connection.isOpen { return connection }
        loaders.removeAll()
        connection?.close()
        let made = try target.connect(stop: stop)
        try MySQLTargetSettings.apply(to: made)
        looksAtKeys = false
        connection = made
        return made
    }

    /// The session's connection for rows: keys that are there already are to hold for them. Behind
    /// the rows they would make the server copy the table.
    private func openForRows() throws(Failure) -> MySQLConnection {
        let connection = try open()
        if request.constraintsInitial, !looksAtKeys {
            try connection.execute("SET SESSION foreign_key_checks = 1")
            looksAtKeys = true
        }
        return connection
    }

    /// The session's connection for everything else, in any order.
    private func openForSchema() throws(Failure) -> MySQLConnection {
        let connection = try open()
        if looksAtKeys {
            try connection.execute("SET SESSION foreign_key_checks = 0")
            looksAtKeys = false
        }
        return connection
    }

    private func steps(_ connection: MySQLConnection) -> MySQLSchemaSteps {
        target.steps(for: request, connection.flavor)
    }

    func prepare() throws(Failure) {
        loaders.removeAll()
        let connection = try openForSchema()
        try MySQLTargetPreparation(steps(connection), connection).run()
    }

    func perform(_ step: LoadStep) throws(Failure) {
        let connection = try openForSchema()
        try steps(connection).perform(step, on: connection)
    }

    func begin(_ tables: [TablePlan]) throws(Failure) {
        let connection = try open()
        try connection.inTransaction { () throws(Failure) in
            for table in tables {
                _ = try MySQLLedger.enter(
                    MySQLUnit.begin(table.table), of: request.dataset,
                    undoing: "TRUNCATE TABLE \(table.table.table.quoted)", on: connection)
            }
        }
    }

    func load(
        _ unit: String, of table: TablePlan, from records: any RecordSource,
        expecting expected: Digest
    ) throws(Failure) -> LoadOutcome {
        let connection = try openForRows()
        fitBatch(to: table)
        let loader = try loader(for: table, connection)
        guard !loader.isTransactional else {
            return try connection.inTransaction { () throws(Failure) in
                try load(unit, table, loader, records, expected, connection)
            }
        }
        return try connection.alone(for: "loading \(table.table)") { () throws(Failure) in
            try MySQLPlainTable(table.table, of: request.dataset, on: connection)
                .load(unit) { () throws(Failure) in
                    try load(unit, table, loader, records, expected, connection)
                }
        }
    }

    /// Within the open transaction.
    private func load(
        _ unit: String, _ table: TablePlan, _ loader: MySQLLoader, _ records: any RecordSource,
        _ expected: Digest, _ connection: MySQLConnection
    ) throws(Failure) -> LoadOutcome {
        try MySQLLedger.load(
            unit, of: request.dataset, table, from: records, expecting: expected, on: connection
        ) { records throws(Failure) in
            try loader.load(records, &batch, stop: stop)
        }
    }

    func load(
        _ unit: String, of table: TablePlan, without refused: RefusedRecords
    ) throws(Failure) -> LoadOutcome {
        let connection = try openForRows()
        fitBatch(to: table)
        let loader = try loader(for: table, connection)
        guard loader.isTransactional else {
            throw Failure(
                .refused,
                "table \(table.table) is of an engine without transactions, whose rows cannot be"
                    + " tried",
                hint: "Use --on-bad-row stop, or make the target's table with ENGINE=InnoDB.")
        }
        return try connection.inTransaction { () throws(Failure) in
            try MySQLLedger.load(
                unit, of: request.dataset, table, without: refused, on: connection
            ) { records throws(Failure) in
                try loader.load(records, &batch, stop: stop)
            }
        }
    }

    private func fitBatch(to table: TablePlan) {
        guard batchFieldCount != table.schema.fields.count else { return }
        batchFieldCount = table.schema.fields.count
        batch = Batch(fieldCount: batchFieldCount)
    }

    private func loader(
        for plan: TablePlan, _ connection: MySQLConnection
    ) throws(Failure) -> MySQLLoader {
        if let loader = loaders[plan.table] { return loader }
        // Each keeps a buffer; so many tables at once is rare, and asking again is cheap.
        if loaders.count >= 4 { loaders.removeAll() }
        let loader = try MySQLLoader(
            plan, in: request, on: connection, takesLines: takesLines, takesArrays: takesArrays)
        loaders[plan.table] = loader
        return loader
    }

    /// Every value is stored as it is or refused, so what comes back are the records themselves,
    /// but for what has no place here and what the user has mapped.
    func mapped(
        _ records: any RecordSource, of table: TablePlan
    ) throws(Failure) -> any RecordSource {
        MappedRecords(records, of: table) ?? records
    }

    func foreignKeyComplaints() throws(Failure) -> [String] {
        try MySQLForeignKeys.complaints(request, on: try open())
    }

    func note(_ unit: String) throws(Failure) {
        let connection = try open()
        // Whoever dropped the ledger does not get it back from a comparison.
        guard try MySQLLedger.state(on: connection) == .present else { return }
        _ = try MySQLLedger.enter(unit, of: request.dataset, on: connection)
    }

    func undo(_ dataset: String) throws(Failure) {
        loaders.removeAll()
        try MySQLTargetUndo(dataset, try openForSchema()).run()
    }

    func slices(of table: TablePlan, atMost count: Int) throws(Failure) -> [Chunk] {
        try MySQLReadBack.slices(of: table, atMost: count, on: try open())
    }

    func readBack(_ slice: Chunk, of table: TablePlan) throws(Failure) -> any RecordSource {
        let records = try MySQLReadBack(slice, of: table, in: request, on: try open())
        reading = records
        return records
    }

    func close() {
        reading?.abandon()
        reading = nil
        connection?.close()
        connection = nil
    }
}

/// What the sessions of a target are told beside what every session is told.
enum MySQLTargetSettings {
    /// How many warnings of one statement are kept: each may be a label without a word.
    static let warningLimit = 65_535

    static func apply(to connection: MySQLConnection) throws(Failure) {
        var settings = [
            // Tables are loaded in any order. Unique keys stay checked: without them MariaDB locks
            // a table for one lane, and duplicates may go unseen.
            "foreign_key_checks = 0", "unique_checks = 1",
            "max_error_count = \(warningLimit)",
            // A second writer of a shard waits for the first.
            "innodb_lock_wait_timeout = 3600",
            // A shard is here as a whole before it is sent; whoever stops sending is gone.
            "net_read_timeout = 600",
        ]
        if connection.flavor.isMariaDB {
            settings.append("check_constraint_checks = 1")
            settings.append("system_versioning_alter_history = KEEP")
            if connection.flavor.takesHistory {
                settings.append("system_versioning_insert_history = 1")
            }
        }
        let list = settings.map { "SESSION \($0)" }.joined(separator: ", ")
        try connection.execute("SET \(list)")
    }
}
