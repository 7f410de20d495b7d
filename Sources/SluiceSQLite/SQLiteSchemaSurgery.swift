internal import CSQLite
internal import SluiceCore

/// What no statement can say: entries of `sqlite_schema` written by hand, as `.dump` and `.recover`
/// do. Within a transaction of the caller.
struct SQLiteSchemaSurgery {
    private let connection: SQLiteConnection

    init(_ connection: SQLiteConnection) {
        self.connection = connection
    }

    /// Enters a virtual table without asking its module to make the tables behind it.
    ///
    /// VACUUM moves virtual tables behind all others, so that in most sources the tables behind one
    /// come before it, and CREATE VIRTUAL TABLE would find them in its way. They are made as what
    /// they are, and filled with their rows.
    func addVirtualTable(_ name: Name, sql: String) throws(Failure) {
        try editing { () throws(Failure) in
            let entry = try connection.prepare(
                "INSERT INTO sqlite_schema(type, name, tbl_name, rootpage, sql)"
                    + " VALUES('table', ?1, ?1, 0, ?2)")
            try entry.bind(name.text, at: 1)
            try entry.bind(sql, at: 2)
            try entry.run()
        }
    }

    /// Removes a virtual table and leaves the tables behind it.
    func removeVirtualTable(_ name: Name) throws(Failure) {
        try editing { () throws(Failure) in
            let entry = try connection.prepare(
                "DELETE FROM sqlite_schema WHERE type = 'table' AND rootpage = 0 AND name = ?1")
            try entry.bind(name.text, at: 1)
            try entry.run()
        }
    }

    /// Makes one of SQLite's own tables, as SQLite would; at its place in the order, which `.dump`
    /// shows.
    func addOwnTable(_ name: Name) throws(Failure) {
        let columns =
            switch name.folded {
            case "sqlite_sequence": "name,seq"
            case "sqlite_stat1": "tbl,idx,stat"
            case "sqlite_stat3", "sqlite_stat4": "tbl,idx,neq,nlt,ndlt,sample"
            default:
                throw SQLiteSchemaStatement.refusal(
                    "table \(name)", "has a name that SQLite keeps for itself")
            }
        try connection.execute("PRAGMA writable_schema = 1")
        defer { sqlite3_exec(connection.handle, "PRAGMA writable_schema = 0", nil, nil, nil) }
        try connection.execute("CREATE TABLE \(name.folded)(\(columns))")
    }

    private func editing(_ body: () throws(Failure) -> Void) throws(Failure) {
        try connection.execute("PRAGMA writable_schema = 1")
        // Reads the schema anew, this connection's own copy.
        defer { sqlite3_exec(connection.handle, "PRAGMA writable_schema = RESET", nil, nil, nil) }
        try body()
        // And so that every other connection does.
        let version = try connection.integer("PRAGMA schema_version") ?? 0
        try connection.execute("PRAGMA schema_version = \(version + 1)")
    }
}
