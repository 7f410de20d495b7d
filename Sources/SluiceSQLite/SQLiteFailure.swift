internal import CSQLite
internal import Glibc
internal import SluiceCore

/// The one way from SQLite's result codes to failures.
enum SQLiteFailure {
    /// What `code` means, which the last call on this connection gave.
    static func failure(
        of handle: OpaquePointer, _ code: Int32, path: String, stop: StopSignal
    ) -> Failure {
        make(
            code, message: String(cString: sqlite3_errmsg(handle)), path: path,
            systemError: sqlite3_system_errno(handle), stop: stop)
    }

    /// - Parameter message: SQLite's own; it names tables and columns, never values.
    static func make(
        _ code: Int32, message: String, path: String, systemError: Int32, stop: StopSignal
    ) -> Failure {
        // A wait for a lock ends early, too, when somebody wants the work to end.
        if [SQLITE_INTERRUPT, SQLITE_BUSY].contains(code & 0xFF), let reason = stop.reason {
            return reason.failure
        }
        switch code & 0xFF {
        case SQLITE_BUSY, SQLITE_LOCKED:
            return Failure(
                .unavailable, "\(path) is locked by another connection", code: name(code),
                hint: "Wait until the program that holds it is done, or stop it.", isTransient: true
            )
        case SQLITE_NOTADB:
            return Failure(
                .usage, "\(path) is not a SQLite database, or it is encrypted", code: name(code),
                hint: "Check the path.")
        case SQLITE_CORRUPT:
            return Failure(
                .failed, "\(path) is damaged: \(message)", code: name(code),
                hint:
                    "Look at it with sqlite3 and PRAGMA integrity_check; .recover saves what can "
                    + "be read."
            )
        case SQLITE_FULL:
            return full(path, code)
        case SQLITE_CANTOPEN, SQLITE_PERM, SQLITE_READONLY:
            return shut(code, path: path, systemError: systemError)
        case SQLITE_IOERR:
            return input(code, path: path, systemError: systemError)
        case SQLITE_INTERRUPT:
            return Failure(.interrupted, "a statement on \(path) was interrupted", code: name(code))
        case SQLITE_SCHEMA:
            return Failure(
                .failed, "the schema of \(path) was changed by another program", code: name(code),
                hint: "Run the same command again when nothing else changes the schema.",
                isTransient: true)
        case SQLITE_NOMEM:
            return Failure(.failed, "no memory for SQLite", code: name(code))
        case SQLITE_TOOBIG:
            return Failure(
                .failed, "a row or a value is longer than SQLite takes", code: name(code),
                hint: "SQLite's limit is 1,000,000,000 bytes for a value and for a row.")
        case SQLITE_MISUSE:
            return Failure(
                .bug, "SQLite was called in the wrong order: \(message)", code: name(code))
        default:
            return Failure(.failed, message, code: name(code))
        }
    }

    // The header's macros for these are expressions, which Swift does not import.
    private static let readOnlyRecovery = SQLITE_READONLY | 1 << 8
    private static let readOnlyRollback = SQLITE_READONLY | 3 << 8
    private static let readOnlyCannotBegin = SQLITE_READONLY | 5 << 8
    private static let readOnlyFolder = SQLITE_READONLY | 6 << 8

    private static func full(_ path: String, _ code: Int32) -> Failure {
        Failure(
            .failed, "no space left for \(path)", code: name(code),
            hint: "Make room where the file is, then run the same command again.")
    }

    /// A file that may not be opened, read or written the way it is needed.
    private static func shut(_ code: Int32, path: String, systemError: Int32) -> Failure {
        switch code {
        case readOnlyRecovery, readOnlyRollback, readOnlyCannotBegin:
            return Failure(
                .failed,
                "\(path) was left unfinished by a crash and cannot be recovered without writing",
                code: name(code),
                hint:
                    "Run as a user who may write the file and its folder, or open it once with "
                    + "sqlite3."
            )
        case readOnlyFolder:
            return Failure(
                .failed, "no permission to write into the folder of \(path)", code: name(code),
                hint: "SQLite keeps its journal there; run as a user who may write the folder.")
        default: break
        }
        if code & 0xFF == SQLITE_READONLY {
            return Failure(
                .failed, "\(path) cannot be written", code: name(code),
                hint: "Run as a user who may write the file and its folder.")
        }
        if systemError == EACCES || systemError == EPERM || code & 0xFF == SQLITE_PERM
            || access(path, R_OK) != 0 && errno == EACCES
        {
            return Failure(
                .failed, "no permission to open \(path)", code: name(code),
                hint: "Run as a user who may read and write the file and its folder.")
        }
        let folder = SQLiteFile.folder(of: path)
        if access(path, F_OK) != 0, access(folder, W_OK | X_OK) != 0 {
            let reason = SQLiteFile.systemText(errno)
            return Failure(
                .failed, "\(path) cannot be made in the folder \(folder): \(reason)",
                code: name(code), hint: "Give a path in a folder that can be written.")
        }
        let reason = systemError == 0 ? "" : ": \(SQLiteFile.systemText(systemError))"
        return Failure(
            .failed, "\(path) or one of its companions cannot be opened\(reason)", code: name(code),
            hint:
                "A database in WAL mode needs its -wal and -shm files, or a folder to make them in."
        )
    }

    private static func input(_ code: Int32, path: String, systemError: Int32) -> Failure {
        if systemError == ENOSPC || systemError == EDQUOT { return full(path, code) }
        let reason = systemError == 0 ? "" : ": \(SQLiteFile.systemText(systemError))"
        return Failure(
            .failed, "the disk or file system failed under \(path)\(reason)", code: name(code),
            hint: "Look at the system's log; the file may be damaged.")
    }

    /// The code as SQLite's documentation writes it, with its number behind where it has a finer
    /// meaning.
    static func name(_ code: Int32) -> String {
        let primary = Int(code & 0xFF)
        guard primary < names.count else { return "SQLite \(code)" }
        return code > 0xFF ? "\(names[primary]) \(code)" : names[primary]
    }

    private static let names = [
        "SQLITE_OK", "SQLITE_ERROR", "SQLITE_INTERNAL", "SQLITE_PERM", "SQLITE_ABORT",
        "SQLITE_BUSY",
        "SQLITE_LOCKED", "SQLITE_NOMEM", "SQLITE_READONLY", "SQLITE_INTERRUPT", "SQLITE_IOERR",
        "SQLITE_CORRUPT", "SQLITE_NOTFOUND", "SQLITE_FULL", "SQLITE_CANTOPEN", "SQLITE_PROTOCOL",
        "SQLITE_EMPTY", "SQLITE_SCHEMA", "SQLITE_TOOBIG", "SQLITE_CONSTRAINT", "SQLITE_MISMATCH",
        "SQLITE_MISUSE", "SQLITE_NOLFS", "SQLITE_AUTH", "SQLITE_FORMAT", "SQLITE_RANGE",
        "SQLITE_NOTADB",
    ]
}
