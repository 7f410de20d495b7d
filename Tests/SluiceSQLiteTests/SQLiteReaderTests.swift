import SluiceCore
import SluiceRecords
import TestSupport
import Testing

@testable import SluiceSQLite

@Suite("Rows are read as they are")
struct SQLiteReaderTests {
    @Test("every kind of value comes out as it is stored, NULs and invalid text included")
    func values() throws {
        let folder = try ScratchFolder()
        let path = try folder.database(
            """
            CREATE TABLE t(id INTEGER PRIMARY KEY, v);
            INSERT INTO t(v) VALUES (NULL), (0), (-1), (9007199254740993), (9223372036854775807),
                (-9223372036854775808), (0.0), (1.5), (9e999), (-9e999), (4.9e-324), (1e308),
                (''), ('a' || char(0) || 'b'), (char(0)), ('ü😀'), (CAST(x'ff00c3' AS TEXT)),
                (x''), (x'00ff'), (zeroblob(3)), (-0.0);
            """)
        let table = try Exported(path)["t"]
        #expect(table.types == [.int64, .any])
        #expect(table.rows == (try query(path, "SELECT id, v FROM t")))
        #expect(table.rows[9][1] == .real(-.infinity))
        #expect(table.rows[13][1] == .text([0x61, 0, 0x62]))
        #expect(table.rows[16][1] == .text([0xFF, 0, 0xC3]))
        #expect(table.rows[19][1] == .blob([0, 0, 0]))
    }

    @Test("a negative zero keeps its sign where SQLite itself keeps it")
    func negativeZero() throws {
        let folder = try ScratchFolder()
        let path = try folder.database("CREATE TABLE t(v BLOB, r REAL);")
        let connection = try SQLiteConnection(path, .write, stop: StopSignal())
        let statement = try connection.prepare("INSERT INTO t VALUES (?, ?)")
        try statement.bind(-0.0, at: 1)
        try statement.bind(-0.0, at: 2)
        try statement.run()
        let expected = try connection.prepare("SELECT v, r FROM t")
        #expect(try expected.step())
        let signs = [expected.real(0).sign, expected.real(1).sign]
        #expect(try !expected.step())
        let row = try Exported(path)["t"].rows[0]
        guard case .real(let first) = row[1], case .real(let second) = row[2] else {
            Issue.record("no reals")
            return
        }
        #expect([first.sign, second.sign] == signs)
        #expect(signs[0] == .minus)
    }

    @Test("tables without an INTEGER PRIMARY KEY carry their rowid as a hidden first field")
    func hiddenRowid() throws {
        let folder = try ScratchFolder()
        let path = try folder.database(
            """
            CREATE TABLE t(a TEXT PRIMARY KEY); INSERT INTO t(rowid, a) VALUES (7, 'x'), (-3, 'y');
            CREATE TABLE u(rowid TEXT, "_ROWID_" TEXT); INSERT INTO u(oid, rowid) VALUES (5, 'z');
            CREATE TABLE d(i INTEGER PRIMARY KEY DESC); INSERT INTO d(rowid, i) VALUES (4, 9);
            CREATE TABLE w(a INTEGER PRIMARY KEY) WITHOUT ROWID; INSERT INTO w VALUES (1);
            CREATE TABLE i(rowid INTEGER PRIMARY KEY, b); INSERT INTO i VALUES (3, 4);
            """)
        let exported = try Exported(path)
        let table = try exported["t"]
        #expect(table.plan.schema.fields.map(\.name) == ["rowid", "a"])
        #expect(table.plan.schema.fields.map(\.isRowid) == [true, false])
        #expect(table.rows == [[.integer(-3), .text("y")], [.integer(7), .text("x")]])
        #expect(try exported["u"].plan.schema.fields.map(\.name) == ["oid", "rowid", "_ROWID_"])
        #expect(try exported["u"].rows == [[.integer(5), .text("z"), .null]])
        #expect(try exported["d"].rows == [[.integer(4), .integer(9)]])
        #expect(try exported["w"].plan.schema.fields.map(\.isRowid) == [false])
        #expect(try exported["i"].plan.schema.fields.map(\.isRowid) == [false, false])
        #expect(exported.catalog.warnings == [])
    }

    @Test("where columns hide every name of the rowid the table is read without it, with a warning")
    func noRowid() throws {
        let folder = try ScratchFolder()
        let path = try folder.database(
            """
            CREATE TABLE t(rowid, _rowid_, OID);
            INSERT INTO t VALUES (1, 2, 3), (4, 5, 6);
            """)
        let exported = try Exported(path, chunkBytes: 1)
        #expect(try exported["t"].plan.chunks == [Chunk(number: 0)])
        #expect(try exported["t"].rows.count == 2)
        #expect(
            exported.catalog.warnings == [
                "table t has columns named rowid, _rowid_ and oid: its rows get new rowids"
            ])
    }

    @Test("generated columns are not read")
    func generated() throws {
        let folder = try ScratchFolder()
        let path = try folder.database(
            """
            CREATE TABLE t(id INTEGER PRIMARY KEY, a AS (b * 2) VIRTUAL, b INT, c AS (b + 1) \
            STORED);
            INSERT INTO t(b) VALUES (5);
            """)
        let table = try Exported(path)["t"]
        #expect(table.plan.schema.fields.map(\.name) == ["id", "b"])
        #expect(table.rows == [[.integer(1), .integer(5)]])
        #expect(table.plan.definition.columns.map(\.isGenerated) == [false, true, false, true])
    }

    @Test("JSON functions in indexes, checks and generated columns keep no file from being read")
    func functionsInSchema() throws {
        let folder = try ScratchFolder()
        let path = try folder.database(
            """
            CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT CHECK (json_valid(a)),
                b TEXT AS (json_extract(a, '$.b')));
            CREATE INDEX i ON t(json_extract(a, '$.b'));
            INSERT INTO t(a) VALUES ('{"b":1}');
            """)
        #expect(try Exported(path)["t"].rows == [[.integer(1), .text("{\"b\":1}")]])
    }

    @Test("text of UTF-16 files arrives as UTF-8; lone surrogates stay what they are")
    func utf16() throws {
        for encoding in ["UTF-16le", "UTF-16be"] {
            let folder = try ScratchFolder()
            let isBig = encoding == "UTF-16be"
            let path = try folder.database(
                """
                PRAGMA encoding = '\(encoding)';
                CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT, b TEXT);
                INSERT INTO t(a, b) VALUES ('ü😀' || char(0) || 'x', 'plain');
                INSERT INTO t(a, b) VALUES (CAST(x'\(isBig ? "d8000041" : "00d84100")' AS TEXT), \
                '');
                """)
            let table = try Exported(path)["t"]
            #expect(table.types == [.int64, .any, .text])
            #expect(table.rows[0] == [.integer(1), .text("ü😀\0x"), .text("plain")])
            #expect(table.rows[1][1] == .text([0xED, 0xA0, 0x80, 0x41]))
        }
    }

    @Test("a blob of 100 MB is read whole")
    func largeBlob() throws {
        let folder = try ScratchFolder()
        let path = try folder.database(
            "CREATE TABLE t(b BLOB); INSERT INTO t VALUES (randomblob(100000000)), (x'01');")
        let source = SQLiteSource(path: path)
        let snapshot = try source.openSnapshot(.snapshot, lanes: 1, stop: StopSignal())
        let session = try snapshot.openSession()
        let plan = try session.plan(
            try snapshot.catalog().tables[0], PlanOptions(chunkBytes: 1 << 20))
        #expect(plan.chunks.count == 2)
        try session.open(plan.chunks[0], of: plan, hidesKeys: false)
        var batch = Batch(fieldCount: 2)
        #expect(try session.fill(&batch, byteGoal: 1))
        #expect(batch.bytes.count > 100_000_000)
        let (rows, count) = (batch.rowCount, batch.bytes.bytes[2...5].reduce(0) { $0 | Int($1) })
        #expect(rows == 1 && count > 0)
        session.close()
        try snapshot.close()
    }

    @Test("a row above the limit is refused by name")
    func rowLimit() throws {
        let folder = try ScratchFolder()
        let path = try folder.database(
            """
            CREATE TABLE t(id INTEGER PRIMARY KEY, b BLOB);
            INSERT INTO t VALUES (1, zeroblob(10)), (42, zeroblob(100000));
            CREATE TABLE s(k TEXT, n INT, b TEXT, PRIMARY KEY (k, n)) WITHOUT ROWID;
            """)
        let first = failure { _ = try Exported(path, rowByteLimit: 5000) }
        #expect(first?.kind == .refused)
        #expect(
            first?.description == """
                row id = 42 of t has more than 5000 bytes
                hint: Raise --row-bytes, or leave the row out with --where.
                """)
        let hidden = failure { _ = try Exported(path, rowByteLimit: 5000, hidesKeys: true) }
        #expect(hidden?.message == "row number 2 of t has more than 5000 bytes")
        try folder.database(
            "DELETE FROM t; INSERT INTO s VALUES ('it''s', 7, 'twelve bytes');")
        let second = failure { _ = try Exported(path, rowByteLimit: 16) }
        #expect(second?.message == "row k = 'it''s', n = 7 of s has more than 16 bytes")
    }

    @Test("a value that the plan says cannot be there is a bug, named with its row")
    func contradiction() throws {
        let folder = try ScratchFolder()
        let path = try folder.database(
            """
            CREATE TABLE t(id INTEGER PRIMARY KEY, a);
            INSERT INTO t VALUES (1, 5), (2, 'five'), (3, NULL), (4, x'00'), (5, 1.5);
            """)
        let connection = try SQLiteConnection(path, .read, stop: StopSignal())
        func message(_ id: Int, _ type: ColumnType, named: Bool = true) throws -> String? {
            let fields = [
                Field(name: "id", avroName: "id", type: .int64, isNullable: false),
                Field(name: "a", avroName: "a", type: type, isNullable: false),
            ]
            let reader = try SQLiteReader(
                connection, "SELECT id, a FROM t WHERE id = \(id)",
                RecordSchema(table: TableName("t"), fields: fields),
                names: SQLiteReader.RowNames(columns: named ? [0] : []))
            var batch = Batch(fieldCount: 2)
            let failed = failure { _ = try reader.fill(&batch, byteGoal: 1) }
            return failed?.kind == .bug ? failed?.message : nil
        }
        #expect(
            try message(2, .int64) == "row id = 2 of t has a text in column a, planned as int64")
        #expect(
            try message(3, .text) == "row id = 3 of t has a NULL in column a, planned as text")
        #expect(
            try message(4, .float64) == "row id = 4 of t has a blob in column a, planned as float64"
        )
        #expect(
            try message(5, .bytes) == "row id = 5 of t has a real in column a, planned as bytes")
        #expect(
            try message(1, .text, named: false)
                == "row number 1 of t has an integer in column a, planned as text")
        #expect(try message(1, .int64) == nil)
        let unknown = failure { _ = try message(1, .date) }
        #expect(unknown?.message == "SQLite has no values of type date")
    }

    @Test("lanes read different chunks side by side and together read the table")
    func lanes() throws {
        let folder = try ScratchFolder()
        let path = try folder.database(
            """
            CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT);
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 20000)
                INSERT INTO t SELECT i, hex(i) FROM n;
            """)
        let whole = try Exported(path)["t"].digest
        let snapshot = try SQLiteSource(path: path).openSnapshot(
            .snapshot, lanes: 4, stop: StopSignal())
        let table = try snapshot.catalog().tables[0]
        let first = try snapshot.openSession()
        let plan = try first.plan(table, PlanOptions(chunkBytes: 1000))
        first.close()
        let work = Monitor(plan.chunks)
        let sum = Monitor(Digest.empty)
        let lane: Lanes.Lane = { () throws(Failure) in
            let session = try snapshot.openSession()
            defer { session.close() }
            while let chunk = work.change({ $0.popLast() }) {
                try session.open(chunk, of: plan, hidesKeys: false)
                var batch = Batch(fieldCount: 2)
                while try session.fill(&batch, byteGoal: 1 << 20) {}
                let digest = batch.digest
                sum.change { $0 += digest }
            }
        }
        try Lanes.run([lane, lane, lane, lane])
        try snapshot.close()
        #expect(plan.chunks.count > 100)
        #expect(sum.read { $0 } == whole)
        #expect(whole.rowCount == 20000)
    }

    @Test("a stop signal ends a long scan")
    func stop() throws {
        let folder = try ScratchFolder()
        let path = try folder.database(
            """
            CREATE TABLE t(a INTEGER PRIMARY KEY);
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 200000)
                INSERT INTO t SELECT i FROM n;
            """)
        let stop = StopSignal()
        let snapshot = try SQLiteSource(path: path).openSnapshot(.snapshot, lanes: 1, stop: stop)
        let session = try snapshot.openSession()
        stop.raise(.timeLimit)
        let failed = failure {
            _ = try session.plan(try snapshot.catalog().tables[0], PlanOptions(chunkBytes: 1000))
        }
        #expect(failed?.kind == .unfinished)
        #expect(failed?.message == "the time limit was reached")
        session.close()
        try snapshot.close()
    }
}
