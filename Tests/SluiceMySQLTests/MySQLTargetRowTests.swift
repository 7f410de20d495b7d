import SluiceCore
import SluiceRecords
import TestSupport
import Testing

@testable import SluiceMySQL

@Suite("Rows that a MariaDB target refuses")
struct MySQLTargetRowTests {
    private func table(
        _ type: ColumnType, _ existing: String, sourceEngine: String = "sqlite",
        declared: String = "", hidesKeys: Bool = false
    ) throws -> MySQLLoadingTable {
        try MySQLLoadingTable(
            [("id", .int32, false), ("v", type, true)], key: ["id"], existing: existing,
            sourceEngine: sourceEngine, declared: ["v": declared], hidesKeys: hidesKeys)
    }

    /// A column, a value that it cannot keep, and what is said of it.
    private static let refusals:
        [(ColumnType, String, @Sendable (inout ByteBuffer) -> Void, String)] = [
            (.int32, "tinyint", { $0.appendLong(128) }, "an integer of this size"),
            (.int64, "bigint unsigned", { $0.appendLong(-1) }, "an integer of this size"),
            (.uint64, "bigint", { $0.appendUnscaled(1 << 63) }, "an integer of this size"),
            (
                .decimal(precision: 20, scale: 0), "bigint unsigned",
                { $0.appendUnscaled(1 << 64) },
                "an integer of this size"
            ),
            (.int32, "year", { $0.appendLong(1900) }, "a year that its type does not have"),
            (.float64, "float", { $0.appendDouble(0.1) }, "a number of this size or precision"),
            (.float64, "double", { $0.appendDouble(-0.0) }, "the floating-point number -0"),
            (.float64, "double", { $0.appendDouble(.nan) }, "NaN or an infinity"),
            (
                .decimal(precision: 5, scale: 2), "decimal(5,2)", { $0.appendUnscaled(100_000) },
                "a decimal that is NaN or infinite"
            ),
            (.text, "varchar(3)", { text("éééé", into: &$0) }, "a text of more than 3 characters"),
            (
                .text, "tinytext", { text(String(repeating: "é", count: 128), into: &$0) },
                "a value of more than 255 bytes"
            ),
            (.text, "char(3)", { text("a ", into: &$0) }, "a text that ends in a blank"),
            (
                .bytes, "binary(3)",
                { buffer in [UInt8](1...2).withUnsafeBytes { buffer.appendBytes($0) } },
                "a value that is not 3 bytes long"
            ),
            (.date, "date", { $0.appendLong(2_932_897) }, "a date that MySQL does not have"),
            (
                .timestamp, "timestamp NULL", { $0.appendLong(0) },
                "a timestamp that its type does not have"
            ),
            (
                .localTimestamp, "datetime", { $0.appendLong(500_000) },
                "a fraction of a second of more than 0 digits"
            ),
            (
                .numberText, "decimal(5,1)", { text("1e5", into: &$0) },
                "a number that is written like this"
            ),
        ]

    @Test("are the codes of decimals of any precision", arguments: [1, 5, 18, 19, 38])
    func decimals(_ precision: Int) throws {
        let table = try table(
            .decimal(precision: precision, scale: 1),
            "CREATE TABLE t(id int PRIMARY KEY, v decimal(\(precision),1))")
        for special in [SpecialDecimal.nan, .infinity, .minusInfinity] {
            let code = ReservedValues.unscaled(special, precision: precision)
            let failure = table.failure(records(of: [{ $0.appendUnscaled(code) }]))
            #expect(
                failure?.message == "column v cannot keep a decimal that is NaN or infinite")
        }
        let end = ReservedValues.decimalEnd(precision: precision)
        let values = records(of: [{ $0.appendUnscaled(end - 1) }, { $0.appendUnscaled(1 - end) }])
        #expect(try table.load(values) == .loaded(mapped: ListedRecords.digest(values)))
    }

    @Test("are named with what their column cannot keep", arguments: 0..<17)
    func named(_ index: Int) throws {
        let (type, declared, write, what) = MySQLTargetRowTests.refusals[index]
        let table = try table(type, "CREATE TABLE t(id int PRIMARY KEY, v \(declared))")
        let failure = try #require(table.failure(records(of: [write], isNullable: true)))
        #expect(failure.kind == .refused)
        #expect(failure.message == "column v cannot keep \(what)")
        #expect(failure.places == ["loading row 1 (id = 0) of t"])
        #expect(failure.refusesRow)
        #expect(failure.refusedRow == 1)
        #expect(try table.content() == "0\nbegin t\n")
    }

    @Test("are not shown with their keys where those are to be hidden")
    func hidden() throws {
        let table = try table(
            .int32, "CREATE TABLE t(id int PRIMARY KEY, v tinyint)", hidesKeys: true)
        let failure = try #require(table.failure(records(of: longs(128))))
        #expect(failure.places == ["loading row 1 of t"])
    }

    @Test("by the server are found by their number", arguments: MySQLLoadingWay.allCases)
    func byServer(_ way: MySQLLoadingWay) throws {
        let table = try table(
            .text, "CREATE TABLE t(id int PRIMARY KEY, v varchar(9) CHARACTER SET latin1 UNIQUE)")
        try table.use(way)
        let foreign = try #require(table.failure(records(of: texts("a", "é", "😀", "b"))))
        #expect(
            foreign.message
                == "a value has not the form of its type, or characters it cannot hold in column v")
        #expect(foreign.code == "1366")
        #expect(foreign.kind == .refused)
        #expect(foreign.row == 3)
        #expect(foreign.refusedRow == 3)
        let twice = try #require(table.failure(records(of: texts("a", "b", "c", "B"))))
        #expect(twice.message == "two rows have the same key v")
        #expect(twice.code == "1062")
        #expect(twice.row == 4)
        #expect(twice.refusedRow == 4)
        #expect(try table.content() == "0\nbegin t\n")
        #expect(try table.load(records(of: texts("a", "b"))) != .alreadyThere)
        #expect(try table.content() == "3\nbegin t\ndata/t/1\n")
    }

    @Test("by a CHECK are named by it")
    func checks() throws {
        let table = try table(
            .int32, "CREATE TABLE t(id int PRIMARY KEY, v int, CONSTRAINT small CHECK (v < 9))")
        let failure = try #require(table.failure(records(of: longs(1, 10))))
        #expect(failure.message.contains("`small`"))
        #expect(failure.code == "4025")
        #expect(failure.refusedRow == 2)
        #expect(try table.content() == "0\nbegin t\n")
    }

    @Test("are left out where they are to be set aside")
    func quarantine() throws {
        let table = try table(.text, "CREATE TABLE t(id int PRIMARY KEY, v varchar(3) UNIQUE)")
        let held = try HeldRecords(
            ListedRecords(records(of: texts("a", "long", "b", "A", "c"))), of: table.plan,
            stop: StopSignal())
        var kept: [Int] = []
        let refused = RefusedRecords(
            of: held, admit: { _, _ in },
            keep: { records in
                kept = records.refusals.map(\.row)
                return "rejects/t/1"
            })
        let outcome = try table.session.load("data/t/1", of: table.plan, without: refused)
        #expect(outcome == .loaded(mapped: refused.digestOfOthers))
        #expect(kept == [2, 4])
        #expect(try table.content() == "4\nbegin t\ndata/t/1\nrejects/t/1\n")
        #expect(try table.readBack().digest == refused.digestOfOthers)
    }

    @Test(
        "are none where a label has no word: it comes as it was",
        arguments: MySQLLoadingWay.allCases)
    func wordless(_ way: MySQLLoadingWay) throws {
        let table = try table(
            .enumeration, "CREATE TABLE t(id int PRIMARY KEY, v enum('a','b'))",
            sourceEngine: "mysql", declared: "enum('a','b')")
        try table.use(way)
        let rows = records(of: texts("a", "", "b", ""))
        #expect(try table.load(rows) == .loaded(mapped: ListedRecords.digest(rows)))
        #expect(
            try table.database.sql("SELECT GROUP_CONCAT(v + 0 ORDER BY id) FROM t") == "1,0,2,0\n")
        #expect(try table.readBack().digest == ListedRecords.digest(rows))
    }

    @Test(
        "are none where a value is told from the label '' that it looks like",
        arguments: MySQLLoadingWay.allCases)
    func wrongLabel(_ way: MySQLLoadingWay) throws {
        let table = try table(
            .enumeration, "CREATE TABLE t(id int PRIMARY KEY, v enum('0','','\u{660}','b'))",
            sourceEngine: "mysql", declared: "enum('0','','\u{660}','b')")
        try table.use(way)
        let rows = records(of: texts("0", "\0 ", "", "\u{660}", "\0 ", "b"))
        #expect(try table.load(rows) == .loaded(mapped: ListedRecords.digest(rows)))
        #expect(
            try table.database.sql("SELECT GROUP_CONCAT(v + 0 ORDER BY id) FROM t")
                == "1,0,2,3,0,4\n")
        #expect(try table.readBack().digest == ListedRecords.digest(rows))
    }

    @Test(
        "name a value that is no label where the column has no such thing",
        arguments: ["enum('a','b')", "varchar(9)", "set('','a')"])
    func noWrongLabel(_ declared: String) throws {
        let table = try table(.enumeration, "CREATE TABLE t(id int PRIMARY KEY, v \(declared))")
        let failure = try #require(table.failure(records(of: texts("a", "\0 "))))
        #expect(
            failure.message == "column v cannot keep an ENUM's value that is none of its labels")
        #expect(
            failure.hint == "Correct the row in the source, or leave it out with --where.")
        #expect(failure.places == ["loading row 2 (id = 1) of t"])
    }
}

@Suite("Tables without transactions in a MariaDB target")
struct MySQLPlainTableTests {
    private func table() throws -> MySQLLoadingTable {
        try MySQLLoadingTable(
            [("id", .int32, false), ("v", .text, true)], key: ["id"],
            existing: "CREATE TABLE t(id int PRIMARY KEY, v varchar(3) UNIQUE) ENGINE=MyISAM")
    }

    @Test("are begun anew where a shard was not finished")
    func unfinished() throws {
        let table = try table()
        try table.load(records(of: texts("a")))
        // Its first row stays where it is.
        let other = [
            record { buffer in
                buffer.appendLong(10)
                buffer.appendNotNull()
                text("x", into: &buffer)
            },
            record { buffer in
                buffer.appendLong(11)
                buffer.appendNotNull()
                text("X", into: &buffer)
            },
        ]
        let failure = TestSupport.failure(of: { try table.load(other, as: "data/t/2") })
        #expect(failure?.message == "two rows have the same key v")
        #expect(
            try table.content() == "3\nbegin t\ndata/t/1\nloading t\n")
        // The next run does not believe what the ledger says of the first shard.
        let units = try table.target.survey(table.request).ledger.map(\.unit)
        #expect(units == ["begin t", "loading t"])
        try table.load(records(of: texts("a")))
        try table.load([other[0]], as: "data/t/2")
        #expect(try table.content() == "3\nbegin t\ndata/t/1\ndata/t/2\n")
    }

    @Test("have no rows to leave out")
    func quarantine() throws {
        let table = try table()
        let held = try HeldRecords(
            ListedRecords(records(of: texts("a"))), of: table.plan, stop: StopSignal())
        let refused = RefusedRecords(of: held, admit: { _, _ in }, keep: { _ in "rejects/t/1" })
        let failure = TestSupport.failure(of: {
            try table.session.load("data/t/1", of: table.plan, without: refused)
        })
        #expect(
            failure?.description == """
                table t is of an engine without transactions, whose rows cannot be tried
                hint: Use --on-bad-row stop, or make the target's table with ENGINE=InnoDB.
                """)
    }
}
