import TestSupport
import Testing

/// PostgreSQL through a folder into PostgreSQL: afterwards pg_dump finds both databases the same.
@Suite("A migration from PostgreSQL to PostgreSQL")
struct PostgresMigrationTests {
    @Test(
        "arrives as it was, twice means once",
        arguments: ["every-type.sql", "every-object.sql"],
        [["--format", "avro"], ["--format", "csv", "--shard-bytes", "64KiB", "--lanes", "3"]])
    func wholeDatabase(_ fixture: String, _ options: [String]) throws {
        let place = try PostgresPlace(fixture)
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

    @Test("arrives in steps, from a dataset that another machine could load")
    func steps() throws {
        let place = try PostgresPlace("every-object.sql")
        try place.succeed("export")
        try place.expectNothingHeld()
        try place.succeed("load", "--trust-schema")
        try place.succeed("verify")
        try place.expectEqual()
    }

    @Test("of an empty database leaves an empty one")
    func empty() throws {
        let place = try PostgresPlace()
        try place.succeed("run")
        try place.expectEqual()
    }

    @Test("leaves statistics of every table, so that the first queries are planned well")
    func statistics() throws {
        let place = try PostgresPlace("every-object.sql")
        try place.succeed("run")
        // Also of partitioned tables, which the server's own autovacuum never looks at.
        let without = """
            SELECT c.oid::regclass FROM pg_class c
            WHERE (relkind IN ('r', 'm') OR relkind = 'p' AND relhassubclass) AND reltuples < 0 AND relnamespace::regnamespace::text
                NOT IN ('pg_catalog', 'information_schema', 'sluice') AND (relkind <> 'm' OR relispopulated)
                -- There is nothing that ANALYZE could say of a table without any part.
                AND (relkind <> 'p' OR EXISTS (SELECT FROM pg_inherits WHERE inhparent = c.oid))
            ORDER BY 1
            """
        #expect(try place.target.sql(without) == "")
        #expect(
            try place.target.sql("SELECT count(*) FROM pg_stats WHERE tablename = 'indexed'")
                != "0\n")
    }

    @Test("stays the same with one lane and with many", arguments: ["1", "8"])
    func lanes(_ lanes: String) throws {
        let place = try PostgresPlace("every-type.sql")
        try place.succeed("run", "--lanes", lanes, "--shard-bytes", "16KiB")
        try place.expectEqual()
    }

    @Test("replaces what is there, extensions and large objects included")
    func replace() throws {
        let place = try PostgresPlace("every-object.sql")
        // Every function of an extension that is made behind it would depend on it.
        try place.source.sql("DROP TRANSFORM FOR integer LANGUAGE sql CASCADE")
        try place.succeed("run")
        try place.target.sql(
            "DELETE FROM indexed; DROP VIEW app.plain; COMMENT ON TABLE parents IS 'x'")
        try place.succeed("run", "--on-existing", "replace", store: "file:again")
        try place.expectEqual()
    }

    @Test("replaces nothing where something of another kind has the name")
    func otherKind() throws {
        let place = try PostgresPlace()
        try place.source.sql("CREATE TABLE a (id integer); CREATE TABLE b (id integer)")
        try place.target.sql("CREATE TABLE a (x text); CREATE VIEW b AS SELECT 1 AS x")
        let before = try place.target.sql("SELECT oid FROM pg_class WHERE relname IN ('a', 'b')")
        let result = try place.run("run", ["--on-existing", "replace", "--quiet"])
        #expect(
            result.errorText == """
                sluice: view public.b stands where a table is to be made
                hint: The target was not touched. Change it, or choose another --on-existing.

                """)
        #expect(result.code == 6)
        #expect(
            try place.target.sql("SELECT oid FROM pg_class WHERE relname IN ('a', 'b')") == before)
    }

    @Test("moves the tables that were chosen")
    func chosenTables() throws {
        let place = try PostgresPlace("every-type.sql")
        try place.succeed(
            "run", "--tables", "public.key_*,public.keyless", "--where", "public.keyless=a = 1")
        let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
        #expect(try place.target.sql(tables) == "9\n")
        #expect(try place.target.sql("SELECT count(*) FROM keyless") == "3\n")
        #expect(try place.target.sql("SELECT count(*) FROM key_many") == "3000\n")
    }
}
