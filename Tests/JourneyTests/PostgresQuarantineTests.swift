import Glibc
import TestSupport
import Testing

/// Rows that a PostgreSQL target refuses are set aside, and nothing of them is lost or loaded twice.
@Suite("Rows in quarantine from PostgreSQL", .serialized) struct PostgresQuarantineTests {
    private static let options = [
        "--on-existing", "use", "--on-bad-row", "quarantine", "--shard-bytes", "256KiB", "--quiet",
    ]

    /// 100,000 rows in many shards, of which the target refuses 3, each for another reason.
    private func place() throws -> PostgresPlace {
        let place = try PostgresPlace()
        try place.source.sql(
            """
            CREATE TABLE orders (id bigint, state text, total numeric(12,2), day date);
            INSERT INTO orders SELECT CASE g WHEN 77777 THEN 5 ELSE g END, CASE g WHEN 99000 THEN 'lost' ELSE 'open' END,
                CASE g WHEN 40000 THEN NULL ELSE g / 7.0 END, '2026-01-01' FROM generate_series(1, 100000) g;
            CREATE TABLE other (id integer PRIMARY KEY);
            INSERT INTO other SELECT generate_series(1, 10)
            """)
        try place.target.sql(
            """
            CREATE TYPE state AS ENUM ('open', 'done');
            CREATE TABLE orders (id bigint CONSTRAINT one UNIQUE, state state, total numeric NOT NULL, day date);
            CREATE TABLE other (id integer PRIMARY KEY)
            """)
        return place
    }

    private func expectRest(
        _ place: PostgresPlace, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let sum =
            "count(*), count(DISTINCT id), sum(id), sum(total), count(*) FILTER (WHERE state = 'open')"
        let found = try place.target.sql("SELECT \(sum) FROM orders")
        // Of the two with one key either may have come first.
        let id = "id NOT IN (40000, 99000) AND ctid NOT IN"
        let expected = try ["ASC", "DESC"].map { order in
            try place.source.sql(
                """
                SELECT \(sum) FROM orders WHERE \(id)
                    (SELECT ctid FROM orders WHERE id = 5 ORDER BY total \(order) LIMIT 1)
                """)
        }
        #expect(expected.contains(found), sourceLocation: sourceLocation)
        #expect(found.hasPrefix("99997|99997|"), sourceLocation: sourceLocation)
    }

    private func rejects(_ place: PostgresPlace) throws -> [String] {
        try place.place.names("out/rejects").filter { !$0.hasSuffix(".json") }
    }

    @Test(
        "are found among 100,000, in every format, and the others are there",
        arguments: [
            ["--format", "avro"], ["--format", "avro", "--codec", "snappy"], ["--format", "csv"],
        ])
    func formats(_ format: [String]) throws {
        let place = try place()
        let result = try place.run("run", Self.options + format)
        #expect(result.code == 3, "\(result.errorText)")
        #expect(
            result.errorText
                == String(
                    repeating: "warning: 1 row of public.orders refused and set aside\n", count: 3))
        for line in [
            "public.orders: 3 rows in quarantine\n",
            "(null value in column \"total\" of relation \"orders\" violates not-null constraint [23502])\n",
            "(duplicate key value violates unique constraint \"one\" [23505])\n",
            "(a value has not the form of its type in column state [22P02])\n",
            "verified: the target and the quarantine hold exactly the rows of the snapshot\n",
        ] {
            #expect(result.text.contains(line), "\(result.text)")
        }
        try expectRest(place)
        let shards = try rejects(place)
        #expect(shards.count == 3)
        let suffix = format.contains("csv") ? ".csv.zst" : ".avro"
        for shard in shards {
            #expect(shard.hasPrefix("public.orders/") && shard.hasSuffix(suffix))
            let shown = try place.place.run(
                "inspect", "--store", "file:out", "--shard", "rejects/\(shard)")
            #expect(shown.code == 0, "\(shown.errorText)")
            #expect(shown.text.hasPrefix("id,state,total,day\n"))
            #expect(shown.text.split(separator: "\n").count == 3)
        }
        let again = try place.run("run", Self.options + format)
        #expect(again.code == 3)
        #expect(again.errorText == "")
        #expect(try place.run("verify", ["--quiet"]).code == 3)
        try expectRest(place)
        #expect(try rejects(place) == shards)
    }

    @Test("are the same after a load in steps, and are told by status")
    func steps() throws {
        let place = try place()
        try place.succeed("export", "--shard-bytes", "256KiB", "--quiet")
        let load = Self.options.filter { $0 != "--shard-bytes" && $0 != "256KiB" }
        let result = try place.run("load", load)
        #expect(result.code == 3, "\(result.errorText)")
        #expect(result.text.hasPrefix("loaded 2 tables, 100,007 rows ("), "\(result.text)")
        try expectRest(place)
        let status = try place.place.run(
            "status", "--store", "file:out", "--target", place.target.url)
        #expect(status.code == 4)
        #expect(status.text.contains("\nload: 100007 of 100010 rows, "), "\(status.text)")
        #expect(status.text.contains("\npublic.orders: 3 rows in quarantine\n"))
        let again = try place.run("load", load)
        #expect(again.code == 3)
        #expect(again.errorText == "")
        try expectRest(place)
    }

    @Test("do not hide a failure that is about no row")
    func others() throws {
        let place = try place()
        try place.target.sql("ALTER TABLE orders ALTER state TYPE text")
        try place.target.sql(
            """
            CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN RAISE 'no room' USING ERRCODE = '53100'; END $$;
            CREATE TRIGGER fill BEFORE INSERT ON other FOR EACH ROW EXECUTE FUNCTION fill();
            ALTER TABLE other ENABLE ALWAYS TRIGGER fill
            """)
        let result = try place.run("run", Self.options)
        #expect(result.code == 1)
        #expect(
            result.errorText.contains(
                """
                sluice: no room [53100]
                  while loading row 1 (id = 1) of public.other
                  while loading shard 00000 of chunk 0 of public.other
                hint: Make room on the server's disk, then run the same command again.

                """), "\(result.errorText)")
        #expect(try place.target.sql("SELECT count(*) FROM other") == "0\n")
    }

    @Test("come from a SQLite source, too: a text with NUL has no place in the target")
    func fromSQLite() throws {
        let place = try PostgresPlace()
        try place.place.sql(
            "a.db",
            """
            CREATE TABLE t(id INTEGER PRIMARY KEY, word TEXT);
            INSERT INTO t VALUES (1, 'a'), (2, 'b' || char(0)), (3, 'c')
            """)
        let result = try place.place.run(
            "run", "--source", "sqlite:a.db", "--store", "file:out", "--target", place.target.url,
            "--on-bad-row", "quarantine", "--quiet")
        #expect(result.code == 3, "\(result.errorText)")
        #expect(
            result.text.contains(
                "in quarantine from t: id = 2 (column word cannot keep a text with a NUL character)\n"
            ))
        #expect(try place.target.sql("SELECT id FROM t ORDER BY id") == "1\n3\n")
    }

    @Test("are the same however often the run is killed")
    func killed() throws {
        let first = try place()
        let seconds = try first.run("run", Self.options).seconds
        var random = SeededRandom()
        for _ in 0..<(isLong ? 40 : 3) {
            let place = try place()
            for _ in 0..<3 {
                let process = try place.start("run", Self.options.filter { $0 != "--quiet" })
                if process.runs(afterAtMost: Double.random(in: 0..<seconds, using: &random)) {
                    process.signal(SIGKILL)
                }
                #expect([3, 137].contains(process.wait().code), "\(random)")
            }
            let result = try place.run("run", Self.options)
            #expect(result.code == 3, "\(random): \(result.errorText)")
            try expectRest(place)
            let named = try place.target.sql(
                "SELECT sum(rows) FROM sluice.sluice_ledger WHERE unit LIKE 'rejects/%'")
            #expect(named == "3\n", "\(random)")
        }
    }
}
