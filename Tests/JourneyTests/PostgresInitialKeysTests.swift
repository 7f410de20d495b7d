import TestSupport
import Testing

/// `--constraints initial`: foreign keys hold while rows come in.
@Suite("Foreign keys that are made with the tables") struct PostgresInitialKeysTests {
    private static let options = ["--constraints", "initial", "--shard-bytes", "64KiB", "--quiet"]

    @Test("let every row in, parents first, and the target is the same as ever")
    func run() throws {
        let place = try PostgresPlace()
        // The smaller a table, the sooner it is read: children are ready long before parents.
        try place.source.sql(
            """
            CREATE TABLE a_child (id integer PRIMARY KEY, p integer, m text);
            CREATE TABLE b_middle (word text NOT NULL, p integer);
            CREATE UNIQUE INDEX b_word ON b_middle (word);
            CREATE TABLE c_parent (id integer PRIMARY KEY, next integer REFERENCES c_parent);
            CREATE TABLE egg (id integer PRIMARY KEY, hen integer);
            CREATE TABLE hen (id integer PRIMARY KEY, egg integer REFERENCES egg);
            ALTER TABLE egg ADD CONSTRAINT from_hen FOREIGN KEY (hen) REFERENCES hen;
            CREATE TABLE parted (id integer REFERENCES c_parent) PARTITION BY HASH (id);
            CREATE TABLE parted_0 PARTITION OF parted FOR VALUES WITH (MODULUS 1, REMAINDER 0);
            INSERT INTO c_parent SELECT g, NULLIF(g % 1000, 0) FROM generate_series(1, 50000) g;
            INSERT INTO b_middle SELECT 'word ' || g, g FROM generate_series(1, 20000) g;
            INSERT INTO a_child SELECT g, g, 'word ' || g FROM generate_series(1, 500) g;
            INSERT INTO egg VALUES (1); INSERT INTO hen VALUES (1, 1); UPDATE egg SET hen = 1;
            INSERT INTO parted SELECT g FROM generate_series(1, 500) g;
            ALTER TABLE a_child ADD FOREIGN KEY (p) REFERENCES c_parent, ADD FOREIGN KEY (m) REFERENCES b_middle (word);
            ALTER TABLE b_middle ADD FOREIGN KEY (p) REFERENCES c_parent DEFERRABLE INITIALLY DEFERRED;
            ALTER TABLE hen ADD CONSTRAINT unchecked FOREIGN KEY (id) REFERENCES a_child NOT VALID
            """)
        let result = try place.run("run", Self.options)
        #expect(result.code == 0, "\(result.errorText)")
        let behind = "is made behind the rows:"
        #expect(
            result.errorText.split(separator: "\n").map(String.init).sorted() == [
                "warning: the foreign key c_parent_next_fkey of public.c_parent \(behind) it is part of a circle",
                "warning: the foreign key from_hen of public.egg \(behind) it is part of a circle",
                "warning: the foreign key hen_egg_fkey of public.hen \(behind) it is part of a circle",
                "warning: the foreign key parted_id_fkey of public.parted \(behind) a table at one of its ends is"
                    + " partitioned",
            ])
        try place.expectEqual()
    }

    @Test("stop the load at a row that they refuse, which a quarantine sets aside")
    func refusing() throws {
        let place = try PostgresPlace()
        try place.place.sql(
            "a.db",
            """
            CREATE TABLE child(id INTEGER PRIMARY KEY, p INTEGER REFERENCES parent);
            CREATE TABLE parent(id INTEGER PRIMARY KEY);
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 10000) INSERT INTO parent SELECT i FROM n;
            INSERT INTO child SELECT id, id FROM parent;
            UPDATE child SET p = 20000 WHERE id IN (3, 7000)
            """)
        let ends = [
            "run", "--source", "sqlite:a.db", "--store", "file:out", "--target", place.target.url,
        ]
        let stopped = try place.place.run(ends + Self.options)
        #expect(stopped.code == 1)
        #expect(
            stopped.errorText
                == """
                sluice: insert or update on table "child" violates foreign key constraint "child_fkey1" [23503]
                  while loading shard 00000 of chunk 0 of child
                hint: A row refers to one that the target does not have; was a table left out, or limited with --where?

                """)
        let result = try place.place.run(ends + Self.options + ["--on-bad-row", "quarantine"])
        #expect(result.code == 3, "\(result.errorText)")
        let reason =
            "insert or update on table \"child\" violates foreign key constraint \"child_fkey1\" [23503]"
        #expect(
            result.text.contains(
                "child: 2 rows in quarantine\n"
                    + "in quarantine from child: id = 3 (\(reason))\n"
                    + "in quarantine from child: id = 7000 (\(reason))\n"), "\(result.text)")
        #expect(
            try place.target.sql("SELECT count(*), count(DISTINCT p) FROM child") == "9998|9998\n")
        #expect(
            try place.target.sql(
                "SELECT convalidated FROM pg_constraint WHERE conname = 'child_fkey1'")
                == "t\n")
    }

    @Test("are not for tables that are there")
    func existing() throws {
        let place = try PostgresPlace()
        try place.source.sql("CREATE TABLE t (id integer)")
        try place.target.sql("CREATE TABLE t (id integer)")
        let result = try place.run("run", Self.options + ["--on-existing", "truncate"])
        #expect(result.code == 6)
        #expect(
            result.errorText == """
                sluice: --constraints initial is for tables that are made, and --on-existing truncate takes them \
                as they are
                hint: The target was not touched. Change it, or choose another --on-existing.

                """)
    }
}
