internal import SluiceCore
internal import Synchronization

/// What stands between sluice and a server and lends its clients the server's sessions: PgBouncer
/// and its like.
///
/// By transaction, it hands a session to whoever comes next. What sluice sets for its own would
/// then be in force for others (triggers that do not fire, for one), and theirs for sluice.
enum PostgresPooler {
    /// Places where sessions were seen to be kept apart.
    private static let apart = Mutex<Set<String>>([])

    /// Asks in turn over two connections which session of the server each is behind: kept apart,
    /// each stays behind its own.
    static func refuseSharing(
        of connection: PostgresConnection, _ address: PostgresAddress
    ) throws(Failure) {
        guard !apart.withLock({ $0.contains(address.place) }) else { return }
        let other = try PostgresConnection(address, .bare, stop: connection.stop)
        defer { other.close() }
        let number = "SELECT pg_catalog.pg_backend_pid()"
        for _ in 0..<4 {
            let others = try other.integer(number)
            guard try connection.integer(number) == connection.processID,
                others != connection.processID
            else {
                throw Failure(
                    .usage,
                    "a pooler before \(address.place) shares the server's sessions "
                        + "among its clients",
                    hint: "Name the server itself, or a pool by session.")
            }
        }
        _ = apart.withLock { $0.insert(address.place) }
    }
}
