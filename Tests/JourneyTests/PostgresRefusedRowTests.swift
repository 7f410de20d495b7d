import TestSupport
import Testing

@Suite("A row that a PostgreSQL target refuses")
struct PostgresRefusedRowTests {
    private func refused(_ options: String...) throws -> Shell.Result {
        let place = try PostgresPlace()
        try place.source.sql(
            """
            CREATE TABLE t (id integer PRIMARY KEY, n integer);
            INSERT INTO t SELECT i, i FROM generate_series(1, 20000) AS i
            """)
        try place.target.sql(
            "CREATE TABLE t (id integer PRIMARY KEY, n integer CONSTRAINT small CHECK (n <> 17000))"
        )
        let result = try place.place.run(
            [
                "run", "--source", place.source.url, "--store", "file:out", "--target",
                place.target.url, "--on-existing", "use", "--quiet", "--lanes", "1",
            ] + options)
        #expect(try place.target.sql("SELECT count(*) FROM t") == "0\n")
        return Shell.Result(code: result.code, output: "", errors: result.errorText)
    }

    @Test("stops the run and is named by its key")
    func named() throws {
        let result = try refused()
        #expect(result.code == 1)
        #expect(
            result.errors == """
                sluice: new row for relation "t" violates check constraint "small" [23514]
                  while loading row 17000 (id = 17000) of public.t
                  while loading shard 00000 of chunk 0 of public.t
                hint: The target's table is stricter than the source's; change it, or leave the table out.

                """)
    }

    @Test("is named by its place where keys are hidden")
    func hidden() throws {
        let result = try refused("--hide-keys")
        #expect(result.errors.contains("\n  while loading row 17000 of public.t\n"))
    }
}
