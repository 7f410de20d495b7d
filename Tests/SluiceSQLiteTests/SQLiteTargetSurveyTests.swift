import CSQLite
import Glibc
import SluiceCore
import SluiceRecords
import TestSupport
import Testing

@testable import SluiceSQLite

@Suite("What a SQLite target finds, takes and gives back")
struct SQLiteTargetSurveyTests {
    static let source = """
        CREATE TABLE orders(id INTEGER PRIMARY KEY AUTOINCREMENT, day TEXT DEFAULT 'x', n INT NOT NULL);
        INSERT INTO orders VALUES(1, 'a', 1), (2, 'b', 2);
        CREATE TABLE free(a, b TEXT COLLATE NOCASE, CHECK(a <> 9));
        INSERT INTO free VALUES(1, 'x'), ('y', NULL);
        CREATE TABLE pairs(x TEXT, y INT REFERENCES orders(id) ON DELETE CASCADE, PRIMARY KEY(x, y)) WITHOUT ROWID;
        INSERT INTO pairs VALUES('p', 1);
        CREATE INDEX by_day ON orders(day);
        CREATE VIEW days AS SELECT day FROM orders;
        CREATE TRIGGER touch AFTER INSERT ON orders BEGIN SELECT 1; END;
        """

    let folder: ScratchFolder
    let a: String
    let b: String

    init() throws {
        folder = try ScratchFolder()
        a = folder.path("a.db")
        b = folder.path("b.db")
        try Shell.sqlite(a, SQLiteTargetSurveyTests.source)
    }

    private func request(
        _ onExisting: OnExisting, isTrusted: Bool = true, dataset: String = "d1"
    ) throws -> LoadRequest {
        let snapshot = try SQLiteSource(path: a).openSnapshot(
            .snapshot, lanes: 1, stop: StopSignal())
        defer { try? snapshot.close() }
        let catalog = try snapshot.catalog()
        let session = try snapshot.openSession()
        defer { session.close() }
        var plans: [TablePlan] = []
        for table in catalog.tables {
            plans.append(try session.plan(table, PlanOptions(chunkBytes: 1 << 30)))
        }
        return LoadRequest(
            dataset: dataset, tables: plans, trustedSchema: isTrusted ? catalog.schema : nil,
            onExisting: onExisting, sourceEngine: "sqlite")
    }

    private func conflicts(
        _ onExisting: OnExisting, with sql: String, isTrusted: Bool = true
    ) throws -> [String] {
        _ = unlink(b)
        try Shell.sqlite(b, sql)
        return try SQLiteTarget(path: b).survey(request(onExisting, isTrusted: isTrusted)).conflicts
    }

    @Test("a file that does not exist is empty, and looking does not make it")
    func missingFile() throws {
        let survey = try SQLiteTarget(path: b).survey(request(.refuse))
        #expect(survey.conflicts == [])
        #expect(survey.ledger == [])
        #expect(survey.emptyTables == [])
        #expect(
            survey.steps.map(\.name) == [
                "table orders", "table sqlite_sequence", "table free", "table pairs", "counters",
                "index by_day", "view days", "trigger touch", "settings",
            ])
        #expect(access(b, F_OK) != 0)
        let failure = #expect(throws: Failure.self) {
            try SQLiteTarget(path: folder.path("no/b.db")).survey(nil)
        }
        #expect(failure?.kind == .usage)
    }

    @Test("refuse names every object that is there, whatever the case of its name")
    func refuse() throws {
        #expect(
            try conflicts(
                .refuse,
                with: """
                    CREATE TABLE Orders(a); INSERT INTO Orders VALUES(1); CREATE VIEW free AS SELECT 1;
                    CREATE TABLE other(a); CREATE INDEX pairs ON other(a); CREATE TABLE touch(a);
                    CREATE TABLE by_day(a);
                    """) == [
                    "table Orders exists already and has rows",
                    "view free is in the way of table free",
                    "index pairs is in the way of table pairs",
                    "table by_day is in the way of index by_day",
                ])
        #expect(
            try conflicts(.refuse, with: "CREATE TABLE pairs(a);") == [
                "table pairs exists already"
            ])
        #expect(
            try conflicts(.refuse, with: "CREATE TABLE sluice_ledger(a);") == [
                "table sluice_ledger exists already and is no ledger of sluice"
            ])
        #expect(try conflicts(.refuse, with: "CREATE TABLE other(a);") == [])
    }

    @Test("a target's own triggers do not run for loaded rows, and the survey says so")
    func triggersOfTheTarget() throws {
        let folder = try ScratchFolder()
        let a = folder.path("a.db")
        let b = folder.path("b.db")
        try Shell.sqlite(a, "CREATE TABLE t(x); INSERT INTO t VALUES (1), (2);")
        try Shell.sqlite(
            b,
            """
            CREATE TABLE t(x); INSERT INTO t VALUES (9); CREATE TABLE seen(x);
            CREATE TRIGGER note AFTER INSERT ON t BEGIN INSERT INTO seen VALUES (new.x); END;
            CREATE TRIGGER gone AFTER DELETE ON t BEGIN INSERT INTO seen VALUES (old.x); END;
            """)
        let survey = try Migration(source: a, target: b, onExisting: .truncate).run()
        #expect(
            survey.warnings == [
                "trigger note of table t does not run for the rows that are loaded",
                "trigger gone of table t does not run for the rows that are loaded",
            ])
        #expect(try Shell.sqlite(b, "SELECT * FROM t; SELECT count(*) FROM seen;") == "1\n2\n0\n")
        try Shell.sqlite(b, "INSERT INTO t VALUES (3)")
        #expect(try Shell.sqlite(b, "SELECT * FROM seen;") == "3\n")
    }

    @Test("use names what does not fit")
    func use() throws {
        #expect(
            try conflicts(
                .use,
                with: """
                    CREATE TABLE orders(id INTEGER PRIMARY KEY, day INT, n AS (1), must NOT NULL,
                    may NOT NULL DEFAULT 1);
                    CREATE TABLE free(a INTEGER PRIMARY KEY, b TEXT);
                    CREATE TRIGGER loud AFTER INSERT ON free BEGIN SELECT 1; END;
                    CREATE VIEW pairs AS SELECT 1;
                    """) == [
                    "column n of table orders is generated, and the dataset has values",
                    "column must of table orders is NOT NULL without a default,"
                        + " and the dataset does not have it",
                    "table free has no rowid of its own to keep the dataset's in",
                    "pairs is not a table, but a view",
                ])
        #expect(
            try conflicts(
                .use,
                with: """
                    CREATE TABLE orders(id TEXT PRIMARY KEY, n INT);
                    CREATE TABLE free(a, b); INSERT INTO free VALUES(1, 2);
                    """) == [
                    "column id of table orders is declared TEXT,"
                        + " which would change values of type int64",
                    "table orders has no column day", "table free has rows",
                    "table pairs does not exist",
                ])
    }

    @Test("truncate refuses foreign keys from tables outside the dataset")
    func truncateForeignKeys() throws {
        #expect(
            try conflicts(
                .truncate,
                with: """
                    CREATE TABLE orders(id INTEGER PRIMARY KEY, day, n);
                    CREATE TABLE free(a, b); INSERT INTO free VALUES(1, 2);
                    CREATE TABLE pairs(x, y, PRIMARY KEY(x, y)) WITHOUT ROWID;
                    CREATE TABLE lines(id, o REFERENCES Orders(id));
                    """) == [
                    "table lines, which is not in the dataset, has a foreign key to table Orders"
                ])
    }

    @Test("replace refuses other kinds and warns of what goes with a table")
    func replaceConflicts() throws {
        #expect(
            try conflicts(.replace, with: "CREATE TABLE days(a); CREATE TABLE free(a);") == [
                "table days is in the way of view days"
            ])
        _ = unlink(b)
        try Shell.sqlite(
            b,
            """
            CREATE TABLE free(a); CREATE INDEX mine ON free(a);
            CREATE TRIGGER loud AFTER INSERT ON free BEGIN SELECT 1; END;
            """)
        let survey = try SQLiteTarget(path: b).survey(request(.replace))
        #expect(survey.conflicts == [])
        #expect(
            survey.warnings == [
                "index mine goes with table free, which is replaced; the dataset does not make it again",
                "trigger loud goes with table free, which is replaced; the dataset does not make it again",
            ])
        #expect(survey.emptyTables == [TableName("free")])
    }

    @Test("replace drops what the dataset makes, of every kind, and keeps the rest")
    func replace() throws {
        try Shell.sqlite(
            b,
            """
            CREATE TABLE orders(old); INSERT INTO orders VALUES(1); CREATE INDEX by_day ON orders(old);
            CREATE VIEW days AS SELECT 5; CREATE TABLE keep(k); INSERT INTO keep VALUES(1);
            PRAGMA user_version = 9;
            """)
        try Migration(source: a, target: b, onExisting: .replace).run()
        let kept = try Shell.sqlite(
            b,
            """
            SELECT * FROM keep; PRAGMA user_version; SELECT count(*) FROM orders;
            SELECT count(*) FROM pairs; SELECT day FROM days; SELECT name, seq FROM sqlite_sequence;
            """)
        // The file is not ours alone, so its version stays.
        #expect(kept == "1\n9\n2\n1\na\nb\norders|2\n")
        // And once more, by the next night's dataset: the old ledger goes with its tables.
        try Migration(source: a, target: b, onExisting: .replace, dataset: "d2").run()
        #expect(
            try Shell.sqlite(b, "SELECT DISTINCT dataset FROM sluice_ledger;") == "d2\n")
    }

    @Test("truncate empties the tables of the dataset and keeps their definitions")
    func truncate() throws {
        try Shell.sqlite(
            b,
            """
            CREATE TABLE orders(extra DEFAULT 5, n, day, id INTEGER PRIMARY KEY);
            INSERT INTO orders(id) VALUES(77);
            CREATE TABLE free(a, b); INSERT INTO free VALUES(1, 2);
            CREATE TABLE pairs(x, y, PRIMARY KEY(x, y)) WITHOUT ROWID;
            CREATE TABLE keep(k); INSERT INTO keep VALUES(1);
            """)
        let survey = try Migration(source: a, target: b, onExisting: .truncate).run()
        #expect(survey.steps.map(\.name) == ["counters"])
        #expect(
            try Shell.sqlite(b, "SELECT * FROM orders; SELECT * FROM free; SELECT * FROM keep;")
                == "5|1|a|1\n5|2|b|2\n1|x\ny|\n1\n")
    }

    @Test("a full-text table that is truncated answers queries of the new rows")
    func truncateVirtual() throws {
        _ = unlink(a)
        try Shell.sqlite(
            a, "CREATE VIRTUAL TABLE w USING fts5(a); INSERT INTO w VALUES('new words');")
        try Shell.sqlite(
            b, "CREATE VIRTUAL TABLE w USING fts5(a); INSERT INTO w VALUES('old'), ('words');")
        try Migration(source: a, target: b, onExisting: .truncate).run()
        #expect(
            try Shell.sqlite(
                b,
                """
                SELECT a FROM w WHERE w MATCH 'words'; SELECT count(*) FROM w WHERE w MATCH 'old';
                INSERT INTO w(w) VALUES('integrity-check');
                """) == "new words\n0\n")
        // `use` looks at the virtual table, not at those behind it, which are never empty.
        let filled = try SQLiteTarget(path: b).survey(request(.use, dataset: "d9"))
        #expect(filled.conflicts == ["virtual table w has rows"])
        let c = folder.path("c.db")
        try Shell.sqlite(c, "CREATE VIRTUAL TABLE w USING fts5(a);")
        try Migration(source: a, target: c, onExisting: .use).run()
        #expect(try Shell.sqlite(c, "SELECT a FROM w WHERE w MATCH 'words';") == "new words\n")
        // Taken back, it is an empty table again, not a damaged one.
        let target = SQLiteTarget(path: c)
        let session = try target.openSession(request(.use), stop: StopSignal())
        try session.undo("d1")
        try target.close()
        #expect(
            try Shell.sqlite(
                c, "SELECT count(*) FROM w; INSERT INTO w(w) VALUES('integrity-check');") == "0\n")
    }

    @Test("undo takes back what the dataset made, and only that; twice is as good as once")
    func undo() throws {
        try Shell.sqlite(b, "CREATE TABLE keep(k); INSERT INTO keep VALUES(1);")
        let before = try Shell.dump(b)
        for isTrusted in [true, false] {
            try Migration(source: a, target: b, isTrusted: isTrusted).run()
            let target = SQLiteTarget(path: b)
            let session = try target.openSession(request(.refuse), stop: StopSignal())
            try session.undo("d1")
            try session.undo("d1")
            try target.close()
            let after = try Shell.dump(b).replacing("DELETE FROM sqlite_sequence;\n", with: "")
            #expect(after == before)
        }
    }

    @Test("one dataset is taken back and the next one loaded through the same target")
    func startingOver() throws {
        try Migration(source: a, target: b, dataset: "old").run()
        let target = SQLiteTarget(path: b)
        let forgetting = LoadRequest(
            dataset: "old", tables: [], trustedSchema: nil, onExisting: .refuse)
        let old = try target.openSession(forgetting, stop: StopSignal())
        try old.undo("old")
        old.close()
        let request = try request(.refuse, dataset: "new")
        let new = try target.openSession(request, stop: StopSignal())
        try new.prepare()
        for step in try target.survey(request).steps where step.phase == .tables {
            try new.perform(step)
        }
        try new.begin(request.tables)
        try new.note("verified")
        try new.note("verified")
        #expect(Set(try target.survey(nil).ledger.map(\.dataset)) == ["new"])
        #expect(
            try target.survey(request).emptyTables == [
                TableName("orders"), TableName("free"), TableName("pairs"),
            ])
        try target.close()
    }

    @Test("a step that needs an earlier one does that first and names it when it fails")
    func order() throws {
        var request = try request(.refuse)
        request.trustedSchema?.objects[0].sql =
            "CREATE TABLE orders(a DEFAULT (load_extension('x')))"
        let target = SQLiteTarget(path: b)
        let session = try target.openSession(request, stop: StopSignal())
        try session.prepare()
        let step = try #require(
            try target.survey(request).steps.first { $0.name == "table pairs" })
        let failure = #expect(throws: Failure.self) { try session.perform(step) }
        #expect(
            failure?.description == """
                table orders of the schema may not call load_extension()
                  while making table orders
                hint: Leave it out; sluice load without --trust-schema makes what the plans describe.
                """)
        try target.close()
    }

    @Test("undo empties tables that were there before")
    func undoUsed() throws {
        try Shell.sqlite(
            b, SQLiteTargetSurveyTests.source + "DELETE FROM orders; DROP TRIGGER touch;")
        try Shell.sqlite(b, "DELETE FROM free; DELETE FROM pairs;")
        try Migration(source: a, target: b, onExisting: .use).run()
        let target = SQLiteTarget(path: b)
        let session = try target.openSession(request(.use), stop: StopSignal())
        try session.undo("d1")
        try target.close()
        #expect(
            try Shell.sqlite(
                b,
                """
                SELECT count(*) FROM orders; SELECT count(*) FROM free; SELECT count(*) FROM pairs;
                SELECT count(*) FROM sqlite_schema WHERE name = 'sluice_ledger';
                """) == "0\n0\n0\n0\n")
    }

    @Test("an object that appears after the survey is not overwritten")
    func race() throws {
        let target = SQLiteTarget(path: b)
        let request = try request(.refuse)
        let survey = try target.survey(request)
        try Shell.sqlite(b, "CREATE TABLE free(mine);")
        let session = try target.openSession(request, stop: StopSignal())
        let failure = #expect(throws: Failure.self) { try session.prepare() }
        #expect(
            failure?.description == """
                table free exists already
                hint: Empty the target, or choose another --on-existing.
                """)
        try Shell.sqlite(b, "DROP TABLE free;")
        try session.prepare()
        try Shell.sqlite(b, "CREATE TABLE free(mine);")
        let step = try #require(survey.steps.first { $0.name == "table free" })
        let late = #expect(throws: Failure.self) { try session.perform(step) }
        #expect(
            late?.description == """
                table free exists with another definition
                hint: Drop it, or use --on-existing replace.
                """)
        #expect(late?.kind == .refused)
        try target.close()
    }

    @Test("without trust a schema is built from the plans, and what is left out is said")
    func untrusted() throws {
        let survey = try Migration(source: a, target: b, isTrusted: false).run()
        #expect(
            survey.steps.map(\.name) == [
                "table orders", "table free", "table pairs", "index by_day",
            ])
        #expect(survey.steps.last?.tables == [TableName("orders")])
        #expect(
            try Shell.sqlite(
                b,
                "SELECT sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite%' AND sql NOT LIKE '%sluice%';"
            )
                == """
                CREATE TABLE "orders" (
                  "id" INTEGER PRIMARY KEY AUTOINCREMENT,
                  "day" TEXT DEFAULT 'x',
                  "n" INT NOT NULL
                )
                CREATE TABLE "free" (
                  "a",
                  "b" TEXT
                )
                CREATE TABLE "pairs" (
                  "x" TEXT NOT NULL,
                  "y" INT NOT NULL,
                  PRIMARY KEY ("x", "y"),
                  FOREIGN KEY ("y") REFERENCES "orders" ("id") ON DELETE CASCADE
                ) WITHOUT ROWID
                CREATE INDEX "by_day" ON "orders" ("day")

                """)
        #expect(survey.warnings.allSatisfy { $0.hasPrefix("table free: ") })
        #expect(survey.warnings.count == 2, "\(survey.warnings)")
    }

    @Test("names and parts that SQLite cannot have are told before anything is written")
    func foreignNames() throws {
        func plan(_ name: TableName, _ definition: TableDefinition, owner: TableName? = nil)
            -> TablePlan
        {
            let field = Field(name: "c", avroName: "c", type: .int64, isNullable: true)
            return TablePlan(
                schema: RecordSchema(table: name, fields: [field]), definition: definition,
                chunks: [Chunk(number: 0)], owner: owner)
        }
        let column = TableDefinition.Column(name: "c", defaultLiteral: "now()")
        let made = TableDefinition.Column(name: "g", isGenerated: true)
        let key = TableDefinition.ForeignKey(
            columns: ["c"], table: TableName("elsewhere"), otherColumns: [])
        let index = TableDefinition.Index(name: "i", columns: ["c"], isUnique: true)
        let request = LoadRequest(
            dataset: "d1",
            tables: [
                plan(
                    TableName(schema: "public", "t"),
                    TableDefinition(
                        columns: [column, made],
                        indexes: [index, .init(name: "j", columns: ["c", "g"], isUnique: true)],
                        foreignKeys: [key],
                        omissions: ["a CHECK is left out"])),
                plan(TableName(schema: "other", "T"), TableDefinition(columns: [column])),
                plan(TableName("sqlite_x"), TableDefinition(columns: [column], indexes: [index])),
                plan(
                    TableName("plain"),
                    TableDefinition(
                        columns: [],
                        indexes: [index, .init(name: "sqlite_x", columns: ["c"], isUnique: false)])),
                plan(TableName("w_data"), TableDefinition(columns: []), owner: TableName("w")),
            ], trustedSchema: nil, onExisting: .refuse)
        let survey = try SQLiteTarget(path: b).survey(request)
        #expect(
            survey.conflicts == [
                "table other.T has the name of another one: SQLite knows no schemas,"
                    + " and takes letters of either case for the same",
                "table sqlite_x has a name that SQLite keeps for itself",
            ])
        #expect(
            survey.warnings == [
                "table public.t: a CHECK is left out",
                "table public.t: the default of column c is left out",
                "table public.t: generated column g is left out",
                "table public.t: the foreign key to elsewhere is left out with that table",
                "table other.T: the default of column c is left out",
                "table sqlite_x: the default of column c is left out",
                "table w_data is made as a plain table: without its schema the virtual table w"
                    + " cannot be made",
                "table public.t: index j is left out with one of its columns",
            ])
        // Indexes have names of their own across all tables.
        #expect(
            survey.steps.filter { $0.phase == .indexes }.map(\.name) == [
                "index i", "index index_i", "index plain_i", "index plain_sqlite_x",
            ])
    }

    @Test("a virtual table that cannot be looked through is named")
    func unscannable() throws {
        _ = unlink(a)
        let sql = "CREATE VIRTUAL TABLE w USING fts5(a, content='', columnsize=0);"
        try Shell.sqlite(a, sql)
        #expect(
            try conflicts(.use, with: sql) == [
                "virtual table w does not tell whether it has rows (w: table does not support scanning)"
            ])
        #expect(try conflicts(.truncate, with: sql) == [])
    }

    @Test("doctor says whether the file can be made, locked and written")
    func examine() throws {
        func lines(_ path: String) -> [String] {
            SQLiteTarget(path: path).examine().filter { !$0.what.contains("MiB") }.map {
                "\($0.verdict.rawValue): \($0.what)"
            }
        }
        #expect(lines(b) == ["pass: \(b) can be made in the folder \(folder.path)"])
        let space = SQLiteTarget(path: b).examine().first { $0.what.contains("MiB") }
        #expect(space?.verdict == .pass)
        #expect(space?.what.hasSuffix(" MiB are free in the folder \(folder.path)") == true)
        #expect(access(b, F_OK) != 0)
        #expect(
            lines(a) == [
                "pass: \(a) is a SQLite database (page size 4096, journal mode delete)",
                "pass: \(a) can be locked for writing",
            ])
        let other = try SQLiteConnection(a, .write, stop: StopSignal())
        try other.execute("BEGIN IMMEDIATE")
        #expect(lines(a).last == "fail: \(a) is locked by another connection [SQLITE_BUSY]")
        try folder.write("no database, but some text that is long enough", to: "b.db")
        #expect(
            lines(b) == [
                "fail: \(b) is not a SQLite database, or it is encrypted [SQLITE_NOTADB]"
            ])
    }
}
