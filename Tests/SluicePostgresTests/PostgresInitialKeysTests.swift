import SluiceCore
import SluiceRecords
import TestSupport
import Testing

@testable import SluicePostgres

@Suite("Foreign keys that are made with the tables") struct PostgresInitialKeysTests {
    /// Tables with an `id` and a key to each of the others that are named.
    private func request(_ tables: [(String, [String])]) -> LoadRequest {
        let plans = tables.map { name, others in
            let names = ["id"] + others.map { "to_\($0)" }
            let fields = names.map {
                Field(name: Name($0), avroName: $0, type: .int64, isNullable: $0 != "id")
            }
            return TablePlan(
                schema: RecordSchema(table: TableName(Name(name)), fields: fields),
                definition: TableDefinition(
                    columns: fields.map {
                        TableDefinition.Column(name: $0.name, isNullable: $0.isNullable)
                    }, primaryKey: ["id"],
                    foreignKeys: others.map {
                        TableDefinition.ForeignKey(
                            name: Name("\(name)_\($0)"), columns: [Name("to_\($0)")],
                            table: TableName(Name($0)), otherColumns: [])
                    }), chunks: [Chunk(number: 0)])
        }
        return LoadRequest(
            dataset: "d1", tables: plans, trustedSchema: nil, onExisting: .refuse,
            constraintsInitial: true, sourceEngine: "sqlite")
    }

    private func steps(_ plan: PostgresSchemaPlan, _ phase: LoadStep.Phase) -> [String] {
        plan.items.filter { $0.step.phase == phase }.map(\.step.name)
    }

    @Test("come with the unique keys they need, and say which tables are loaded first")
    func chain() {
        let plan = PostgresSchemaPlan(
            request([
                ("lines", ["orders", "items"]), ("orders", ["people"]), ("items", []),
                ("people", []),
            ]))
        #expect(
            steps(plan, .tables) == [
                "table public.lines", "table public.orders", "table public.items",
                "table public.people", "primary key of orders", "primary key of items",
                "primary key of people", "foreign key lines_orders of lines",
                "foreign key lines_items of lines", "foreign key orders_people of orders",
            ])
        #expect(steps(plan, .indexes) == ["primary key of lines"])
        #expect(steps(plan, .foreignKeys) == [])
        #expect(
            plan.loadedAfter == [
                TableName("lines"): [TableName("orders"), TableName("items")],
                TableName("orders"): [TableName("people")],
            ])
        #expect(plan.warnings == [])
    }

    @Test("are not those of a circle, which are made behind the rows, with a warning")
    func circles() {
        let plan = PostgresSchemaPlan(
            request([("a", ["b"]), ("b", ["c"]), ("c", ["a"]), ("d", ["c", "d"]), ("e", ["a"])]))
        #expect(
            steps(plan, .foreignKeys) == [
                "foreign key a_b of a", "foreign key b_c of b", "foreign key c_a of c",
                "foreign key d_d of d",
            ])
        #expect(
            steps(plan, .tables).suffix(2) == ["foreign key d_c of d", "foreign key e_a of e"])
        #expect(
            plan.loadedAfter == [
                TableName("d"): [TableName("c")], TableName("e"): [TableName("a")],
            ])
        #expect(
            plan.warnings
                == ["a_b of public.a", "b_c of public.b", "c_a of public.c", "d_d of public.d"]
                .map { "the foreign key \($0) is made behind the rows: it is part of a circle" })
    }

    @Test("are sorted out in a chain of thousands of tables, and in a circle as large")
    func many() {
        func name(_ number: Int) -> TableName { TableName(Name("t\(number)")) }
        let chain = (0..<20_000).map { (from: name($0), to: name($0 + 1)) }
        let open = TableCircles(chain)
        #expect(!open.has(name(0), and: name(1)) && !open.has(name(9999), and: name(20_000)))
        let closed = TableCircles(chain + [(from: name(20_000), to: name(0))])
        #expect(closed.has(name(0), and: name(1)) && closed.has(name(9999), and: name(20_000)))
        #expect(open.has(name(3), and: name(3)))
    }
}
