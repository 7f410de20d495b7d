/// A database of a test's own on a server that `scripts/servers` started, dropped with its owner.
///
/// What is done to it goes through Debian's `mariadb`, `mariadb-dump` and their like, which nobody here wrote.
public final class MariaDBDatabase: Sendable {
    public let name: String
    public let server: MariaDBServer
    /// What sluice is given; the password is in the option file that `MYSQL_HOME` leads to.
    public let url: String

    /// - Parameters:
    ///   - name: nothing: one that no other test has.
    ///   - options: of CREATE DATABASE, a character set for one.
    public init(
        on server: MariaDBServer = .primary, name: String? = nil, options: String = ""
    ) throws {
        let name = name ?? RealServer.newPrefix().replacing("-", with: "_")
        try server.sql("CREATE DATABASE \(name) \(options)")
        self.name = name
        self.server = server
        url = try server.url(name)
    }

    deinit {
        _ = try? server.sql("SET foreign_key_checks = 0; DROP DATABASE IF EXISTS \(name)")
    }

    /// What the client prints for SQL: a line for each row, tabs between values, without headings.
    @discardableResult
    public func sql(_ text: String) throws -> String {
        try server.sql(text, in: name)
    }

    /// Runs a file of the repository's fixtures.
    public func make(from fixture: String) throws {
        let command = try server.command("mariadb", ["--binary-mode", name])
        try Shell.output(of: "\(command) < \(Shell.quoted(Repository.fixture(fixture)))")
    }

    /// What `mariadb-dump` and the server's checksums find different in another database, rows in any order; empty where
    /// nothing is.
    public func difference(from other: MariaDBDatabase) throws -> String {
        let script = Shell.quoted(Repository.fixture("mariadb/compare"))
        let result = try Shell.run(
            "\(script) \(Shell.quoted(url)) \(Shell.quoted(other.url))")
        guard result.code < 2 else { throw Shell.Failed(description: result.errors) }
        return result.output + result.errors
    }

    /// The command line of a program of Debian's on this database, `mariadb-dump` for one.
    public func command(_ program: String, _ arguments: String...) throws -> String {
        try server.command(program, arguments + [name])
    }
}

/// A server that `scripts/servers` started.
public struct MariaDBServer: Sendable, Equatable {
    /// Keeps a binary log, with GTIDs.
    public static let primary = MariaDBServer(variable: "SLUICE_TEST_MARIADB")
    /// Keeps no binary log; a test may let it follow the first.
    public static let second = MariaDBServer(variable: "SLUICE_TEST_MARIADB_SECOND")
    /// Follows the first all the time.
    public static let replica = MariaDBServer(variable: "SLUICE_TEST_MARIADB_REPLICA")

    private let variable: String

    /// `mysql://USER@HOST:PORT/DATABASE`, without a password.
    public func url(_ database: String, user: String = "admin") throws -> String {
        "mysql://\(user)@127.0.0.1:\(try port)/\(database)"
    }

    public var port: String {
        get throws {
            let url = try RealServer.setting(variable)
            return String(url[(url.lastIndex(of: ":").map(url.index(after:)) ?? url.endIndex)...])
        }
    }

    /// Of the account `admin`, which may do everything.
    public static var password: String {
        get throws { try RealServer.setting("SLUICE_TEST_MARIADB_PASSWORD") }
    }

    /// What the servers show to whoever asks for TLS; it is its own authority.
    public static var certificate: String {
        get throws { try RealServer.setting("SLUICE_TEST_MARIADB_CERTIFICATE") }
    }

    /// What the client prints for SQL, backslash sequences for what would break a line.
    @discardableResult
    public func sql(_ text: String, in database: String? = nil) throws -> String {
        let arguments = ["--batch", "--skip-column-names", "--execute", text]
        return try Shell.output(of: command("mariadb", arguments + (database.map { [$0] } ?? [])))
    }

    public func command(_ program: String, _ arguments: [String]) throws -> String {
        // Only the client has settings of its own beside the server's address.
        let settings = program == "mariadb" ? ["--no-auto-rehash"] : []
        let address = [
            "--host=127.0.0.1", "--port=\(try port)", "--user=admin",
            "--default-character-set=utf8mb4",
        ]
        return (["/usr/bin/\(program)"] + address + settings + arguments)
            .map(Shell.quoted).joined(separator: " ")
    }
}
