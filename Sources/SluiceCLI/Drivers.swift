internal import SluiceCore
internal import SluiceRecords
internal import SluiceSQLite
internal import SluiceStore

/// Opens what URLs name: the only place that knows which drivers there are.
enum Drivers {
    /// - Parameter passwordOption: the option that was used to give a password, if any.
    static func openSource(
        _ url: DatabaseURL, passwordOption: Option?
    ) throws(Failure) -> any Source {
        switch url.engine {
        case .sqlite:
            try refuse(passwordOption)
            return SQLiteSource(path: url.location)
        case .postgres: throw unsupported("PostgreSQL", "sqlite:PATH")
        case .mysql: throw unsupported("MySQL", "sqlite:PATH")
        }
    }

    static func openTarget(
        _ url: DatabaseURL, passwordOption: Option?
    ) throws(Failure) -> any Target {
        switch url.engine {
        case .sqlite:
            try refuse(passwordOption)
            return SQLiteTarget(path: url.location)
        case .postgres: throw unsupported("PostgreSQL", "sqlite:PATH")
        case .mysql: throw unsupported("MySQL", "sqlite:PATH")
        }
    }

    /// How a store is talked to that is not a folder.
    struct StoreAccess {
        var http = HTTPOptions()
        var passwordCommand: String?
    }

    /// - Parameter location: the URL's, with the placeholders replaced.
    static func openStore(
        _ service: StoreURL.Service, at location: String, _ access: StoreAccess
    ) throws(Failure) -> any Store {
        if access.passwordCommand != nil, service != .http {
            throw Failure(
                .usage,
                "'\(Option.storePasswordCommand.flag)' is only for stores at http:// and https://",
                hint: "Leave it out.")
        }
        if service == .folder { return FolderStore(path: location) }
        return try StoreOpener.open(
            location, options: access.http, passwordCommand: access.passwordCommand)
    }

    private static func unsupported(_ what: String, _ known: String) -> Failure {
        Failure(
            .usage, "\(what) is not supported by this build",
            hint: "This build knows \(known).")
    }

    private static func refuse(_ passwordOption: Option?) throws(Failure) {
        guard let passwordOption else { return }
        throw Failure(
            .usage, "'\(passwordOption.flag)' does not apply to SQLite, which takes no password",
            hint: "Leave it out.")
    }
}
