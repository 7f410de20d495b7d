import TestSupport
import Testing

/// MariaDB through a folder into MariaDB: afterwards mariadb-dump finds both databases the same.
@Suite("A migration from MariaDB to MariaDB")
struct MySQLMigrationTests {
    @Test(
        "arrives as it was, twice means once",
        arguments: ["every-type.sql", "every-object.sql"],
        [["--format", "avro"], ["--format", "csv", "--shard-bytes", "64KiB", "--lanes", "3"]])
    func wholeDatabase(_ fixture: String, _ options: [String]) throws {
        let place = try MySQLPlace(fixture)
        let result = try place.run("run", options)
        #expect(result.code == 0, "\(result.errorText)")
        #expect(
            result.text.hasSuffix("verified: the target holds exactly the rows of the snapshot\n"))
        try place.expectEqual()
        try place.expectNothingHeld()
        let again = try place.run("run", options + ["--quiet"])
        #expect(again.code == 0)
        #expect(again.text == "everything is there and was verified before; nothing was done\n")
        #expect(again.errorText == "")
        try place.succeed("verify")
        try place.expectEqual()
    }

    @Test("arrives under a lock where an engine has no transactions", arguments: ["1", "3"])
    func engines(_ lanes: String) throws {
        let place = try MySQLPlace("every-engine.sql")
        try place.expect(
            6,
            """
            sluice: table counted_by_part has the engine MyISAM, which has no snapshots
            hint: Use --consistency locked, or leave the table out with --exclude counted_by_part.

            """, "run")
        let options = ["--consistency", "locked", "--lanes", lanes, "--shard-bytes", "64KiB"]
        let result = try place.run("run", options)
        #expect(result.code == 0, "\(result.errorText)")
        try place.expectEqual()
        try place.expectNothingHeld()
    }

    @Test("arrives in steps, from a dataset that another machine could load")
    func steps() throws {
        let place = try MySQLPlace("every-object.sql")
        try place.succeed("export")
        try place.expectNothingHeld()
        try place.succeed("load", "--trust-schema")
        try place.succeed("verify")
        try place.expectEqual()
    }

    @Test("arrives on another server")
    func anotherServer() throws {
        let place = try MySQLPlace("every-type.sql", targetOn: .second)
        try place.succeed("run")
        try place.expectEqual()
    }

    @Test("of an empty database leaves an empty one")
    func empty() throws {
        let place = try MySQLPlace()
        try place.succeed("run")
        try place.expectEqual()
    }

    @Test("stays the same with one lane and with many", arguments: ["1", "8"])
    func lanes(_ lanes: String) throws {
        let place = try MySQLPlace("every-type.sql")
        try place.succeed("run", "--lanes", lanes, "--shard-bytes", "16KiB")
        try place.expectEqual()
    }

    @Test("replaces what is there")
    func replace() throws {
        let place = try MySQLPlace("every-object.sql")
        try place.succeed("run")
        try place.target.sql(
            "DELETE FROM many_indexes; DROP VIEW a_view; ALTER TABLE tree COMMENT 'x'; DROP FUNCTION plus_one"
        )
        try place.succeed("run", "--on-existing", "replace", store: "file:again")
        try place.expectEqual()
    }

    /// Nobody else loads into the replica.
    @Test("goes by INSERT where the server takes no LOAD DATA LOCAL, and says so")
    func noLines() throws {
        let place = try MySQLPlace("every-type.sql")
        let target = try MariaDBDatabase(on: .replica)
        try target.server.sql("SET GLOBAL local_infile = 0")
        defer { _ = try? target.server.sql("SET GLOBAL local_infile = 1") }
        let ends = ["--source", place.source.url, "--store", "file:out", "--target", target.url]
        let result = try place.place.run(["run", "--shard-bytes", "16KiB", "--quiet"] + ends)
        #expect(result.code == 0, "\(result.errorText)")
        #expect(
            result.errorText.contains(
                "warning: the server takes no LOAD DATA LOCAL, so that rows go in by INSERT, which is slower\n"
            ), "\(result.errorText)")
        #expect(try place.source.difference(from: target).prefix(3000) == "")
        let doctor = try place.place.run("doctor", "--target", target.url)
        #expect(
            doctor.text.contains(
                "the server takes no LOAD DATA LOCAL, so that rows go in by INSERT"),
            "\(doctor.text)")
    }

    @Test("names the row whose label the server itself cannot show")
    func unshownLabels() throws {
        let place = try MySQLPlace()
        try place.source.sql(
            "CREATE TABLE t (id int PRIMARY KEY, e enum('a', '😀', 'é漢')); INSERT INTO t VALUES (1, 'a'), (2, 'é漢')"
        )
        try place.succeed("run")
        #expect(try place.target.sql("SELECT * FROM t") == "1\ta\n2\té漢\n")
        try place.source.sql("INSERT INTO t VALUES (3, '😀')")
        let result = try place.run(
            "run", ["--quiet", "--on-existing", "replace"], store: "file:again")
        #expect(result.code == 6)
        #expect(
            result.errorText == """
                sluice: column e cannot keep a label that is none of its own
                  while loading row 3 (id = 3) of t
                  while loading shard 00000 of chunk 0 of t
                hint: Give the target's column the source's list of labels, in its order.

                """)
    }

    @Test(
        "refuses tables whose triggers would run for loaded rows", arguments: ["use", "truncate"])
    func triggers(_ existing: String) throws {
        let place = try MySQLPlace()
        try place.source.sql("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)")
        try place.target.sql(
            """
            CREATE TABLE t (id int PRIMARY KEY);
            CREATE TRIGGER more BEFORE INSERT ON t FOR EACH ROW SET NEW.id = NEW.id + 1
            """)
        let result = try place.run("run", ["--quiet", "--on-existing", existing])
        #expect(result.code == 6)
        #expect(
            result.errorText == """
                sluice: trigger more of table t would run for each row that is loaded
                hint: The target was not touched. Change it, or choose another --on-existing.

                """)
        try place.succeed("run", "--on-existing", "replace", store: "file:again")
        try place.expectEqual()
    }

    @Test("refuses tables with rows, and touches nothing")
    func refuse() throws {
        let place = try MySQLPlace()
        try place.source.sql("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)")
        try place.target.sql("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (7)")
        let result = try place.run("run", ["--quiet"])
        #expect(result.code == 6)
        #expect(result.errorText.hasPrefix("sluice: "), "\(result.errorText)")
        #expect(try place.target.sql("SELECT * FROM t") == "7\n")
        #expect(try place.target.sql("SHOW TABLES") == "t\n")
    }

    @Test("fills tables that are there and differ, columns by name")
    func use() throws {
        let place = try MySQLPlace()
        try place.source.sql(
            """
            CREATE TABLE a (id int PRIMARY KEY, t varchar(20), n bigint);
            CREATE TABLE b (id int PRIMARY KEY, a int, FOREIGN KEY (a) REFERENCES a (id));
            INSERT INTO a SELECT seq, concat('t', seq), seq FROM seq_1_to_1000;
            INSERT INTO b SELECT seq, seq FROM seq_1_to_1000
            """)
        try place.target.sql(
            """
            CREATE TABLE a (n bigint, more int DEFAULT 5, t varchar(40), id int PRIMARY KEY, KEY (t));
            CREATE TABLE b (a int, id int PRIMARY KEY, FOREIGN KEY (a) REFERENCES a (id))
            """)
        try place.succeed("run", "--on-existing", "use")
        #expect(
            try place.target.sql("SELECT count(*), sum(id), sum(n), sum(more), max(t) FROM a")
                == "1000\t500500\t500500\t5000\tt999\n")
        #expect(try place.target.sql("SELECT count(*), sum(a) FROM b") == "1000\t500500\n")
        try place.succeed("run", "--on-existing", "truncate", store: "file:again")
        #expect(try place.target.sql("SELECT count(*), sum(a) FROM b") == "1000\t500500\n")
    }

    @Test("moves the tables that were chosen")
    func chosenTables() throws {
        let place = try MySQLPlace("every-object.sql")
        try place.succeed("run", "--tables", "by_*,no_key", "--where", "no_key=a = 1")
        let tables = """
            SELECT count(*) FROM information_schema.tables
            WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE' AND table_name <> 'sluice_ledger'
            """
        #expect(try place.target.sql(tables) == "6\n")
        #expect(try place.target.sql("SELECT count(*) FROM no_key") == "3\n")
        #expect(try place.target.sql("SELECT count(*) FROM by_hash") == "500\n")
    }

    @Test("leaves statistics of every table, so that the first queries are planned well")
    func statistics() throws {
        let place = try MySQLPlace("every-object.sql")
        try place.succeed("run")
        let rows = """
            SELECT n_rows FROM mysql.innodb_table_stats
            WHERE database_name = '\(place.target.name)' AND table_name = 'many_indexes'
            """
        #expect(try place.target.sql(rows) == "5\n")
    }
}
