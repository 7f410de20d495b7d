import SluiceCore
import SluiceRecords
import TestSupport
import Testing

@testable import SluicePostgres

@Suite("What a PostgreSQL target says before anything is written")
struct PostgresTargetSurveyTests {
    private let database: PostgresDatabase
    private let target: PostgresTarget

    init() throws {
        database = try PostgresDatabase()
        target = try PostgresTarget(url: database.url, shown: "postgres://target")
    }

    private func plan(
        _ table: TableName, _ columns: [Name] = ["id"], indexes: [TableDefinition.Index] = []
    ) -> TablePlan {
        TablePlan(
            schema: RecordSchema(
                table: table,
                fields: columns.map {
                    Field(name: $0, avroName: "a", type: .int64, isNullable: false)
                }),
            definition: TableDefinition(
                columns: columns.map { TableDefinition.Column(name: $0, isNullable: false) },
                indexes: indexes), chunks: [Chunk(number: 0)])
    }

    private func survey(
        _ tables: [TablePlan], _ onExisting: OnExisting = .refuse, initial: Bool = false
    ) throws -> TargetSurvey {
        try target.survey(
            LoadRequest(
                dataset: "d1", tables: tables, trustedSchema: nil, onExisting: onExisting,
                constraintsInitial: initial, sourceEngine: "sqlite"))
    }

    @Test("refuses names that PostgreSQL does not have, or would cut")
    func names() throws {
        let long = Name(String(repeating: "é", count: 32))
        let found = try survey([
            plan(TableName("")), plan(TableName(long), [long]), plan(TableName("two"), ["", "_"]),
            plan(TableName("t")), plan(TableName(schema: "public", "t")),
        ])
        #expect(
            found.conflicts == [
                "table  has an empty name, which PostgreSQL does not have",
                "table \(long) has a name of more than 63 bytes, which PostgreSQL cuts",
                "column \(long) of table \(long) has a name of more than 63 bytes, which PostgreSQL"
                    + " cuts",
                "table two has two columns that would be called _",
                "table public.t has the name of another one",
            ])
        #expect(found.warnings.contains("table two: the column with an empty name is called _"))
    }

    @Test("refuses what it cannot do")
    func impossible() throws {
        #expect(
            try survey([], .use, initial: true).conflicts == [
                "--constraints initial is for tables that are made, and --on-existing use takes them"
                    + " as they are"
            ])
        #expect(
            try survey([plan(PostgresCatalog.largeObjects)]).conflicts == [
                "large objects are made by the source's own schema, which is not used here; leave"
                    + " them out of the export with --exclude pg_catalog.pg_largeobject"
            ])
        try database.sql("CREATE SCHEMA sluice; CREATE TABLE sluice.sluice_ledger(a int)")
        #expect(
            try survey([plan(TableName("t"))]).conflicts == [
                "table sluice.sluice_ledger exists already and is no ledger of sluice"
            ])
    }

    @Test("refuses to use what is no table")
    func views() throws {
        try database.sql("CREATE VIEW t AS SELECT 1 AS id")
        #expect(
            try survey([plan(TableName("t"))], .use).conflicts == [
                "t is not a table, but a view"
            ])
    }

    @Test("says which triggers run and which foreign keys cannot wait, where it may not stop them")
    func triggers() throws {
        let user = "u\(UInt32.random(in: 0...UInt32.max))"
        try database.sql(
            """
            CREATE ROLE \(user) LOGIN PASSWORD 'x'; GRANT CREATE ON DATABASE \(database.name) TO \(user);
            CREATE TABLE o(id bigint PRIMARY KEY); CREATE TABLE t(id bigint REFERENCES o);
            CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
            CREATE TRIGGER watch BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f();
            GRANT ALL ON t, o TO \(user)
            """)
        defer { _ = try? database.sql("DROP OWNED BY \(user); DROP ROLE \(user)") }
        let url = database.url.replacing("postgres@", with: "\(user):x@")
        let target = try PostgresTarget(url: url, shown: "postgres://target")
        let found = try target.survey(
            LoadRequest(
                dataset: "d1", tables: [plan(TableName(schema: "public", "t"))], trustedSchema: nil,
                onExisting: .use))
        #expect(
            found.warnings == [
                "trigger watch of table public.t runs for each row that is loaded: the user may not"
                    + " set session_replication_role"
            ])
        #expect(
            found.conflicts == [
                "table public.t has foreign keys, which need all rows at once, and the user may not"
                    + " set session_replication_role"
            ])
        #expect(
            target.examine().dropFirst() == [
                Finding(.pass, "the user may make schemas"),
                Finding(
                    .warn, "triggers of tables that exist run for each row that is loaded",
                    remedy: "Grant SET on the parameter session_replication_role to the user, or"
                        + " load into tables without triggers and foreign keys."),
            ])
        try database.sql("REVOKE CREATE ON DATABASE \(database.name) FROM \(user)")
        #expect(
            target.examine().dropFirst().first
                == Finding(
                    .fail, "the user may not make schemas in the database",
                    remedy: "Grant CREATE on the database to the user of the URL."))
    }

    @Test("passes doctor's examination as a superuser")
    func examination() {
        let findings = target.examine()
        #expect(findings.first?.what.hasPrefix("PostgreSQL 15.") == true)
        #expect(
            findings.dropFirst() == [
                Finding(.pass, "the user may make schemas"),
                Finding(.pass, "triggers of tables that exist can be kept from running"),
            ])
    }

    @Test("knows itself as a source")
    func same() throws {
        let identity = try PostgresSource(url: database.url, shown: "postgres://other").identity()
        #expect(target.isSame(as: identity))
        let other = try PostgresDatabase()
        let another = try PostgresSource(url: other.url, shown: "postgres://other").identity()
        #expect(!target.isSame(as: another))
        #expect(!target.isSame(as: ["engine": "sqlite", "path": "x"]))
    }
}
