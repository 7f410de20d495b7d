import TestSupport
import Testing

/// `--constraints initial`: foreign keys hold while rows come in.
@Suite("Foreign keys that are made with MariaDB's tables") struct MySQLInitialKeysTests {
    private static let options = ["--constraints", "initial", "--shard-bytes", "64KiB", "--quiet"]

    @Test("let every row in, parents first, and the target is the same as ever")
    func run() throws {
        let place = try MySQLPlace()
        // The smaller a table, the sooner it is read: children are ready long before parents.
        try place.source.sql(
            """
            CREATE TABLE c_parent (id int PRIMARY KEY, next int, FOREIGN KEY (next) REFERENCES c_parent (id));
            CREATE TABLE b_middle (word varchar(20) NOT NULL UNIQUE, p int,
                CONSTRAINT up FOREIGN KEY (p) REFERENCES c_parent (id) ON DELETE CASCADE);
            CREATE TABLE a_child (id int PRIMARY KEY, p int, m varchar(20), INDEX own (m, p),
                FOREIGN KEY (p) REFERENCES c_parent (id), FOREIGN KEY (m) REFERENCES b_middle (word));
            CREATE TABLE egg (id int PRIMARY KEY, hen int);
            CREATE TABLE hen (id int PRIMARY KEY, egg int, CONSTRAINT from_egg FOREIGN KEY (egg) REFERENCES egg (id));
            INSERT INTO c_parent SELECT seq, NULL FROM seq_1_to_50000;
            UPDATE c_parent SET next = id % 1000 WHERE id % 1000 > 0;
            INSERT INTO b_middle SELECT concat('word ', seq), seq FROM seq_1_to_20000;
            INSERT INTO a_child SELECT seq, seq, concat('word ', seq) FROM seq_1_to_500;
            INSERT INTO egg VALUES (1, NULL); INSERT INTO hen VALUES (1, 1); UPDATE egg SET hen = 1;
            ALTER TABLE egg ADD CONSTRAINT from_hen FOREIGN KEY (hen) REFERENCES hen (id)
            """)
        let result = try place.run("run", Self.options)
        #expect(result.code == 0, "\(result.errorText)")
        let behind = "is made behind the rows: it is part of a circle"
        #expect(
            result.errorText.split(separator: "\n").map(String.init).sorted() == [
                "warning: the foreign key c_parent_ibfk_1 of c_parent \(behind)",
                "warning: the foreign key from_egg of hen \(behind)",
                "warning: the foreign key from_hen of egg \(behind)",
            ])
        try place.expectEqual()
    }

    @Test("stop the load at a row that they refuse, which a quarantine sets aside")
    func refusing() throws {
        let place = try MySQLPlace()
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
        let reason = """
            cannot add or update a child row: a foreign key constraint fails (`\(place.target.name)`.`child`, \
            CONSTRAINT `child_fk1` FOREIGN KEY (`p`) REFERENCES `parent` (`id`)) [1452]
            """
        #expect(stopped.code == 6)
        #expect(
            stopped.errorText
                == """
                sluice: \(reason)
                  while loading row 3 (id = 3) of child
                  while loading shard 00000 of chunk 0 of child
                hint: A row refers to one that the target does not have; was a table left out, or limited with --where?

                """)
        #expect(try place.target.sql("SELECT count(*) FROM parent") == "10000\n")
        let result = try place.place.run(ends + Self.options + ["--on-bad-row", "quarantine"])
        #expect(result.code == 3, "\(result.errorText)")
        #expect(
            result.text.contains(
                "child: 2 rows in quarantine\n"
                    + "in quarantine from child: id = 3 (\(reason))\n"
                    + "in quarantine from child: id = 7000 (\(reason))\n"), "\(result.text)")
        #expect(
            try place.target.sql("SELECT count(*), count(DISTINCT p) FROM child") == "9998\t9998\n")
    }

    @Test("are not for tables that are there")
    func existing() throws {
        let place = try MySQLPlace()
        try place.source.sql("CREATE TABLE t (id int)")
        try place.target.sql("CREATE TABLE t (id int)")
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
