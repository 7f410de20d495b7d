import SluiceCore
import SluiceRecords
import TestSupport
import Testing

@testable import SluiceMySQL

@Suite("Rows of MySQL become records, value for value")
struct MySQLReaderTests {
    private let database: MariaDBDatabase

    init() throws {
        database = try MariaDBDatabase()
    }

    private func lines(
        _ sql: String, of table: String = "t", rowByteLimit: Int = 256 << 20,
        hidesKeys: Bool = false
    ) throws -> [String] {
        try database.sql("SET sql_mode = 'ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO'; \(sql)")
        let snapshot = try source(database.url).openSnapshot(
            .snapshot, lanes: 1, stop: StopSignal())
        defer { try? snapshot.close() }
        return try Exported(
            snapshot, of: [table], rowByteLimit: rowByteLimit, hidesKeys: hidesKeys)[table].lines
    }

    @Test("floats are bit-exact to the ends of their range")
    func floats() throws {
        let found = try lines(
            "CREATE TABLE t (id int PRIMARY KEY, f float, d double, g float(7,4), e double(10,2));"
                + "INSERT INTO t VALUES (1, 3.4028234663852886e38, -1.7976931348623157e308, 1.23456,"
                + " 2.345), (2, 1.17549435e-38, 2.2250738585072014e-308, 0, 0),"
                + "(3, 16777217, 0.1, NULL, NULL), (4, 1.401298464324817e-45, 4.9e-324, 1, 1)")
        #expect(
            found == [
                "1,3.4028235e+38,-1.7976931348623157e+308,1.2346,2.35",
                "2,1.1754944e-38,2.2250738585072014e-308,0.0,0.0", "3,16777216.0,0.1,\\N,\\N",
                "4,1e-45,5e-324,1.0,1.0",
            ])
    }

    @Test("text of every character set is its characters")
    func characters() throws {
        let found = try lines(
            "CREATE TABLE t (id int PRIMARY KEY, a varchar(9) CHARACTER SET utf8mb4, b varchar(9) "
                + "CHARACTER SET utf8mb3, c varchar(9) CHARACTER SET latin1, d varchar(9) CHARACTER "
                + "SET sjis, e varchar(9) CHARACTER SET utf16, f char(5) CHARACTER SET ascii); "
                + "INSERT INTO t VALUES (1, '😀é', 'é?', 'é€?', '表?', '😀?', 'a?b '), "
                + "(2, '', '', '', '', '', '')")
        #expect(
            found == [
                "1,\"😀é\",\"é?\",\"é€?\",\"表?\",\"😀?\",a?b", "2,\"\",\"\",\"\",\"\",\"\",\"\"",
            ])
    }

    @Test("bytes that are no character of their set are refused by name, not replaced")
    func replaced() throws {
        let found = failure(of: {
            try lines(
                "CREATE TABLE t (id int PRIMARY KEY, v varchar(9) CHARACTER SET cp1250); INSERT "
                    + "INTO t VALUES (1, 'a?'), (2, x'81')")
        })
        #expect(found?.kind == .refused)
        #expect(
            found?.message == "row id = 2 of t has a text with bytes that its character set has no "
                + "character for in column v")
        #expect(found?.hint == "Correct the value, or leave the row out with --where.")
    }

    @Test("a value that is no label is told from the label '', in any character set")
    func wrongLabels() throws {
        for set in ["utf8mb4", "utf8mb3", "latin1", "cp1250", "binary"] {
            let database = try MariaDBDatabase()
            try database.sql(
                "CREATE TABLE t (id int PRIMARY KEY, e enum('a','') CHARACTER SET \(set)); "
                    + "INSERT IGNORE INTO t VALUES (1, ''), (2, 'wrong'), (3, 'a'), (4, NULL)")
            let snapshot = try source(database.url).openSnapshot(
                .snapshot, lanes: 1, stop: StopSignal())
            defer { try? snapshot.close() }
            let exported = try Exported(snapshot, of: ["t"])["t"]
            #expect(exported.lines == ["1,\"\"", "2,\"\0 \"", "3,a", "4,\\N"])
            #expect(exported.reserved == [0, 1])
        }
        #expect(
            try lines(
                "CREATE TABLE u (id int PRIMARY KEY, e enum('a','it''s')); INSERT IGNORE INTO u "
                    + "VALUES (1, 'it''s'), (2, 'wrong')", of: "u") == ["1,it's", "2,\"\""])
    }

    @Test("a member '' of a set is refused by name where it cannot be told from no member")
    func hidden() throws {
        let found = failure(of: {
            try lines(
                "CREATE TABLE t (id int PRIMARY KEY, s set('','a')); INSERT INTO t VALUES (1, 0), "
                    + "(2, 1)")
        })
        #expect(
            found?.message
                == "row id = 2 of t has a value that cannot be told from its member '' in column s")
    }

    @Test("dates no calendar has, and times beyond a day")
    func calendar() throws {
        let found = try lines(
            "CREATE TABLE t (id int PRIMARY KEY, d date, m datetime(6), s timestamp(3) NULL, x "
                + "time(1)); SET time_zone = '+02:00'; INSERT INTO t VALUES (1, '2024-02-30', "
                + "'0000-00-00 00:00:00', '2024-03-31 02:30:00.125', '-838:59:59.9'), (2, "
                + "'9999-12-31', '1000-01-01 23:59:59.999999', NULL, '100:00:00')")
        #expect(
            found == [
                "1,#-999157922,#-4000000000000000000,2024-03-31 00:30:00.125Z,-838:59:59.9",
                "2,9999-12-31,1000-01-01 23:59:59.999999,\\N,100:00:00",
            ])
    }

    @Test("columns that are computed stay out, invisible ones do not")
    func columns() throws {
        let found = try lines(
            "CREATE TABLE t (id int PRIMARY KEY, twice int AS (id * 2) STORED, h int "
                + "INVISIBLE DEFAULT 7); INSERT INTO t (id) VALUES (0), (5)")
        #expect(found == ["0,7", "5,7"])
        #expect(
            try lines(
                "CREATE TABLE u (c int AS (1 + 1)); INSERT INTO u VALUES (DEFAULT), (DEFAULT)",
                of: "u") == ["", ""])
    }

    @Test("rows are named by their keys, or by their numbers where keys are hidden")
    func sizes() throws {
        let sql =
            "CREATE TABLE t (a int, b varchar(9), v longtext, PRIMARY KEY (a, b)); INSERT INTO t "
            + "VALUES (1, 'x', 'short'), (2, 'it''s', repeat('x', 20000))"
        let found = failure(of: { try lines(sql, rowByteLimit: 10_000) })
        #expect(found?.message == "row a = 2, b = 'it''s' of t has more than 10000 bytes")
        #expect(found?.hint == "Raise --row-bytes, or leave the row out with --where.")
        let hidden = failure(of: {
            try lines("SELECT 1", rowByteLimit: 10_000, hidesKeys: true)
        })
        #expect(hidden?.message == "row number 2 of t has more than 10000 bytes")
    }
}
