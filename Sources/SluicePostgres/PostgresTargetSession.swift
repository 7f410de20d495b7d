internal import SluiceCore
internal import SluiceRecords

/// A lane's connection to a PostgreSQL target.
final class PostgresTargetSession: TargetSession {
    private let target: PostgresTarget
    private let steps: PostgresSchemaSteps
    private let stop: StopSignal
    private var connection: PostgresConnection?
    private var loaders: [TableName: PostgresLoader] = [:]
    private var reading: PostgresReadBack?
    private var batch = Batch(fieldCount: 0)
    private var batchFieldCount = 0

    init(_ target: PostgresTarget, _ steps: PostgresSchemaSteps, stop: StopSignal) {
        self.target = target
        self.steps = steps
        self.stop = stop
    }

    private var request: LoadRequest { steps.request }

    /// The session's connection; after a loss a new one.
    private func open() throws(Failure) -> PostgresConnection {
        if let reading {
            reading.abandon()
            self.reading = nil
        }
        if let connection, connection.isOpen { return connection }
        loaders.removeAll()
        connection?.close()
        let made = try target.connect(stop: stop)
        try PostgresTargetSettings.apply(to: made, for: request)
        connection = made
        return made
    }

    func prepare() throws(Failure) {
        loaders.removeAll()
        try PostgresTargetPreparation(steps, try open()).run()
    }

    func perform(_ step: LoadStep) throws(Failure) {
        try steps.perform(step, on: try open())
    }

    func begin(_ tables: [TablePlan]) throws(Failure) {
        let connection = try open()
        try connection.inTransaction { () throws(Failure) in
            for table in tables {
                // The content of large objects goes with them.
                let undo =
                    table.table == PostgresCatalog.largeObjects
                    ? nil : "TRUNCATE \(table.table.qualified.quoted)"
                _ = try PostgresLedger.enter(
                    PostgresUnit.begin(table.table), of: request.dataset, undoing: undo,
                    on: connection)
            }
        }
    }

    func load(
        _ unit: String, of table: TablePlan, from records: any RecordSource,
        expecting expected: Digest
    ) throws(Failure) -> LoadOutcome {
        let connection = try open()
        fitBatch(to: table)
        return try connection.inTransaction { () throws(Failure) in
            try PostgresLedger.load(
                unit, of: request.dataset, table, from: records, expecting: expected,
                on: connection
            ) { records throws(Failure) in
                try loader(for: table, connection).load(records, &batch, stop: stop)
            }
        }
    }

    func load(
        _ unit: String, of table: TablePlan, without refused: RefusedRecords
    ) throws(Failure) -> LoadOutcome {
        let connection = try open()
        fitBatch(to: table)
        return try connection.inTransaction { () throws(Failure) in
            try PostgresLedger.load(
                unit, of: request.dataset, table, without: refused, on: connection
            ) { records throws(Failure) in
                let loader = try loader(for: table, connection)
                let digest = try loader.load(records, &batch, stop: stop)
                // What would make the commit fail makes this attempt fail.
                try connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
                return digest
            }
        }
    }

    private func fitBatch(to table: TablePlan) {
        guard batchFieldCount != table.schema.fields.count else { return }
        batchFieldCount = table.schema.fields.count
        batch = Batch(fieldCount: batchFieldCount)
    }

    private func loader(
        for plan: TablePlan, _ connection: PostgresConnection
    ) throws(Failure) -> PostgresLoader {
        if let loader = loaders[plan.table] { return loader }
        // Each keeps a buffer; so many tables at once is rare, and asking again is cheap.
        if loaders.count >= 4 { loaders.removeAll() }
        let loader = try PostgresLoader(plan, in: request, on: connection)
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
        try PostgresForeignKeys.complaints(request, on: try open())
    }

    func note(_ unit: String) throws(Failure) {
        let connection = try open()
        // Whoever dropped the ledger does not get it back from a comparison.
        guard try PostgresLedger.state(on: connection) == .present else { return }
        _ = try PostgresLedger.enter(unit, of: request.dataset, on: connection)
    }

    func undo(_ dataset: String) throws(Failure) {
        loaders.removeAll()
        try PostgresTargetUndo(dataset, try open()).run()
    }

    func slices(of table: TablePlan, atMost count: Int) throws(Failure) -> [Chunk] {
        try PostgresReadBack.slices(of: table, atMost: count, on: try open())
    }

    func readBack(_ slice: Chunk, of table: TablePlan) throws(Failure) -> any RecordSource {
        let records = try PostgresReadBack(slice, of: table, on: try open())
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
enum PostgresTargetSettings {
    /// Sorting for an index may take as much memory, in KiB.
    private static let indexMemory = 256 << 10

    static func apply(
        to connection: PostgresConnection, for request: LoadRequest
    ) throws(Failure) {
        try connection.execute(
            """
            SET search_path = ''; SET check_function_bodies = off; SET default_tablespace = '';
            SET default_table_access_method = heap
            """)
        let memory =
            try connection.integer(
                "SELECT setting FROM pg_settings WHERE name = 'maintenance_work_mem'") ?? 0
        if memory < indexMemory {
            try connection.execute("SET maintenance_work_mem = \(indexMemory)")
        }
        switch request.onExisting {
        case .use, .truncate:
            if try mayBeReplica(connection) {
                try connection.execute("SET session_replication_role = replica")
            }
        // Triggers and foreign keys are made behind the rows.
        case .refuse, .replace: break
        }
    }

    /// Whether triggers, rules and foreign keys can be told not to fire.
    static func mayBeReplica(_ connection: PostgresConnection) throws(Failure) -> Bool {
        if try connection.boolean("SELECT current_setting('is_superuser')::boolean") { return true }
        guard connection.version >= 150_000 else { return false }
        return try connection.boolean(
            """
            SELECT pg_catalog.has_parameter_privilege('session_replication_role', 'SET')
            """)
    }
}
