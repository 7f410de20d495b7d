import SluiceCore
import Testing

/// Bounds: memory, time, and how many tables and columns there may be.
@Suite(.serialized) struct ScaleTests {
    /// A table of ten columns: numbers, texts, a blob, some NULLs.
    private func make(_ place: Workspace, rows: Int) throws {
        try place.sql(
            "a.db",
            """
            PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
            CREATE TABLE t(id INTEGER PRIMARY KEY, a INT, b REAL, c TEXT, d TEXT, e BLOB, f INT,
                g TEXT, h REAL, i INT);
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<\(rows))
            INSERT INTO t SELECT i, i*7919%1000003, i/3.0, 'name ' || i, 'a longer text of ' || i%97,
                x'00112233445566778899', CASE WHEN i%3 THEN i END, CASE i%5 WHEN 0 THEN '' END,
                -i*1e10, i%2 FROM n;
            PRAGMA journal_mode = DELETE;
            """)
    }

    /// What `sluice plan` promises, in bytes.
    private func promised(_ place: Workspace) throws -> Int {
        let result = try place.succeed(
            "plan", "--source", "sqlite:a.db", "--target", "sqlite:b.db", "--output", "json",
            "--quiet")
        return try #require(try JSON(parsing: result.output)["memory"]?["total"]?.integer)
    }

    /// Runs a migration under `time` and returns the most memory it had, in bytes.
    private func peak(_ place: Workspace) throws -> Int {
        let result = try Program(path: "/usr/bin/time", folder: place.path).run([
            "-f", "%M", "-o", place["peak"], place.sluice.path, "run", "--source", "sqlite:a.db",
            "--store", "file:out", "--target", "sqlite:b.db", "--quiet",
        ])
        #expect(result.code == 0, "\(result.errorText)")
        let text = String(decoding: try place.read("peak"), as: UTF8.self)
        return try #require(Int(text.dropLast())) * 1024
    }

    @Test func twoMillionRowsOfTenColumnsTakeLessThan200Megabytes() throws {
        let place = try Workspace()
        try make(place, rows: 2_000_000)
        let promised = try promised(place)
        let peak = try peak(place)
        #expect(peak < 200_000_000)
        #expect(peak <= promised)
        let sums = """
            SELECT count(*), sum(id), sum(a), sum(b), sum(length(c)), sum(length(d)), sum(f),
                count(g), sum(h), sum(i) FROM t
            """
        #expect(try place.sql("b.db", sums) == place.sql("a.db", sums))
    }

    @Test(.enabled(if: isLong)) func tenMillionRowsTakeNoMoreMemory() throws {
        let place = try Workspace()
        try make(place, rows: 10_000_000)
        let promised = try promised(place)
        let peak = try peak(place)
        #expect(peak < 200_000_000)
        #expect(peak <= promised)
    }

    @Test func aBlobOf100MegabytesArrives() throws {
        let place = try Workspace()
        try place.sql(
            "a.db",
            """
            CREATE TABLE big(id INTEGER PRIMARY KEY, b BLOB);
            INSERT INTO big VALUES(1, randomblob(100000000)), (2, x''), (3, zeroblob(1000))
            """)
        try place.succeed(
            "run", "--source", "sqlite:a.db", "--store", "file:out", "--target", "sqlite:b.db",
            "--quiet")
        let same = try place.sql(
            "a.db",
            """
            ATTACH '\(place["b.db"])' AS b;
            SELECT count(*), sum(x.b = y.b), max(length(y.b)) FROM big x JOIN b.big y USING (id)
            """)
        #expect(same == "3|3|100000000\n")
    }

    @Test func aRowLargerThanTheLimitIsRefusedByName() throws {
        let place = try Workspace()
        try place.sql(
            "a.db",
            """
            CREATE TABLE big(id INTEGER PRIMARY KEY, b BLOB); INSERT INTO big VALUES(1, x'00');
            INSERT INTO big VALUES(77, zeroblob(3000000))
            """)
        let result = try place.run(
            "run", "--source", "sqlite:a.db", "--store", "file:out", "--target", "sqlite:b.db",
            "--row-bytes", "1MiB", "--quiet")
        #expect(result.code == 6)
        #expect(
            result.errorText == """
                sluice: row id = 77 of big has more than 1048576 bytes
                  while reading chunk 0 of big
                hint: Raise --row-bytes, or leave the row out with --where.

                """)
    }

    @Test func aHundredTablesAndATableOf300ColumnsArrive() throws {
        let place = try Workspace()
        var sql = "BEGIN;"
        for table in 0..<100 {
            sql += "CREATE TABLE t\(table)(id INTEGER PRIMARY KEY, v);"
            sql += "INSERT INTO t\(table)(v) VALUES(\(table)),('\(table)');"
        }
        let columns = (0..<300).map { "c\($0)" }
        sql += "CREATE TABLE wide(\(columns.joined(separator: ",")));"
        for row in 0..<20 {
            let values = (0..<300).map { $0 % 7 == row % 7 ? "NULL" : "'\($0 * row)'" }
            sql += "INSERT INTO wide VALUES(\(values.joined(separator: ",")));"
        }
        try place.sql("a.db", sql + "COMMIT")
        let result = try place.succeed(
            "run", "--source", "sqlite:a.db", "--store", "file:out", "--target", "sqlite:b.db",
            "--quiet")
        #expect(result.text.hasPrefix("migrated 101 tables, 220 rows (101 shards, "))
        try place.expectEqual("a.db", "b.db")
    }

    @Test func helpComesAtOnce() throws {
        let sluice = try Program.sluice()
        var best = Double.infinity
        for _ in 0..<20 { best = min(best, try sluice.run(["--help"]).seconds) }
        #expect(best < 0.030)
    }
}
