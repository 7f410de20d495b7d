import TestSupport
import Testing

/// Two databases on a real PostgreSQL and a folder for the store, with sluice as it is run between them.
struct PostgresPlace: ServerPlace {
    let place: Workspace
    let source: PostgresDatabase
    let target: PostgresDatabase
    var password: String { get throws { try PostgresServer.password } }

    /// - Parameter fixture: SQL that makes the source; nothing: it is empty.
    init(_ fixture: String? = nil) throws {
        place = try Workspace()
        source = try PostgresDatabase()
        target = try PostgresDatabase()
        if let fixture { try source.make(from: "postgres/\(fixture)") }
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
        try expectNoHolds(sourceLocation: sourceLocation)
    }
}

extension PostgresDatabase: ServerDatabase {}
