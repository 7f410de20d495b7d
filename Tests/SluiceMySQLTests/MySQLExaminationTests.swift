import SluiceCore
import SluiceRecords
import TestSupport
import Testing

@testable import SluiceMySQL

/// What `doctor` says, word by word; what it is said of stands in the facts or is made on a server.
@Suite("An examination of a MySQL server") struct MySQLExaminationTests {
    private func lines(_ findings: [Finding]) -> [String] {
        findings.map {
            "\($0.verdict.rawValue): \($0.what)" + ($0.remedy.map { " (\($0))" } ?? "")
        }
    }

    @Test("says which server it is, and whether sluice was tried with it")
    func flavors() {
        #expect(
            lines(MySQLExamination.findings(on: MySQLFlavor("10.11.6-MariaDB-0+deb12u1")))
                == ["pass: MariaDB 10.11.6-MariaDB-0+deb12u1 answers"])
        #expect(
            lines(MySQLExamination.findings(on: MySQLFlavor("8.0.36"))) == [
                "pass: MySQL 8.0.36 answers",
                "warn: sluice is tested with MariaDB 10.11 only (Try the whole window with this "
                    + "version first.)",
            ])
    }

    @Test("says what change capture would miss in the binary log, and how long it is kept")
    func log() {
        func found(_ format: String, _ image: String, keptFor seconds: Int) -> [String] {
            lines(
                MySQLExamination.findings(
                    format: format, image: image, keptFor: seconds, window: .seconds(7200)))
        }
        #expect(
            found("MIXED", "FULL", keptFor: 7199)
                == [
                    "warn: the binary log has format MIXED and row image FULL (Change capture needs "
                        + "binlog_format = ROW and binlog_row_image = FULL.)",
                    "warn: the binary log is kept for 7199 seconds (Raise "
                        + "binlog_expire_logs_seconds to the time that export, load and catching "
                        + "up take: as long as --time-limit says, else a day.)",
                ])
        #expect(
            found("ROW", "MINIMAL", keptFor: 0) == [
                "warn: the binary log has format ROW and row image MINIMAL (Change capture needs "
                    + "binlog_format = ROW and binlog_row_image = FULL.)",
                "pass: the binary log is kept until somebody purges it",
            ])
        for (seconds, time) in [
            (7200, "7200 seconds"), (86_399, "86399 seconds"), (86_400, "1 day"),
            (864_000, "10 days"),
        ] {
            #expect(
                found("ROW", "FULL", keptFor: seconds) == [
                    "pass: the binary log has whole rows",
                    "pass: the binary log is kept for \(time)",
                ])
        }
    }

    @Test("says what a snapshot may have to wait for, or does not have")
    func sessions() {
        #expect(lines(MySQLExamination.findings(oldest: 60, prepared: 0)) == [])
        #expect(
            lines(MySQLExamination.findings(oldest: 61, prepared: 2)) == [
                "warn: a transaction has been open for 61 seconds (A lock may have to wait for it; "
                    + "information_schema.INNODB_TRX shows it.)",
                "warn: 2 prepared transactions are open (What they wrote is in no snapshot; commit "
                    + "them or roll them back.)",
            ])
        #expect(
            lines(MySQLExamination.findings(oldest: 0, prepared: 1)).map { $0.prefix(42) }
                == ["warn: 1 prepared transaction is open (What"])
    }

    @Test("says of a target what slows a load down, or stops it")
    func target() throws {
        let flavor = MySQLFlavor("10.11.6-MariaDB")
        #expect(
            lines(MySQLTargetExamination().findings(on: flavor)) == [
                "pass: MariaDB 10.11.6-MariaDB answers", "pass: the user may make and fill tables",
                "pass: the server takes LOAD DATA LOCAL",
                "pass: the server takes packets of 64 MiB",
                "pass: the server knows time zones by name",
            ])
        var bad = MySQLTargetExamination()
        bad.isReadOnly = true
        bad.takesLines = false
        bad.packetBytes = 16 << 20
        bad.countingMode = 0
        bad.lackedPrivileges = ["CREATE", "DROP"]
        bad.knowsTimeZones = false
        let expected: [String] = [
            "warn: the server is read-only for most users (Is it a replica? Give the address of the "
                + "server that takes changes.)",
            "fail: the user may not CREATE, DROP in the database (Grant ALL PRIVILEGES on the "
                + "database to the user of the URL.)",
            "warn: the server takes no LOAD DATA LOCAL, so that rows go in by INSERT (Set "
                + "local_infile=1 at the server for the time of the load.)",
            "warn: the server takes packets of at most 16 MiB (Rows that are larger cannot be "
                + "compared; raise max_allowed_packet.)",
            "warn: lanes wait for each other in tables that number their rows (Set "
                + "innodb_autoinc_lock_mode to 2 at the server.)",
            "warn: the server knows no time zone by name (Load them with mariadb-tzinfo-to-sql or "
                + "mysql_tzinfo_to_sql where views, routines or events name one; CONVERT_TZ gives "
                + "NULL without.)",
        ]
        #expect(Array(lines(bad.findings(on: flavor)).dropFirst()) == expected)
    }

    @Test("says what a user may not do in a target, and whether time zones have names there")
    func targetUsers() throws {
        let database = try MariaDBDatabase()
        let found = lines(try MySQLTarget(url: database.url, shown: "mysql://t").examine())
        #expect(found.contains("pass: the user may make and fill tables"))
        let knows = try database.sql("SELECT count(*) > 0 FROM mysql.time_zone_name") == "1\n"
        #expect(found.contains("pass: the server knows time zones by name") == knows)
        let name = "\(database.name)_x"
        try database.sql("CREATE USER \(name) IDENTIFIED BY 'x'")
        defer { _ = try? database.sql("DROP USER \(name)") }
        let pattern = "`\(database.name.replacing("_", with: "\\_"))`"
        try database.sql(
            "GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP ON \(pattern).* TO \(name)")
        let url = database.url.replacing("admin@", with: "\(name):x@")
        let target = try MySQLTarget(url: url, shown: "mysql://t")
        #expect(
            lines(target.examine()).contains(
                "fail: the user may not ALTER, INDEX, REFERENCES in the database (Grant ALL "
                    + "PRIVILEGES on the database to the user of the URL.)"))
    }

    /// An account of the test's own on a server without a binary log.
    private func lines(
        _ database: MariaDBDatabase, asAccountWith grants: [String]
    ) throws -> [String] {
        let name = "\(database.name)_x"
        try database.sql("CREATE USER \(name) IDENTIFIED BY 'x'")
        defer { _ = try? database.sql("DROP USER \(name)") }
        for grant in grants { try database.sql("GRANT \(grant) TO \(name)") }
        let url = database.url.replacing("admin@", with: "\(name):x@")
        return lines(try source(url).examine())
    }

    @Test("says which tables cannot be read, and which locks cannot be had")
    func privileges() throws {
        let database = try MariaDBDatabase(on: .second)
        try database.sql(
            "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int); CREATE TABLE c (id int)")
        let rights = "INSERT, TRIGGER ON \(database.name).*"
        let found = try lines(database, asAccountWith: [rights])
        let expected: [String] = [
            "fail: a and 2 more may not be read (Grant SELECT to this user, repair them, or leave "
                + "them out with --exclude.)",
            "warn: the position will not be exact: the server keeps no binary log (Only change "
                + "capture from the snapshot needs it.)",
            "warn: this user may take no read lock (Grant RELOAD or LOCK TABLES, or use --lanes 1.)",
            "warn: long transactions cannot be looked for (Grant PROCESS to this user.)",
        ]
        #expect(Array(found.dropFirst()) == expected)
        let some = try lines(
            database,
            asAccountWith: [
                rights, "SELECT ON \(database.name).b", "SELECT ON \(database.name).c",
                "RELOAD, PROCESS ON *.*",
            ])
        #expect(
            some[1] == "fail: a may not be read (Grant SELECT to this user, repair them, or leave "
                + "them out with --exclude.)")
        #expect(some.contains("pass: a global read lock may be taken for a moment"))
        #expect(!some.contains { $0.hasPrefix("warn: long transactions") })
        let all = try lines(database, asAccountWith: ["SELECT, LOCK TABLES ON \(database.name).*"])
        #expect(all[1] == "pass: every table may be read")
        #expect(all.contains("pass: the tables may be locked for a moment"))
    }

    @Test("says which tables no snapshot has, and which one lane alone can read")
    func tables() throws {
        let database = try MariaDBDatabase()
        try database.sql(
            "CREATE TABLE a (id int) ENGINE = MyISAM; CREATE TABLE b (id int) ENGINE = Aria")
        let still = lines(try source(database.url).examine())
        #expect(
            still.contains(
                "warn: a and 1 more have engines without snapshots (Use --consistency locked, or "
                    + "leave them out with --exclude.)"))
        try database.sql("DROP TABLE b")
        #expect(
            lines(try source(database.url).examine()).contains(
                "warn: a has the engine MyISAM, which has no snapshots (Use --consistency locked, "
                    + "or leave them out with --exclude.)"))
        let what =
            "no key whose ranges can be read side by side (One lane reads such a table; a "
            + "primary key would let all of them.)"
        #expect(lines(MySQLExamination.findings(keyless: [])) == [])
        #expect(
            lines(MySQLExamination.findings(keyless: [TableName("c")])) == ["warn: c has \(what)"])
        #expect(
            lines(MySQLExamination.findings(keyless: ["c", "d", "e"].map { TableName(Name($0)) }))
                == ["warn: c and 2 more have \(what)"])
    }
}
