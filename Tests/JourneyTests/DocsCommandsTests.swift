import Glibc
import SluiceCore
import TestSupport
import Testing

/// What README and docs show is run as it is shown, and what they say of results is so.
@Suite("Every command in README and docs") struct DocsCommandsTests {
    /// One block between fences.
    struct Block {
        /// What stands behind the fence: `sh`, `sh exit 3`, `yaml job.yaml`.
        let label: String
        let text: String

        /// Of a block that is run: what its shell must end with.
        var exitCode: Int32? {
            if label == "sh" { return 0 }
            return label.hasPrefix("sh exit ") ? Int32(label.dropFirst(8)) : nil
        }

        /// Of a block that is a file: its name.
        var file: String? {
            let words = label.split(separator: " ")
            return words.count == 2 && words[0] != "sh" ? String(words[1]) : nil
        }
    }

    static let pages = [
        "README.md", "docs/operating.md", "docs/stores.md", "docs/json-output.md",
        "docs/format.md",
    ]

    static func lines(_ page: String) throws -> [Substring] {
        try #require(TidyRepository.here.texts.first { $0.path == page }).lines
    }

    /// The blocks of a page; one in a list is less indented by as much as its fence.
    static func blocks(_ page: String) throws -> [Block] {
        var blocks: [Block] = []
        var open: (indent: Int, label: String, lines: [Substring])?
        for line in try lines(page) {
            let indent = line.prefix { $0 == " " }.count
            let isFence = line.dropFirst(indent).hasPrefix("```")
            if let block = open {
                if isFence {
                    blocks.append(
                        Block(
                            label: block.label,
                            text: block.lines.map { $0 + "\n" }.joined()))
                    open = nil
                } else {
                    open?.lines.append(line.dropFirst(min(indent, block.indent)))
                }
            } else if isFence {
                open = (indent, String(line.dropFirst(indent + 3)), [])
            }
        }
        #expect(open == nil, "\(page): a block does not end")
        return blocks
    }

    /// What the page about stores says that it expects to be set.
    private static func stores() throws -> [String: String] {
        var variables = try RealServer.seaweedFS.environment
        variables["AWS_ENDPOINT_URL_S3"] = try RealServer.seaweedFS.address
        variables["STORAGE_EMULATOR_HOST"] = try RealServer.gcs.address
        variables["DAV"] = try RealServer.nginx.address
        return variables
    }

    /// A shell in the folder, with sluice in its path and nothing else of the environment.
    private func shell(
        _ script: String, in place: Workspace, _ variables: [String: String] = [:]
    ) throws -> Program.Result {
        var shell = try Program.tool("sh")
        let folder = place.sluice.path.split(separator: "/", omittingEmptySubsequences: false)
            .dropLast().joined(separator: "/")
        shell.environment = variables.merging(["PATH": "\(folder):/usr/bin:/bin"]) { $1 }
        shell.folder = place.path
        return try shell.run(["-eu", "-c", script])
    }

    @Test("runs as it is shown, in the order of the page", arguments: pages)
    func commands(_ page: String) throws {
        let place = try Workspace()
        try place.make("shop.db", from: "shop.sql")
        let blocks = try DocsCommandsTests.blocks(page)
        let variables = page == "docs/stores.md" ? try DocsCommandsTests.stores() : [:]
        for block in blocks {
            let kind = block.label.split(separator: " ").first.map(String.init) ?? ""
            #expect(["sh", "text", "json", "yaml"].contains(kind), "\(page): ```\(block.label)")
            if let file = block.file {
                let folder = file.split(separator: "/").dropLast().joined(separator: "/")
                if !folder.isEmpty { _ = try shell("mkdir -p '\(folder)'", in: place) }
                try place.write(block.text, to: file)
            }
            guard let code = block.exitCode else { continue }
            let result = try shell(block.text, in: place, variables)
            #expect(result.code == code, "\(page):\n\(block.text)\(result.errorText)")
        }
        // The format page shows no commands.
        let count = blocks.count { $0.exitCode != nil }
        #expect(count > 0 || page == "docs/format.md")
    }

    @Test("of the rendered options works where its page says nothing else")
    func options() throws {
        var commands: [Substring] = []
        for block in try DocsCommandsTests.blocks("docs/options.md") where block.label == "sh" {
            // A server of that name answers nobody.
            commands += block.text.split(separator: "\n").filter {
                $0.hasPrefix("sluice ") && !$0.contains("//db.example.com")
            }
        }
        #expect(commands.count > 10)
        for command in commands {
            let place = try Workspace()
            try place.make("app.db", from: "shop.sql")
            try place.write(
                "source: sqlite:app.db\nstore: file:job\ntarget: sqlite:job.db\n", to: "job.yaml")
            let word = command.split(separator: " ")[1]
            if !["run", "export"].contains(word) {
                try place.succeed(
                    "run", "--source", "sqlite:app.db", "--store", "file:out", "--target",
                    "sqlite:copy.db")
            }
            let result = try shell(String(command), in: place)
            // SQLite has no position that anything could start from.
            #expect(result.code == (word == "handoff" ? 6 : 0), "\(command)\n\(result.errorText)")
        }
    }

    @Test("finds the README's first migration to be what a shell shows")
    func firstMigration() throws {
        let blocks = try DocsCommandsTests.blocks("README.md").map(\.text)
        let shown = try #require(blocks.first { $0.hasPrefix("$ sluice run") })
        let lines = shown.split(separator: "\n")
        #expect(lines.count == 10)
        let place = try Workspace()
        try place.make("shop.db", from: "shop.sql")
        let commands = lines.filter { $0.hasPrefix("$ ") }.map { $0.dropFirst(2) }
        let result = try shell(
            "exec 2>&1\n" + commands.joined(separator: "\n"), in: place)
        let found = result.text.split(separator: "\n")
        // Rates and seconds are those of a machine.
        func timeless(_ lines: [Substring]) -> [String] {
            lines.map { line in
                String(
                    line.replacing(/[0-9.]+[kM]? ?(rows|[kMG]?B)\/s/, with: "…")
                        .replacing(/\ in\ [0-9.:]+(\ s$)?/, with: " …"))
            }
        }
        #expect(timeless(found) == timeless(lines.filter { !$0.hasPrefix("$ ") }))
    }

    @Test("finds every member of results that the page names, and the page names every one")
    func members() throws {
        let page = try DocsCommandsTests.lines("docs/json-output.md").joined(separator: "\n")
        let place = try Workspace()
        try place.make("shop.db", from: "shop.sql")
        let ends = ["--source", "sqlite:shop.db"]
        let store = ["--store", "file:out"]
        let target = ["--target", "sqlite:copy.db"]
        var found: Set<String> = []
        for arguments in [
            ["plan"] + ends + target, ["run"] + ends + store + target, ["export"] + ends + store,
            ["load"] + store + target, ["verify"] + store + target, ["status"] + store + target,
            ["inspect"] + store, ["inspect", "--table", "orders"] + store,
            ["doctor"] + ends + store, ["prune", "--keep", "1"] + store,
            ["handoff", "--for", "json"] + store, ["plan", "--show-settings"] + ends,
        ] {
            let result = try place.run(arguments + ["--output", "json", "--quiet"])
            #expect(result.output.last == 10)
            #expect(result.output.count { $0 == 10 } == 1, "\(arguments)")
            let json = try JSON(parsing: result.output)
            for member in json.members ?? [] { found.insert(member.key) }
            for member in json["error"]?.members ?? [] { found.insert(member.key) }
        }
        let unnamed = found.filter { !page.contains("`\($0)`") }
        #expect(unnamed.sorted() == [])
        #expect(found.count > 25)
    }

    @Test("needs nothing of the environment, as cron runs it")
    func cron() throws {
        let place = try Workspace()
        try place.make("shop.db", from: "shop.sql")
        try place.write(
            "source: sqlite:\(place["shop.db"])\nstore: file:\(place["backup/{date}"])\nquiet: true\n",
            to: "shop.yaml")
        let sluice = "env -i \(place.sluice.path)"
        let job = place["shop.yaml"]
        let line =
            "cd / && \(sluice) export --config \(job) && \(sluice) prune --config \(job) --keep 14"
        let first = try shell(line, in: place)
        #expect(first.code == 0)
        #expect(first.errorText == "")
        #expect(first.text.hasPrefix("exported 20 tables, 202,616 rows ("))
        let days = try Program.tool("ls").run([place["backup"]]).text
        #expect(days.wholeMatch(of: /\d{4}-\d\d-\d\d\n/) != nil, "\(days)")
        let second = try shell(line, in: place)
        #expect(second.code == 0)
        #expect(second.text.hasPrefix("exported before: 20 tables, 202,616 rows ("))
        #expect(second.errorText.hasSuffix(" is finished; nothing was exported\n"))
    }

    @Test("compares a target whose ledger was dropped, and does not bring it back")
    func withoutLedger() throws {
        let place = try Workspace()
        try place.make("shop.db", from: "shop.sql")
        try place.succeed(
            "run", "--source", "sqlite:shop.db", "--store", "file:out", "--target", "sqlite:b.db")
        try place.sql("b.db", "DROP TABLE sluice_ledger")
        try place.succeed("verify", "--store", "file:out", "--target", "sqlite:b.db")
        try place.sql("b.db", "UPDATE orders SET note = NULL WHERE id = 4")
        try place.sql("b.db", "UPDATE orders SET note = 'x' WHERE id = 5")
        let result = try place.run(
            "verify", "--store", "file:out", "--target", "sqlite:b.db", "--quiet")
        #expect(result.code == 3)
        #expect(result.text.contains("changed in orders: id = 5\n"))
        let count = "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'sluice%'"
        #expect(try place.sql("b.db", count) == "0\n")
    }
}
