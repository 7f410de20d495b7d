internal import SluiceCore
internal import SluiceRecords

/// One instant of a database, seen by a transaction for each lane.
///
/// A session of its own holds the tables' definitions to the end, and in mode `locked` another one
/// their locks; that they are the same sessions then is the proof that nothing slipped through.
final class MySQLSnapshot: Snapshot {
    let laneLimit: Int
    let position: Position
    let stamp: JSON?
    private let address: MySQLAddress
    private let holder: MySQLConnection
    private let locker: MySQLConnection
    private let holdsLocks: Bool
    private let stopped: [String]
    private let contents: MySQLCatalog
    private let warnings: [String]
    private let lanes: Monitor<[MySQLConnection]>
    private let isClosed = Monitor(false)

    private init(_ opening: MySQLOpening, _ address: MySQLAddress) {
        laneLimit = opening.lanes.count
        position = opening.position
        stamp = opening.stamp
        self.address = address
        holder = opening.holder
        locker = opening.locker
        holdsLocks = opening.holdsLocks
        stopped = opening.stopped
        contents = opening.contents
        warnings = opening.warnings
        lanes = Monitor(opening.lanes)
    }

    static func open(
        _ address: MySQLAddress, _ options: SnapshotOptions, stop: StopSignal
    ) throws(Failure) -> MySQLSnapshot {
        var opening = try MySQLOpening(address, options, stop: stop)
        do throws(Failure) {
            try opening.carryOut()
        } catch {
            opening.undo()
            throw error
        }
        return MySQLSnapshot(opening, address)
    }

    func catalog() throws(Failure) -> Catalog {
        let schema = try MySQLSchemaText.read(holder)
        let hidden = try MySQLGrants(holder).warnings()
        return Catalog(
            tables: contents.sourceTables, schema: schema.text,
            warnings: warnings + contents.warnings + schema.warnings + hidden)
    }

    func openSession() throws(Failure) -> any SourceSession {
        guard let connection = lanes.change({ $0.popLast() }) else {
            throw Failure(.bug, "more lanes read than the snapshot was opened for")
        }
        return MySQLSession(connection, contents)
    }

    func close() throws(Failure) {
        let wasClosed = isClosed.change { closed in
            defer { closed = true }
            return closed
        }
        guard !wasClosed else { return }
        holder.ignoresStop = true
        locker.ignoresStop = true
        let proof = Result { () throws(Failure) in try prove() }
        let starting = Result { () throws(Failure) in
            if !stopped.isEmpty { try startReplication() }
        }
        for lane in lanes.change({ lanes in
            defer { lanes = [] }
            return lanes
        }) {
            lane.close()
        }
        holder.close()
        locker.close()
        try proof.get()
        try starting.get()
    }

    /// What was open at the end was open all the time: nobody begins a second transaction there.
    private func prove() throws(Failure) {
        do throws(Failure) {
            try holder.execute("SELECT 1")
            guard holder.isInTransaction else {
                throw Failure(.failed, "a transaction has ended")
            }
            if holdsLocks { try locker.execute("UNLOCK TABLES") }
        } catch {
            throw Failure(
                .failed,
                "the locks on \(address.place) ended before the export did: \(error.message)",
                code: error.code, hint: "Run the same command again.")
        }
    }

    private func startReplication() throws(Failure) {
        // The holder's session may be gone; replication has to go on all the same.
        let connection = try MySQLConnection(address, stop: StopSignal(), ignoresStop: true)
        try MySQLReplication.start(stopped, on: connection)
    }
}
