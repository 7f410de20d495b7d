import SluiceCore
import SluiceRecords
import TestSupport
import Testing

@testable import SluicePostgres

@Suite("All lanes read one state of the database")
struct PostgresSnapshotTests {
    private let database: PostgresDatabase

    init() throws {
        database = try PostgresDatabase()
        try database.sql(
            "CREATE TABLE t(id int PRIMARY KEY, v int); INSERT INTO t SELECT i, 5 FROM "
                + "generate_series(1, 100) i")
    }

    private func snapshot(_ change: (inout SnapshotOptions) -> Void = { _ in }) throws
        -> any Snapshot
    {
        var options = SnapshotOptions(.snapshot, lanes: 3)
        change(&options)
        return try source(database.url).openSnapshot(options, stop: StopSignal())
    }

    @Test("whatever is written meanwhile")
    func oneState() throws {
        let snapshot = try snapshot()
        for round in 6...8 {
            try database.sql("UPDATE t SET v = \(round); INSERT INTO t VALUES (\(round) * 100, 1)")
            let lines = try Exported(snapshot, of: ["t"])["t"].lines
            #expect(lines.count == 100)
            #expect(lines.allSatisfy { $0.hasSuffix(",5") })
        }
        #expect(snapshot.stamp == nil)
        #expect(!snapshot.position.isExact)
        #expect(snapshot.position.details["lsn"]?.text?.contains("/") == true)
        #expect(snapshot.position.details["snapshot"]?.text?.contains(":") == true)
        try snapshot.close()
        try snapshot.close()
    }

    @Test("nothing that empties or rewrites a table can come between")
    func rewriting() throws {
        let snapshot = try snapshot()
        for statement in [
            "TRUNCATE t", "ALTER TABLE t ALTER v TYPE bigint", "DROP TABLE t", "VACUUM FULL t",
        ] {
            let found = failure(of: {
                let other = try open(database.url)
                try other.execute("SET lock_timeout = '50ms'")
                try other.execute(statement.replacing(" t", with: " public.t"))
            })
            #expect(found?.code == "55P03", "\(statement)")
        }
        #expect(try Exported(snapshot, of: ["t"])["t"].lines.count == 100)
        try snapshot.close()
        try database.sql("TRUNCATE t")
    }

    @Test("a lane that would wait for who waits for it says so")
    func queue() throws {
        let snapshot = try snapshot()
        let other = try open(database.url)
        let thread = SluiceCore.Thread {
            try? other.execute("SET lock_timeout = '30s'; TRUNCATE public.t")
        }
        defer { thread.join() }
        let watcher = try open(database.url)
        while try watcher.integer(
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = "
                + "'public.t'::regclass") == 0
        {
            Clock.sleep(.milliseconds(20))
        }
        let found = failure(of: { try Exported(snapshot, of: ["t"]) })
        #expect(found?.message == "another session waits to have public.t for itself alone")
        #expect(
            found?.hint == "It waits for this export, and this export would wait for it. Run the "
                + "same command again when it is done.")
        #expect(found?.kind == .unavailable)
        let dumped = failure(of: { try snapshot.catalog() })
        #expect(dumped?.message == "another session waits to have a table for itself alone")
        #expect(dumped?.hint == found?.hint)
        #expect(dumped?.kind == .unavailable)
        try snapshot.close()
    }

    @Test("the proof fails when the locking session was ended")
    func proof() throws {
        let snapshot = try snapshot()
        let ours = "application_name = 'sluice' AND datname = '\(database.name)' AND "
        try database.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE \(ours) "
                + "state = 'idle in transaction'")
        let found = failure(of: { try snapshot.close() })
        #expect(found?.kind == .failed)
        #expect(
            found?.message.hasPrefix(
                "the locks on postgres://test ended before the export did: ") == true)
        #expect(found?.hint == "Run the same command again.")
    }

    @Test("locked keeps writers out until the end, and says what it holds")
    func locked() throws {
        let held = Monitor<JSON?>(nil)
        let snapshot = try snapshot {
            $0.consistency = .locked
            $0.announce = { hold throws(Failure) in held.change { $0 = hold } }
        }
        let blocked = failure(of: {
            let other = try open(database.url)
            try other.execute("SET lock_timeout = '50ms'; UPDATE public.t SET v = 1")
        })
        #expect(blocked?.code == "55P03")
        #expect(try Exported(snapshot, of: ["t"])["t"].lines.count == 100)
        #expect(
            held.read { $0?["what"]?.text }
                == "SHARE locks on every table; others can read but not write")
        #expect(held.read { $0?["ends_with_process"]?.boolean } == true)
        #expect(snapshot.position.isExact)
        #expect(snapshot.stamp == nil)
        try snapshot.close()
        try database.sql("UPDATE t SET v = 6")
    }

    @Test("locks that cannot be had in time are given up")
    func busy() throws {
        let other = try open(database.url)
        try other.execute("BEGIN; UPDATE public.t SET v = 1")
        let start = Clock.now
        let found = failure(of: { try snapshot { $0.consistency = .locked } })
        #expect(found?.kind == .unavailable)
        #expect(
            found?.message == "a lock could not be had in time: canceling statement due to lock "
                + "timeout")
        #expect(found?.places == ["locking the tables of postgres://test"])
        #expect(Clock.now - start < .seconds(30))
    }

    @Test("only wanted tables are locked")
    func wanted() throws {
        try database.sql("CREATE TABLE other(a int)")
        let snapshot = try snapshot { $0.wants = { $0.name.table == "t" } }
        try database.sql("DROP TABLE other")
        #expect(try snapshot.openSession().countRows(of: plan(snapshot)) == 100)
        try snapshot.close()
    }

    private func plan(_ snapshot: any Snapshot) throws -> TablePlan {
        let session = try snapshot.openSession()
        defer { session.close() }
        let table = SourceTable(
            name: TableName(schema: "public", "t"), estimatedRows: 0, estimatedBytes: 0)
        return try session.plan(table, PlanOptions(chunkBytes: 1 << 20))
    }

    @Test("a stop signal ends a long statement")
    func stop() throws {
        let stop = StopSignal()
        let connection = try open(database.url, stop: stop)
        let thread = SluiceCore.Thread {
            Clock.sleep(.milliseconds(300))
            stop.raise(.timeLimit)
        }
        let start = Clock.now
        let found = failure(of: { try connection.execute("SELECT pg_sleep(60)") })
        thread.join()
        #expect(found?.message == "the time limit was reached")
        #expect(Clock.now - start < .seconds(10))
        connection.ignoresStop = true
        #expect(try connection.integer("SELECT 1") == 1)
    }

    @Test("sequences are known with their state")
    func sequences() throws {
        try database.sql(
            """
            CREATE SEQUENCE a START 5; CREATE SEQUENCE b INCREMENT -2;
            SELECT nextval('b'), nextval('b');
            """)
        let snapshot = try snapshot()
        let settings = try snapshot.catalog().schema.settings
        try snapshot.close()
        #expect(
            settings
                == [
                    "sequences": [
                        ["schema": "public", "name": "a", "last": "5", "called": false],
                        ["schema": "public", "name": "b", "last": "-3", "called": true],
                    ]
                ])
    }
}

@Suite("A slot keeps the change log from the snapshot on")
struct PostgresSlotTests {
    private let database: PostgresDatabase
    private let slot = "sluice_test_\(UInt32.random(in: 0...UInt32.max))"

    init() throws {
        database = try PostgresDatabase()
        try database.sql("CREATE TABLE t(id int PRIMARY KEY); INSERT INTO t VALUES (1)")
    }

    private func snapshot(announce: Monitor<JSON?> = Monitor(nil)) throws -> any Snapshot {
        var options = SnapshotOptions(.snapshot, lanes: 1)
        options.slot = slot
        options.announce = { hold throws(Failure) in announce.change { $0 = hold } }
        return try source(database.url).openSnapshot(options, stop: StopSignal())
    }

    private func slots() throws -> String {
        try database.sql(
            "SELECT slot_name FROM pg_replication_slots WHERE slot_name = '\(slot)'; "
                + "SELECT pubname FROM pg_publication")
    }

    @Test("whose first change is the first one that is not in the snapshot")
    func exact() throws {
        let held = Monitor<JSON?>(nil)
        let snapshot = try snapshot(announce: held)
        try database.sql("INSERT INTO t VALUES (2)")
        #expect(try Exported(snapshot, of: ["t"])["t"].lines == ["1"])
        #expect(snapshot.position.isExact)
        #expect(snapshot.position.details["slot"]?.text == slot)
        #expect(snapshot.keptLog == nil)
        try snapshot.close()
        let kept = try #require(snapshot.keptLog)
        #expect(kept.slot == slot)
        #expect(kept.byteCount > 0 && kept.byteCount < 1 << 30)
        #expect(try slots() == "\(slot)\n\(slot)\n")
        let changes = try database.sql(
            """
            SELECT count(*) FROM pg_logical_slot_peek_binary_changes('\(slot)', NULL, NULL,
                'proto_version', '1', 'publication_names', '\(slot)')
                WHERE get_byte(data, 0) = ascii('I')
            """)
        #expect(changes == "1\n")
        let hold = held.read { $0 } ?? .null
        #expect(
            hold["what"]?.text
                == "the replication slot \(slot) and the publication of that name; the server "
                + "keeps its log from the snapshot on")
        try source(database.url).release(hold)
        try source(database.url).release(hold)
        #expect(try slots() == "")
    }

    @Test("and is seen on the server without the store, with how it is freed")
    func held() throws {
        let snapshot = try snapshot()
        try snapshot.close()
        let server = try source(database.url)
        let found = try #require(try server.held().first { $0.what.contains(slot) })
        #expect(found.verdict == .warn)
        #expect(found.what.hasPrefix("the slot \(slot) keeps "))
        #expect(found.what.hasSuffix(" of the log"))
        #expect(
            found.remedy
                == "When nobody needs it any more: sluice status --release with the store of its "
                + "dataset, or SELECT pg_drop_replication_slot('\(slot)').")
        try database.sql("SELECT pg_drop_replication_slot('\(slot)')")
        #expect(
            try server.held().filter { $0.what.contains(slot) } == [
                Finding(
                    .warn, "the publication \(slot) has no slot",
                    remedy: "DROP PUBLICATION \"\(slot)\" when no export is at work.")
            ])
        try snapshot.dropSlot()
        #expect(try server.held().filter { $0.what.contains(slot) } == [])
    }

    @Test("which has to be there to the end")
    func lost() throws {
        let snapshot = try snapshot()
        let position = snapshot.position.details["lsn"]?.text ?? ""
        #expect(
            try snapshot.catalog().warnings == [
                "the slot \(slot) keeps the server's log from \(position) on, until somebody reads "
                    + "it or sluice status --release drops it"
            ])
        try database.sql("SELECT pg_drop_replication_slot('\(slot)')")
        let found = failure(of: { try snapshot.close() })
        #expect(
            found?.message
                == "the slot \(slot) has lost the log that it was to keep")
        #expect(
            found?.hint == "Raise max_slot_wal_keep_size on the server, then run the same command "
                + "again.")
        try snapshot.dropSlot()
        #expect(try slots() == "")
    }

    @Test("which a plan only asks for")
    func trial() throws {
        var options = SnapshotOptions(.snapshot, lanes: 1, isTrial: true)
        options.slot = slot
        options.announce = { _ throws(Failure) in Issue.record("nothing is held") }
        let snapshot = try source(database.url).openSnapshot(options, stop: StopSignal())
        #expect(try slots() == "")
        #expect(!snapshot.position.isExact)
        try snapshot.close()
        try database.sql("ALTER TABLE t SET UNLOGGED")
        let found = failure(of: {
            try source(database.url).openSnapshot(options, stop: StopSignal())
        })
        #expect(found?.kind == .refused)
    }

    @Test("which stays while somebody reads it")
    func inUse() throws {
        let snapshot = try snapshot()
        try snapshot.close()
        let address = try PostgresAddress(url: database.url, shown: "postgres://test")
        let reader = try PostgresConnection(address, .replication, stop: StopSignal())
        try reader.execute(
            "START_REPLICATION SLOT \(slot) LOGICAL 0/0 (proto_version '1', "
                + "publication_names '\(slot)')")
        let found = failure(of: { try snapshot.dropSlot() })
        #expect(found?.message == "the replication slot \(slot) is in use")
        #expect(found?.hint == "Stop the subscription that reads it first.")
        #expect(found?.kind == .unavailable)
        reader.close()
        try snapshot.dropSlot()
        #expect(try slots() == "")
    }

    @Test("which goes when making it is interrupted")
    func interrupted() throws {
        let other = try open(database.url)
        try other.execute("BEGIN; INSERT INTO public.t VALUES (7)")
        let stop = StopSignal()
        let thread = SluiceCore.Thread {
            Clock.sleep(.milliseconds(700))
            stop.raise(.timeLimit)
        }
        var options = SnapshotOptions(.snapshot, lanes: 1)
        options.slot = slot
        let found = failure(of: { try source(database.url).openSnapshot(options, stop: stop) })
        thread.join()
        #expect(found?.message == "the time limit was reached")
        #expect(try slots() == "")
    }

    @Test("which goes when the dataset does not come about")
    func dropped() throws {
        let snapshot = try snapshot()
        try snapshot.close()
        try snapshot.dropSlot()
        #expect(try slots() == "")
    }

    @Test("never makes an update fail that went well before")
    func nameless() throws {
        try database.sql("CREATE TABLE n(a int); INSERT INTO n VALUES (1)")
        let snapshot = try snapshot()
        try database.sql("UPDATE n SET a = 2; INSERT INTO n VALUES (3); UPDATE t SET id = 2")
        let warnings = try snapshot.catalog().warnings
        #expect(
            warnings.first
                == "public.n has no replica identity: of its changes only inserts replicate; ALTER "
                + "TABLE … REPLICA IDENTITY FULL before the export makes all of them")
        #expect(snapshot.position.details["insertPublication"]?.text == "\(slot)_inserts")
        try snapshot.close()
        #expect(try slots() == "\(slot)\n\(slot)\n\(slot)_inserts\n")
        let kinds = try database.sql(
            """
            SELECT string_agg(chr(get_byte(data, 0)), '') FROM pg_logical_slot_peek_binary_changes(
                '\(slot)', NULL, NULL, 'proto_version', '1',
                'publication_names', '\(slot),\(slot)_inserts')
                WHERE chr(get_byte(data, 0)) IN ('I', 'U', 'D')
            """)
        #expect(kinds == "IU\n")
        try snapshot.dropSlot()
        #expect(try slots() == "")
    }

    @Test("is refused where changes could not be told, and nothing is left behind")
    func refused() throws {
        for (change, message, hint) in [
            (
                "ALTER TABLE t SET UNLOGGED",
                "public.t is unlogged, and its changes are in no log",
                "Leave it out with --exclude."
            )
        ] {
            try database.sql(change)
            let found = failure(of: { try snapshot() })
            #expect(found?.message == message)
            #expect(found?.hint == hint)
            #expect(try slots() == "")
        }
    }

    @Test("is handed over as a subscription or a connector")
    func handoff() throws {
        let facts = HandoffFacts(
            dataset: "d1", engine: "postgres", identity: ["database": "it's"],
            position: Position(
                isExact: true,
                details: [
                    "lsn": "16/B374D848", "slot": "sluice_d1", "publication": "sluice_d1",
                    "host": "db", "port": "5433", "user": "u",
                ]),
            tables: [TableName(schema: "public", "a.b"), TableName(schema: "s", "t")])
        #expect(
            try PostgresHandoff.lines(for: "postgres", facts) == [
                "-- Run this on the target. The subscription goes on from 16/B374D848, exactly "
                    + "where the snapshot of",
                "-- dataset d1 ends, and copies nothing. Say how the target reaches the source "
                    + "and",
                "-- add a password or use its password file. Sequences do not replicate: set "
                    + "them at the switch.",
                "CREATE SUBSCRIPTION \"sluice_d1\"",
                "    CONNECTION 'host=''db'' port=''5433'' dbname=''it\\''s'' user=''u'''",
                "    PUBLICATION \"sluice_d1\"",
                "    WITH (copy_data = false, create_slot = false, slot_name = 'sluice_d1');",
            ])
        let line = try PostgresHandoff.lines(for: "debezium", facts)?.first ?? ""
        let json = try JSON(parsing: Array(line.utf8))
        #expect(json["config"]?["slot.name"]?.text == "sluice_d1")
        #expect(json["config"]?["snapshot.mode"]?.text == "no_data")
        #expect(
            json["config"]?["table.include.list"]?.text == "public\\.a\\.b,s\\.t")
        #expect(
            json["offsets"]?.elements?.first?["offset"]?["lsn"]?.integer == 0x16_B374_D848)
        #expect(try PostgresHandoff.lines(for: "kafka", facts) == nil)
        var both = facts
        both.position.details = facts.position.details.setting(
            "insertPublication", to: "sluice_d1_inserts")
        #expect(
            try PostgresHandoff.lines(for: "postgres", both)?[5]
                == "    PUBLICATION \"sluice_d1\", \"sluice_d1_inserts\"")
        let two = failure(of: { () throws(Failure) in
            try PostgresHandoff.lines(for: "debezium", both)
        })
        #expect(
            two?.message == "Debezium reads one publication, and tables without a replica "
                + "identity have another")
        #expect(two?.hint == "Say ALTER TABLE … REPLICA IDENTITY FULL for them, and export anew.")
        var without = facts
        without.position.details = ["lsn": "16/B374D848"]
        let found = failure(of: { () throws(Failure) in
            try PostgresHandoff.lines(for: "postgres", without)
        })
        #expect(found?.message == "the dataset was exported without a slot")
        #expect(
            found?.hint
                == "Export with --position slot: only a slot keeps the log from the snapshot on.")
    }
}
