import Glibc
import TestSupport
import Testing

/// Two databases on a real PostgreSQL and a folder for the store, with sluice as it is run between them.
final class PostgresPlace {
    let place: Workspace
    let source: PostgresDatabase
    let target: PostgresDatabase

    /// - Parameter fixture: SQL that makes the source; nothing: it is empty.
    init(_ fixture: String? = nil) throws {
        place = try Workspace()
        source = try PostgresDatabase()
        target = try PostgresDatabase()
        if let fixture { try source.make(from: "postgres/\(fixture)") }
    }

    /// `--source`, `--store` and `--target`, each where the command takes it.
    func ends(of command: String, store: String = "file:out") -> [String] {
        var ends = ["--store", store]
        if ["run", "export"].contains(command) { ends += ["--source", source.url] }
        if ["run", "load", "verify"].contains(command) { ends += ["--target", target.url] }
        return ends
    }

    /// Runs sluice; whatever it says, the password is not in it.
    @discardableResult
    func run(
        _ command: String, _ options: [String] = [], store: String = "file:out",
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> Program.Result {
        let result = try place.run([command] + ends(of: command, store: store) + options)
        let password = try PostgresServer.password
        #expect(!result.text.contains(password), sourceLocation: sourceLocation)
        #expect(!result.errorText.contains(password), sourceLocation: sourceLocation)
        return result
    }

    /// Runs sluice and expects that all is well.
    @discardableResult
    func succeed(
        _ command: String, _ options: String..., store: String = "file:out",
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> Program.Result {
        let result = try run(command, options, store: store, sourceLocation: sourceLocation)
        #expect(result.code == 0, "\(result.errorText)", sourceLocation: sourceLocation)
        return result
    }

    /// Starts sluice and comes back at once.
    func start(_ command: String, _ options: [String] = []) throws -> Process {
        try place.sluice.start([command] + ends(of: command) + ["--quiet"] + options)
    }

    /// `pg_dump` finds source and target the same.
    func expectEqual(sourceLocation: SourceLocation = #_sourceLocation) throws {
        let difference = try source.difference(from: target)
        #expect(difference.prefix(3000) == "", sourceLocation: sourceLocation)
    }

    /// Nothing that sluice took on the source is left: no session, no slot, no publication, nothing in `holds/`.
    func expectNothingHeld(sourceLocation: SourceLocation = #_sourceLocation) throws {
        try eventually("a session of sluice is still there", sourceLocation: sourceLocation) {
            try source.sql(
                """
                SELECT count(*) FROM pg_stat_activity
                WHERE datname = current_database() AND application_name LIKE 'sluice%'
                """) == "0\n"
        }
        let left = try source.sql(
            """
            SELECT slot_name FROM pg_replication_slots WHERE database = current_database();
            SELECT pubname FROM pg_publication WHERE pubname LIKE 'sluice%'
            """)
        #expect(left == "", sourceLocation: sourceLocation)
        let holds = try place.exists("out/holds") ? place.names("out/holds") : []
        #expect(holds == [], sourceLocation: sourceLocation)
    }
}

/// Waits until something is so, half a minute at most.
func eventually(
    _ complaint: String, within seconds: Double = 30,
    sourceLocation: SourceLocation = #_sourceLocation, _ isSo: () throws -> Bool
) throws {
    let end = Process.now + seconds
    while try !isSo() {
        guard Process.now < end else {
            Issue.record("\(complaint) after \(seconds) s", sourceLocation: sourceLocation)
            return
        }
        usleep(50_000)
    }
}
