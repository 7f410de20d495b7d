import Glibc
import TestSupport
import Testing

/// What an export holds still while others write, and what it leaves to them.
@Suite("An export from PostgreSQL under load", .serialized)
struct PostgresSnapshotTests {
    /// A pgbench database; each of its transactions adds the same amount to four tables.
    static func bench(_ place: PostgresPlace, scale: Int) throws {
        try Shell.output(
            of: try PostgresBench.command(place.source, ["-i", "-q", "-s", "\(scale)"])
                + " 2>/dev/null")
    }

    /// One instant has one sum.
    static let sums = """
        SELECT (SELECT sum(abalance) FROM pgbench_accounts), (SELECT sum(tbalance) FROM pgbench_tellers),
            (SELECT sum(bbalance) FROM pgbench_branches), (SELECT coalesce(sum(delta), 0) FROM pgbench_history)
        """

    @Test("holds one instant, whatever is written meanwhile", arguments: ["none", "slot"])
    func oneInstant(_ position: String) throws {
        let place = try PostgresPlace()
        try Self.bench(place, scale: 5)
        let load = try PostgresBench.start(place.source, seconds: 60)
        try eventually("pgbench has written nothing") {
            try place.source.sql("SELECT count(*) > 100 FROM pgbench_history") == "t\n"
        }
        let options = ["--position", position, "--shard-bytes", "256KiB", "--lanes", "3"]
        let before = try place.source.sql("SELECT count(*) FROM pgbench_history")
        let result = try place.run("run", options)
        let after = try place.source.sql("SELECT count(*) FROM pgbench_history")
        load.signal(SIGINT)
        _ = load.wait()
        #expect(result.code == 0, "\(result.errorText)")
        let sums = try place.target.sql(Self.sums).dropLast().split(separator: "|")
        #expect(sums.count == 4 && Set(sums).count == 1, "\(sums)")
        let count = Int(try place.target.sql("SELECT count(*) FROM pgbench_history").dropLast())
        let bounds = [before, after].map { Int($0.dropLast()) ?? 0 }
        #expect(bounds[0] < bounds[1])
        #expect((bounds[0]...bounds[1]).contains(count ?? -1))
    }

    /// Ten megabytes that take ten seconds where a megabyte takes one.
    static let incompressible = """
        INSERT INTO a SELECT g, (SELECT string_agg(md5((g * 40 + n)::text), '') FROM generate_series(1, 32) n)
        FROM generate_series(1, 20000) g
        """

    @Test("keeps TRUNCATE and DDL out until it is done")
    func truncate() throws {
        let place = try PostgresPlace()
        try place.source.sql(
            """
            CREATE TABLE a (id integer PRIMARY KEY, v text); CREATE TABLE z (id integer PRIMARY KEY, v text);
            \(Self.incompressible);
            INSERT INTO z SELECT g, repeat('z', 1000) FROM generate_series(1, 1000) g
            """)
        let export = try place.start(
            "export", ["--lanes", "1", "--upload-limit", "2MiB", "--shard-bytes", "1MiB"])
        try eventually("no shard is there") {
            try place.place.exists("out/data") && !place.place.names("out/data").isEmpty
        }
        #expect(throws: Shell.Failed.self) {
            try place.source.sql("SET lock_timeout = '300ms'; TRUNCATE z")
        }
        #expect(throws: Shell.Failed.self) {
            try place.source.sql("SET lock_timeout = '300ms'; ALTER TABLE z ALTER id TYPE bigint")
        }
        // Reading and writing go on.
        try place.source.sql("SET lock_timeout = '300ms'; DELETE FROM z; INSERT INTO a VALUES (0)")
        let result = export.wait()
        #expect(result.code == 0, "\(result.errorText)")
        try place.source.sql("SET lock_timeout = '10s'; TRUNCATE z")
        try place.succeed("load", "--trust-schema")
        #expect(
            try place.target.sql("SELECT (SELECT count(*) FROM a), (SELECT count(*) FROM z)")
                == "20000|1000\n")
    }

    @Test("takes a slot or locks, and not both")
    func slotUnderLocks() throws {
        let place = try PostgresPlace()
        try place.source.sql("CREATE TABLE t (id integer PRIMARY KEY)")
        let result = try place.run(
            "export", ["--consistency", "locked", "--position", "slot", "--quiet"])
        #expect(
            result.errorText == """
                sluice: --position slot is not possible with --consistency locked
                hint: Leave --consistency locked out; the snapshot of a slot is as exact.

                """)
        #expect(result.code == 2)
        try place.expectNothingHeld()
    }

    @Test("lets writers wait when it is locked, and frees them within seconds when it is killed")
    func locked() throws {
        let place = try PostgresPlace()
        try place.source.sql(
            """
            CREATE TABLE a (id integer PRIMARY KEY, v text);
            \(Self.incompressible)
            """)
        let options = [
            "--consistency", "locked", "--lanes", "1", "--upload-limit", "2MiB", "--shard-bytes",
            "1MiB",
        ]
        for round in 0..<2 {
            let export = try place.start("export", options)
            try eventually("nothing is locked") {
                try place.source.sql(
                    """
                    SELECT count(*) FROM pg_locks
                    WHERE relation = 'a'::regclass AND mode = 'ShareLock' AND granted
                    """) == "1\n"
            }
            #expect(export.runs(afterAtMost: 1), "round \(round)")
            try place.source.sql("SET lock_timeout = '300ms'; SELECT count(*) FROM a")
            #expect(throws: Shell.Failed.self, "round \(round)") {
                try place.source.sql("SET lock_timeout = '300ms'; UPDATE a SET v = '' WHERE id = 1")
            }
            if round == 0 {
                export.signal(SIGKILL)
                _ = export.wait()
                try place.source.sql("SET lock_timeout = '10s'; UPDATE a SET v = '' WHERE id = 1")
            } else {
                #expect(export.wait().code == 0)
                try place.source.sql("SET lock_timeout = '1s'; UPDATE a SET v = '' WHERE id = 2")
            }
        }
        try place.expectNothingHeld()
        try place.succeed("load", "--trust-schema")
        #expect(try place.target.sql("SELECT v = '' FROM a WHERE id = 1") == "t\n")
        #expect(try place.target.sql("SELECT v = '' FROM a WHERE id = 2") == "f\n")
    }
}

/// The load that PostgreSQL's own tool makes.
enum PostgresBench {
    static func command(_ database: PostgresDatabase, _ options: [String]) throws -> String {
        let bin = try RealServer.setting("SLUICE_TEST_POSTGRES_BIN")
        return ((["\(bin)/pgbench"] + options + [database.url]).map(Shell.quoted))
            .joined(separator: " ")
    }

    /// Writes with four clients until the time is over or it is interrupted.
    static func start(_ database: PostgresDatabase, seconds: Int, rate: Int = 400) throws -> Process
    {
        let bin = try RealServer.setting("SLUICE_TEST_POSTGRES_BIN")
        return try Program(path: "\(bin)/pgbench").start([
            "-n", "-c", "4", "-T", "\(seconds)", "-R", "\(rate)", database.url,
        ])
    }
}
