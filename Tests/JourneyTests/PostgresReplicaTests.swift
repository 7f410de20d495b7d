import Glibc
import TestSupport
import Testing

/// A standby whose replay is paused while it is read, and goes on whatever happens to the export.
@Suite("An export from a standby", .serialized)
struct PostgresReplicaTests {
    /// A place whose source the standby has, too.
    private func place() throws -> PostgresPlace {
        let place = try PostgresPlace()
        try PostgresSnapshotTests.bench(place, scale: 2)
        try place.source.sql(
            """
            CREATE TABLE a (id integer PRIMARY KEY, v text);
            \(PostgresSnapshotTests.incompressible)
            """)
        let end = try place.source.sql("SELECT pg_current_wal_lsn()").dropLast()
        try eventually("the standby does not follow") {
            try PostgresServer.standby.sql("SELECT pg_last_wal_replay_lsn() >= '\(end)'") == "t\n"
        }
        return place
    }

    private func export(_ place: PostgresPlace, _ options: String...) throws -> [String] {
        [
            "export", "--source", try place.source.standbyURL, "--store", "file:out",
            "--consistency", "replica", "--quiet",
        ] + options
    }

    private func expectReplay(sourceLocation: SourceLocation = #_sourceLocation) throws {
        let state = try PostgresServer.standby.sql("SELECT pg_get_wal_replay_pause_state()")
        #expect(state == "not paused\n", sourceLocation: sourceLocation)
    }

    @Test("holds one instant of its primary, and lets replay go on")
    func success() throws {
        let place = try place()
        let load = try PostgresBench.start(place.source, seconds: 60)
        usleep(500_000)
        let result = try place.place.run(export(place, "--shard-bytes", "256KiB"))
        load.signal(SIGINT)
        _ = load.wait()
        #expect(result.code == 0, "\(result.errorText)")
        try expectReplay()
        try place.expectNothingHeld()
        try place.succeed("load", "--trust-schema")
        let sums = try place.target.sql(PostgresSnapshotTests.sums).dropLast().split(separator: "|")
        #expect(sums.count == 4 && Set(sums).count == 1, "\(sums)")
    }

    @Test("lets replay go on when it fails or is interrupted")
    func failure() throws {
        let place = try place()
        let failed = try place.place.run(
            export(
                place, "--abort-if", "test -e out/data", "--upload-limit", "1MiB", "--shard-bytes",
                "64KiB"))
        #expect(failed.code == 4, "\(failed.errorText)")
        try expectReplay()
        try place.expectNothingHeld()
        let process = try place.place.sluice.start(
            export(place, "--upload-limit", "1MiB", "--shard-bytes", "64KiB"))
        try waitForPause()
        process.signal(SIGTERM)
        #expect(process.wait().code == 130)
        try expectReplay()
        try place.expectNothingHeld()
    }

    @Test("that was killed is shown by status with what it holds, which --release frees")
    func killed() throws {
        let place = try place()
        let process = try place.place.sluice.start(
            export(place, "--upload-limit", "1MiB", "--shard-bytes", "64KiB"))
        try waitForPause()
        try eventually("no shard is there") {
            try place.place.exists("out/data") && !place.place.names("out/data").isEmpty
        }
        process.signal(SIGKILL)
        _ = process.wait()
        let status = [
            "status", "--store", "file:out", "--source", try place.source.standbyURL,
        ]
        let shown = try place.place.run(status)
        #expect((shown.text + shown.errorText).contains("--release"), "\(shown.text)")
        #expect(
            try PostgresServer.standby.sql("SELECT pg_get_wal_replay_pause_state()") == "paused\n")
        let released = try place.place.run(status + ["--release"])
        #expect([0, 4].contains(released.code), "\(released.errorText)")
        try expectReplay()
        try place.expectNothingHeld()
        // And the same command as before ends well.
        let again = try place.place.run(export(place, "--shard-bytes", "64KiB"))
        #expect(again.code == 0, "\(again.errorText)")
        try expectReplay()
    }

    private func waitForPause() throws {
        try eventually("replay is not paused") {
            try PostgresServer.standby.sql("SELECT pg_get_wal_replay_pause_state()") == "paused\n"
        }
    }
}
