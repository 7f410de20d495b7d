import TestSupport
import Testing

/// What `verify` finds when somebody changed a target on MariaDB.
@Suite("Verifying a MariaDB target")
struct MySQLVerifyTests {
    /// One change of a cell: table, assignment, and the row by its key.
    private static let changes = [
        ("whole_numbers", "u8 = 18446744073709551614", "id = 2"),
        ("whole_numbers", "i8 = 9007199254740992", "id = 2147483647"),
        ("whole_numbers", "flag = NULL", "id = 1"), ("whole_numbers", "y = 1999", "id = 5"),
        ("fractions", "f = 16777200", "id = 6"), ("fractions", "uf = 987654000", "id = 11"),
        ("fractions", "d = 0.1000000000000001", "id = 7"), ("fractions", "widest = 0", "id = 5"),
        ("fractions", "amount = 0.02", "id = 5"), ("fractions", "small = NULL", "id = 3"),
        ("bits", "b1 = 0", "id = 2"), ("bits", "b64 = b64 - 1", "id = 2"),
        ("texts", "t = NULL", "id = 1"), ("texts", "v = 'padded  '", "id = 3"),
        ("texts", "v = 'ANGSTROM 😀 𝄞 🏳️‍🌈'", "id = 5"), ("texts", "c = 'NULL'", "id = 9"),
        ("texts", "t4 = concat(t4, ' ')", "id = 7"), ("texts", "t = 'zero'", "id = 4"),
        ("character_sets", "latin = 'Ärger'", "id = 1"), ("character_sets", "b = 'bin'", "id = 1"),
        ("raw_bytes", "b = 0x00ff0000000001", "id = 3"), ("raw_bytes", "v = 0x2020", "id = 4"),
        ("calendar", "d = '0000-00-00'", "id = 4"), ("calendar", "t = '00:00:01'", "id = 4"),
        ("calendar", "dt6 = NULL", "id = 5"),
        ("calendar", "ts6 = ts6 - INTERVAL 1 MICROSECOND", "id = 2"),
        ("labels", "e = 'small'", "id = 10"), ("labels", "required = 'b'", "id = 10"),
        ("labels", "many = many - 1", "id = 2"), ("labels", "bin = 'A'", "id = 2"),
        ("documents", "j = '{}'", "id = 1"), ("documents", "v6 = '::2'", "id = 6"),
        ("documents", "u = NULL", "id = 2"), ("shapes", "g = POINT(2, 1)", "id = 1"),
        ("shapes", "p = ST_GeomFromText('POINT(0 0)')", "id = 2"),
    ]

    @Test("finds a changed cell of every type and names its row")
    func changedCells() throws {
        let place = try MySQLPlace("every-type.sql")
        try place.succeed("run")
        // Rows are put back as the server had them; nothing of them passes through a client.
        let permissive = "SET sql_mode = 'ALLOW_INVALID_DATES'"
        for (table, assignment, row) in Self.changes {
            try place.target.sql("\(permissive); UPDATE \(table) SET \(assignment) WHERE \(row)")
            let result = try place.run("verify", ["--quiet"])
            #expect(result.code == 3, "\(assignment): \(result.text)\(result.errorText)")
            #expect(
                result.text.contains(
                    """
                    \(table) differs: 1 row changed
                    changed in \(table): \(row)

                    """), "\(assignment): \(result.text)")
            try place.target.sql(
                """
                \(permissive); DELETE FROM \(table) WHERE \(row);
                INSERT INTO \(table) SELECT * FROM \(place.source.name).\(table) WHERE \(row)
                """)
        }
        try place.succeed("verify")
        try place.expectEqual()
    }

    @Test("finds rows that are missing, extra, and equal to another but for their number")
    func rows() throws {
        let place = try MySQLPlace("every-object.sql")
        try place.succeed("run")
        try place.target.sql(
            """
            DELETE FROM by_both WHERE id = 77;
            INSERT INTO in_latin VALUES (17, 'new', NULL);
            DELETE FROM no_key WHERE a = 1 LIMIT 1
            """)
        let result = try place.run("verify", ["--quiet"])
        #expect(result.code == 3, "\(result.errorText)")
        for line in [
            "by_both differs: 1 row missing", "missing from by_both: id = 77, d = 2020-03-18",
            "in_latin differs: 1 row extra", "extra in in_latin: id = 17",
            "no_key differs: 1 row missing",
        ] {
            #expect(result.text.contains(line + "\n"), "\(result.text)")
        }
    }
}
