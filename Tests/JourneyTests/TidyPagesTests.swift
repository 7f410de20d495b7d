import Glibc
import Testing

@Suite("Pages and scripts are tidy")
struct TidyPagesTests {
    private let repository = TidyRepository.here

    @Test("a page has one title, on its first line")
    func titles() {
        var found: [String] = []
        for text in repository.texts where text.isMarkdown {
            let titles = TidyPagesTests.prose(text.lines).filter { $0.line.hasPrefix("# ") }
            if titles.map(\.number) != [0] {
                found.append("\(text.path): titles in lines \(titles.map { $0.number + 1 })")
            }
        }
        #expect(found == [])
    }

    @Test("a decision stays under 60 lines and says what it costs")
    func decisions() {
        var found: [String] = []
        let decisions = repository.texts.filter { $0.path.hasPrefix("docs/decisions/") }
        for text in decisions {
            if text.lines.count >= 60 { found.append("\(text.path): \(text.lines.count) lines") }
            for part in ["**Context.**", "**Decision.**", "**Consequences.**"]
            where !text.lines.contains(where: { $0.hasPrefix(part) }) {
                found.append("\(text.path): no \(part)")
            }
        }
        #expect(found == [])
        // Numbers are given once, without gaps.
        let numbers = decisions.compactMap { Int($0.path.dropFirst(15).prefix(4)) }.sorted()
        #expect(numbers == Array(1..<decisions.count + 1))
    }

    @Test("every relative link leads somewhere")
    func links() {
        var found: [String] = []
        for text in repository.texts where text.isMarkdown {
            let folder = text.path.split(separator: "/").dropLast()
            for (number, line) in TidyPagesTests.prose(text.lines) {
                for target in TidyPagesTests.linkTargets(line) where !target.contains("://") {
                    let path = target.prefix { $0 != "#" }
                    if path.isEmpty || path.hasPrefix("mailto:") { continue }
                    if !repository.paths.contains(TidyPagesTests.join(folder, path)) {
                        found.append("\(text.path):\(number + 1): \(target)")
                    }
                }
            }
        }
        #expect(found == [])
    }

    @Test("every page that code and pages speak of is there")
    func mentions() {
        var found: [String] = []
        for text in repository.texts where text.isSwift || text.isMarkdown {
            for (number, line) in text.lines.enumerated() {
                for word in line.split(whereSeparator: { " `'\"(),;:[]".contains($0) })
                where word.hasPrefix("docs/") && word.contains(".md") {
                    let path = word.prefix { $0 != "#" }
                    let name = path.hasSuffix(".") ? String(path.dropLast()) : String(path)
                    if !repository.paths.contains(name) {
                        found.append("\(text.path):\(number + 1): \(name)")
                    }
                }
            }
        }
        #expect(found == [])
    }

    @Test("a script says in its first comment what it is for, fails early and works from anywhere")
    func scripts() {
        var found: [String] = []
        let scripts = repository.texts.filter {
            ($0.path.hasPrefix("scripts/") || $0.path.hasPrefix(".ci/"))
                && $0.lines.first?.hasPrefix("#!") == true
        }
        #expect(scripts.count >= 8)
        for text in scripts {
            let purpose = text.lines.dropFirst().first ?? ""
            if text.lines.first != "#!/usr/bin/env bash" {
                found.append("\(text.path): \(text.lines[0])")
            }
            if !purpose.hasPrefix("# ") || !purpose.hasSuffix(".") {
                found.append("\(text.path): its second line does not say what it is for")
            }
            if !text.lines.contains("set -euo pipefail") {
                found.append("\(text.path): no set -euo pipefail")
            }
            if !text.lines.contains(where: { $0.contains("${BASH_SOURCE[0]}") }) {
                found.append("\(text.path): does not look for its own folder")
            }
        }
        #expect(found == [])
    }

    /// Lines outside of blocks of code.
    private static func prose(_ lines: [Substring]) -> [(number: Int, line: Substring)] {
        var isCode = false
        var found: [(Int, Substring)] = []
        for (number, line) in lines.enumerated() {
            if line.hasPrefix("```") {
                isCode.toggle()
            } else if !isCode {
                found.append((number, line))
            }
        }
        return found
    }

    private static func linkTargets(_ line: Substring) -> [Substring] {
        var targets: [Substring] = []
        var rest = line
        while let start = rest.firstRange(of: "](") {
            rest = rest[start.upperBound...]
            targets.append(rest.prefix { $0 != ")" && $0 != " " })
        }
        return targets
    }

    private static func join(_ folder: ArraySlice<Substring>, _ path: Substring) -> String {
        var segments = Array(folder)
        for segment in path.split(separator: "/") {
            if segment == ".." {
                _ = segments.popLast()
            } else if segment != "." {
                segments.append(segment)
            }
        }
        return segments.joined(separator: "/")
    }
}
