import SluiceCore
import SluiceRecords
import TestSupport
import Testing

@testable import SluicePostgres

/// One after the other: replay is the whole server's.
@Suite("A standby is read while its replay stands still", .serialized)
struct PostgresStandbyTests {
    private let database: PostgresDatabase
    private let standby: String

    init() throws {
        database = try PostgresDatabase()
        try database.sql("CREATE TABLE t(id int); INSERT INTO t VALUES (1), (2)")
        standby = try database.standbyURL
        try waitForStandby()
    }

    private func waitForStandby() throws {
        let position = try database.sql("SELECT pg_current_wal_insert_lsn()").prefix { $0 != "\n" }
        let server = try open(try PostgresServer.standby.url())
        let start = Clock.now
        while try !server.boolean("SELECT pg_last_wal_replay_lsn() >= '\(position)'") {
            guard Clock.now - start < .seconds(60) else {
                throw Failure(.bug, "the standby does not follow; is its replay paused?")
            }
            Clock.sleep(.milliseconds(20))
        }
    }

    private func snapshot(
        _ consistency: Consistency = .replica, _ change: (inout SnapshotOptions) -> Void = { _ in }
    ) throws -> any Snapshot {
        var options = SnapshotOptions(consistency, lanes: 1)
        change(&options)
        return try source(standby).openSnapshot(options, stop: StopSignal())
    }

    private func state() throws -> String {
        try PostgresReplay.state(try open(try PostgresServer.standby.url()))
    }

    @Test("and it goes on afterwards")
    func pauses() throws {
        let held = Monitor<JSON?>(nil)
        let snapshot = try snapshot {
            $0.announce = { hold throws(Failure) in held.change { $0 = hold } }
        }
        #expect(try state() == "paused")
        try database.sql("INSERT INTO t VALUES (3)")
        #expect(try Exported(snapshot, of: ["t"])["t"].lines == ["1", "2"])
        #expect(
            held.read { $0?["what"]?.text } == "replay on the standby is paused; it falls behind")
        #expect(snapshot.stamp?["paused"]?.boolean == true)
        #expect(try snapshot.catalog().tables.count == 1)
        try snapshot.close()
        #expect(try state() == "not paused")
        try waitForStandby()
    }

    @Test("and it goes on after a failure, too")
    func failing() throws {
        let found = failure(of: {
            try snapshot {
                $0.slot = "sluice_never"
            }
        })
        #expect(
            found?.message == "postgres://test is a standby, where --position slot is not possible"
        )
        #expect(try state() == "not paused")
        let stop = StopSignal()
        stop.raise(.timeLimit)
        let stopped = failure(of: {
            try source(standby).openSnapshot(SnapshotOptions(.replica, lanes: 1), stop: stop)
        })
        #expect(stopped?.kind == .unfinished)
        #expect(try state() == "not paused")
    }

    @Test("what a killed run paused is taken over, and freed in the end")
    func leftBehind() throws {
        var hold = PostgresHold()
        hold.pausesReplay = true
        let server = try open(try PostgresServer.standby.url())
        try PostgresReplay.pause(server)
        let position = try server.text("SELECT pg_last_wal_replay_lsn()") ?? ""
        let snapshot = try snapshot { $0.leftBehind = [hold.json] }
        #expect(snapshot.stamp == ["replay": .string(position), "paused": true])
        try snapshot.close()
        #expect(try state() == "not paused")
        try PostgresReplay.pause(server)
        try source(standby).release(hold.json)
        #expect(try state() == "not paused")
    }

    @Test("what somebody else paused stays so")
    func foreign() throws {
        let server = try open(try PostgresServer.standby.url())
        try PostgresReplay.pause(server)
        defer { try? PostgresReplay.resume(server) }
        let snapshot = try snapshot()
        try snapshot.close()
        #expect(try state() == "paused")
        #expect(
            try PostgresSource(
                url: try PostgresServer.standby.url(), shown: "postgres://standby"
            ).held() == [
                Finding(
                    .warn, "replay is paused",
                    remedy: "If no export is at work there: sluice status --release with the store "
                        + "of its dataset, or SELECT pg_wal_replay_resume().")
            ])
    }

    @Test("a snapshot without a pause is possible, a lock is not, and a primary is no standby")
    func modes() throws {
        let plain = try snapshot(.snapshot)
        #expect(try state() == "not paused")
        #expect(try Exported(plain, of: ["t"])["t"].lines == ["1", "2"])
        try plain.close()
        let locked = failure(of: { try snapshot(.locked) })
        #expect(
            locked?.message
                == "postgres://test is a standby, where no table can be locked against writers")
        #expect(locked?.hint == "Use --consistency replica, which pauses replay.")
        let primary = failure(of: {
            try source(database.url).openSnapshot(.replica, lanes: 1, stop: StopSignal())
        })
        #expect(
            primary?.message == "postgres://test is no standby, as --consistency replica needs it")
        #expect(primary?.kind == .usage)
    }

    @Test("an unlogged table, which a standby does not have, is refused by name")
    func unlogged() throws {
        try database.sql("CREATE UNLOGGED TABLE u(a int); INSERT INTO u VALUES (1)")
        try waitForStandby()
        let snapshot = try snapshot(.snapshot)
        let found = failure(of: { try Exported(snapshot, of: ["u"]) })
        try snapshot.close()
        #expect(found?.message == "public.u is unlogged, and a standby does not have its rows")
        #expect(found?.hint == "Leave it out with --exclude, or read the primary.")
    }
}
