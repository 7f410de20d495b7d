internal import SluiceCore
internal import SluiceRecords

/// The locks under which snapshots are opened.
enum MySQLLocks {
    /// How long other clients may queue behind our wait for a lock.
    static let limit: Duration = .seconds(5)
    private static let attemptLimit = 3
    private static let pause: Duration = .seconds(2)
    /// Several tables are opened by one statement, which joins them and reads none.
    private static let batchCount = 50

    /// Every wanted table as the session sees it now, by name.
    static func tables(
        _ connection: MySQLConnection, wants: (SourceTable) -> Bool
    ) throws(Failure) -> [Name] {
        let rows = try connection.query(
            """
            SELECT TABLE_NAME FROM information_schema.TABLES
            WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED')
            ORDER BY BINARY TABLE_NAME
            """)
        var names: [Name] = []
        for row in rows.rows {
            let name = try rows.name(row, 0)
            let table = SourceTable(name: TableName(name), estimatedRows: 0, estimatedBytes: 0)
            if !name.isSluice, wants(table) { names.append(name) }
        }
        return names
    }

    /// Opens each table in the session's transaction, so that until its end nobody changes a
    /// table's definition, empties or drops it.
    static func touch(_ tables: [Name], on connection: MySQLConnection) throws(Failure) {
        for start in stride(from: 0, to: tables.count, by: batchCount) {
            let names = tables[start..<min(start + batchCount, tables.count)]
            let list = names.map(\.quoted).joined(separator: ", ")
            try connection.execute("SELECT 1 FROM \(list) LIMIT 0")
        }
    }

    /// Read locks on the tables, or a global one where none are named, for as long as the session
    /// holds them. Other clients do not wait behind our waiting for longer than the limit.
    static func take(
        _ tables: [Name]?, on connection: MySQLConnection, limit: Duration = limit
    ) throws(Failure) {
        let list = tables.map { $0.map { "\($0.quoted) READ" }.joined(separator: ", ") }
        let statement = list.map { "LOCK TABLES \($0)" } ?? "FLUSH TABLES WITH READ LOCK"
        for attempt in 1... {
            do throws(Failure) {
                return try takeOnce(statement, on: connection, limit)
            } catch {
                guard error.code == "1205" || error.code == "1317",
                    connection.stop.reason == nil
                else { throw error }
                guard attempt < attemptLimit else {
                    throw Failure(
                        .unavailable,
                        "a read lock on \(connection.place) could not be had within "
                            + "\(limit.components.seconds) seconds, \(attemptLimit) times",
                        code: error.code,
                        hint: "A long statement of another session is in the way; run the same "
                            + "command again when it is done.")
                }
                Clock.sleep(pause)
            }
        }
    }

    private static func takeOnce(
        _ statement: String, on connection: MySQLConnection, _ limit: Duration
    ) throws(Failure) {
        // The server's own limit does not count all that this statement may wait for.
        connection.statementLimit = limit + .milliseconds(500)
        defer { connection.statementLimit = nil }
        try connection.execute("SET SESSION lock_wait_timeout = \(limit.components.seconds)")
        try connection.execute(statement)
    }

    static func release(on connection: MySQLConnection) throws(Failure) {
        try connection.execute("UNLOCK TABLES")
    }
}
