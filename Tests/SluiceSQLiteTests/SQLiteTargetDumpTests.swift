import SluiceCore
import SluiceRecords
import TestSupport
import Testing

@testable import SluiceSQLite

@Suite("A trusted schema arrives whole")
struct SQLiteTargetDumpTests {
    static let everything = """
        PRAGMA page_size = 8192; PRAGMA auto_vacuum = 1;
        CREATE TABLE plain(a, b TEXT, "c ""q"" r" INT, d DECIMAL(10,2), e REAL);
        INSERT INTO plain VALUES(1, 'x', 9007199254740993, 1.5, 2.0), (NULL, '', NULL, 7, -1e300);
        INSERT INTO plain VALUES(x'00ff', 'a' || char(0) || 'b', 'twelve', '', 9e999);
        INSERT INTO plain VALUES(CAST(x'ff41' AS TEXT), 'ä', 1, 2, 3);
        DELETE FROM plain WHERE a = 1;
        CREATE TABLE keyed(id INTEGER PRIMARY KEY AUTOINCREMENT, up INT REFERENCES keyed(id));
        INSERT INTO keyed VALUES(5, NULL), (7, 5);
        CREATE TABLE gone(id INTEGER PRIMARY KEY AUTOINCREMENT);
        INSERT INTO gone VALUES(99); DELETE FROM gone;
        CREATE TABLE pairs(x TEXT, y INT, z ANY, PRIMARY KEY(y, x)) WITHOUT ROWID;
        INSERT INTO pairs VALUES('b', 1, NULL), ('a', 2, 'z');
        CREATE TABLE strict(i INT, r REAL, t TEXT, b BLOB, a ANY) STRICT;
        INSERT INTO strict VALUES(1, 1.0, '1', x'01', '1'), (NULL, NULL, NULL, NULL, 1.0);
        CREATE TABLE made(a INT, b INT AS (a + 1) STORED, c INT GENERATED ALWAYS AS (a * 2));
        INSERT INTO made(a) VALUES(1), (2);
        CREATE TABLE odd(a CHECK(a > 0), b DEFAULT (1 + 1), c UNIQUE ON CONFLICT IGNORE);
        PRAGMA ignore_check_constraints = 1;
        INSERT INTO odd VALUES(-1, 1, 2);
        CREATE VIRTUAL TABLE words USING fts5(title, body);
        INSERT INTO words VALUES('hello world', 'one'), ('two', 'worlds');
        CREATE TRIGGER to_words AFTER INSERT ON keyed BEGIN
            INSERT INTO words VALUES(new.id, ''); END;
        CREATE TRIGGER from_extern AFTER DELETE ON plain BEGIN
            INSERT INTO extern(extern, rowid, b) VALUES('delete', old.rowid, old.b); END;
        CREATE VIRTUAL TABLE old3 USING fts3(a); INSERT INTO old3 VALUES('alpha beta');
        CREATE VIRTUAL TABLE old4 USING fts4(a); INSERT INTO old4 VALUES('alpha beta');
        CREATE VIRTUAL TABLE bare USING fts5(a, content='');
        INSERT INTO bare(rowid, a) VALUES(3, 'gamma');
        CREATE VIRTUAL TABLE extern USING fts5(b, content='plain', content_rowid='rowid');
        INSERT INTO extern(extern) VALUES('rebuild');
        CREATE VIRTUAL TABLE boxes USING rtree(id, x0, x1);
        INSERT INTO boxes VALUES(1, 2.0, 3.0);
        CREATE INDEX by_e ON plain(e);
        ANALYZE;
        CREATE TABLE "Ünder.the/🌊 'x'"(a);
        INSERT INTO "Ünder.the/🌊 'x'" VALUES('it''s');
        CREATE VIEW broken AS SELECT * FROM missing;
        CREATE TRIGGER touch AFTER INSERT ON plain BEGIN UPDATE missing SET a = 1; END;
        CREATE UNIQUE INDEX part ON plain(b COLLATE NOCASE DESC, abs(e)) WHERE b <> "x";
        CREATE VIEW good AS SELECT a FROM plain;
        CREATE TRIGGER in_place INSTEAD OF INSERT ON good BEGIN SELECT 1; END;
        DROP TABLE gone; INSERT INTO sqlite_sequence VALUES('never', 12);
        PRAGMA application_id = 77; PRAGMA user_version = -3;
        """

    @Test("sqlite3 .dump prints source and target alike", arguments: ["", "VACUUM;"])
    func dumpsAreEqual(end: String) throws {
        let folder = try ScratchFolder()
        let source = folder.path("a.db")
        let target = folder.path("b.db")
        try Shell.sqlite(source, SQLiteTargetDumpTests.everything + end)
        try Migration(source: source, target: target).run()
        #expect(try Shell.dump(source) == Shell.dump(target))
        let header = """
            PRAGMA page_size; PRAGMA encoding; PRAGMA auto_vacuum; PRAGMA application_id;
            PRAGMA user_version; PRAGMA journal_mode; PRAGMA integrity_check;
            SELECT count(*) FROM words WHERE words MATCH 'world*';
            SELECT count(*) FROM old3 WHERE old3 MATCH 'beta';
            SELECT count(*) FROM old4 WHERE old4 MATCH 'beta';
            SELECT rowid FROM bare WHERE bare MATCH 'gamma';
            SELECT count(*) FROM extern WHERE extern MATCH 'ä';
            SELECT id, x0 FROM boxes WHERE x0 < 5;
            INSERT INTO words(words) VALUES('integrity-check');
            SELECT rowid, typeof(a), hex(a), hex(b) FROM plain;
            """
        let found = try Shell.sqlite(target, header)
        #expect(found == (try Shell.sqlite(source, header)))
        // The row that contradicts its CHECK in the source does so in the target, and nothing else is wrong.
        let expected =
            "8192\nUTF-8\n1\n77\n-3\ndelete\nCHECK constraint failed in odd\n2\n1\n1\n3\n"
        #expect(found.hasPrefix(expected), "\(found)")
    }

    @Test("a database in UTF-16 and WAL mode keeps both, and no companion file is left")
    func utf16AndWAL() throws {
        let folder = try ScratchFolder()
        let source = folder.path("a.db")
        let target = folder.path("b.db")
        try Shell.sqlite(
            source,
            """
            PRAGMA encoding = 'UTF-16le'; PRAGMA journal_mode = WAL;
            CREATE TABLE t(a TEXT PRIMARY KEY, b); INSERT INTO t VALUES('grün', '🌊'), ('', x'00');
            """)
        try Migration(source: source, target: target).run()
        #expect(try Shell.dump(source) == Shell.dump(target))
        #expect(
            try Shell.sqlite(target, "PRAGMA encoding; PRAGMA journal_mode;") == "UTF-16le\nwal\n")
        #expect(try Shell.output(of: "ls '\(folder.path)' | grep '^b'") == "b.db\nb.db.sql\n")
    }

    @Test("some of the tables come with what belongs to them, and without the others'")
    func someTables() throws {
        let folder = try ScratchFolder()
        let source = folder.path("a.db")
        let target = folder.path("b.db")
        try Shell.sqlite(source, SQLiteTargetDumpTests.everything)
        try Migration(source: source, target: target, only: ["keyed", "pairs"]).run()
        let names = "SELECT type || ' ' || name FROM sqlite_schema WHERE name NOT LIKE 'sluice%'"
        #expect(
            try Shell.sqlite(target, "\(names) ORDER BY rowid; SELECT * FROM sqlite_sequence;")
                == """
                table keyed
                table sqlite_sequence
                table pairs
                table sqlite_stat1
                trigger to_words
                view broken
                view good
                trigger in_place
                keyed|7

                """)
    }

    @Test("statistics of another build and a counter table without counters arrive too")
    func ownTables() throws {
        let folder = try ScratchFolder()
        let source = folder.path("a.db")
        let target = folder.path("b.db")
        try Shell.sqlite(
            source,
            """
            CREATE TABLE t(a); INSERT INTO t VALUES(1);
            PRAGMA writable_schema = 1;
            CREATE TABLE sqlite_stat4(tbl,idx,neq,nlt,ndlt,sample);
            CREATE TABLE sqlite_sequence(name,seq);
            PRAGMA writable_schema = 0;
            CREATE TABLE u(a);
            INSERT INTO sqlite_stat4 VALUES('t', 'i', '1', '0', '0', x'0102'), ('u', NULL, 2.5, 'x', NULL, '');
            """)
        try Migration(source: source, target: target).run()
        #expect(try Shell.dump(source) == Shell.dump(target))
    }

    @Test("the same steps once more change nothing")
    func twice() throws {
        let folder = try ScratchFolder()
        let source = folder.path("a.db")
        let target = folder.path("b.db")
        try Shell.sqlite(source, SQLiteTargetDumpTests.everything)
        let survey = try Migration(source: source, target: target).run()
        let before = try Shell.dump(target)
        let snapshot = try SQLiteSource(path: source).openSnapshot(
            .snapshot, lanes: 1, stop: StopSignal())
        let catalog = try snapshot.catalog()
        let session = try snapshot.openSession()
        let plans = try catalog.tables.map {
            try session.plan($0, PlanOptions(chunkBytes: 1 << 30))
        }
        let request = LoadRequest(
            dataset: "d1", tables: plans, trustedSchema: catalog.schema, onExisting: .refuse,
            sourceEngine: "sqlite")
        let file = SQLiteTarget(path: target)
        #expect(try file.survey(request).conflicts == [])
        let again = try file.openSession(request, stop: StopSignal())
        for step in survey.steps { try again.perform(step) }
        try again.begin(plans)
        session.close()
        try snapshot.close()
        try file.close()
        #expect(try Shell.dump(target) == before)
    }
}
