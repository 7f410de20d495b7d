import SluiceCore
import SluiceRecords
import TestSupport
import Testing

@testable import SluiceMySQL

/// A database that is read, and one that its schema goes into.
private struct MySQLSchemaMove {
    let database: MariaDBDatabase
    let target: MySQLTarget
    let tables: [TablePlan]
    let schema: SchemaText

    init(_ sql: String, options: String = "") throws {
        let source = try MariaDBDatabase(options: options)
        try source.sql(sql)
        let opened = try MySQLSource(url: source.url, shown: "mysql://source")
        let snapshot = try opened.openSnapshot(.snapshot, lanes: 1, stop: StopSignal())
        defer { try? snapshot.close() }
        let catalog = try snapshot.catalog()
        let session = try snapshot.openSession()
        tables = try catalog.tables.map { try session.plan($0, PlanOptions(chunkBytes: 1 << 20)) }
        session.close()
        schema = catalog.schema
        database = try MariaDBDatabase()
        target = try MySQLTarget(url: database.url, shown: "mysql://target")
    }

    func request(
        _ onExisting: OnExisting = .refuse, tables wanted: [Name]? = nil,
        skipsOwners: Bool = false, isTrusted: Bool = true
    ) -> LoadRequest {
        LoadRequest(
            dataset: "d1",
            tables: tables.filter { wanted?.contains($0.table.table) ?? true },
            trustedSchema: isTrusted ? schema : nil, onExisting: onExisting,
            sourceEngine: "mysql", skipsOwners: skipsOwners)
    }

    /// Carries the whole schema out; every step twice, as after a crash.
    func carryOut(_ request: LoadRequest) throws -> (any TargetSession, TargetSurvey) {
        let survey = try target.survey(request)
        try #require(survey.conflicts == [])
        let session = try target.openSession(request, stop: StopSignal())
        try session.prepare()
        for step in survey.steps where step.phase == .tables { try session.perform(step) }
        try session.begin(request.tables)
        let other = try MySQLTarget(url: database.url, shown: "mysql://target")
        let again = try other.openSession(request, stop: StopSignal())
        for step in survey.steps {
            try session.perform(step)
            try again.perform(step)
        }
        again.close()
        return (session, survey)
    }

    func objects() throws -> String {
        try database.sql(
            """
            SELECT LOWER(TABLE_TYPE), TABLE_NAME FROM information_schema.TABLES
                WHERE TABLE_SCHEMA = DATABASE() ORDER BY TABLE_NAME;
            SELECT LOWER(ROUTINE_TYPE), ROUTINE_NAME FROM information_schema.ROUTINES
                WHERE ROUTINE_SCHEMA = DATABASE() ORDER BY ROUTINE_NAME;
            SELECT 'trigger', TRIGGER_NAME FROM information_schema.TRIGGERS
                WHERE TRIGGER_SCHEMA = DATABASE();
            SELECT 'event', EVENT_NAME FROM information_schema.EVENTS
                WHERE EVENT_SCHEMA = DATABASE()
            """)
    }
}

@Suite("The schema of a MariaDB target")
struct MySQLTargetSchemaTests {
    private static let shop = """
        CREATE SEQUENCE numbers;
        CREATE TABLE parent(id int PRIMARY KEY, name varchar(20), UNIQUE KEY once (name));
        CREATE TABLE child(
            id int NOT NULL DEFAULT nextval(numbers), parent int, note text,
            KEY by_parent (parent), FULLTEXT KEY words (note),
            CONSTRAINT of_parent FOREIGN KEY (parent) REFERENCES parent (id));
        CREATE FUNCTION one() RETURNS int DETERMINISTIC RETURN 1;
        CREATE VIEW a_first AS SELECT id FROM parent;
        CREATE VIEW b_second AS SELECT id, one() AS one FROM a_first;
        ALTER VIEW a_first AS SELECT id FROM parent WHERE id > 0;
        CREATE TRIGGER counted BEFORE INSERT ON child FOR EACH ROW SET NEW.note = 'x';
        CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY DISABLE DO DELETE FROM child
        """

    private static let objects = """
        view\ta_first
        view\tb_second
        base table\tchild
        sequence\tnumbers
        base table\tparent
        base table\tsluice_ledger
        function\tone
        trigger\tcounted
        event\tnightly

        """

    @Test("arrives whole, whatever is done twice, and is taken back whole")
    func whole() throws {
        let move = try MySQLSchemaMove(MySQLTargetSchemaTests.shop)
        let (session, _) = try move.carryOut(move.request())
        #expect(try move.objects() == MySQLTargetSchemaTests.objects)
        #expect(
            try move.database.sql(
                """
                SELECT GROUP_CONCAT(DISTINCT INDEX_NAME ORDER BY INDEX_NAME)
                FROM information_schema.STATISTICS
                WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'child'
                """) == "by_parent,words\n")
        try session.undo("d1")
        #expect(try move.objects() == "base table\tsluice_ledger\n")
        #expect(try move.database.sql("SELECT COUNT(*) FROM sluice_ledger") == "0\n")
        session.close()
    }

    @Test("replaces what is there, and nothing beside it")
    func replace() throws {
        let move = try MySQLSchemaMove(MySQLTargetSchemaTests.shop)
        try move.database.sql("CREATE TABLE beside(a int)")
        let (first, _) = try move.carryOut(move.request(.replace))
        first.close()
        try move.database.sql("INSERT INTO parent VALUES (1, 'old')")
        try move.database.sql("DELETE FROM sluice_ledger")
        let (second, _) = try move.carryOut(move.request(.replace))
        second.close()
        #expect(try move.database.sql("SELECT COUNT(*) FROM parent") == "0\n")
        #expect(try move.objects().contains("base table\tbeside\n"))
    }

    @Test("leaves out what belongs to tables that are not loaded")
    func parts() throws {
        let move = try MySQLSchemaMove(MySQLTargetSchemaTests.shop)
        let (session, survey) = try move.carryOut(move.request(tables: ["child"]))
        session.close()
        #expect(
            survey.warnings == [
                "table child: the foreign key to parent is left out with that table",
                "view a_first is left out: it reads parent, which is not loaded",
                "view b_second is left out: it reads a_first, which is not loaded",
            ])
        #expect(
            try move.objects() == """
                base table\tchild
                sequence\tnumbers
                base table\tsluice_ledger
                function\tone
                trigger\tcounted
                event\tnightly

                """)
    }

    @Test("keeps the character sets that routines and databases have")
    func characterSets() throws {
        let move = try MySQLSchemaMove(
            "SET NAMES latin1; CREATE PROCEDURE p() SELECT 'caf\u{E9}'",
            options: "CHARACTER SET latin1 COLLATE latin1_german2_ci")
        let (session, _) = try move.carryOut(move.request())
        session.close()
        #expect(
            try move.database.sql("SELECT @@collation_database") == "latin1_german2_ci\n")
        // What the client sent was UTF-8, which latin1 reads as two characters.
        #expect(try move.database.sql("CALL p()") == "caf\u{C3}\u{A9}\n")
    }

    @Test("is made from the plans where the dataset's own is not trusted")
    func built() throws {
        let move = try MySQLSchemaMove(
            """
            CREATE TABLE parent(id int unsigned AUTO_INCREMENT PRIMARY KEY,
                label enum('a','b') NOT NULL DEFAULT 'b', at timestamp(3) NULL);
            CREATE TABLE child(id bigint PRIMARY KEY, parent int unsigned, t text,
                KEY by_text (t(10)), FOREIGN KEY (parent) REFERENCES parent (id) ON DELETE CASCADE)
            """)
        let (session, _) = try move.carryOut(move.request(isTrusted: false))
        session.close()
        let parent = try move.database.sql("SHOW CREATE TABLE parent")
        for part in [
            "`id` int(10) unsigned NOT NULL AUTO_INCREMENT,",
            "`label` enum('a','b') ", "`at` timestamp(3) NULL DEFAULT NULL,",
            "PRIMARY KEY (`id`)", "COLLATE=utf8mb4_nopad_bin",
        ] {
            #expect(parent.contains(part), "\(parent)")
        }
        #expect(
            try move.database.sql("SHOW CREATE TABLE child").contains(
                "FOREIGN KEY (`parent`) REFERENCES `parent` (`id`) ON DELETE CASCADE"))
    }

    @Test("keeps collations where it is made from the plans, and says nothing of them")
    func builtCollations() throws {
        let move = try MySQLSchemaMove(
            """
            CREATE TABLE names(id int PRIMARY KEY, plain varchar(20) COLLATE utf8mb4_bin,
                other char(3) CHARACTER SET latin1 COLLATE latin1_german2_ci, UNIQUE (plain))
            """)
        let (session, survey) = try move.carryOut(move.request(isTrusted: false))
        session.close()
        #expect(survey.warnings == [])
        let table = try move.database.sql("SHOW CREATE TABLE names")
        for part in [
            "`plain` varchar(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
            "`other` char(3) CHARACTER SET latin1 COLLATE latin1_german2_ci",
        ] {
            #expect(table.contains(part), "\(table)")
        }
    }

    @Test("counts the rows that a foreign key contradicts")
    func orphans() throws {
        let move = try MySQLSchemaMove(MySQLTargetSchemaTests.shop)
        let (session, _) = try move.carryOut(move.request())
        try move.database.sql(
            """
            SET foreign_key_checks = 0; INSERT INTO parent VALUES (1, 'a');
            INSERT INTO child(id, parent) VALUES (1, 1), (2, 7), (3, NULL), (4, 8)
            """)
        #expect(
            try session.foreignKeyComplaints() == [
                "2 rows of child contradict the foreign key of_parent to parent"
            ])
        session.close()
    }
}
