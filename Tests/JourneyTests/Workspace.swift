import Glibc
import Testing

/// A folder of a test's own, with the programs as they are run in it; removed when the test ends.
final class Workspace {
    let path: String
    var sluice: Program
    private let sqlite3: Program

    init() throws {
        // First what may fail: a folder that is made is only removed by a whole object.
        var program = try Program.sluice()
        sqlite3 = try Program.tool("sqlite3")
        var template = Array("/tmp/sluice-journey-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Program.Problem("mkdtemp: errno \(errno)") }
        path = template.withUnsafeBufferPointer { name in
            name.baseAddress.map { String(cString: $0) } ?? ""
        }
        program.folder = path
        sluice = program
    }

    deinit {
        _ = try? Program.tool("rm").run(["-rf", path])
    }

    static let repository: String = {
        let parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
        return parts.dropLast(3).joined(separator: "/")
    }()

    static func fixture(_ name: String) -> String { "\(repository)/fixtures/\(name)" }

    subscript(_ name: String) -> String { "\(path)/\(name)" }

    // MARK: Programs

    /// Runs sluice in the folder.
    @discardableResult
    func run(_ arguments: String...) throws -> Program.Result { try sluice.run(arguments) }

    @discardableResult
    func run(_ arguments: [String]) throws -> Program.Result { try sluice.run(arguments) }

    /// Runs sluice and expects that all is well.
    @discardableResult
    func succeed(
        _ arguments: String..., sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> Program.Result {
        let result = try sluice.run(arguments)
        #expect(result.code == 0, "\(result.errorText)", sourceLocation: sourceLocation)
        return result
    }

    /// Runs sluice, quietly, and expects exactly this end.
    func expect(
        _ code: Int32, _ errors: String, _ arguments: String...,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let result = try sluice.run(arguments + ["--quiet"])
        #expect(result.errorText == errors, sourceLocation: sourceLocation)
        #expect(result.code == code, sourceLocation: sourceLocation)
        #expect(result.text == "", sourceLocation: sourceLocation)
    }

    /// Runs SQL in a database of the folder; fails where SQLite does.
    @discardableResult
    func sql(_ database: String, _ sql: String) throws -> String {
        let result = try sqlite3.run(["-bail", self[database], sql])
        guard result.code == 0 else { throw Program.Problem("sqlite3: \(result.errorText)") }
        return result.text
    }

    /// Runs a file of the repository's fixtures in a database of the folder.
    func make(_ database: String, before: String = "", from fixture: String) throws {
        let result = try sqlite3.run(
            ["-bail", "-cmd", before.isEmpty ? "SELECT 1 WHERE 0" : before, self[database]],
            input: Workspace.fixture(fixture))
        guard result.code == 0 else { throw Program.Problem("sqlite3: \(result.errorText)") }
    }

    // MARK: Comparing

    /// A database as SQLite's own shell prints it, without the ledger.
    func dump(_ database: String) throws -> [UInt8] {
        let result = try sqlite3.run([self[database], ".dump"])
        guard result.code == 0 else { throw Program.Problem("sqlite3: \(result.errorText)") }
        return Workspace.lines(result.output).filter { !Workspace.contains($0, "sluice_ledger") }
            .joined(separator: [10]).map { $0 }
    }

    /// Both databases are the same to SQLite's shell, whole, and whole in themselves.
    func expectEqual(
        _ source: String, _ target: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let expected = try dump(source)
        let found = try dump(target)
        if expected != found {
            let place = zip(expected, found).enumerated().first { $1.0 != $1.1 }?.offset
            let start = max(0, (place ?? min(expected.count, found.count)) - 100)
            let left = String(decoding: expected.dropFirst(start).prefix(300), as: UTF8.self)
            let right = String(decoding: found.dropFirst(start).prefix(300), as: UTF8.self)
            Issue.record(
                "the dumps differ (\(expected.count) and \(found.count) bytes):\n\(left)\n--\n\(right)",
                sourceLocation: sourceLocation)
        }
        #expect(
            try sql(target, "PRAGMA integrity_check") == "ok\n", sourceLocation: sourceLocation)
        #expect(!exists(target + "-wal"), sourceLocation: sourceLocation)
        #expect(!exists(target + "-journal"), sourceLocation: sourceLocation)
    }

    private static func lines(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] {
        bytes.split(separator: 10, omittingEmptySubsequences: false)
    }

    private static func contains(_ line: ArraySlice<UInt8>, _ text: String) -> Bool {
        let wanted = Array(text.utf8)
        // Lines of the ledger are short, and a line with 100 MB of blob is not worth searching.
        guard line.count >= wanted.count, line.count < 4096 else { return false }
        let bytes = Array(line)
        return (0...bytes.count - wanted.count).contains { start in
            bytes[start] == wanted[0] && bytes[start..<start + wanted.count].elementsEqual(wanted)
        }
    }

    // MARK: Files

    func exists(_ name: String) -> Bool { access(self[name], F_OK) == 0 }

    func read(_ name: String) throws -> [UInt8] {
        let file = open(self[name], O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw Program.Problem("\(name): errno \(errno)") }
        defer { close(file) }
        var facts = stat()
        fstat(file, &facts)
        var bytes = [UInt8](repeating: 0, count: Int(facts.st_size))
        let count = Glibc.read(file, &bytes, bytes.count)
        return Array(bytes.prefix(max(0, count)))
    }

    func write(_ bytes: [UInt8], to name: String) throws {
        let file = open(self[name], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw Program.Problem("\(name): errno \(errno)") }
        defer { close(file) }
        guard Glibc.write(file, bytes, bytes.count) == bytes.count else {
            throw Program.Problem("\(name): errno \(errno)")
        }
    }

    func write(_ text: String, to name: String) throws { try write(Array(text.utf8), to: name) }

    /// Every file below a folder with its size and times, but for reports; equal where nothing was touched.
    func listing(_ folder: String) throws -> String {
        try Program.tool("find").run(
            [
                self[folder], "-not", "-path", "*/reports*", "-not", "-path", self[folder],
                "-printf", "%P %s %T@ %i\n",
            ]
        ).text.split(separator: "\n").sorted().joined(separator: "\n")
    }

    /// The names of the files below a folder, sorted.
    func names(_ folder: String) throws -> [String] {
        try Program.tool("find").run([self[folder], "-type", "f", "-printf", "%P\n"]).text
            .split(separator: "\n").map(String.init).sorted()
    }

    /// The names in the folder itself, sorted.
    var entries: [String] {
        get throws {
            try Program.tool("ls").run(["-A", path]).text.split(separator: "\n").map(String.init)
        }
    }
}

/// Whether the tests that take long are wanted (scripts/test --long).
let isLong = getenv("SLUICE_TEST_LONG") != nil
