internal import SluiceCore
internal import SluiceRecords

/// One exported snapshot of a database, and the locks under which it was taken.
///
/// A session of its own holds both to the end; that its transaction is still the same one then is
/// the proof that they held.
final class PostgresSnapshot: Snapshot {
    let laneLimit: Int
    let position: Position
    let stamp: JSON?
    private let address: PostgresAddress
    private let programFolder: String?
    private let locker: PostgresConnection
    private let name: String
    private let slot: String?
    private let resumes: Bool
    private let contents: PostgresCatalog
    private let warnings: [String]
    private let stop: StopSignal
    private let isClosed = Monitor(false)
    private let kept = Monitor<KeptLog?>(nil)

    private init(
        _ opening: PostgresOpening, _ address: PostgresAddress, programFolder: String?,
        stop: StopSignal
    ) {
        laneLimit = max(opening.options.lanes, 1)
        position = opening.position
        stamp = opening.stamp
        self.address = address
        self.programFolder = programFolder
        locker = opening.locker
        name = opening.snapshot
        slot = opening.options.isTrial ? nil : opening.options.slot
        resumes = opening.pausesReplay
        contents = opening.contents
        warnings = opening.warnings
        self.stop = stop
    }

    static func open(
        _ address: PostgresAddress, _ options: SnapshotOptions, programFolder: String?,
        stop: StopSignal
    ) throws(Failure) -> PostgresSnapshot {
        let locker = try PostgresConnection(address, stop: stop)
        var opening = PostgresOpening(locker, options)
        do throws(Failure) {
            try opening.carryOut(address)
        } catch {
            opening.undo(address)
            throw error
        }
        return PostgresSnapshot(opening, address, programFolder: programFolder, stop: stop)
    }

    func catalog() throws(Failure) -> Catalog {
        let dump = PostgresDump(
            parameters: locker.parameters, serverVersion: locker.version, folder: programFolder)
        let objects = try dump.objects(
            snapshot: name, without: contents.subset.relations,
            withLargeObjects: contents.table(PostgresCatalog.largeObjects) != nil, stop: stop)
        return Catalog(
            tables: contents.sourceTables,
            schema: SchemaText(
                engine: "postgres", objects: objects.filter(contents.subset.keeps),
                settings: contents.settings),
            warnings: warnings + contents.warnings + contents.subset.warnings)
    }

    func openSession() throws(Failure) -> any SourceSession {
        try PostgresSession(address, snapshot: name, contents, stop: stop)
    }

    var keptLog: KeptLog? { kept.read { $0 } }

    func close() throws(Failure) {
        let wasClosed = isClosed.change { closed in
            defer { closed = true }
            return closed
        }
        guard !wasClosed else { return }
        locker.ignoresStop = true
        let proof = Result { () throws(Failure) in try prove() }
        let resuming = Result { () throws(Failure) in
            if resumes { try resume() }
        }
        locker.close()
        try proof.get()
        try resuming.get()
    }

    /// What was open at the end was open all the time: nobody begins a second transaction there.
    private func prove() throws(Failure) {
        do throws(Failure) {
            try locker.execute("SELECT 1")
            guard locker.isInTransaction else {
                throw Failure(.failed, "its transaction has ended")
            }
            try locker.execute("COMMIT")
        } catch {
            throw Failure(
                .failed,
                "the locks on \(address.place) ended before the export did: \(error.message)",
                code: error.code, hint: "Run the same command again.")
        }
        try proveSlot()
    }

    /// A server that may not keep so much of its log gives the slot up.
    private func proveSlot() throws(Failure) {
        guard let slot else { return }
        let found = try locker.query(
            """
            SELECT coalesce(wal_status, 'lost'),
                pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::bigint
            FROM pg_replication_slots WHERE slot_name = $1
            """,
            [slot])
        if let row = found.rows.first, found.text(row, 0) != "lost" {
            let byteCount = Int(found.text(row, 1)) ?? 0
            kept.change { $0 = KeptLog(slot: slot, byteCount: byteCount) }
            return
        }
        throw Failure(
            .failed, "the slot \(slot) has lost the log that it was to keep",
            hint: "Raise max_slot_wal_keep_size on the server, then run the same command again.")
    }

    private func resume() throws(Failure) {
        // The locker's session may be gone; replay has to go on all the same.
        let connection = try PostgresConnection(
            address, stop: StopSignal(), ignoresStop: true)
        try PostgresReplay.resume(connection)
    }

    func dropSlot() throws(Failure) {
        guard let slot else { return }
        let connection = try PostgresConnection(
            address, stop: StopSignal(), ignoresStop: true)
        try PostgresSlot.drop(slot, on: connection)
    }
}

/// The steps to a snapshot, and the way back where one of them fails.
struct PostgresOpening {
    let locker: PostgresConnection
    let options: SnapshotOptions
    private(set) var snapshot = ""
    private(set) var position = Position(isExact: false, details: [:])
    private(set) var stamp: JSON?
    /// Replay was stopped by us or by a run before us, and has to go on afterwards.
    private(set) var pausesReplay = false
    private(set) var warnings: [String] = []
    private var mayHaveSlot = false
    private var read: PostgresCatalog?

    init(_ locker: PostgresConnection, _ options: SnapshotOptions) {
        self.locker = locker
        self.options = options
    }

    var contents: PostgresCatalog {
        guard let read else { preconditionFailure("the catalogue is read while opening") }
        return read
    }

    mutating func carryOut(_ address: PostgresAddress) throws(Failure) {
        let isStandby = try locker.boolean("SELECT pg_is_in_recovery()")
        try check(isStandby: isStandby)
        try hold(isStandby: isStandby)
        mayHaveSlot = options.slot != nil && !options.isTrial
        let locks = try PostgresLocks.take(on: locker, address, options)
        snapshot = locks.snapshot
        try readPosition(locks, isStandby: isStandby)
        let contents = try PostgresCatalog(reading: locker, wants: options.wants)
        read = contents
        if options.consistency == .locked, !contents.sequences.isEmpty {
            warnings.append("sequences cannot be locked; their values are those of the moment")
        }
        guard contents.table(PostgresCatalog.largeObjects) != nil else { return }
        if options.consistency == .locked {
            warnings.append("large objects cannot be locked; they are those of the snapshot")
        }
        if options.slot != nil {
            warnings.append("large objects do not replicate; they are those of the snapshot")
        }
        guard try locker.boolean("SELECT has_table_privilege('pg_largeobject', 'SELECT')") else {
            throw Failure(
                .failed, "the large objects of \(locker.place) may not be read by this user",
                hint: "GRANT SELECT ON pg_largeobject to it, or leave them out with --exclude "
                    + "pg_catalog.pg_largeobject.")
        }
    }

    private func check(isStandby: Bool) throws(Failure) {
        let place = locker.place
        switch options.consistency {
        case .replica where !isStandby:
            throw Failure(
                .usage, "\(place) is no standby, as --consistency replica needs it",
                hint: "Give the URL of a standby, or use --consistency snapshot.")
        case .locked where isStandby:
            throw Failure(
                .usage, "\(place) is a standby, where no table can be locked against writers",
                hint: "Use --consistency replica, which pauses replay.")
        default: break
        }
        // A publication needs a lock that waits for SHARE locks, our own among them.
        guard options.slot == nil || options.consistency != .locked else {
            throw Failure(
                .usage, "--position slot is not possible with --consistency locked",
                hint: "Leave --consistency locked out; the snapshot of a slot is as exact.")
        }
        guard options.slot == nil || !isStandby else {
            throw Failure(
                .usage, "\(place) is a standby, where --position slot is not possible",
                hint: "Give the URL of the primary, or leave --position slot out.")
        }
    }

    /// Says what is about to be held, frees what dead runs hold, and stops replay.
    private mutating func hold(isStandby: Bool) throws(Failure) {
        guard !options.isTrial else { return }
        var hold = PostgresHold()
        hold.hasLocks = options.consistency == .locked
        hold.slot = options.slot
        // A replay that a dead run stopped is as good as one we stop: the export may go on.
        let isAdopted = options.leftBehind.contains { PostgresHold($0).pausesReplay }
        let isPaused = isStandby ? try PostgresReplay.state(locker) == "paused" : false
        let wantsPause = options.consistency == .replica
        hold.pausesReplay = wantsPause && (isAdopted || !isPaused)
        if !hold.isEmpty { try options.announce(hold.json) }
        for left in options.leftBehind {
            var old = PostgresHold(left)
            if wantsPause { old.pausesReplay = false }
            try PostgresHold.release(old.json, on: locker)
        }
        guard wantsPause else { return }
        pausesReplay = hold.pausesReplay
        try PostgresReplay.pause(locker)
        // Answers that come at once leave no time to see the signal.
        try locker.stop.check()
    }

    private mutating func readPosition(
        _ locks: PostgresLocks, isStandby: Bool
    ) throws(Failure) {
        let log =
            isStandby
            ? "pg_last_wal_replay_lsn()" : "pg_current_wal_lsn()"
        let current =
            locker.version >= 130_000 ? "pg_current_snapshot()" : "txid_current_snapshot()"
        let now = try locker.query("SELECT \(log), \(current)")
        let lsn = locks.start ?? now.text(0, 0)
        var details: [JSON.Member] = [
            .init("lsn", .string(lsn)), .init("snapshot", .string(now.text(0, 1))),
        ]
        if let slot = options.slot, locks.start != nil {
            details += [.init("slot", .string(slot)), .init("publication", .string(slot))]
            if !locks.insertOnly.isEmpty {
                details.append(
                    .init("insertPublication", .string(PostgresSlot.insertsName(slot))))
            }
            // How the next stage may reach it; never with a password.
            let known = locker.parameters
            for keyword in ["host", "port", "user"] {
                guard let value = known.first(where: { $0.keyword == keyword })?.value else {
                    continue
                }
                details.append(.init(keyword, .string(value)))
            }
        }
        for table in locks.insertOnly {
            warnings.append(
                "\(table) has no replica identity: of its changes only inserts replicate; ALTER "
                    + "TABLE … REPLICA IDENTITY FULL before the export makes all of them")
        }
        if let start = locks.start, let slot = options.slot {
            warnings.append(
                "the slot \(slot) keeps the server's log from \(start) on, until somebody reads it "
                    + "or sluice status --release drops it")
        }
        // Under SHARE locks nobody has written to these tables what is not committed.
        let isExact =
            locks.start != nil || options.consistency == .locked && !options.isTrial
        position = Position(isExact: isExact, details: .object(details))
        if options.consistency == .replica {
            stamp = ["replay": .string(lsn), "paused": true]
        }
    }

    /// Everything that was stopped or made, the other way round.
    func undo(_ address: PostgresAddress) {
        locker.close()
        guard pausesReplay || mayHaveSlot else { return }
        do throws(Failure) {
            let connection = try PostgresConnection(
                address, stop: StopSignal(), ignoresStop: true)
            if pausesReplay { try PostgresReplay.resume(connection) }
            if mayHaveSlot, let slot = options.slot {
                try PostgresSlot.drop(slot, on: connection)
            }
        } catch {
            // `holds/` says what is left, and the next command frees it.
        }
    }
}
