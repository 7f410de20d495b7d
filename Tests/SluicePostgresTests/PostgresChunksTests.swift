import SluiceCore
import SluiceRecords
import TestSupport
import Testing

@testable import SluicePostgres

@Suite("Chunks of tables")
struct PostgresChunksTests {
    @Test("ranges of blocks hold each row once, whatever their number")
    func once() throws {
        let database = try PostgresDatabase()
        try database.sql(
            """
            CREATE TABLE t(id int, filler text);
            INSERT INTO t SELECT i, repeat('x', i % 900) FROM generate_series(1, 5000) i;
            DELETE FROM t WHERE id % 7 = 0 OR id BETWEEN 1000 AND 2000;
            """)
        let wanted = Set(
            try database.sql("SELECT id FROM t").split(separator: "\n").map(String.init))
        for limit in [1, 2, 3, 7, 64, 10_000] {
            let snapshot = try source(database.url).openSnapshot(
                .snapshot, lanes: 1, stop: StopSignal())
            let table = try Exported(
                snapshot, of: ["t"], chunkBytes: 1, chunkLimit: limit)["t"]
            try snapshot.close()
            let ids = table.lines.map { String($0.prefix { $0 != "," }) }
            #expect(ids.count == wanted.count)
            #expect(Set(ids) == wanted)
            #expect(table.chunks.count <= limit)
            if limit > 1 { #expect(table.chunks.count > 1) }
        }
    }

    @Test("rows that come after the snapshot are in no chunk")
    func later() throws {
        let database = try PostgresDatabase()
        try database.sql("CREATE TABLE t(id int); INSERT INTO t SELECT generate_series(1, 3000)")
        let snapshot = try source(database.url).openSnapshot(
            .snapshot, lanes: 1, stop: StopSignal())
        try database.sql(
            "INSERT INTO t SELECT generate_series(3001, 9000); DELETE FROM t WHERE id < 50")
        let table = try Exported(snapshot, of: ["t"], chunkBytes: 1)["t"]
        try snapshot.close()
        #expect(Set(table.lines).count == 3000)
        #expect(table.lines.count == 3000)
    }

    @Test("children and partitions are read once each")
    func children() throws {
        let database = try PostgresDatabase()
        try database.sql(
            """
            CREATE TABLE parent(a int); CREATE TABLE child(b int) INHERITS (parent);
            INSERT INTO parent VALUES (1); INSERT INTO child VALUES (2, 3);
            CREATE TABLE parts(a int) PARTITION BY RANGE (a);
            CREATE TABLE part1 PARTITION OF parts FOR VALUES FROM (0) TO (10);
            CREATE TABLE part2 PARTITION OF parts DEFAULT PARTITION BY LIST (a);
            CREATE TABLE part3 PARTITION OF part2 DEFAULT;
            INSERT INTO parts VALUES (5), (50);
            """)
        let snapshot = try source(database.url).openSnapshot(
            .snapshot, lanes: 1, stop: StopSignal())
        let names = try snapshot.catalog().tables.map(\.name.table.text)
        #expect(names == ["parent", "child", "part1", "part3"])
        let exported = try Exported(snapshot, of: names)
        try snapshot.close()
        #expect(try names.map { try exported[$0].lines } == [["1"], ["2,3"], ["5"], ["50"]])
    }

    @Test("tables of odd shapes are read")
    func shapes() throws {
        let database = try PostgresDatabase()
        let columns = (1...1600).map { "c\($0) int" }.joined(separator: ", ")
        try database.sql(
            """
            CREATE TABLE none(); INSERT INTO none DEFAULT VALUES; INSERT INTO none DEFAULT VALUES;
            CREATE TABLE computed(a int GENERATED ALWAYS AS (1) STORED);
            INSERT INTO computed DEFAULT VALUES;
            CREATE TABLE empty(a int);
            CREATE TABLE wide(\(columns)); INSERT INTO wide(c1, c1600) VALUES (1, 2);
            CREATE TABLE gone(a int, b text, c int); INSERT INTO gone VALUES (1, 'x', 2);
            ALTER TABLE gone DROP COLUMN b;
            """)
        let snapshot = try source(database.url).openSnapshot(
            .snapshot, lanes: 1, stop: StopSignal())
        let exported = try Exported(
            snapshot, of: ["none", "computed", "empty", "wide", "gone"])
        try snapshot.close()
        #expect(try exported["none"].lines == ["", ""])
        #expect(try exported["computed"].lines == [""])
        #expect(try exported["empty"].lines == [])
        #expect(
            try exported["wide"].lines
                == ["1," + String(repeating: "\\N,", count: 1598) + "2"])
        #expect(try exported["gone"].lines == ["1,2"])
    }

    @Test("ranges of keys hold each row once, where blocks have no ranges")
    func keys() throws {
        let database = try PostgresDatabase()
        try database.sql(
            """
            CREATE ACCESS METHOD other TYPE TABLE HANDLER heap_tableam_handler;
            SET default_table_access_method = other;
            CREATE COLLATION blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
            CREATE TYPE size AS ENUM ('s', 'm', 'l');
            CREATE TABLE a(id bigint PRIMARY KEY, v text);
            INSERT INTO a SELECT i * 7 - 9000, repeat('x', 50) FROM generate_series(1, 3000) i;
            CREATE TABLE b(k text COLLATE blind, s size, n numeric, v text, PRIMARY KEY (k, s, n));
            INSERT INTO b SELECT chr(65 + i % 26) || '\' || (i % 9), (ARRAY['s','m','l'])[1 + i % 3]::size,
                i / 7.0, '' FROM generate_series(1, 3000) i;
            CREATE TABLE c(f float8 NOT NULL UNIQUE, t timestamptz, d date);
            INSERT INTO c SELECT i * 1e300, now(), 'infinity' FROM generate_series(1, 1000) i;
            INSERT INTO c VALUES ('NaN'), ('-Infinity'), ('-0');
            CREATE TABLE d(v char(3) NOT NULL UNIQUE); INSERT INTO d SELECT i::text FROM generate_series(1, 999) i;
            CREATE TABLE e(v int); INSERT INTO e SELECT generate_series(1, 999);
            CREATE TABLE f(u int UNIQUE); INSERT INTO f VALUES (NULL), (NULL), (1);
            """)
        for bytes in [1, 5_000, 40_000, 1 << 30] {
            let snapshot = try source(database.url).openSnapshot(
                .snapshot, lanes: 1, stop: StopSignal())
            for (name, count) in [
                ("a", 3000), ("b", 3000), ("c", 1003), ("d", 999), ("e", 999), ("f", 3),
            ] {
                let table = try Exported(
                    snapshot, of: [name], chunkBytes: bytes, chunkLimit: 50)[name]
                #expect(table.lines.count == count, "\(name)")
                #expect(Set(table.lines).count == (name == "f" ? 2 : count), "\(name)")
                #expect(table.chunks.count <= 50)
                if bytes == 1, ["a", "b", "c", "d"].contains(name) {
                    #expect(table.chunks.count > 10, "\(name)")
                }
            }
            try snapshot.close()
        }
    }

    @Test("a key's bound that is no literal never reaches the server")
    func keyBounds() throws {
        var table = PostgresTable(
            oid: 1, name: TableName(schema: "public", "t"), blockCount: 1, byteCount: 1,
            rowCount: 1, hasBlockRanges: false, isUnlogged: false, hasReplicaIdentity: true)
        let type = PostgresColumnType(
            PostgresType(
                name: "int4", isBuiltIn: true, form: "b", base: 0, baseModifier: -1,
                output: "int4out"), modifier: -1)
        table.columns = [
            PostgresColumn(
                name: "id", declared: "integer", value: type, isNullable: false,
                isGenerated: false, isIdentity: false)
        ]
        table.primaryKey = ["id"]
        let key = try #require(PostgresKey(of: table))
        #expect(
            try key.condition(Chunk(number: 1, lower: ["'7'"], upper: ["E'a\\\\b'"]))
                == "(\"id\") > ('7'::integer) AND (\"id\") <= (E'a\\\\b'::integer)")
        for text in ["7", "'7' OR true", "'7", "'a' 'b'", "$$7$$", "", "'7'--"] {
            let found = failure(of: { () throws(Failure) in
                try key.condition(Chunk(number: 2, upper: [text]))
            })
            #expect(
                found?.message == "the bounds of chunk 2 are no values of this table's key")
        }
    }

    @Test("a bound that is no place in a table never reaches the server")
    func bounds() throws {
        #expect(try PostgresChunks.condition(Chunk(number: 0)) == nil)
        let chunk = Chunk(number: 1, lower: ["'(7,0)'"], upper: ["'(4294967295,0)'"])
        #expect(
            try PostgresChunks.condition(chunk)
                == "ctid > '(7,0)' AND ctid <= '(4294967295,0)'")
        for text in [
            "'(7,1)'", "'(,0)'", "(7,0)", "'(7,0)' OR true", "'(4294967296,0)'", "'(+7,0)'",
        ] {
            let found = failure(of: { () throws(Failure) in
                try PostgresChunks.condition(Chunk(number: 3, lower: [text]))
            })
            #expect(found?.message == "the bounds of chunk 3 are no places in a table")
        }
    }

    @Test("a filter chooses rows, and a mistake in it is told")
    func filters() throws {
        let database = try PostgresDatabase()
        try database.sql("CREATE TABLE t(id int); INSERT INTO t SELECT generate_series(1, 10)")
        let snapshot = try source(database.url).openSnapshot(
            .snapshot, lanes: 1, stop: StopSignal())
        let table = try Exported(
            snapshot, of: ["t"], filter: "id > 8 -- the last two")["t"]
        #expect(table.lines == ["9", "10"])
        for (filter, what) in [
            ("id >> ", "syntax error at end of input"),
            ("nothing = 1", "column \"nothing\" does not exist"),
            ("id > 1) OR (true", "it is not one expression"),
            ("id > 1; DROP TABLE t", "it is not one expression"),
        ] {
            let found = failure(of: { try Exported(snapshot, of: ["t"], filter: filter) })
            #expect(found?.kind == .usage)
            if filter != "id >> " {
                #expect(
                    found?.message == "the filter of table public.t is not understood: \(what)")
            }
            #expect(found?.hint == "Correct --where public.t=….")
        }
        try snapshot.close()
    }

    @Test("a row that is too large is refused by its key, or by its number")
    func tooLarge() throws {
        let database = try PostgresDatabase()
        try database.sql(
            """
            CREATE TABLE t(v text, id int, k text, PRIMARY KEY (id, k));
            INSERT INTO t VALUES ('a', 1, 'x'), (repeat('y', 100000), 2, 'it''s');
            """)
        let snapshot = try source(database.url).openSnapshot(
            .snapshot, lanes: 1, stop: StopSignal())
        for hides in [false, true] {
            let found = failure(of: {
                try Exported(
                    snapshot, of: ["t"], rowByteLimit: 50_000, hidesKeys: hides)
            })
            #expect(found?.kind == .refused)
            #expect(
                found?.message == "row \(hides ? "number 2" : "id = 2, k = 'it''s'") of public.t "
                    + "has more than 50000 bytes")
            #expect(found?.hint == "Raise --row-bytes, or leave the row out with --where.")
        }
        try snapshot.close()
    }

    @Test("text that is not UTF-8 is refused by name, where a database lets it in")
    func notText() throws {
        let database = try PostgresDatabase()
        try database.sql(
            "CREATE DATABASE \(database.name)_ascii TEMPLATE template0 ENCODING 'SQL_ASCII' "
                + "LC_COLLATE 'C' LC_CTYPE 'C'")
        let url = database.url + "_ascii"
        defer { _ = try? database.sql("DROP DATABASE \(database.name)_ascii WITH (FORCE)") }
        let connection = try open(url)
        try connection.execute(
            "CREATE TABLE public.t(id int PRIMARY KEY, v text); "
                + "INSERT INTO public.t VALUES (1, 'é'), (2, convert_from('\\xff', 'SQL_ASCII'))")
        connection.close()
        let snapshot = try source(url).openSnapshot(.snapshot, lanes: 1, stop: StopSignal())
        let found = failure(of: { try Exported(snapshot, of: ["t"]) })
        try snapshot.close()
        #expect(
            found?.message
                == "row id = 2 of public.t has a text that is not UTF-8 in column v")
        #expect(
            found?.hint == "The database has the encoding SQL_ASCII; correct the value, or leave "
                + "the row out with --where.")
    }
}
