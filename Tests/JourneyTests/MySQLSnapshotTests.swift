import Glibc
import TestSupport
import Testing

/// What an export holds still while others write, and what it leaves to them.
@Suite("An export from MariaDB under load", .serialized)
struct MySQLSnapshotTests {
    /// The second server has no binary log, so that lanes can only be equal under a lock.
    @Test(
        "holds one instant, whatever is written meanwhile", arguments: 1...(isLong ? 20 : 2),
        [MariaDBServer.primary, .second])
    func oneInstant(_ round: Int, _ server: MariaDBServer) throws {
        let place = try MySQLPlace(sourceOn: server)
        let load = try MySQLLoad(place, scale: 5)
        let before = try load.transactionCount
        let result = try place.run("run", ["--shard-bytes", "128KiB", "--lanes", "3"])
        let after = try load.transactionCount
        try load.stop()
        #expect(result.code == 0, "\(result.errorText)")
        try load.expectOneInstant(in: place.target, scale: 5)
        let count = try place.target.sql("SELECT count(*) FROM history").number
        #expect(before < after)
        #expect((before...after).contains(count))
        try place.expectNothingHeld()
    }

    /// Ten megabytes that nothing makes smaller than half.
    private static let incompressible = """
        CREATE TABLE a (id int PRIMARY KEY, v text);
        INSERT INTO a SELECT seq, (SELECT group_concat(md5(a.seq * 40 + b.seq) SEPARATOR '') FROM seq_1_to_32 b)
        FROM seq_1_to_10000 a
        """

    private static let slow = [
        "--lanes", "2", "--upload-limit", "512KiB", "--shard-bytes", "256KiB",
    ]

    private func export(_ place: MySQLPlace, _ options: String...) throws -> Process {
        let export = try place.start("export", Self.slow + options)
        try eventually("no shard is there") {
            try !export.runs(afterAtMost: 0)
                || place.place.exists("out/data") && !place.place.names("out/data").isEmpty
        }
        #expect(export.runs(afterAtMost: 0), "\(export.errorText)")
        return export
    }

    @Test("lets others read and write until it is done")
    func others() throws {
        let place = try MySQLPlace()
        try place.source.sql("\(Self.incompressible); CREATE TABLE z (id int PRIMARY KEY)")
        let export = try export(place)
        try place.source.sql(
            """
            SET lock_wait_timeout = 1, innodb_lock_wait_timeout = 1; SELECT count(*) FROM a;
            DELETE FROM a WHERE id > 5000; INSERT INTO z VALUES (1); UPDATE a SET v = ''
            """)
        let result = export.wait()
        #expect(result.code == 0, "\(result.errorText)")
        try place.succeed("load", "--trust-schema")
        #expect(
            try place.target.sql("SELECT count(*), min(length(v)), (SELECT count(*) FROM z) FROM a")
                == "10000\t1024\t0\n")
    }

    @Test(
        "keeps DDL out until it is done, or ends without a dataset",
        arguments: [
            "TRUNCATE z", "ALTER TABLE z ADD COLUMN more int DEFAULT 1", "DROP TABLE z",
            "RENAME TABLE z TO y",
        ])
    func ddl(_ statement: String) throws {
        let place = try MySQLPlace()
        try place.source.sql(
            """
            \(Self.incompressible);
            CREATE TABLE z (id int PRIMARY KEY, v text) AS SELECT seq AS id, repeat('z', 1000) AS v FROM seq_1_to_1000
            """)
        let export = try export(place)
        let changed =
            (try? place.source.sql("SET lock_wait_timeout = 1; \(statement)")) != nil
        let result = export.wait()
        if changed {
            #expect([1, 4, 6].contains(result.code), "\(result.code): \(result.errorText)")
            #expect(!place.place.exists("out/manifest.json"))
            return
        }
        #expect(result.code == 0, "\(result.errorText)")
        try place.source.sql("SET lock_wait_timeout = 5; \(statement)")
        try place.succeed("load", "--trust-schema")
        #expect(try place.target.sql("SELECT count(*), sum(length(v)) FROM z") == "1000\t1000000\n")
    }

    @Test("lets writers wait when it is locked, and frees them within seconds when it is killed")
    func locked() throws {
        let place = try MySQLPlace()
        try place.source.sql(Self.incompressible)
        let update = "SET lock_wait_timeout = 1; UPDATE a SET v = '' WHERE id ="
        for round in 1...2 {
            let export = try place.start("export", Self.slow + ["--consistency", "locked"])
            try eventually("nothing is locked") { (try? place.source.sql("\(update) 1")) == nil }
            #expect(export.runs(afterAtMost: 1), "\(export.errorText)")
            try place.source.sql("SET lock_wait_timeout = 1; SELECT count(*) FROM a")
            #expect(throws: Shell.Failed.self, "round \(round)") {
                try place.source.sql("\(update) 1")
            }
            if round == 1 {
                export.signal(SIGKILL)
                _ = export.wait()
                try eventually("the lock outlives its process", within: 10) {
                    (try? place.source.sql("\(update) 1")) != nil
                }
            } else {
                #expect(export.wait().code == 0, "\(export.errorText)")
                try place.source.sql("\(update) 2")
            }
        }
        try place.expectNothingHeld()
        try place.succeed("load", "--trust-schema")
        #expect(try place.target.sql("SELECT v = '' FROM a WHERE id IN (1, 2)") == "1\n0\n")
    }

    @Test(
        "that was locked and killed goes on where the server's log stands still, else begins anew")
    func continued() throws {
        for writes in [false, true] {
            let place = try MySQLPlace()
            try place.source.sql(Self.incompressible)
            func dataset() throws -> String {
                let text = String(
                    decoding: try place.place.read("out/dataset.json"), as: UTF8.self)
                return try String(#require(text.firstMatch(of: /"dataset": "(\w+)"/)).1)
            }
            func log() throws -> String { try place.source.sql("SHOW MASTER STATUS") }
            let start = try log()
            let first = try export(place, "--consistency", "locked")
            let begun = try dataset()
            first.signal(SIGKILL)
            _ = first.wait()
            if writes {
                try eventually("the lock outlives its process", within: 10) {
                    (try? place.source.sql("SET lock_wait_timeout = 1; DELETE FROM a WHERE id = 1"))
                        != nil
                }
            }
            let between = try log()
            let second = try place.run(
                "export", ["--consistency", "locked", "--shard-bytes", "256KiB", "--lanes", "2"])
            #expect(second.code == 0, "\(second.errorText)")
            // Other tests write to other databases of this server, which moves its log as well.
            if try log() == start { #expect(try dataset() == begun) }
            if writes {
                #expect(between != start)
                #expect(try dataset() != begun)
            }
            try place.succeed("load", "--trust-schema")
            try place.expectEqual()
        }
    }

    @Test(
        "on a server that nobody else writes to: goes on, knows its GTID and the log's time, needs no lock"
    )
    func continuedAlone() throws {
        let place = try Workspace()
        let script = """
            set -eu
            cd \(place.path)
            mariadb=(mariadb --host=127.0.0.1 --port="${SLUICE_TEST_MARIADB##*:}" --user=admin -N)
            "${mariadb[@]}" <<SQL
            SET GLOBAL expire_logs_days = 1; CREATE DATABASE shop; USE shop; CREATE TABLE small (id int PRIMARY KEY); \(Self.incompressible)
            SQL
            export=(\(place.sluice.path) export --source "$SLUICE_TEST_MARIADB/shop" --store file:out
                --consistency locked --shard-bytes 256KiB --lanes 2)
            "${export[@]}" --upload-limit 512KiB &
            until ls out/seals/*/* >seals.txt 2>/dev/null; do kill -0 $!; sleep 0.05; done
            kill -9 $!
            wait $! || true
            ls out/seals/*/* >seals.txt
            cp out/dataset.json first.json
            xargs cat <seals.txt >first.txt
            "${export[@]}"
            cmp out/dataset.json first.json
            xargs cat <seals.txt | cmp first.txt -
            member() { awk -F'[":, ]+' -v name="$1" '$2 == name { print $3; exit }' out/dataset.json; }
            gtid=$(member gtid)
            test -n "$gtid"
            test "$gtid" = "$("${mariadb[@]}" -e "SELECT BINLOG_GTID_POS('$(member file)', $(member offset))")"
            \(place.sluice.path) export --source "$SLUICE_TEST_MARIADB/shop" --store file:unlocked --lanes 2
            grep '"proof": "equal places in the binary log"' unlocked/dataset.json
            doctor=(\(place.sluice.path) doctor --source "$SLUICE_TEST_MARIADB/shop")
            "${doctor[@]}" | grep "pass .* the binary log is kept for 1 day"
            "${doctor[@]}" --time-limit 25h | grep "warn .* the binary log is kept for 86400 seconds"
            """
        let servers = Program(path: "\(Workspace.repository)/scripts/servers")
        let result = try servers.run(["--only", "mariadb", "bash", "-c", script])
        #expect(result.code == 0, "\(result.errorText)")
        #expect(result.text.contains("exported 2 tables, 10,000 rows"), "\(result.text)")
    }

    @Test("never makes others wait for longer than the limit, whatever runs on the source")
    func longStatement() throws {
        let place = try MySQLPlace(sourceOn: .second)
        try place.source.sql(
            """
            CREATE TABLE a (id int PRIMARY KEY, v text); CREATE TABLE b (id int PRIMARY KEY, v text);
            INSERT INTO a SELECT seq, 'x' FROM seq_1_to_1000
            """
        )
        for statement in [
            "SELECT sum(sleep(0.04)) FROM a WHERE id <= 500",
            "UPDATE a SET v = 'y' WHERE sleep(0.04) = 0 AND id <= 500",
        ] {
            let client = try Program(path: "/bin/sh").start([
                "-c",
                "exec \(place.source.server.command("mariadb", [place.source.name, "-e", statement]))",
            ])
            try eventually("the statement does not run") {
                try place.source.server.sql(
                    """
                    SELECT count(*) FROM information_schema.processlist
                    WHERE db = '\(place.source.name)' AND info LIKE '%sleep(0.04)%' AND id <> connection_id()
                    """) == "1\n"
            }
            let export = try place.start("export", [])
            // Somebody else's small change, again and again: the longest time one of them took.
            var longest = 0.0
            while export.runs(afterAtMost: 0.05) {
                let begin = Process.now
                try place.source.sql("REPLACE INTO b VALUES (1, uuid())")
                longest = max(longest, Process.now - begin)
            }
            let result = export.wait()
            #expect([0, 5].contains(result.code), "\(statement): \(result.errorText)")
            #expect(longest < 13, "\(statement)")
            _ = client.wait()
        }
        try place.expectNothingHeld()
    }

    @Test("frees others within seconds when it is killed while it waits for its lock")
    func killedWhileWaiting() throws {
        let place = try MySQLPlace(sourceOn: .second)
        try place.source.sql(
            """
            CREATE TABLE a (id int PRIMARY KEY, v text); CREATE TABLE b (id int PRIMARY KEY, v text);
            INSERT INTO a SELECT seq, 'x' FROM seq_1_to_500
            """)
        let long = "UPDATE a SET v = 'y' WHERE sleep(0.04) = 0"
        let client = try Program(path: "/bin/sh").start([
            "-c", "exec \(place.source.command("mariadb", "--execute", long))",
        ])
        func isRunning(_ statement: String) throws -> Bool {
            try place.source.server.sql(
                """
                SELECT count(*) FROM information_schema.processlist
                WHERE db = '\(place.source.name)' AND info LIKE '\(statement)%'
                """) == "1\n"
        }
        try eventually("the statement does not run") { try isRunning("UPDATE a") }
        let export = try place.start("export")
        try eventually("nobody waits for a lock") { try isRunning("FLUSH TABLES") }
        export.signal(SIGKILL)
        _ = export.wait()
        let begin = Process.now
        try place.source.sql("REPLACE INTO b VALUES (1, '')")
        #expect(Process.now - begin < 10)
        #expect(try isRunning("UPDATE a"))
        _ = client.wait()
        try place.expectNothingHeld()
    }
}
