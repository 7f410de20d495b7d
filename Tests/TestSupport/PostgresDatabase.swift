/// A database of a test's own on the server that `scripts/servers` started, dropped with its owner.
///
/// What is done to it goes through Debian's `psql`, `pg_dump` and their like, which nobody here wrote.
public final class PostgresDatabase: Sendable {
    public let name: String
    /// What sluice and every client of libpq is given; the password is in the file that `PGPASSFILE` names.
    public let url: String

    /// An empty database, or a copy of one that nobody is connected to.
    public init(copying template: String = "template0") throws {
        let name = RealServer.newPrefix().replacing("-", with: "_")
        try PostgresServer.primary.sql("CREATE DATABASE \(name) TEMPLATE \(template)")
        self.name = name
        url = try PostgresServer.primary.url(name)
    }

    deinit {
        // Whatever a database subscribes to or has a slot for keeps it from being dropped.
        _ = try? sql(
            """
            DO $$ DECLARE one name; BEGIN
                FOR one IN SELECT subname FROM pg_subscription s JOIN pg_database d ON d.oid = subdbid
                    WHERE datname = current_database() LOOP
                    EXECUTE format('ALTER SUBSCRIPTION %I DISABLE', one);
                    EXECUTE format('ALTER SUBSCRIPTION %I SET (slot_name = NONE)', one);
                    EXECUTE format('DROP SUBSCRIPTION %I', one);
                END LOOP;
                PERFORM pg_terminate_backend(active_pid, 5000) FROM pg_replication_slots
                    WHERE database = current_database() AND active;
                PERFORM pg_drop_replication_slot(slot_name) FROM pg_replication_slots
                    WHERE database = current_database();
            END $$
            """)
        _ = try? PostgresServer.primary.sql("DROP DATABASE IF EXISTS \(name) WITH (FORCE)")
    }

    /// The same database as the standby has it; it follows a moment later.
    public var standbyURL: String {
        get throws { try PostgresServer.standby.url(name) }
    }

    /// What psql prints for SQL, unaligned, without headings.
    @discardableResult
    public func sql(_ text: String) throws -> String {
        try PostgresServer.psql(url, text)
    }

    /// Runs a file of the repository's fixtures.
    public func make(from fixture: String) throws {
        let command = try PostgresServer.command("psql", [url, "-XqAt", "-v", "ON_ERROR_STOP=1"])
        let file = Shell.quoted(Repository.fixture(fixture))
        try Shell.output(of: "\(command) -f \(file) > /dev/null")
    }

    /// What `pg_dump` finds different in another database, rows in any order; empty where nothing is.
    public func difference(from other: PostgresDatabase) throws -> String {
        let script = Shell.quoted(Repository.fixture("postgres/compare"))
        let result = try Shell.run(
            "\(script) \(Shell.quoted(url)) \(Shell.quoted(other.url))")
        guard result.code < 2 else { throw Shell.Failed(description: result.errors) }
        return result.output + result.errors
    }

    /// The command line of a program of the server's package on this database, `pg_dump` for one.
    public func command(_ program: String, _ arguments: String...) throws -> String {
        try PostgresServer.command(program, arguments + ["--dbname", url])
    }
}

/// A server that `scripts/servers` started.
public struct PostgresServer: Sendable {
    public static let primary = PostgresServer(variable: "SLUICE_TEST_POSTGRES")
    public static let standby = PostgresServer(variable: "SLUICE_TEST_POSTGRES_STANDBY")
    /// PgBouncer before the primary: a session of the server for each client, or for each transaction.
    public static let pooledBySession = PostgresServer(variable: "SLUICE_TEST_PGBOUNCER_SESSION")
    public static let pooledByTransaction = PostgresServer(
        variable: "SLUICE_TEST_PGBOUNCER_TRANSACTION")

    private let variable: String

    /// `postgres://USER@HOST:PORT/DATABASE`, without a password.
    public func url(_ database: String = "postgres") throws -> String {
        let url = try RealServer.setting(variable)
        let last = url.lastIndex(of: "/") ?? url.endIndex
        return "\(url[..<last])/\(database)"
    }

    public static var password: String {
        get throws { try RealServer.setting("SLUICE_TEST_POSTGRES_PASSWORD") }
    }

    @discardableResult
    public func sql(_ text: String) throws -> String { try PostgresServer.psql(url(), text) }

    static func psql(_ url: String, _ text: String) throws -> String {
        try Shell.output(
            of: command("psql", [url, "-XqAt", "-v", "ON_ERROR_STOP=1", "-c", text]))
    }

    public static func command(_ program: String, _ arguments: [String]) throws -> String {
        let folder = try RealServer.setting("SLUICE_TEST_POSTGRES_BIN")
        return (["\(folder)/\(program)"] + arguments).map(Shell.quoted).joined(separator: " ")
    }
}
