import Glibc
import TestSupport
import Testing

/// SIGKILL at random moments between two PostgreSQL databases: the same command again ends the same way.
@Suite("A migration between PostgreSQL databases that is killed", .serialized)
struct PostgresKillTests {
    private static let tables = """
        CREATE TABLE keyed (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, word text UNIQUE, x double precision);
        CREATE TABLE loose (a integer REFERENCES keyed, b text);
        CREATE TABLE parted (id integer, k integer) PARTITION BY HASH (k);
        CREATE TABLE parted_0 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 0);
        CREATE TABLE parted_1 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 1);
        INSERT INTO keyed (word, x) SELECT 'word ' || g, g / 7.0 FROM generate_series(1, 60000) g;
        INSERT INTO loose SELECT id % 3 + 1, CASE id % 5 WHEN 0 THEN NULL ELSE word END FROM keyed;
        INSERT INTO parted SELECT id, id % 1000 FROM keyed;
        CREATE INDEX by_word ON loose (b);
        CREATE MATERIALIZED VIEW counted AS SELECT count(*) FROM loose;
        SELECT lo_from_bytea(1000, '\\x00ff')
        """

    /// Kills the command at random moments, then lets it end.
    private func endure(
        _ place: PostgresPlace, _ command: String, within limit: Double,
        _ random: inout SeededRandom
    ) throws {
        for _ in 0..<3 {
            let process = try place.start(command, ["--shard-bytes", "64KiB"])
            if process.runs(afterAtMost: Double.random(in: 0..<limit, using: &random)) {
                process.signal(SIGKILL)
            }
            let result = process.wait()
            #expect([0, 137].contains(result.code), "\(random): \(result.errorText)")
            if result.code == 0 { break }
        }
        let result = try place.run(command, ["--shard-bytes", "64KiB", "--quiet"])
        #expect(result.code == 0, "\(random): \(result.errorText)")
    }

    private func seconds(_ command: String, _ place: PostgresPlace) throws -> Double {
        try place.succeed(command, "--shard-bytes", "64KiB", "--quiet").seconds
    }

    @Test("ends the same way however often it is killed")
    func run() throws {
        let first = try PostgresPlace()
        try first.source.sql(Self.tables)
        let limit = try seconds("run", first)
        try first.expectEqual()
        var random = SeededRandom()
        for _ in 0..<(isLong ? 60 : 4) {
            let place = try PostgresPlace()
            try place.source.sql(Self.tables)
            try endure(place, "run", within: limit, &random)
            try place.expectEqual()
            try place.expectNothingHeld()
            let shards = try place.place.names("out/data").count
            let loaded = """
                SELECT count(*), count(DISTINCT dataset) FROM sluice.sluice_ledger WHERE unit LIKE 'data/%'
                """
            #expect(try place.target.sql(loaded) == "\(shards)|1\n", "\(random)")
        }
    }

    @Test("ends the same way in steps")
    func load() throws {
        let first = try PostgresPlace()
        try first.source.sql(Self.tables)
        try first.succeed("export", "--shard-bytes", "64KiB")
        var random = SeededRandom()
        var limit = 0.0
        for round in 0..<(isLong ? 60 : 4) {
            try first.target.sql(
                """
                DROP SCHEMA public CASCADE; DROP SCHEMA IF EXISTS sluice CASCADE; CREATE SCHEMA public;
                ALTER SCHEMA public OWNER TO pg_database_owner; GRANT USAGE ON SCHEMA public TO PUBLIC;
                COMMENT ON SCHEMA public IS 'standard public schema';
                SELECT lo_unlink(oid) FROM pg_largeobject_metadata
                """)
            if round == 0 {
                limit = try first.succeed("load", "--trust-schema", "--quiet").seconds
                continue
            }
            for _ in 0..<3 {
                let process = try first.start("load", ["--trust-schema"])
                if process.runs(afterAtMost: Double.random(in: 0..<limit, using: &random)) {
                    process.signal(SIGKILL)
                }
                _ = process.wait()
            }
            let result = try first.run("load", ["--trust-schema", "--quiet"])
            #expect(result.code == 0, "\(random): \(result.errorText)")
            try first.expectEqual()
        }
    }

    @Test("that a signal ended can be continued, and says so", arguments: [SIGINT, SIGTERM])
    func signals(_ signal: Int32) throws {
        let place = try PostgresPlace()
        try place.source.sql(Self.tables)
        let process = try place.start("run", ["--shard-bytes", "64KiB", "--lanes", "1"])
        while try !place.place.exists("out/seals") || place.place.names("out/seals").isEmpty {
            usleep(1000)
        }
        process.signal(signal)
        let result = process.wait()
        #expect(result.code == 130, "\(result.errorText)")
        #expect(result.errorText.hasPrefix("sluice: interrupted\n"))
        try place.expectNothingHeld()
        try place.succeed("run", "--shard-bytes", "64KiB")
        try place.expectEqual()
    }

    @Test("goes on when the server ended its sessions")
    func terminatedSessions() throws {
        let place = try PostgresPlace()
        try place.source.sql(Self.tables)
        try place.succeed("export")
        let process = try place.start("load", ["--trust-schema"])
        // A load lane tries its shard once more by itself.
        for _ in 0..<3 {
            try place.target.sql(
                """
                SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE datname = current_database() AND application_name LIKE 'sluice%' LIMIT 1
                """)
            usleep(100_000)
        }
        let result = process.wait()
        #expect([0, 5].contains(result.code), "\(result.errorText)")
        try place.succeed("load", "--trust-schema")
        try place.expectEqual()
    }
}
