import SluiceCore
import SluiceRecords
import TestSupport
import Testing

@testable import SluiceMySQL

@Suite("Foreign keys that are made with MySQL's tables") struct MySQLInitialKeysTests {
    /// Tables with an `id` and an indexed key to each of the others that are named.
    private func request(
        _ tables: [(String, [String])], initial: Bool = true
    ) -> LoadRequest {
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
                    indexes: others.map {
                        TableDefinition.Index(
                            name: Name("i_\($0)"), columns: [Name("to_\($0)")], isUnique: false)
                    },
                    foreignKeys: others.map {
                        TableDefinition.ForeignKey(
                            name: Name("\(name)_\($0)"), columns: [Name("to_\($0)")],
                            table: TableName(Name($0)), otherColumns: [])
                    }), chunks: [Chunk(number: 0)])
        }
        return LoadRequest(
            dataset: "d1", tables: plans, trustedSchema: nil, onExisting: .refuse,
            constraintsInitial: initial, sourceEngine: "sqlite")
    }

    private func plan(_ request: LoadRequest) -> MySQLSchemaPlan {
        MySQLSchemaPlan(request, MySQLFlavor("10.11.0-MariaDB"))
    }

    private func steps(_ plan: MySQLSchemaPlan, _ phase: LoadStep.Phase) -> [String] {
        plan.items.filter { $0.step.phase == phase }.map(\.step.name)
    }

    @Test("come with the indexes at both ends, and say which tables are loaded first")
    func chain() {
        let plan = plan(
            request([
                ("lines", ["orders", "items"]), ("orders", ["people"]), ("items", []),
                ("people", []),
            ]))
        #expect(
            steps(plan, .tables) == [
                "table lines", "table orders", "table items", "table people", "indexes of lines",
                "indexes of orders", "foreign key lines_orders of lines",
                "foreign key lines_items of lines", "foreign key orders_people of orders",
            ])
        #expect(steps(plan, .indexes) == [])
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
        let plan = plan(request([("a", ["b"]), ("b", ["a"]), ("d", ["b", "d"])]))
        #expect(
            steps(plan, .foreignKeys) == [
                "foreign key a_b of a", "foreign key b_a of b", "foreign key d_d of d",
            ])
        #expect(
            steps(plan, .tables).suffix(3) == [
                "indexes of b", "indexes of d", "foreign key d_b of d",
            ])
        #expect(steps(plan, .indexes) == ["indexes of a"])
        #expect(plan.loadedAfter == [TableName("d"): [TableName("b")]])
        #expect(
            plan.warnings
                == ["a_b of a", "b_a of b", "d_d of d"]
                .map { "the foreign key \($0) is made behind the rows: it is part of a circle" })
    }

    @Test("are none where nobody asks for it")
    func final() {
        let plan = plan(request([("a", ["b"]), ("b", [])], initial: false))
        #expect(steps(plan, .foreignKeys) == ["foreign key a_b of a"])
        #expect(steps(plan, .indexes) == ["indexes of a"])
        #expect(plan.loadedAfter == [:])
    }
}
