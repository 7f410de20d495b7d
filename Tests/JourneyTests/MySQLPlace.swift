import TestSupport
import Testing

/// Two databases on real MariaDB servers and a folder for the store, with sluice as it is run between them.
struct MySQLPlace: ServerPlace {
    let place: Workspace
    let source: MariaDBDatabase
    let target: MariaDBDatabase
    var password: String { get throws { try MariaDBServer.password } }

    /// - Parameters:
    ///   - fixture: SQL that makes the source; nothing: it is empty.
    ///   - sourceServer: what the source is on.
    ///   - targetServer: what the target is on; where it is another, both databases have the same name.
    init(
        _ fixture: String? = nil, sourceOn sourceServer: MariaDBServer = .primary,
        targetOn targetServer: MariaDBServer = .primary
    ) throws {
        place = try Workspace()
        source = try MariaDBDatabase(on: sourceServer)
        target =
            sourceServer == targetServer
            ? try MariaDBDatabase(on: targetServer)
            : try MariaDBDatabase(on: targetServer, name: source.name)
        if let fixture { try source.make(from: "mariadb/\(fixture)") }
    }

    /// Nothing that sluice took on the source is left: no session, no lock, nothing in `holds/`.
    func expectNothingHeld(sourceLocation: SourceLocation = #_sourceLocation) throws {
        try eventually("a session of sluice is still there", sourceLocation: sourceLocation) {
            try source.server.sql(
                """
                SELECT count(*) FROM information_schema.processlist
                WHERE db = '\(source.name)' AND id <> connection_id()
                """) == "0\n"
        }
        try expectNoHolds(sourceLocation: sourceLocation)
    }
}

extension MariaDBDatabase: ServerDatabase {}

/// Clients that write into a database all the time, each transaction into several tables.
///
/// What one instant of it looks like: four equal sums, as many rows that wander over the keys as at the beginning.
final class MySQLLoad {
    private let place: MySQLPlace
    private let routines: MariaDBDatabase
    private var clients: [Process] = []

    /// Makes the tables, with `scale` times a thousand accounts.
    init(_ place: MySQLPlace, scale: Int) throws {
        self.place = place
        routines = try MariaDBDatabase(on: place.source.server)
        try place.source.sql(
            """
            CREATE TABLE accounts (id int PRIMARY KEY, balance int NOT NULL, filler char(84) NOT NULL);
            CREATE TABLE tellers (id int PRIMARY KEY, balance int NOT NULL);
            CREATE TABLE branches (id varchar(20) COLLATE utf8mb4_general_ci PRIMARY KEY, balance int NOT NULL);
            CREATE TABLE history (account int NOT NULL, delta int NOT NULL, at timestamp(6) NOT NULL, note text);
            CREATE TABLE wanderers (id bigint NOT NULL PRIMARY KEY, home bigint NOT NULL UNIQUE, label enum('left', 'right'));
            INSERT INTO accounts SELECT seq, 0, md5(seq) FROM seq_1_to_\(scale)000;
            INSERT INTO tellers SELECT seq, 0 FROM seq_1_to_\(scale)0;
            INSERT INTO branches SELECT concat('Branch ', seq), 0 FROM seq_1_to_\(scale);
            INSERT INTO wanderers SELECT seq, seq, 'right' FROM seq_1_to_\(scale)000
            """)
        let tables = place.source.name
        try routines.sql("CREATE TABLE stop (now int)")
        let bear = """
            CREATE PROCEDURE bear(scale int) MODIFIES SQL DATA
            write_on: LOOP
                SET @a = 1 + floor(rand() * scale * 1000), @d = floor(rand() * 2000) - 1000;
                SET @w = 1 + floor(rand() * scale * 1000);
                BEGIN
                    -- Who loses a deadlock has written nothing, and goes on with something else.
                    DECLARE EXIT HANDLER FOR 1213, 1205 ROLLBACK;
                    IF EXISTS (SELECT 1 FROM stop) THEN LEAVE write_on; END IF;
                    START TRANSACTION;
                    UPDATE \(tables).accounts SET balance = balance + @d WHERE id = @a;
                    UPDATE \(tables).tellers SET balance = balance + @d WHERE id = 1 + @a % (scale * 10);
                    UPDATE \(tables).wanderers SET id = -id, label = if(id < 0, 'left', 'right') WHERE home = @w;
                    DO sleep(0.001);
                    UPDATE \(tables).branches SET balance = balance + @d WHERE id = concat('bRANCH ', 1 + @a % scale);
                    INSERT INTO \(tables).history VALUES (@a, @d, now(6), if(@a % 3, 'Ä😀', NULL));
                    COMMIT;
                    IF @a % 50 = 0 THEN
                        INSERT INTO \(tables).accounts VALUES (-@w, 0, '') ON DUPLICATE KEY UPDATE filler = uuid();
                        DELETE FROM \(tables).accounts WHERE id = -1 - @w AND balance = 0;
                    END IF;
                END;
            END LOOP
            """
        try Shell.output(
            of: try routines.command("mariadb", "--delimiter=//", "--execute", bear))
        for _ in 0..<4 {
            let call = try routines.server.command(
                "mariadb", [routines.name, "--execute", "CALL bear(\(scale))"])
            clients.append(
                try Program(path: "/bin/sh").start(["-c", "exec \(call)"]))
        }
        try eventually("nothing is written") {
            try place.source.sql("SELECT count(*) > 100 FROM history") == "1\n"
        }
    }

    deinit {
        _ = try? stop()
    }

    /// Lets the clients finish what they are at.
    func stop() throws {
        guard !clients.isEmpty else { return }
        try routines.sql("INSERT INTO stop VALUES (1)")
        for client in clients {
            let result = client.wait()
            // The server does not hand every deadlock to a procedure's handler; who lost it wrote nothing.
            let hasLost = result.errorText.contains("ERROR 1213 (40001)")
            #expect(result.code == 0 || hasLost, "\(result.errorText)")
        }
        clients = []
    }

    var transactionCount: Int {
        get throws { try place.source.sql("SELECT count(*) FROM history").number }
    }

    /// One instant: the four sums are one number, and nobody who wanders is there twice or not at all.
    func expectOneInstant(
        in database: MariaDBDatabase, scale: Int, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let sums = try database.sql(
            """
            SELECT (SELECT sum(balance) FROM accounts), (SELECT sum(balance) FROM tellers),
                (SELECT sum(balance) FROM branches), (SELECT coalesce(sum(delta), 0) FROM history)
            """
        ).dropLast().split(separator: "\t")
        #expect(
            sums.count == 4 && Set(sums).count == 1, "\(sums)", sourceLocation: sourceLocation)
        let wanderers = try database.sql(
            "SELECT count(*), count(DISTINCT abs(id)), sum(abs(id) = home) FROM wanderers")
        #expect(
            wanderers == "\(scale)000\t\(scale)000\t\(scale)000\n", sourceLocation: sourceLocation)
    }
}

extension String {
    /// What a query with one row of one number says.
    var number: Int { Int(filter { $0 != "\n" }) ?? -1 }
}
