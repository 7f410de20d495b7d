public import SluiceCore
public import SluiceRecords
internal import Synchronization

/// A MySQL or MariaDB database that is written: every lane loads over a connection of its own.
public final class MySQLTarget: Target {
    static let engineName = "mysql"

    public var engine: String { MySQLTarget.engineName }
    public var place: String { address.place }
    public var readBackTime: ReadBackTime { .beforeSteps }
    public var canLeaveOut: Bool { true }
    let address: MySQLAddress
    /// The schema work of the request that sessions are open for.
    private let steps = Mutex<MySQLSchemaSteps?>(nil)

    /// - Parameter shown: the URL without its password, for messages.
    /// - Parameter passwordCommand: a shell command whose first line of output is the password.
    public init(
        url: String, shown: String, passwordCommand: String? = nil
    ) throws(Failure) {
        address = try MySQLAddress(url: url, shown: shown, passwordCommand: passwordCommand)
    }

    /// By what the server says of itself, so that no other name for it hides it.
    public func isSame(as source: JSON) -> Bool {
        guard source["engine"] == .string(MySQLTarget.engineName),
            let connection = try? connect(stop: StopSignal()),
            let mine = try? MySQLIdentity.read(connection)
        else { return false }
        return mine["server"] == source["server"] && mine["database"] == source["database"]
    }

    public func survey(_ request: LoadRequest?) throws(Failure) -> TargetSurvey {
        let connection = try connect(stop: StopSignal())
        defer { connection.close() }
        return try MySQLTargetSurvey(connection, request).result()
    }

    public func openSession(
        _ request: LoadRequest, stop: StopSignal
    ) throws(Failure) -> any TargetSession {
        MySQLTargetSession(self, request, stop: stop)
    }

    public func openValueCheck(
        _ request: LoadRequest, stop: StopSignal
    ) throws(Failure) -> any ValueCheck {
        try MySQLValueCheck(request, on: try connect(stop: stop))
    }

    func connect(stop: StopSignal) throws(Failure) -> MySQLConnection {
        try Retry().run(stop: stop) { () throws(Failure) in
            let connection = try MySQLConnection(address, .loading, stop: stop)
            if !address.writesLog { try connection.execute("SET SESSION sql_log_bin = 0") }
            return connection
        }
    }

    /// What all sessions of a request share.
    func steps(for request: LoadRequest, _ flavor: MySQLFlavor) -> MySQLSchemaSteps {
        steps.withLock { steps in
            if let steps, steps.serves(request) { return steps }
            let made = MySQLSchemaSteps(request, flavor)
            steps = made
            return made
        }
    }

    public func close() throws(Failure) {
        steps.withLock { $0 = nil }
    }

    public func examine() -> [Finding] {
        do throws(Failure) {
            let connection = try connect(stop: StopSignal())
            defer { connection.close() }
            return try MySQLTargetExamination(connection).findings(on: connection.flavor)
        } catch {
            return [Finding(.fail, error.headline, remedy: error.hint)]
        }
    }
}

extension MySQLSchemaSteps {
    /// Whether the request is the one that this was made for.
    fileprivate func serves(_ other: LoadRequest) -> Bool {
        other.dataset.utf8.elementsEqual(request.dataset.utf8)
            && other.onExisting == request.onExisting && other.hidesKeys == request.hidesKeys
            && other.skipsOwners == request.skipsOwners
            && other.constraintsInitial == request.constraintsInitial
            && other.trustedSchema == request.trustedSchema && other.tables == request.tables
    }
}
