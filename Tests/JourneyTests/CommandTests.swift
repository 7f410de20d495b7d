import SluiceCore
import Testing

/// The other commands, each as its users run it.
@Suite struct CommandTests {
    private func workspace() throws -> Workspace {
        let place = try Workspace()
        try place.sql(
            "a.db",
            """
            CREATE TABLE p(id INTEGER PRIMARY KEY, name TEXT NOT NULL DEFAULT 'x');
            INSERT INTO p VALUES(1,'x'),(2,'y');
            CREATE TABLE c(id INTEGER PRIMARY KEY, p INTEGER REFERENCES p(id), note TEXT);
            INSERT INTO c VALUES(10,1,'n'),(11,2,NULL);
            CREATE UNIQUE INDEX ci ON c(note); CREATE VIEW v AS SELECT * FROM c
            """)
        return place
    }

    private func exported() throws -> Workspace {
        let place = try workspace()
        try place.succeed("export", "--source", "sqlite:a.db", "--store", "file:out", "--quiet")
        return place
    }

    @Test func loadBuildsTheSchemaFromItsDefinitions() throws {
        let place = try exported()
        try place.succeed("load", "--store", "file:out", "--target", "sqlite:b.db", "--quiet")
        try place.succeed("verify", "--store", "file:out", "--target", "sqlite:b.db", "--quiet")
        let rows = "SELECT * FROM p; SELECT * FROM c"
        #expect(try place.sql("b.db", rows) == place.sql("a.db", rows))
        #expect(
            try place.sql("b.db", "INSERT INTO p(id) VALUES(3) RETURNING name") == "x\n")
        #expect(
            try place.sql("b.db", "SELECT \"from\", \"table\" FROM pragma_foreign_key_list('c')")
                == "p|p\n")
        #expect(
            try place.sql("b.db", "SELECT \"unique\" FROM pragma_index_list('c')") == "1\n")
        // What the dataset's own SQL would make beyond that is only made where it is trusted.
        #expect(
            try place.sql("b.db", "SELECT count(*) FROM sqlite_schema WHERE type = 'view'") == "0\n"
        )
    }

    @Test func loadOfAnUnfinishedDatasetLoadsWhatIsSealedAndSaysSo() throws {
        let place = try exported()
        _ = try Program.tool("rm").run([place["out/manifest.json"]])
        _ = try Program.tool("rm").run(["-r", place["out/seals/c"]])
        let result = try place.run(
            "load", "--store", "file:out", "--target", "sqlite:b.db", "--trust-schema", "--quiet")
        #expect(result.code == 4)
        #expect(
            result.errorText
                == "warning: the dataset is unfinished: what is sealed was loaded, and no constraint "
                + "was made\n")
        #expect(try place.sql("b.db", "SELECT count(*) FROM p; SELECT count(*) FROM c") == "2\n0\n")
        #expect(
            try place.sql("b.db", "SELECT count(*) FROM sqlite_schema WHERE name IN ('ci','v')")
                == "0\n")
        try place.expect(
            4,
            """
            sluice: the dataset in file:out is unfinished
            hint: Finish its export first; only a whole dataset can be compared.

            """, "verify", "--store", "file:out", "--target", "sqlite:b.db")
        // Once it is finished, the rest comes.
        try place.succeed("export", "--source", "sqlite:a.db", "--store", "file:out", "--quiet")
        try place.succeed(
            "load", "--store", "file:out", "--target", "sqlite:b.db", "--trust-schema", "--quiet")
        try place.expectEqual("a.db", "b.db")
    }

    @Test func statusTellsHowFarItIs() throws {
        let place = try exported()
        let exportOnly = try place.run("status", "--store", "file:out")
        #expect(exportOnly.code == 0)
        #expect(exportOnly.text.contains("\n4 rows in 2 shards, "))
        let notLoaded = try place.run("status", "--store", "file:out", "--target", "sqlite:b.db")
        #expect(notLoaded.code == 4)
        #expect(notLoaded.text.hasSuffix("load: 0 of 4 rows, 0 of 2 shards\n"))
        #expect(!place.exists("b.db"))
        try place.succeed("load", "--store", "file:out", "--target", "sqlite:b.db", "--quiet")
        try place.succeed("verify", "--store", "file:out", "--target", "sqlite:b.db", "--quiet")
        let all = try place.run("status", "--store", "file:out", "--target", "sqlite:b.db")
        #expect(all.code == 0)
        #expect(all.text.hasSuffix("load: 4 of 4 rows, 2 of 2 shards, verified\n"))
        _ = try Program.tool("rm").run([place["out/manifest.json"]])
        let unfinished = try place.run("status", "--store", "file:out")
        #expect(unfinished.code == 4)
        #expect(
            unfinished.text.contains(
                "\nexport: unfinished; 2 of 2 tables planned, 2 of 2 chunks sealed\n"))
    }

    @Test func inspectShowsRowsWithoutADatabase() throws {
        let place = try exported()
        _ = try Program.tool("rm").run([place["a.db"]])
        let table = try place.run("inspect", "--store", "file:out", "--table", "c")
        #expect(table.code == 0)
        #expect(
            table.text.hasPrefix("c\n  id int64 not null (INTEGER)\n  p int64 (INTEGER)\n"))
        let key = try #require(try place.names("out/data/c").first)
        let rows = try place.run("inspect", "--store", "file:out", "--shard", "data/c/\(key)")
        #expect(rows.text == "id,p,note\n10,1,n\n11,2,\\N\n")
        try place.expect(
            2,
            "sluice: the dataset has no table called 'cc'\nhint: sluice inspect lists the tables.\n",
            "inspect", "--store", "file:out", "--table", "cc")
        try place.expect(
            2,
            """
            sluice: no seal of the dataset names a shard 'data/c/../../x'
            hint: sluice inspect --table lists a table's shards.

            """, "inspect", "--store", "file:out", "--shard", "data/c/../../x")
    }

    @Test func statusOfASourceAloneSaysWhatIsHeldThere() throws {
        let place = try exported()
        let result = try place.run("status", "--source", "sqlite:a.db")
        #expect(result.code == 0)
        #expect(result.text.contains("nothing is held on sqlite:a.db\n"))
        try place.expect(
            2,
            """
            sluice: 'sluice status' needs '--store' or '--source'
            hint: Give the store of a dataset, or, to see what is held on a database, '--source' \
            alone.

            """, "status")
        try place.expect(
            2,
            """
            sluice: 'sluice status' needs '--store'
            hint: Give the store of a dataset, or, to see what is held on a database, '--source' \
            alone.

            """, "status", "--source", "sqlite:a.db", "--release")
    }

    @Test func handoffRefusesAPositionThatIsNotExact() throws {
        try exported().expect(
            6,
            """
            sluice: the position of the dataset in file:out is not exact
            hint: A sqlite source has no position that 'debezium' could start from.

            """, "handoff", "--store", "file:out", "--for", "debezium")
    }

    @Test func doctorLooksAndLeavesNothing() throws {
        let place = try exported()
        let before = try place.listing("out")
        let result = try place.run(
            "doctor", "--source", "sqlite:a.db", "--store", "file:out", "--target", "sqlite:b.db")
        #expect(result.code == 0)
        #expect(result.text.contains("pass  sqlite:a.db: "))
        #expect(result.text.contains("pass  file:out: objects are listed\n"))
        #expect(result.text.contains("pass  sqlite:b.db: b.db can be made in the folder .\n"))
        #expect(!result.text.contains("only 0 MiB"))
        #expect(try place.listing("out") == before)
        #expect(try place.names("out/reports").count == 1)
        #expect(!place.exists("b.db"))
        try place.write("no database at all, but long enough to be read as one\n", to: "x.db")
        let sick = try place.run("doctor", "--source", "sqlite:x.db")
        #expect(sick.code == 1)
        #expect(
            sick.text == """
                fail  sqlite:x.db: x.db is not a SQLite database, or it is encrypted [SQLITE_NOTADB]
                      Check the path.

                """)
    }

    @Test func planWritesNothingAndNamesWhatIsInTheWay() throws {
        let place = try workspace()
        let before = try place.names(".")
        let free = try place.run("plan", "--source", "sqlite:a.db", "--target", "sqlite:b.db")
        #expect(free.code == 0)
        #expect(free.text.contains("\nmemory: at most "))
        #expect(try place.names(".") == before)
        try place.sql("b.db", "CREATE TABLE p(z)")
        let taken = try place.run("plan", "--source", "sqlite:a.db", "--target", "sqlite:b.db")
        #expect(taken.code == 6)
        #expect(taken.text.contains("\nrefused: table p exists already\n"))
    }

    private static let common = [
        "command", "status", "dataset", "tables", "rows", "shards", "bytes", "seconds", "verified",
        "position", "warnings",
    ]

    @Test(arguments: [
        ["export", "--source", "sqlite:a.db", "--store", "file:x"],
        ["run", "--source", "sqlite:a.db", "--store", "file:x", "--target", "sqlite:b.db"],
        ["load", "--store", "file:out", "--target", "sqlite:b.db"],
        ["plan", "--source", "sqlite:a.db"], ["status", "--store", "file:out"],
        ["inspect", "--store", "file:out"], ["doctor", "--store", "file:out"],
        ["prune", "--store", "file:out", "--keep", "1"],
    ])
    func theResultAsJSONHasTheMembersOfTheContract(_ command: [String]) throws {
        let place = try exported()
        let result = try place.run(command + ["--output", "json"])
        #expect(result.code == 0, "\(result.errorText)")
        #expect(result.text.split(separator: "\n").count == 1)
        let json = try JSON(parsing: result.output)
        let members = (json.members ?? []).map(\.key)
        #expect(Array(members.prefix(Self.common.count)) == Self.common)
        #expect(json["command"] == .string(command[0]))
    }

    @Test func aFailureAsJSONHasThemTooAndSaysWhy() throws {
        let place = try workspace()
        let result = try place.run(
            "export", "--source", "sqlite:gone.db", "--store", "file:x", "--output", "json",
            "--log-format", "json", "--quiet")
        #expect(result.code == 2)
        let json = try JSON(parsing: result.output)
        #expect(Array((json.members ?? []).map(\.key).prefix(11)) == Self.common)
        #expect(json["status"] == "failed")
        #expect(json["error"]?["kind"] == "usage")
        #expect(json["error"]?["message"] == "there is no database file gone.db")
        #expect(json["error"]?["exit"] == 2)
        let line = try JSON(parsing: result.errors)
        #expect(line["level"] == "error")
        #expect(line["exit"] == 2)
    }
}
