import SluiceCore
import SluiceRecords
import TestSupport
import Testing

@testable import SluiceMySQL

@Suite("What a MariaDB target says before anything is written")
struct MySQLTargetSurveyTests {
    private let database: MariaDBDatabase
    private let target: MySQLTarget

    init() throws {
        database = try MariaDBDatabase()
        target = try MySQLTarget(url: database.url, shown: "mysql://target")
    }

    private func plan(_ table: TableName, _ columns: [Name] = ["id"]) -> TablePlan {
        TablePlan(
            schema: RecordSchema(
                table: table,
                fields: columns.map {
                    Field(name: $0, avroName: "a", type: .int64, isNullable: false)
                }),
            definition: TableDefinition(
                columns: columns.map { TableDefinition.Column(name: $0, isNullable: false) }),
            chunks: [Chunk(number: 0)])
    }

    private func survey(
        _ tables: [TablePlan], _ onExisting: OnExisting = .refuse, initial: Bool = false,
        schema: SchemaText? = nil
    ) throws -> TargetSurvey {
        try target.survey(
            LoadRequest(
                dataset: "d1", tables: tables, trustedSchema: schema, onExisting: onExisting,
                constraintsInitial: initial, sourceEngine: schema == nil ? "sqlite" : "mysql"))
    }

    @Test("refuses names that MySQL does not have, or takes for one another")
    func names() throws {
        let long = Name(String(repeating: "é", count: 65))
        let found = try survey([
            plan(TableName("")), plan(TableName(long)), plan(TableName("a "), ["😀"]),
            plan(TableName(schema: "public", "t"), ["x", "X"]),
            plan(TableName(schema: "other", "T")), plan(TableName("none"), []),
        ])
        #expect(
            found.conflicts == [
                "table  has an empty name",
                "table \(long) has a name of more than 64 characters",
                "table a  has a name that ends in a blank",
                "column 😀 of table a  has a name with characters that MySQL has not in names",
                "columns x and X of table public.t would be one in MySQL",
                "tables public.t and other.T would have one name in MySQL",
                "table none has no columns, and MySQL has no such tables",
            ])
    }

    @Test("refuses what it cannot do")
    func impossible() throws {
        #expect(
            try survey([], .use, initial: true).conflicts == [
                "--constraints initial is for tables that are made, and --on-existing use takes"
                    + " them as they are"
            ])
        try database.sql("CREATE TABLE sluice_ledger(a int)")
        #expect(
            try survey([plan(TableName("t"))]).conflicts == [
                "table sluice_ledger exists already and is no ledger of sluice"
            ])
        let broken = SchemaText(
            engine: "mysql",
            objects: [
                SchemaText.Object(
                    kind: "TABLE", name: TableName("t"), table: TableName("t"), sql: "CREATE")
            ], settings: [:])
        #expect(
            try survey([plan(TableName("t"))], schema: broken).conflicts.contains(
                "the schema of table t cannot be understood"))
    }

    @Test("refuses objects that are there already")
    func existing() throws {
        try database.sql(
            """
            CREATE TABLE t(id int); INSERT INTO t VALUES (1); CREATE TABLE empty(id int);
            CREATE VIEW v AS SELECT 1 AS id
            """)
        let found = try survey([
            plan(TableName("t")), plan(TableName("empty")), plan(TableName("v")),
            plan(TableName("new")),
        ])
        #expect(
            found.conflicts == [
                "table t exists already and has rows", "table empty exists already",
                "view v exists already",
            ])
        #expect(found.emptyTables == [TableName("empty")])
        #expect(found.missingTables == [TableName("new")])
        #expect(
            try survey([plan(TableName("v"))], .replace).conflicts == [
                "view v stands where a table is to be made"
            ])
    }

    @Test("refuses to use tables that do not fit")
    func use() throws {
        try database.sql(
            """
            CREATE VIEW v AS SELECT 1 AS id; CREATE SEQUENCE s;
            CREATE TABLE rows_in(id bigint); INSERT INTO rows_in VALUES (1);
            CREATE TABLE other(number bigint, must int NOT NULL, may int NOT NULL DEFAULT 1);
            CREATE TABLE computed(a int, id bigint AS (a + 1));
            CREATE TABLE dated(id date);
            CREATE TABLE fired(id bigint);
            CREATE TRIGGER bang BEFORE INSERT ON fired FOR EACH ROW SET NEW.id = 1
            """)
        let tables = ["none", "v", "s", "rows_in", "other", "computed", "dated", "fired"]
        #expect(
            try survey(tables.map { plan(TableName(Name($0))) }, .use).conflicts == [
                "table none does not exist", "v is not a table, but a view",
                "s is not a table, but a sequence", "table rows_in has rows",
                "table other has no column id",
                "column must of table other is NOT NULL without a default, and the dataset does not"
                    + " have it",
                "column id of table computed is generated, and the dataset has values",
                "column id of table dated is declared date, which would change values of type int64",
                "trigger bang of table fired would run for each row that is loaded",
            ])
    }

    @Test("refuses to empty tables that others point to")
    func truncate() throws {
        try database.sql(
            """
            CREATE TABLE t(id bigint PRIMARY KEY);
            CREATE TABLE child(t bigint, FOREIGN KEY (t) REFERENCES t (id))
            """)
        #expect(
            try survey([plan(TableName("t"))], .truncate).conflicts == [
                "table child, which is not in the dataset, has a foreign key to table t"
            ])
    }

    @Test("warns of users that code runs as and that are not there")
    func definers() throws {
        let view = SchemaText.Object(
            kind: "VIEW", name: TableName("v"), table: nil,
            sql: "CREATE DEFINER=`nobody`@`nowhere` VIEW `v` AS select 1 AS `a`")
        let schema = SchemaText(engine: "mysql", objects: [view], settings: [:])
        #expect(
            try survey([], schema: schema).warnings == [
                "user nobody@nowhere does not exist in the target, and 1 views, routines, triggers"
                    + " or events run as it; make it, or use --owners skip"
            ])
    }

    @Test("says how long texts of keys may be, where the source lets them be longer")
    func keyLengths() throws {
        let columns: [(Name, ColumnType, String)] = [
            ("short", .text, "character varying(40)"), ("long", .text, "text"),
            ("raw", .bytes, "bytea"),
        ]
        let plan = TablePlan(
            schema: RecordSchema(
                table: TableName(schema: "public", "t"),
                fields: columns.map {
                    Field(
                        name: $0.0, avroName: $0.0.text, type: $0.1, isNullable: false,
                        declared: $0.2)
                }),
            definition: TableDefinition(
                columns: columns.map {
                    TableDefinition.Column(name: $0.0, declared: $0.2, isNullable: false)
                },
                primaryKey: ["short"],
                indexes: [
                    .init(name: "once", columns: ["long"], isUnique: true),
                    .init(name: "both", columns: ["raw", "short"], isUnique: true),
                ]), chunks: [Chunk(number: 0)])
        let request = LoadRequest(
            dataset: "d1", tables: [plan], trustedSchema: nil, onExisting: .refuse,
            sourceEngine: "postgres")
        #expect(
            try target.survey(request).warnings == [
                "table public.t: column long is part of a key and takes at most 768 characters",
                "table public.t: column raw is part of a key and takes at most 1536 bytes",
            ])
    }
}
