internal import CSQLite
internal import SluiceCore
internal import SluiceRecords

/// Read transactions on one state of a file, all begun while a lock kept every writer out.
final class SQLiteSnapshot: Snapshot {
    private struct State {
        var free: [SQLiteConnection]
        var isClosed = false
    }

    let laneLimit: Int
    let position: Position
    let stamp: JSON?
    private let path: String
    private let readers: [SQLiteConnection]
    /// Keeps writers out until the end, in mode `locked`.
    private let holder: SQLiteConnection?
    private let contents: SQLiteCatalog
    private let overview: Catalog
    private let state: Monitor<State>

    /// - Parameter busyLimit: how long to wait for another program's transaction.
    init(
        _ path: String, _ options: SnapshotOptions, busyLimit: Duration, stop: StopSignal
    ) throws(Failure) {
        let consistency = options.consistency
        guard consistency != .replica else {
            throw Failure(
                .usage, "--consistency replica is not possible with SQLite, which has no replicas",
                hint: "Use --consistency snapshot, or locked.")
        }
        let locker = try SQLiteConnection(path, .read, busyLimit: busyLimit, stop: stop)
        if consistency == .locked { try options.announce(SQLiteSnapshot.hold(path)) }
        let isLocked = try SQLiteSnapshot.lock(locker)
        guard isLocked || consistency == .snapshot else {
            throw Failure(
                .failed, "\(path) cannot be locked for writing, as --consistency locked needs it",
                hint: "Run as a user who may write the file, or use --consistency snapshot.")
        }
        var readers: [SQLiteConnection] = []
        if isLocked {
            for _ in 0..<max(options.lanes, 1) {
                readers.append(try SQLiteConnection(path, .read, busyLimit: busyLimit, stop: stop))
            }
        } else {
            readers = [locker]
        }
        let before: JSON? = isLocked ? .none : try SQLiteStamp.read(locker)
        for reader in readers { try SQLiteSnapshot.begin(reader) }
        let after = try SQLiteStamp.read(readers[0])
        // Without the lock a writer may have come between the stamp and the transaction.
        stamp = isLocked || before == after ? after : .none
        // Every reader has its transaction: writers need not wait while the catalogue is read.
        if isLocked, consistency == .snapshot {
            try locker.execute("ROLLBACK")
            locker.close()
        }
        contents = try SQLiteCatalog(reading: readers[0])
        let settings = try SQLiteSettings(reading: readers[0], names: contents.allNames)
        overview = try contents.catalog(settings, readers[0])
        holder = consistency == .locked ? locker : nil
        position = Position(
            isExact: false, details: ["change_counter": after["change_counter"] ?? .null])
        laneLimit = readers.count
        self.path = path
        self.readers = readers
        state = Monitor(State(free: readers))
    }

    /// Keeps every writer out; false where this process may not write the file: there SQLite grants
    /// the lock, and means one for reading.
    private static func lock(_ locker: SQLiteConnection) throws(Failure) -> Bool {
        if locker.isReadOnly { return false }
        try locker.execute("PRAGMA query_only = 0; BEGIN IMMEDIATE; PRAGMA query_only = 1")
        if locker.transaction == .writing { return true }
        try locker.execute("ROLLBACK")
        return false
    }

    private static func begin(_ reader: SQLiteConnection) throws(Failure) {
        // The transaction begins with its first look at the file.
        try reader.execute("BEGIN; SELECT 1 FROM main.sqlite_schema LIMIT 1")
        var hasMoved: Int32 = 0
        sqlite3_file_control(reader.handle, "main", SQLITE_FCNTL_HAS_MOVED, &hasMoved)
        guard hasMoved == 0 else {
            throw Failure(
                .unavailable, "\(reader.path) was replaced while it was being opened",
                hint: "Run the same command again when nothing else moves the file.",
                isTransient: true)
        }
    }

    private static func hold(_ path: String) -> JSON {
        [
            "engine": "sqlite", "path": .string(SQLiteFile.realPath(path) ?? path),
            "what": "the write lock; other programs can read but not write",
            "ends_with_process": true,
        ]
    }

    func catalog() throws(Failure) -> Catalog { overview }

    func openSession() throws(Failure) -> any SourceSession {
        let reader = state.change { $0.isClosed ? nil : $0.free.popLast() }
        guard let reader else {
            throw Failure(.bug, "the snapshot of \(path) has no more than \(laneLimit) sessions")
        }
        return SQLiteSession(reader, contents) { [state] connection in
            state.change { if !$0.isClosed { $0.free.append(connection) } }
        }
    }

    func close() throws(Failure) {
        let wasClosed = state.change { state in
            defer {
                state.isClosed = true
                state.free = []
            }
            return state.isClosed
        }
        guard !wasClosed else { return }
        // A transaction that was there at the end was there all the time: nobody here begins a
        // second one.
        let held = readers.allSatisfy { $0.transaction == .reading }
        let kept = holder.map { $0.transaction == .writing } ?? true
        release()
        guard held, kept else {
            throw Failure(
                .failed,
                "the \(held ? "lock" : "read transaction") on \(path) ended before the export did",
                hint: "Run the same command again.")
        }
    }

    private func release() {
        // An empty WAL is our own doing and goes with the last connection; one that holds something
        // stays as it is.
        let leavesWAL = SQLiteStamp.walByteCount(of: path + "-wal") > 0
        for connection in readers + (holder.map { [$0] } ?? []) {
            if !leavesWAL {
                sluice_sqlite3_switch(connection.handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0)
            }
            connection.close()
        }
    }
}
