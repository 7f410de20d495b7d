internal import SluiceCore
internal import SluiceRecords

/// The steps to a snapshot, and the way back where one of them fails.
struct MySQLOpening {
    /// Holds the definitions of the tables.
    let holder: MySQLConnection
    /// Takes the locks, for a moment or to the end.
    let locker: MySQLConnection
    private(set) var lanes: [MySQLConnection] = []
    private(set) var position = Position(isExact: false, details: [:])
    private(set) var stamp: JSON?
    /// The locker's locks stay.
    private(set) var holdsLocks = false
    /// Channels whose SQL threads were stopped by us or by a run before us, and have to go on
    /// afterwards.
    private(set) var stopped: [String] = []
    private(set) var warnings: [String] = []
    private let address: MySQLAddress
    private let options: SnapshotOptions
    private let stop: StopSignal
    private var read: MySQLCatalog?

    private static let attemptLimit = 5
    /// Nobody queues behind a wait for a table's definition but who wants to change it.
    private static let definitionLimit = 30

    init(
        _ address: MySQLAddress, _ options: SnapshotOptions, stop: StopSignal
    ) throws(Failure) {
        self.address = address
        self.options = options
        self.stop = stop
        holder = try MySQLConnection(address, stop: stop)
        locker = try MySQLConnection(address, stop: stop)
    }

    var contents: MySQLCatalog {
        guard let read else { preconditionFailure("the catalogue is read while opening") }
        return read
    }

    mutating func carryOut() throws(Failure) {
        try hold()
        while lanes.count < max(options.lanes, 1) {
            lanes.append(try MySQLConnection(address, stop: stop))
        }
        let log = try MySQLLog(locker)
        for attempt in 1... {
            let tables = try MySQLLocks.tables(holder, wants: options.wants)
            if try lockDefinitions(tables) {
                try refuseTablesWithoutSnapshot()
                let instant = try open(log, tables)
                if try touchFromLanes(tables) {
                    try readPosition(instant, log)
                    return
                }
            }
            guard attempt < MySQLOpening.attemptLimit else { break }
            try stop.check()
        }
        throw Failure(
            .unavailable, "tables of \(address.place) came and went while they were being locked",
            hint: "Run the same command again when nobody changes the schema.", isTransient: true)
    }

    /// Says what is about to be held, frees what dead runs hold, and stops replication.
    private mutating func hold() throws(Failure) {
        let channels =
            options.consistency == .replica ? try MySQLReplication.channels(holder) : []
        guard options.consistency != .replica || !channels.isEmpty else {
            throw Failure(
                .usage, "\(address.place) is no replica, as --consistency replica needs it",
                hint: "Give the URL of a replica and a user with REPLICATION CLIENT, or use "
                    + "--consistency snapshot.")
        }
        guard !options.isTrial else { return }
        // Threads that a dead run stopped are as good as those we stop: the export may go on.
        let adopted = Set(options.leftBehind.flatMap { MySQLHold($0).channels })
        var hold = MySQLHold()
        hold.hasLocks = options.consistency == .locked
        hold.channels = channels.filter { $0.isRunning || adopted.contains($0.name) }.map(\.name)
        if !hold.isEmpty { try options.announce(hold.json) }
        for left in options.leftBehind {
            var old = MySQLHold(left)
            old.channels.removeAll(where: hold.channels.contains)
            try MySQLHold.release(old.json, on: holder)
        }
        stopped = hold.channels
        try MySQLReplication.stop(stopped, on: holder)
    }

    /// Opens the tables in the holder's transaction and reads the catalogue; false where tables
    /// came or went meanwhile.
    private mutating func lockDefinitions(_ tables: [Name]) throws(Failure) -> Bool {
        try holder.execute("ROLLBACK")
        try holder.execute(
            "SET SESSION lock_wait_timeout = \(MySQLOpening.definitionLimit)")
        try holder.execute("START TRANSACTION READ ONLY")
        do throws(Failure) {
            try MySQLLocks.touch(tables, on: holder)
        } catch  where error.code == "1146" {
            return false
        }
        read = try MySQLCatalog(reading: holder, wants: options.wants)
        return try MySQLLocks.tables(holder, wants: options.wants) == tables
    }

    private func refuseTablesWithoutSnapshot() throws(Failure) {
        var isStill = options.consistency == .locked
        if options.consistency == .replica {
            isStill = try holder.integer("SELECT @@GLOBAL.read_only") == 1
        }
        guard !isStill, let table = contents.tables.first(where: { !$0.isTransactional }) else {
            return
        }
        throw Failure(
            .refused, "table \(table.name) has the engine \(table.engine), which has no snapshots",
            hint: options.consistency == .replica
                ? "Set read_only on the replica, use --consistency locked, or leave the table out "
                    + "with --exclude \(table.name)."
                : "Use --consistency locked, or leave the table out with --exclude \(table.name).")
    }

    private mutating func open(
        _ log: MySQLLog, _ tables: [Name]
    ) throws(Failure) -> MySQLInstant {
        var instant = MySQLInstant(lanes, locker, log, tables)
        if options.isTrial {
            try instant.open(under: .none)
        } else if options.consistency == .locked {
            // Taken anew on each attempt, which gives the former ones up.
            if !tables.isEmpty { try MySQLLocks.take(tables, on: locker) }
            holdsLocks = !tables.isEmpty
            try instant.open(under: .heldLocks)
        } else {
            try instant.open()
        }
        return instant
    }

    /// Each lane opens all tables itself, so that it never waits behind somebody who waits for the
    /// holder; false where somebody does already.
    private func touchFromLanes(_ tables: [Name]) throws(Failure) -> Bool {
        for lane in lanes {
            do throws(Failure) {
                try lane.execute("SET SESSION lock_wait_timeout = 5")
                try MySQLLocks.touch(tables, on: lane)
            } catch  where error.code == "1205" || error.code == "1146" || error.code == "1412" {
                return false
            }
        }
        return true
    }

    private mutating func readPosition(
        _ instant: MySQLInstant, _ log: MySQLLog
    ) throws(Failure) {
        let channels =
            options.consistency == .replica ? try MySQLReplication.channels(holder) : []
        let reading = MySQLPosition(instant, log, channels, address)
        position = Position(
            isExact: reading.isExact && !options.isTrial, details: try reading.details(holder))
        stamp = options.isTrial ? nil : try reading.stamp(holder, options.consistency)
        if !options.isTrial, instant.proof == .unmovedLog {
            warnings.append(
                "the user may not take a read lock; that all lanes see one instant is known by "
                    + "the binary log, which did not move")
        }
    }

    /// Everything that was stopped or locked, the other way round.
    func undo() {
        for lane in lanes { lane.close() }
        locker.close()
        holder.close()
        guard !stopped.isEmpty else { return }
        do throws(Failure) {
            let connection = try MySQLConnection(address, stop: StopSignal(), ignoresStop: true)
            try MySQLReplication.start(stopped, on: connection)
        } catch {
            // `holds/` says what is left, and the next command frees it.
        }
    }
}
