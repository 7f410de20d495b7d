import SluiceCore
import SluiceRecords
import TestSupport
import Testing

@testable import SluicePostgres

@Suite("The progress of a step") struct PostgresStepProgressTests {
    /// A request whose index calls a function for each row, which waits while somebody holds a lock.
    private func request(of database: PostgresDatabase) -> LoadRequest {
        let table = TableName(schema: "public", "t")
        let field = Field(name: "a", avroName: "a", type: .int32, isNullable: false)
        let objects = [
            SchemaText.Object(
                kind: "FUNCTION", name: TableName(schema: "public", "wait(integer)"), table: nil,
                sql: """
                    CREATE FUNCTION public.wait(integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE
                        AS $$ BEGIN PERFORM pg_advisory_xact_lock_shared(7); RETURN $1; END $$;
                    """),
            SchemaText.Object(
                kind: "TABLE", name: table, table: table,
                sql: "CREATE TABLE public.t (a integer NOT NULL);"),
            SchemaText.Object(
                kind: "INDEX", name: TableName(schema: "public", "slow"), table: table,
                sql: "CREATE INDEX slow ON public.t USING btree (public.wait(a));"),
        ]
        return LoadRequest(
            dataset: "d1",
            tables: [
                TablePlan(
                    schema: RecordSchema(table: table, fields: [field]),
                    definition: TableDefinition(columns: [.init(name: "a", isNullable: false)]),
                    chunks: [Chunk(number: 0)])
            ],
            trustedSchema: SchemaText(engine: "postgres", objects: objects, settings: .object([])),
            onExisting: .refuse, sourceEngine: "postgres")
    }

    @Test("is what the server's views say of it, by its name, as long as it is done")
    func index() throws {
        let database = try PostgresDatabase()
        let request = request(of: database)
        let target = try PostgresTarget(url: database.url, shown: "postgres://test")
        let stop = StopSignal()
        let survey = try target.survey(request)
        let session = try target.openSession(request, stop: stop)
        defer { session.close() }
        try session.prepare()
        for step in survey.steps where step.phase == .tables { try session.perform(step) }
        #expect(try target.stepDetails(stop: stop).isEmpty)
        try database.sql("INSERT INTO t SELECT generate_series(1, 1000)")
        let step = try #require(survey.steps.first { $0.phase == .indexes })
        let holder = try target.connect(stop: stop)
        try holder.execute("BEGIN; SELECT pg_advisory_xact_lock(7)")
        var seen: [(step: String, detail: String)] = []
        let lane: Lanes.Lane = { () throws(Failure) in
            let other = try target.openSession(request, stop: stop)
            defer { other.close() }
            try other.perform(step)
        }
        let failed = Monitor<Failure?>(nil)
        let thread = SluiceCore.Thread {
            do throws(Failure) { try lane() } catch { failed.change { $0 = error } }
        }
        // Only the lock lets it end; a failure lets the wait end.
        while seen.isEmpty, failed.read({ $0 }) == nil {
            seen = try target.stepDetails(stop: stop)
        }
        holder.close()
        thread.join()
        #expect(failed.read { $0?.description } == nil)
        #expect(seen.map(\.step) == ["index public.slow"])
        let detail = try #require(seen.first?.detail)
        #expect(detail == "initializing" || detail.hasPrefix("scanning table"), "\(detail)")
        #expect(try target.stepDetails(stop: stop).isEmpty)
        try target.close()
    }

    @Test("is a share of blocks, and of tuples where they are what is counted")
    func shares() {
        #expect(PostgresStepProgress.text("scanning table", 3, of: 8) == "scanning table, 37%")
        #expect(PostgresStepProgress.text("scanning table", 9, of: 8) == "scanning table, 100%")
        #expect(
            PostgresStepProgress.text("sorting live tuples", 0, of: 0) == "sorting live tuples")
    }
}
