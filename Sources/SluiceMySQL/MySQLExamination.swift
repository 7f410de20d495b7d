internal import SluiceCore
internal import SluiceRecords

/// What `doctor` looks at on a source before the window.
struct MySQLExamination {
    let findings: [Finding]

    init(_ address: MySQLAddress, window: Duration) {
        var findings: [Finding] = []
        do throws(Failure) {
            let connection = try MySQLConnection(address, stop: StopSignal())
            findings += MySQLExamination.findings(on: connection.flavor)
            try MySQLExamination.look(connection, window, &findings)
        } catch {
            findings.append(Finding(.fail, error.headline, remedy: error.hint))
        }
        self.findings = findings
    }

    static func findings(on flavor: MySQLFlavor) -> [Finding] {
        let answer = Finding(.pass, "\(flavor.product) \(flavor.text) answers")
        guard !flavor.isTested else { return [answer] }
        return [
            answer,
            Finding(
                .warn, "sluice is tested with MariaDB 10.11 only",
                remedy: "Try the whole window with this version first."),
        ]
    }

    private static func look(
        _ connection: MySQLConnection, _ window: Duration, _ findings: inout [Finding]
    ) throws(Failure) {
        try lookAtTables(connection, &findings)
        let log = try MySQLLog(connection)
        try lookAtLog(log, connection, window, &findings)
        try lookAtLocks(log, connection, &findings)
        try lookAtReplication(connection, &findings)
        try lookAtSessions(connection, &findings)
    }

    private static func lookAtTables(
        _ connection: MySQLConnection, _ findings: inout [Finding]
    ) throws(Failure) {
        let tables = try MySQLLocks.tables(connection) { _ in true }
        var unread: [Name] = []
        for name in tables {
            do throws(Failure) {
                try connection.execute("SELECT 1 FROM \(name.quoted) LIMIT 0")
            } catch  where error.kind == .failed {
                unread.append(name)
            }
        }
        if let first = unread.first {
            let more = unread.count > 1 ? " and \(unread.count - 1) more" : ""
            findings.append(
                Finding(
                    .fail, "\(first)\(more) may not be read",
                    remedy: "Grant SELECT to this user, repair them, or leave them out with "
                        + "--exclude."))
        } else {
            findings.append(Finding(.pass, "every table may be read"))
        }
        let catalog = try MySQLCatalog(reading: connection) { !unread.contains($0.name.table) }
        let still = catalog.tables.filter { !$0.isTransactional }
        if let first = still.first {
            findings.append(
                Finding(
                    .warn,
                    still.count == 1
                        ? "\(first.name) has the engine \(first.engine), which has no snapshots"
                        : "\(first.name) and \(still.count - 1) more have engines without snapshots",
                    remedy: "Use --consistency locked, or leave them out with --exclude."))
        }
        let keyless = catalog.tables.filter { MySQLKey(of: $0) == nil && $0.byteCount > 1 << 30 }
        findings += MySQLExamination.findings(keyless: keyless.map(\.name))
    }

    /// - Parameter tables: large ones that one lane reads alone.
    static func findings(keyless tables: [TableName]) -> [Finding] {
        guard let first = tables.first else { return [] }
        let what =
            tables.count == 1 ? "\(first) has" : "\(first) and \(tables.count - 1) more have"
        return [
            Finding(
                .warn, "\(what) no key whose ranges can be read side by side",
                remedy: "One lane reads such a table; a primary key would let all of them.")
        ]
    }

    private static func lookAtLog(
        _ log: MySQLLog, _ connection: MySQLConnection, _ window: Duration,
        _ findings: inout [Finding]
    ) throws(Failure) {
        if let gap = log.gap {
            findings.append(
                Finding(
                    .warn, "the position will not be exact: \(gap)",
                    remedy: "Only change capture from the snapshot needs it."))
            return
        }
        findings += MySQLExamination.findings(
            format: try connection.text("SELECT @@GLOBAL.binlog_format") ?? "ROW",
            image: try connection.text("SELECT @@GLOBAL.binlog_row_image") ?? "FULL",
            keptFor: try retention(connection), window: window)
    }

    /// - Parameter seconds: 0: without a limit.
    static func findings(
        format: String, image: String, keptFor seconds: Int, window: Duration
    ) -> [Finding] {
        let days = seconds / 86_400
        return [
            format == "ROW" && image == "FULL"
                ? Finding(.pass, "the binary log has whole rows")
                : Finding(
                    .warn, "the binary log has format \(format) and row image \(image)",
                    remedy: "Change capture needs binlog_format = ROW and binlog_row_image = FULL."
                ),
            seconds > 0 && .seconds(seconds) < window
                ? Finding(
                    .warn, "the binary log is kept for \(seconds) seconds",
                    remedy: "Raise binlog_expire_logs_seconds to the time that export, load and "
                        + "catching up take: as long as --time-limit says, else a day.")
                : Finding(
                    .pass,
                    seconds == 0
                        ? "the binary log is kept until somebody purges it"
                        : days == 0
                            ? "the binary log is kept for \(seconds) seconds"
                            : "the binary log is kept for \(days) day\(days == 1 ? "" : "s")"),
        ]
    }

    /// 0: without a limit.
    private static func retention(_ connection: MySQLConnection) throws(Failure) -> Int {
        let rows = try connection.query("SHOW GLOBAL VARIABLES LIKE '%expire_logs%'")
        var found = 0
        for row in rows.rows {
            switch rows.text(row, 0).lowercased() {
            case "binlog_expire_logs_seconds": found = max(found, rows.integer(row, 1))
            // May have a fraction.
            case "expire_logs_days":
                let days = Double(rows.text(row, 1)) ?? 0
                found = max(found, Int(days * 86_400))
            default: continue
            }
        }
        return found
    }
}

// MARK: Locks, replication, sessions

extension MySQLExamination {
    private static func lookAtLocks(
        _ log: MySQLLog, _ connection: MySQLConnection, _ findings: inout [Finding]
    ) throws(Failure) {
        if connection.flavor.hasBinlogSnapshot, log.isComplete {
            findings.append(Finding(.pass, "all lanes can be shown to see one instant"))
            return
        }
        let grants = try connection.query("SHOW GRANTS")
        let text = grants.rows.map { grants.text($0, 0).uppercased() }
        let mayFlush = text.contains { line in
            line.contains(" ON *.*")
                && (line.contains("ALL PRIVILEGES") || line.contains("RELOAD")
                    || line.contains("FLUSH_TABLES"))
        }
        let mayLock = text.contains { $0.contains("LOCK TABLES") || $0.contains("ALL PRIVILEGES") }
        if mayFlush {
            findings.append(Finding(.pass, "a global read lock may be taken for a moment"))
        } else if mayLock {
            findings.append(Finding(.pass, "the tables may be locked for a moment"))
        } else {
            findings.append(
                Finding(
                    .warn, "this user may take no read lock",
                    remedy: "Grant RELOAD or LOCK TABLES, or use --lanes 1."))
        }
    }

    private static func lookAtReplication(
        _ connection: MySQLConnection, _ findings: inout [Finding]
    ) throws(Failure) {
        for channel in try MySQLReplication.channels(connection) {
            let name = channel.name.isEmpty ? "" : " \(channel.name)"
            findings.append(
                channel.isRunning
                    ? Finding(.pass, "a replica, which may be stopped (--consistency replica)")
                    : Finding(
                        .warn, "the SQL thread of the replica's channel\(name) stands still",
                        remedy: "Was it sluice? sluice status --release lets it go on; otherwise "
                            + "START SLAVE SQL_THREAD."))
        }
    }

    private static func lookAtSessions(
        _ connection: MySQLConnection, _ findings: inout [Finding]
    ) throws(Failure) {
        do throws(Failure) {
            let seconds =
                try connection.integer(
                    """
                    SELECT COALESCE(MAX(TIMESTAMPDIFF(SECOND, trx_started, NOW())), 0)
                    FROM information_schema.INNODB_TRX
                    """) ?? 0
            findings += MySQLExamination.findings(
                oldest: seconds, prepared: try connection.query("XA RECOVER").rowCount)
        } catch  where MySQLPrivilege.isMissing(error) {
            findings.append(
                Finding(
                    .warn, "long transactions cannot be looked for",
                    remedy: "Grant PROCESS to this user."))
        }
    }

    /// - Parameters:
    ///   - seconds: for how long the oldest transaction has been open.
    ///   - prepared: how many wait for their second half.
    static func findings(oldest seconds: Int, prepared: Int) -> [Finding] {
        var findings: [Finding] = []
        if seconds > 60 {
            findings.append(
                Finding(
                    .warn, "a transaction has been open for \(seconds) seconds",
                    remedy:
                        "A lock may have to wait for it; information_schema.INNODB_TRX shows it."
                ))
        }
        if prepared > 0 {
            findings.append(
                Finding(
                    .warn,
                    "\(prepared) prepared transaction\(prepared == 1 ? " is" : "s are") open",
                    remedy: "What they wrote is in no snapshot; commit them or roll them back."))
        }
        return findings
    }
}
