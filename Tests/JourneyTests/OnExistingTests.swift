import Testing

/// What `--on-existing` does with what is in the target already.
@Suite struct OnExistingTests {
    private func workspace(target: String = "") throws -> Workspace {
        let place = try Workspace()
        try place.sql(
            "a.db",
            """
            CREATE TABLE p(id INTEGER PRIMARY KEY, name TEXT NOT NULL);
            INSERT INTO p VALUES(1,'x'),(2,'y');
            CREATE TABLE c(id INTEGER PRIMARY KEY, p INTEGER REFERENCES p(id), note TEXT);
            INSERT INTO c VALUES(10,1,'n'),(11,2,NULL);
            CREATE INDEX ci ON c(p); CREATE VIEW v AS SELECT * FROM c
            """)
        if !target.isEmpty { try place.sql("b.db", target) }
        return place
    }

    private func run(
        _ place: Workspace, _ onExisting: String, store: String = "out"
    ) throws -> Program.Result {
        try place.run(
            "run", "--source", "sqlite:a.db", "--store", "file:\(store)", "--target",
            "sqlite:b.db", "--quiet", "--on-existing", onExisting)
    }

    /// Refused with these words, and the target as it was to the byte.
    private func expectRefusal(
        _ place: Workspace, _ onExisting: String, _ errors: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let before = place.exists("b.db") ? try place.read("b.db") : []
        let result = try run(place, onExisting)
        #expect(result.errorText == errors, sourceLocation: sourceLocation)
        #expect(result.code == 6, sourceLocation: sourceLocation)
        let after = place.exists("b.db") ? try place.read("b.db") : []
        #expect(after == before, sourceLocation: sourceLocation)
    }

    @Test(arguments: ["use", "truncate"])
    func tablesThatAreNotThereAreNamed(_ onExisting: String) throws {
        try expectRefusal(
            try workspace(), onExisting,
            """
            warning: table c does not exist
            sluice: table p does not exist, and 1 more
            hint: The target was not touched. Change it, or choose another --on-existing.

            """)
    }

    @Test func columnsAreMatchedByNameAndExtraOnesStayNull() throws {
        let place = try workspace(
            target: """
                CREATE TABLE c(note TEXT, extra TEXT DEFAULT 'd', id INTEGER PRIMARY KEY, P INTEGER);
                CREATE TABLE p(name TEXT, id INTEGER PRIMARY KEY)
                """)
        let result = try run(place, "use")
        #expect(result.code == 0, "\(result.errorText)")
        #expect(
            try place.sql("b.db", "SELECT note, extra, id, p FROM c; SELECT name, id FROM p")
                == "n|d|10|1\n|d|11|2\nx|1\ny|2\n")
        // Definitions stay, and nothing else is made.
        #expect(
            try place.sql("b.db", "SELECT name FROM sqlite_schema WHERE name NOT LIKE 's%'")
                == "c\np\n")
    }

    @Test func columnsThatDoNotFitAreNamed() throws {
        try expectRefusal(
            try workspace(
                target: """
                    CREATE TABLE c(id INTEGER PRIMARY KEY, p INTEGER);
                    CREATE TABLE p(id INTEGER PRIMARY KEY, name TEXT, must INT NOT NULL)
                    """), "use",
            """
            warning: table c has no column note
            sluice: column must of table p is NOT NULL without a default, and the dataset does \
            not have it, and 1 more
            hint: The target was not touched. Change it, or choose another --on-existing.

            """)
    }

    @Test func aColumnThatWouldChangeAValueIsRefusedByName() throws {
        let place = try workspace(
            target: """
                CREATE TABLE c(id INTEGER PRIMARY KEY, p INTEGER, note TEXT);
                CREATE TABLE p(id INTEGER PRIMARY KEY, name INTEGER)
                """)
        try place.sql("a.db", "UPDATE p SET name = '5' WHERE id = 2")
        let result = try run(place, "use")
        #expect(
            result.errorText == """
                sluice: column name cannot keep a text that is a number: SQLite would make it a number
                  while loading row 2 (id = 2) of p
                  while loading shard 00000 of chunk 0 of p
                hint: Declare the column without a type in the target, or leave the table out.

                """)
        #expect(result.code == 6)
        #expect(try place.sql("b.db", "SELECT count(*) FROM p") == "0\n")
    }

    @Test func rowsAreRefusedByUse() throws {
        try expectRefusal(
            try workspace(
                target: """
                    CREATE TABLE c(id INTEGER PRIMARY KEY, p INTEGER, note TEXT);
                    CREATE TABLE p(id INTEGER PRIMARY KEY, name TEXT); INSERT INTO p VALUES(5,'old')
                    """), "use",
            """
            sluice: table p has rows
            hint: The target was not touched. Change it, or choose another --on-existing.

            """)
    }

    @Test func aForeignKeyFromOutsideIsRefusedByTruncate() throws {
        try expectRefusal(
            try workspace(
                target: """
                    CREATE TABLE c(id INTEGER PRIMARY KEY, p INTEGER, note TEXT);
                    CREATE TABLE p(id INTEGER PRIMARY KEY, name TEXT); INSERT INTO p VALUES(5,'old');
                    CREATE TABLE outside(x REFERENCES p(id))
                    """), "truncate",
            """
            sluice: table outside, which is not in the dataset, has a foreign key to table p
            hint: The target was not touched. Change it, or choose another --on-existing.

            """)
    }

    @Test(arguments: ["truncate", "replace"])
    func everyNightsDatasetTakesThePlaceOfYesterdays(_ onExisting: String) throws {
        let place = try workspace()
        #expect(try run(place, "refuse", store: "day0").code == 0)
        try place.sql("b.db", "CREATE TABLE mine(z); INSERT INTO mine VALUES(1)")
        for day in 1...4 {
            try place.sql(
                "a.db",
                """
                DELETE FROM p WHERE id = 3; INSERT INTO p VALUES(3, 'day \(day)');
                UPDATE c SET note = 'day \(day)' WHERE id = 11
                """)
            let result = try run(place, onExisting, store: "day\(day)")
            #expect(result.code == 0, "\(result.errorText)")
            let query = "SELECT * FROM p; SELECT * FROM c"
            #expect(try place.sql("b.db", query) == place.sql("a.db", query))
            #expect(
                try place.sql("b.db", "SELECT count(DISTINCT dataset) FROM sluice_ledger") == "1\n")
            #expect(try place.sql("b.db", "SELECT z FROM mine") == "1\n")
            #expect(try place.sql("b.db", "PRAGMA integrity_check") == "ok\n")
        }
    }

    @Test func replaceDropsOnlyWhatTheDatasetMakes() throws {
        let place = try workspace(
            target: """
                CREATE TABLE p(other TEXT, shape TEXT); INSERT INTO p VALUES(1,2);
                CREATE TABLE mine(z); CREATE TABLE outside(x REFERENCES p(id));
                CREATE TABLE c(a); CREATE INDEX ci ON c(a); CREATE VIEW v AS SELECT 1;
                CREATE TRIGGER old AFTER INSERT ON p BEGIN INSERT INTO mine VALUES(1); END
                """)
        let result = try run(place, "replace")
        #expect(result.code == 0, "\(result.errorText)")
        #expect(
            try place.sql("b.db", "SELECT * FROM p; SELECT * FROM v") == "1|x\n2|y\n10|1|n\n11|2|\n"
        )
        #expect(
            try place.sql(
                "b.db",
                "SELECT type, name FROM sqlite_schema WHERE name NOT LIKE 's%' ORDER BY 2, 1")
                == "table|c\nindex|ci\ntable|mine\ntable|outside\ntable|p\nview|v\n")
        #expect(try place.sql("b.db", "SELECT count(*) FROM mine") == "0\n")
    }

    @Test func replaceDoesNotDropWhatIsOfAnotherKind() throws {
        try expectRefusal(
            try workspace(target: "CREATE VIEW c AS SELECT 1"), "replace",
            """
            sluice: view c is in the way of table c
            hint: The target was not touched. Change it, or choose another --on-existing.

            """)
    }

    @Test(arguments: ["refuse", "use"])
    func anotherDatasetsRowsAreRefused(_ onExisting: String) throws {
        let place = try workspace()
        #expect(try run(place, "refuse", store: "yesterday").code == 0)
        let id = try place.sql("b.db", "SELECT DISTINCT dataset FROM sluice_ledger").dropLast()
        try expectRefusal(
            place, onExisting,
            """
            sluice: sqlite:b.db holds rows of another dataset (\(id))
            hint: Load into an empty target, or replace what is there with --on-existing truncate \
            or --on-existing replace.

            """)
    }

    @Test(arguments: ["DELETE FROM p", "DROP TABLE p"])
    func rowsThatTheLedgerHasAndTheTargetHasNotAreRefused(_ change: String) throws {
        let place = try workspace()
        #expect(try run(place, "refuse").code == 0)
        try place.sql("b.db", change)
        let word = change.hasPrefix("DROP") ? "not there" : "empty"
        let remedy = change.hasPrefix("DROP") ? "dropped" : "emptied"
        for onExisting in ["refuse", "replace"] {
            try expectRefusal(
                place, onExisting,
                """
                sluice: p is \(word), and the ledger says that 2 rows are in it
                hint: Somebody \(remedy) it; drop the target's tables and sluice_ledger and load again.

                """)
        }
    }
}
