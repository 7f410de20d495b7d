internal import CSQLite
internal import Glibc
internal import SluiceCore

/// One connection to a SQLite file. Used by one lane at a time.
///
/// `close` is called by the owner, or happens when the last reference goes.
final class SQLiteConnection: @unchecked Sendable {
    // Unchecked because it is opened on one lane and handed to another: SQLite allows that for a
    // connection without a mutex as long as two threads never use it at once, which the owner sees
    // to.

    enum Access {
        /// Reads only; the file must exist. SQLite may still recover a journal that a crash left
        /// behind.
        case read
        /// Reads and writes; the file must exist.
        case write
        /// Reads and writes; makes the file where there is none.
        case create
        /// A database of its own that no file holds.
        case memory
    }

    /// As the user gave it, for messages.
    let path: String
    let handle: OpaquePointer
    private let patience: Patience
    private var isClosed = false
    private var knownEncoding: SQLiteEncoding?

    /// - Parameter busyLimit: how long a statement waits for another process's lock before it
    ///   fails.
    init(
        _ path: String, _ access: Access, busyLimit: Duration = .seconds(10), stop: StopSignal
    ) throws(Failure) {
        if access != .memory { try SQLiteFile.check(path, mayBeMissing: access == .create) }
        var opened: OpaquePointer?
        let writing = SQLITE_OPEN_READWRITE | (access == .create ? SQLITE_OPEN_CREATE : 0)
        let flags = writing | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
        let file = access == .memory ? ":memory:" : SQLiteFile.plain(path)
        let code = sqlite3_open_v2(file, &opened, flags, nil)
        guard let handle = opened else {
            throw Failure(.failed, "no memory for a connection to \(path)")
        }
        guard code == SQLITE_OK else {
            let failure = SQLiteFailure.failure(of: handle, code, path: path, stop: stop)
            sqlite3_close_v2(handle)
            throw failure
        }
        self.path = path
        self.handle = handle
        patience = Patience(stop: stop, limit: busyLimit)
        let patience = Unmanaged.passUnretained(self.patience).toOpaque()
        sqlite3_busy_handler(handle, waitForLock, patience)
        // About every millisecond of SQLite's own work.
        sqlite3_progress_handler(handle, 20_000, askWhetherToStop, patience)
        if access == .read { try prepareForReading() }
    }

    deinit {
        close()
    }

    /// A source is left as it was found: nothing is written, and no checkpoint moves its WAL into
    /// it.
    ///
    /// The schema stays trusted: SQLite before 3.41 takes its own JSON functions for unsafe ones,
    /// and would not open a file that has them in an index. No view and no trigger of the file is
    /// ever run here.
    private func prepareForReading() throws(Failure) {
        try check(sluice_sqlite3_switch(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1))
        // A quoted name that does not exist is an error, not a string. Schemas may still rely on
        // that.
        try check(sluice_sqlite3_switch(handle, SQLITE_DBCONFIG_DQS_DML, 0))
        try execute("PRAGMA query_only = 1; PRAGMA cell_size_check = 1")
    }

    /// Closes it; an open transaction is rolled back. May be called twice.
    func close() {
        guard !isClosed else { return }
        isClosed = true
        sqlite3_close_v2(handle)
    }

    var stop: StopSignal { patience.stop }

    /// Whether the file could only be opened for reading.
    var isReadOnly: Bool { sqlite3_db_readonly(handle, "main") == 1 }

    /// How many rows the last INSERT, UPDATE or DELETE changed.
    var changedRowCount: Int { Int(sqlite3_changes64(handle)) }

    enum Transaction {
        case none
        case reading
        case writing
    }

    /// What SQLite itself says about the transaction that is open on the file.
    var transaction: Transaction {
        switch sqlite3_txn_state(handle, "main") {
        case SQLITE_TXN_WRITE: .writing
        case SQLITE_TXN_READ: .reading
        default: .none
        }
    }

    /// Runs every statement of `sql`; rows that come back are ignored.
    func execute(_ sql: String) throws(Failure) {
        var sql = sql
        let code = sql.withUTF8 { text -> Int32 in
            var rest = UnsafeRawBufferPointer(text)
            while !rest.isEmpty {
                var compiled: OpaquePointer?
                var tail: UnsafePointer<CChar>?
                let start = rest.assumingMemoryBound(to: CChar.self)
                let code = sqlite3_prepare_v3(
                    handle, start.baseAddress, Int32(clamping: rest.count), 0, &compiled, &tail)
                guard code == SQLITE_OK else { return code }
                guard let end = tail, let base = start.baseAddress else { return SQLITE_OK }
                rest = UnsafeRawBufferPointer(rebasing: rest[(end - base)...])
                // A comment or white space compiles to nothing.
                guard let compiled else {
                    if end == base { return SQLITE_OK }
                    continue
                }
                var step = sqlite3_step(compiled)
                while step == SQLITE_ROW { step = sqlite3_step(compiled) }
                let finalCode = sqlite3_finalize(compiled)
                guard step == SQLITE_DONE else { return finalCode }
            }
            return SQLITE_OK
        }
        try check(code)
    }

    /// Compiles the first statement of `sql`, which must not be empty.
    func prepare(_ sql: String) throws(Failure) -> SQLiteStatement {
        try SQLiteStatement(sql, on: self)
    }

    /// The first column of the first row as an integer, or nothing where there is no row or it is
    /// NULL.
    func integer(_ sql: String) throws(Failure) -> Int? {
        let statement = try prepare(sql)
        guard try statement.step(), statement.kind(0) != .null else { return nil }
        return Int(statement.integer(0))
    }

    /// The first column of the first row as text, or nothing where there is no row, it is NULL or
    /// not UTF-8.
    func text(_ sql: String) throws(Failure) -> String? {
        let statement = try prepare(sql)
        guard try statement.step(), statement.kind(0) != .null else { return nil }
        return statement.string(0)
    }

    /// How the file stores its text; asked once.
    func encoding() throws(Failure) -> SQLiteEncoding {
        if let knownEncoding { return knownEncoding }
        let name = try text("PRAGMA main.encoding") ?? ""
        let encoding = SQLiteEncoding(rawValue: name) ?? .utf8
        knownEncoding = encoding
        return encoding
    }

    /// Throws what `code` means unless it is success.
    func check(_ code: Int32) throws(Failure) {
        guard code == SQLITE_OK || code == SQLITE_DONE || code == SQLITE_ROW else {
            throw failure(code)
        }
    }

    /// What the code of the call that just failed on this connection means.
    func failure(_ code: Int32) -> Failure {
        SQLiteFailure.failure(of: handle, code, path: path, stop: stop)
    }
}

/// What SQLite's callbacks need to know: how long to wait, and whether to stop.
private final class Patience {
    let stop: StopSignal
    let limit: Duration
    var waitedSince = Clock.now

    init(stop: StopSignal, limit: Duration) {
        self.stop = stop
        self.limit = limit
    }
}

/// SQLite's busy handler: tries again until the limit is over or somebody wants the work to end.
private func waitForLock(_ argument: UnsafeMutableRawPointer?, _ attempt: Int32) -> Int32 {
    guard let argument else { return 0 }
    let patience = Unmanaged<Patience>.fromOpaque(argument).takeUnretainedValue()
    if attempt == 0 { patience.waitedSince = Clock.now }
    guard patience.stop.reason == nil, Clock.now - patience.waitedSince < patience.limit else {
        return 0
    }
    // Short pauses: between two transactions of a busy writer there is little time.
    Clock.sleep(.milliseconds(min(1 + Int(attempt), 10)))
    return 1
}

/// SQLite's progress handler: a long statement ends when somebody wants the work to end.
private func askWhetherToStop(_ argument: UnsafeMutableRawPointer?) -> Int32 {
    guard let argument else { return 0 }
    return Unmanaged<Patience>.fromOpaque(argument).takeUnretainedValue().stop.reason == nil ? 0 : 1
}
