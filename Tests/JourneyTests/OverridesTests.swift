import TestSupport
import Testing

/// Names, types, dates and booleans of a target that are other ones than the source's.
@Suite("Overrides between engines")
struct OverridesTests {
    private typealias Engine = AnyDatabase.Engine

    private struct Place {
        let place: Workspace
        let source: AnyDatabase
        let target: AnyDatabase

        init(_ from: Engine, _ to: Engine, _ sql: String, overrides: String = "") throws {
            place = try Workspace()
            source = try AnyDatabase(from, "source", in: place)
            target = try AnyDatabase(to, "target", in: place)
            try source.sql(sql)
            try place.write(
                """
                source: "\(source.url)"
                store: file:out
                target: "\(target.url)"
                \(overrides)

                """, to: "job.yaml")
        }

        func run(_ command: String, _ options: String...) throws -> Program.Result {
            try place.run([command, "--config", "job.yaml", "--quiet"] + options)
        }

        /// Runs sluice and expects exactly these warnings.
        @discardableResult
        func succeed(
            _ command: String, _ options: String..., warnings: [String]? = nil,
            sourceLocation: SourceLocation = #_sourceLocation
        ) throws -> Program.Result {
            let result = try place.run([command, "--config", "job.yaml", "--quiet"] + options)
            #expect(result.code == 0, "\(result.errorText)", sourceLocation: sourceLocation)
            if let warnings {
                let lines = result.errorText.split(separator: "\n").map(String.init)
                #expect(lines == warnings.map { "warning: \($0)" }, sourceLocation: sourceLocation)
            }
            return result
        }

        func expect(
            _ code: Int32, _ errors: String, _ command: String, _ options: String...,
            sourceLocation: SourceLocation = #_sourceLocation
        ) throws {
            let result = try place.run([command, "--config", "job.yaml", "--quiet"] + options)
            let failure = result.errorText.split(separator: "\n")
                .filter { !$0.hasPrefix("warning: ") }.joined(separator: "\n")
            #expect(failure == errors, sourceLocation: sourceLocation)
            #expect(result.code == code, sourceLocation: sourceLocation)
        }
    }

    // MARK: Dates

    private static let moments = """
        SET sql_mode = '';
        CREATE TABLE moments (id int PRIMARY KEY, d date NOT NULL, e date, t datetime(6) NOT NULL, s timestamp NULL);
        INSERT INTO moments VALUES (1, '2026-01-01', '2026-01-02', '2026-01-03 10:00:00.5', '2026-01-04 00:00:00'),
            (2, '0000-00-00', '0000-00-00', '0000-00-00', '0000-00-00'), (3, '2024-00-15', NULL, '2026-01-03', NULL),
            (4, '2026-01-01', '2024-02-00', '2024-02-00 12:00:00', NULL);
        CREATE TABLE days (day date PRIMARY KEY, note varchar(10));
        INSERT INTO days VALUES ('2026-01-01', 'a'), ('2026-01-02', 'b')
        """

    @Test("MySQL's dates that no calendar has are refused by row where the job says nothing")
    func refusedDates() throws {
        let place = try Place(.mariadb, .postgres, OverridesTests.moments)
        try place.expect(
            6,
            """
            sluice: column d cannot keep a date that PostgreSQL does not have
              while loading row 2 (id = 2) of moments
              while loading shard 00000 of chunk 0 of moments
            hint: Correct the row in the source, or leave it out with --where.
            """, "run")
    }

    @Test(
        "they become NULL where the job says so, are counted, and verified as NULL",
        arguments: ["avro", "csv"])
    func nulledDates(_ format: String) throws {
        let place = try Place(
            .mariadb, .postgres, OverridesTests.moments,
            overrides: "zero-dates: null\nformat: \(format)")
        let run = try place.succeed("run")
        for line in [
            "column d of table moments takes NULL, which dates that no calendar has become",
            "column t of table moments takes NULL, which dates that no calendar has become",
            "column d of table moments: 2 dates that no calendar has became NULL",
            "column e of table moments: 2 dates that no calendar has became NULL",
            "column t of table moments: 2 dates that no calendar has became NULL",
            "column s of table moments: 1 date that no calendar has became NULL",
        ] {
            #expect(run.errorText.contains("warning: \(line)\n"), "\(line)")
        }
        #expect(
            run.text.hasSuffix("verified: the target holds exactly the rows of the snapshot\n"))
        #expect(
            try place.target.sql("SET timezone = 'UTC'; SELECT * FROM moments ORDER BY id") == """
                1|2026-01-01|2026-01-02|2026-01-03 10:00:00.5|2026-01-04 00:00:00+00
                2||||
                3|||2026-01-03 00:00:00|
                4|2026-01-01|||

                """)
        #expect(
            try place.succeed("verify").text.hasSuffix(
                "verified: the target holds exactly the rows of the dataset\n"))
        // Without the ledger the shards are mapped once more.
        try place.target.sql("DROP SCHEMA sluice CASCADE")
        try place.succeed("verify")
        try place.target.sql("UPDATE moments SET d = '2026-05-05' WHERE id = 3")
        let changed = try place.run("verify")
        #expect(changed.code == 3)
        #expect(changed.text.contains("changed in moments: id = 3\n"))
    }

    @Test("a key has no NULL: such a row is set aside, and what is left is verified")
    func quarantine() throws {
        let place = try Place(
            .mariadb, .postgres,
            OverridesTests.moments + "; INSERT INTO days VALUES ('0000-00-00', 'c')",
            overrides: "zero-dates: null\non-bad-row: quarantine")
        let run = try place.run("run")
        #expect(run.code == 3)
        #expect(run.text.contains("days: 1 row in quarantine\n"))
        #expect(
            run.text.contains("(column day cannot keep a date that PostgreSQL does not have)\n"))
        #expect(
            try place.target.sql("SELECT * FROM days ORDER BY day")
                == "2026-01-01|a\n2026-01-02|b\n")
        #expect(
            try place.target.sql("SELECT count(*), count(d), count(t) FROM moments") == "4|2|2\n")
        let verify = try place.run("verify")
        #expect(verify.code == 3)
        #expect(
            verify.text.hasSuffix(
                "verified: the target and the quarantine hold exactly the rows of the dataset\n"))
        // A row of the table with dates that are mapped is refused for another reason.
        try place.target.sql("DROP TABLE moments, days; DROP SCHEMA sluice CASCADE")
        try place.target.sql(
            """
            CREATE TABLE days (day date, note text);
            CREATE TABLE moments (id int CHECK (id <> 3), d date, e date, t timestamp, s timestamptz)
            """)
        let again = try place.run("load", "--on-existing", "use")
        #expect(again.code == 3)
        #expect(again.text.contains("in quarantine from moments: id = 3 "))
        #expect(
            again.errorText.contains(
                "warning: column d of table moments: 1 date that no calendar has became NULL\n"))
        #expect(try place.run("verify").text.contains("quarantine hold exactly"))
    }

    @Test("SQLite takes them as NULL, too, with rows that it refuses set aside")
    func sqlite() throws {
        let place = try Place(
            .mariadb, .sqlite, OverridesTests.moments, overrides: "zero-dates: null")
        try place.succeed("run")
        #expect(
            try place.target.sql("SELECT id, d, e, t, s IS NULL FROM moments ORDER BY id") == """
                1|2026-01-01|2026-01-02|2026-01-03 10:00:00.5|0
                2||||1
                3|||2026-01-03 00:00:00|1
                4|2026-01-01|||1

                """)
        try place.succeed("verify")
        try place.target.sql(
            """
            DROP TABLE moments; DROP TABLE sluice_ledger; DELETE FROM days;
            CREATE TABLE moments (id int CHECK (id <> 3), d text, e text, t text, s text)
            """)
        let again = try place.run("load", "--on-existing", "use", "--on-bad-row", "quarantine")
        #expect(again.code == 3)
        #expect(
            try place.target.sql("SELECT id, d FROM moments ORDER BY id")
                == "1|2026-01-01\n2|\n4|2026-01-01\n")
        #expect(try place.run("verify").text.contains("quarantine hold exactly"))
    }

    // MARK: Booleans

    @Test("columns declared as booleans are booleans in PostgreSQL, and come back")
    func booleans() throws {
        let tables =
            "CREATE TABLE flags (id int PRIMARY KEY, a tinyint(1) NOT NULL DEFAULT 1, b bit(1), c tinyint(4))"
        let place = try Place(
            .mariadb, .postgres,
            tables
                + "; INSERT INTO flags VALUES (1, 1, b'1', 5), (2, 0, b'0', 6), (3, 1, NULL, NULL)",
            overrides: "booleans: [tinyint(1), bit(1)]")
        try place.succeed("run")
        #expect(
            try place.target.sql(
                """
                SELECT column_name, data_type, column_default FROM information_schema.columns
                WHERE table_name = 'flags' ORDER BY 1; SELECT * FROM flags ORDER BY id
                """) == """
                    a|boolean|true
                    b|boolean|
                    c|integer|
                    id|integer|
                    1|t|t|5
                    2|f|f|6
                    3|t||

                    """)
        let back = try AnyDatabase(.mariadb, "back", in: place.place)
        try back.sql(tables)
        try place.place.succeed(
            "run", "--source", place.target.url, "--store", "file:back", "--target", back.url,
            "--on-existing", "use", "--quiet")
        let select = "SELECT id, a, b + 0, c FROM flags ORDER BY id"
        #expect(try back.sql(select) == place.source.sql(select))
    }

    @Test("a number that is no boolean is refused by row")
    func noBoolean() throws {
        let place = try Place(
            .mariadb, .postgres,
            "CREATE TABLE flags (id int PRIMARY KEY, a tinyint(1)); INSERT INTO flags VALUES (1, 1), (2, 7)",
            overrides: "booleans: tinyint(1)")
        try place.expect(
            6,
            """
            sluice: column a cannot keep an integer other than 0 and 1
              while loading row 2 (id = 2) of flags
              while loading shard 00000 of chunk 0 of flags
            hint: Declare the target's column as an integer.
            """, "run")
    }

    // MARK: Names

    private static let tables = """
        CREATE TABLE customers (id int NOT NULL PRIMARY KEY, name varchar(40) NOT NULL);
        CREATE TABLE orders (id int NOT NULL PRIMARY KEY, customer int NOT NULL, state varchar(10), total int,
            CONSTRAINT of_customer FOREIGN KEY (customer) REFERENCES customers (id) ON DELETE CASCADE);
        CREATE INDEX by_state ON orders (state, id);
        CREATE UNIQUE INDEX by_name ON customers (name);
        INSERT INTO customers VALUES (1, 'Ann'), (2, 'Bob');
        INSERT INTO orders VALUES (10, 1, 'open', 5), (11, 2, NULL, NULL), (12, 2, 'done', 7)
        """

    private static let renamed = """
        tables:
            customers:
              name: people
              columns:
                id: {name: number}
            orders:
              name: purchases
              columns:
                customer: {name: buyer}
                state: {name: status, type: varchar(20)}
                total: {type: "decimal(12,2)"}
        """

    private static let pairs: [(Engine, Engine)] = [
        (.postgres, .postgres), (.postgres, .mariadb), (.postgres, .sqlite), (.mariadb, .mariadb),
        (.mariadb, .postgres), (.sqlite, .postgres), (.sqlite, .mariadb),
    ]

    @Test(
        "tables and columns have the names that the job gives them, keys and all", arguments: pairs)
    private func names(_ from: Engine, _ to: Engine) throws {
        // Decimals of SQLite's would be numbers of its own.
        let names =
            to == .sqlite
            ? OverridesTests.renamed.replacing("{type: \"decimal(12,2)\"}", with: "{name: sum}")
            : OverridesTests.renamed
        let place = try Place(
            from, to, OverridesTests.tables, overrides: "overrides:\n  \(names)")
        let plan = try place.succeed("plan")
        #expect(plan.text.contains("orders.state: becomes status, is declared varchar(20)\n"))
        try place.succeed("run")
        try expectPurchases(place.target, to)
        try place.succeed("verify")
        #expect(
            try place.run("run").text
                == "everything is there and was verified before; nothing was done\n")
    }

    private func expectPurchases(
        _ target: AnyDatabase, _ engine: Engine,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let rows = try target.sql(
            "SELECT id, buyer, status FROM purchases ORDER BY id; SELECT number, name FROM people ORDER BY number"
        ).replacing("\t", with: "|").replacing("NULL", with: "")
        #expect(
            rows == "10|1|open\n11|2|\n12|2|done\n1|Ann\n2|Bob\n", sourceLocation: sourceLocation)
        switch engine {
        case .postgres:
            let made = try target.sql(
                """
                SELECT replace(pg_get_constraintdef(oid), ' ON UPDATE RESTRICT', '') FROM pg_constraint WHERE connamespace = 'public'::regnamespace ORDER BY 1;
                SELECT indexdef FROM pg_indexes WHERE indexname LIKE 'by_%' ORDER BY 1;
                SELECT column_name, data_type, numeric_scale, character_maximum_length
                    FROM information_schema.columns WHERE table_name = 'purchases' AND column_name IN ('status', 'total') ORDER BY 1
                """)
            #expect(
                made == """
                    FOREIGN KEY (buyer) REFERENCES people(number) ON DELETE CASCADE
                    PRIMARY KEY (id)
                    PRIMARY KEY (number)
                    CREATE INDEX by_state ON public.purchases USING btree (status, id)
                    CREATE UNIQUE INDEX by_name ON public.people USING btree (name)
                    status|character varying||20
                    total|numeric|2|

                    """, sourceLocation: sourceLocation)
        case .mariadb:
            let made = try target.sql("SHOW CREATE TABLE purchases; SHOW CREATE TABLE people")
            for part in [
                "FOREIGN KEY (`buyer`) REFERENCES `people` (`number`) ON DELETE CASCADE",
                "KEY `by_state` (`status`,`id`)", "UNIQUE KEY `by_name` (`name`)",
                "`status` varchar(20) DEFAULT NULL", "`total` decimal(12,2) DEFAULT NULL",
                "PRIMARY KEY (`number`)",
            ] {
                #expect(made.contains(part), "\(part)", sourceLocation: sourceLocation)
            }
        case .sqlite:
            let made = try target.sql("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL")
            for part in [
                #"FOREIGN KEY ("buyer") REFERENCES "people" ("number") ON DELETE CASCADE"#,
                #"INDEX "by_state" ON "purchases" ("status", "id")"#,
                #"UNIQUE INDEX "by_name" ON "people" ("name")"#, #""status" varchar(20)"#,
            ] {
                #expect(made.contains(part), "\(part)", sourceLocation: sourceLocation)
            }
        }
    }

    @Test("a schema has another name, with what stands in it")
    func schemas() throws {
        let place = try Place(
            .postgres, .postgres,
            """
            CREATE SCHEMA app; CREATE TABLE app.a (id int PRIMARY KEY); INSERT INTO app.a VALUES (7);
            CREATE TABLE public.b (id int PRIMARY KEY REFERENCES app.a); INSERT INTO b VALUES (7)
            """, overrides: "overrides:\n  schemas: {app: shop}")
        try place.succeed("run")
        #expect(
            try place.target.sql(
                """
                SELECT * FROM shop.a; SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'f';
                SELECT count(*) FROM pg_namespace WHERE nspname = 'app'
                """) == "7\nFOREIGN KEY (id) REFERENCES shop.a(id)\n0\n")
        try place.succeed("verify")
    }

    @Test(
        "tables that are there take the columns by their new names",
        arguments: [Engine.postgres, .mariadb])
    private func use(_ to: Engine) throws {
        let place = try Place(
            .mariadb, to, OverridesTests.tables,
            overrides: "overrides:\n  \(OverridesTests.renamed)\non-existing: use")
        try place.target.sql(
            """
            CREATE TABLE people (name varchar(40), number bigint PRIMARY KEY);
            CREATE TABLE purchases (status varchar(30), total decimal(14,3), buyer bigint, id int PRIMARY KEY)
            """)
        let run = try place.succeed("run")
        #expect(
            run.errorText.contains(
                "warning: column status of table purchases stays as it is declared, whatever the"
                    + " overrides say (varchar(20))\n"))
        let rows = try place.target.sql("SELECT id, buyer, status FROM purchases ORDER BY id")
        #expect(
            rows.replacing("\t", with: "|").replacing("NULL", with: "")
                == "10|1|open\n11|2|\n12|2|done\n")
        try place.target.sql("DROP TABLE purchases")
        try place.target.sql(
            to == .postgres ? "DROP SCHEMA sluice CASCADE" : "DROP TABLE sluice_ledger")
        try place.target.sql(
            "DELETE FROM people; CREATE TABLE purchases (state varchar(30), total decimal(14,3), customer int, id int)"
        )
        let lacking = try place.run("load")
        #expect(lacking.code == 6)
        #expect(
            lacking.errorText.contains(
                "sluice: table purchases has no column buyer, and 1 more\n"))
    }

    // MARK: Types and mistakes

    @Test("a value that the wanted type does not hold is refused by row")
    func longText() throws {
        let place = try Place(
            .sqlite, .postgres,
            "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT); INSERT INTO t VALUES (1, 'short'), (2, 'too long')",
            overrides: "overrides: {tables: {t: {columns: {a: {type: varchar(5)}}}}}")
        try place.expect(
            6,
            """
            sluice: column a cannot keep a text of more than 5 characters
              while loading row 2 (id = 2) of t
              while loading shard 00000 of chunk 0 of t
            hint: Declare the target's column wider.
            """, "run")
    }

    @Test("a type that would change values is refused in the plan, by name")
    func otherType() throws {
        let place = try Place(
            .sqlite, .postgres, "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT)",
            overrides: "overrides: {tables: {t: {columns: {a: {type: boolean}}}}}")
        let line =
            "column a of table t is to be declared boolean, which would change values of type text"
        let plan = try place.run("plan")
        #expect(plan.code == 6)
        #expect(plan.text.contains("refused: \(line)\n"))
        try place.expect(
            6,
            "sluice: \(line)\n"
                + "hint: The target was not touched. Empty it, or choose what happens with --on-existing.",
            "run")
    }

    @Test("a table that is not there is refused before anything is read")
    func unknownTable() throws {
        let place = try Place(
            .sqlite, .postgres, "CREATE TABLE orders (id INTEGER PRIMARY KEY)",
            overrides: "overrides: {tables: {ordres: {name: x}}}")
        for command in ["plan", "run"] {
            try place.expect(
                2,
                """
                sluice: unknown table 'ordres' in job.yaml, line 4, column 22
                hint: Did you mean 'orders'?
                """, command)
        }
    }

    @Test("the source's own schema is not used with other names, and the plan says so")
    func trusted() throws {
        let place = try Place(
            .sqlite, .sqlite,
            "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT); CREATE VIEW v AS SELECT a FROM t; INSERT INTO t VALUES (1, 'x')",
            overrides: "overrides: {tables: {t: {name: u}}}")
        try place.succeed(
            "run",
            warnings: [
                "overrides change names, types or what may be NULL, which the source's own DDL does"
                    + " not know: tables are made from the plan, without views, routines and"
                    + " triggers"
            ])
        #expect(
            try place.target.sql(
                "SELECT * FROM u; SELECT count(*) FROM sqlite_schema WHERE type = 'view'")
                == "1|x\n0\n")
        let other = try place.place.run(
            "load", "--store", "file:out", "--target", place.target.url, "--quiet")
        #expect(
            other.errorText == """
                sluice: \(place.target.url) has been loaded with other overrides than these
                hint: Use those that the load began with, or drop the target's tables and \
                sluice_ledger and load again.

                """)
        #expect(other.code == 6)
    }

    @Test("plan tries the values as they will be loaded, and names columns as the source does")
    func checkedValues() throws {
        let place = try Place(
            .mariadb, .postgres,
            "SET sql_mode = ''; CREATE TABLE t (id int PRIMARY KEY, a text, d date NOT NULL);"
                + " INSERT INTO t VALUES (1, 'short', '0000-00-00'), (2, 'too long', '2026-01-01')",
            overrides:
                "overrides: {tables: {t: {name: u, columns: {a: {name: b, type: varchar(5)}}}}}"
        )
        let long =
            #"{"schema":null,"table":"t","column":"a","#
            + #""message":"column b cannot keep a text of more than 5 characters","#
            + #""hint":"Declare the target's column wider.","rows":1,"named":["id = 2"]}"#
        let zero =
            #"{"schema":null,"table":"t","column":"d","#
            + #""message":"column d cannot keep a date that PostgreSQL does not have","#
            + #""hint":"Correct the row in the source, or leave it out with --where.","rows":1,"#
            + #""named":["id = 1"]}"#
        for (mode, expected) in [("null", long), ("refuse", "\(long),\(zero)")] {
            let plan = try place.run(
                "plan", "--check-values", "--output", "json", "--zero-dates", mode)
            #expect(plan.code == 6)
            #expect(plan.text.contains(#""misfits":[\#(expected)]"#), "\(plan.text)")
        }
    }

    @Test("files of other programs take names and types, too")
    func files() throws {
        let place = try Workspace()
        let target = try PostgresDatabase()
        _ = try Program.tool("mkdir").run([place["files"]])
        try place.write("id,state\n1,open\n2,done\n", to: "files/orders.csv")
        try place.write(
            """
            store: file:files
            target: "\(target.url)"
            import: [{table: orders, format: csv, files: orders.csv, columns: [{name: id, type: int64, key: true}, {name: state, type: text}]}]
            overrides: {tables: {orders: {name: purchases, columns: {state: {name: status, type: varchar(4)}}}}}

            """, to: "job.yaml")
        for command in ["load", "verify"] {
            try place.succeed(command, "--config", "job.yaml", "--quiet")
        }
        #expect(
            try target.sql("SELECT id, status, pg_typeof(status) FROM purchases ORDER BY id")
                == "1|open|character varying\n2|done|character varying\n")
    }
}
