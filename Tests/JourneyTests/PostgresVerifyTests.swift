import TestSupport
import Testing

/// What `verify` finds when somebody changed a target on PostgreSQL.
@Suite("Verifying a PostgreSQL target")
struct PostgresVerifyTests {
    /// One change of a cell: table, assignment, and the row by its key.
    private static let changes = [
        ("numbers", "f8 = '0'", "id = 3"), ("numbers", "amount = 10000.01", "id = 9"),
        ("numbers", "free = 1.1", "id = 8"), ("numbers", "cash = 0.02", "id = 7"),
        ("numbers", "wide = 'NaN'", "id = 5"), ("numbers", "round_up = NULL", "id = 7"),
        ("numbers", "i8 = 9007199254740992", "id = 8"), ("numbers", "flag = NOT flag", "id = 2"),
        ("texts", "t = NULL", "id = 1"), ("texts", "fixed = 'y'", "id = 10"),
        ("texts", "v = v || ' '", "id = 5"), ("texts", "raw = '\\x00'", "id = 5"),
        ("texts", "t = U&'\\00E9 and \\00E9'", "id = 7"), ("texts", "one = 'B'", "id = 7"),
        ("calendar", "ts = '-infinity'", "id = 3"), ("calendar", "t = '00:00'", "id = 2"),
        ("calendar", "tz = '11:00-04:30'", "id = 5"), ("calendar", "i = '24:00:00'", "id = 4"),
        ("calendar", "d = d + 1", "id = 1"), ("bits", "v = '0'", "id = 4"),
        ("documents", "j = '{\"a\":1}'", "id = 5"), ("documents", "b = '1e-301'", "id = 8"),
        ("own_types", "m = 'ok'", "id = 1"), ("own_types", "p = '(,,1)'", "id = 4"),
        ("arrays", "i = '{1,2,3}'", "id = 4"), ("arrays", "t = '{}'", "id = 3"),
        ("spans", "i4 = '[1,9)'", "id = 3"), ("places", "pt = '(0,0)'", "id = 3"),
        ("searching", "v = 'a'", "id = 2"), ("identifiers", "o = 1", "id = 1"),
        ("made_up", "v = '8'", "id = 1"),
    ]

    @Test("finds a changed cell of every type and names its row")
    func changedCells() throws {
        let place = try PostgresPlace("every-type.sql")
        try place.succeed("run")
        for (table, assignment, row) in Self.changes {
            let copy = try PostgresDatabase(copying: place.target.name)
            try copy.sql("UPDATE \(table) SET \(assignment) WHERE \(row)")
            let result = try place.place.run(
                "verify", "--store", "file:out", "--target", copy.url, "--quiet")
            #expect(result.code == 3, "\(assignment): \(result.text)\(result.errorText)")
            #expect(
                result.text.contains(
                    """
                    public.\(table) differs: 1 row changed
                    changed in public.\(table): \(row)

                    """), "\(assignment): \(result.text)")
        }
    }

    @Test("finds rows that are missing, extra, and equal to another but for their number")
    func rows() throws {
        let place = try PostgresPlace("every-type.sql")
        try place.succeed("run")
        try place.target.sql(
            """
            DELETE FROM key_many WHERE b = 'k1' AND v = 'value 1';
            INSERT INTO key_text VALUES ('it''s new', 1);
            DELETE FROM keyless WHERE ctid IN (SELECT ctid FROM keyless WHERE a = 1 LIMIT 1)
            """)
        let result = try place.run("verify", ["--quiet"])
        #expect(result.code == 3, "\(result.errorText)")
        for line in [
            "public.key_many differs: 1 row missing", "public.key_text differs: 1 row extra",
            "extra in public.key_text: k = 'it''s new'", "public.keyless differs: 1 row missing",
        ] {
            #expect(result.text.contains(line + "\n"), "\(result.text)")
        }
    }
}
