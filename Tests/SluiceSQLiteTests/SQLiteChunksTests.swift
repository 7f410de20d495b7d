import SluiceCore
import SluiceRecords
import TestSupport
import Testing

@testable import SluiceSQLite

@Suite("Chunks cover a table once")
struct SQLiteChunksTests {
    private static let numbers =
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 500)"

    static let tables = [
        "CREATE TABLE t(id INTEGER PRIMARY KEY, v); \(numbers) INSERT INTO t SELECT i * 7 - 900, "
            + "i FROM n;",
        "CREATE TABLE t(v); \(numbers) INSERT INTO t(rowid, v) SELECT i * i, i FROM n;",
        """
        CREATE TABLE t(id INTEGER PRIMARY KEY); \(numbers) INSERT INTO t SELECT -i FROM n;
        INSERT INTO t VALUES (9223372036854775807), (-9223372036854775808);
        """,
        """
        CREATE TABLE t(a TEXT, b INT, c, PRIMARY KEY (a, b)) WITHOUT ROWID;
        \(numbers) INSERT INTO t SELECT 'k' || (i % 7), i, i FROM n;
        """,
        """
        CREATE TABLE t(a TEXT COLLATE NOCASE, b INT, PRIMARY KEY (a DESC, b DESC)) WITHOUT ROWID;
        \(numbers) INSERT INTO t SELECT CASE i % 3 WHEN 0 THEN 'Key' WHEN 1 THEN 'kEY ' ELSE 'é' \
        END, i FROM n;
        """,
        """
        CREATE TABLE t(a TEXT, b INT, c TEXT, PRIMARY KEY (a, b DESC, c)) WITHOUT ROWID;
        \(numbers) INSERT INTO t SELECT i % 3, i % 11, i FROM n;
        """,
        """
        CREATE TABLE t(a TEXT, b TEXT, PRIMARY KEY (a COLLATE NOCASE, b COLLATE RTRIM)) WITHOUT \
        ROWID;
        \(numbers) INSERT INTO t SELECT char(97 - 32 * (i % 2)), i || CASE i % 5 WHEN 0 THEN ' ' \
        ELSE 'x' END FROM n;
        """,
        """
        CREATE TABLE t(k PRIMARY KEY, v) WITHOUT ROWID;
        \(numbers) INSERT INTO t SELECT CASE i % 7 WHEN 0 THEN i WHEN 1 THEN i / 3.0 WHEN 2 THEN \
        'a' || char(0) || i
            WHEN 3 THEN CAST(x'ff' || i AS TEXT) WHEN 4 THEN CAST('b' || i AS BLOB) WHEN 5 THEN \
            'it''s ' || i
            ELSE CAST(i AS TEXT) END, i FROM n;
        INSERT INTO t VALUES (9e999, 1), (-9e999, 2), ('', 3), (x'', 4);
        """,
        """
        CREATE TABLE t("we""ird, (name)" TEXT PRIMARY KEY, [select] INT) WITHOUT ROWID;
        CREATE INDEX i ON t("select", "we""ird, (name)");
        \(numbers) INSERT INTO t SELECT i, i FROM n;
        """,
        """
        CREATE TABLE t(a NUMERIC, b TEXT, PRIMARY KEY (a, b)) WITHOUT ROWID;
        \(numbers) INSERT INTO t SELECT CASE i % 2 WHEN 0 THEN i / 7.0 ELSE '1x' || i END, i FROM n;
        """,
        "CREATE TABLE t(id INTEGER PRIMARY KEY, v);",
        "CREATE TABLE t(id INTEGER PRIMARY KEY, v); INSERT INTO t VALUES (5, 6);",
    ]

    @Test(
        "each row is in exactly one chunk, in the order of the key, however small chunks are",
        arguments: tables, [(1, 10_000), (2, 10_000), (30, 10_000), (7000, 10_000), (1, 7), (1, 1)])
    func coverage(sql: String, limits: (bytes: Int, chunks: Int)) throws {
        let folder = try ScratchFolder()
        let path = try folder.database(sql)
        let whole = try Exported(path)["t"]
        #expect(whole.plan.chunks == [Chunk(number: 0)])
        // `Exported` compares each chunk with SQLite's own count of it.
        let cut = try Exported(path, chunkBytes: limits.bytes, chunkLimit: limits.chunks)["t"]
        #expect(Chunk.coverAll(cut.plan.chunks))
        #expect(cut.rows == whole.rows)
        #expect(cut.digest == whole.digest)
        #expect(cut.digest.rowCount == cut.plan.estimatedRows)
        #expect(cut.plan.chunks.count <= limits.chunks)
        if limits.bytes == 1, limits.chunks == 10_000 {
            #expect(cut.plan.chunks.count == max(whole.rows.count, 1))
            #expect(cut.chunks.allSatisfy { $0.count <= 1 })
        }
        if limits.bytes == 1, limits.chunks == 7, whole.rows.count > 100 {
            #expect(cut.plan.chunks.count >= 3)
            #expect(cut.chunks.allSatisfy { !$0.isEmpty })
        }
    }

    @Test("chunks have about the bytes that are asked for")
    func bytes() throws {
        let folder = try ScratchFolder()
        let path = try folder.database(
            """
            CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT);
            \(SQLiteChunksTests.numbers) INSERT INTO t SELECT i, hex(zeroblob(50)) FROM n;
            """)
        let table = try Exported(path, chunkBytes: 1040)["t"]
        #expect(table.plan.estimatedBytes > 500 * 100)
        #expect(table.plan.estimatedBytes < 500 * 110)
        #expect(table.chunks.dropLast().allSatisfy { (10...11).contains($0.count) })
    }

    @Test("a key's ranges are searched for in its tree, not found by reading everything")
    func search() throws {
        let folder = try ScratchFolder()
        let path = try folder.database(
            """
            CREATE TABLE r(v); CREATE INDEX ri ON r(v);
            CREATE TABLE w(a TEXT COLLATE NOCASE, b, c, PRIMARY KEY (a, b)) WITHOUT ROWID;
            CREATE INDEX wi ON w(b, c, a);
            """)
        let connection = try SQLiteConnection(path, .read, stop: StopSignal())
        let catalog = try SQLiteCatalog(reading: connection)
        var plans: [String] = []
        for name: Name in ["r", "w"] {
            guard let table = catalog.tables[name] else { throw Failure(.bug, "no table") }
            let bound = Array(repeating: "1", count: table.key.parts.count)
            let range = try table.key.condition(Chunk(number: 1, lower: bound, upper: bound)) ?? ""
            let statement = try connection.prepare(
                "EXPLAIN QUERY PLAN SELECT * FROM \(table.from) WHERE \(range)\(table.key.order)")
            while try statement.step() { plans.append(statement.string(3) ?? "") }
        }
        #expect(
            plans == [
                "SEARCH main.r USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)",
                "SEARCH main.w USING PRIMARY KEY ((a,b)>(?,?) AND (a,b)<(?,?))",
            ])
    }

    @Test("a filter holds for the plan, the chunks and the counts, comments in it included")
    func filter() throws {
        let folder = try ScratchFolder()
        let path = try folder.database(
            """
            CREATE TABLE t(id INTEGER PRIMARY KEY, v);
            \(SQLiteChunksTests.numbers) INSERT INTO t SELECT i, CASE i WHEN 500 THEN 'x' ELSE i \
            END FROM n;
            """)
        let table = try Exported(
            path, chunkBytes: 20, filters: ["t": "id % 2 = 1 OR id < 11 -- odd"])["t"]
        #expect(table.rows.count == 255)
        #expect(table.types == [.int64, .int64])
        #expect(table.plan.filter == "id % 2 = 1 OR id < 11 -- odd")
        #expect(table.plan.chunks.count > 20)
    }

    @Test("a filter that is not understood is named with its table")
    func wrongFilter() throws {
        let folder = try ScratchFolder()
        let path = try folder.database("CREATE TABLE t(id INTEGER PRIMARY KEY, v);")
        let failed = failure { _ = try Exported(path, filters: ["t": "nosuch = 1"]) }
        #expect(failed?.kind == .usage)
        #expect(
            failed?.description == """
                the filter of table t is not understood: no such column: nosuch [SQLITE_ERROR]
                hint: Correct --where t=….
                """)
        let many = failure { _ = try Exported(path, filters: ["t": "1), (2"]) }
        #expect(
            many?.message == "the filter of table t is not understood: it is not one expression")
        let open = failure { _ = try Exported(path, filters: ["t": "(1"]) }
        #expect(open?.kind == .usage)
    }

    @Test("only literals of a plan go into statements")
    func literals() {
        for text in [
            "1", "-9223372036854775808", "1.5", "-1e+300", "9e999", "x'00ff'", "''", "'it''s'",
            "+CAST(x'6100' AS TEXT)",
        ] {
            #expect(SQLiteKey.isLiteral(text), "\(text)")
        }
        for text in [
            "", "a", "1 OR 1", "(SELECT 1)", "'a' || 'b'", "\"a\"", "'", "'a", "- -1", "random()",
            "1 -- x", "'a' -- x", "+CAST(x'61' AS BLOB)", "NULL",
            "x'00", "1/**/", "+CAST(x'61' AS TEXT) -- x",
        ] {
            #expect(!SQLiteKey.isLiteral(text), "\(text)")
        }
    }

    @Test("a plan whose bounds are no literals of the key is refused")
    func wrongBounds() throws {
        let folder = try ScratchFolder()
        let path = try folder.database("CREATE TABLE t(id INTEGER PRIMARY KEY);")
        let plan = try Exported(path)["t"].plan
        let snapshot = try SQLiteSource(path: path).openSnapshot(
            .snapshot, lanes: 1, stop: StopSignal())
        let session = try snapshot.openSession()
        for bound in [["1", "2"], [], ["id"]] {
            let failed = failure {
                try session.open(
                    Chunk(number: 3, lower: bound, upper: nil), of: plan, hidesKeys: false)
            }
            #expect(
                failed?.description == """
                    the bounds of chunk 3 are no values of this table's key
                    hint: The plan was made by another version or changed by somebody; export anew.
                    """)
        }
        var other = plan
        other.details = [:]
        let failed = failure { _ = try session.countRows(of: other) }
        #expect(failed?.message == "the plan of t has no key as SQLite needs it")
        session.close()
        try snapshot.close()
    }
}
