import Glibc
import SluiceCore
import Testing

/// A reader written from docs/format.md alone reads what sluice writes, and finds what is wrong with it.
@Suite("The page on the format") struct DocsFormatTests {
    /// A script of fixtures/format, run by the interpreter that has its libraries.
    private func python(_ script: String, _ arguments: String...) throws -> Program.Result {
        guard let path = getenv("SLUICE_TEST_PYTHON").map({ String(cString: $0) }), !path.isEmpty
        else {
            throw Program.Problem("SLUICE_TEST_PYTHON names no interpreter; run scripts/test")
        }
        // Without -B it would leave its compiled modules in the repository.
        return try Program(path: path).run(
            ["-B", Workspace.fixture("format/\(script)")] + arguments)
    }

    /// What a result of `--output json` says.
    private func rows(of result: Program.Result) throws -> Int {
        try #require(JSON(parsing: result.output)["rows"]?.integer)
    }

    @Test("gives examples that hold")
    func examples() throws {
        let result = try python(
            "check_page.py", "\(Workspace.repository)/docs/format.md", Workspace.fixture("avro"))
        #expect(result.errorText == "")
        #expect(result.text == "the page's examples hold\n")
    }

    @Test("is enough to read every format and codec", arguments: MigrationTests.formats)
    func reading(_ format: [String]) throws {
        let place = try Workspace()
        try place.make("edge.db", from: "edge.sql")
        try place.make("shop.db", from: "shop.sql")
        for name in ["edge", "shop"] {
            let result = try place.run(
                [
                    "export", "--source", "sqlite:\(name).db", "--store", "file:\(name)",
                    "--shard-bytes", "256KiB", "--quiet", "--output", "json",
                ] + format)
            #expect(result.code == 0, "\(result.errorText)")
            let found = try python("read_dataset.py", place[name], "--sqlite", place["\(name).db"])
            #expect(found.errorText == "")
            #expect(found.code == 0)
            // Every record was compared with a row.
            let count = try rows(of: result)
            #expect(count > 50)
            #expect(found.text.hasSuffix("\"compared\": \(count)}\n"), "\(found.text)")
        }
    }

    @Test("says how rows are kept that a target refused", arguments: ["avro", "csv"])
    func rejects(_ format: String) throws {
        let place = try Workspace()
        try place.sql("a.db", "CREATE TABLE t (id INTEGER PRIMARY KEY, \"x.y-z\" TEXT)")
        try place.sql("a.db", "INSERT INTO t VALUES (1, 'a'), (2, NULL), (3, 'c'), (4, NULL)")
        try place.sql("b.db", "CREATE TABLE t (id INTEGER PRIMARY KEY, \"x.y-z\" TEXT NOT NULL)")
        let result = try place.run(
            "run", "--source", "sqlite:a.db", "--store", "file:out", "--target", "sqlite:b.db",
            "--on-existing", "use", "--on-bad-row", "quarantine", "--format", format, "--quiet")
        #expect(result.code == 3, "\(result.errorText)")
        let found = try python("read_dataset.py", place["out"], "--sqlite", place["a.db"])
        #expect(found.errorText == "")
        #expect(
            found.text
                == "{\"tables\": {\"t\": 4}, \"reserved\": 0, \"rejected\": 2, \"compared\": 4}\n")
        for name in try place.names("out/rejects") {
            let whole = try place.read("out/rejects/\(name)")
            var changed = whole
            changed[whole.count / 2] ^= 1
            try place.write(changed, to: "out/rejects/\(name)")
            #expect(try python("read_dataset.py", place["out"]).code == 1, "\(name)")
            try place.write(whole, to: "out/rejects/\(name)")
        }
    }

    @Test("names what to check: a reader finds a changed byte in each kind of object")
    func damage() throws {
        let place = try Workspace()
        try place.sql("shop.db", "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT)")
        try place.sql("shop.db", "INSERT INTO people VALUES (1, 'Ada'), (2, NULL)")
        try place.succeed("export", "--source", "sqlite:shop.db", "--store", "file:out")
        #expect(try python("read_dataset.py", place["out"]).code == 0)
        let names = try place.names("out").filter { !$0.hasPrefix("reports/") }
        #expect(names.count == 8)
        for name in names {
            let whole = try place.read("out/\(name)")
            var changed = whole
            changed[whole.count / 2] ^= 1
            try place.write(changed, to: "out/\(name)")
            let found = try python("read_dataset.py", place["out"])
            #expect(found.code == 1, "\(name)")
            #expect(found.errorText.hasPrefix("read_dataset.py: "), "\(name): \(found.errorText)")
            try place.write(whole, to: "out/\(name)")
        }
        #expect(try python("read_dataset.py", place["out"]).code == 0)
    }
}
