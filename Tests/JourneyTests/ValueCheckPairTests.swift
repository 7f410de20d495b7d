import SluiceCore
import TestSupport
import Testing

/// From engine to engine: what `plan --check-values` names is what a load refuses, no row more and
/// none less.
@Suite("A check of values between engines") struct ValueCheckPairTests {
    /// A column of the source, one of the target that is there, and values on both sides of what it
    /// takes, each in a row of its own.
    struct Column: Sendable {
        let from: String
        let to: String
        let values: [String]

        init(_ from: String, _ to: String, _ values: String...) {
            self.from = from
            self.to = to
            self.values = values
        }
    }

    struct Pair: Sendable, CustomStringConvertible {
        let from: AnyDatabase.Engine
        let to: AnyDatabase.Engine
        var before = ""
        let columns: [Column]
        /// How many rows are refused in all.
        let refused: Int
        var description: String { "\(from) to \(to)" }
    }

    private static let postgresToMariaDB = Pair(
        from: .postgres, to: .mariadb,
        columns: [
            Column("integer", "tinyint", "127", "128", "-128", "-129"),
            Column("integer", "tinyint unsigned", "0", "-1", "255", "256"),
            Column("bigint", "decimal(4,1)", "999", "1000", "-1000"),
            Column("numeric(12,2)", "decimal(6,2)", "9999.99", "10000", "-10000", "'NaN'"),
            Column("numeric", "decimal(6,2)", "1.50", "1.5", "12345.00", "9999.00", "'NaN'"),
            Column("text", "varchar(3)", "'abc'", "'abcd'", "'äöü'", "'abc '"),
            Column("text", "char(3)", "'ab'", "'ab '", "'abcd'"),
            Column("text", "varchar(9) CHARACTER SET latin1", "'é'", "'日'", "'€'", "'😀'"),
            Column("text", "varchar(9) CHARACTER SET ascii", "'a'", "'é'"),
            Column("text", "varchar(9) CHARACTER SET utf8mb3", "'日'", "'😀'"),
            Column("text", "tinytext", "repeat('x', 255)", "repeat('é', 128)"),
            Column(
                "text", "tinytext CHARACTER SET latin1", "repeat('é', 255)", "repeat('é', 256)"),
            Column("bytea", "varbinary(2)", "'\\x0001'", "'\\x000102'"),
            Column("bytea", "binary(2)", "'\\x00ff'", "'\\x00'"),
            Column(
                "date", "date", "'2024-02-29'", "'infinity'", "'0044-03-15 BC'", "'10000-01-01'"),
            Column("timestamp", "datetime(3)", "'2024-01-01 0:0:0.123'", "'2024-01-01 0:0:0.1234'"),
            Column(
                "timestamptz", "timestamp(6)", "'2024-01-01'", "'1969-01-01'", "'2040-01-01'"),
            Column("time", "time", "'10:00'", "'10:00:00.5'"),
            Column("double precision", "float", "0.5", "0.1", "1e300"),
            Column("double precision", "double", "1.5", "'NaN'", "'-0'", "'-infinity'"),
            Column(
                "json", "json", "'{\"a\":[1]}'",
                "(repeat('[', 40) || repeat(']', 40))::json"),
            Column("text", "json", "'[1]'", "'[1'"),
            Column("text", "date", "'2024-01-01'", "'2024-1-1'", "'x'"),
            Column("text", "enum('a','B')", "'a'", "'A'", "'b'", "'c'"),
            Column("bit varying", "bit(3)", "'101'", "'1'", "'1011'"),
            Column("inet", "inet6", "'::1'", "'10.0.0.0/8'"),
            Column("text", "int", "'1'", "'01'", "'x'", "'2147483648'"),
            Column("integer", "int NOT NULL", "1", "NULL"),
            Column("integer", "int CHECK (v > 0)", "1", "0", "NULL"),
            Column("text", "varchar(9) CHECK (v <> 'x')", "'a'", "'x'"),
        ], refused: 52)

    @Test(
        "names exactly the rows that a load sets aside",
        arguments: [
            postgresToMariaDB, mariaDBToPostgres, sqliteToPostgres, sqliteToMariaDB,
            postgresToSQLite, mariaDBToSQLite,
        ])
    func pair(_ pair: Pair) throws {
        let place = try Workspace()
        let source = try AnyDatabase(pair.from, "source", in: place)
        let target = try AnyDatabase(pair.to, "target", in: place)
        if !pair.before.isEmpty { try target.sql(pair.before) }
        for (number, column) in pair.columns.enumerated() {
            let mode = pair.from == .mariadb ? "SET sql_mode = ''; " : ""
            let rows = column.values.enumerated().map { "(\($0 + 1), \($1))" }
            try source.sql(
                "\(mode)CREATE TABLE c\(number) (id int PRIMARY KEY, v \(column.from));"
                    + " INSERT INTO c\(number) VALUES \(rows.joined(separator: ", "))")
            try target.sql("CREATE TABLE c\(number) (id int PRIMARY KEY, v \(column.to))")
        }
        let ends = [
            "--source", source.url, "--target", target.url, "--on-existing", "use", "--quiet",
            "--output", "json",
        ]
        let plan = try place.run(["plan", "--check-values"] + ends)
        let run = try place.run(
            ["run", "--store", "file:out", "--on-bad-row", "quarantine"] + ends)
        let planned = try named(plan.text, "misfits", "named")
        let refused = try named(run.text, "quarantine", "rowNames")
        #expect(run.code == 3, "\(run.errorText)\(run.text)")
        #expect(plan.code == 6, "\(plan.errorText)\(plan.text)")
        for (number, column) in pair.columns.enumerated() {
            let said = planned.filter { $0.hasPrefix("c\(number) ") }.sorted()
            let set = refused.filter { $0.hasPrefix("c\(number) ") }.sorted()
            #expect(said == set, "\(column)")
        }
        #expect(planned.count == pair.refused)
    }

    /// `c7 id = 3`
    private func named(
        _ text: String, _ member: String, _ names: String
    ) throws -> Set<String> {
        let json = try JSON(parsing: Array(text.utf8))
        var found: Set<String> = []
        for entry in try #require(json[member]?.elements, "\(text)") {
            for name in entry[names]?.elements ?? [] {
                found.insert("\(entry["table"]?.text ?? "") \(name.text ?? "")")
            }
        }
        return found
    }

    private static let mariaDBToPostgres = Pair(
        from: .mariadb, to: .postgres,
        before: """
            CREATE TYPE mood AS ENUM ('a', 'b');
            CREATE DOMAIN short AS varchar(3) CHECK (value <> 'x');
            """,
        columns: [
            Column("int", "smallint", "32767", "32768"),
            Column("bigint unsigned", "bigint", "9223372036854775807", "9223372036854775808"),
            Column("bigint unsigned", "numeric(19,0)", "5", "18446744073709551615"),
            Column("decimal(10,2)", "numeric(5,2)", "999.99", "1000", "-1000"),
            Column("int", "numeric(3,0)", "999", "1000"),
            Column("text", "varchar(3)", "'abc'", "'äöü'", "'abcd'", "'abc '"),
            Column("text", "char(3)", "'abc'", "'ab'", "'ab '", "'abcd'"),
            Column("text", "text", "'a'", "concat('a', char(0))"),
            Column("text", "numeric(4,1)", "'100.5'", "'1000.5'", "'1'", "'x'"),
            Column("text", "json", "'[1]'", "'[1'", "'\"\\\\u0000\"'"),
            Column("json", "json", "'{\"a\": 1}'", "'[1e999]'"),
            Column("text", "uuid", "'6ba7b810-9dad-11d1-80b4-00c04fd430c8'", "'x'"),
            Column("date", "date", "'2024-02-29'", "'0000-00-00'", "'2024-02-00'"),
            Column(
                "datetime(6)", "timestamp(3)", "'2024-01-01 0:0:0.123'",
                "'2024-01-01 0:0:0.1234'", "'0000-00-00'"),
            Column("timestamp(6) NULL", "timestamptz(0)", "'2024-01-01'", "'2024-01-01 0:0:0.5'"),
            Column("time(6)", "time(3)", "'10:00:00.5'", "'10:00:00.1234'", "'25:00'", "'-1:00'"),
            Column("double", "real", "0.5", "0.1"),
            Column("bit(3)", "bit(3)", "b'101'"),
            Column("bit(3)", "bit varying(2)", "b'101'"),
            Column("enum('a','c')", "mood", "'a'", "'c'"),
            Column("varchar(9)", "short", "'abc'", "'x'", "'abcd'", "NULL"),
            Column("int", "integer NOT NULL", "1", "NULL"),
            Column("int", "integer CHECK (v > 0)", "1", "0", "NULL"),
            Column("int", "integer CHECK (10 / v > 1)", "1", "0", "9"),
            Column("text", "text CHECK (v <> 'x' OR length(v) > 5)", "'a'", "'x'"),
            Column("bigint", "boolean", "1", "0", "2"),
        ], refused: 35)

    private static let sqliteToPostgres = Pair(
        from: .sqlite, to: .postgres,
        columns: [
            Column("INTEGER", "integer", "1", "2147483648"),
            Column("TEXT", "varchar(3)", "'abc'", "'abcd'", "'a' || char(0)"),
            Column("REAL", "real", "0.5", "0.1", "9e999"),
            Column("ANY", "jsonb", "1", "'x'", "x'00'", "1.5", "'a' || char(0)", "NULL"),
            Column("TEXT", "timestamp", "'2024-01-01 00:00:00'", "'yesterday'"),
        ], refused: 5)

    private static let sqliteToMariaDB = Pair(
        from: .sqlite, to: .mariadb,
        columns: [
            Column("INTEGER", "int", "1", "2147483648"),
            Column("TEXT", "varchar(3)", "'abc'", "'abcd'", "'ab' || char(0)"),
            Column("REAL", "double", "0.5", "9e999"),
            Column("ANY", "longtext", "1", "'x'", "x'00'", "NULL"),
            Column("TEXT", "datetime", "'2024-01-01 00:00:00'", "'yesterday'"),
        ], refused: 4)

    private static let texts = [
        "a", "A", "a ", "á", "ß", "ss", "s", "SS", "æ", "ae", "", " ", "b\u{a0}", "b", "b ", "ﬁ",
        "fi",
        "日本", "日本 ", "😀", "😁", "x\t", "x", "Ø", "o", "ö", "oe", "ı", "i", "I", "İ", "e\u{301}", "é",
    ]

    private static let collations = [
        "utf8mb4_general_ci", "utf8mb4_unicode_ci", "utf8mb4_unicode_520_ci", "utf8mb4_bin",
        "utf8mb4_nopad_bin", "utf8mb4_general_nopad_ci", "utf8mb4_uca1400_ai_ci",
        "utf8mb4_uca1400_as_ci", "utf8mb4_uca1400_as_cs", "utf8mb4_uca1400_nopad_as_ci",
        "utf8mb4_swedish_ci", "utf8mb4_turkish_ci", "utf8mb4_german2_ci", "utf8mb3_general_ci",
        "utf16_unicode_ci",
    ]

    @Test("names the rows that a collation of the target takes for one, and no others")
    func collations() throws {
        let place = try Workspace()
        let source = try AnyDatabase(.postgres, "source", in: place)
        let target = try AnyDatabase(.mariadb, "target", in: place)
        let truth = try AnyDatabase(.mariadb, "truth", in: place)
        var expected: Set<String> = []
        for (number, collation) in Self.collations.enumerated() {
            let isThreeBytes = collation.hasPrefix("utf8mb3")
            let texts = Self.texts.filter { text in
                !isThreeBytes || text.utf8.allSatisfy { $0 < 0xF0 }
            }
            let rows = texts.enumerated().map { "(\($0 + 1), '\($1)')" }.joined(separator: ", ")
            let insert = "INSERT INTO k\(number) VALUES \(rows)"
            try source.sql("CREATE TABLE k\(number) (id int PRIMARY KEY, v text UNIQUE); \(insert)")
            let set = collation.split(separator: "_")[0]
            let column = "v varchar(20) CHARACTER SET \(set) COLLATE \(collation)"
            let table = "CREATE TABLE k\(number) (id int PRIMARY KEY, \(column)"
            try target.sql("\(table), UNIQUE KEY v_key (v))")
            let groups = try truth.sql(
                """
                \(table)); \(insert); SELECT GROUP_CONCAT(CONCAT('id = ', id) ORDER BY id SEPARATOR
                    ' and ') FROM k\(number) GROUP BY v HAVING COUNT(*) > 1
                """)
            for group in groups.split(separator: "\n") { expected.insert("k\(number) \(group)") }
        }
        let plan = try place.run(
            [
                "plan", "--check-values", "--source", source.url, "--target", target.url,
                "--on-existing", "use", "--quiet", "--output", "json",
            ])
        #expect(plan.code == 6)
        let found = try named(plan.text, "misfits", "named")
        #expect(found.subtracting(expected).sorted() == [])
        #expect(expected.subtracting(found).sorted() == [])
        #expect(expected.count > 100)
    }

    private static let postgresToSQLite = Pair(
        from: .postgres, to: .sqlite,
        columns: [
            Column("double precision", "REAL", "1.5", "'NaN'", "'-0'", "'infinity'"),
            Column("double precision", "NUMERIC", "1.5", "1.0"),
            Column("text", "INTEGER", "'a'", "'12'", "' 1e3 '"),
            Column("date", "TEXT", "'2024-02-29'", "'infinity'"),
            Column("numeric(5,2)", "TEXT", "1.5", "'NaN'"),
            Column("integer", "INT NOT NULL CHECK (v < 3)", "1", "3", "NULL"),
            Column("text", "TEXT COLLATE NOCASE CHECK (v <> 'x')", "'a'", "'X'"),
        ], refused: 10)

    private static let mariaDBToSQLite = Pair(
        from: .mariadb, to: .sqlite,
        columns: [
            Column("date", "TEXT", "'2024-02-29'", "'0000-00-00'"),
            Column("datetime", "TEXT", "'2024-02-29'", "'2024-02-00'"),
            Column("varchar(9)", "NUMERIC", "'a'", "'007'"),
            Column("int", "INT CHECK (v % 2 = 0)", "2", "3"),
        ], refused: 4)

    /// Made by sluice instead of found there.
    @Test("looks at the columns that would be made, where none are there")
    func made() throws {
        let place = try Workspace()
        let source = try AnyDatabase(.postgres, "source", in: place)
        let target = try AnyDatabase(.mariadb, "target", in: place)
        try source.sql(
            """
            CREATE TABLE deep (id int PRIMARY KEY, v json);
            INSERT INTO deep VALUES (1, '[[1]]'), (2, (repeat('[', 40) || repeat(']', 40))::json);
            CREATE TABLE long (v text PRIMARY KEY);
            INSERT INTO long VALUES (repeat('x', 768)), (repeat('x', 769));
            """)
        let plan = try place.run(
            [
                "plan", "--check-values", "--source", source.url, "--target", target.url, "--quiet",
            ])
        #expect(plan.code == 6)
        let long = String(repeating: "x", count: 64)
        let expected = """
            refused: table public.deep: column v cannot keep a value that its type, json, does not take: 1 row
              id = 2
              hint: Declare the target's column as text.
            refused: table public.long: column v cannot keep a text of more than 768 characters: 1 row
              v = '\(long)…'
              hint: Declare the target's column wider.

            """
        #expect(plan.text.contains(expected), "\(plan.text)")
        #expect(try target.sql("SHOW TABLES") == "")
    }

    @Test("asks PostgreSQL what its unique indexes compare, expressions and conditions included")
    func expressions() throws {
        let place = try Workspace()
        let source = try AnyDatabase(.mariadb, "source", in: place)
        let target = try AnyDatabase(.postgres, "target", in: place)
        try source.sql(
            """
            CREATE TABLE person (id int PRIMARY KEY, email varchar(40), gone int, size varchar(9));
            INSERT INTO person VALUES (1, 'a@example.com', 0, '1.5'), (2, 'A@example.com', 0, '1.50'),
                (3, 'b@example.com', 0, '2'), (4, 'b@example.com', 1, '3'), (5, 'C', 1, '4'),
                (6, 'c', 1, NULL), (7, NULL, 0, NULL)
            """)
        try target.sql(
            """
            CREATE TABLE person (id int PRIMARY KEY, email text, gone int, size numeric UNIQUE);
            CREATE UNIQUE INDEX person_email ON person (lower(email)) WHERE gone = 0;
            CREATE UNIQUE INDEX person_range ON person (int4range(id, id + 1))
            """)
        let plan = try place.run(
            [
                "plan", "--check-values", "--source", source.url, "--target", target.url,
                "--on-existing", "use", "--quiet",
            ])
        #expect(plan.code == 6)
        let expected = """
            refused: table person: unique key person_email takes different rows for the same: 2 rows
              id = 1 and id = 2
              hint: Drop or change the target's key, or change one of the rows in the source.
            refused: table person: unique key person_size_key takes different rows for the same: 2 rows
              id = 1 and id = 2
              hint: Drop or change the target's key, or change one of the rows in the source.

            """
        #expect(plan.text.contains(expected), "\(plan.text)")
        #expect(
            plan.errorText
                == "warning: unique index person_range of table person is not looked at\n")
    }

    private func items(in place: Workspace) throws -> AnyDatabase {
        let source = try AnyDatabase(.sqlite, "source", in: place)
        try source.sql(
            """
            CREATE TABLE item (id INTEGER PRIMARY KEY, word TEXT, size INT, extra TEXT);
            INSERT INTO item VALUES (1, 'a', 5, '[]'), (2, 'é', 0, '[]'), (3, NULL, 5, '[]'), (4, 'a', 5, 'x')
            """)
        return source
    }

    @Test("says of PostgreSQL what is refused, and which of its rules are not looked at")
    func messages() throws {
        let place = try Workspace()
        let source = try items(in: place)
        let postgres = try AnyDatabase(.postgres, "target", in: place)
        try postgres.sql(
            """
            CREATE TABLE item (id int, word text NOT NULL, size int CONSTRAINT stocked CHECK (size > 0),
                extra json, more int DEFAULT 1 CONSTRAINT enough CHECK (more > 0)) PARTITION BY RANGE (id)
            """)
        try check(
            source, postgres, place,
            """
            refused: table item: column extra cannot keep a value that its type, json, does not take: 1 row
              id = 4
              hint: Declare the target's column as text.
            refused: table item: column word cannot keep NULL: 1 row
              id = 3
              hint: Let the target's column be NULL, or correct the row in the source.
            refused: table item: constraint stocked is not met: 1 row
              id = 2
              hint: The target's constraint is stricter than the source; drop it, or correct the row in the source.

            """,
            """
            warning: whether each row of table item has a partition is not looked at
            warning: constraint enough of table item is not looked at

            """)
    }

    @Test("says of MariaDB what is refused, and which of its rules are not looked at")
    func messagesOfMariaDB() throws {
        let place = try Workspace()
        let source = try items(in: place)
        let mariadb = try AnyDatabase(.mariadb, "target", in: place)
        try mariadb.sql(
            """
            CREATE TABLE item (id int, word varchar(9) CHARACTER SET latin2 NOT NULL,
                size int, extra json, CONSTRAINT stocked CHECK (size > 0), more int AS (size + 1) STORED, UNIQUE KEY more_key (id, more))
                PARTITION BY RANGE (id) (PARTITION p VALUES LESS THAN (100))
            """)
        try check(
            source, mariadb, place,
            """
            refused: table item: column word cannot keep NULL: 1 row
              id = 3
              hint: Let the target's column be NULL, or correct the row in the source.
            refused: table item: constraint extra is not met: 1 row
              id = 4
              hint: The target's constraint is stricter than the source; drop it, or correct the row in the source.
            refused: table item: constraint stocked is not met: 1 row
              id = 2
              hint: The target's constraint is stricter than the source; drop it, or correct the row in the source.

            """,
            """
            warning: unique index more_key of table item is not looked at
            warning: whether each row of table item has a partition is not looked at

            """)
    }

    @Test("says of SQLite what is refused, and which of its rules are not looked at")
    func messagesOfSQLite() throws {
        let place = try Workspace()
        let source = try items(in: place)
        let sqlite = try AnyDatabase(.sqlite, "target", in: place)
        try sqlite.sql(
            """
            CREATE TABLE item (id INTEGER PRIMARY KEY, word TEXT NOT NULL, size INT CHECK (size > 0), extra TEXT);
            CREATE UNIQUE INDEX some_words ON item (word) WHERE size > 1
            """)
        try check(
            source, sqlite, place,
            """
            refused: table item: CHECK constraint failed: size > 0: 1 row
              id = 2
              hint: The target's constraint is stricter than the source; drop it, or leave the table out.
            refused: table item: NOT NULL constraint failed: item.word: 1 row
              id = 3
              hint: The target's constraint is stricter than the source; drop it, or leave the table out.

            """, "warning: unique index some_words of table item is not looked at\n")
    }

    private func check(
        _ source: AnyDatabase, _ target: AnyDatabase, _ place: Workspace, _ lines: String,
        _ warnings: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let plan = try place.run(
            [
                "plan", "--check-values", "--source", source.url, "--target", target.url,
                "--on-existing", "use", "--quiet",
            ])
        #expect(plan.code == 6, sourceLocation: sourceLocation)
        #expect(plan.text.contains(lines), "\(plan.text)", sourceLocation: sourceLocation)
        #expect(plan.errorText == warnings, sourceLocation: sourceLocation)
    }
}
