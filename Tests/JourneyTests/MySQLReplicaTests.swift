import Glibc
import TestSupport
import Testing

/// A replica whose SQL thread stands still while it is read, and goes on whatever happens to the export.
@Suite("An export from a MariaDB replica", .serialized)
struct MySQLReplicaTests {
    private static let slow = ["--upload-limit", "200KiB", "--shard-bytes", "64KiB"]

    /// A place whose source the replica has, too, and the URL of it there.
    private func place() throws -> (place: MySQLPlace, url: String) {
        let place = try MySQLPlace()
        try place.source.sql(
            """
            CREATE TABLE a (id int PRIMARY KEY, v text);
            INSERT INTO a SELECT seq, (SELECT group_concat(md5(a.seq * 40 + b.seq) SEPARATOR '') FROM seq_1_to_32 b)
            FROM seq_1_to_4000 a
            """)
        try catchUp(place)
        return (place, try MariaDBServer.replica.url(place.source.name))
    }

    private func catchUp(_ place: MySQLPlace) throws {
        let end = try place.source.sql("SELECT @@gtid_binlog_pos").dropLast()
        try eventually("the replica does not follow") {
            try MariaDBServer.replica.sql("SELECT master_gtid_wait('\(end)', 5)").number == 0
        }
    }

    private func export(_ url: String, _ options: [String] = []) -> [String] {
        [
            "export", "--source", url, "--store", "file:out", "--consistency", "replica", "--quiet",
        ] + options
    }

    /// `Yes` or `No`.
    private func sqlThread() throws -> String {
        let status = try Shell.output(
            of: MariaDBServer.replica.command("mariadb", ["--execute", "SHOW SLAVE STATUS\\G"]))
        return try String(#require(status.firstMatch(of: /Slave_SQL_Running: (\w+)/)).1)
    }

    private func expectRunning(sourceLocation: SourceLocation = #_sourceLocation) throws {
        #expect(try sqlThread() == "Yes", sourceLocation: sourceLocation)
    }

    @Test("holds one instant of its primary, whose position it records, and lets it go on")
    func success() throws {
        let (place, url) = try place()
        let load = try MySQLLoad(place, scale: 2)
        try catchUp(place)
        let result = try place.place.run(export(url, ["--shard-bytes", "64KiB"]))
        #expect(result.code == 0, "\(result.errorText)")
        try load.stop()
        try expectRunning()
        try place.expectNothingHeld()
        try place.succeed("load", "--trust-schema")
        try load.expectOneInstant(in: place.target, scale: 2)
        let handoff = try place.place.succeed("handoff", "--store", "file:out", "--for", "mariadb")
        #expect(
            handoff.text.contains("MASTER_PORT = \(try MariaDBServer.primary.port),"),
            "\(handoff.text)")
    }

    @Test("needs no more privileges than the manual says, and names the one that is missing")
    func privileges() throws {
        let (place, _) = try place()
        let account = try MySQLAccount()
        let database = "`\(place.source.name.replacing("_", with: "\\_"))`"
        try account.grant("SELECT, SHOW VIEW, TRIGGER, EVENT ON \(database).*")
        try account.grant("SELECT ON mysql.proc")
        try account.grant("BINLOG MONITOR, REPLICA MONITOR ON *.*")
        try catchUp(place)
        let name = place.source.name
        let url = try MariaDBServer.replica.url(name, user: "\(account.name):secret")
        let refused = try place.place.run(export(url))
        #expect(refused.code == 1)
        #expect(
            refused.errorText.hasPrefix(
                "sluice: access denied; you need (at least one of) the SUPER, REPLICATION SLAVE ADMIN privilege(s)"
                    + " for this operation [1227]\n"), "\(refused.errorText)")
        #expect(
            refused.errorText.hasSuffix(
                "hint: Grant the privilege to the user of the URL, or use another user.\n"))
        try expectRunning()
        try place.expectNothingHeld()
        try account.grant("REPLICATION SLAVE ADMIN ON *.*")
        try catchUp(place)
        let result = try place.place.run(export(url))
        #expect(result.code == 0)
        #expect(result.errorText == "")
        try expectRunning()
        let handoff = try place.place.succeed("handoff", "--store", "file:out", "--for", "mysql")
        #expect(handoff.text.contains("MASTER_PORT = \(try MariaDBServer.primary.port),"))
    }

    @Test("gets what is loaded into its primary, unless the URL says that it shall not")
    func log() throws {
        let (place, _) = try place()
        let (with, without) = (place.target, try MariaDBDatabase())
        let url = "\(without.url)?sql-log-bin=0"
        for target in [with.url, url] {
            let store = "file:\(target == url ? "without" : "with")"
            let result = try place.place.run([
                "run", "--source", place.source.url, "--store", store, "--target", target,
                "--quiet",
            ])
            #expect(result.code == 0, "\(result.errorText)")
        }
        #expect(try without.sql("SELECT count(*) FROM a") == "4000\n")
        try catchUp(place)
        let tables = """
            SELECT table_name FROM information_schema.tables WHERE table_schema = '%' ORDER BY 1
            """
        let server = MariaDBServer.replica
        #expect(
            try server.sql(tables.replacing("%", with: with.name)) == "a\nsluice_ledger\n")
        #expect(try server.sql(tables.replacing("%", with: without.name)) == "")

        let account = try MySQLAccount()
        try account.grant("ALL ON `\(without.name.replacing("_", with: "\\_"))`.*")
        for command in ["doctor", "plan"] {
            let other = try place.place.run(
                [
                    command, "--source", place.source.url, "--target",
                    account.url(without) + "?sql-log-bin=0",
                ])
            #expect(other.code == 1)
            #expect(
                (other.text + other.errorText).contains(
                    "access denied; you need (at least one of) the SUPER, BINLOG ADMIN privilege(s)"
                        + " for this operation"), "\(other.text + other.errorText)")
        }
        let source = try place.place.run(
            ["plan", "--source", "\(place.source.url)?sql-log-bin=0", "--quiet"])
        #expect(source.code == 2)
        #expect(
            source.errorText == """
                sluice: \(place.source.url)?sql-log-bin=0 has the parameter 'sql-log-bin', and is only read
                hint: Leave it out; it is for targets.

                """)
    }

    @Test("lets it go on when it fails or is interrupted")
    func failure() throws {
        let (place, url) = try place()
        let failed = try place.place.run(
            export(url, ["--abort-if", "test -e out/data"] + Self.slow))
        #expect(failed.code == 4, "\(failed.errorText)")
        try expectRunning()
        try place.expectNothingHeld()
        let process = try place.place.sluice.start(export(url, Self.slow))
        try eventually("the SQL thread runs") { try sqlThread() == "No" }
        process.signal(SIGTERM)
        #expect(process.wait().code == 130)
        try expectRunning()
        try place.expectNothingHeld()
    }

    @Test("that was killed is shown by status with what it holds, which --release frees")
    func killed() throws {
        let (place, url) = try place()
        let process = try place.place.sluice.start(export(url, Self.slow))
        try eventually("no shard is there") {
            try place.place.exists("out/data") && !place.place.names("out/data").isEmpty
        }
        process.signal(SIGKILL)
        _ = process.wait()
        let status = ["status", "--store", "file:out", "--source", url]
        let shown = try place.place.run(status)
        #expect((shown.text + shown.errorText).contains("--release"), "\(shown.text)")
        #expect(try sqlThread() == "No")
        let released = try place.place.run(status + ["--release"])
        #expect([0, 4].contains(released.code), "\(released.errorText)")
        try expectRunning()
        try place.expectNothingHeld()
        // And the same command as before ends well.
        let again = try place.place.run(export(url, ["--shard-bytes", "64KiB"]))
        #expect(again.code == 0, "\(again.errorText)")
        try expectRunning()
    }
}
