import Glibc
import TestSupport
import Testing

/// SIGKILL at random moments between two MariaDB databases: the same command again ends the same way.
@Suite("A migration between MariaDB databases that is killed", .serialized)
struct MySQLKillTests {
    private static let tables = """
        CREATE TABLE keyed (id int NOT NULL AUTO_INCREMENT PRIMARY KEY, word varchar(30) UNIQUE, x double);
        CREATE TABLE loose (a int, b text, FOREIGN KEY (a) REFERENCES keyed (id), KEY by_word (b(10)));
        CREATE TABLE parted (id int, k int) PARTITION BY HASH (k) PARTITIONS 2;
        INSERT INTO keyed (word, x) SELECT concat('word ', seq), seq / 7 FROM seq_1_to_60000;
        INSERT INTO loose SELECT id % 3 + 1, if(id % 5, word, NULL) FROM keyed;
        INSERT INTO parted SELECT id, id % 1000 FROM keyed;
        CREATE VIEW counted AS SELECT count(0) AS n FROM loose;
        CREATE TRIGGER none_left BEFORE INSERT ON parted FOR EACH ROW SET NEW.id = 0
        """

    private static func place() throws -> MySQLPlace {
        let place = try MySQLPlace()
        try place.source.sql(tables)
        return place
    }

    /// Kills the command at random moments, then lets it end.
    private func endure(
        _ place: MySQLPlace, _ command: String, _ options: [String], within limit: Double,
        _ random: inout SeededRandom
    ) throws {
        for _ in 0..<3 {
            let process = try place.start(command, options)
            if process.runs(afterAtMost: Double.random(in: 0..<limit, using: &random)) {
                process.signal(SIGKILL)
            }
            let result = process.wait()
            #expect([0, 137].contains(result.code), "\(random): \(result.errorText)")
            if result.code == 0 { break }
        }
        let result = try place.run(command, options + ["--quiet"])
        #expect(result.code == 0, "\(random): \(result.errorText)")
    }

    @Test("ends the same way however often it is killed")
    func run() throws {
        let options = ["--shard-bytes", "64KiB"]
        let first = try Self.place()
        let limit = try first.succeed("run", "--shard-bytes", "64KiB", "--quiet").seconds
        try first.expectEqual()
        var random = SeededRandom()
        for _ in 0..<(isLong ? 60 : 4) {
            let place = try Self.place()
            try endure(place, "run", options, within: limit, &random)
            try place.expectEqual()
            try place.expectNothingHeld()
            let shards = try place.place.names("out/data").count
            let loaded =
                "SELECT count(*), count(DISTINCT dataset) FROM sluice_ledger WHERE unit LIKE 'data/%'"
            #expect(try place.target.sql(loaded) == "\(shards)\t1\n", "\(random)")
        }
    }

    @Test("ends the same way in steps")
    func load() throws {
        let place = try Self.place()
        try place.succeed("export", "--shard-bytes", "64KiB")
        var random = SeededRandom()
        var limit = 0.0
        for round in 0..<(isLong ? 60 : 4) {
            try place.target.server.sql(
                "DROP DATABASE \(place.target.name); CREATE DATABASE \(place.target.name)")
            if round == 0 {
                limit = try place.succeed("load", "--trust-schema", "--quiet").seconds
                continue
            }
            try endure(place, "load", ["--trust-schema"], within: limit, &random)
            try place.expectEqual()
        }
    }

    @Test("that a signal ended can be continued, and says so", arguments: [SIGINT, SIGTERM])
    func signals(_ signal: Int32) throws {
        let place = try Self.place()
        let process = try place.start("run", ["--shard-bytes", "64KiB", "--lanes", "1"])
        try eventually("nothing is sealed") {
            try place.place.exists("out/seals") && !place.place.names("out/seals").isEmpty
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
        let place = try Self.place()
        try place.succeed("export", "--shard-bytes", "64KiB")
        let process = try place.start("load", ["--trust-schema"])
        // A load lane tries its shard once more by itself.
        for _ in 0..<3 {
            let session = try place.target.server.sql(
                """
                SELECT id FROM information_schema.processlist
                WHERE db = '\(place.target.name)' AND id <> connection_id() ORDER BY id DESC LIMIT 1
                """
            ).number
            if session > 0 { _ = try? place.target.server.sql("KILL \(session)") }
            usleep(100_000)
        }
        let result = process.wait()
        #expect([0, 5].contains(result.code), "\(result.errorText)")
        try place.succeed("load", "--trust-schema")
        try place.expectEqual()
    }

    /// What was sent before a client died may still be on its way when the next one looks.
    @Test("loads nothing twice while a dead process's transaction is still at work")
    func lateCommit() throws {
        let place = try MySQLPlace()
        try place.source.sql(
            "CREATE TABLE t (id int, v varchar(50)); INSERT INTO t SELECT seq, md5(seq) FROM seq_1_to_200000"
        )
        try place.succeed("export", "--shard-bytes", "2MiB")
        for delay in [0.05, 0.1, 0.2, 0.3, 0.4] {
            let process = try place.start("load", ["--trust-schema", "--lanes", "2"])
            if process.runs(afterAtMost: delay) { process.signal(SIGKILL) }
            _ = process.wait()
        }
        try place.succeed("load", "--trust-schema", "--lanes", "2")
        try place.expectEqual()
    }
}
