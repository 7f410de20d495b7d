import SluiceCore
import Testing

/// `plan --check-values` names before the window what a load would refuse.
@Suite("A check of values") struct ValueCheckTests {
    private func place() throws -> Workspace {
        let place = try Workspace()
        try place.sql(
            "shop.db",
            """
            CREATE TABLE item(id INTEGER PRIMARY KEY, name TEXT, price, stock INT);
            INSERT INTO item VALUES (1, 'a', 1.0, 5), (2, 'A', 'x', 6), (3, 'b', x'00', 7), (4, 'c', 2, NULL),
                (5, 'd', 3, 8);
            CREATE TABLE tag(item INT, word TEXT);
            INSERT INTO tag VALUES (1, 'x'), (1, 'x '), (2, 'x'), (NULL, 'x'), (NULL, 'x');
            """)
        return place
    }

    private static let schema = """
        CREATE TABLE item(id INTEGER PRIMARY KEY, name TEXT COLLATE NOCASE UNIQUE, price NUMERIC,
            stock INT NOT NULL CONSTRAINT few CHECK(stock < 8));
        CREATE TABLE tag(item INT, word TEXT COLLATE RTRIM);
        CREATE UNIQUE INDEX tag_once ON tag(item, word)
        """

    private static let ends = [
        "--source", "sqlite:shop.db", "--target", "sqlite:new.db", "--on-existing", "use",
    ]

    private static let lines = """
        refused: table item: CHECK constraint failed: few: 1 row
          id = 5
          hint: The target's constraint is stricter than the source; drop it, or leave the table out.
        refused: table item: NOT NULL constraint failed: item.stock: 1 row
          id = 4
          hint: The target's constraint is stricter than the source; drop it, or leave the table out.
        refused: table item: column price cannot keep a whole real number: SQLite would make it an integer: 1 row
          id = 1
          hint: Declare the column without a type in the target, or leave the table out.
        refused: table item: unique key (name) takes different rows for the same: 2 rows
          id = 1 and id = 2
          hint: Drop or change the target's key, or change one of the rows in the source.
        refused: table tag: unique key tag_once takes different rows for the same: 2 rows
          rowid = 1 and rowid = 2
          hint: Drop or change the target's key, or change one of the rows in the source.

        """

    @Test(
        "names each row that would be refused, with column, reason and remedy, and writes nothing")
    func refused() throws {
        let place = try place()
        try place.sql("new.db", Self.schema)
        let before = try place.listing(".")
        let result = try place.run(["plan"] + Self.ends + ["--check-values", "--quiet"])
        #expect(result.code == 6, "\(result.errorText)")
        #expect(result.errorText == "")
        #expect(result.text.contains(Self.lines), "\(result.text)")
        #expect(try place.listing(".") == before)
    }

    @Test("names the rows that a load sets aside, and of equal rows all but the first")
    func oracle() throws {
        let place = try place()
        try place.sql("new.db", Self.schema)
        let run = try place.run(
            ["run"] + Self.ends + ["--store", "file:out", "--on-bad-row", "quarantine", "--quiet"])
        #expect(run.code == 3, "\(run.errorText)")
        let aside = run.text.split(separator: "\n").filter { $0.hasPrefix("in quarantine from ") }
            .map { $0.prefix { $0 != "(" } }
        #expect(
            aside == [
                "in quarantine from item: id = 1 ", "in quarantine from item: id = 4 ",
                "in quarantine from item: id = 5 ", "in quarantine from tag: rowid = 2 ",
            ])
    }

    @Test("counts the rows that it looked at where every value fits")
    func fits() throws {
        let place = try place()
        let result = try place.succeed(
            "plan", "--source", "sqlite:shop.db", "--target", "sqlite:new.db", "--check-values")
        #expect(result.text.contains("\nevery value fits: 10 rows looked at\n"), "\(result.text)")
        #expect(!place.exists("new.db"))
    }

    @Test("gives places instead of keys where keys are hidden, and the same as JSON")
    func json() throws {
        let place = try place()
        try place.sql("new.db", Self.schema)
        let result = try place.run(
            ["plan"] + Self.ends
                + ["--check-values", "--quiet", "--hide-keys", "--output", "json"])
        #expect(result.code == 6)
        let json = try JSON(parsing: Array(result.text.utf8))
        #expect(json["checked"] == 10)
        #expect(json["status"] == "failed")
        let misfits = try #require(json["misfits"]?.elements)
        #expect(misfits.count == 5)
        #expect(
            misfits[1]
                == [
                    "schema": nil, "table": "item", "column": "stock",
                    "message": "NOT NULL constraint failed: item.stock",
                    "hint":
                        "The target's constraint is stricter than the source; drop it, or leave the table out.",
                    "rows": 1, "named": ["row 4 of chunk 0"],
                ])
        #expect(misfits[4]["key"] == "tag_once")
        #expect(misfits[4]["named"] == ["row 1 of chunk 0 and row 2 of chunk 0"])
    }

    @Test("needs a target, and waits until nothing else is in the way")
    func needs() throws {
        let place = try place()
        try place.expect(
            2,
            """
            sluice: --check-values needs the target whose columns the values are to fit
            hint: Give --target.

            """, "plan", "--source", "sqlite:shop.db", "--check-values")
        try place.sql("new.db", "CREATE TABLE item(id INTEGER PRIMARY KEY)")
        let result = try place.run(["plan"] + Self.ends + ["--check-values", "--quiet"])
        #expect(result.code == 6)
        #expect(
            result.errorText.hasSuffix(
                "warning: values were not looked at, because the target is refused as it is\n"),
            "\(result.errorText)")
    }
}
