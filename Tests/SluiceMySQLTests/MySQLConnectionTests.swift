import SluiceCore
import SluiceRecords
import TestSupport
import Testing

@testable import SluiceMySQL

@Suite("A session on a MySQL server")
struct MySQLConnectionTests {
    private let database: MariaDBDatabase

    init() throws {
        database = try MariaDBDatabase()
    }

    @Test("is set to the same whatever the server, the database and the user are set to")
    func settings() throws {
        let connection = try open(database.url)
        let found = try connection.query(
            "SELECT @@time_zone, @@sql_mode, @@character_set_client, @@character_set_results, "
                + "@@collation_connection, @@autocommit, @@max_statement_time, "
                + "@@group_concat_max_len, @@net_write_timeout, @@wait_timeout, @@tx_isolation")
        #expect(
            (0..<found.columnCount).map { found.text(0, $0) } == [
                "+00:00",
                "NO_AUTO_VALUE_ON_ZERO,STRICT_ALL_TABLES,ALLOW_INVALID_DATES,NO_ENGINE_SUBSTITUTION",
                "utf8mb4", "utf8mb4", "utf8mb4_bin", "1", "0.000000", "1073741824", "86400",
                "31536000", "REPEATABLE-READ",
            ])
    }

    /// Takes minutes; SLEEP would end without a failure.
    private static let slow =
        "SELECT COUNT(*) FROM seq_1_to_1000000 a JOIN seq_1_to_1000000 b ON a.seq <> b.seq"

    @Test("ends a statement when it is to stop, and stays usable")
    func stopping() throws {
        let stop = StopSignal()
        let connection = try open(database.url, stop: stop)
        let raising = SluiceCore.Thread {
            Clock.sleep(.milliseconds(300))
            stop.raise(.timeLimit)
        }
        let start = Clock.now
        let found = failure(of: { try connection.query(MySQLConnectionTests.slow) })
        raising.join()
        #expect(found?.message == "the time limit was reached")
        #expect(Clock.now - start < .seconds(20))
        connection.ignoresStop = true
        #expect(try connection.integer("SELECT 7") == 7)
    }

    @Test("ends a statement at its limit, and stays usable")
    func limit() throws {
        let connection = try open(database.url)
        connection.statementLimit = .milliseconds(300)
        let found = failure(of: { try connection.query(MySQLConnectionTests.slow) })
        #expect(found?.code == "1317")
        connection.statementLimit = nil
        #expect(try connection.integer("SELECT 7") == 7)
    }

    @Test("rows that are not wanted any more leave it free")
    func abandoning() throws {
        let connection = try open(database.url)
        let rows = try connection.rows("SELECT seq FROM seq_1_to_100000000")
        #expect(try rows.next())
        let start = Clock.now
        rows.close()
        rows.close()
        #expect(Clock.now - start < .seconds(20))
        #expect(try connection.integer("SELECT 7") == 7)
    }

    @Test("that was killed says so, and is closed")
    func killed() throws {
        let connection = try open(database.url)
        try database.sql("KILL \(connection.threadID)")
        let found = failure(of: { try connection.execute("SELECT 1") })
        #expect(found?.kind == .unavailable)
        #expect(found?.isTransient == true)
        #expect(found?.message.hasPrefix("the connection to mysql://test was lost: ") == true)
        #expect(!connection.isOpen)
        #expect(failure(of: { try connection.execute("SELECT 1") })?.kind == .unavailable)
    }

    @Test("gives a server that asks for a file nothing")
    func files() throws {
        try database.sql("CREATE TABLE t (v text)")
        let connection = try MySQLConnection(
            try MySQLAddress(url: database.url, shown: "mysql://test"), .loading,
            stop: StopSignal())
        #expect(
            failure(of: {
                try connection.execute("LOAD DATA LOCAL INFILE '/etc/hostname' INTO TABLE t")
            }) != nil)
        #expect(try database.sql("SELECT COUNT(*) FROM t") == "0\n")
    }

    @Test("is refused for a wrong password, an unknown database, a missing server")
    func refusals() throws {
        let wrong = failure(of: { try open(database.url.replacing("admin@", with: "admin:no@")) })
        #expect(wrong?.kind == .usage)
        #expect(wrong?.message == "mysql://test does not accept the user or the password")
        let unknown = failure(of: { try open(database.url + "_not") })
        #expect(unknown?.kind == .usage)
        #expect(unknown?.message == "mysql://test: unknown database '\(database.name)_not'")
        let away = failure(of: { try open("mysql://u@127.0.0.1:1/d") })
        #expect(away?.kind == .unavailable)
        #expect(away?.isTransient == true)
    }

    @Test("is encrypted where that is asked for, and with whom it should be")
    func encryption() throws {
        func cipher(_ parameters: String) throws -> String? {
            let connection = try open("\(database.url)?\(parameters)")
            return try connection.query("SHOW STATUS LIKE 'Ssl_cipher'").text(0, 1)
        }
        let authority = try MariaDBServer.certificate
        #expect(try cipher("ssl-mode=disabled") == "")
        #expect(try cipher("ssl-mode=required") != "")
        #expect(try cipher("ssl-mode=verify-identity&ssl-ca=\(authority)") != "")
        let found = failure(of: { try cipher("ssl-mode=verify-identity") })
        #expect(found?.kind == .usage)
        #expect(
            found?.hint == "Check the ssl- parameters of the URL and the server's certificate.")
    }

    @Test("looks at what a migration needs before the window")
    func examination() throws {
        try database.sql(
            "CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE old (id int) ENGINE = MyISAM")
        let findings = try source(database.url).examine()
        #expect(findings.first?.what.hasPrefix("MariaDB 10.11.") == true)
        let texts = findings.map { "\($0.verdict.rawValue): \($0.what)" }
        #expect(texts.contains("pass: every table may be read"))
        #expect(texts.contains("warn: old has the engine MyISAM, which has no snapshots"))
        #expect(texts.contains("pass: the binary log has whole rows"))
        #expect(texts.contains("pass: all lanes can be shown to see one instant"))
        let away = MySQLExamination(
            try MySQLAddress(url: "mysql://u@127.0.0.1:1/d", shown: "mysql://away"),
            window: .seconds(1))
        #expect(away.findings.map(\.verdict) == [.fail])
    }
}

@Suite("The schema of a MySQL database is read as the server prints it")
struct MySQLSchemaTextTests {
    @Test("every object, with what its meaning depends on, and none of ours")
    func objects() throws {
        let database = try MariaDBDatabase()
        try database.sql(
            """
            CREATE TABLE t (id int PRIMARY KEY, v int); CREATE TABLE sluice_ledger (a int);
            CREATE SEQUENCE s START WITH 5; DO NEXTVAL(s);
            CREATE TABLE u (id int DEFAULT NEXTVAL(s), c varchar(40) DEFAULT 'nextval(`x`.');
            CREATE VIEW w AS SELECT id FROM t;
            SET sql_mode = 'ANSI_QUOTES'; CREATE PROCEDURE p() SELECT "id" FROM t;
            CREATE FUNCTION f() RETURNS int DETERMINISTIC RETURN 1;
            CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW SET NEW.v = 1;
            CREATE EVENT e ON SCHEDULE EVERY 1 DAY DISABLE DO DELETE FROM t
            """)
        let snapshot = try source(database.url).openSnapshot(
            .snapshot, lanes: 1, stop: StopSignal())
        defer { try? snapshot.close() }
        let catalog = try snapshot.catalog()
        #expect(catalog.tables.map(\.name.description) == ["t", "u"])
        let objects = catalog.schema.objects
        #expect(
            objects.map { "\($0.kind) \($0.name)" } == [
                "SEQUENCE s", "TABLE t", "TABLE u", "FUNCTION f", "PROCEDURE p", "VIEW w",
                "TRIGGER g", "EVENT e",
            ])
        let routine = try #require(objects.first { $0.kind == "PROCEDURE" }).sql
        #expect(
            routine.hasPrefix(
                "SET sql_mode = 'ANSI_QUOTES', character_set_client = utf8mb4, "
                    + "collation_connection = utf8mb4_general_ci;\nCREATE "))
        let event = try #require(objects.first { $0.kind == "EVENT" }).sql
        #expect(event.contains("time_zone = 'SYSTEM';\nCREATE "))
        let table = try #require(objects.first { $0.name == TableName("u") }).sql
        #expect(table.contains("DEFAULT nextval(`s`)"))
        #expect(table.contains("DEFAULT 'nextval(`x`.'"))
        #expect(objects.first { $0.kind == "TRIGGER" }?.table == TableName("t"))
        let sequence = try #require(catalog.schema.settings["sequences"]?.elements?.first)
        #expect(sequence["name"]?.text == "s")
        #expect(sequence["next"]?.text == "1005")
        #expect(
            catalog.warnings == [
                "sequences are in no snapshot; their values are those of the moment"
            ])
    }

    @Test("tables in words that other engines understand")
    func definitions() throws {
        let database = try MariaDBDatabase()
        try database.sql(
            """
            CREATE TABLE a (id int unsigned AUTO_INCREMENT PRIMARY KEY COMMENT 'it''s', n varchar(9)
                NOT NULL DEFAULT 'x\\\\y' COLLATE utf8mb4_bin, j json, g int AS (length(n) + 1),
                s timestamp DEFAULT current_timestamp() ON UPDATE current_timestamp(),
                UNIQUE KEY un (n), KEY part (n(3)), FULLTEXT KEY ft (n), CHECK (n <> ''));
            CREATE TABLE b (id int PRIMARY KEY, a int unsigned, CONSTRAINT fk FOREIGN KEY (a)
                REFERENCES a (id) ON DELETE CASCADE ON UPDATE SET NULL);
            CREATE TABLE h (id int PRIMARY KEY, v int UNIQUE) WITH SYSTEM VERSIONING
            """)
        let snapshot = try source(database.url).openSnapshot(
            .snapshot, lanes: 1, stop: StopSignal())
        defer { try? snapshot.close() }
        let found = try Exported(snapshot, of: ["a", "b", "h"])
        let (a, b, h) = (
            try found["a"].plan.definition, try found["b"].plan.definition,
            try found["h"].plan
        )
        #expect(a.primaryKey == ["id"])
        #expect(a.columns.map(\.name) == ["id", "n", "j", "g", "s"])
        #expect(a.columns[0].isIdentity && a.columns[0].comment == "it's")
        #expect(a.columns[1].defaultLiteral == "'x\\y'")
        #expect(a.columns[1].declared == "varchar(9) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
        #expect(a.columns[2].declared == "json")
        #expect(a.columns[3].isGenerated)
        #expect(
            a.indexes == [TableDefinition.Index(name: "un", columns: ["n"], isUnique: true)])
        #expect(
            a.omissions.sorted() == [
                "ON UPDATE of s", "check CONSTRAINT_1", "collation utf8mb4_bin of n", "index ft",
                "index part", "the default of s, an expression",
            ])
        #expect(try found["a"].types == ["int64", "text", "json", "timestamp"])
        #expect(
            b.foreignKeys == [
                TableDefinition.ForeignKey(
                    name: "fk", columns: ["a"], table: TableName("a"), otherColumns: ["id"],
                    onDelete: "CASCADE", onUpdate: "SET NULL")
            ])
        #expect(h.definition.primaryKey == ["id", "row_end"])
        #expect(h.definition.indexes.map(\.columns) == [["v", "row_end"]])
        #expect(h.schema.fields.map(\.name) == ["id", "v", "row_start", "row_end"])
        #expect(h.details["period"] == ["row_start", "row_end"])
    }
}
