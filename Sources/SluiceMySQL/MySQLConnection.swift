internal import CMariaDB
internal import Glibc
internal import SluiceCore

/// One session on a server. Used by one lane at a time.
///
/// Every wait for the server ends when the stop signal is raised: the statement is killed and the
/// signal's failure thrown; the session stays usable. `close` may be called twice, and happens when
/// the last reference goes.
final class MySQLConnection: @unchecked Sendable {
    // Unchecked because it is opened on one lane and may be handed to another; libmariadb allows
    // that as long as two threads never use it at once, which the owner sees to.

    /// Calls that may wait run on a stack of their own, callbacks of ours included.
    static let stackByteCount = 1 << 20

    let address: MySQLAddress
    let stop: StopSignal
    private(set) var flavor = MySQLFlavor("")
    /// While set, waits go on though the stop signal is raised: for releasing what is held.
    var ignoresStop: Bool
    /// A statement that runs longer than this is killed, and fails as one killed by somebody else.
    var statementLimit: Duration?
    private let infile = MySQLLocalInfile()
    private var session: UnsafeMutablePointer<MYSQL>?

    /// What a session is for.
    enum Purpose {
        case plain
        /// May be asked for the data of `LOAD DATA LOCAL`.
        case loading
    }

    init(
        _ address: MySQLAddress, _ purpose: Purpose = .plain, stop: StopSignal,
        ignoresStop: Bool = false
    ) throws(Failure) {
        self.address = address
        self.stop = stop
        self.ignoresStop = ignoresStop
        let session = try MySQLConnection.prepare(address, purpose)
        self.session = session
        infile.attach(to: session)
        try open(session)
        try setUp()
    }

    deinit {
        close()
    }

    var place: String { address.place }

    func close() {
        guard let session else { return }
        self.session = nil
        mysql_close(session)
    }

    /// Whether the server can still be talked to, as far as is known.
    var isOpen: Bool { session != nil }

    /// The server's number of this session, as its process list shows it.
    var threadID: UInt { session.map { mysql_thread_id($0) } ?? 0 }

    func handle() throws(Failure) -> UnsafeMutablePointer<MYSQL> {
        guard let session else {
            throw Failure(
                .unavailable, "the connection to \(place) was lost",
                hint: "Run the same command again when the server can be reached.",
                isTransient: true)
        }
        return session
    }
}

// MARK: Opening

extension MySQLConnection {
    private static let libraryStatus = mysql_server_init(0, nil, nil)

    private static func prepare(
        _ address: MySQLAddress, _ purpose: Purpose
    ) throws(Failure) -> UnsafeMutablePointer<MYSQL> {
        guard libraryStatus == 0, let session = mysql_init(nil) else {
            throw Failure(.failed, "libmariadb cannot be set up")
        }
        sluice_mysql_set_nonblocking(session, stackByteCount)
        sluice_mysql_set_number(session, MYSQL_OPT_CONNECT_TIMEOUT, address.connectTimeout)
        sluice_mysql_set_size(session, MYSQL_OPT_MAX_ALLOWED_PACKET, 1 << 30)
        sluice_mysql_set_number(session, MYSQL_OPT_LOCAL_INFILE, purpose == .loading ? 1 : 0)
        mysql_options(session, MYSQL_SET_CHARSET_NAME, "utf8mb4")
        sluice_mysql_set_attribute(session, "program_name", "sluice")
        if address.isCompressed { mysql_options(session, MYSQL_OPT_COMPRESS, nil) }
        address.setTLS(on: session)
        return session
    }

    private func open(_ session: UnsafeMutablePointer<MYSQL>) throws(Failure) {
        var opened: UnsafeMutablePointer<MYSQL>?
        let words = MySQLWords([
            address.host, address.user, address.password, address.database, address.socket,
        ])
        try finish(
            session,
            mysql_real_connect_start(
                &opened, session, words[0], words[1], words[2], words[3], address.port, words[4],
                UInt(CLIENT_REMEMBER_OPTIONS))
        ) { mysql_real_connect_cont(&opened, session, $0) }
        guard opened != nil else { throw MySQLFailure.refusal(session, address) }
        guard address.isEncryptedEnough(session) else {
            throw MySQLFailure.notEncrypted(at: place)
        }
        let socket = mysql_get_socket(session)
        keepAlive(socket)
        // Behind TLS the library leaves it blocking, and would wait where nobody can end the wait.
        _ = fcntl(socket, F_SETFL, fcntl(socket, F_GETFL) | O_NONBLOCK)
    }

    private func setUp() throws(Failure) {
        flavor = MySQLFlavor(try text("SELECT VERSION()") ?? "")
        if let complaint = flavor.complaint { throw Failure(.usage, "\(place) \(complaint)") }
        for statement in MySQLSettings.statements(flavor) { try execute(statement) }
    }

    /// So that a server that is gone is noticed while we wait for it.
    private func keepAlive(_ socket: Int32) {
        for (option, value) in [(TCP_KEEPIDLE, 30), (TCP_KEEPINTVL, 10), (TCP_KEEPCNT, 3)] {
            // A Unix socket has none of them, and needs none.
            var value = Int32(value)
            setsockopt(socket, Int32(IPPROTO_TCP), option, &value, 4)
        }
    }
}

// MARK: Statements

extension MySQLConnection {
    /// Runs one statement; rows that come back are ignored. How many rows it changed.
    @discardableResult
    func execute(_ sql: String) throws(Failure) -> Int {
        return try sql.withUTF8Text { (text) throws(Failure) in try execute(text) }
    }

    /// Runs one statement, whose bytes need not be text.
    @discardableResult
    func execute(_ sql: UnsafeRawBufferPointer) throws(Failure) -> Int {
        let session = try handle()
        try send(sql, session)
        let changed = mysql_affected_rows(session)
        _ = try stored(session)
        return Int(truncatingIfNeeded: changed)
    }

    /// Runs one statement and keeps what it gives back.
    func query(_ sql: String) throws(Failure) -> MySQLResult {
        let session = try handle()
        try send(sql, session)
        guard let result = try stored(session) else {
            throw Failure(.bug, "a statement without a result was taken for a query")
        }
        return result
    }

    /// The same for a statement that may hold any bytes.
    func query(_ sql: UnsafeRawBufferPointer) throws(Failure) -> MySQLResult {
        let session = try handle()
        try send(sql, session)
        guard let result = try stored(session) else {
            throw Failure(.bug, "a statement without a result was taken for a query")
        }
        return result
    }

    /// The first column of the first row, or nothing where there is no row or it is NULL.
    func text(_ sql: String) throws(Failure) -> String? {
        let result = try query(sql)
        return result.rowCount > 0 ? result.optionalText(0, 0) : nil
    }

    /// The first column of the first row as an integer, or nothing where there is no row, it is
    /// NULL or no integer.
    func integer(_ sql: String) throws(Failure) -> Int? {
        try text(sql).flatMap { Int($0) }
    }

    /// How many warnings the last statement left.
    var warningCount: Int { session.map { Int(mysql_warning_count($0)) } ?? 0 }

    /// Whether a transaction is open, as the server said with its last answer.
    var isInTransaction: Bool {
        session.map { $0.pointee.server_status & UInt32(SERVER_STATUS_IN_TRANS) != 0 } ?? false
    }

    /// What the server says of the statement just carried out: `Rows matched: 1  Changed: 1 …`.
    var info: String? {
        session.flatMap { mysql_info($0) }.map { String(cString: $0) }
    }

    private func send(
        _ sql: String, _ session: UnsafeMutablePointer<MYSQL>
    ) throws(Failure) {
        try sql.withUTF8Text { (text) throws(Failure) in try send(text, session) }
    }

    /// The library reads the bytes while it sends, which may be after a wait.
    private func send(
        _ sql: UnsafeRawBufferPointer, _ session: UnsafeMutablePointer<MYSQL>
    ) throws(Failure) {
        var result: Int32 = 0
        let text = sql.assumingMemoryBound(to: CChar.self)
        try finish(
            session,
            mysql_real_query_start(&result, session, text.baseAddress, UInt(text.count))
        ) { mysql_real_query_cont(&result, session, $0) }
        guard result == 0 else { throw failure(session) }
    }

    /// Takes all results, so that the session is free again; gives the first one with rows.
    private func stored(_ session: UnsafeMutablePointer<MYSQL>) throws(Failure) -> MySQLResult? {
        var first: MySQLResult?
        while true {
            var handle: UnsafeMutablePointer<MYSQL_RES>?
            try finish(session, mysql_store_result_start(&handle, session)) {
                mysql_store_result_cont(&handle, session, $0)
            }
            if let handle {
                first = first ?? MySQLResult(handle)
                mysql_free_result(handle)
            } else if mysql_errno(session) != 0 {
                throw failure(session)
            }
            guard mysql_more_results(session) != 0 else { return first }
            var status: Int32 = 0
            try finish(session, mysql_next_result_start(&status, session)) {
                mysql_next_result_cont(&status, session, $0)
            }
            if status > 0 { throw failure(session) }
        }
    }

    func failure(_ session: UnsafeMutablePointer<MYSQL>) -> Failure {
        let failure = MySQLFailure.failure(of: session, at: place, stop: ignoresStop ? nil : stop)
        if MySQLFailure.isLost(mysql_errno(session)) { close() }
        return failure
    }
}

// MARK: Rows

extension MySQLConnection {
    /// Runs one statement whose rows are then taken one by one.
    func rows(_ sql: String) throws(Failure) -> MySQLRows {
        let session = try handle()
        try send(sql, session)
        guard let result = mysql_use_result(session) else {
            if mysql_errno(session) != 0 { throw failure(session) }
            throw Failure(.bug, "a statement without a result was taken for a query")
        }
        return MySQLRows(self, result)
    }

    /// The next row; nothing behind the last.
    func fetch(_ result: UnsafeMutablePointer<MYSQL_RES>) throws(Failure) -> MYSQL_ROW? {
        let session = try handle()
        var row: MYSQL_ROW?
        let status = mysql_fetch_row_start(&row, result)
        if status != 0 {
            try finish(session, status) { mysql_fetch_row_cont(&row, result, $0) }
        }
        if row == nil, mysql_errno(session) != 0 {
            let failure = failure(session)
            throw failure
        }
        return row
    }

    /// Frees a result that was read to its end.
    func endRows(_ result: UnsafeMutablePointer<MYSQL_RES>) throws(Failure) {
        mysql_free_result(result)
        _ = try handle()
    }

    /// Ends a statement whose rows are not wanted any more: killed, and what it sent until then
    /// read away.
    func abandonRows(_ result: UnsafeMutablePointer<MYSQL_RES>) {
        let before = ignoresStop
        ignoresStop = true
        defer { ignoresStop = before }
        if session != nil, result.pointee.eof == 0 {
            cancel()
            do throws(Failure) {
                while try fetch(result) != nil {}
            } catch {
                // That it was killed is what was wanted.
            }
        }
        mysql_free_result(result)
    }
}

// MARK: Loading

extension MySQLConnection {
    /// Runs a `LOAD DATA LOCAL INFILE` that reads `data`; says what the server did with it.
    ///
    /// What `data` throws is thrown; the server has then been given an end, so that the transaction
    /// must be rolled back.
    func load(_ sql: String, from data: any MySQLLocalData) throws(Failure) -> MySQLLoadCounts {
        let session = try handle()
        infile.begin(data)
        defer { infile.end() }
        do throws(Failure) {
            try send(sql, session)
        } catch {
            throw infile.failure ?? error
        }
        if let failure = infile.failure { throw failure }
        guard let counts = MySQLLoadCounts(info ?? "") else {
            throw Failure(.bug, "the server did not say how many rows it loaded")
        }
        return counts
    }
}

// MARK: Waiting

extension MySQLConnection {
    /// How long the server is given to answer a kill before the session is given up.
    private static let cancelLimit: Duration = .seconds(20)

    /// Asks the server, over a session of its own, to end the statement under way.
    func cancel() {
        guard let session else { return }
        let number = mysql_thread_id(session)
        // Where it cannot be delivered the statement goes on, and so does our wait for it.
        guard let other = try? MySQLConnection.prepare(address, .plain) else { return }
        defer { mysql_close(other) }
        let words = MySQLWords([
            address.host, address.user, address.password, address.database, address.socket,
        ])
        guard
            mysql_real_connect(
                other, words[0], words[1], words[2], words[3], address.port, words[4], 0) != nil
        else { return }
        mysql_query(other, "KILL QUERY \(number)")
    }

    /// Sees a call that may wait through to its end.
    @inline(__always)
    func finish(
        _ session: UnsafeMutablePointer<MYSQL>, _ status: Int32, _ next: (Int32) -> Int32
    ) throws(Failure) {
        var status = status
        while status != 0 { status = next(try wait(session, status)) }
    }

    private func wait(
        _ session: UnsafeMutablePointer<MYSQL>, _ status: Int32
    ) throws(Failure) -> Int32 {
        var events: Int16 = 0
        if status & MYSQL_WAIT_READ != 0 { events |= Int16(POLLIN) }
        if status & MYSQL_WAIT_WRITE != 0 { events |= Int16(POLLOUT) }
        if status & MYSQL_WAIT_EXCEPT != 0 { events |= Int16(POLLPRI) }
        let start = Clock.now
        var cancelledAt: ContinuousClock.Instant?
        while true {
            var wanted = pollfd(fd: mysql_get_socket(session), events: events, revents: 0)
            let ready = poll(&wanted, 1, 100)
            if ready > 0 { return answer(wanted.revents, status) }
            guard ready == 0 || errno == EINTR else { throw givenUp(nil) }
            let now = Clock.now
            if status & MYSQL_WAIT_TIMEOUT != 0,
                now - start > .milliseconds(Int(mysql_get_timeout_value_ms(session)))
            {
                return MYSQL_WAIT_TIMEOUT
            }
            let isOver = statementLimit.map { now - start > $0 } ?? false
            guard isOver || (!ignoresStop && stop.reason != nil) else { continue }
            guard let since = cancelledAt else {
                cancel()
                cancelledAt = now
                continue
            }
            if now - since > MySQLConnection.cancelLimit {
                throw givenUp(ignoresStop ? nil : stop.reason)
            }
        }
    }

    private func answer(_ events: Int16, _ status: Int32) -> Int32 {
        var result: Int32 = 0
        // An error or a hang-up is found by whatever was waited for.
        if events & Int16(POLLIN | POLLERR | POLLHUP) != 0 { result |= MYSQL_WAIT_READ }
        if events & Int16(POLLOUT | POLLERR | POLLHUP) != 0 { result |= MYSQL_WAIT_WRITE }
        if events & Int16(POLLPRI) != 0 { result |= MYSQL_WAIT_EXCEPT }
        result &= status
        return result == 0 ? status & ~Int32(MYSQL_WAIT_TIMEOUT) : result
    }

    /// The session cannot be used any more: a call of the library is left in the middle.
    private func givenUp(_ reason: StopSignal.Reason?) -> Failure {
        if let session {
            shutdown(mysql_get_socket(session), Int32(SHUT_RDWR))
            close()
        }
        return reason?.failure
            ?? Failure(
                .unavailable, "\(place) does not answer",
                hint: "Run the same command again when the server can be reached.",
                isTransient: true)
    }
}

extension String {
    /// Its UTF-8, for as long as `body` runs.
    fileprivate func withUTF8Text<Result>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let bytes = Array(utf8)
        return try bytes.withUnsafeBufferPointer { (bytes) throws(Failure) in
            try body(UnsafeRawBufferPointer(bytes))
        }
    }
}

/// Words as C wants them, as long as this lives.
private final class MySQLWords {
    private let words: [UnsafeMutablePointer<CChar>?]

    init(_ words: [String?]) {
        self.words = words.map { word in word.flatMap { strdup($0) } }
    }

    deinit {
        for word in words { free(word) }
    }

    subscript(index: Int) -> UnsafePointer<CChar>? { words[index].map { UnsafePointer($0) } }
}
