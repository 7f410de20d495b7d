import SluiceCore
import SluiceRecords
import TestSupport
import Testing

@testable import SluiceMySQL

@Suite("All lanes read one instant of a MySQL database")
struct MySQLSnapshotTests {
    private let database: MariaDBDatabase

    init() throws {
        database = try MariaDBDatabase()
        try database.sql(
            "CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t SELECT seq, 5 FROM "
                + "seq_1_to_100; CREATE TABLE other (id int PRIMARY KEY)")
    }

    private func options(
        _ consistency: Consistency, _ change: (inout SnapshotOptions) -> Void = { _ in }
    ) -> SnapshotOptions {
        var options = SnapshotOptions(consistency, lanes: 3)
        change(&options)
        return options
    }

    private func snapshot(
        _ consistency: Consistency = .snapshot, as user: String? = nil,
        _ change: (inout SnapshotOptions) -> Void = { _ in }
    ) throws -> any Snapshot {
        let url = user.map { database.url.replacing("admin@", with: "\($0)@") } ?? database.url
        return try source(url).openSnapshot(options(consistency, change), stop: StopSignal())
    }

    /// An account of this test's own, without a password.
    private func user(_ grants: String...) throws -> String {
        let name = "u_\(database.name)"
        try database.sql("CREATE USER \(name)@'%' IDENTIFIED BY 'x'")
        for grant in grants { try database.sql("GRANT \(grant) TO \(name)@'%'") }
        return "\(name):x"
    }

    private func drop(_ user: String) throws {
        try database.sql("DROP USER \(user.split(separator: ":")[0])@'%'")
    }

    @Test("whatever is written meanwhile")
    func oneInstant() throws {
        let snapshot = try snapshot()
        for round in 6...8 {
            try database.sql(
                "UPDATE t SET v = \(round); INSERT INTO t VALUES (\(round) * 100, 1)")
            let lines = try Exported(snapshot, of: ["t"], chunkRows: 7)["t"].lines
            #expect(lines.count == 100)
            #expect(lines.allSatisfy { $0.hasSuffix(",5") })
        }
        #expect(snapshot.stamp == nil)
        #expect(snapshot.position.isExact)
        let details = snapshot.position.details
        #expect(details["file"]?.text?.hasPrefix("binlog.") == true)
        #expect((details["offset"]?.integer ?? 0) > 0)
        #expect(details["gtid"]?.text?.contains("-") == true)
        #expect(details["format"]?.text == "ROW")
        #expect(details["row_image"]?.text == "FULL")
        #expect(details["flavor"]?.text == "mariadb")
        try snapshot.close()
        try snapshot.close()
    }

    @Test("the GTID is the one that the server finds at the place in its log, domain by domain")
    func gtid() throws {
        for domain in [9, 10, 2] {
            try database.sql(
                "SET SESSION gtid_domain_id = \(domain); INSERT INTO other VALUES (\(domain))")
            let snapshot = try snapshot()
            let details = snapshot.position.details
            try snapshot.close()
            let (file, offset) = (details["file"]?.text ?? "", details["offset"]?.integer ?? 0)
            let found = try database.sql("SELECT BINLOG_GTID_POS('\(file)', \(offset))")
            let sets = found.filter { !$0.isWhitespace }.split(separator: ",").map(String.init)
            let gtid = try #require(details["gtid"]?.text)
            #expect(Set(gtid.split(separator: ",").map(String.init)) == Set(sets))
            let domains = gtid.split(separator: ",").map { Int($0.prefix { $0 != "-" }) ?? -1 }
            #expect(domains == domains.sorted() && domains.contains(domain))
        }
    }

    @Test("under load they meet without a lock, or under a short one")
    func load() throws {
        let writer = try open(database.url)
        let isDone = Monitor(false)
        let thread = SluiceCore.Thread {
            var number = 1000
            while !isDone.read({ $0 }) {
                number += 1
                _ = try? writer.execute(
                    "INSERT INTO t VALUES (\(number), 5)")
            }
        }
        defer {
            isDone.change { $0 = true }
            thread.join()
        }
        for _ in 0..<10 {
            let snapshot = try snapshot()
            var counts: Set<Int> = []
            for _ in 0..<3 {
                counts.insert(try Exported(snapshot, of: ["t"])["t"].lines.count)
            }
            #expect(counts.count == 1)
            #expect(snapshot.position.isExact)
            try snapshot.close()
        }
    }

    @Test("nothing that empties or changes a table can come between")
    func definitions() throws {
        let snapshot = try snapshot()
        for statement in [
            "TRUNCATE t", "ALTER TABLE t ADD c int", "DROP TABLE t", "RENAME TABLE t TO u",
        ] {
            let found = failure(of: {
                let other = try open(database.url)
                try other.execute("SET lock_wait_timeout = 1")
                try other.execute(statement)
            })
            #expect(found?.code == "1205", "\(statement)")
        }
        #expect(try Exported(snapshot, of: ["t"])["t"].lines.count == 100)
        try snapshot.close()
        try database.sql("TRUNCATE t")
    }

    @Test("somebody who waits to change a table does not make a lane wait")
    func waiting() throws {
        let snapshot = try snapshot()
        let other = try open(database.url)
        let thread = SluiceCore.Thread { _ = try? other.execute("ALTER TABLE t ADD c int") }
        let watching = try open(database.url)
        while try watching.integer(
            "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE STATE LIKE 'Waiting for "
                + "table metadata%' AND DB = DATABASE()") == 0
        {}
        #expect(try Exported(snapshot, of: ["t"])["t"].lines.count == 100)
        try snapshot.close()
        thread.join()
        #expect(try database.sql("SHOW COLUMNS FROM t LIKE 'c'").hasPrefix("c\t"))
    }

    @Test("tables that are not wanted may be changed, and need not be readable")
    func unwanted() throws {
        let snapshot = try snapshot { $0.wants = { $0.name.table == "t" } }
        try database.sql("DROP TABLE other")
        #expect(try snapshot.catalog().tables.map(\.name.description) == ["other", "t"])
        try snapshot.close()
    }

    @Test("locked: nobody writes until the end, and the place does not move")
    func locked() throws {
        let told = Monitor<[JSON]>([])
        let snapshot = try snapshot(.locked) { options in
            options.announce = { hold throws(Failure) in told.change { $0.append(hold) } }
        }
        let found = failure(of: {
            let other = try open(database.url)
            try other.execute("SET lock_wait_timeout = 1")
            try other.execute("INSERT INTO t VALUES (777, 7)")
        })
        #expect(found?.code == "1205")
        #expect(
            told.read { $0 }.map { $0["what"]?.text } == [
                "read locks on every table; others can read but not write"
            ])
        #expect(snapshot.position.details["proof"]?.text == "read locks held to the end")
        #expect(snapshot.stamp?["file"] != nil)
        try snapshot.close()
        try database.sql("INSERT INTO t VALUES (777, 7)")
    }

    @Test("tables of engines without snapshots are read under locks only")
    func engines() throws {
        try database.sql("CREATE TABLE old (id int PRIMARY KEY) ENGINE = MyISAM")
        let found = failure(of: { try snapshot() })
        #expect(found?.kind == .refused)
        #expect(found?.message == "table old has the engine MyISAM, which has no snapshots")
        #expect(
            found?.hint == "Use --consistency locked, or leave the table out with --exclude old.")
        try snapshot(.locked).close()
        try snapshot { $0.wants = { $0.name.table != "old" } }.close()
    }

    @Test("without the privilege to ask for the log, a global lock is taken for a moment")
    func globalLock() throws {
        let name = try user("SELECT ON \(database.name).*", "RELOAD ON *.*")
        defer { try? drop(name) }
        let snapshot = try snapshot(as: name)
        #expect(snapshot.position.details["proof"]?.text == "a global read lock")
        try database.sql("UPDATE t SET v = 1")
        for _ in 0..<3 {
            let table = try Exported(snapshot, of: ["t"])["t"]
            #expect(table.lines.allSatisfy { $0.hasSuffix(",5") })
        }
        try snapshot.close()
    }

    @Test("without the privilege for that, the tables are locked for a moment")
    func tableLocks() throws {
        let name = try user("SELECT, LOCK TABLES ON \(database.name).*")
        defer { try? drop(name) }
        let snapshot = try snapshot(as: name)
        #expect(snapshot.position.details["proof"]?.text == "read locks on the tables")
        #expect(
            snapshot.position.details["gap"]?.text
                == "the user may not ask for the place in the binary log")
        #expect(!snapshot.position.isExact)
        try database.sql("UPDATE t SET v = 1")
        #expect(try Exported(snapshot, of: ["t"])["t"].lines.allSatisfy { $0.hasSuffix(",5") })
        try snapshot.close()
    }

    @Test("who may lock nothing reads with one lane, and is told so")
    func nothing() throws {
        let name = try user("SELECT ON \(database.name).*")
        defer { try? drop(name) }
        let found = failure(of: { try snapshot(as: name) })
        #expect(found?.kind == .refused)
        #expect(
            found?.message == "the user may lock nothing on mysql://test, and without that 3 lanes "
                + "cannot be shown to see the same")
        #expect(found?.hint == "Grant RELOAD or LOCK TABLES, or use --lanes 1.")
        let one = try snapshot(as: name) { $0.lanes = 1 }
        #expect(!one.position.isExact)
        #expect(try Exported(one, of: ["t"])["t"].lines.count == 100)
        try one.close()
    }

    @Test("a look locks nothing and has no exact place")
    func trial() throws {
        let snapshot = try snapshot(.locked) { $0.isTrial = true }
        try database.sql("INSERT INTO t VALUES (777, 7)")
        #expect(!snapshot.position.isExact)
        try snapshot.close()
    }

    @Test("a snapshot whose session was killed is told at the end")
    func proof() throws {
        let snapshot = try snapshot()
        let sessions = try database.sql(
            "SELECT ID FROM information_schema.PROCESSLIST WHERE DB = '\(database.name)' AND "
                + "ID <> CONNECTION_ID()")
        for number in sessions.split(separator: "\n") { try database.sql("KILL \(number)") }
        let found = failure(of: { try snapshot.close() })
        #expect(found?.kind == .failed)
        #expect(
            found?.message.hasPrefix("the locks on mysql://test ended before the export did: ")
                == true)
        #expect(failure(of: { try Exported(snapshot, of: ["t"]) }) != nil)
    }

    @Test("a server that is no replica is refused as one")
    func noReplica() throws {
        let found = failure(of: { try snapshot(.replica) })
        #expect(found?.kind == .usage)
        #expect(
            found?.message == "mysql://test is no replica, as --consistency replica needs it")
    }
}

@Suite("A read lock is never waited for longer than others can bear")
struct MySQLLocksTests {
    @Test("a long statement in the way makes the wait end, three times, and says so")
    func limit() throws {
        let database = try MariaDBDatabase()
        try database.sql("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)")
        let busy = try open(database.url)
        try busy.execute("START TRANSACTION")
        try busy.execute("INSERT INTO t VALUES (2)")
        let locker = try open(database.url)
        let start = Clock.now
        let found = failure(of: { try MySQLLocks.take(["t"], on: locker, limit: .seconds(1)) })
        #expect(found?.kind == .unavailable)
        #expect(
            found?.message
                == "a read lock on mysql://test could not be had within 1 seconds, 3 times")
        #expect(Clock.now - start > .seconds(3))
        #expect(locker.isOpen)
        try busy.execute("COMMIT")
        try MySQLLocks.take(["t"], on: locker, limit: .seconds(1))
        try MySQLLocks.release(on: locker)
    }
}

@Suite("A replica of MySQL stands still while it is read")
struct MySQLReplicaTests {
    private func isRunning() throws -> Bool {
        try MariaDBServer.replica.sql("SHOW SLAVE STATUS").contains("\tYes\tYes\t")
    }

    @Test("its SQL thread is stopped, its upstream's place recorded, and it goes on afterwards")
    func standingStill() throws {
        let database = try MariaDBDatabase(on: .primary)
        try database.sql("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)")
        let url = try MariaDBServer.replica.url(database.name)
        var tries = 0
        while failure(of: { try open(url).execute("SELECT 1 FROM t LIMIT 0") }) != nil, tries < 500
        {
            tries += 1
            Clock.sleep(.milliseconds(20))
        }
        let told = Monitor<[JSON]>([])
        var options = SnapshotOptions(.replica, lanes: 2)
        options.announce = { hold throws(Failure) in told.change { $0.append(hold) } }
        let snapshot = try source(url).openSnapshot(options, stop: StopSignal())
        #expect(try !isRunning())
        try database.sql("INSERT INTO t VALUES (2)")
        #expect(try Exported(snapshot, of: ["t"])["t"].lines.count <= 2)
        let details = snapshot.position.details
        #expect(snapshot.position.isExact)
        #expect(details["file"]?.text?.hasPrefix("binlog.") == true)
        #expect(details["port"]?.integer.map(String.init) == (try MariaDBServer.primary.port))
        #expect(details["gtid"]?.text?.isEmpty == false)
        #expect(details["channels"]?.elements?.count == 1)
        #expect(snapshot.stamp?["channels"] != nil)
        let hold = try #require(told.read { $0 }.first)
        #expect(
            hold["what"]?.text == "the SQL thread on the replica is stopped; it falls behind")
        #expect(hold["ends_with_process"]?.boolean == false)
        // What a process that died leaves behind is taken over, and then freed.
        options.leftBehind = [hold]
        options.announce = { _ throws(Failure) in }
        let next = try source(url).openSnapshot(options, stop: StopSignal())
        #expect(next.stamp == snapshot.stamp)
        try next.close()
        #expect(try isRunning())
        try snapshot.close()
        try MariaDBServer.replica.sql("STOP SLAVE SQL_THREAD")
        try source(url).release(hold)
        #expect(try isRunning())
    }
}
