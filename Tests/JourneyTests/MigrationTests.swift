import Testing

/// SQLite through a folder into SQLite: afterwards both files are the same to SQLite's own tools.
@Suite struct MigrationTests {
    static let formats = [
        ["--format", "avro", "--codec", "zstandard"], ["--format", "avro", "--codec", "deflate"],
        ["--format", "avro", "--codec", "snappy"], ["--format", "avro", "--codec", "none"],
        ["--format", "csv", "--codec", "zstandard"], ["--format", "csv", "--codec", "none"],
    ]

    /// What `.dump` leaves out.
    static let settings = """
        PRAGMA user_version; PRAGMA application_id; PRAGMA page_size; PRAGMA encoding;
        PRAGMA auto_vacuum; SELECT name, seq FROM sqlite_sequence ORDER BY name;
        SELECT * FROM sqlite_stat1 ORDER BY 1, 2, 3
        """

    /// The SELECT that shows every value of every table with its kind and bytes.
    static func values(_ place: Workspace, _ database: String) throws -> String {
        let queries = try place.sql(
            database,
            """
            SELECT 'SELECT ' || quote(t.name) || ',' || group_concat(
                'typeof("' || replace(c.name, '"', '""') || '"),'
                || 'CASE typeof("' || replace(c.name, '"', '""') || '") WHEN ''real'''
                || ' THEN printf(''%!.20e'',"' || replace(c.name, '"', '""') || '")'
                || ' ELSE hex("' || replace(c.name, '"', '""') || '") END')
                || ' FROM "' || replace(t.name, '"', '""') || '";'
            FROM pragma_table_list t, pragma_table_xinfo(t.name) c
            WHERE t.schema = 'main' AND t.type IN ('table', 'shadow')
                AND t.name NOT LIKE 'sqlite_s%' AND t.name <> 'sluice_ledger' AND c.hidden <> 1
            GROUP BY t.name ORDER BY t.name
            """)
        return try place.sql(database, queries)
    }

    private func expectSame(_ place: Workspace) throws {
        try place.expectEqual("a.db", "b.db")
        #expect(try place.sql("a.db", Self.settings) == place.sql("b.db", Self.settings))
        let expected = try Self.values(place, "a.db")
        #expect(expected.utf8.count > 100_000)
        #expect(try expected == Self.values(place, "b.db"))
        #expect(
            try place.sql("b.db", "SELECT title FROM fts WHERE fts MATCH 'jumps'") == "second\n")
        #expect(
            try place.sql("b.db", "SELECT x FROM fts4t WHERE x MATCH 'some'") == "some words here\n"
        )
        #expect(try place.sql("b.db", "SELECT id FROM rt WHERE minx > 5") == "2\n")
        #expect(
            try place.sql("b.db", "SELECT rowid FROM fcl WHERE fcl MATCH 'contentless'") == "1\n")
    }

    @Test(arguments: formats)
    func aDatabaseWithEveryKindOfObjectArrivesAsItWas(_ format: [String]) throws {
        let place = try Workspace()
        try place.make("a.db", from: "edge.sql")
        let result = try place.run(
            ["run", "--source", "sqlite:a.db", "--store", "file:out", "--target", "sqlite:b.db"]
                + format)
        #expect(result.code == 0, "\(result.errorText)")
        #expect(
            result.text.hasSuffix("verified: the target holds exactly the rows of the snapshot\n"))
        try expectSame(place)
    }

    @Test(arguments: [
        ["PRAGMA encoding = 'UTF-16le'", "1", "snapshot"],
        ["PRAGMA encoding = 'UTF-16be'", "2", "locked"],
        ["PRAGMA page_size = 512", "4", "snapshot"],
        ["PRAGMA page_size = 65536", "2", "locked"],
        ["PRAGMA journal_mode = WAL", "4", "snapshot"],
    ])
    func itArrivesFromEveryKindOfFileInTinyShards(_ shape: [String]) throws {
        let place = try Workspace()
        try place.make("a.db", before: shape[0], from: "edge.sql")
        try place.succeed(
            "run", "--source", "sqlite:a.db", "--store", "file:out", "--target", "sqlite:b.db",
            "--shard-bytes", "1KiB", "--lanes", shape[1], "--consistency", shape[2])
        try expectSame(place)
    }

    @Test func theSameCommandASecondTimeDoesNothingAndSaysSo() throws {
        let place = try Workspace()
        try place.make("a.db", from: "edge.sql")
        let command = [
            "run", "--source", "sqlite:a.db", "--store", "file:out", "--target", "sqlite:b.db",
        ]
        #expect(try place.run(command).code == 0)
        let store = try place.listing("out")
        let target = try place.read("b.db")
        let again = try place.run(command + ["--quiet"])
        #expect(again.code == 0)
        #expect(again.text == "everything is there and was verified before; nothing was done\n")
        #expect(again.errorText == "")
        #expect(try place.listing("out") == store)
        #expect(try place.read("b.db") == target)
    }
}
