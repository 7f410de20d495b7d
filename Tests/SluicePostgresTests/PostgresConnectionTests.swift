import SluiceCore
import SluiceRecords
import TestSupport
import Testing

@testable import SluicePostgres

@Suite("Sessions on a server")
struct PostgresConnectionTests {
    @Test("have settings of their own, whatever the database is set to")
    func settings() throws {
        let database = try PostgresDatabase()
        try database.sql(
            """
            ALTER DATABASE \(database.name) SET timezone = 'Asia/Tokyo';
            ALTER DATABASE \(database.name) SET datestyle = 'German';
            ALTER DATABASE \(database.name) SET intervalstyle = 'iso_8601';
            ALTER DATABASE \(database.name) SET extra_float_digits = -10;
            ALTER DATABASE \(database.name) SET statement_timeout = '1ms';
            ALTER DATABASE \(database.name) SET bytea_output = 'escape';
            ALTER DATABASE \(database.name) SET search_path = 'public';
            ALTER DATABASE \(database.name) SET default_transaction_read_only = on;
            """)
        let connection = try open(database.url)
        let shown = try [
            "timezone", "datestyle", "intervalstyle", "extra_float_digits",
            "statement_timeout", "bytea_output", "search_path", "application_name",
            "row_security", "client_encoding", "client_connection_check_interval",
        ].map { try connection.text("SHOW \($0)") }
        #expect(
            shown == [
                "UTC", "ISO, YMD", "postgres", "3", "0", "hex", "pg_catalog", "sluice", "off",
                "UTF8", "2s",
            ])
    }

    @Test("take parameters, NULL among them, and answer with rows")
    func parameters() throws {
        let connection = try open(try PostgresServer.primary.url())
        let rows = try connection.query(
            "SELECT $1::text, $2::int + 1, NULL, 't'::bool", ["it's", "41"])
        #expect(rows.rowCount == 1)
        #expect(rows.columnCount == 4)
        #expect(rows.text(0, 0) == "it's")
        #expect(rows.integer(0, 1) == 42)
        #expect(rows.isNull(0, 2))
        #expect(rows.optionalText(0, 2) == nil)
        #expect(rows.boolean(0, 3))
        #expect(try connection.text("SELECT $1::text", [nil]) == nil)
        #expect(try connection.integer("SELECT 1 WHERE false") == nil)
    }

    @Test("are usable after an error, and after a copy that was given up")
    func afterwards() throws {
        let connection = try open(try PostgresServer.primary.url())
        let found = failure(of: { () throws(Failure) in
            try connection.execute("SELECT 1; SELECT 1/0; SELECT 2")
        })
        #expect(found?.message == "division by zero")
        try connection.beginCopyOut("COPY (SELECT generate_series(1, 1000000)) TO STDOUT")
        #expect(try connection.nextCopied() != nil)
        connection.abandonCopyOut()
        #expect(try connection.integer("SELECT 3") == 3)
        try connection.execute("BEGIN; CREATE TEMP TABLE t(a int)")
        try connection.beginCopyIn("COPY pg_temp.t FROM STDIN")
        let line = Array("1\n2\n".utf8)
        try line.withUnsafeBytes { try connection.putCopied($0) }
        #expect(try connection.endCopyIn() == 2)
        try connection.beginCopyIn("COPY pg_temp.t FROM STDIN")
        try line.withUnsafeBytes { try connection.putCopied($0) }
        connection.abandonCopyIn()
        #expect(connection.hasFailedTransaction)
        try connection.execute("ROLLBACK")
        #expect(try connection.integer("SELECT 4") == 4)
    }

    @Test("that cannot be opened say why")
    func refused() throws {
        let url = try PostgresServer.primary.url("no_such_database")
        let missing = failure(of: { try open(url) })
        #expect(missing?.kind == .usage)
        #expect(missing?.message.hasSuffix("database \"no_such_database\" does not exist") == true)
        #expect(missing?.hint == "Check user, database and address in the URL.")
        let silent = failure(of: { try open("postgres://127.0.0.1:1/d") })
        #expect(silent?.kind == .unavailable)
        #expect(silent?.isTransient == true)
        #expect(
            silent?.message
                == "postgres://test: connection to server at \"127.0.0.1\", port 1 failed: "
                + "Connection refused")
        #expect(silent?.hint == "Is the server running, and is the address right?")
        let good = try PostgresServer.primary.url()
        let address = try PostgresAddress(
            url: good, shown: "postgres://test", passwordCommand: "echo wrong")
        let wrong = failure(of: { () throws(Failure) in
            _ = try PostgresConnection(address, stop: StopSignal())
        })
        #expect(wrong?.message == "postgres://test does not accept the password")
        #expect(wrong?.hint == "Check user and password.")
    }

    @Test("that are ended while a chunk is read are opened anew, on the same snapshot")
    func ended() throws {
        let database = try PostgresDatabase()
        try database.sql(
            "CREATE TABLE t(id int, v text); "
                + "INSERT INTO t SELECT i, repeat('x', 500) FROM generate_series(1, 50000) i")
        let snapshot = try source(database.url).openSnapshot(
            .snapshot, lanes: 1, stop: StopSignal())
        try database.sql("DELETE FROM t WHERE id > 10")
        let session = try snapshot.openSession()
        let table = SourceTable(
            name: TableName(schema: "public", "t"), estimatedRows: 0, estimatedBytes: 0)
        let plan = try session.plan(table, PlanOptions(chunkBytes: 1 << 30))
        var batch = Batch(fieldCount: 2)
        try session.open(plan.chunks[0], of: plan, hidesKeys: false)
        _ = try session.fill(&batch, byteGoal: 100)
        try database.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'active' "
                + "AND datname = '\(database.name)' AND pid <> pg_backend_pid() "
                + "AND application_name = 'sluice'")
        let found = failure(of: { () throws(Failure) in
            while try session.fill(&batch, byteGoal: batch.bytes.count + 1) {}
        })
        #expect(found?.isTransient == true)
        #expect(found?.kind == .unavailable)
        batch.removeAll()
        try session.open(plan.chunks[0], of: plan, hidesKeys: false)
        while try session.fill(&batch, byteGoal: batch.bytes.count + 1) {}
        #expect(batch.rowCount == 50_000)
        #expect(try session.countRows(in: plan.chunks[0], of: plan) == 50_000)
        session.close()
        try snapshot.close()
    }

    @Test("are told apart by the database, not by its address")
    func identity() throws {
        let database = try PostgresDatabase()
        let one = try source(database.url).identity()
        let other = try PostgresSource(
            url: database.url.replacing("127.0.0.1", with: "localhost"), shown: "p",
            passwordCommand: "echo '\(PostgresServer.password)'"
        ).identity()
        #expect(one == other)
        #expect(one["engine"] == "postgres")
        #expect(one["database"]?.text == database.name)
        #expect(try source(try PostgresServer.primary.url()).identity() != one)
    }
}

@Suite("What doctor finds of a source")
struct PostgresExaminationTests {
    @Test("is that everything is ready, or what is not")
    func findings() throws {
        let database = try PostgresDatabase()
        try database.sql("CREATE TABLE t(a int); CREATE TABLE u(a int)")
        let findings = try source(database.url).examine()
        #expect(findings.first?.what.hasPrefix("PostgreSQL 15.") == true)
        #expect(findings.contains(Finding(.pass, "every table may be read")))
        #expect(!findings.contains { $0.verdict == .fail })
        let role = database.name + "_role"
        try database.sql("CREATE ROLE \(role) LOGIN PASSWORD 'x'; GRANT SELECT ON u TO \(role)")
        defer { _ = try? database.sql("DROP OWNED BY \(role); DROP ROLE \(role)") }
        let start = try PostgresServer.primary.url(database.name)
        let host = start.split(separator: "@").last.map(String.init) ?? ""
        let limited = try PostgresSource(
            url: "postgres://\(role)@\(host)", shown: "p", passwordCommand: "echo x")
        let found = limited.examine()
        #expect(
            found.contains(
                Finding(
                    .fail, "public.t may not be read",
                    remedy:
                        "Grant SELECT to this user (the role pg_read_all_data has it), or leave "
                        + "them out with --exclude.")))
        #expect(
            found.contains(
                Finding(
                    .warn, "this user may make no replication slot",
                    remedy: "ALTER ROLE … REPLICATION, if --position slot is wanted.")))
        let denied = failure(of: { () throws(Failure) in
            _ = try limited.openSnapshot(.snapshot, lanes: 1, stop: StopSignal())
        })
        #expect(denied?.message == "permission denied for table t")
        #expect(denied?.places == ["locking the tables of p"])
        var options = SnapshotOptions(.snapshot, lanes: 1)
        options.wants = { $0.name.table == "u" }
        try limited.openSnapshot(options, stop: StopSignal()).close()
    }

    @Test("is that nobody answers")
    func silence() throws {
        let findings = try PostgresSource(url: "postgres://127.0.0.1:1/d", shown: "p").examine()
        #expect(
            findings == [
                Finding(
                    .fail,
                    "p: connection to server at \"127.0.0.1\", port 1 failed: Connection refused",
                    remedy: "Is the server running, and is the address right?")
            ])
    }
}
