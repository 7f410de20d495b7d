import Glibc
import SluiceCore
import SluiceEngine
import SluiceRecords
import TestSupport
import Testing

@testable import SluiceCLI

/// A job file that is refused, with exactly what the user sees.
struct JobFileCase: Sendable, CustomTestStringConvertible {
    let text: String
    let expected: String

    init(_ text: String, _ expected: String) {
        self.text = text
        self.expected = expected
    }

    var testDescription: String { text }
}

struct JobFileTests {
    @Test("a job file holds options by their names")
    func settings() throws {
        let text = """
            # every night
            source: sqlite:app.db
            "store": 'file:out'
            lanes: 4
            shard-bytes: 1MiB
            join: true
            tables:
              - order*
              - "with,comma"
            exclude: a,b
            where:
              orders: "created > '2025-01-01'"
              a=b: 1=1
            """
        let file = try JobFile(Array(text.utf8), name: "job.yaml")
        #expect(file.given.count == 8)
        #expect(file.given[.source]?.value == .text("sqlite:app.db"))
        #expect(file.given[.source]?.origin == .file("job.yaml", Mark(line: 2, column: 9)))
        #expect(file.given[.store]?.value == .text("file:out"))
        #expect(file.given[.lanes]?.value == .number(4))
        #expect(file.given[.shardBytes]?.value == .number(1 << 20))
        #expect(file.given[.join]?.value == .flag(true))
        #expect(file.given[.tables]?.value == .list(["order*", "with,comma"]))
        #expect(file.given[.exclude]?.value == .list(["a", "b"]))
        #expect(
            file.given[.filter]?.value
                == .filters([
                    .init(table: "orders", sql: "created > '2025-01-01'"),
                    .init(table: "a=b", sql: "1=1"),
                ]))
    }

    @Test("conditions may be a list, too")
    func filterList() throws {
        let file = try JobFile(Array("where: [a=x=1, 'b=y']\n".utf8), name: "job.yaml")
        #expect(
            file.given[.filter]?.value
                == .filters([.init(table: "a", sql: "x=1"), .init(table: "b", sql: "y")]))
    }

    @Test("an empty file sets nothing", arguments: ["", "# nothing\n", "---\n{}\n"])
    func empty(_ text: String) throws {
        #expect(try JobFile(Array(text.utf8), name: "job.yaml").given.isEmpty)
    }

    @Test(
        "what is wrong in a job file is named with line and column",
        arguments: [
            JobFileCase(
                "source: sqlite:a\n\ntabels: x\n",
                "unknown key 'tabels' in job.yaml, line 3, column 1\nhint: Did you mean 'tables'?"),
            JobFileCase(
                "on_existing: use\n",
                "unknown key 'on_existing' in job.yaml, line 1, column 1\n"
                    + "hint: Did you mean 'on-existing'?"),
            JobFileCase(
                "colour: red\n",
                "unknown key 'colour' in job.yaml, line 1, column 1\n"
                    + "hint: Keys are the names of options without dashes; see 'sluice help'."),
            JobFileCase(
                "config: other.yaml\n",
                "'config' cannot be set in job.yaml, line 1, column 1\n"
                    + "hint: A job file does not name another one."),
            JobFileCase(
                "lanes: many\n",
                "invalid value 'many' for 'lanes' in job.yaml, line 1, column 8: "
                    + "expected a whole number from 1 to 256"),
            JobFileCase(
                "join: yes\n",
                "invalid value 'yes' for 'join' in job.yaml, line 1, column 7: expected true or false"
            ),
            JobFileCase(
                "lanes: [1, 2]\n",
                "'lanes' in job.yaml, line 1, column 8 is a list, but one value is expected"),
            JobFileCase(
                "source:\n  path: x\n",
                "'source' in job.yaml, line 2, column 3 is a mapping, but one value is expected"),
            JobFileCase(
                "lanes:\n",
                "'lanes' in job.yaml, line 1, column 7 has no value\n"
                    + "hint: Leave the key out, or put a text into quotes."),
            JobFileCase(
                "source: ~\n",
                "'source' in job.yaml, line 1, column 9 has no value\n"
                    + "hint: Leave the key out, or put a text into quotes."),
            JobFileCase(
                "source: ''\n",
                "invalid value '' for 'source' in job.yaml, line 1, column 9: it is empty"),
            JobFileCase(
                "tables:\n  - [a]\n",
                "'tables' in job.yaml, line 2, column 5 holds a list, but texts are expected"),
            JobFileCase(
                "tables:\n  - a\n  -\n",
                "'tables' in job.yaml, line 3, column 4 holds an empty value"),
            JobFileCase(
                "tables: ['a[b']\n",
                "the table pattern 'a[b' has a bracket that is not closed\n"
                    + "  while reading 'tables' in job.yaml, line 1, column 10\n"
                    + "hint: Write '\\[' for a bracket that is part of the name."),
            JobFileCase(
                "lanes: 2\nlanes: 3\n",
                "the key 'lanes' is there twice in job.yaml, line 2, column 1\n"
                    + "hint: It is in line 1 already."),
            JobFileCase(
                "source: &a sqlite:x\n",
                "an anchor or alias in job.yaml, line 1, column 9\n"
                    + "hint: Put text that begins with '*' or '&' into quotes; anchors are not used here."
            ),
            JobFileCase(
                "tables: *\n",
                "no YAML: did not find expected alphabetic or numeric character in job.yaml, "
                    + "line 1, column 10\n"
                    + "hint: A key is followed by a colon and a space; "
                    + "entries of one level begin in one column."),
            JobFileCase(
                "tables: *all\n",
                "an anchor or alias in job.yaml, line 1, column 9\n"
                    + "hint: Put text that begins with '*' or '&' into quotes; anchors are not used here."
            ),
            JobFileCase(
                "source: !!str x\n",
                "a tag in job.yaml, line 1, column 9\n"
                    + "hint: Tags, which begin with '!', are not used here."),
            JobFileCase(
                "- a\n- b\n",
                "expected a mapping of settings in job.yaml, line 1, column 1\n"
                    + "hint: Write lines like 'source: sqlite:app.db'."),
            JobFileCase(
                "source: [a\n",
                "no YAML: did not find expected ',' or ']' in job.yaml, line 2, column 1\n"
                    + "hint: A key is followed by a colon and a space; "
                    + "entries of one level begin in one column."),
            JobFileCase(
                "lanes: 1\n---\nlanes: 2\n", "a second document in job.yaml, line 2, column 1"),
            JobFileCase("? [a]\n: b\n", "a key that is no text in job.yaml, line 1, column 3"),
            JobFileCase(
                String(repeating: "[", count: 40) + "\n",
                "nesting too deep in job.yaml, line 1, column 17"
            ),
            JobFileCase(
                "a: \u{1}\n",
                "control characters are not allowed in job.yaml, byte 4\nhint: Save the file as UTF-8."
            ),
            JobFileCase(
                "source: postgress://u:hunter2@h/d\n",
                "invalid value 'postgress://u:***@h/d' for 'source' in job.yaml, line 1, column 9: "
                    + "unknown scheme 'postgress:'\nhint: Did you mean 'postgres:'?"),
        ])
    func refusal(_ example: JobFileCase) {
        let failure = #expect(throws: Failure.self) {
            try JobFile(Array(example.text.utf8), name: "job.yaml")
        }
        #expect(failure?.description == example.expected)
        #expect(failure?.kind == .usage)
    }

    @Test("text that is not UTF-8 is refused")
    func invalidText() {
        let failure = #expect(throws: Failure.self) {
            try JobFile([0x61, 0x3A, 0x20, 0xFF], name: "job.yaml")
        }
        #expect(
            failure?.description
                == "invalid leading UTF-8 octet in job.yaml, byte 4\nhint: Save the file as UTF-8.")
    }

    @Test("a file that is too large is refused without being read to its end")
    func tooLarge() {
        let failure = #expect(throws: Failure.self) {
            try JobFile(Array(repeating: UInt8(ascii: "#"), count: 1 << 20 + 1), name: "job.yaml")
        }
        #expect(failure?.description == "job.yaml is larger than 1MiB")
        let endless = #expect(throws: Failure.self) { try JobFile(path: "/dev/zero") }
        #expect(endless?.description == "/dev/zero is larger than 1MiB")
    }

    @Test("a file that is not there is named")
    func missing() {
        let failure = #expect(throws: Failure.self) { try JobFile(path: "/nonexistent/job.yaml") }
        #expect(
            failure?.description == """
                cannot read the job file /nonexistent/job.yaml: No such file or directory
                hint: Does --config name the right file?
                """)
        let folder = #expect(throws: Failure.self) { try JobFile(path: "/tmp") }
        #expect(
            folder?.description == """
                cannot read the job file /tmp: Is a directory
                hint: Does --config name the right file?
                """)
    }

    @Test("whatever bytes a job file has, it is read or refused as wrong usage")
    func anything() {
        var generator = SeededRandom(seed: 7)
        let pieces: [String] = [
            "source", ":", " ", "\n", "- ", "[", "]", "{", "}", "'", "\"", "&a", "*a", "!t", "|",
            ">",
            "import", "table: x", "columns", "~", "#", "\t", "?", ",", "---", "%YAML 1.1",
            "lanes: 3",
        ]
        for _ in 0..<5_000 {
            let count = Int.random(in: 0...12, using: &generator)
            let text = (0..<count).map { _ in pieces.randomElement(using: &generator) ?? "" }
                .joined()
            do throws(Failure) {
                _ = try JobFile(Array(text.utf8), name: "job.yaml")
            } catch {
                #expect(error.kind == .usage, "seed 7, \(text)")
            }
        }
    }
}
