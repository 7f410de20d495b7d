internal import SluiceCore
internal import SluiceRecords

/// A lane's side of a SQLite target: what it writes goes through the shared writer, what it reads
/// comes over a connection of its own.
final class SQLiteTargetSession: TargetSession {
    private let writer: SQLiteWriter
    private let path: String
    private let busyLimit: Duration
    private let stop: StopSignal
    private var reading: SQLiteConnection?

    init(_ writer: SQLiteWriter, path: String, busyLimit: Duration, stop: StopSignal) {
        self.writer = writer
        self.path = path
        self.busyLimit = busyLimit
        self.stop = stop
    }

    private var request: LoadRequest { writer.request }

    func prepare() throws(Failure) {
        try writer.exclusively { connection throws(Failure) in
            writer.forgetLoaders()
            try SQLiteTargetPreparation(request, connection).run()
        }
    }

    func perform(_ step: LoadStep) throws(Failure) {
        try writer.exclusively { connection throws(Failure) in
            try writer.steps.perform(step, on: connection)
        }
    }

    func begin(_ tables: [TablePlan]) throws(Failure) {
        try writer.exclusively { connection throws(Failure) in
            try connection.inTransaction { () throws(Failure) in
                for table in tables {
                    let unit = SQLiteUnit.begin(table.table)
                    let isNew = try SQLiteLedger.enter(unit, of: request.dataset, on: connection)
                    // A virtual table writes into the tables behind it when it is made; the dataset
                    // has all of their rows.
                    if isNew, table.owner != nil {
                        try connection.execute("DELETE FROM \(table.table.table.quoted)")
                    }
                }
            }
        }
    }

    func load(
        _ unit: String, of table: TablePlan, from records: any RecordSource,
        expecting expected: Digest
    ) throws(Failure) -> LoadOutcome {
        let mapped = MappedRecords(records, of: table, keepsRowids: true)
        let shipment = SQLiteShipment(
            unit, of: table, expecting: expected, isMapped: mapped != nil)
        writer.take(shipment)
        return try shipment.send(mapped ?? records) { () throws(Failure) in
            try mapped?.digest.requireSealed(expected)
        }
    }

    /// On the writer's connection, like all that is written; a lane that looks for refused records
    /// keeps the others waiting.
    func load(
        _ unit: String, of table: TablePlan, without refused: RefusedRecords
    ) throws(Failure) -> LoadOutcome {
        try writer.load(unit, of: table, without: refused)
    }

    /// Every value is stored as it is or refused, so what comes back are the records themselves,
    /// but for what the user has mapped.
    func mapped(
        _ records: any RecordSource, of table: TablePlan
    ) throws(Failure) -> any RecordSource {
        MappedRecords(records, of: table, keepsRowids: true) ?? records
    }

    func foreignKeyComplaints() throws(Failure) -> [String] {
        try SQLiteForeignKeys.complaints(request.tables, on: try reader())
    }

    func note(_ unit: String) throws(Failure) {
        try writer.exclusively { connection throws(Failure) in
            try connection.inTransaction { () throws(Failure) in
                // Whoever dropped the ledger does not get it back from a comparison.
                guard try SQLiteLedger.state(on: connection) == .present else { return }
                _ = try SQLiteLedger.enter(unit, of: request.dataset, on: connection)
            }
        }
    }

    func undo(_ dataset: String) throws(Failure) {
        guard SQLiteTarget.exists(path) else { return }
        try writer.exclusively { connection throws(Failure) in
            writer.forgetLoaders()
            try SQLiteTargetUndo(dataset, connection).run()
        }
    }

    func slices(of table: TablePlan, atMost count: Int) throws(Failure) -> [Chunk] {
        try SQLiteReadBack.slices(of: table, atMost: count, on: try reader())
    }

    func readBack(_ slice: Chunk, of table: TablePlan) throws(Failure) -> any RecordSource {
        try SQLiteReadBack(slice, of: table, on: try reader())
    }

    private func reader() throws(Failure) -> SQLiteConnection {
        if let reading { return reading }
        let connection = try SQLiteConnection(path, .read, busyLimit: busyLimit, stop: stop)
        reading = connection
        return connection
    }

    func close() {
        reading?.close()
        reading = nil
    }
}
