import SluiceCore
import SluiceRecords
import TestSupport
import Testing

@testable import SluiceSQLite

@Suite("Schema steps in common transactions")
struct SQLiteSchemaStepsTests {
    private let folder: ScratchFolder
    private let target: SQLiteTarget
    private let path: String

    init() throws {
        folder = try ScratchFolder()
        path = folder.path("b.db")
        target = SQLiteTarget(path: path)
    }

    private func request(_ objects: [(String, Name, String)]) -> LoadRequest {
        let settings: JSON = [
            "page_size": .int(4096), "encoding": .string("UTF-8"), "auto_vacuum": .int(0),
            "journal_mode": .string("delete"), "user_version": .int(0), "application_id": .int(0),
            "system_rows": .object([]),
        ]
        let schema = SchemaText(
            engine: "sqlite",
            objects: objects.map { kind, name, sql in
                SchemaText.Object(kind: kind, name: TableName(name), table: nil, sql: sql)
            }, settings: settings)
        let field = Field(name: "a", avroName: "a", type: .int64, isNullable: true)
        let tables = objects.filter { $0.0 == "table" }.map { _, name, _ in
            TablePlan(
                schema: RecordSchema(table: TableName(name), fields: [field]),
                definition: TableDefinition(columns: [.init(name: "a", isNullable: true)]),
                chunks: [Chunk(number: 0)])
        }
        return LoadRequest(
            dataset: "d1", tables: tables, trustedSchema: schema, onExisting: .refuse,
            sourceEngine: "sqlite")
    }

    @Test("a step that fails before its turn takes nothing with it, and is named in its turn")
    func beforeItsTurn() throws {
        let request = request([
            ("table", "one", "CREATE TABLE one(a INT)"),
            ("table", "bad", "CREATE TABLE bad(a DEFAULT (load_extension('x')))"),
            ("table", "two", "CREATE TABLE two(a INT)"),
        ])
        let session = try target.openSession(request, stop: StopSignal())
        try session.prepare()
        let steps = try target.survey(request).steps
        try session.perform(steps[0])
        let found = """
            SELECT name FROM sqlite_schema WHERE name NOT LIKE 'sl%'; SELECT unit FROM sluice_ledger;
            """
        #expect(try Shell.sqlite(path, found) == "one\nstep table one\n")
        for step in steps[1...2] {
            let failure = #expect(throws: Failure.self) { try session.perform(step) }
            #expect(failure?.message == "table bad of the schema may not call load_extension()")
            #expect(failure?.places == (step.name == "table bad" ? [] : ["making table bad"]))
        }
        #expect(try Shell.sqlite(path, found) == "one\nstep table one\n")
        session.close()
        try target.close()
    }

    @Test("many tables and indexes are all there, each in the ledger, in the source's order")
    func many() throws {
        let numbers = 1...300
        let tables = numbers.map { ("table", Name("t\($0)"), "CREATE TABLE t\($0)(a INT)") }
        let indexes = numbers.map { ("index", Name("i\($0)"), "CREATE INDEX i\($0) ON t\($0)(a)") }
        let request = request(tables + indexes)
        let survey = try target.survey(request)
        let session = try target.openSession(request, stop: StopSignal())
        try session.prepare()
        for step in survey.steps where step.phase == .tables { try session.perform(step) }
        #expect(
            try Shell.sqlite(path, "SELECT count(*) FROM sqlite_schema WHERE type = 'index';")
                == "0\n")
        try session.begin(request.tables)
        try session.begin(request.tables)
        for step in survey.steps where step.phase > .tables { try session.perform(step) }
        session.close()
        try target.close()
        let names = tables.map(\.1.text) + indexes.map(\.1.text)
        #expect(
            try Shell.sqlite(
                path, "SELECT name FROM sqlite_schema WHERE name NOT LIKE 'sl%' ORDER BY rowid;")
                == names.joined(separator: "\n") + "\n")
        #expect(
            try Shell.sqlite(
                path,
                "SELECT substr(unit, 1, 6), count(*) FROM sluice_ledger GROUP BY 1 ORDER BY 1;")
                == "begin |300\nstep i|300\nstep t|300\n")
    }
}
