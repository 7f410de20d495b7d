import SluiceCore
import SluiceEngine
import TestSupport
import Testing

@testable import SluiceCLI

@Suite("The overrides of a job file")
struct OverridesSectionTests {
    private func overrides(_ text: String) throws -> Overrides {
        try JobFile(Array(text.utf8), name: "job.yaml").overrides
    }

    @Test("name schemas, tables and columns, each with its place")
    func complete() throws {
        let found = try overrides(
            """
            overrides:
              schemas: {app: public, "": main}
              tables:
                orders:
                  name: purchases
                  columns:
                    state: {name: status, type: varchar(20)}
                    total: {type: "numeric(12,2)"}
                app.items:
                  columns:
                    id: {name: number}
            """)
        var expected = Overrides()
        expected.schemas = [
            .init("app", name: "public", place: "in job.yaml, line 2, column 13"),
            .init("", name: "main", place: "in job.yaml, line 2, column 26"),
        ]
        expected.tables = [
            .init(
                "orders", name: "purchases",
                columns: [
                    .init(
                        "state", name: "status", type: "varchar(20)",
                        place: "in job.yaml, line 7, column 9"),
                    .init(
                        "total", type: "numeric(12,2)", place: "in job.yaml, line 8, column 9"),
                ], place: "in job.yaml, line 4, column 5"),
            .init(
                "app.items",
                columns: [.init("id", name: "number", place: "in job.yaml, line 11, column 9")],
                place: "in job.yaml, line 9, column 5"),
        ]
        #expect(found == expected)
    }

    @Test(
        "are refused with the place of what is wrong",
        arguments: [
            (
                "[]",
                "'overrides' is a list, but a mapping is expected in job.yaml, line 1, column 12"
            ),
            (
                "{tabels: {}}",
                """
                unknown key 'tabels' in job.yaml, line 1, column 13
                hint: Did you mean 'tables'?
                """
            ),
            ("{schemas: {}}", "'schemas' is empty in job.yaml, line 1, column 22"),
            (
                "{schemas: {app: [a]}}",
                "'app' is a list, but one value is expected in job.yaml, line 1, column 28"
            ),
            ("{schemas: {app: null}}", "'app' has no value in job.yaml, line 1, column 28"),
            (
                "{tables: [orders]}",
                "'tables' is a list, but a mapping is expected in job.yaml, line 1, column 21"
            ),
            (
                "{tables: {orders: {}}}",
                """
                'orders' is empty in job.yaml, line 1, column 22
                hint: Say name or columns.
                """
            ),
            (
                "{tables: {orders: purchases}}",
                "'orders' is a value, but a mapping is expected in job.yaml, line 1, column 30"
            ),
            (
                "{tables: {orders: {nmae: x}}}",
                """
                unknown key 'nmae' in job.yaml, line 1, column 31
                hint: Did you mean 'name'?
                """
            ),
            (
                "{tables: {orders: {name: ''}}}",
                "'name' has no value in job.yaml, line 1, column 37"
            ),
            (
                #"{tables: {orders: {name: "a\0b"}}}"#,
                "'name' holds a NUL in job.yaml, line 1, column 37"
            ),
            (
                "{tables: {orders: {columns: {}}}}",
                "'columns' is empty in job.yaml, line 1, column 40"
            ),
            (
                "{tables: {orders: {columns: {state: {}}}}}",
                """
                'state' is empty in job.yaml, line 1, column 41
                hint: Say name or type.
                """
            ),
            (
                "{tables: {orders: {columns: {state: {type: [a]}}}}}",
                "'type' is a list, but one value is expected in job.yaml, line 1, column 55"
            ),
            (
                "{tables: {orders: {name: a}, orders: {name: b}}}",
                """
                the key 'orders' is there twice in job.yaml, line 1, column 41
                hint: It is in line 1 already.
                """
            ),
        ])
    func refusals(_ text: String, _ expected: String) {
        let found = failure(of: { try self.overrides("overrides: " + text) })
        #expect(found?.description == expected)
        #expect(found?.kind == .usage)
    }

    @Test("are for the commands that know a target's tables, and export passes them over")
    func commands() throws {
        let folder = try ScratchFolder()
        let file = try folder.write(
            "overrides: {tables: {orders: {name: purchases}}}\nzero-dates: null\n", to: "job.yaml")
        let place = Origin.file(file, Mark(line: 1, column: 22)).description(of: .config)
        for command in [Command.run, .load, .verify, .plan] {
            let settings = try settings(command, file)
            #expect(
                settings.overrides.tables
                    == [.init("orders", name: "purchases", place: "in \(place)")])
            #expect(settings.overrides.nullsZeroDates)
        }
        #expect(try settings(.export, file).overrides == Overrides())
    }

    private func settings(_ command: Command, _ file: String) throws -> Settings {
        let typed = [Option.config: Given(value: .text(file), origin: .flag)]
        return try Settings(SettingValues(command, typed: typed, environment: []))
    }

    private func options(_ text: String) throws -> [Option: Given] {
        try JobFile(Array(text.utf8), name: "job.yaml").given
    }

    @Test("the word null is a value of zero-dates, with quotes and without")
    func zeroDates() throws {
        for text in ["zero-dates: null", "zero-dates: 'null'", "zero-dates: \"null\""] {
            #expect(try options(text)[.zeroDates]?.value == .text("null"), "\(text)")
        }
        let other = failure(of: { try self.options("zero-dates: NULL") })
        #expect(
            other?.description == """
                'zero-dates' in job.yaml, line 1, column 13 has no value
                hint: Leave the key out, or put a text into quotes.
                """)
        let wrong = failure(of: { try self.options("zero-dates: keep") })
        #expect(
            wrong?.message
                == "invalid value 'keep' for 'zero-dates' in job.yaml, line 1, column 13: expected refuse or null"
        )
        // Where no such word is among the choices it stays nothing.
        #expect(failure(of: { try self.options("owners: null") }) != nil)
    }

    @Test("declarations of booleans are cut at commas outside of brackets")
    func booleans() throws {
        let expected = Value.list(["tinyint(1)", "decimal(1,0)", "bit(1)"])
        #expect(
            try options("booleans: tinyint(1), decimal(1,0) ,bit(1)")[.booleans]?.value == expected)
        #expect(
            try options("booleans: [tinyint(1), 'decimal(1,0)', bit(1)]")[.booleans]?.value
                == expected)
        let empty = failure(of: { try Option.booleans.value(of: "a,,b", from: .flag) })
        #expect(
            empty?.message
                == "invalid value 'a,,b' for '--booleans': expected texts separated by commas")
    }
}
