internal import SluiceCore
internal import SluiceRecords

/// What `doctor` looks at on a source before the window.
struct PostgresExamination {
    let findings: [Finding]

    init(_ address: PostgresAddress) {
        var findings: [Finding] = []
        do throws(Failure) {
            let connection = try PostgresConnection(address, stop: StopSignal())
            let version = try connection.text("SHOW server_version") ?? "?"
            findings.append(Finding(.pass, "PostgreSQL \(version) answers"))
            try PostgresExamination.look(connection, &findings)
        } catch {
            findings.append(Finding(.fail, error.headline, remedy: error.hint))
        }
        self.findings = findings
    }

    private static func look(
        _ connection: PostgresConnection, _ findings: inout [Finding]
    ) throws(Failure) {
        if connection.version / 10_000 != 15 {
            findings.append(
                Finding(
                    .warn, "sluice is tested with PostgreSQL 15 only",
                    remedy: "Try the whole window with this version first."))
        }
        let isStandby = try connection.boolean("SELECT pg_is_in_recovery()")
        findings.append(try privileges(connection))
        if isStandby {
            try lookAtStandby(connection, &findings)
        } else {
            try lookAtPrimary(connection, &findings)
        }
        try lookAtSessions(connection, &findings)
    }

    private static func privileges(_ connection: PostgresConnection) throws(Failure) -> Finding {
        let rows = try connection.query(
            """
            SELECT c.oid::regclass FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE \(PostgresCatalog.isTable) AND NOT has_table_privilege(c.oid, 'SELECT')
            ORDER BY c.oid
            """)
        guard rows.rowCount > 0 else { return Finding(.pass, "every table may be read") }
        let more = rows.rowCount > 1 ? " and \(rows.rowCount - 1) more" : ""
        return Finding(
            .fail, "\(rows.text(0, 0))\(more) may not be read",
            remedy: "Grant SELECT to this user (the role pg_read_all_data has it), or leave them "
                + "out with --exclude.")
    }

    private static func lookAtStandby(
        _ connection: PostgresConnection, _ findings: inout [Finding]
    ) throws(Failure) {
        let mayPause = try connection.boolean(
            "SELECT has_function_privilege('pg_wal_replay_pause()', 'EXECUTE')")
        findings.append(
            mayPause
                ? Finding(.pass, "a standby whose replay may be paused (--consistency replica)")
                : Finding(
                    .warn, "a standby whose replay may not be paused",
                    remedy: "Grant EXECUTE on pg_wal_replay_pause() and pg_wal_replay_resume()."))
        findings += try held(connection)
    }

    /// What an export holds beyond its transactions, or left behind.
    static func held(_ connection: PostgresConnection) throws(Failure) -> [Finding] {
        guard try connection.boolean("SELECT pg_is_in_recovery()") else {
            return try slots(connection) + publications(connection)
        }
        let state = try PostgresReplay.state(connection)
        guard state != "not paused" else { return [] }
        return [
            Finding(
                .warn, "replay is \(state)",
                remedy: "If no export is at work there: sluice status --release with the store of "
                    + "its dataset, or SELECT pg_wal_replay_resume().")
        ]
    }

    private static func lookAtPrimary(
        _ connection: PostgresConnection, _ findings: inout [Finding]
    ) throws(Failure) {
        let level = try connection.text("SHOW wal_level") ?? ""
        guard level == "logical" else {
            findings.append(
                Finding(
                    .warn, "wal_level is \(level): --position slot is not possible",
                    remedy: "Set wal_level = logical and restart the server if change capture is "
                        + "to start from the snapshot."))
            return
        }
        let slots = try connection.integer("SHOW max_replication_slots") ?? 0
        let usedSlots = try connection.integer("SELECT count(*) FROM pg_replication_slots") ?? 0
        let senders = try connection.integer("SHOW max_wal_senders") ?? 0
        let usedSenders = try connection.integer("SELECT count(*) FROM pg_stat_replication") ?? 0
        findings.append(
            slots > usedSlots && senders > usedSenders
                ? Finding(.pass, "\(slots - usedSlots) replication slots are free")
                : Finding(
                    .warn, "no replication slot or no sender is free",
                    remedy: "Raise max_replication_slots and max_wal_senders, or drop a slot."))
        let mayReplicate = try connection.boolean(
            "SELECT rolreplication OR rolsuper FROM pg_roles WHERE rolname = current_user")
        if !mayReplicate {
            findings.append(
                Finding(
                    .warn, "this user may make no replication slot",
                    remedy: "ALTER ROLE … REPLICATION, if --position slot is wanted."))
        }
        let kept = try connection.text("SHOW max_slot_wal_keep_size") ?? "-1"
        findings.append(
            kept == "-1"
                ? Finding(
                    .warn, "a slot keeps the log without a limit",
                    remedy: "Watch the disk until the next stage has caught up, or set "
                        + "max_slot_wal_keep_size.")
                : Finding(.pass, "a slot keeps at most \(kept) of the log"))
        findings += try held(connection)
    }

    private static func slots(_ connection: PostgresConnection) throws(Failure) -> [Finding] {
        let rows = try connection.query(
            """
            SELECT slot_name, active, coalesce(wal_status, '?'),
                pg_size_pretty(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn))
            FROM pg_replication_slots WHERE slot_name LIKE 'sluice\\_%' ORDER BY slot_name
            """)
        return rows.rows.map { row in
            let slot = rows.text(row, 0)
            let isLost = rows.text(row, 2) == "lost"
            let what = isLost ? "has lost its log" : "keeps \(rows.text(row, 3)) of the log"
            return Finding(
                isLost ? .fail : .warn, "the slot \(slot) \(what)",
                remedy: "When nobody needs it any more: sluice status --release with the store of "
                    + "its dataset, or SELECT pg_drop_replication_slot('\(slot)').")
        }
    }

    /// Those of a slot go with it; without one they are of no use.
    private static func publications(
        _ connection: PostgresConnection
    ) throws(Failure) -> [Finding] {
        let rows = try connection.query(
            """
            SELECT pubname FROM pg_publication AS p WHERE pubname LIKE 'sluice\\_%' AND NOT EXISTS (
                SELECT FROM pg_replication_slots
                WHERE slot_name IN (p.pubname, regexp_replace(p.pubname, '_inserts$', '')))
            ORDER BY pubname
            """)
        return rows.rows.map { row in
            Finding(
                .warn, "the publication \(rows.text(row, 0)) has no slot",
                remedy:
                    "DROP PUBLICATION \(Name(rows.text(row, 0)).quoted) when no export is at work.")
        }
    }

    private static func lookAtSessions(
        _ connection: PostgresConnection, _ findings: inout [Finding]
    ) throws(Failure) {
        let prepared =
            try connection.integer(
                "SELECT count(*) FROM pg_prepared_xacts WHERE database = current_database()") ?? 0
        if prepared > 0 {
            findings.append(
                Finding(
                    .warn, "\(prepared) prepared transactions are open",
                    remedy: "What they wrote is in no snapshot, and a slot waits for them; commit "
                        + "them or roll them back."))
        }
        let seconds =
            try connection.integer(
                """
                SELECT extract(epoch FROM max(clock_timestamp() - xact_start))::int8
                FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid()
                """) ?? 0
        if seconds > 60 {
            findings.append(
                Finding(
                    .warn, "a transaction has been open for \(seconds) seconds",
                    remedy: "Locks and slots may wait for it; pg_stat_activity shows it."))
        }
    }
}
