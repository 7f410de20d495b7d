import Glibc
import SluiceCore
import SluiceRecords
import TestSupport
import Testing

@testable import SluiceSQLite

@Suite("All lanes read one state of the file")
struct SQLiteSnapshotTests {
    private static let schema = "CREATE TABLE t(id INTEGER PRIMARY KEY, v INT);"

    private func open(
        _ path: String, _ consistency: Consistency = .snapshot, lanes: Int = 3,
        busyLimit: Duration = .milliseconds(100), stop: StopSignal = StopSignal()
    ) throws -> any Snapshot {
        try SQLiteSource(path: path, busyLimit: busyLimit).openSnapshot(
            consistency, lanes: lanes, stop: stop)
    }

    private func sum(_ session: any SourceSession) throws -> Int? {
        guard let session = session as? SQLiteSession else { return nil }
        return try session.connection.integer("SELECT sum(v) FROM t")
    }

    @Test("in WAL mode a writer goes on while every lane sees the same state")
    func wal() throws {
        let folder = try ScratchFolder()
        let path = try folder.database(
            "PRAGMA journal_mode = wal; \(Self.schema) INSERT INTO t VALUES (1, 0);")
        let ended = StopSignal()
        let written = Monitor(0)
        let writer = Thread {
            guard let connection = try? SQLiteConnection(path, .write, stop: StopSignal()) else {
                return
            }
            while ended.reason == nil {
                try? connection.execute("UPDATE t SET v = v + 1")
                written.change { $0 += 1 }
                Clock.sleep(.milliseconds(1))
            }
        }
        for _ in 0..<20 {
            let snapshot = try open(path, lanes: 4, busyLimit: .seconds(30))
            #expect(snapshot.laneLimit == 4)
            var sums: Set<Int?> = []
            for _ in 0..<4 {
                let session = try snapshot.openSession()
                sums.insert(try sum(session))
            }
            #expect(sums.count == 1)
            let seen = written.read { $0 }
            // The writer is not kept waiting.
            let more = written.wait(atMost: .seconds(20)) { $0 > seen ? true : nil }
            #expect(more == true)
            try snapshot.close()
        }
        ended.raise(.signal)
        writer.join()
    }

    @Test("with a rollback journal a writer waits until the lanes are done")
    func rollback() throws {
        let folder = try ScratchFolder()
        let path = try folder.database("\(Self.schema) INSERT INTO t VALUES (1, 5);")
        let snapshot = try open(path)
        let writer = try SQLiteConnection(path, .write, busyLimit: .zero, stop: StopSignal())
        let busy = failure { try writer.execute("UPDATE t SET v = 6") }
        #expect(busy?.kind == .unavailable)
        #expect(try sum(try snapshot.openSession()) == 5)
        #expect(try sum(try snapshot.openSession()) == 5)
        try snapshot.close()
        try writer.execute("UPDATE t SET v = 6")
    }

    @Test("locked keeps writers out until the end and says what it holds")
    func locked() throws {
        for mode in ["wal", "delete"] {
            let folder = try ScratchFolder()
            let path = try folder.database(
                "PRAGMA journal_mode = \(mode); \(Self.schema) INSERT INTO t VALUES (1, 5);")
            let held = Monitor<JSON?>(nil)
            var options = SnapshotOptions(.locked, lanes: 2)
            options.announce = { hold throws(Failure) in held.change { $0 = hold } }
            let snapshot = try SQLiteSource(path: path).openSnapshot(options, stop: StopSignal())
            let writer = try SQLiteConnection(path, .write, busyLimit: .zero, stop: StopSignal())
            let busy = failure { try writer.execute("BEGIN IMMEDIATE") }
            #expect(busy?.message == "\(path) is locked by another connection")
            #expect(try sum(try snapshot.openSession()) == 5)
            let hold = held.read { $0 }
            #expect(hold?["path"]?.text == SQLiteFile.realPath(path))
            #expect(
                hold?["what"]?.text
                    == "the write lock; other programs can read but not write")
            try snapshot.close()
            try writer.execute("BEGIN IMMEDIATE; ROLLBACK")
        }
        let folder = try ScratchFolder()
        let path = try folder.database(Self.schema)
        var options = SnapshotOptions(.snapshot, lanes: 2)
        options.announce = { _ throws(Failure) in Issue.record("nothing is held") }
        let snapshot = try SQLiteSource(path: path).openSnapshot(options, stop: StopSignal())
        #expect(!snapshot.position.isExact)
        try snapshot.close()
    }

    @Test("a source that another program writes to is unavailable after a bounded wait")
    func busy() throws {
        let folder = try ScratchFolder()
        let path = try folder.database(Self.schema)
        let writer = try SQLiteConnection(path, .write, stop: StopSignal())
        try writer.execute("BEGIN IMMEDIATE")
        let failed = failure { _ = try open(path) }
        #expect(failed?.kind == .unavailable)
        #expect(failed?.isTransient == true)
        #expect(
            failed?.description == """
                \(path) is locked by another connection [SQLITE_BUSY]
                hint: Wait until the program that holds it is done, or stop it.
                """)
        let stop = StopSignal()
        stop.raise(.signal)
        #expect(failure { _ = try open(path, stop: stop) }?.kind == .interrupted)
        try writer.execute("ROLLBACK")
        try open(path).close()
    }

    @Test("sessions are given back, and there are no more than the lanes asked for")
    func sessions() throws {
        let folder = try ScratchFolder()
        let path = try folder.database(Self.schema)
        let snapshot = try open(path, lanes: 1)
        let session = try snapshot.openSession()
        let failed = failure { _ = try snapshot.openSession() }
        #expect(failed?.kind == .bug)
        #expect(failed?.message == "the snapshot of \(path) has no more than 1 sessions")
        session.close()
        session.close()
        try snapshot.openSession().close()
        try snapshot.close()
        try snapshot.close()
    }

    @Test("closing proves that the transactions lived to the end")
    func proof() throws {
        let folder = try ScratchFolder()
        let path = try folder.database(Self.schema)
        let snapshot = try open(path)
        let session = try snapshot.openSession() as? SQLiteSession
        try session?.connection.execute("ROLLBACK")
        let failed = failure { try snapshot.close() }
        #expect(
            failed?.description == """
                the read transaction on \(path) ended before the export did
                hint: Run the same command again.
                """)
        try snapshot.close()
    }

    @Test("replica is no mode of SQLite's")
    func replica() throws {
        let folder = try ScratchFolder()
        let path = try folder.database(Self.schema)
        let failed = failure { _ = try open(path, .replica) }
        #expect(failed?.kind == .usage)
        #expect(
            failed?.description == """
                --consistency replica is not possible with SQLite, which has no replicas
                hint: Use --consistency snapshot, or locked.
                """)
    }

    @Test("a file that may not be written is read by one lane")
    func readOnly() throws {
        let folder = try ScratchFolder()
        let path = try folder.database("\(Self.schema) INSERT INTO t VALUES (1, 5);")
        chmod(folder.path, 0o755)
        chmod(path, 0o444)
        let seen = Monitor<[String]>([])
        withoutRights {
            do {
                let source = SQLiteSource(path: path)
                let snapshot = try source.openSnapshot(.snapshot, lanes: 4, stop: StopSignal())
                let session = try snapshot.openSession() as? SQLiteSession
                let sum = try session?.connection.integer("SELECT sum(v) FROM t") ?? 0
                seen.change { $0 = ["\(snapshot.laneLimit) \(sum) \(snapshot.stamp != nil)"] }
                try snapshot.close()
                _ = try source.openSnapshot(.locked, lanes: 4, stop: StopSignal())
            } catch {
                seen.change { $0.append("\(error)") }
            }
        }
        #expect(
            seen.read { $0 } == [
                "1 5 true",
                """
                \(path) cannot be locked for writing, as --consistency locked needs it
                hint: Run as a user who may write the file, or use --consistency snapshot.
                """,
            ])
    }

    @Test("the stamp is equal for the same state, and different after any write")
    func stamp() throws {
        for mode in ["wal", "delete"] {
            let folder = try ScratchFolder()
            let path = try folder.database(
                "PRAGMA journal_mode = \(mode); \(Self.schema) INSERT INTO t VALUES (1, 5);")
            func stamp() throws -> JSON? {
                let snapshot = try open(path)
                defer { try? snapshot.close() }
                return snapshot.stamp
            }
            // Another connection keeps the WAL from being folded into the file at its last close.
            let keeper = try SQLiteConnection(path, .write, stop: StopSignal())
            let first = try stamp()
            #expect(first != nil)
            #expect(try stamp() == first)
            try keeper.execute("UPDATE t SET v = v + 1")
            let second = try stamp()
            #expect(second != first)
            let third = try stamp()
            #expect(third == second)
            if mode == "wal" { #expect(second?["wal"]?["size"]?.integer ?? 0 > 0) }
            try keeper.execute("UPDATE t SET v = v + 1")
            #expect(try stamp() != second)
        }
    }

    @Test("a source is left as it was: no byte, no time, no companion file changes")
    func untouched() throws {
        for mode in ["wal", "delete"] {
            let folder = try ScratchFolder()
            let path = try folder.database(
                "PRAGMA journal_mode = \(mode); \(Self.schema) INSERT INTO t VALUES (1, 5);")
            let before = try folder.read("a.db")
            var (first, last) = (stat(), stat())
            stat(path, &first)
            _ = try Exported(path)
            stat(path, &last)
            #expect(try folder.read("a.db") == before)
            #expect(first.st_mtim.tv_nsec == last.st_mtim.tv_nsec)
            #expect(first.st_ctim.tv_nsec == last.st_ctim.tv_nsec)
            #expect(!folder.exists("a.db-wal"))
            #expect(!folder.exists("a.db-shm"))
            #expect(!folder.exists("a.db-journal"))
        }
    }

    @Test("what a crash left in the WAL is read, and stays in the WAL")
    func leftWAL() throws {
        let folder = try ScratchFolder()
        let path = try folder.database("PRAGMA journal_mode = wal; \(Self.schema)")
        let writer = try SQLiteConnection(path, .write, stop: StopSignal())
        try writer.execute("INSERT INTO t VALUES (1, 7)")
        // A copy of both files is what a killed process leaves.
        try folder.write(try folder.read("a.db"), to: "b.db")
        let wal = try folder.read("a.db-wal")
        try folder.write(wal, to: "b.db-wal")
        #expect(try Exported(folder.path("b.db"))["t"].rows == [[.integer(1), .integer(7)]])
        #expect(try folder.read("b.db-wal") == wal)
    }

    @Test("other processes are kept out until the end, whatever is looked at meanwhile")
    func otherProcesses() throws {
        func writes(_ path: String) -> Bool {
            system("sqlite3 '\(path)' 'UPDATE t SET v = v + 1' 2>/dev/null") == 0
        }
        for (mode, consistency) in [
            ("delete", Consistency.snapshot), ("delete", .locked), ("wal", .locked),
        ] {
            let folder = try ScratchFolder()
            let path = try folder.database(
                "PRAGMA journal_mode = \(mode); \(Self.schema) INSERT INTO t VALUES (1, 5);")
            #expect(writes(path))
            let snapshot = try open(path, consistency)
            // A descriptor of ours, opened and closed, would drop SQLite's locks on the file.
            _ = try SQLiteSource(path: path).identity()
            _ = SQLiteSource(path: path).examine()
            try snapshot.openSession().close()
            #expect(!writes(path))
            #expect(try sum(try snapshot.openSession()) == 6)
            try snapshot.close()
            #expect(writes(path))
        }
    }

    /// A file with the journal of a transaction that has written to it and never ended.
    private func hotJournal(_ folder: ScratchFolder) throws -> String {
        let path = try folder.database(
            """
            PRAGMA page_size = 512; \(Self.schema)
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 5000)
                INSERT INTO t SELECT i, 1 FROM n;
            """)
        let writer = try SQLiteConnection(path, .write, stop: StopSignal())
        try writer.execute("PRAGMA cache_size = 1; BEGIN; UPDATE t SET v = 2")
        try folder.write(try folder.read("a.db"), to: "b.db")
        try folder.write(try folder.read("a.db-journal"), to: "b.db-journal")
        return folder.path("b.db")
    }

    @Test("a transaction that a crash left unfinished is rolled back before reading")
    func recovery() throws {
        let folder = try ScratchFolder()
        let path = try hotJournal(folder)
        let snapshot = try open(path)
        #expect(try sum(try snapshot.openSession()) == 5000)
        try snapshot.close()
        #expect(!folder.exists("b.db-journal"))
    }

    @Test("an unfinished transaction in a file that may not be written is explained")
    func noRecovery() throws {
        let folder = try ScratchFolder()
        let path = try hotJournal(folder)
        chmod(folder.path, 0o755)
        chmod(path, 0o444)
        let seen = Monitor<Failure?>(nil)
        withoutRights {
            let failed = failure { _ = try Exported(path) }
            seen.change { $0 = failed }
        }
        #expect(
            seen.read { $0 }?.description == """
                \(path) was left unfinished by a crash and cannot be recovered without writing \
                [SQLITE_READONLY 776]
                hint: Run as a user who may write the file and its folder, or open it once with \
                sqlite3.
                """)
    }

    @Test("paths are paths, whatever characters they have")
    func paths() throws {
        let folder = try ScratchFolder()
        for name in ["file:x?mode=ro", "a b#c%41", ":memory:", "ü'\".db", "-x"] {
            try folder.database("\(Self.schema) INSERT INTO t VALUES (1, 2);", name: name)
            #expect(folder.exists(name))
            #expect(try Exported(folder.path(name))["t"].rows.count == 1)
        }
        #expect(SQLiteFile.plain("file:x") == "./file:x")
        #expect(SQLiteFile.plain(":memory:") == "./:memory:")
        #expect(SQLiteFile.plain("/a") == "/a")
        let identity = try SQLiteSource(path: folder.path("./-x")).identity()
        #expect(identity["path"]?.text == SQLiteFile.realPath(folder.path("-x")))
        #expect(identity["engine"]?.text == "sqlite")
    }
}
