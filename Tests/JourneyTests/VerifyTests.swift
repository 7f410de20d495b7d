import SluiceCore
import Testing

/// Whatever is changed in a target is found, and the rows are named; their values never are.
@Suite struct VerifyTests {
    private static let secret = "s3cr3t-value"

    private func migrated(_ sql: String) throws -> Workspace {
        let place = try Workspace()
        try place.sql("a.db", sql)
        try place.succeed(
            "run", "--source", "sqlite:a.db", "--store", "file:out", "--target", "sqlite:b.db",
            "--quiet")
        return place
    }

    /// What `verify` says after a change of the target; its values are in no output.
    private func verify(
        _ place: Workspace, after change: String, code: Int32 = 3, _ options: String...,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> Program.Result {
        try place.sql("b.db", change)
        let result = try place.run(
            ["verify", "--store", "file:out", "--target", "sqlite:b.db"] + options)
        #expect(result.code == code, "\(result.errorText)", sourceLocation: sourceLocation)
        for bytes in [result.text, result.errorText] {
            #expect(!bytes.contains(Self.secret), sourceLocation: sourceLocation)
        }
        return result
    }

    @Test func everyKindOfChangeInAMillionRowsIsFoundAndNamed() throws {
        let place = try migrated(
            """
            PRAGMA journal_mode = OFF;
            CREATE TABLE m(id INTEGER PRIMARY KEY, a TEXT, b TEXT);
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<1000000)
            INSERT INTO m SELECT i, CASE i % 4 WHEN 0 THEN NULL WHEN 1 THEN '' ELSE 'a' || i END,
                '\(Self.secret) ' || i FROM n
            """)
        let result = try verify(
            place,
            after: """
                UPDATE m SET b = '\(Self.secret) changed' WHERE id = 500000;
                DELETE FROM m WHERE id = 77; INSERT INTO m VALUES(1000001, 'x', '\(Self.secret)');
                UPDATE m SET a = CASE id WHEN 1002 THEN 'a1003' ELSE 'a1002' END WHERE id IN (1002, 1003);
                UPDATE m SET a = '' WHERE id = 2000; UPDATE m SET a = NULL WHERE id = 2001
                """, "--quiet")
        #expect(result.seconds < 30)
        let lines = result.text.split(separator: "\n").map(String.init)
        #expect(
            Array(lines.dropFirst()) == [
                "m differs: 1 row missing, 1 row extra, 5 rows changed",
                "missing from m: id = 77", "extra in m: id = 1000001",
                "changed in m: id = 1002", "changed in m: id = 1003", "changed in m: id = 2000",
                "changed in m: id = 2001", "changed in m: id = 500000",
                "not verified: the target differs",
            ])
        #expect(result.errorText == "warning: m differs; looking for the rows\n")
    }

    private static let small = """
        CREATE TABLE k(a TEXT, b INT, v, PRIMARY KEY(a, b));
        INSERT INTO k VALUES('x', 1, '\(secret)'), ('x', 2, NULL), ('y', 1, 5), ('y', 2, '5');
        CREATE TABLE loose(v); INSERT INTO loose VALUES('\(secret)'), (NULL), (1.0), (1);
        CREATE TABLE same(v); INSERT INTO same VALUES(1), (1), (1)
        """

    @Test func theResultAsJSONNamesTheRows() throws {
        let place = try migrated(Self.small)
        let result = try verify(
            place, after: "UPDATE k SET v = '' WHERE a = 'x' AND b = 2", "--output", "json",
            "--quiet")
        let json = try JSON(parsing: result.output)
        #expect(json["status"] == "differs")
        #expect(json["verified"] == false)
        let difference = try #require(json["differences"]?.elements?.first)
        #expect(json["differences"]?.elements?.count == 1)
        #expect(difference["table"] == "k")
        #expect(difference["changed"] == 1)
        #expect(difference["missing"] == 0)
        #expect(difference["extra"] == 0)
        #expect(difference["changedRows"] == ["a = 'x', b = 2"])
        #expect(difference["more"] == false)
    }

    @Test func withHiddenKeysNoKeyIsShown() throws {
        let place = try migrated(Self.small)
        let result = try verify(
            place, after: "UPDATE k SET v = 1 WHERE a = 'x' AND b = 2; DELETE FROM k WHERE a = 'y'",
            "--hide-keys", "--quiet")
        #expect(!result.text.contains("'x'") && !result.text.contains("'y'"), "\(result.text)")
        #expect(result.text.contains("k differs: 2 rows missing, 1 row changed\n"))
    }

    @Test(arguments: [
        ("UPDATE k SET v = 6 WHERE v = 5 AND typeof(v) = 'integer'", "k differs: 1 row changed"),
        ("UPDATE k SET v = 5 WHERE typeof(v) = 'text' AND v = '5'", "k differs: 1 row changed"),
        ("UPDATE loose SET v = 1 WHERE typeof(v) = 'real'", "loose differs: 1 row changed"),
        ("UPDATE loose SET v = -0.0 WHERE typeof(v) = 'real'", "loose differs: 1 row changed"),
        ("DELETE FROM same WHERE rowid = 3", "same differs: 1 row missing"),
        ("INSERT INTO same VALUES(1)", "same differs: 1 row extra"),
        ("UPDATE same SET rowid = 9 WHERE rowid = 3", "same differs: 1 row missing, 1 row extra"),
        (
            "UPDATE k SET v = CASE b WHEN 1 THEN '5' ELSE 5 END WHERE a = 'y'",
            "k differs: 2 rows changed"
        ),
        (
            "UPDATE k SET v = CAST(x'ff' AS TEXT) WHERE a = 'y' AND b = 1",
            "k differs: 1 row changed"
        ),
    ])
    func aSmallChangeIsFound(_ change: String, _ verdict: String) throws {
        let place = try migrated(Self.small)
        let result = try verify(place, after: change, "--quiet")
        #expect(result.text.contains("\n\(verdict)\n"), "\(result.text)")
        // The digests come from the shards where there is no ledger.
        let again = try verify(place, after: "DROP TABLE sluice_ledger", "--quiet")
        #expect(again.text.contains("\n\(verdict)\n"), "\(again.text)")
    }

    @Test func withoutALedgerAnEqualTargetIsVerifiedFromTheShards() throws {
        let place = try migrated(Self.small)
        let result = try verify(place, after: "DROP TABLE sluice_ledger", code: 0, "--quiet")
        #expect(
            result.text.hasSuffix("verified: the target holds exactly the rows of the dataset\n"))
    }

    @Test func aTableThatIsGoneIsSaid() throws {
        let place = try migrated(Self.small)
        let result = try verify(place, after: "DROP TABLE k", "--quiet")
        #expect(
            result.errorText == """
                sluice: there is no table k
                  while verifying k
                hint: The table was dropped since it was loaded.

                """)
    }

    @Test func onlyTheFirstHundredRowsAreNamed() throws {
        let place = try migrated(
            """
            CREATE TABLE t(id INTEGER PRIMARY KEY, v);
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<1000)
            INSERT INTO t SELECT i, i FROM n
            """)
        let result = try verify(place, after: "UPDATE t SET v = 0 WHERE id <= 500", "--quiet")
        #expect(result.text.contains("t differs: 500 rows changed\n"))
        #expect(
            result.text.split(separator: "\n").filter { $0.hasPrefix("changed in t: ") }.count
                == 100)
    }

    @Test func aChangedLedgerIsNotBelieved() throws {
        let place = try migrated(Self.small)
        let result = try verify(
            place,
            after:
                "UPDATE sluice_ledger SET digest = mapped || '' , rows = rows + 1 WHERE unit LIKE 'data/k/%'",
            "--quiet")
        #expect(result.errorText.contains("the ledger holds another digest of data/k/"))
        #expect(
            result.errorText.hasSuffix(
                """
                hint: Somebody changed the ledger or the dataset; load again into an empty target.

                """))
    }
}
