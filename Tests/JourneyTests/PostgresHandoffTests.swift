import Glibc
import TestSupport
import Testing

/// From the recorded position the server's own logical replication goes on: nothing is missing, nothing comes twice.
@Suite("Native logical replication from a dataset's position", .serialized)
struct PostgresHandoffTests {
    private static let rows = """
        SELECT 'accounts', md5(string_agg(a::text, ',' ORDER BY aid)) FROM pgbench_accounts a;
        SELECT 'tellers', md5(string_agg(t::text, ',' ORDER BY tid)) FROM pgbench_tellers t;
        SELECT 'branches', md5(string_agg(b::text, ',' ORDER BY bid)) FROM pgbench_branches b;
        SELECT 'history', count(*), md5(string_agg(h::text, ',' ORDER BY h::text)) FROM pgbench_history h
        """

    @Test(
        "ends in a target that equals its source, while the source is written all the time",
        arguments: 1...(isLong ? 20 : 2))
    func replication(_ round: Int) throws {
        let place = try PostgresPlace()
        try PostgresSnapshotTests.bench(place, scale: 1)
        let load = try PostgresBench.start(place.source, seconds: 120)
        try eventually("pgbench has written nothing") {
            try place.source.sql("SELECT count(*) > 100 FROM pgbench_history") == "t\n"
        }
        try place.succeed("run", "--position", "slot", "--shard-bytes", "256KiB")
        let handoff = try place.place.succeed("handoff", "--store", "file:out", "--for", "postgres")
        try subscribe(place, handoff.text)
        usleep(500_000)
        load.signal(SIGINT)
        _ = load.wait()
        let end = try place.source.sql("SELECT pg_current_wal_lsn()").dropLast()
        try eventually("the subscription does not catch up") {
            try place.source.sql(
                """
                SELECT count(*) FROM pg_replication_slots
                WHERE database = current_database() AND confirmed_flush_lsn >= '\(end)'
                """) == "1\n"
        }
        #expect(try place.target.sql(Self.rows) == place.source.sql(Self.rows))
        let errors =
            "SELECT sum(apply_error_count + sync_error_count) FROM pg_stat_subscription_stats"
        #expect(try place.target.sql(errors) == "0\n")
        // Dropping the subscription drops the slot, too.
        let name = try place.target.sql(
            "SELECT subname FROM pg_subscription JOIN pg_database d ON d.oid = subdbid WHERE datname = current_database()"
        ).dropLast()
        try place.target.sql("DROP SUBSCRIPTION \"\(name)\"")
        #expect(
            try place.source.sql(
                "SELECT count(*) FROM pg_replication_slots WHERE database = current_database()")
                == "0\n")
    }

    /// Runs what the handoff says on the target; the server there needs the source's password.
    private func subscribe(_ place: PostgresPlace, _ handoff: String) throws {
        let password = try PostgresServer.password
        #expect(!handoff.contains(password))
        let start = try #require(handoff.firstRange(of: "CONNECTION '"), "\(handoff)")
        let text =
            handoff[..<start.upperBound] + "password=\(password) " + handoff[start.upperBound...]
        try place.place.write(String(text), to: "handoff.sql")
        let psql = try place.target.command("psql", "-Xq", "-v", "ON_ERROR_STOP=1")
        try Shell.output(of: "\(psql) -f \(Shell.quoted(place.place["handoff.sql"]))")
    }
}
