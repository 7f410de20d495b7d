import SluiceCore
import SluiceRecords
import TestSupport
import Testing

@testable import SluiceSQLite

@Suite("A file's catalogue is read whole")
struct SQLiteCatalogTests {
    @Test("objects come in the order they were made, with kind, table and text")
    func objects() throws {
        let folder = try ScratchFolder()
        let path = try folder.database(
            """
            CREATE TABLE b(x UNIQUE);
            CREATE TABLE a(id INTEGER PRIMARY KEY AUTOINCREMENT, x REFERENCES b(x));
            CREATE INDEX i ON a(x) WHERE x > 1;
            CREATE VIEW v AS SELECT x FROM a;
            CREATE TRIGGER g INSTEAD OF INSERT ON v BEGIN SELECT 1; END;
            CREATE INDEX e ON b(x || 'y');
            CREATE TABLE w(k TEXT PRIMARY KEY) WITHOUT ROWID;
            """)
        let catalog = try Exported(path).catalog
        #expect(catalog.schema.engine == "sqlite")
        #expect(
            catalog.schema.objects.map { "\($0.kind) \($0.name) on \($0.table?.table.text ?? "")" }
                == [
                    "table b on b", "table a on a",
                    "system table sqlite_sequence on sqlite_sequence", "index i on a",
                    "view v on v", "trigger g on v",
                    "index e on b", "table w on w",
                ])
        #expect(catalog.schema.objects[3].sql == "CREATE INDEX i ON a(x) WHERE x > 1")
        #expect(catalog.tables.map(\.name.table) == ["b", "a", "w"])
        #expect(catalog.warnings == [])
    }

    @Test("settings carry pages, encoding, versions, counters and statistics")
    func settings() throws {
        let folder = try ScratchFolder()
        let path = try folder.database(
            """
            PRAGMA page_size = 1024; PRAGMA auto_vacuum = 2; PRAGMA encoding = 'UTF-16le';
            PRAGMA user_version = -7; PRAGMA application_id = 1234567;
            CREATE TABLE a(id INTEGER PRIMARY KEY AUTOINCREMENT, x);
            CREATE INDEX i ON a(x); INSERT INTO a VALUES (41, 'x'), (42, NULL);
            CREATE TABLE sluice_ledger(id INTEGER PRIMARY KEY AUTOINCREMENT);
            INSERT INTO sluice_ledger VALUES (1);
            ANALYZE; INSERT INTO sqlite_stat1 VALUES ('odd', NULL, CAST(x'ff' AS BLOB));
            """)
        let settings = try Exported(path).catalog.schema.settings
        #expect(
            settings.compact
                == #"{"page_size":1024,"encoding":"UTF-16le","auto_vacuum":2,"#
                + #""journal_mode":"delete","user_version":-7,"application_id":1234567,"#
                + #""system_rows":{"sqlite_sequence":[["a",42]],"#
                + #""sqlite_stat1":[["a","i","2 1"],["odd",null,{"blob":"ff"}]]}}"#)
        let parsed = SQLiteSettings(settings)
        #expect(parsed?.json == settings)
        #expect(SQLiteSettings(settings.setting("encoding", to: "latin1")) == nil)
        #expect(SQLiteSettings(settings.setting("system_rows", to: ["other": []])) == nil)
        #expect(SQLiteSettings([:]) == nil)
    }

    @Test("system tables without rows are named all the same")
    func emptySystemTables() throws {
        let folder = try ScratchFolder()
        let path = try folder.database("CREATE TABLE a(id INTEGER PRIMARY KEY AUTOINCREMENT);")
        let settings = try Exported(path).catalog.schema.settings
        #expect(settings["system_rows"]?.compact == #"{"sqlite_sequence":[]}"#)
    }

    @Test("our own tables are not seen; others of such a name are left out with a warning")
    func ours() throws {
        let folder = try ScratchFolder()
        let path = try folder.database(
            """
            CREATE TABLE sluice_ledger(dataset); CREATE INDEX mine ON sluice_ledger(dataset);
            CREATE TABLE SluiceGate(a); CREATE TABLE t(a);
            """)
        let catalog = try Exported(path).catalog
        #expect(catalog.tables.map(\.name.table) == ["t"])
        #expect(catalog.schema.objects.map(\.name.table) == ["t"])
        #expect(
            catalog.warnings == [
                "table SluiceGate is left out: names that begin with sluice are taken for "
                    + "sluice's own"
            ])
    }

    @Test("names with quotes, dots, slashes, emoji, line ends and nothing are names")
    func names() throws {
        let folder = try ScratchFolder()
        let names: [Name] = [
            "we\"ird", "a.b", "a/b", "😀", "line\nend", "it's", "[x]", "`", " ", "select", "é",
            "e\u{301}", "",
        ]
        var sql = ""
        for name in names {
            sql +=
                "CREATE TABLE \(name.quoted)(\(name.quoted) TEXT, "
                + "\(Name(name.text + "_").quoted) INT);"
            sql += "INSERT INTO \(name.quoted) VALUES (\(name.literal), 1);"
        }
        sql += "CREATE TABLE c(\"a b\", a_b, \"A.B\"); CREATE INDEX C2 ON c(a_b);"
        let exported = try Exported(try folder.database(sql), chunkBytes: 1)
        #expect(exported.catalog.tables.map(\.name.table) == names + ["c"])
        for name in names {
            #expect(try exported[name].rows == [[.integer(1), .text(name.text), .integer(1)]])
            #expect(try exported[name].plan.schema.fields[1].name == name)
        }
        #expect(
            try exported["c"].plan.schema.fields.map(\.avroName) == [
                "rowid", "a_b", "a_b_2", "A_B_3",
            ])
    }

    @Test("virtual tables are made, and the tables they keep their content in are read")
    func virtual() throws {
        let folder = try ScratchFolder()
        let path = try folder.database(
            """
            CREATE VIRTUAL TABLE doc USING fts5(title, body);
            CREATE VIRTUAL TABLE doc_x USING fts4(t);
            CREATE VIRTUAL TABLE box USING rtree(id, a, b);
            CREATE VIRTUAL TABLE words USING fts5vocab('doc', 'row');
            INSERT INTO doc VALUES ('a', 'b c'); INSERT INTO doc_x VALUES ('x y');
            INSERT INTO box VALUES (1, 2, 3); CREATE TABLE plain(a);
            """)
        let exported = try Exported(path)
        let kinds = exported.catalog.schema.objects.map { "\($0.kind) \($0.name)" }
        #expect(kinds.filter { $0.hasPrefix("virtual") }.count == 4)
        #expect(kinds.contains("shadow table doc_x_segdir"))
        let owners = exported.catalog.tables.filter { $0.owner != nil }
        #expect(owners.count == exported.catalog.tables.count - 1)
        for table in owners {
            let owner = table.owner?.table.text ?? ""
            #expect(table.name.table.text.hasPrefix(owner + "_"))
            #expect((owner == "doc_x") == table.name.table.text.hasPrefix("doc_x_"))
        }
        #expect(try exported["doc_content"].rows == [[.integer(1), .text("a"), .text("b c")]])
        #expect(try exported["doc_content"].plan.owner == TableName("doc"))
        #expect(
            exported.catalog.warnings == [
                "virtual table words keeps no rows in this file; only its definition is moved"
            ])
    }

    @Test("a virtual table of a module that is not here is carried as text, with a warning")
    func unknownModule() throws {
        let folder = try ScratchFolder()
        let path = try folder.database(
            """
            CREATE TABLE t(a); PRAGMA writable_schema = 1;
            INSERT INTO sqlite_schema VALUES ('table', 'z', 'z', 0, 'CREATE VIRTUAL TABLE z USING \
            zoo(a)');
            """)
        let catalog = try Exported(path).catalog
        #expect(catalog.tables.map(\.name.table) == ["t"])
        #expect(
            catalog.schema.objects.last?.sql == "CREATE VIRTUAL TABLE z USING zoo(a)")
        #expect(
            catalog.warnings == [
                "virtual table z cannot be opened here (no such module: zoo); only its "
                    + "definition is moved"
            ])
    }

    @Test("collations and functions that are not here do not keep rows from being read")
    func unknownCollation() throws {
        let folder = try ScratchFolder()
        let path = try folder.database(
            """
            CREATE TABLE t(a TEXT, b); CREATE INDEX i ON t(a); CREATE VIEW v AS SELECT 1;
            INSERT INTO t VALUES ('x', 1), ('y', 2); PRAGMA writable_schema = 1;
            UPDATE sqlite_schema SET sql = 'CREATE TABLE t(a TEXT COLLATE klingon, b)' WHERE name \
            = 't';
            UPDATE sqlite_schema SET sql = 'CREATE VIEW v AS SELECT nosuch(a) FROM t' WHERE name \
            = 'v';
            """)
        let exported = try Exported(path, chunkBytes: 1)
        #expect(try exported["t"].rows.count == 2)
        #expect(
            try exported["t"].plan.definition.omissions == [
                "the collation klingon of column a", "the index i with the collation klingon",
            ])
    }

    @Test("sizes are estimated without reading the tables")
    func estimates() throws {
        let folder = try ScratchFolder()
        let numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 3000)"
        let path = try folder.database(
            """
            CREATE TABLE big(v); \(numbers) INSERT INTO big SELECT hex(zeroblob(40)) FROM n;
            CREATE TABLE small(v); INSERT INTO small VALUES (1);
            CREATE TABLE far(id INTEGER PRIMARY KEY);
            INSERT INTO far VALUES (-9223372036854775808), (9223372036854775807);
            CREATE TABLE none(v);
            """)
        let tables = try Exported(path).catalog.tables
        #expect(tables[0].estimatedRows == 3000)
        #expect(tables[1].estimatedRows == 1)
        #expect(tables[2].estimatedRows < 100_000)
        #expect(tables[3].estimatedRows == 0)
        #expect(tables[0].estimatedBytes > tables[1].estimatedBytes)
    }
}
