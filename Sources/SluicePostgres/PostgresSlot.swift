internal import SluiceCore
internal import SluiceRecords

/// A logical replication slot and the publication that goes with it, both of one name.
///
/// Tables whose rows nothing names in the log, for want of a replica identity, have a second
/// publication for their inserts: in the first one every update of theirs would fail.
enum PostgresSlot {
    /// What a slot gave when it was made.
    struct Start {
        /// Everything that was committed before it is in the snapshot, and nothing behind it.
        let position: String
        let snapshot: String
        /// Keeps the snapshot alive until somebody else has taken it.
        let connection: PostgresConnection
    }

    /// Looks whether a slot can be made and used, before anything is.
    static func check(
        _ connection: PostgresConnection, _ tables: [PostgresTableID]
    ) throws(Failure) {
        guard try connection.text("SHOW wal_level") == "logical" else {
            throw Failure(
                .failed, "\(connection.place) keeps no logical change log",
                hint: "Set wal_level = logical on the server and restart it, or leave --position "
                    + "slot out.")
        }
        let prepared =
            try connection.integer(
                "SELECT count(*) FROM pg_prepared_xacts WHERE database = current_database()") ?? 0
        guard prepared == 0 else {
            throw Failure(
                .failed, "\(connection.place) has prepared transactions, which a slot waits for",
                hint: "Commit them or roll them back; SELECT * FROM pg_prepared_xacts lists them.")
        }
        if let table = tables.first(where: \.isUnlogged) {
            throw Failure(
                .refused, "\(table.name) is unlogged, and its changes are in no log",
                hint: "Leave it out with --exclude.")
        }
    }

    /// Of the tables without replica identity.
    static func insertsName(_ name: String) -> String { "\(name)_inserts" }

    /// Makes the publications first: what a slot decodes must have it.
    static func create(
        _ name: String, for tables: [PostgresTableID], _ address: PostgresAddress,
        stop: StopSignal
    ) throws(Failure) -> Start {
        let maker = try PostgresConnection(address, stop: stop)
        let named = tables.filter(\.hasReplicaIdentity)
        try publish(name, named, "", on: maker)
        if named.count < tables.count {
            try publish(
                insertsName(name), tables.filter { !$0.hasReplicaIdentity },
                " WITH (publish = 'insert, truncate')", on: maker)
        }
        maker.close()
        let connection = try PostgresConnection(address, .replication, stop: stop)
        // This waits until every transaction that is under way has ended.
        let made = try connection.query(
            "CREATE_REPLICATION_SLOT \(Name(name).quoted) LOGICAL pgoutput EXPORT_SNAPSHOT")
        return Start(
            position: made.text(0, 1), snapshot: made.text(0, 2), connection: connection)
    }

    private static func publish(
        _ name: String, _ tables: [PostgresTableID], _ options: String,
        on connection: PostgresConnection
    ) throws(Failure) {
        let names = tables.map { "ONLY \($0.name.quoted)" }.joined(separator: ", ")
        let list = tables.isEmpty ? "" : " FOR TABLE \(names)"
        try connection.execute("CREATE PUBLICATION \(Name(name).quoted)\(list)\(options)")
    }

    /// The session that made a slot needs a moment to end. Not the usual policy of retries, which
    /// ends with the stop signal: this is the way out.
    private static let attemptLimit = 50

    /// Nothing where they are gone already.
    static func drop(_ name: String, on connection: PostgresConnection) throws(Failure) {
        let isThere = "SELECT count(*) FROM pg_replication_slots WHERE slot_name = $1"
        var attempts = 0
        while try connection.integer(isThere, [name]) ?? 0 > 0 {
            attempts += 1
            do throws(Failure) {
                _ = try connection.query("SELECT pg_drop_replication_slot($1)", [name])
            } catch  where error.code == "55006" {
                guard attempts < attemptLimit else {
                    throw Failure(
                        .unavailable, "the replication slot \(name) is in use", code: error.code,
                        hint: "Stop the subscription that reads it first.", isTransient: true)
                }
                Clock.sleep(.milliseconds(100))
            }
        }
        for publication in [name, insertsName(name)] {
            try connection.execute("DROP PUBLICATION IF EXISTS \(Name(publication).quoted)")
        }
    }
}
