internal import CPq
internal import Glibc
internal import SluiceCore

/// One session on a server. Used by one lane at a time.
///
/// Every wait for the server ends when the stop signal is raised: the statement is cancelled and
/// the signal's failure thrown; the session stays usable. `close` may be called twice, and happens
/// when the last reference goes.
final class PostgresConnection: @unchecked Sendable {
    // Unchecked because it is opened on one lane and may be handed to another; libpq allows that as
    // long as two threads never use it at once, which the owner sees to.

    let place: String
    let stop: StopSignal
    /// `150020` for 15.20.
    let version: Int
    /// While set, waits go on though the stop signal is raised: for releasing what is held.
    var ignoresStop: Bool
    private var connection: OpaquePointer?
    private var copied: UnsafeMutablePointer<CChar>?
    /// The server's number of this session, as `pg_stat_activity` shows it.
    private(set) var processID = 0
    /// How many rows the server says the last COPY that was read to its end had.
    private(set) var copiedRowCount = 0

    /// What a session is for.
    enum Purpose {
        case plain
        /// For asking behind which session of the server it is; nothing is set in it.
        case bare
        /// Takes the commands of the replication protocol, too; only `execute` and `query` without
        /// parameters work there.
        case replication
    }

    init(
        _ address: PostgresAddress, _ purpose: Purpose = .plain, stop: StopSignal,
        ignoresStop: Bool = false
    ) throws(Failure) {
        place = address.place
        self.stop = stop
        self.ignoresStop = ignoresStop
        let more = purpose == .replication ? [("replication", "database")] : []
        let opened = PostgresConnection.open(address.parameters(more))
        connection = opened
        version = Int(PQserverVersion(opened))
        guard PQstatus(opened) == CONNECTION_OK else {
            throw PostgresConnection.refusal(opened, address)
        }
        sluice_pq_silence(opened)
        PQsetnonblocking(opened, 1)
        guard version >= 120_000 else {
            throw Failure(
                .usage, "\(place) runs PostgreSQL \(version / 10_000), and sluice needs 12 or newer"
            )
        }
        guard purpose != .bare else { return }
        processID = try integer("SELECT pg_catalog.pg_backend_pid()") ?? 0
        // Before the settings: whoever shares the server's session would get them.
        if isPooled { try PostgresPooler.refuseSharing(of: self, address) }
        for statement in PostgresSettings.statements(version: version) { try execute(statement) }
    }

    deinit {
        close()
    }

    func close() {
        PQfreemem(copied)
        copied = nil
        if let connection { PQfinish(connection) }
        connection = nil
    }

    /// Whether the server can still be talked to, as far as is known.
    var isOpen: Bool { connection.map { PQstatus($0) == CONNECTION_OK } ?? false }

    /// What another program needs to reach the same server in the same way; a password is among it.
    var parameters: [(keyword: String, value: String)] {
        guard let connection, let options = PQconninfo(connection) else { return [] }
        defer { PQconninfoFree(options) }
        // Of several hosts in a URL it is the one that answered.
        let actual: [String: UnsafeMutablePointer<CChar>?] = [
            "host": PQhost(connection), "port": PQport(connection),
            "hostaddr": PQhostaddr(connection),
        ]
        var result: [(keyword: String, value: String)] = []
        var option = options
        while let keyword = option.pointee.keyword {
            defer { option += 1 }
            let name = String(cString: keyword)
            let value = actual[name] ?? option.pointee.val
            guard let value, value.pointee != 0, name != "replication" else { continue }
            result.append((name, String(cString: value)))
        }
        return result
    }

    /// Whether something stands between sluice and the server that gives sessions numbers of its
    /// own: a pooler.
    var isPooled: Bool { connection.map { Int(PQbackendPID($0)) != processID } ?? false }

    /// Whether a transaction is open and has not failed.
    var isInTransaction: Bool {
        connection.map { PQtransactionStatus($0) == PQTRANS_INTRANS } ?? false
    }

    /// Whether a transaction is open and failed, so that only ROLLBACK is of use.
    var hasFailedTransaction: Bool {
        connection.map { PQtransactionStatus($0) == PQTRANS_INERROR } ?? false
    }

    private func handle() throws(Failure) -> OpaquePointer {
        guard let connection else {
            throw Failure(.bug, "a session on \(place) is used after it was closed")
        }
        return connection
    }
}

// MARK: Opening

extension PostgresConnection {
    private static func open(_ parameters: [(name: String, value: String)]) -> OpaquePointer? {
        var names: [UnsafePointer<CChar>?] = parameters.map { UnsafePointer(strdup($0.name)) }
        var values: [UnsafePointer<CChar>?] = parameters.map { UnsafePointer(strdup($0.value)) }
        defer {
            for text in names + values { free(UnsafeMutableRawPointer(mutating: text)) }
        }
        names.append(nil)
        values.append(nil)
        return PQconnectdbParams(names, values, 1)
    }

    /// Why a connection was not made. libpq gives no SQLSTATE for that, only text and what
    /// passwords had to do with it.
    private static func refusal(_ handle: OpaquePointer?, _ address: PostgresAddress) -> Failure {
        let text = PostgresFailure.firstLine(String(cString: PQerrorMessage(handle)))
        let reason = text.hasPrefix("connection to server ") ? text : "no connection: \(text)"
        let message = "\(address.place): \(reason)"
        if PQconnectionNeedsPassword(handle) != 0 {
            return Failure(
                .usage, "\(address.place) wants a password",
                hint: "Put it into the password file, into PGPASSWORD, or give a password command.")
        }
        if PQconnectionUsedPassword(handle) != 0, text.contains("password") {
            return Failure(
                .usage, "\(address.place) does not accept the password",
                hint: "Check user and password.")
        }
        for mistake in ["does not exist", "pg_hba.conf", "not permitted to log in"]
        where text.contains(mistake) {
            return Failure(.usage, message, hint: "Check user, database and address in the URL.")
        }
        return Failure(
            .unavailable, message, hint: "Is the server running, and is the address right?",
            isTransient: true)
    }
}

// MARK: Statements

extension PostgresConnection {
    /// Runs every statement of `sql`; rows that come back are ignored.
    func execute(_ sql: String) throws(Failure) {
        let handle = try handle()
        guard PQsendQuery(handle, sql) == 1 else { throw lost(handle) }
        _ = try lastResult(handle)
    }

    /// Runs one statement; values come back as text.
    ///
    /// - Parameter parameters: for `$1` and so on, as text; nothing stands for NULL.
    func query(_ sql: String, _ parameters: [String?] = []) throws(Failure) -> PostgresResult {
        let handle = try handle()
        if parameters.isEmpty {
            guard PQsendQuery(handle, sql) == 1 else { throw lost(handle) }
        } else {
            let values: [UnsafePointer<CChar>?] = parameters.map { text in
                text.flatMap { UnsafePointer(strdup($0)) }
            }
            defer { for text in values { free(UnsafeMutableRawPointer(mutating: text)) } }
            let isSent = PQsendQueryParams(
                handle, sql, Int32(values.count), nil, values, nil, nil, 0)
            guard isSent == 1 else { throw lost(handle) }
        }
        guard let result = try lastResult(handle) else {
            throw Failure(.bug, "a statement without a result was taken for a query")
        }
        return result
    }

    /// The first column of the first row, or nothing where there is no row or it is NULL.
    func text(_ sql: String, _ parameters: [String?] = []) throws(Failure) -> String? {
        let result = try query(sql, parameters)
        return result.rowCount > 0 ? result.optionalText(0, 0) : nil
    }

    /// The first column of the first row as an integer, or nothing where there is no row or it is
    /// NULL.
    func integer(_ sql: String, _ parameters: [String?] = []) throws(Failure) -> Int? {
        try text(sql, parameters).flatMap { Int($0) }
    }

    /// Whether the first column of the first row is true.
    func boolean(_ sql: String, _ parameters: [String?] = []) throws(Failure) -> Bool {
        try text(sql, parameters) == "t"
    }

    /// Takes all results, so that the session is free again; gives the last one or throws the first
    /// failure.
    private func lastResult(_ handle: OpaquePointer) throws(Failure) -> PostgresResult? {
        var last: PostgresResult?
        var failure: Failure?
        while let result = try nextResult(handle) {
            switch PQresultStatus(result) {
            case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY:
                last = PostgresResult(result)
            case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
                PQclear(result)
                return nil
            default:
                failure = failure ?? PostgresFailure.failure(of: result, at: place, stop: stop)
                PQclear(result)
                guard PQstatus(handle) == CONNECTION_OK else { break }
            }
        }
        if let failure { throw failure }
        return last
    }

    /// The next result of the statement under way, or nothing at its end.
    private func nextResult(_ handle: OpaquePointer) throws(Failure) -> OpaquePointer? {
        try flush(handle)
        while PQisBusy(handle) == 1 { try waitToRead(handle) }
        return PQgetResult(handle)
    }
}

// MARK: COPY

extension PostgresConnection {
    /// Begins a `COPY … TO STDOUT`.
    func beginCopyOut(_ sql: String) throws(Failure) {
        try beginCopy(sql, PGRES_COPY_OUT)
    }

    /// The next piece of the copy, which in PostgreSQL is a whole row; valid until the next call on
    /// this session. Nothing at its end; then the session is free again.
    func nextCopied() throws(Failure) -> UnsafeRawBufferPointer? {
        let handle = try handle()
        PQfreemem(copied)
        copied = nil
        while true {
            let count = PQgetCopyData(handle, &copied, 1)
            if count > 0 { return UnsafeRawBufferPointer(start: copied, count: Int(count)) }
            switch count {
            case 0: try waitToRead(handle)
            case -1:
                copiedRowCount = try lastResult(handle)?.changedRowCount ?? 0
                return nil
            default: throw lost(handle)
            }
        }
    }

    /// Ends a copy that is not read to its end; the session is free again.
    func abandonCopyOut() {
        guard let handle = connection, PQtransactionStatus(handle) == PQTRANS_ACTIVE else { return }
        let before = ignoresStop
        ignoresStop = true
        defer { ignoresStop = before }
        cancel()
        do throws(Failure) {
            while try nextCopied() != nil {}
        } catch {
            // That it was cancelled is what was wanted.
        }
    }

    /// Begins a `COPY … FROM STDIN`.
    func beginCopyIn(_ sql: String) throws(Failure) {
        try beginCopy(sql, PGRES_COPY_IN)
    }

    /// Sends bytes of the copy; pieces may end anywhere.
    func putCopied(_ bytes: UnsafeRawBufferPointer) throws(Failure) {
        let handle = try handle()
        let text = bytes.assumingMemoryBound(to: CChar.self)
        while true {
            switch PQputCopyData(handle, text.baseAddress, Int32(clamping: text.count)) {
            case 1: return try flush(handle)
            case 0: try waitToWrite(handle)
            default: throw lost(handle)
            }
        }
    }

    /// Ends the copy and says how many rows the server took.
    func endCopyIn() throws(Failure) -> Int {
        let handle = try handle()
        try finishCopyIn(handle, nil)
        return try lastResult(handle)?.changedRowCount ?? 0
    }

    /// Makes the copy fail on the server, so that its transaction can be rolled back.
    func abandonCopyIn() {
        guard let handle = connection, PQtransactionStatus(handle) == PQTRANS_ACTIVE else { return }
        let before = ignoresStop
        ignoresStop = true
        defer { ignoresStop = before }
        do throws(Failure) {
            try finishCopyIn(handle, "abandoned by sluice")
            _ = try lastResult(handle)
        } catch {
            // That it failed is what was wanted.
        }
    }

    private func finishCopyIn(_ handle: OpaquePointer, _ reason: String?) throws(Failure) {
        while true {
            switch PQputCopyEnd(handle, reason) {
            case 1: return try flush(handle)
            case 0: try waitToWrite(handle)
            default: throw lost(handle)
            }
        }
    }

    private func beginCopy(_ sql: String, _ wanted: ExecStatusType) throws(Failure) {
        let handle = try handle()
        guard PQsendQuery(handle, sql) == 1 else { throw lost(handle) }
        guard let result = try nextResult(handle) else { throw lost(handle) }
        defer { PQclear(result) }
        let status = PQresultStatus(result)
        if status == wanted { return }
        let failure = PostgresFailure.failure(of: result, at: place, stop: stop)
        while let rest = try nextResult(handle) { PQclear(rest) }
        throw failure
    }
}

// MARK: Waiting

extension PostgresConnection {
    /// Asks the server to end the statement under way.
    func cancel() {
        guard let connection, let request = PQgetCancel(connection) else { return }
        var message: [CChar] = Array(repeating: 0, count: 256)
        // Where it cannot be delivered the statement goes on, and so does our wait for it.
        PQcancel(request, &message, Int32(message.count))
        PQfreeCancel(request)
    }

    private func lost(_ handle: OpaquePointer) -> Failure {
        PostgresFailure.lost(String(cString: PQerrorMessage(handle)), at: place)
    }

    private func flush(_ handle: OpaquePointer) throws(Failure) {
        while true {
            switch PQflush(handle) {
            case 0: return
            case 1: try waitToWrite(handle)
            default: throw lost(handle)
            }
        }
    }

    private func waitToRead(_ handle: OpaquePointer) throws(Failure) {
        try wait(handle, POLLIN)
        guard PQconsumeInput(handle) == 1 else { throw lost(handle) }
    }

    /// The server may have something to say before it takes more.
    private func waitToWrite(_ handle: OpaquePointer) throws(Failure) {
        if try wait(handle, POLLIN | POLLOUT) & Int32(POLLIN) != 0 {
            guard PQconsumeInput(handle) == 1 else { throw lost(handle) }
        }
    }

    /// How long the server is given to answer a cancellation before the session is given up.
    private static let cancelLimit: Duration = .seconds(20)

    @discardableResult
    private func wait(_ handle: OpaquePointer, _ events: Int32) throws(Failure) -> Int32 {
        var cancelledAt: ContinuousClock.Instant?
        while true {
            var wanted = pollfd(fd: PQsocket(handle), events: Int16(events), revents: 0)
            let ready = poll(&wanted, 1, 200)
            if ready > 0 { return Int32(wanted.revents) }
            guard ready == 0 || errno == EINTR else {
                throw Failure(.unavailable, "the connection to \(place) was lost")
            }
            guard !ignoresStop, let reason = stop.reason else { continue }
            guard let since = cancelledAt else {
                cancel()
                cancelledAt = Clock.now
                continue
            }
            if Clock.now - since > PostgresConnection.cancelLimit { throw reason.failure }
        }
    }
}
