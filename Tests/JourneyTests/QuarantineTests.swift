import Glibc
import SluiceCore
import Testing

/// Rows that a SQLite target refuses are set aside, and nothing of them is lost or loaded twice.
@Suite("Rows in quarantine") struct QuarantineTests {
    private static let ends = [
        "--source", "sqlite:a.db", "--store", "file:out", "--target", "sqlite:b.db",
        "--on-existing", "use", "--shard-bytes", "64KiB",
    ]
    private static let quarantine = ends + ["--on-bad-row", "quarantine"]

    /// 20,000 rows, of which the target refuses 3.
    private func place() throws -> Workspace {
        let place = try Workspace()
        try place.sql(
            "a.db",
            """
            CREATE TABLE orders(id INTEGER PRIMARY KEY, total INT, note TEXT); CREATE TABLE empty(k TEXT);
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 20000)
            INSERT INTO orders SELECT i, i, 'note ' || i FROM n;
            """)
        try place.sql(
            "b.db",
            """
            CREATE TABLE orders(id INTEGER PRIMARY KEY, total INT CONSTRAINT small CHECK(total NOT IN (7, 9000)),
                note TEXT CONSTRAINT other CHECK(note <> 'note 15000'));
            CREATE TABLE empty(k TEXT)
            """)
        return place
    }

    private func rejects(_ place: Workspace) throws -> [String] {
        try place.names("out/rejects").map { "rejects/\($0)" }.filter { $0.hasSuffix(".avro") }
    }

    private func lines(_ place: Workspace) throws -> String {
        """
        orders: 3 rows in quarantine
        in quarantine from orders: id = 7 (CHECK constraint failed: small [SQLITE_CONSTRAINT 275])
        in quarantine from orders: id = 9000 (CHECK constraint failed: small [SQLITE_CONSTRAINT 275])
        in quarantine from orders: id = 15000 (CHECK constraint failed: other [SQLITE_CONSTRAINT 275])

        """
            + (try rejects(place)).map { "sluice inspect --store file:out --shard \($0)\n" }
            .joined()
    }

    /// Everything but the three is there, once.
    private func expectRest(
        _ place: Workspace, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let rest = try place.sql(
            "a.db", "SELECT * FROM orders WHERE id NOT IN (7, 9000, 15000) ORDER BY id")
        #expect(
            try place.sql("b.db", "SELECT * FROM orders ORDER BY id") == rest,
            sourceLocation: sourceLocation)
    }

    @Test(
        "are kept in the dataset, the others are loaded, and the run ends with exit 3, again and again"
    )
    func run() throws {
        let place = try place()
        let result = try place.run(["run"] + Self.quarantine + ["--quiet"])
        #expect(result.code == 3)
        let warning = "warning: 1 row of orders refused and set aside\n"
        #expect(result.errorText == warning + warning + warning)
        let text = result.text
        let verdict =
            "verified: the target and the quarantine hold exactly the rows of the snapshot\n"
        #expect(text.hasSuffix(try lines(place) + verdict), "\(text)")
        #expect(text.hasPrefix("migrated 2 tables, 20,000 rows ("))
        try expectRest(place)
        #expect(try rejects(place).count == 3)
        let before = try place.listing("out")
        for options in [Self.quarantine, Self.ends] {
            let again = try place.run(["run"] + options + ["--quiet"])
            #expect(again.code == 3)
            #expect(again.errorText == "")
            #expect(
                again.text.contains(
                    "everything is there and was verified before; nothing was done\n"
                        + (try lines(place))))
        }
        #expect(try place.listing("out") == before)
        try expectRest(place)
    }

    @Test("are told by every command that looks")
    func looking() throws {
        let place = try place()
        #expect(try place.run(["run"] + Self.quarantine + ["--quiet"]).code == 3)
        let verified = try place.run(
            "verify", "--store", "file:out", "--target", "sqlite:b.db", "--quiet")
        #expect(verified.code == 3)
        #expect(
            verified.text.hasSuffix(
                try lines(place)
                    + "verified: the target and the quarantine hold exactly the rows of the dataset\n"
            ))
        let status = try place.run("status", "--store", "file:out", "--target", "sqlite:b.db")
        #expect(status.code == 0)
        #expect(
            status.text.hasSuffix(
                "load: 19997 of 20000 rows, \(try shardCount(place)) of \(try shardCount(place)) shards,"
                    + " verified\n" + (try lines(place))))
        let alone = try place.run("status", "--store", "file:out")
        #expect(alone.code == 0)
        #expect(alone.text.hasSuffix(" stored\n" + (try lines(place))))
        let first = try rejects(place)[0]
        let shown = try place.run("inspect", "--store", "file:out", "--shard", first)
        let origin = try place.names("out/data")[1]
        #expect(shown.code == 0)
        #expect(
            shown.text == """
                id,total,note
                7,7,note 7
                row 7 of data/\(origin): CHECK constraint failed: small [SQLITE_CONSTRAINT 275]

                """)
        try place.expect(
            2,
            """
            sluice: the dataset has no rejects 'rejects/orders/x.avro'
            hint: sluice status --target says where refused rows are.

            """, "inspect", "--store", "file:out", "--shard", "rejects/orders/x.avro")
    }

    private func shardCount(_ place: Workspace) throws -> Int { try place.names("out/data").count }

    @Test("are in the result for programs, by reason, and keys only where they may be shown")
    func json() throws {
        let place = try place()
        let result = try place.run(
            ["run"] + Self.quarantine + ["--quiet", "--hide-keys", "--output", "json"])
        #expect(result.code == 3)
        let json = try JSON(parsing: result.output)
        #expect(json["status"] == .string("quarantined"))
        #expect(json["verified"] == .bool(true))
        #expect(json["differences"] == .array([]))
        let table = try #require(json["quarantine"]?.elements?.first)
        #expect(table["table"] == .string("orders"))
        #expect(table["rows"] == .int(3))
        #expect(
            table["reasons"] == [
                [
                    "code": "SQLITE_CONSTRAINT 275", "message": "CHECK constraint failed: small",
                    "rows": .int(2),
                ],
                [
                    "code": "SQLITE_CONSTRAINT 275", "message": "CHECK constraint failed: other",
                    "rows": .int(1),
                ],
            ])
        #expect(table["shards"] == .array(try rejects(place).map(JSON.string)))
        let shards = try place.names("out/data").filter { $0.hasPrefix("orders/") }
        #expect(table["rowNames"]?.elements?.first == .string("row 7 of data/\(shards[0])"))
        #expect(!result.text.contains("id = "))
        for name in try place.names("out/rejects") where name.hasSuffix(".json") {
            let note = String(decoding: try place.read("out/rejects/\(name)"), as: UTF8.self)
            #expect(note.contains("\"key\": null") && !note.contains("id = "))
        }
    }

    @Test("are no more than the limit says; with a higher one the same command goes on")
    func limit() throws {
        let place = try place()
        let result = try place.run(
            ["run"] + Self.quarantine + ["--bad-row-limit", "2", "--lanes", "1", "--quiet"])
        #expect(result.code == 1)
        let message = result.errorText.split(separator: "\n").suffix(4).joined(separator: "\n")
        #expect(
            message == """
                sluice: more than 2 rows refused (--bad-row-limit), the last one: \
                CHECK constraint failed: other [SQLITE_CONSTRAINT 275]
                  while loading row 3224 (id = 15000) of orders
                  while loading shard 00000 of chunk 3 of orders
                hint: Change the target, or raise the limit; the same command goes on from here.
                """)
        #expect(try rejects(place).count == 2)
        #expect(
            try place.run(
                ["run"] + Self.quarantine + ["--bad-row-limit", "3", "--quiet"]
            ).code == 3)
        try expectRest(place)
        #expect(try rejects(place).count == 3)
    }

    @Test("come after rows that differ: both are told")
    func differing() throws {
        let place = try place()
        #expect(try place.run(["run"] + Self.quarantine + ["--quiet"]).code == 3)
        try place.sql("b.db", "DELETE FROM orders WHERE id IN (6, 8999)")
        let result = try place.run(
            "verify", "--store", "file:out", "--target", "sqlite:b.db", "--quiet")
        #expect(result.code == 3)
        #expect(
            result.text.hasSuffix(
                """
                orders differs: 2 rows missing
                missing from orders: id = 6
                missing from orders: id = 8999
                \(try lines(place))not verified: the target differs

                """), "\(result.text)")
    }

    @Test("are missed where they are gone or were changed")
    func damage() throws {
        let place = try place()
        #expect(try place.run(["run"] + Self.quarantine + ["--quiet"]).code == 3)
        let verify = ["verify", "--store", "file:out", "--target", "sqlite:b.db", "--quiet"]
        let shard = try rejects(place)[0]
        let note = shard.dropLast(5) + ".json"
        let wholeNote = try place.read("out/\(note)")
        _ = try Program.tool("rm").run([place["out/\(note)"]])
        #expect(
            try place.run(verify).errorText == """
                sluice: \(note) is missing from file:out, and the ledger names rows there
                hint: Restore the object, or load again into an empty target.

                """)
        try place.write(wholeNote, to: "out/\(note)")
        let wholeShard = try place.read("out/\(shard)")
        var changed = wholeShard
        changed[changed.count - 20] ^= 1
        try place.write(changed, to: "out/\(shard)")
        let result = try place.run(verify)
        #expect(result.code == 6)
        #expect(result.errorText.hasPrefix("sluice: \(shard) is not the object that was sealed\n"))
        try place.write(wholeShard, to: "out/\(shard)")
        try place.sql("b.db", "UPDATE sluice_ledger SET rows = 2 WHERE unit = '\(shard)'")
        let claimed = try place.run(verify)
        #expect(claimed.code == 3)
        #expect(
            claimed.errorText == """
                sluice: the ledger holds another digest of \(shard) than the note beside it
                hint: Somebody changed the ledger or the dataset; load again into an empty target.

                """)
        try place.sql(
            "b.db",
            "UPDATE sluice_ledger SET rows = 1, unit = 'rejects/x' WHERE unit = '\(shard)'")
        let foreign = try place.run(verify)
        #expect(foreign.code == 3)
        #expect(
            foreign.errorText == """
                sluice: the ledger names rejects that the dataset cannot have
                hint: Somebody changed the ledger; load again into an empty target.

                """)
    }

    @Test(
        "are no data: a load into a target that takes them finds the whole table, and prune removes them"
    )
    func noData() throws {
        let place = try place()
        #expect(try place.run(["run"] + Self.quarantine + ["--quiet"]).code == 3)
        try place.succeed("load", "--store", "file:out", "--target", "sqlite:c.db")
        try place.succeed("verify", "--store", "file:out", "--target", "sqlite:c.db")
        #expect(try place.sql("c.db", "SELECT count(*) FROM orders") == "20000\n")
        // A later one, so that the first may go.
        _ = try Program.tool("mv").run([place["out"], place["all"]])
        _ = try Program.tool("mkdir").run([place["sets"]])
        _ = try Program.tool("mv").run([place["all"], place["sets/1"]])
        sleep(1)
        try place.succeed("export", "--source", "sqlite:a.db", "--store", "file:sets/2")
        try place.succeed("prune", "--store", "file:sets", "--keep", "1")
        #expect(!place.exists("sets/1"))
    }

    @Test("have no place where files of others are imported")
    func imports() throws {
        let place = try Workspace()
        try place.write(
            """
            store: file:in
            target: sqlite:b.db
            on-bad-row: quarantine
            import:
              - {table: t, format: csv, files: '*.csv', columns: [{name: a, type: text}]}
            """, to: "job.yaml")
        try place.expect(
            2,
            """
            sluice: '--on-bad-row quarantine' does not go with 'import'
            hint: There is no dataset that rows could be set aside in; leave it out.

            """, "load", "--config", "job.yaml")
    }

    @Test("are the same however often the run is killed")
    func killed() throws {
        let undisturbed = try place()
        let seconds = try undisturbed.run(["run"] + Self.quarantine + ["--quiet"]).seconds
        let expected = try rejects(undisturbed)
        var random = SystemRandomNumberGenerator()
        for _ in 0..<(isLong ? 60 : 4) {
            let place = try place()
            for _ in 0..<3 {
                let process = try place.sluice.start(["run"] + Self.quarantine + ["--quiet"])
                if process.runs(afterAtMost: Double.random(in: 0..<seconds, using: &random)) {
                    process.signal(SIGKILL)
                }
                #expect([3, 137].contains(process.wait().code))
            }
            let result = try place.run(["run"] + Self.quarantine + ["--quiet"])
            #expect(result.code == 3, "\(result.errorText)")
            try expectRest(place)
            let named = try place.sql(
                "b.db", "SELECT unit FROM sluice_ledger WHERE unit LIKE 'rejects/%' ORDER BY unit")
            #expect(named.split(separator: "\n").map(String.init) == expected)
        }
    }
}
