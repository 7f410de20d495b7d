public import SluiceCore
public import SluiceRecords
internal import Synchronization

/// A PostgreSQL database that is written: every lane copies over a connection of its own.
public final class PostgresTarget: Target {
    static let engineName = "postgres"

    public var engine: String { PostgresTarget.engineName }
    public var place: String { address.place }
    public var readBackTime: ReadBackTime { .besideSteps }
    public var canLeaveOut: Bool { true }
    public var hasSchemas: Bool { true }
    public var booleanType: String? { "boolean" }
    let address: PostgresAddress
    /// The schema work of the request that sessions are open for.
    private let steps = Mutex<PostgresSchemaSteps?>(nil)

    /// For looking at what the sessions do.
    private let watching = Mutex<PostgresConnection?>(nil)

    /// - Parameter url: as libpq understands it; its variables and its password file count.
    /// - Parameter shown: the URL without its password, for messages.
    /// - Parameter passwordCommand: a shell command whose first line of output is the password.
    public init(
        url: String, shown: String, passwordCommand: String? = nil
    ) throws(Failure) {
        address = try PostgresAddress(url: url, shown: shown, passwordCommand: passwordCommand)
    }

    /// By what the server says of itself, so that no other name for it hides it.
    public func isSame(as source: JSON) -> Bool {
        guard source["engine"] == .string(PostgresTarget.engineName),
            let connection = try? connect(stop: StopSignal()),
            let mine = try? PostgresIdentity.read(connection)
        else { return false }
        return mine["system"] == source["system"] && mine["oid"] == source["oid"]
    }

    public func survey(_ request: LoadRequest?) throws(Failure) -> TargetSurvey {
        let connection = try connect(stop: StopSignal())
        defer { connection.close() }
        // One snapshot: the ledger and the tables are seen as they are at one moment.
        try connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        return try PostgresTargetSurvey(connection, request).result()
    }

    public func openSession(
        _ request: LoadRequest, stop: StopSignal
    ) throws(Failure) -> any TargetSession {
        let shared = steps.withLock { steps in
            if let steps, steps.serves(request) { return steps }
            let made = PostgresSchemaSteps(request)
            steps = made
            return made
        }
        return PostgresTargetSession(self, shared, stop: stop)
    }

    public func openValueCheck(
        _ request: LoadRequest, stop: StopSignal
    ) throws(Failure) -> any ValueCheck {
        try PostgresValueCheck(request, on: try connect(stop: stop))
    }

    func connect(stop: StopSignal) throws(Failure) -> PostgresConnection {
        try Retry().run(stop: stop) { () throws(Failure) in
            try PostgresConnection(address, stop: stop)
        }
    }

    public func stepDetails(
        stop: StopSignal
    ) throws(Failure) -> [(step: String, detail: String)] {
        // Without a step in work no connection is made for this.
        guard let steps = steps.withLock({ $0 }), steps.isAtWork else { return [] }
        if let connection = watching.withLock({ $0 }) { return try steps.details(on: connection) }
        let connection = try PostgresConnection(address, stop: stop)
        watching.withLock { $0 = connection }
        return try steps.details(on: connection)
    }

    public func close() throws(Failure) {
        steps.withLock { $0 = nil }
        watching.withLock { connection in
            connection?.close()
            connection = nil
        }
    }

    public func examine() -> [Finding] {
        do throws(Failure) {
            let connection = try connect(stop: StopSignal())
            defer { connection.close() }
            return try PostgresTargetExamination(connection).findings()
        } catch {
            return [Finding(.fail, error.headline, remedy: error.hint)]
        }
    }
}

extension PostgresSchemaSteps {
    /// Whether the request is the one that this was made for.
    fileprivate func serves(_ other: LoadRequest) -> Bool {
        other.dataset.utf8.elementsEqual(request.dataset.utf8)
            && other.onExisting == request.onExisting && other.hidesKeys == request.hidesKeys
            && other.skipsOwners == request.skipsOwners
            && other.constraintsInitial == request.constraintsInitial
            && other.trustedSchema == request.trustedSchema && other.tables == request.tables
    }
}
