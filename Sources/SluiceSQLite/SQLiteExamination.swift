internal import CSQLite
internal import SluiceCore
internal import SluiceRecords

/// What `doctor` looks at in a SQLite file that is to be read: nothing that takes long, nothing
/// that changes it.
struct SQLiteExamination {
    private(set) var findings: [Finding] = []

    /// Larger files are not read through for the sake of a check.
    private static let checkedBytes = 64 << 20
    /// A WAL beyond this is worth a word.
    private static let largeWAL = 256 << 20

    init(_ path: String) {
        do throws(Failure) {
            let connection = try SQLiteConnection(
                path, .read, busyLimit: .seconds(2), stop: StopSignal())
            let byteCount = try describe(connection)
            try lock(connection)
            try journal(connection)
            try contents(connection, byteCount)
            if SQLiteStamp.walByteCount(of: path + "-wal") == 0 {
                sluice_sqlite3_switch(connection.handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0)
            }
            connection.close()
        } catch {
            note(.fail, error.headline, error.hint)
        }
    }

    private mutating func note(_ verdict: Finding.Verdict, _ what: String, _ remedy: String? = nil)
    {
        findings.append(Finding(verdict, what, remedy: remedy))
    }

    private mutating func describe(_ connection: SQLiteConnection) throws(Failure) -> Int {
        let pages = try connection.integer("PRAGMA main.page_count") ?? 0
        let size = try connection.integer("PRAGMA main.page_size") ?? 0
        let encoding = try connection.encoding()
        note(
            .pass,
            "\(connection.path) is a SQLite database of \(pages) pages of \(size) bytes in "
                + "\(encoding.rawValue)"
        )
        return pages.multipliedReportingOverflow(by: size).partialValue
    }

    private mutating func lock(_ connection: SQLiteConnection) throws(Failure) {
        // SQLite grants a lock on a file that it cannot write, and means one for reading.
        guard !connection.isReadOnly else {
            return note(
                .warn, "the file cannot be locked for writing, so that one lane reads it alone",
                "Run as a user who may write the file and its folder.")
        }
        do throws(Failure) {
            try connection.execute("PRAGMA query_only = 0; BEGIN IMMEDIATE; ROLLBACK")
            note(
                .pass, "the file can be locked for writing, so that several lanes share a snapshot")
        } catch {
            guard error.kind == .unavailable else { throw error }
            note(.warn, "another program is writing to the file", error.hint)
        }
        try connection.execute("PRAGMA query_only = 1")
    }

    private mutating func journal(_ connection: SQLiteConnection) throws(Failure) {
        let mode = try connection.text("PRAGMA main.journal_mode") ?? ""
        guard Name(mode) == "wal" else {
            return note(
                .warn,
                "in journal mode \(mode) other programs cannot commit while the file is read",
                "Stop them for the time of the export, or switch to PRAGMA journal_mode = wal.")
        }
        let byteCount = SQLiteStamp.walByteCount(of: connection.path + "-wal")
        guard byteCount > SQLiteExamination.largeWAL else {
            return note(
                .pass, "in journal mode wal other programs can write while the file is read")
        }
        note(
            .warn, "the WAL has \(byteCount) bytes, which makes reading slow",
            "Run PRAGMA wal_checkpoint(TRUNCATE) before the window.")
    }

    private mutating func contents(_ connection: SQLiteConnection, _ byteCount: Int)
        throws(Failure)
    {
        let catalog = try SQLiteCatalog(reading: connection)
        for warning in catalog.warnings { note(.warn, warning) }
        guard byteCount <= SQLiteExamination.checkedBytes else {
            return note(
                .pass, "the file is too large to check its pages here",
                "Run PRAGMA quick_check with sqlite3 before the window.")
        }
        let answer = try connection.text("PRAGMA main.quick_check(1)") ?? ""
        if Name(answer) == "ok" {
            note(.pass, "the file's pages are in order")
        } else {
            note(
                .fail, "the file is damaged: \(answer)",
                "Look at it with PRAGMA integrity_check; .recover of sqlite3 saves what can be "
                    + "read."
            )
        }
        foreignKeys(connection)
    }

    private mutating func foreignKeys(_ connection: SQLiteConnection) {
        do throws(Failure) {
            let orphans = try connection.prepare("PRAGMA main.foreign_key_check")
            var count = 0
            while try orphans.step() { count += 1 }
            guard count > 0 else { return }
            note(
                .warn, "\(count) rows refer to rows that are not there",
                "PRAGMA foreign_key_check lists them; a target that enforces foreign keys "
                    + "refuses them."
            )
        } catch {
            note(.warn, "foreign keys cannot be checked: \(error.message)")
        }
    }
}
