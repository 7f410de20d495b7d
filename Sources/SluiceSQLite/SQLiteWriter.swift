internal import CSQLite
internal import SluiceCore
internal import SluiceRecords
internal import Synchronization

/// The one connection that writes a target. Lanes decode; one thread binds what they hand over, a
/// shard at a time.
///
/// SQLite has one writer per file. Binding takes as long as reading and checking a shard, so that
/// the thread behind the connection is kept busy while the lanes prepare the next shards
/// (docs/architecture.md).
final class SQLiteWriter: @unchecked Sendable {
    // Unchecked because `turn` guards the connection and all that hangs on it.

    /// Shards that may wait for their turn; each lane has one at a time.
    private static let queueLimit = 256
    /// Pages kept in memory, in KiB.
    private static let cacheKiB = 16 << 10

    let path: String
    let request: LoadRequest
    private let stop: StopSignal
    private let busyLimit: Duration
    private let turn = Monitor<Bool>(false)
    private let thread = Mutex<Thread?>(nil)
    private let shipments = BoundedQueue<SQLiteShipment>(limit: queueLimit)
    private var connection: SQLiteConnection?
    private var loaders: [TableName: SQLiteLoader] = [:]
    /// The schema work; only to be used within `exclusively`.
    let steps: SQLiteSchemaSteps

    init(_ path: String, _ request: LoadRequest, busyLimit: Duration, stop: StopSignal) {
        self.path = path
        self.request = request
        self.busyLimit = busyLimit
        self.stop = stop
        steps = SQLiteSchemaSteps(request)
    }

    /// Whether the request is the one that this writer was made for.
    func serves(_ other: LoadRequest) -> Bool {
        other.dataset.utf8.elementsEqual(request.dataset.utf8)
            && other.onExisting == request.onExisting && other.hidesKeys == request.hidesKeys
            && other.trustedSchema == request.trustedSchema && other.tables == request.tables
    }

    /// Runs `body` with the connection, which is opened first where it is not; nobody else uses it
    /// meanwhile.
    func exclusively<Result>(
        _ body: (SQLiteConnection) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        turn.wait { isTaken -> Void? in
            guard !isTaken else { return nil }
            isTaken = true
            return ()
        }
        defer { turn.change { $0 = false } }
        return try body(try opened())
    }

    private func opened() throws(Failure) -> SQLiteConnection {
        if let connection { return connection }
        let connection = try SQLiteConnection(path, .create, busyLimit: busyLimit, stop: stop)
        try SQLiteWriter.arrange(connection, for: request)
        // The rollback journal with its full synchronisation survives a kill and a power cut at
        // every moment.
        try connection.execute(
            "PRAGMA synchronous = FULL; PRAGMA cache_size = -\(SQLiteWriter.cacheKiB)")
        self.connection = connection
        return connection
    }

    /// What decides which rows and which schema a connection takes.
    static func arrange(
        _ connection: SQLiteConnection, for request: LoadRequest
    ) throws(Failure) {
        // What a dataset's schema may hold: strings in double quotes, and rows of shadow tables.
        try connection.check(
            sluice_sqlite3_switch(connection.handle, SQLITE_DBCONFIG_DQS_DDL, 1))
        try connection.check(
            sluice_sqlite3_switch(connection.handle, SQLITE_DBCONFIG_DQS_DML, 1))
        try connection.check(
            sluice_sqlite3_switch(connection.handle, SQLITE_DBCONFIG_DEFENSIVE, 0))
        // What a trigger did in the source is among the source's rows already.
        try connection.check(
            sluice_sqlite3_switch(connection.handle, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0))
        // A source's rows may contradict its own constraints; they are kept as they are where the
        // tables are ours, too.
        let keepsOddRows =
            switch request.onExisting {
            case .refuse, .replace: request.trustedSchema != nil
            case .use, .truncate: false
            }
        try connection.execute(
            "PRAGMA foreign_keys = 0; PRAGMA ignore_check_constraints = \(keepsOddRows ? 1 : 0)")
    }

    /// Puts a shard into the queue; its lane hands batches over from now on.
    func take(_ shipment: SQLiteShipment) {
        thread.withLock { thread in
            if thread == nil { thread = Thread { [self] in writeShipments() } }
        }
        // The queue is closed only when all sessions are.
        _ = shipments.put(shipment)
    }

    private func writeShipments() {
        while let shipment = shipments.take() {
            shipment.end(with: Swift.Result { () throws(Failure) in try write(shipment) })
        }
    }

    private func write(_ shipment: SQLiteShipment) throws(Failure) -> LoadOutcome {
        try exclusively { connection throws(Failure) in
            try connection.inTransaction { () throws(Failure) in
                let isNew = try SQLiteLedger.enter(
                    shipment.unit, of: request.dataset, shipment.expected, on: connection)
                guard isNew else { return .alreadyThere }
                let loader = try loader(for: shipment.table, on: connection)
                var digest = Digest.empty
                var ordinal = 0
                while let parcel = shipment.nextParcel() {
                    try stop.check()
                    try loader.insert(parcel.batch, firstRow: ordinal + 1)
                    ordinal += parcel.batch.rowCount
                    digest += parcel.batch.digest
                    shipment.giveBack(parcel)
                }
                try shipment.checkLane()
                if shipment.isMapped {
                    try SQLiteLedger.change(
                        shipment.unit, of: request.dataset, shipment.expected, mapped: digest,
                        on: connection)
                } else {
                    try digest.requireSealed(shipment.expected)
                }
                return .loaded(mapped: digest)
            }
        }
    }

    /// One shard without the records that are refused. A refused INSERT takes nothing back but
    /// itself, so that those before it stay.
    func load(
        _ unit: String, of table: TablePlan, without refused: RefusedRecords
    ) throws(Failure) -> LoadOutcome {
        try exclusively { connection throws(Failure) in
            try connection.inTransaction { () throws(Failure) in
                let isNew = try SQLiteLedger.enter(
                    unit, of: request.dataset, refused.shard.digest, on: connection)
                guard isNew else { return .alreadyThere }
                let loader = try loader(for: table, on: connection)
                var rows = refused.shard.rows
                var mapped = Digest.empty
                while !rows.isEmpty {
                    let next = try insert(rows, of: refused, loader, table, &mapped)
                    rows = next..<rows.upperBound
                }
                if let kept = try refused.keepAll() {
                    _ = try SQLiteLedger.enter(
                        kept, of: request.dataset, refused.digest, isRefused: true, on: connection)
                }
                try SQLiteLedger.change(
                    unit, of: request.dataset, refused.digestOfOthers, mapped: mapped,
                    on: connection)
                return .loaded(mapped: mapped)
            }
        }
    }

    /// Inserts these records up to one that is refused.
    ///
    /// - Returns: the number of the first that was not tried.
    private func insert(
        _ rows: Range<Int>, of refused: RefusedRecords, _ loader: SQLiteLoader,
        _ table: TablePlan, _ mapped: inout Digest
    ) throws(Failure) -> Int {
        let records = try SQLiteWriter.records(rows, of: refused, table)
        var batch = Batch(fieldCount: table.schema.fields.count, rowByteLimit: Int.max)
        var next = rows.lowerBound
        while next < rows.upperBound {
            try stop.check()
            batch.removeAll()
            _ = try records.fill(&batch, byteGoal: SQLiteShipment.byteGoal)
            do throws(Failure) {
                try loader.insert(batch, firstRow: next)
            } catch {
                guard error.refusesRow, let row = error.refusedRow else { throw error }
                try refused.add(row, error)
                let before = try SQLiteWriter.records(next..<row, of: refused, table)
                batch.removeAll()
                _ = try before.fill(&batch, byteGoal: Int.max)
                mapped += batch.digest
                return row + 1
            }
            mapped += batch.digest
            next += batch.rowCount
        }
        return next
    }

    /// Those with these numbers, as they are loaded.
    private static func records(
        _ rows: Range<Int>, of refused: RefusedRecords, _ table: TablePlan
    ) throws(Failure) -> any RecordSource {
        let records = try refused.shard.records(rows)
        return MappedRecords(records, of: table, keepsRowids: true) ?? records
    }

    private func loader(
        for plan: TablePlan, on connection: SQLiteConnection
    ) throws(Failure) -> SQLiteLoader {
        if let loader = loaders[plan.table] { return loader }
        // Each keeps one compiled statement; so many tables at once is rare, and compiling again is
        // cheap.
        if loaders.count >= 64 { loaders.removeAll() }
        let loader = try SQLiteLoader(plan, hidesKeys: request.hidesKeys, on: connection)
        loaders[plan.table] = loader
        return loader
    }

    /// What was compiled for tables that are dropped or made again.
    func forgetLoaders() {
        loaders.removeAll()
    }

    /// When no lane loads any more. May be called twice.
    func close() {
        shipments.close()
        thread.withLock { thread in
            thread?.join()
            thread = nil
        }
        loaders.removeAll()
        connection?.close()
        connection = nil
    }
}

extension SQLiteConnection {
    /// All of `body` or nothing of it.
    func inTransaction<Result>(
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try execute("BEGIN IMMEDIATE")
        do {
            let result = try body()
            try execute("COMMIT")
            return result
        } catch {
            // A full disk has rolled it back already.
            if sqlite3_get_autocommit(handle) == 0 {
                sqlite3_exec(handle, "ROLLBACK", nil, nil, nil)
            }
            throw error
        }
    }
}
