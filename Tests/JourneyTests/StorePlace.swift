import Glibc
import TestSupport
import Testing

/// A folder of a test's own with a store on a real server, and sluice with the credentials for it.
final class StorePlace {
    let place: Workspace
    let server: RealServer
    let prefix = RealServer.newPrefix()
    let url: String

    /// - Parameter address: of something that stands before the server.
    init(_ server: RealServer, at address: String? = nil) throws {
        self.server = server
        place = try Workspace()
        url = try server.url(prefix, at: address)
        setEnvironment(try server.environment)
    }

    /// What sluice gets beside a bare environment.
    func setEnvironment(_ variables: [String: String]) {
        place.sluice.environment = variables.merging(["PATH": "/usr/bin:/bin"]) { first, _ in first
        }
    }

    func run(_ arguments: [String]) throws -> Program.Result {
        let result = try place.sluice.run(arguments)
        try StorePlace.expectNoSecret(in: result)
        return result
    }

    /// Runs sluice and expects that all is well.
    @discardableResult
    func succeed(
        _ arguments: String..., sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> Program.Result {
        let result = try run(arguments)
        #expect(result.code == 0, "\(result.errorText)", sourceLocation: sourceLocation)
        return result
    }

    /// The store's own client, whose configuration is in the environment.
    @discardableResult
    func rclone(_ arguments: String...) throws -> String {
        let client = Program(path: try RealServer.setting("SLUICE_TEST_RCLONE"))
        let result = try client.run(arguments + ["--retries", "1"])
        guard result.code == 0 else { throw Program.Problem("rclone: \(result.errorText)") }
        return result.text
    }

    /// What rclone is to be asked for; nothing where it cannot reach the server.
    var remote: String? {
        server.remote.map { $0.hasSuffix(":") ? $0 + prefix : "\($0)/\(prefix)" }
    }

    static func expectNoSecret(
        in result: Program.Result, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        for secret in try RealServer.secrets {
            #expect(!result.text.contains(secret), sourceLocation: sourceLocation)
            #expect(!result.errorText.contains(secret), sourceLocation: sourceLocation)
        }
    }

    /// A table of rows of some hundred bytes.
    func makeRows(_ database: String, _ rowCount: Int) throws {
        try place.sql(
            database,
            """
            CREATE TABLE orders (id INTEGER PRIMARY KEY, note TEXT NOT NULL, amount REAL);
            INSERT INTO orders
            WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < \(rowCount))
            SELECT i, hex(zeroblob(40)) || i * 7919 % 10007, i / 7.0 FROM n;
            """)
    }
}
