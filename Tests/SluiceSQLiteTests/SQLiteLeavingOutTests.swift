import SluiceCore
import SluiceRecords
import TestSupport
import Testing

@testable import SluiceSQLite

@Suite("Rows that a SQLite target refuses") struct SQLiteLeavingOutTests {
    private func load(
        _ records: [[UInt8]], into table: LoadingTable, limit: Int = Int.max
    ) throws -> (refused: [String], outcome: LoadOutcome) {
        let refused = RefusedRecords(
            of: try HeldRecords(ListedRecords(records), of: table.plan, stop: StopSignal()),
            admit: { count, refusal throws(Failure) in
                guard count > limit else { return }
                throw Failure(.failed, "too many: row \(refusal.row)")
            }, keep: { _ in "rejects/t/s1" })
        let outcome = try table.session.load("data/t/s1", of: table.plan, without: refused)
        return (refused.refusals.map { "\($0.row): \($0.failure.headline)" }, outcome)
    }

    private func row(_ value: Int64?) -> [UInt8] {
        record {
            guard let value else { return $0.appendNull() }
            $0.appendNotNull()
            $0.appendLong(value)
        }
    }

    @Test(
        "are left out one by one, whatever the reason, and the others are loaded",
        arguments: [
            ("c INT NOT NULL", nil, "NOT NULL constraint failed: t.c [SQLITE_CONSTRAINT 1299]"),
            ("c INT CHECK(c < 9)", 10, "CHECK constraint failed: c < 9 [SQLITE_CONSTRAINT 275]"),
            (
                "c INT UNIQUE ON CONFLICT REPLACE", 1,
                "UNIQUE constraint failed: t.c [SQLITE_CONSTRAINT 2067]"
            ),
            (
                "c INTEGER PRIMARY KEY", nil,
                "column c cannot keep NULL: it is the rowid, and SQLite would number the row"
            ),
        ] as [(String, Int64?, String)])
    func kinds(_ declared: String, _ bad: Int64?, _ headline: String) throws {
        let table = try LoadingTable(
            [("c", .int64, true)], existing: "CREATE TABLE t(\(declared));")
        let records = [row(1), row(bad), row(2), row(bad), row(3)]
        #expect(failure(of: { try table.load(records) })?.refusedRow == 2)
        let result = try load(records, into: table)
        #expect(result.refused == ["2: \(headline)", "4: \(headline)"])
        let left = ListedRecords.digest([row(1), row(2), row(3)])
        let gone = ListedRecords.digest([row(bad), row(bad)])
        #expect(result.outcome == .loaded(mapped: left))
        #expect(try Shell.sqlite(table.path, "SELECT c FROM t ORDER BY c;") == "1\n2\n3\n")
        #expect(
            try Shell.sqlite(
                table.path,
                "SELECT unit, rows, digest, mapped FROM sluice_ledger WHERE unit LIKE '%s1';")
                == "data/t/s1|3|\(left.text)|\(left.text)\nrejects/t/s1|2|\(gone.text)|\n")
        #expect(try load(records, into: table).outcome == .alreadyThere)
        #expect(try table.readBack() == left)
    }

    @Test("are found among many, and leave nothing behind where there are too many")
    func many() throws {
        let table = try LoadingTable(
            [("c", .int64, true)], existing: "CREATE TABLE t(c INTEGER CHECK(c % 20000 <> 0));")
        let records = (1...100_000).map { row($0) }
        let stopped = failure(of: { try load(records, into: table, limit: 4) })
        #expect(stopped?.message == "too many: row 100000")
        #expect(try table.content() == "0\nbegin t\n")
        let result = try load(records, into: table)
        #expect(
            result.refused
                == (1...5).map {
                    "\($0 * 20_000): CHECK constraint failed: c % 20000 <> 0 [SQLITE_CONSTRAINT 275]"
                })
        #expect(
            try Shell.sqlite(table.path, "SELECT count(*), sum(c) FROM t;") == "99995|4999750000\n")
    }

    @Test("are none where the failure is about something else")
    func others() throws {
        let table = try LoadingTable(
            [("c", .int64, true)], existing: "CREATE TABLE t(c INTEGER NOT NULL);")
        try Shell.sqlite(table.path, "ALTER TABLE t RENAME TO gone;")
        let missing = failure(of: { try load([row(nil)], into: table) })
        #expect(missing?.refusesRow == false)
        #expect(missing?.message == "table t has no column c")
    }
}
