import TestSupport
import Testing

/// Large rows, wide rows, many rows and many tables, within the memory that `plan` prints.
@Suite("The sizes of a PostgreSQL database", .serialized)
struct PostgresSizeTests {
    /// Runs sluice and says how many bytes it had at most, and how many it said it would.
    private func measuredRun(_ place: PostgresPlace, _ options: String...) throws -> (
        peak: Int, limit: Int, largestRow: Int
    ) {
        let plan = try place.place.run(
            [
                "plan", "--source", place.source.url, "--target", place.target.url, "--output",
                "json", "--quiet",
            ]
                + options)
        let sum = try #require(
            plan.text.firstMatch(of: /"memory":\{"total":(\d+),"largestRow":(\d+)/))
        var timed = try Program.tool("time")
        timed.folder = place.place.path
        let result = try timed.run(
            ["-f", "%M", "-o", "peak", place.place.sluice.path, "run"] + place.ends(of: "run")
                + ["--quiet"] + options)
        #expect(result.code == 0, "\(result.errorText)")
        let peak = String(decoding: try place.place.read("peak"), as: UTF8.self).dropLast()
        return ((Int(peak) ?? .max / 2048) * 1024, Int(sum.1) ?? 0, Int(sum.2) ?? 0)
    }

    @Test("may be a row of many megabytes")
    func largeRow() throws {
        let megabytes = isLong ? 200 : 24
        let place = try PostgresPlace()
        try place.source.sql(
            """
            CREATE TABLE large (id integer PRIMARY KEY, t text, b bytea);
            INSERT INTO large VALUES (1, repeat('é', \(megabytes) << 18), ''),
                (2, '', decode(repeat('0123456789abcdef', \(megabytes) << 16), 'hex')), (3, 'small', NULL)
            """)
        let (peak, limit, largestRow) = try measuredRun(place)
        #expect(peak <= limit + largestRow)
        let sums = "SELECT id, md5(t), md5(b) FROM large ORDER BY id"
        #expect(try place.target.sql(sums) == place.source.sql(sums))
    }

    @Test("may be a row larger than allowed, which is named")
    func tooLargeRow() throws {
        let place = try PostgresPlace()
        try place.source.sql(
            """
            CREATE TABLE large (id integer PRIMARY KEY, t text);
            INSERT INTO large VALUES (7, repeat('x', 3000000)), (8, '')
            """)
        let result = try place.run("run", ["--row-bytes", "1MiB", "--quiet"])
        #expect([1, 6].contains(result.code), "\(result.errorText)")
        #expect(result.errorText.contains("public.large"))
        #expect(result.errorText.contains("--row-bytes"))
        #expect(!result.errorText.contains("xxxx"))
    }

    @Test("may be many rows of 20 kB")
    func longRows() throws {
        let place = try PostgresPlace()
        try place.source.sql(
            """
            CREATE TABLE long (id integer PRIMARY KEY, t text);
            ALTER TABLE long ALTER t SET STORAGE EXTERNAL;
            INSERT INTO long SELECT g, repeat(md5(g::text), 640) FROM generate_series(1, \(isLong ? 100_000 : 5000)) g
            """)
        let (peak, limit, _) = try measuredRun(place)
        #expect(peak <= limit)
        let sums = "SELECT count(*), sum(hashtextextended(t, id)::numeric) FROM long"
        #expect(try place.target.sql(sums) == place.source.sql(sums))
    }

    @Test("may be thousands of tables")
    func manyTables() throws {
        let count = isLong ? 5000 : 300
        let place = try PostgresPlace()
        // Each table takes locks to the end of its transaction.
        for start in stride(from: 1, through: count, by: 500) {
            try place.source.sql(
                """
                DO $$ BEGIN FOR i IN \(start)..\(min(start + 499, count)) LOOP
                    EXECUTE format('CREATE TABLE t%s (id integer PRIMARY KEY, v text UNIQUE)', i);
                    EXECUTE format('INSERT INTO t%s SELECT g, %L || g FROM generate_series(1, %s) g', i, 'v', i % 4);
                END LOOP; END $$
                """)
        }
        let (peak, limit, _) = try measuredRun(place)
        #expect(peak <= limit)
        try place.expectEqual()
    }

    @Test("may be keys that crowd at one end")
    func skewedKeys() throws {
        let place = try PostgresPlace()
        try place.source.sql(
            """
            CREATE TABLE skewed (id bigint, part text, v text, PRIMARY KEY (part, id)) PARTITION BY LIST (part);
            CREATE TABLE skewed_a PARTITION OF skewed FOR VALUES IN ('a');
            CREATE TABLE skewed_rest PARTITION OF skewed DEFAULT;
            INSERT INTO skewed SELECT g, 'a', md5(g::text) FROM generate_series(1, 200000) g;
            INSERT INTO skewed SELECT g * 46116860184273, 'b' || g % 2, 'far' FROM generate_series(1, 1000) g
            """)
        try place.succeed("run", "--shard-bytes", "1MiB")
        try place.expectEqual()
    }
}
