import SluiceCore
import SluiceRecords
import TestSupport
import Testing

@testable import SluiceMySQL

@Suite("What a MySQL source cannot give is refused by name")
struct MySQLSourceRefusalTests {
    private let database: MariaDBDatabase

    init() throws {
        database = try MariaDBDatabase()
        try database.sql(
            "CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t SELECT seq, 5 FROM "
                + "seq_1_to_20")
    }

    private func snapshot(lanes: Int = 2) throws -> any Snapshot {
        try source(database.url).openSnapshot(.snapshot, lanes: lanes, stop: StopSignal())
    }

    @Test("versions that are told apart by transactions")
    func transactions() throws {
        try database.sql(
            "CREATE TABLE h (id int PRIMARY KEY, a bigint unsigned GENERATED ALWAYS AS ROW START, b "
                + "bigint unsigned GENERATED ALWAYS AS ROW END, PERIOD FOR SYSTEM_TIME (a, b)) "
                + "WITH SYSTEM VERSIONING")
        let found = failure(of: { try snapshot() })
        #expect(found?.kind == .refused)
        #expect(
            found?.message
                == "table h keeps its versions by transactions, which only its own server knows")
        #expect(found?.hint == "Leave it out with --exclude h.")
    }

    @Test("definitions that the user may not see")
    func definitions() throws {
        try database.sql(
            "CREATE VIEW w AS SELECT 1 AS a; CREATE USER \(database.name)_d@'%' IDENTIFIED BY 'x'; "
                + "GRANT SELECT, LOCK TABLES ON \(database.name).* TO \(database.name)_d@'%'; "
                + "CREATE PROCEDURE p() SELECT 1; "
                + "GRANT EXECUTE ON PROCEDURE p TO \(database.name)_d@'%'")
        defer { _ = try? database.sql("DROP USER \(database.name)_d@'%'") }
        let url = database.url.replacing("admin@", with: "\(database.name)_d:x@")
        let snapshot = try source(url).openSnapshot(.snapshot, lanes: 1, stop: StopSignal())
        defer { try? snapshot.close() }
        let found = failure(of: { try snapshot.catalog() })
        #expect(found?.kind == .failed)
        #expect(found?.message == "the user may not see the definition of procedure p")
        #expect(
            found?.hint
                == "Grant SELECT on mysql.proc, SHOW_ROUTINE or SHOW VIEW to it, or choose tables "
                + "with --tables, which leaves it out.")
    }

    @Test("rows that an engine keeps elsewhere are not moved, and that is told")
    func elsewhere() throws {
        try database.sql(
            "CREATE TABLE m (id int) ENGINE = MyISAM; CREATE TABLE all_of_them (id int) ENGINE = "
                + "MERGE UNION = (m)")
        let snapshot = try source(database.url).openSnapshot(
            .locked, lanes: 1, stop: StopSignal())
        defer { try? snapshot.close() }
        let catalog = try snapshot.catalog()
        #expect(catalog.tables.map(\.name.description) == ["m", "t"])
        #expect(
            catalog.warnings == [
                "table all_of_them: only its definition is moved; engine MRG_MyISAM keeps its rows "
                    + "elsewhere"
            ])
        #expect(catalog.schema.objects.count == 3)
    }

    @Test("a lane that lost its connection has lost the snapshot")
    func lostLane() throws {
        let snapshot = try snapshot(lanes: 1)
        let session = try snapshot.openSession()
        let table = SourceTable(name: TableName("t"), estimatedRows: 0, estimatedBytes: 0)
        let plan = try session.plan(table, PlanOptions(chunkBytes: 1 << 20))
        let sessions = try database.sql(
            "SELECT ID FROM information_schema.PROCESSLIST WHERE DB = '\(database.name)' AND "
                + "ID <> CONNECTION_ID()")
        for number in sessions.split(separator: "\n") { try database.sql("KILL \(number)") }
        let first = failure(of: { try session.open(plan.chunks[0], of: plan, hidesKeys: false) })
        #expect(first?.kind == .unavailable)
        let second = failure(of: { try session.open(plan.chunks[0], of: plan, hidesKeys: false) })
        #expect(second?.message == "the snapshot on mysql://test is lost with its connection")
        #expect(second?.isTransient == false)
        #expect(second?.hint == "Run the same command again.")
        session.close()
        _ = failure(of: { try snapshot.close() })
    }

    @Test("plans and bounds that are not of this table")
    func foreignPlans() throws {
        let snapshot = try snapshot(lanes: 1)
        let session = try snapshot.openSession()
        defer {
            session.close()
            try? snapshot.close()
        }
        let table = SourceTable(name: TableName("t"), estimatedRows: 0, estimatedBytes: 0)
        let plan = try session.plan(table, PlanOptions(chunkBytes: 1 << 20))
        let hint = "The plan was made by another version or changed by somebody; export anew."
        var other = plan
        other.schema = RecordSchema(table: plan.table, fields: Array(plan.schema.fields.dropLast()))
        let foreign = failure(of: { try session.open(plan.chunks[0], of: other, hidesKeys: false) })
        #expect(foreign?.kind == .refused)
        #expect(foreign?.message == "the plan of t is not one of this table")
        #expect(foreign?.hint == hint)
        var keyless = plan
        keyless.details = ["key": "another"]
        let chunk = Chunk(number: 3, lower: ["1"])
        #expect(
            failure(of: { try session.open(chunk, of: keyless, hidesKeys: false) })?.message
                == "the plan of t is not one of this table")
        keyless.details = ["key": "PRIMARY"]
        let bad = Chunk(number: 3, lower: ["1 OR 1 = 1"])
        let found = failure(of: { try session.open(bad, of: keyless, hidesKeys: false) })
        #expect(found?.message == "the bounds of chunk 3 are no values of this table's key")
        #expect(found?.hint == hint)
    }

    @Test("more lanes than the snapshot was opened for")
    func lanes() throws {
        let snapshot = try snapshot(lanes: 1)
        defer { try? snapshot.close() }
        let session = try snapshot.openSession()
        defer { session.close() }
        #expect(snapshot.laneLimit == 1)
        #expect(
            failure(of: { try snapshot.openSession() })?.message
                == "more lanes read than the snapshot was opened for")
    }

    @Test("a table that may not be read")
    func unreadable() throws {
        try database.sql(
            "CREATE USER \(database.name)_r@'%' IDENTIFIED BY 'x'; GRANT INSERT, LOCK TABLES ON "
                + "\(database.name).* TO \(database.name)_r@'%'")
        defer { _ = try? database.sql("DROP USER \(database.name)_r@'%'") }
        let url = database.url.replacing("admin@", with: "\(database.name)_r:x@")
        let found = failure(of: {
            try source(url).openSnapshot(.snapshot, lanes: 1, stop: StopSignal())
        })
        #expect(found?.kind == .failed)
        #expect(found?.code == "1142")
        #expect(
            found?.hint == "Grant the privilege to the user of the URL, or use another user.")
        #expect(
            try source(url).examine().contains {
                $0.verdict == .fail && $0.what == "t may not be read"
            })
    }
}
