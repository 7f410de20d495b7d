import TestSupport
import Testing

@Suite("Behind PgBouncer")
struct PostgresPoolerTests {
    private let place: PostgresPlace

    init() throws {
        place = try PostgresPlace("every-object.sql")
    }

    private func ends(_ pool: PostgresServer) throws -> [String] {
        try [
            "--source", pool.url(place.source.name), "--target", pool.url(place.target.name),
        ]
    }

    @Test("a database is moved where each client has a session of its own")
    func bySession() throws {
        let result = try place.place.run(
            ["run", "--store", "file:out", "--lanes", "2"] + ends(.pooledBySession))
        #expect(result.code == 0, "\(result.errorText)")
        try place.expectEqual()
    }

    @Test("nothing is begun where sessions are shared, and none has a setting of sluice's")
    func byTransaction() throws {
        let pool = PostgresServer.pooledByTransaction
        for command in ["run", "plan"] {
            let store = command == "run" ? ["--store", "file:out"] : []
            let result = try place.place.run([command] + store + ends(pool))
            #expect(result.code == 2)
            #expect(
                try result.errorText.hasSuffix(
                    """
                    sluice: a pooler before \(pool.url(place.source.name)) shares the server's \
                    sessions among its clients
                    hint: Name the server itself, or a pool by session.

                    """), "\(result.errorText)")
        }
        let settings = try Shell.output(
            of: PostgresServer.command(
                "psql",
                [
                    pool.url(place.source.name), "-XqAt", "-c",
                    "SELECT string_agg(name, ',') FROM pg_settings WHERE source = 'session'",
                ]))
        // PgBouncer's own doing, for psql.
        #expect(settings == "application_name\n")
    }

    @Test("doctor says so")
    func doctor() throws {
        let pool = PostgresServer.pooledByTransaction
        let result = try place.place.run(["doctor"] + ends(pool))
        #expect(result.code == 1)
        for name in [place.source.name, place.target.name] {
            let url = try pool.url(name)
            #expect(
                result.text.contains(
                    """
                    fail  \(url): a pooler before \(url) shares the server's sessions among its clients
                          Name the server itself, or a pool by session.

                    """), "\(result.text)")
        }
    }
}
