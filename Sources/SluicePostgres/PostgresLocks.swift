internal import SluiceCore
internal import SluiceRecords

/// A table that is to be locked, as far as that needs to be known before the snapshot.
struct PostgresTableID: Hashable, Sendable {
    var oid: Int
    var name: TableName
    var isUnlogged: Bool
    var hasReplicaIdentity: Bool

    var isLockable: Bool { name != PostgresCatalog.largeObjects }

    /// Every wanted table as the session sees it now.
    static func all(
        _ connection: PostgresConnection, wants: (SourceTable) -> Bool
    ) throws(Failure) -> [PostgresTableID] {
        let wholes = try PostgresWholes.read(connection)
        let rows = try connection.query(
            """
            SELECT c.oid, n.nspname, c.relname, c.relpersistence = 'u',
                c.relreplident IN ('f', 'i') OR c.relreplident = 'd' AND EXISTS (
                    SELECT 1 FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary)
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE \(PostgresCatalog.isTable)
            ORDER BY c.oid
            """)
        var tables: [PostgresTableID] = []
        for row in rows.rows {
            let name = TableName(schema: try rows.name(row, 1), try rows.name(row, 2))
            let table = SourceTable(
                name: name, estimatedRows: 0, estimatedBytes: 0,
                wholes: wholes[rows.integer(row, 0)] ?? [])
            guard wants(table) else { continue }
            tables.append(
                PostgresTableID(
                    oid: rows.integer(row, 0), name: name, isUnlogged: rows.boolean(row, 3),
                    hasReplicaIdentity: rows.boolean(row, 4)))
        }
        return tables
    }
}

/// Which partitioned tables a partition is a part of, the nearest first.
enum PostgresWholes {
    static func read(_ connection: PostgresConnection) throws(Failure) -> [Int: [TableName]] {
        let rows = try connection.query(
            """
            WITH RECURSIVE part(oid, whole, level) AS (
                SELECT i.inhrelid, i.inhparent, 1 FROM pg_inherits i
                    JOIN pg_class c ON c.oid = i.inhrelid AND c.relispartition
                UNION ALL SELECT p.oid, i.inhparent, p.level + 1 FROM part p
                    JOIN pg_inherits i ON i.inhrelid = p.whole
                    JOIN pg_class c ON c.oid = i.inhrelid AND c.relispartition
            )
            SELECT p.oid, n.nspname, c.relname FROM part p JOIN pg_class c ON c.oid = p.whole
                JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind = 'p' ORDER BY p.oid, p.level
            """)
        var wholes: [Int: [TableName]] = [:]
        for row in rows.rows {
            wholes[rows.integer(row, 0), default: []].append(
                TableName(schema: try rows.name(row, 1), try rows.name(row, 2)))
        }
        return wholes
    }
}

/// Locks on every wanted table, and a snapshot taken under them.
///
/// TRUNCATE and statements that rewrite a table do not respect snapshots: what is locked first
/// cannot be changed by them afterwards.
struct PostgresLocks {
    /// What other sessions can take under the `locked` mode's exclusive look.
    let snapshot: String
    /// Of the slot, where one was made.
    let start: String?
    /// Tables of which only inserts are in the change log.
    let insertOnly: [TableName]

    /// How long other clients may queue behind our wait for a lock.
    private static let sharingLimit = "10s"
    /// Nobody queues behind a wait for ACCESS SHARE but who wants a table for himself alone.
    private static let readingLimit = "60s"
    private static let attemptLimit = 5

    /// Opens the locker's transaction; it stays open.
    static func take(
        on locker: PostgresConnection, _ address: PostgresAddress, _ options: SnapshotOptions
    ) throws(Failure) -> PostgresLocks {
        for _ in 0..<attemptLimit {
            let before = try PostgresTableID.all(locker, wants: options.wants)
            if options.slot != nil { try PostgresSlot.check(locker, before.filter(\.isLockable)) }
            guard try lock(before, on: locker, options) else { continue }
            let made = try begin(before, on: locker, address, options)
            let after = try PostgresTableID.all(locker, wants: options.wants)
            if Set(before) == Set(after) { return made }
            try locker.execute("ROLLBACK")
            if let slot = options.slot, !options.isTrial {
                try PostgresSlot.drop(slot, on: locker)
            }
        }
        throw Failure(
            .unavailable, "tables of \(locker.place) came and went while they were being locked",
            hint: "Run the same command again when nobody changes the schema.", isTransient: true)
    }

    /// False where a table was gone before it was locked.
    private static func lock(
        _ tables: [PostgresTableID], on locker: PostgresConnection, _ options: SnapshotOptions
    ) throws(Failure) -> Bool {
        let isShared = options.consistency == .locked && !options.isTrial
        try locker.execute(
            "BEGIN ISOLATION LEVEL REPEATABLE READ" + (isShared ? "" : ", READ ONLY"))
        let limit = isShared ? sharingLimit : readingLimit
        try locker.execute("SET LOCAL lock_timeout = '\(limit)'")
        // The server's own tables cannot be emptied or rewritten, and are not for locking.
        let tables = tables.filter(\.isLockable)
        guard !tables.isEmpty else { return true }
        let names = tables.map { "ONLY \($0.name.quoted)" }.joined(separator: ", ")
        let mode = isShared ? "SHARE" : "ACCESS SHARE"
        do throws(Failure) {
            try locker.execute("LOCK TABLE \(names) IN \(mode) MODE")
            return true
        } catch {
            try locker.execute("ROLLBACK")
            if error.code == "42P01" || error.code == "3F000" { return false }
            throw error.during("locking the tables of \(locker.place)")
        }
    }

    /// The first look of the transaction, which is its snapshot from here on.
    private static func begin(
        _ tables: [PostgresTableID], on locker: PostgresConnection, _ address: PostgresAddress,
        _ options: SnapshotOptions
    ) throws(Failure) -> PostgresLocks {
        var start: String?
        if let slot = options.slot, !options.isTrial {
            let made = try PostgresSlot.create(
                slot, for: tables.filter(\.isLockable), address, stop: locker.stop)
            try locker.execute(
                "SET TRANSACTION SNAPSHOT \(PostgresQuoting.literal(made.snapshot))")
            start = made.position
            // The locker's own export keeps it alive from here on.
            made.connection.close()
        }
        guard let snapshot = try locker.text("SELECT pg_export_snapshot()") else {
            throw Failure(.bug, "the server exported a snapshot without a name")
        }
        let nameless = tables.filter { $0.isLockable && !$0.hasReplicaIdentity }
        return PostgresLocks(
            snapshot: snapshot, start: start,
            insertOnly: options.slot == nil ? [] : nameless.map(\.name))
    }
}
