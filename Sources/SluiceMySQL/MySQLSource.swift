public import SluiceCore
public import SluiceRecords

/// A MySQL or MariaDB database that is read.
public final class MySQLSource: Source {
    private let address: MySQLAddress

    /// - Parameter url: `mysql://user@host:port/database?…`; option files count, too.
    /// - Parameter shown: the URL without its password, for messages.
    /// - Parameter passwordCommand: a shell command whose first line of output is the password.
    public init(
        url: String, shown: String, passwordCommand: String? = nil
    ) throws(Failure) {
        address = try MySQLAddress(url: url, shown: shown, passwordCommand: passwordCommand)
        guard address.writesLog else {
            throw Failure(
                .usage, "\(place) has the parameter 'sql-log-bin', and is only read",
                hint: "Leave it out; it is for targets.")
        }
    }

    public var engine: String { "mysql" }
    public var place: String { address.place }

    public let facts = SourceFacts(hasSlots: false)

    public func identity() throws(Failure) -> JSON {
        try MySQLIdentity.read(try MySQLConnection(address, stop: StopSignal()))
    }

    public func openSnapshot(
        _ options: SnapshotOptions, stop: StopSignal
    ) throws(Failure) -> any Snapshot {
        try Retry().run(stop: stop) { () throws(Failure) in
            try MySQLSnapshot.open(address, options, stop: stop)
        }
    }

    public func release(_ hold: JSON) throws(Failure) {
        let connection = try MySQLConnection(address, stop: StopSignal(), ignoresStop: true)
        try MySQLHold.release(hold, on: connection)
    }

    public func examine(window: Duration) -> [Finding] {
        MySQLExamination(address, window: window).findings
    }
}
