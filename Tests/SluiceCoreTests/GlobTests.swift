import SluiceCore
import Testing

struct GlobTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let pattern: String
        let name: TableName
        let matches: Bool

        init(_ pattern: String, _ name: TableName, _ matches: Bool) {
            self.pattern = pattern
            self.name = name
            self.matches = matches
        }

        var testDescription: String {
            "\(pattern) \(matches ? "matches" : "does not match") \(name)"
        }
    }

    @Test(
        "a pattern stands for exactly the tables it describes",
        arguments: [
            Case("orders", TableName("orders"), true),
            Case("orders", TableName("Orders"), false),
            Case("orders", TableName("orders2"), false),
            Case("orders", TableName(schema: "public", "orders"), true),
            Case("public.orders", TableName(schema: "public", "orders"), true),
            Case("public.orders", TableName("public.orders"), true),
            Case("public.*", TableName(schema: "public", "orders"), true),
            Case("public.*", TableName(schema: "sales", "orders"), false),
            Case("*", TableName(""), true),
            Case("**", TableName("anything"), true),
            Case("a*b*c", TableName("a1b2b3c"), true),
            Case("a*b*c", TableName("a1b2b3"), false),
            Case("*.log", TableName(schema: "app", "log"), true),
            Case("?", TableName("😀"), true),
            Case("?", TableName(""), false),
            Case("??", TableName("é"), false),
            Case("é", TableName("e\u{301}"), false),
            Case("log_[0-9]", TableName("log_7"), true),
            Case("log_[0-9]", TableName("log_a"), false),
            Case("log_[!0-9]", TableName("log_a"), true),
            Case("log_[^0-9]", TableName("log_7"), false),
            Case("[]a]", TableName("]"), true),
            Case("[!]]", TableName("]"), false),
            Case("[a-]", TableName("-"), true),
            Case("[\\]]", TableName("]"), true),
            Case("a\\*b", TableName("a*b"), true),
            Case("a\\*b", TableName("axb"), false),
            Case("a\\\\b", TableName("a\\b"), true),
            Case("[α-ω]", TableName("λ"), true),
        ])
    func matching(_ example: Case) throws {
        #expect(try Glob(example.pattern).matches(example.name) == example.matches)
    }

    @Test("a long name and many stars take no exponential time")
    func noBlowUp() throws {
        let glob = try Glob(String(repeating: "*a", count: 60) + "b")
        #expect(!glob.matches(TableName(Name(String(repeating: "a", count: 5_000)))))
    }

    @Test(
        "a pattern that cannot be meant is refused with what is wrong",
        arguments: [
            ("", "a table pattern is empty"),
            (
                "a\\",
                """
                the table pattern 'a\\' ends in a backslash
                hint: Write two backslashes for one that is part of the name.
                """
            ),
            (
                "a[b",
                """
                the table pattern 'a[b' has a bracket that is not closed
                hint: Write '\\[' for a bracket that is part of the name.
                """
            ),
            ("[z-a]", "the table pattern '[z-a]' has the range 'z-a', which is empty"),
        ])
    func refusal(_ pattern: String, _ message: String) {
        let failure = #expect(throws: Failure.self) { try Glob(pattern) }
        #expect(failure?.description == message)
        #expect(failure?.kind == .usage)
    }

    @Test("a pattern says what it was written as")
    func writtenForm() throws {
        #expect(try Glob("a\\*[b]").pattern == "a\\*[b]")
    }
}
