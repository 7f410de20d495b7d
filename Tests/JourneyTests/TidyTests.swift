import Testing

/// The rules of the house that a machine can check (docs/architecture.md). Each test lists every place that breaks its rule.
@Suite("The repository is tidy")
struct TidyTests {
    private let texts = TidyRepository.here.texts

    @Test("is found, with every module and script in it")
    func found() {
        let paths = TidyRepository.here.paths
        for path in [
            "Sources/SluiceCore/Failure.swift", "Sources/sluice/main.swift", "Package.swift",
            "Tests/JourneyTests/TidyTests.swift", "scripts/test", ".ci/run", "CHANGELOG.md",
        ] {
            #expect(paths.contains(path))
        }
        #expect(texts.filter(\.isSource).count > 100)
    }

    /// What each module may import besides the system's own modules; arrows go down only.
    private static let imports: [String: Set<String>] = [
        "sluice": ["SluiceCLI"],
        "SluiceCLI": [
            "SluiceEngine", "SluicePostgres", "SluiceMySQL", "SluiceSQLite", "SluiceStore",
            "SluiceRecords",
            "SluiceCore", "CYAML",
        ],
        "SluiceEngine": ["SluiceStore", "SluiceRecords", "SluiceCore"],
        "SluicePostgres": ["SluiceRecords", "SluiceCore", "CPq"],
        "SluiceMySQL": ["SluiceRecords", "SluiceCore", "CMariaDB"],
        "SluiceSQLite": ["SluiceRecords", "SluiceCore", "CSQLite"],
        "SluiceStore": ["SluiceRecords", "SluiceCore", "CCurl"],
        "SluiceRecords": [
            "SluiceCore", "CZstd", "CZlib", "CSnappy", "CXXHash", "CCrypto", "CAvro",
        ],
        "SluiceCore": [],
    ]

    @Test("modules import downwards only, C libraries stay inside, and nobody needs Foundation")
    func importDirections() {
        var found: [String] = []
        for text in texts where text.isSource {
            let module = String(text.path.split(separator: "/")[1])
            let allowed = (TidyTests.imports[module] ?? []).union(["Glibc", "Synchronization"])
            for (number, line) in text.lines.enumerated() {
                let words = line.split(separator: " ").map(String.init)
                guard let place = words.firstIndex(of: "import"), place < words.count - 1,
                    ["public", "internal", "package", "private", "import", "@preconcurrency"]
                        .contains(words[0])
                else { continue }
                let imported = words[place + 1]
                if !allowed.contains(imported) {
                    found.append("\(text.path):\(number + 1): \(module) imports \(imported)")
                }
                if words[0] == "public", TidyTests.isCLibrary(imported) {
                    found.append("\(text.path):\(number + 1): \(imported) leaves its module")
                }
            }
        }
        #expect(found == [])
    }

    private static func isCLibrary(_ module: String) -> Bool {
        module.first == "C" && module.dropFirst().first?.isUppercase == true
    }

    @Test("files stay under 500 lines, functions under 60")
    func lengths() {
        var found: [String] = []
        for text in texts where text.isSource {
            if text.lines.count > 500 { found.append("\(text.path): \(text.lines.count) lines") }
            for (number, length) in TidyTests.functionLengths(text.lines) where length >= 60 {
                found.append("\(text.path):\(number + 1): a function of \(length) lines")
            }
        }
        #expect(found == [])
    }

    /// By the formatter's layout: a function ends with a brace under the beginning of its first line.
    static func functionLengths(_ lines: [Substring]) -> [(Int, Int)] {
        var found: [(Int, Int)] = []
        for (number, line) in lines.enumerated() {
            let words = line.split { !$0.isLetter }
            guard !line.contains("//"),
                words.contains(where: { ["func", "init", "deinit", "subscript"].contains($0) })
            else { continue }
            let indent = line.prefix { $0 == " " }.count
            for offset in lines.indices.dropFirst(number + 1) {
                let next = lines[offset]
                let nextIndent = next.prefix { $0 == " " }.count
                if next.isEmpty || nextIndent > indent { continue }
                if nextIndent < indent { break }
                let text = next.dropFirst(indent)
                if text.hasPrefix("}") {
                    found.append((number, offset - number + 1))
                    break
                }
                // The declaration goes on; anything else is a neighbour of one without a body.
                guard [")", "{", "->", "where"].contains(where: { text.hasPrefix($0) }) else {
                    break
                }
            }
        }
        return found
    }

    @Test("finds a function's end")
    func findsFunctionLengths() {
        let lines = """
            struct A {
                var b: Int { 1 }
                func short() -> Int { 1 }
                func c(
                    d: Int
                ) {
                    e {
                    }

                }
                init() {
                }
            }
            """.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(TidyTests.functionLengths(lines).map(\.0) == [3, 10])
        #expect(TidyTests.functionLengths(lines).map(\.1) == [7, 2])
    }

    @Test("lines of code stay within 100 columns")
    func columns() {
        var found: [String] = []
        for text in texts where text.isSource {
            var isInText = false
            for (number, line) in text.lines.enumerated() {
                let delimiters = line.split(separator: "\"\"\"", omittingEmptySubsequences: false)
                defer { if delimiters.count.isMultiple(of: 2) { isInText.toggle() } }
                // The formatter breaks everything but comments and texts; what is said to a user is not
                // broken for the sake of the column.
                if line.count > 100, !isInText, !line.contains("\"") {
                    found.append("\(text.path):\(number + 1): \(line.count) columns")
                }
            }
        }
        #expect(found == [])
    }

    private static let bannedCode = [
        "try!", "fatalError", "as!", "DispatchQueue", "= Task {", " Task.detached", "async throws",
        "await ",
        "nonisolated(unsafe)", "print(",
    ]
    private static let bannedAnywhere = ["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"]
    private static let bannedNouns: Set<String> = [
        "Manager", "Helper", "Helpers", "Util", "Utils", "Utilities", "Base", "Impl", "Context",
    ]

    @Test("nothing unfinished and nothing that can trap by design is written")
    func bannedWords() {
        var found: [String] = []
        for text in texts {
            for (number, line) in text.lines.enumerated() {
                let words = line.split { !$0.isLetter && !$0.isNumber }
                for word in TidyTests.bannedAnywhere where words.contains(where: { $0 == word }) {
                    found.append("\(text.path):\(number + 1): \(word)")
                }
                let isComment = line.drop { $0 == " " }.hasPrefix("//")
                guard text.isSource, !isComment else { continue }
                for word in TidyTests.bannedCode where line.contains(word) {
                    found.append("\(text.path):\(number + 1): \(word)")
                }
            }
        }
        #expect(found == [])
    }

    @Test("no type is named for being a helper")
    func bannedTypeNames() {
        var found: [String] = []
        for text in texts where text.isSwift {
            for (number, line) in text.lines.enumerated() {
                let words = line.split(separator: " ")
                for (word, name) in zip(words, words.dropFirst())
                where ["class", "struct", "enum", "protocol", "typealias"].contains(word) {
                    let parts = TidyTests.camelWords(name.prefix { $0.isLetter || $0.isNumber })
                    if !parts.isDisjoint(with: TidyTests.bannedNouns) {
                        found.append("\(text.path):\(number + 1): \(name)")
                    }
                }
            }
        }
        #expect(found == [])
    }

    private static func camelWords(_ name: Substring) -> Set<String> {
        var words: [String] = []
        for letter in name {
            if letter.isUppercase || words.isEmpty { words.append("") }
            words[words.count - 1].append(letter)
        }
        return Set(words)
    }

    @Test("nothing names a place of the machine it was written on")
    func machinePaths() {
        let places = [
            "/wo" + "rk/", "/ho" + "me/", "/ro" + "ot/", "/opt/sw" + "ift", "/tmp/w" + "t/",
        ]
        var found: [String] = []
        for text in texts {
            for (number, line) in text.lines.enumerated() {
                for place in places where line.contains(place) {
                    found.append("\(text.path):\(number + 1): \(place)")
                }
            }
        }
        #expect(found == [])
    }
}
