import SluiceCore
import SluiceRecords
import TestSupport
import Testing

@testable import SluiceEngine

@Suite("Overrides")
struct OverridesTests {
    private static let place = "in job.yaml, line 1, column 2"

    /// A table of `id`, a date, a timestamp and a flag, with a foreign key to the other one.
    private static func plan(
        _ name: TableName, to other: TableName? = nil, date: ColumnType = .date
    ) -> TablePlan {
        let types: [(Name, ColumnType, Bool, String)] = [
            ("id", .int32, false, "int(11)"), ("day", date, false, "date"),
            ("at", .timestamp, true, "timestamp(6)"), ("flag", .int32, false, "tinyint(1)"),
        ]
        let fields = types.map {
            Field(
                name: $0.0, avroName: $0.0.text, type: $0.1, isNullable: $0.2, declared: $0.3)
        }
        let keys = other.map {
            [TableDefinition.ForeignKey(columns: ["id"], table: $0, otherColumns: ["id"])]
        }
        return TablePlan(
            schema: RecordSchema(table: name, fields: fields),
            definition: TableDefinition(
                columns: types.map {
                    TableDefinition.Column(name: $0.0, declared: $0.3, isNullable: $0.2)
                }, primaryKey: ["id"],
                indexes: [.init(name: "by_day", columns: ["day", "id"], isUnique: false)],
                foreignKeys: keys ?? []), chunks: [Chunk(number: 0)])
    }

    private func mapping(
        _ overrides: Overrides, of plans: [TablePlan], engine: String? = "mysql",
        identity: JSON = ["database": "shop"], into target: LoadedTarget = .init(),
        makesTables: Bool = true
    ) throws(Failure) -> OverrideMapping {
        try OverrideMapping(
            overrides, of: plans.map(\.table), from: LoadOrigin(engine: engine, identity: identity),
            into: target, makesTables: makesTables)
    }

    private func map(
        _ overrides: Overrides, _ plans: [TablePlan], engine: String? = "mysql",
        identity: JSON = ["database": "shop"], into target: LoadedTarget = .init(),
        makesTables: Bool = true
    ) throws(Failure) -> [TablePlan] {
        try mapping(
            overrides, of: plans, engine: engine, identity: identity, into: target,
            makesTables: makesTables
        ).carryOut(plans)
    }

    private func overrides(
        schemas: [(String, Name)] = [], _ tables: [Overrides.Table] = []
    ) -> Overrides {
        var overrides = Overrides()
        overrides.schemas = schemas.map {
            Overrides.Schema($0.0, name: $0.1, place: OverridesTests.place)
        }
        overrides.tables = tables
        return overrides
    }

    private func table(
        _ name: String, as new: Name? = nil, _ columns: [(Name, Name?, String?)] = []
    ) -> Overrides.Table {
        Overrides.Table(
            name, name: new,
            columns: columns.map {
                Overrides.Column($0.0, name: $0.1, type: $0.2, place: OverridesTests.place)
            }, place: OverridesTests.place)
    }

    @Test("that say nothing leave every plan as it is")
    func nothing() throws {
        let plans = [OverridesTests.plan(TableName("a")), OverridesTests.plan(TableName("b"))]
        #expect(try map(Overrides(), plans) == plans)
        #expect(try mapping(Overrides(), of: plans).unit == nil)
        #expect(plans.allSatisfy { OverrideText($0) == nil })
    }

    @Test("give names to tables, columns and all that speaks of them")
    func names() throws {
        let items = TableName("items")
        let plans = [
            OverridesTests.plan(TableName("orders"), to: items), OverridesTests.plan(items),
        ]
        let found = try map(
            overrides(
                schemas: [("shop", "sales")],
                [
                    table("orders", as: "purchases", [("id", "number", nil)]),
                    table("items", as: "things", [("id", "key", "bigint"), ("day", "date", nil)]),
                ]), plans, into: LoadedTarget(hasSchemas: true))
        #expect(found.map(\.table.description) == ["sales.purchases", "sales.things"])
        #expect(found.map(\.original) == plans)
        let (orders, things) = (found[0], found[1])
        #expect(orders.schema.fields.map(\.name) == ["number", "day", "at", "flag"])
        #expect(orders.schema.fields.map(\.avroName) == ["id", "day", "at", "flag"])
        #expect(orders.definition.columns.map(\.name) == ["number", "day", "at", "flag"])
        #expect(orders.definition.primaryKey == ["number"])
        #expect(orders.definition.indexes[0].columns == ["day", "number"])
        #expect(
            orders.definition.foreignKeys == [
                .init(
                    columns: ["number"], table: TableName(schema: "sales", "things"),
                    otherColumns: ["key"])
            ])
        #expect(things.schema.fields[0].targetDeclaration == "bigint")
        #expect(things.definition.indexes[0].columns == ["date", "key"])
        #expect(
            found.flatMap { OverrideText($0)?.lines ?? [] } == [
                "orders: becomes sales.purchases", "orders.id: becomes number",
                "items: becomes sales.things", "items.id: becomes key, is declared bigint",
                "items.day: becomes date",
            ])
    }

    @Test("name schemas where the source has them, and the database where it has none")
    func schemas() throws {
        let target = LoadedTarget(hasSchemas: true)
        func names(_ schemas: [(String, Name)], _ tables: [TableName], _ identity: JSON) throws
            -> [String]
        {
            try map(
                overrides(schemas: schemas), tables.map { OverridesTests.plan($0) },
                identity: identity, into: target
            ).map(\.table.description)
        }
        let two = [TableName(schema: "app", "a"), TableName(schema: "old", "a")]
        #expect(try names([("app", "new")], two, [:]) == ["new.a", "old.a"])
        let one = [TableName("a")]
        #expect(try names([("shop", "x")], one, ["database": "shop"]) == ["x.a"])
        #expect(try names([("", "x")], one, ["database": "shop"]) == ["x.a"])
        #expect(try names([("main", "x")], one, ["path": "/app.db"]) == ["x.a"])
        let unknown = failure(of: { try names([("main", "x")], one, ["database": "shop"]) })
        #expect(
            unknown?.description == """
                unknown schema 'main' \(OverridesTests.place)
                hint: No table that is moved is in a schema of this name.
                """)
        let twice = failure(of: {
            try names([("", "x"), ("shop", "y")], one, ["database": "shop"])
        })
        #expect(
            twice?.message == "the schema 'shop' is overridden twice \(OverridesTests.place)")
        let none = failure(of: {
            try self.map(
                self.overrides(schemas: [("shop", "x")]), [OverridesTests.plan(TableName("a"))])
        })
        #expect(
            none?.description == """
                'schemas' does not go with a target of memory, whose tables are in no schema, \
                \(OverridesTests.place)
                hint: Leave it out; the target's URL says which database it is.
                """)
    }

    @Test("of what is not there, or of two things that would be one, are refused by name")
    func refusals() throws {
        let plans = [
            OverridesTests.plan(TableName(schema: "app", "orders")),
            OverridesTests.plan(TableName(schema: "old", "orders")),
            OverridesTests.plan(TableName(schema: "app", "items")),
        ]
        let place = OverridesTests.place
        let cases: [([Overrides.Table], String)] = [
            (
                [table("itmes", as: "x")],
                "unknown table 'itmes' \(place)\nhint: Did you mean 'items'?"
            ),
            (
                [table("zebras", as: "x")],
                "unknown table 'zebras' \(place)\n"
                    + "hint: Overrides are for tables that are moved, by their names in the source."
            ),
            (
                [table("orders", as: "x")],
                "'orders' is the name of several tables \(place)\n"
                    + "hint: Write one of app.orders, old.orders."
            ),
            (
                [table("items", as: "x"), table("app.items", as: "y")],
                "the table app.items is overridden twice \(place)\nhint: Join the two entries."
            ),
            (
                [table("items", [("dya", "x", nil)])],
                "unknown column 'dya' of table app.items \(place)\nhint: Did you mean 'day'?"
            ),
            (
                [table("items", as: "orders")],
                "tables app.orders and app.items would both be called app.orders \(place)\n"
                    + "hint: Give one of them another name."
            ),
            (
                [table("items", [("id", "day", nil)])],
                "columns id and day of table app.items would both be called day \(place)\n"
                    + "hint: Give one of them another name."
            ),
        ]
        for (tables, expected) in cases {
            let found = failure(of: {
                try self.map(
                    self.overrides(tables), plans, into: LoadedTarget(hasSchemas: true))
            })
            #expect(found?.description == expected)
            #expect(found?.kind == .usage)
        }
        // Names may change places.
        let swapped = try map(
            overrides([table("items", [("id", "day", nil), ("day", "id", nil)])]), plans)
        #expect(swapped[2].schema.fields.map(\.name) == ["day", "id", "at", "flag"])
        var generated = plans[2]
        generated.definition.columns.append(.init(name: "sum", isGenerated: true))
        let stays = failure(of: {
            try self.map(self.overrides([self.table("items", [("sum", "x", nil)])]), [generated])
        })
        #expect(
            stays?.description
                == "column 'sum' of table app.items is generated, and is not moved, \(place)\n"
                + "hint: Leave it out.")
    }

    @Test("let dates of MySQL's be NULL, outside of keys, and only those")
    func zeroDates() throws {
        var wanted = Overrides()
        wanted.nullsZeroDates = true
        var plan = OverridesTests.plan(TableName("t"))
        let found = try map(wanted, [plan])[0]
        #expect(found.schema.fields.map(\.isNullable) == [false, true, true, false])
        #expect(found.schema.fields.map(\.nullsImpossibleDates) == [false, true, true, false])
        #expect(found.definition.columns.map(\.isNullable) == [false, true, true, false])
        plan.definition.primaryKey = ["id", "day"]
        let keyed = try map(wanted, [plan])[0]
        #expect(keyed.schema.fields.map(\.isNullable) == [false, false, true, false])
        #expect(keyed.definition == plan.definition)
        #expect(try map(wanted, [plan], engine: "postgres") == [plan])
        #expect(try mapping(wanted, of: [plan], engine: "postgres").unit == nil)
        #expect(
            OverrideText(found)?.lines == [
                "t.day: dates that no calendar has are NULL",
                "t.at: dates that no calendar has are NULL",
            ])
    }

    @Test("make booleans of declarations where the target has them and makes the table")
    func booleans() throws {
        var wanted = Overrides()
        wanted.booleans = ["TINYINT( 1 )", "bit(1)"]
        let plan = OverridesTests.plan(TableName("t"))
        let target = LoadedTarget(booleanType: "boolean")
        #expect(
            try map(wanted, [plan], into: target)[0].schema.fields.map(\.targetDeclaration)
                == [nil, nil, nil, "boolean"])
        #expect(try map(wanted, [plan], into: target, makesTables: false) == [plan])
        #expect(try map(wanted, [plan]) == [plan])
        wanted.tables = [table("t", [("flag", nil, "smallint")])]
        #expect(
            try map(wanted, [plan], into: target)[0].schema.fields[3].targetDeclaration
                == "smallint")
    }

    @Test("are noted by what they say, in whatever order they say it")
    func unit() throws {
        let plans = [OverridesTests.plan(TableName("a")), OverridesTests.plan(TableName("b"))]
        let (one, two) = (table("a", as: "x"), table("b", [("id", "k", nil), ("day", "d", nil)]))
        let reversed = table("b", [("day", "d", nil), ("id", "k", nil)])
        let unit = try mapping(overrides([one, two]), of: plans).unit
        #expect(try mapping(overrides([reversed, one]), of: plans).unit == unit)
        #expect(try mapping(overrides([one]), of: plans).unit != unit)
        #expect(unit?.hasPrefix("overrides ") == true)
        #expect(unit?.utf8.count == 26)
    }

    @Test("other than those that a load began with are refused, whoever comes with them")
    func others() throws {
        let store = MemoryStore()
        let source = NumberSource(rowCount: 10, chunkRows: 10)
        _ = try ExportTests.run().export(from: source, to: store)
        let target = LoadedTarget()
        let renamed = overrides([table("numbers", as: "figures")])
        _ = try ExportTests.run { $0.overrides = renamed }.load(from: store, into: target)
        let units = target.state.read { $0.ledger.map(\.unit) }
        #expect(units.filter { $0.hasPrefix("begin") } == ["begin figures"])
        #expect(units.count { $0.hasPrefix("overrides ") } == 1)
        let again = try ExportTests.run { $0.overrides = renamed }.load(from: store, into: target)
        #expect(again.status == .unchanged)
        let failures = [
            failure(of: { try ExportTests.run().load(from: store, into: target) }),
            failure(of: { try ExportTests.run().verify(target, against: store) }),
        ]
        for failure in failures {
            #expect(
                failure?.description == """
                    memory has been loaded with other overrides than these
                    hint: Use those that the load began with, or drop the target's tables and \
                    sluice_ledger and load again.
                    """)
            #expect(failure?.kind == .refused)
        }
        let verified = try ExportTests.run { $0.overrides = renamed }.verify(
            target, against: store)
        #expect(verified.verified == true)
        let plain = LoadedTarget()
        _ = try ExportTests.run().load(from: store, into: plain)
        let late = failure(of: {
            try ExportTests.run { $0.overrides = renamed }.load(from: store, into: plain)
        })
        #expect(late?.kind == .refused)
    }
}
