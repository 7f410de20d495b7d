import SluiceCore
import SluiceRecords
import TestSupport
import Testing

@testable import SluicePostgres

/// The whole way of a database into another one, without a store between.
struct PostgresMove {
    let source: PostgresDatabase
    let target: PostgresDatabase
    var onExisting = OnExisting.refuse
    var isTrusted = true
    var dataset = "d1"
    var skipsOwners = false

    func request(_ body: (LoadRequest, any SourceSession) throws -> Void) throws {
        let snapshot = try PostgresSource(url: source.url, shown: "postgres://source")
            .openSnapshot(.snapshot, lanes: 1, stop: StopSignal())
        defer { try? snapshot.close() }
        let catalog = try snapshot.catalog()
        let session = try snapshot.openSession()
        defer { session.close() }
        var plans: [TablePlan] = []
        for table in catalog.tables {
            plans.append(try session.plan(table, PlanOptions(chunkBytes: 1 << 30)))
        }
        let request = LoadRequest(
            dataset: dataset, tables: plans, trustedSchema: isTrusted ? catalog.schema : nil,
            onExisting: onExisting, sourceEngine: "postgres", skipsOwners: skipsOwners)
        try body(request, session)
    }

    func survey() throws -> TargetSurvey {
        var survey: TargetSurvey?
        try request { request, _ in
            survey = try PostgresTarget(url: target.url, shown: "postgres://target")
                .survey(request)
        }
        return try #require(survey)
    }

    /// Plans, loads and makes everything; then reads back and compares each table's digest.
    func run() throws {
        try request { request, session in
            let database = try PostgresTarget(url: target.url, shown: "postgres://target")
            let survey = try database.survey(request)
            try #require(survey.conflicts == [])
            let writing = try database.openSession(request, stop: StopSignal())
            defer { writing.close() }
            try writing.prepare()
            for step in survey.steps where step.phase == .tables { try writing.perform(step) }
            try writing.begin(request.tables)
            for plan in request.tables { try load(plan, session, writing) }
            for phase in LoadStep.Phase.allCases where phase > .tables {
                for step in survey.steps where step.phase == phase { try writing.perform(step) }
            }
        }
    }

    private func load(
        _ plan: TablePlan, _ session: any SourceSession, _ writing: any TargetSession
    ) throws {
        for chunk in plan.chunks {
            try session.open(chunk, of: plan, hidesKeys: false)
            let digest = try PostgresMove.digest(session, plan)
            try session.open(chunk, of: plan, hidesKeys: false)
            let unit = "data/\(plan.table)/\(chunk.number)"
            let outcome = try writing.load(unit, of: plan, from: session, expecting: digest)
            #expect(outcome == .loaded(mapped: digest))
        }
    }

    private static func digest(_ records: any RecordSource, _ plan: TablePlan) throws -> Digest {
        var batch = Batch(fieldCount: plan.schema.fields.count)
        var digest = Digest.empty
        var hasMore = true
        while hasMore {
            batch.removeAll()
            hasMore = try records.fill(&batch, byteGoal: 1 << 16)
            digest += batch.digest
        }
        return digest
    }

    /// What `pg_dump` prints of both, without what is ours.
    func dumps() throws -> (source: String, target: String) {
        (try PostgresMove.dump(source), try PostgresMove.dump(target))
    }

    static func dump(_ database: PostgresDatabase) throws -> String {
        let text = try Shell.output(
            of: database.command("pg_dump", "--exclude-schema=sluice", "--no-subscriptions"))
        return text.split(separator: "\n", omittingEmptySubsequences: false)
            .filter { !$0.contains("restrict") }.joined(separator: "\n")
    }
}

@Suite("The schema of a PostgreSQL target")
struct PostgresTargetSchemaTests {
    private static let shop = """
        CREATE TABLE customers(id serial PRIMARY KEY, name varchar(9) UNIQUE DEFERRABLE, n int);
        CREATE TABLE orders(id int GENERATED ALWAYS AS IDENTITY, customer int REFERENCES customers,
            PRIMARY KEY (id) INCLUDE (customer));
        CREATE TABLE loose(a int);
        ALTER TABLE loose ADD CONSTRAINT l FOREIGN KEY (a) REFERENCES customers NOT VALID;
        CREATE INDEX by_n ON customers(n) WHERE n > 0;
        CREATE VIEW v AS SELECT name FROM customers;
        CREATE MATERIALIZED VIEW m AS SELECT count(*) AS c FROM orders;
        CREATE UNIQUE INDEX ON m(c);
        CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.n = coalesce(NEW.n, 0) + 99; RETURN NEW; END$$;
        CREATE TRIGGER t BEFORE INSERT ON customers FOR EACH ROW EXECUTE FUNCTION f();
        INSERT INTO customers(name) SELECT 'n' || i FROM generate_series(1, 9) i;
        INSERT INTO orders(customer) SELECT 1 + i % 9 FROM generate_series(1, 99) i;
        SELECT nextval('customers_id_seq');
        """

    private func move(_ sql: String) throws -> PostgresMove {
        let source = try PostgresDatabase()
        try source.sql(sql)
        return PostgresMove(source: source, target: try PostgresDatabase())
    }

    @Test("is that of the source, triggers that did not fire and constraints by their indexes")
    func equal() throws {
        let move = try move(PostgresTargetSchemaTests.shop)
        try move.run()
        let dumps = try move.dumps()
        #expect(dumps.source == dumps.target)
        #expect(
            try move.target.sql("SELECT c FROM m; SELECT DISTINCT n FROM customers") == "99\n99\n")
        #expect(
            try move.target.sql("SELECT count(*) FROM pg_constraint WHERE NOT convalidated")
                == "1\n")
    }

    @Test("is not touched where something is in the way, which is named")
    func conflicts() throws {
        let move = try move(PostgresTargetSchemaTests.shop)
        try move.target.sql(
            """
            CREATE TABLE customers(a int); INSERT INTO customers VALUES (1); CREATE TABLE v(a int);
            CREATE FUNCTION f(int) RETURNS int LANGUAGE sql AS 'select 1'; CREATE SEQUENCE orders;
            """)
        let conflicts = try move.survey().conflicts
        #expect(
            conflicts == [
                "function public.f exists already",
                "table public.customers exists already and has rows",
                "sequence public.orders exists already", "table public.v exists already",
            ])
    }

    @Test("names roles that the target lacks, and can do without them")
    func roles() throws {
        let role = "r\(UInt32.random(in: 0...UInt32.max))"
        let move = try move(
            "CREATE ROLE \(role); CREATE TABLE t(a int); ALTER TABLE t OWNER TO \(role)")
        defer { _ = try? PostgresServer.primary.sql("DROP OWNED BY \(role); DROP ROLE \(role)") }
        try move.request { request, _ in
            var request = request
            let name = "nobody \(role)"
            var schema = try #require(request.trustedSchema)
            for place in schema.objects.indices {
                schema.objects[place].sql = schema.objects[place].sql.replacing(
                    role, with: "\"\(name)\"")
            }
            request.trustedSchema = schema
            let target = try PostgresTarget(url: move.target.url, shown: "postgres://target")
            #expect(
                try target.survey(request).conflicts == [
                    "role \(name) does not exist in the target, and 1 statements of the schema name"
                        + " it; make it, or use --owners skip"
                ])
            request.skipsOwners = true
            #expect(try target.survey(request).conflicts == [])
        }
        var skipping = move
        skipping.skipsOwners = true
        try skipping.run()
        #expect(
            try move.target.sql("SELECT tableowner FROM pg_tables WHERE tablename = 't'")
                == "postgres\n")
    }

    @Test("names roles to whom the user may give nothing")
    func foreignOwners() throws {
        let number = UInt32.random(in: 0...UInt32.max)
        let (role, user) = ("r\(number)", "u\(number)")
        let move = try move(
            "CREATE ROLE \(role); CREATE TABLE t(a int); ALTER TABLE t OWNER TO \(role)")
        defer {
            _ = try? PostgresServer.primary.sql(
                "DROP OWNED BY \(role); DROP ROLE \(role); DROP ROLE \(user)")
        }
        try move.target.sql("CREATE ROLE \(user) LOGIN PASSWORD 'p'")
        let mine = move.target.url.replacing("postgres@", with: "\(user):p@")
        try #require(mine != move.target.url)
        try move.request { request, _ in
            var request = request
            let target = try PostgresTarget(url: mine, shown: "postgres://target")
            #expect(
                try target.survey(request).conflicts == [
                    "objects are to belong to role \(role), which this user is no member of; grant "
                        + "it, or use --owners skip"
                ])
            request.skipsOwners = true
            #expect(try target.survey(request).conflicts == [])
            request.skipsOwners = false
            try move.target.sql("GRANT \(role) TO \(user)")
            #expect(try target.survey(request).conflicts == [])
        }
    }

    @Test("goes with all that a dataset did, and nothing else")
    func undo() throws {
        let move = try move(PostgresTargetSchemaTests.shop)
        try move.target.sql("CREATE TABLE mine(a int); CREATE SCHEMA own")
        let before = try PostgresMove.dump(move.target)
        try move.run()
        let target = try PostgresTarget(url: move.target.url, shown: "postgres://target")
        let request = LoadRequest(
            dataset: "d1", tables: [], trustedSchema: nil, onExisting: .refuse)
        let session = try target.openSession(request, stop: StopSignal())
        defer { session.close() }
        try session.undo("another")
        #expect(try move.target.sql("SELECT count(*) FROM orders") == "99\n")
        try session.undo("d1")
        #expect(try PostgresMove.dump(move.target) == before)
        #expect(try target.survey(nil).ledger == [])
    }

    @Test("is replaced as a whole, but never with what somebody else hung on it")
    func replace() throws {
        var move = try move(PostgresTargetSchemaTests.shop)
        try move.run()
        try move.target.sql("DELETE FROM orders; ALTER TABLE customers ADD COLUMN more int")
        move.dataset = "d2"
        move.onExisting = .replace
        try move.run()
        let dumps = try move.dumps()
        #expect(dumps.source == dumps.target)
        try move.target.sql("CREATE VIEW theirs AS SELECT * FROM orders")
        move.dataset = "d3"
        let found = failure(of: { try move.run() })
        #expect(
            found?.description == """
                view public.theirs, which is not in the dataset, depends on what is to be replaced [2BP01]
                hint: The target was not touched. Drop it first, or load into another database.
                """)
        #expect(try move.target.sql("SELECT count(*) FROM theirs") == "99\n")
    }

    @Test("stays as it is where tables are used, and what they lack is named")
    func use() throws {
        var move = try move("CREATE TABLE t(id int PRIMARY KEY, a text, b jsonb, c numeric(9,3))")
        move.onExisting = .use
        #expect(try move.survey().conflicts == ["table public.t does not exist"])
        try move.target.sql(
            """
            CREATE TABLE t(id int PRIMARY KEY, a int, c numeric(9,2), more int NOT NULL,
                b jsonb GENERATED ALWAYS AS ('1'::jsonb) STORED); INSERT INTO t VALUES (1, 1, 1, 1)
            """)
        #expect(
            try move.survey().conflicts == [
                "column a of table public.t is declared integer, which would change values of type text",
                "column b of table public.t is generated, and the dataset has values",
                "column c of table public.t is declared numeric(9,2), which would change values of type"
                    + " decimal(9,3)",
                "column more of table public.t is NOT NULL without a default, and the dataset does not"
                    + " have it",
                "table public.t has rows",
            ])
    }

    @Test("is emptied with all tables at once, unless another one points to them")
    func truncate() throws {
        var move = try move(PostgresTargetSchemaTests.shop)
        try move.run()
        move.dataset = "d2"
        move.onExisting = .truncate
        try move.run()
        #expect(try move.target.sql("SELECT count(*) FROM orders") == "99\n")
        try move.target.sql("CREATE TABLE theirs(a int REFERENCES customers)")
        move.dataset = "d3"
        #expect(
            try move.survey().conflicts == [
                "table public.theirs, which is not in the dataset, has a foreign key to table"
                    + " public.customers"
            ])
    }

    @Test("keeps rows that contradict a foreign key which their own engine never looked at")
    func complaints() throws {
        let target = try PostgresDatabase()
        func plan(_ name: Name, _ keys: [TableDefinition.ForeignKey]) -> TablePlan {
            TablePlan(
                schema: RecordSchema(
                    table: TableName(name),
                    fields: [Field(name: "id", avroName: "id", type: .int64, isNullable: false)]),
                definition: TableDefinition(
                    columns: [TableDefinition.Column(name: "id", isNullable: false)],
                    primaryKey: ["id"], foreignKeys: keys), chunks: [Chunk(number: 0)])
        }
        let other = TableDefinition.ForeignKey(
            columns: ["id"], table: TableName("a"), otherColumns: [])
        let lost = TableDefinition.ForeignKey(
            columns: ["id"], table: TableName("gone"), otherColumns: [])
        let request = LoadRequest(
            dataset: "d1", tables: [plan("b", [other, lost]), plan("a", [])], trustedSchema: nil,
            onExisting: .refuse, sourceEngine: "sqlite")
        let database = try PostgresTarget(url: target.url, shown: "postgres://target")
        let survey = try database.survey(request)
        #expect(
            survey.warnings == ["table b: the foreign key to gone is left out with that table"])
        let session = try database.openSession(request, stop: StopSignal())
        defer { session.close() }
        try session.prepare()
        for step in survey.steps where step.phase == .tables { try session.perform(step) }
        try session.begin(request.tables)
        for (plan, count) in zip(request.tables, [3, 2]) {
            let records = (0..<count).map { number in record { $0.appendLong(Int64(number)) } }
            _ = try session.load(
                "data/\(plan.table)", of: plan, from: ListedRecords(records),
                expecting: ListedRecords.digest(records))
        }
        for step in survey.steps where step.phase > .tables { try session.perform(step) }
        #expect(
            try session.foreignKeyComplaints() == [
                "1 row of public.b contradicts the foreign key b_fkey1 to public.a"
            ])
        try target.sql("DELETE FROM b WHERE id = 2")
        #expect(try session.foreignKeyComplaints() == [])
        #expect(
            try target.sql(
                "SELECT conname, contype FROM pg_constraint WHERE conrelid = 'b'::regclass ORDER BY 1"
            )
                == "b_fkey1|f\nb_pkey|p\n")
    }
}
