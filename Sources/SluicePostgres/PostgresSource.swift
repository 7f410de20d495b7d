public import SluiceCore
public import SluiceRecords

/// A PostgreSQL database that is read.
public final class PostgresSource: Source {
    private let address: PostgresAddress
    private let programFolder: String?

    /// - Parameter url: as libpq understands it; its variables and its password file count.
    /// - Parameter shown: the URL without its password, for messages.
    /// - Parameter passwordCommand: a shell command whose first line of output is the password.
    /// - Parameter programFolder: where `pg_dump` is; nothing: where it usually is.
    public init(
        url: String, shown: String, passwordCommand: String? = nil, programFolder: String? = nil
    ) throws(Failure) {
        address = try PostgresAddress(url: url, shown: shown, passwordCommand: passwordCommand)
        self.programFolder = programFolder
    }

    public var engine: String { "postgres" }
    public var place: String { address.place }

    public let facts = SourceFacts(hasSlots: true, limitsSchema: true)

    public func identity() throws(Failure) -> JSON {
        let connection = try PostgresConnection(address, stop: StopSignal())
        return try PostgresIdentity.read(connection)
    }

    public func openSnapshot(
        _ options: SnapshotOptions, stop: StopSignal
    ) throws(Failure) -> any Snapshot {
        try Retry().run(stop: stop) { () throws(Failure) in
            try PostgresSnapshot.open(address, options, programFolder: programFolder, stop: stop)
        }
    }

    public func release(_ hold: JSON) throws(Failure) {
        let connection = try PostgresConnection(address, stop: StopSignal(), ignoresStop: true)
        try PostgresHold.release(hold, on: connection)
    }

    public func held() throws(Failure) -> [Finding] {
        let connection = try PostgresConnection(address, stop: StopSignal())
        defer { connection.close() }
        return try PostgresExamination.held(connection)
    }

    public func examine(window _: Duration) -> [Finding] {
        PostgresExamination(address).findings
    }
}
