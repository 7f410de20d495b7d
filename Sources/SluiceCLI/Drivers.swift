internal import SluiceCore
internal import SluiceMySQL
internal import SluicePostgres
internal import SluiceRecords
internal import SluiceSQLite
internal import SluiceStore

/// Opens what URLs name: the only place that knows which drivers there are.
enum Drivers {
    /// What a database is opened with beside its URL.
    struct DatabaseAccess {
        /// The option that the password command was given with.
        var passwordOption: Option
        var passwordCommand: String?
        /// `--pg-bin`.
        var postgresFolder: String?
    }

    static func openSource(
        _ url: DatabaseURL, _ access: DatabaseAccess
    ) throws(Failure) -> any Source {
        switch url.engine {
        case .sqlite:
            try refusePassword(access)
            return SQLiteSource(path: url.location)
        case .postgres:
            return try PostgresSource(
                url: url.location, shown: url.shown, passwordCommand: access.passwordCommand,
                programFolder: access.postgresFolder)
        case .mysql:
            return try MySQLSource(
                url: url.location, shown: url.shown, passwordCommand: access.passwordCommand)
        }
    }

    static func openTarget(
        _ url: DatabaseURL, _ access: DatabaseAccess
    ) throws(Failure) -> any Target {
        switch url.engine {
        case .sqlite:
            try refusePassword(access)
            return SQLiteTarget(path: url.location)
        case .postgres:
            return try PostgresTarget(
                url: url.location, shown: url.shown, passwordCommand: access.passwordCommand)
        case .mysql:
            return try MySQLTarget(
                url: url.location, shown: url.shown, passwordCommand: access.passwordCommand)
        }
    }

    /// What starts change capture from a dataset of one of these engines.
    static let handoff: HandoffWriter = { form, facts throws(Failure) in
        switch facts.engine {
        case "postgres": try PostgresHandoff.lines(for: form, facts)
        case "mysql": try MySQLHandoff.lines(for: form, facts)
        default: nil
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

    private static func refusePassword(_ access: DatabaseAccess) throws(Failure) {
        guard access.passwordCommand != nil else { return }
        throw Failure(
            .usage,
            "'\(access.passwordOption.flag)' does not apply to SQLite, which takes no password",
            hint: "Leave it out.")
    }
}
