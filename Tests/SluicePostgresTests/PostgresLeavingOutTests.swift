import SluiceCore
import SluiceRecords
import TestSupport
import Testing

@testable import SluicePostgres

@Suite("Rows that a PostgreSQL target refuses") struct PostgresLeavingOutTests {
    /// What became of a shard that was loaded without what is refused.
    private struct Result {
        var refused: [String] = []
        var outcome: LoadOutcome?
        var kept = 0
    }

    private func load(
        _ records: [[UInt8]], into table: PostgresLoadingTable, as unit: String = "data/t/s1",
        limit: Int = Int.max
    ) throws -> Result {
        let held = try HeldRecords(
            ListedRecords(records), of: table.plan, stop: StopSignal())
        let kept = Monitor(0)
        let refused = RefusedRecords(
            of: held,
            admit: { count, refusal throws(Failure) in
                guard count > limit else { return }
                throw Failure(.failed, "too many: row \(refusal.row)")
            },
            keep: { refused throws(Failure) in
                kept.change { $0 += 1 }
                return "rejects/t/s1"
            })
        let outcome = try table.session.load(unit, of: table.plan, without: refused)
        return Result(
            refused: refused.refusals.map { "\($0.row): \($0.failure.headline)" },
            outcome: outcome, kept: kept.read { $0 })
    }

    private func row(_ id: Int64, _ value: String?) -> [UInt8] {
        record {
            $0.appendLong(id)
            guard let value else { return $0.appendNull() }
            $0.appendNotNull()
            text(value, into: &$0)
        }
    }

    private func table(
        _ value: String, type: ColumnType = .text, more: String = ""
    ) throws -> PostgresLoadingTable {
        try PostgresLoadingTable(
            [("id", .int32, false), ("v", type, true)], key: ["id"],
            existing:
                "\(more.hasPrefix("CREATE") ? "\(more);" : "") CREATE TABLE t(id int, v \(value));"
                + (more.hasPrefix("CREATE") ? "" : more))
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var declared: String
        var type = ColumnType.text
        var bad: String?
        var headline: String
        var more = ""

        var testDescription: String { "\(declared) \(more)" }
    }

    static let cases = [
        Case(
            declared: "text NOT NULL", bad: nil,
            headline:
                "null value in column \"v\" of relation \"t\" violates not-null constraint [23502]"
        ),
        Case(
            declared: "text CONSTRAINT c CHECK (v <> 'bad')", bad: "bad",
            headline: "new row for relation \"t\" violates check constraint \"c\" [23514]"),
        Case(
            declared: "d", bad: "bad",
            headline: "value for domain public.d violates check constraint \"c\" [23514]",
            more: "CREATE DOMAIN d AS text CONSTRAINT c CHECK (VALUE <> 'bad')"),
        Case(
            declared: "text CONSTRAINT u UNIQUE", bad: "good 1",
            headline: "duplicate key value violates unique constraint \"u\" [23505]"),
        Case(
            declared: "text CONSTRAINT u UNIQUE DEFERRABLE INITIALLY DEFERRED", bad: "good 1",
            headline: "duplicate key value violates unique constraint \"u\" [23505]",
            more: """
                ; DO $$ DECLARE n name := (SELECT tgname FROM pg_trigger WHERE tgrelid = 't'::regclass);
                BEGIN EXECUTE format('ALTER TABLE t ENABLE ALWAYS TRIGGER %I', n); END $$
                """),
        Case(
            declared: "text, CONSTRAINT x EXCLUDE (v WITH =)", bad: "good 1",
            headline: "conflicting key value violates exclusion constraint \"x\" [23P01]"),
        Case(
            declared: "varchar(10)", bad: "much too long",
            headline: "column v cannot keep a text of more than 10 characters"),
        Case(
            declared: "text", bad: "a\u{0}b",
            headline: "column v cannot keep a text with a NUL character"),
        Case(
            declared: "e", type: .enumeration, bad: "other",
            headline: "a value has not the form of its type in column v [22P02]",
            more: "CREATE TYPE e AS ENUM ('good 1', 'good 2', 'good 3')"),
        Case(
            declared: "inet", type: .serverText, bad: "no address",
            headline: "a value has not the form of its type in column v [22P02]"),
        Case(
            declared: "text", bad: "bad",
            headline: "a function of the database raised an exception [P0001]",
            more: """
                ; CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                IF NEW.v = 'bad' THEN RAISE 'no: %', NEW.v; END IF; RETURN NEW; END $$;
                CREATE TRIGGER r BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f();
                ALTER TABLE t ENABLE ALWAYS TRIGGER r
                """),
    ]

    @Test(
        "are left out one by one, whatever the reason, and the others are loaded", arguments: cases)
    func kinds(_ value: Case) throws {
        let table = try table(value.declared, type: value.type, more: value.more)
        func good(_ number: Int) -> String? {
            value.type == .serverText ? "10.0.0.\(number)" : "good \(number)"
        }
        let records = [
            row(1, good(1)), row(2, value.bad), row(3, good(2)), row(4, value.bad), row(5, good(3)),
        ]
        #expect(failure(of: { try table.load(records) })?.refusesRow == true)
        let result = try load(records, into: table)
        #expect(result.refused == ["2: \(value.headline)", "4: \(value.headline)"])
        #expect(result.kept == 1)
        let left = ListedRecords.digest([records[0], records[2], records[4]])
        let gone = ListedRecords.digest([records[1], records[3]])
        #expect(result.outcome == .loaded(mapped: left))
        #expect(try table.database.sql("SELECT id FROM t ORDER BY id") == "1\n3\n5\n")
        #expect(
            try table.database.sql(
                """
                SELECT unit, rows, digest, mapped FROM sluice.sluice_ledger
                WHERE unit LIKE '%s1' ORDER BY unit
                """)
                == "data/t/s1|3|\(left.text)|\(left.text)\nrejects/t/s1|2|\(gone.text)|\n")
        #expect(try load(records, into: table).outcome == .alreadyThere)
    }

    @Test("that are too large for an index are left out where the server names them")
    func tooLarge() throws {
        let table = try table("text UNIQUE")
        // Not to be compressed.
        var random = SeededRandom(seed: 1)
        let long = String(
            decoding: (0..<9000).map { _ in UInt8.random(in: 0x21...0x7E, using: &random) },
            as: UTF8.self)
        let result = try load([row(1, "a"), row(2, long), row(3, "b")], into: table)
        #expect(result.refused.count == 1)
        #expect(result.refused.first?.hasSuffix("[54000]") == true, "\(result.refused)")
        #expect(try table.database.sql("SELECT id FROM t ORDER BY id") == "1\n3\n")
    }

    @Test("are found among many, and rows with one key keep the first")
    func many() throws {
        let table = try table(
            "text CONSTRAINT c CHECK (v NOT LIKE 'bad%')",
            more: "; ALTER TABLE t ADD PRIMARY KEY (id)")
        let bad: Set<Int64> = [1, 4096, 4097, 9999, 10_000, 20_000]
        var records = (1...20_000).map { row(Int64($0), bad.contains($0) ? "bad \($0)" : "v") }
        records.append(row(5, "twice"))
        let result = try load(records, into: table)
        let check = "new row for relation \"t\" violates check constraint \"c\" [23514]"
        #expect(
            result.refused == bad.sorted().map { "\($0): \(check)" } + [
                "20001: duplicate key value violates unique constraint \"t_pkey\" [23505]"
            ])
        #expect(
            try table.database.sql("SELECT count(*), min(v), max(v) FROM t") == "19994|v|v\n")
        #expect(
            try table.readBack().digest
                == ListedRecords.digest(
                    records.enumerated().filter {
                        !bad.contains(Int64($0.offset + 1)) && $0.offset != 20_000
                    }
                    .map(\.element)))
    }

    @Test("leave nothing behind where there are too many, or where they cannot be kept")
    func tooMany() throws {
        let table = try table("text NOT NULL")
        let records = [row(1, "a"), row(2, nil), row(3, nil), row(4, "b")]
        let stopped = failure(of: { try load(records, into: table, limit: 1) })
        #expect(stopped?.message == "too many: row 3")
        let lost = failure(of: {
            try table.session.load(
                "data/t/s1", of: table.plan,
                without: RefusedRecords(
                    of: try HeldRecords(
                        ListedRecords(records), of: table.plan, stop: StopSignal()),
                    admit: { _, _ in },
                    keep: { _ throws(Failure) in throw Failure(.unavailable, "no store") }))
        })
        #expect(lost?.message == "no store")
        #expect(
            try table.content()
                == "0\nbegin public.t\nstep statistics of public.t\n")
        // The session is as good as before.
        #expect(try load(records, into: table).refused.count == 2)
    }

    @Test("are none where the failure is about something else")
    func others() throws {
        let table = try table("text")
        try table.database.sql("ALTER TABLE t RENAME TO gone")
        let missing = failure(of: { try load([row(1, "a")], into: table) })
        #expect(missing?.refusesRow == false)
        #expect(missing?.message == "table public.t does not exist")
        for state in ["53100", "42501", "57014", "08006", "40001", "XX001", "22P04"] {
            #expect(!PostgresFailure.isRowRefused(state, isNamed: true), "\(state)")
        }
        for state in ["54000", "P0001", "22023"] {
            #expect(!PostgresFailure.isRowRefused(state, isNamed: false), "\(state)")
        }
    }

    @Test("do not count the rowids of SQLite among what the others are mapped to")
    func rowid() throws {
        let table = try PostgresLoadingTable(
            [("rowid", .int64, false), ("a", .int32, false)],
            existing: "CREATE TABLE t(a int CHECK (a <> 2))")
        func row(_ rowid: Int64, _ value: Int64) -> [UInt8] {
            record {
                $0.appendLong(rowid)
                $0.appendLong(value)
            }
        }
        let mapped = ListedRecords.digest([row(0, 1), row(0, 3)])
        let result = try load([row(7, 1), row(8, 2), row(9, 3)], into: table)
        #expect(result.outcome == .loaded(mapped: mapped))
        #expect(try table.readBack().digest == mapped)
        #expect(
            try table.database.sql(
                "SELECT digest FROM sluice.sluice_ledger WHERE unit = 'data/t/s1'")
                == ListedRecords.digest([row(7, 1), row(9, 3)]).text + "\n")
    }
}
