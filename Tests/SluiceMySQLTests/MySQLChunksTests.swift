import SluiceCore
import SluiceRecords
import TestSupport
import Testing

@testable import SluiceMySQL

@Suite("Chunks of a MySQL table have every row once, whatever its key is")
struct MySQLChunksTests {
    private static let tables: [(name: String, sql: String)] = [
        (
            "enums",
            "CREATE TABLE enums (e enum('z','a','m') NOT NULL, n int NOT NULL, PRIMARY KEY (e, n));"
                + "INSERT INTO enums SELECT e, seq FROM seq_1_to_40, (SELECT 'a' AS e UNION SELECT "
                + "'z' UNION SELECT 'm') AS x"
        ),
        (
            "neighbours",
            "CREATE TABLE neighbours (k varchar(20) COLLATE utf8mb4_general_ci PRIMARY KEY);"
                + "INSERT INTO neighbours VALUES ('a'),('B'),('b '' x'),('Ä z'),('ae'),('é'),('F'),"
                + "('\\\\'),(''),('z'),('😀'),('ß'),('st')"
        ),
        (
            "padded",
            "CREATE TABLE padded (k char(5) CHARACTER SET latin1 COLLATE latin1_german2_ci, b "
                + "varbinary(9) NOT NULL, PRIMARY KEY (k, b)); INSERT INTO padded VALUES "
                + "('a', ''),('a', 0x00),('a', 0x0000),('A b', 0xff),('ä', 0x41),('ae', 0x42),"
                + "('o', 0x20),('', 0x27)"
        ),
        (
            "unsigneds",
            "CREATE TABLE unsigneds (k bigint unsigned PRIMARY KEY); INSERT INTO unsigneds VALUES "
                + "(0),(1),(9223372036854775807),(9223372036854775808),(18446744073709551614),"
                + "(18446744073709551615)"
        ),
        (
            "sparse",
            "CREATE TABLE sparse (k bigint PRIMARY KEY); INSERT INTO sparse VALUES "
                + "(-9223372036854775808),(-5),(-1),(0),(1),(7205759403792793600),"
                + "(9223372036854775807)"
        ),
        (
            "composite",
            "CREATE TABLE composite (a int NOT NULL, d decimal(10,3) NOT NULL, t datetime(3) NOT "
                + "NULL, s set('p','q') NOT NULL, x bit(9) NOT NULL, u uuid NOT NULL, y year NOT "
                + "NULL, UNIQUE KEY (a, d, t, s, x, u, y)); INSERT INTO composite SELECT seq % 3, "
                + "(seq % 5) / 8 - 0.5, '2024-01-01' + INTERVAL seq % 2 SECOND, seq % 4, seq % 512, "
                + "concat(lpad(hex(seq), 8, '0'), '-0000-4000-8000-000000000000'), 2000 + seq % 9 "
                + "FROM seq_1_to_60"
        ),
        (
            "backwards",
            "CREATE TABLE backwards (a int NOT NULL, b int NOT NULL, PRIMARY KEY (a DESC, b)); "
                + "INSERT INTO backwards SELECT seq % 7, seq FROM seq_1_to_50"
        ),
        (
            "dates",
            "SET sql_mode = 'ALLOW_INVALID_DATES'; CREATE TABLE dates (d date NOT NULL, t time "
                + "NOT NULL, PRIMARY KEY (d, t)); INSERT INTO dates VALUES ('0000-00-00', "
                + "'-838:59:59'),('0000-00-00', '838:59:59'),('2024-02-30', '00:00:00'),"
                + "('2024-00-15', '01:00:00'),('9999-12-31', '10:00:00')"
        ),
        (
            "versioned",
            "CREATE TABLE versioned (k int PRIMARY KEY, v int) WITH SYSTEM VERSIONING; INSERT INTO "
                + "versioned SELECT seq, 0 FROM seq_1_to_9; UPDATE versioned SET v = 1; UPDATE "
                + "versioned SET v = 2 WHERE k < 5; DELETE FROM versioned WHERE k = 3"
        ),
    ]

    @Test("chunks of 1, 2, 7 and 1,000 rows", arguments: [1, 2, 7, 1000])
    func everyRowOnce(_ rows: Int) throws {
        let database = try MariaDBDatabase()
        for table in MySQLChunksTests.tables { try database.sql(table.sql) }
        let names = MySQLChunksTests.tables.map(\.name)
        let snapshot = try source(database.url).openSnapshot(
            .snapshot, lanes: 2, stop: StopSignal())
        let whole = try Exported(snapshot, of: names)
        let parts = try Exported(snapshot, of: names, chunkRows: rows)
        for name in names {
            let (all, some) = (try whole[name], try parts[name])
            #expect(all.chunks.count == 1)
            #expect(some.lines.sorted() == all.lines.sorted(), "\(name)")
            #expect(!all.lines.isEmpty)
            let least = (all.lines.count + rows - 1) / rows
            #expect(some.chunks.count >= (name == "versioned" ? 1 : least), "\(name)")
            if name != "versioned" {
                #expect(some.chunks.allSatisfy { $0.count <= rows }, "\(name)")
            }
        }
        try snapshot.close()
    }

    @Test("no more chunks than the limit")
    func limit() throws {
        let database = try MariaDBDatabase()
        try database.sql(
            "CREATE TABLE t (k int PRIMARY KEY); INSERT INTO t SELECT seq FROM seq_1_to_500")
        let snapshot = try source(database.url).openSnapshot(
            .snapshot, lanes: 1, stop: StopSignal())
        let table = try Exported(snapshot, of: ["t"], chunkRows: 1, chunkLimit: 16)["t"]
        #expect((2...16).contains(table.chunks.count))
        #expect(table.lines.count == 500)
        try snapshot.close()
    }

    @Test("an index that the server is told to ignore is not forced on it")
    func ignored() throws {
        let database = try MariaDBDatabase()
        try database.sql(
            "CREATE TABLE t (a int NOT NULL, b int NOT NULL, UNIQUE KEY b (b), UNIQUE KEY a (a) "
                + "IGNORED); INSERT INTO t SELECT seq, -seq FROM seq_1_to_20")
        let snapshot = try source(database.url).openSnapshot(
            .snapshot, lanes: 1, stop: StopSignal())
        let table = try Exported(snapshot, of: ["t"], chunkRows: 7)["t"]
        #expect(table.plan.details["key"]?.text == "b")
        #expect(table.lines.count == 20)
        try snapshot.close()
    }

    @Test("a table without a key that tells rows apart is one chunk")
    func keyless() throws {
        let database = try MariaDBDatabase()
        try database.sql(
            "CREATE TABLE t (k int, v text NOT NULL, UNIQUE KEY (k), UNIQUE KEY (v(10)), f float "
                + "NOT NULL UNIQUE); INSERT INTO t VALUES (NULL, 'a', 1), (NULL, 'b', 2)")
        let snapshot = try source(database.url).openSnapshot(
            .snapshot, lanes: 1, stop: StopSignal())
        let table = try Exported(snapshot, of: ["t"], chunkRows: 1)["t"]
        #expect(table.chunks.count == 1)
        #expect(table.lines.count == 2)
        try snapshot.close()
    }

    @Test("a filter holds in every chunk, and one that is no condition is refused")
    func filters() throws {
        let database = try MariaDBDatabase()
        try database.sql(
            "CREATE TABLE t (k int PRIMARY KEY); INSERT INTO t SELECT seq FROM seq_1_to_50")
        let own = try source(database.url)
        let snapshot = try own.openSnapshot(.snapshot, lanes: 9, stop: StopSignal())
        let table = try Exported(
            snapshot, of: ["t"], chunkRows: 7, filter: "k % 2 = 0 OR k = 1")["t"]
        #expect(table.lines.count == 26)
        for (filter, message) in [
            ("k = 1) OR (1 = 1", "it is not one expression"),
            ("k = 1; DROP TABLE t", "it is not one expression"),
            ("k = 1 -- ", "it is not one expression"), ("k = 1 #", "it is not one expression"),
            ("k /* */ = 1", "it is not one expression"), ("k = 'a", "it is not one expression"),
            ("k === 1", "the server calls it wrong SQL"),
            ("n = 1", "unknown column 'n' in 'WHERE'"),
        ] {
            let found = failure(of: {
                try Exported(snapshot, of: ["t"], filter: filter)
            })
            #expect(found?.kind == .usage, "\(filter)")
            #expect(
                found?.message == "the filter of table t is not understood: \(message)", "\(filter)"
            )
            #expect(found?.hint == "Correct --where t=….")
        }
        try snapshot.close()
    }

    @Test("nothing but literals goes from a plan to the server")
    func literals() throws {
        let part = MySQLKey.Part(
            name: "k", writing: .text, characterSet: "utf8mb4", collation: "utf8mb4_bin",
            isDescending: false)
        #expect(part.isLiteral("_utf8mb4 x'00ff' COLLATE utf8mb4_bin"))
        for text in [
            "_utf8mb4 x'0' COLLATE utf8mb4_bin", "x'00'", "_utf8mb4 x'00' COLLATE utf8mb4_bin OR 1",
            "_utf8mb4 x'00' OR x'' COLLATE utf8mb4_bin", "1",
        ] {
            #expect(!part.isLiteral(text), "\(text)")
        }
        let number = MySQLKey.Part(
            name: "k", writing: .number, characterSet: "", collation: "", isDescending: false)
        #expect(number.isLiteral("-12.5") && number.isLiteral("18446744073709551615"))
        #expect(!number.isLiteral("1 OR 1") && !number.isLiteral("") && !number.isLiteral("1.2.3"))
        let quoted = MySQLKey.Part(
            name: "k", writing: .quoted, characterSet: "", collation: "", isDescending: false)
        #expect(quoted.isLiteral("'2024-01-01 10:00:00.5'"))
        #expect(!quoted.isLiteral("'a' OR 'b'") && !quoted.isLiteral("'\\''"))
    }
}
