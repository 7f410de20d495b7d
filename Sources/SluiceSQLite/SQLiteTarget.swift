internal import CSQLite
internal import Glibc
public import SluiceCore
public import SluiceRecords
internal import Synchronization

/// A SQLite file that is written: one writer for the whole process, decoding in the lanes.
public final class SQLiteTarget: Target {
    static let engineName = "sqlite"

    public var engine: String { SQLiteTarget.engineName }
    public let place: String
    public var canLeaveOut: Bool { true }
    /// A file has one writer, and what it wrote is whole when it closes.
    public var readBackTime: ReadBackTime { .afterLoading }
    private let path: String
    private let busyLimit: Duration
    private let writer = Mutex<SQLiteWriter?>(nil)

    /// - Parameter path: as in the URL, everything behind `sqlite:`. The file is made by the first
    ///   session that writes.
    /// - Parameter busyLimit: how long another process's lock is waited for before the target
    ///   counts as unavailable.
    public init(path: String, busyLimit: Duration = .seconds(30)) {
        self.path = path
        self.busyLimit = busyLimit
        place = "sqlite:\(path)"
    }

    deinit {
        writer.withLock { $0?.close() }
    }

    /// By device and inode, so that neither a symbolic nor a hard link hides it.
    public func isSame(as source: JSON) -> Bool {
        guard source["engine"] == .string(SQLiteTarget.engineName), let other = source["path"]?.text
        else { return false }
        var mine = stat()
        var theirs = stat()
        // A file that is not there yet is no source's.
        guard stat(path, &mine) == 0, stat(other, &theirs) == 0 else { return false }
        return mine.st_dev == theirs.st_dev && mine.st_ino == theirs.st_ino
    }

    public func survey(_ request: LoadRequest?) throws(Failure) -> TargetSurvey {
        guard SQLiteTarget.exists(path) else {
            try SQLiteFile.check(path, mayBeMissing: true)
            return try SQLiteTargetSurvey(SQLiteSurvey(), nil, request).result()
        }
        let connection = try SQLiteConnection(
            path, .read, busyLimit: busyLimit, stop: StopSignal())
        defer { connection.close() }
        // One transaction: the ledger and the tables are seen as they are at one moment.
        try connection.execute("BEGIN")
        let found = try SQLiteSurvey(connection)
        return try SQLiteTargetSurvey(found, connection, request).result()
    }

    public func openSession(
        _ request: LoadRequest, stop: StopSignal
    ) throws(Failure) -> any TargetSession {
        let shared = writer.withLock { writer in
            if let writer, writer.serves(request) { return writer }
            // One request is carried out at a time; the sessions of the one before are closed.
            writer?.close()
            let made = SQLiteWriter(path, request, busyLimit: busyLimit, stop: stop)
            writer = made
            return made
        }
        return SQLiteTargetSession(shared, path: path, busyLimit: busyLimit, stop: stop)
    }

    public func openValueCheck(
        _ request: LoadRequest, stop: StopSignal
    ) throws(Failure) -> any ValueCheck {
        let file =
            SQLiteTarget.exists(path)
            ? try SQLiteConnection(path, .read, busyLimit: busyLimit, stop: stop) : nil
        return SQLiteValueCheck(request, file, stop: stop)
    }

    public func close() throws(Failure) {
        let ended = writer.withLock { writer in
            defer { writer = nil }
            return writer
        }
        ended?.close()
    }

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }
}

extension SQLiteTarget {
    public func examine() -> [Finding] {
        do throws(Failure) {
            guard SQLiteTarget.exists(path) else { return try examineFolder() }
            return try examineFile()
        } catch {
            return [Finding(.fail, error.headline, remedy: error.hint)]
        }
    }

    private func examineFolder() throws(Failure) -> [Finding] {
        try SQLiteFile.check(path, mayBeMissing: true)
        let folder = SQLiteFile.folder(of: path)
        guard access(folder, W_OK | X_OK) == 0 else {
            return [
                Finding(
                    .fail, "the folder \(folder) cannot be written",
                    remedy: "Run as a user who may write the folder.")
            ]
        }
        return [Finding(.pass, "\(path) can be made in the folder \(folder)")] + space(in: folder)
    }

    private func examineFile() throws(Failure) -> [Finding] {
        let connection = try SQLiteConnection(
            path, .write, busyLimit: .seconds(2), stop: StopSignal())
        defer { connection.close() }
        let pageSize = try connection.integer("PRAGMA page_size") ?? 0
        let journal = try connection.text("PRAGMA journal_mode") ?? ""
        var findings = [
            Finding(
                .pass,
                "\(path) is a SQLite database (page size \(pageSize), journal mode \(journal))")
        ]
        guard !connection.isReadOnly else {
            findings.append(
                Finding(
                    .fail, "\(path) cannot be written",
                    remedy: "Run as a user who may write the file and its folder."))
            return findings
        }
        do throws(Failure) {
            // The lock is taken and given back; nothing is written.
            try connection.execute("BEGIN IMMEDIATE; ROLLBACK")
            findings.append(Finding(.pass, "\(path) can be locked for writing"))
        } catch {
            findings.append(Finding(.fail, error.headline, remedy: error.hint))
        }
        return findings + space(in: SQLiteFile.folder(of: path))
    }

    private func space(in folder: String) -> [Finding] {
        var facts = statvfs()
        guard statvfs(folder, &facts) == 0 else { return [] }
        let free = (UInt64(facts.f_bavail) * UInt64(facts.f_frsize)) >> 20
        return free >= 64
            ? [Finding(.pass, "\(free) MiB are free in the folder \(folder)")]
            : [
                Finding(
                    .warn, "only \(free) MiB are free in the folder \(folder)",
                    remedy: "Make room before the window.")
            ]
    }
}
