import Glibc
import SluiceCore

/// The files of `fixtures/`, and what tests need of the machine they run on.
enum Fixture {
    static var folder: String {
        let tests = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        return "/\(tests)/fixtures"
    }

    struct Missing: Error, CustomStringConvertible {
        let description: String
    }

    /// `SLUICE_TEST_RECORD=1` writes fixtures anew instead of comparing with them; look at the
    /// difference before you check it in.
    static var isRecording: Bool { getenv("SLUICE_TEST_RECORD") != nil }

    static func bytes(_ name: String) throws -> [UInt8] {
        try read("\(folder)/\(name)")
    }

    /// The fixture's bytes; while recording, `bytes` themselves after they became the fixture.
    static func bytes(_ name: String, recording bytes: [UInt8]) throws -> [UInt8] {
        if isRecording { try write(bytes, to: "\(folder)/\(name)") }
        return try self.bytes(name)
    }

    static func read(_ path: String) throws -> [UInt8] {
        guard let file = fopen(path, "rb") else { throw Missing(description: "no file \(path)") }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = fread(&piece, 1, piece.count, file)
            if count == 0 { return bytes }
            bytes += piece[..<count]
        }
    }

    static func write(_ bytes: [UInt8], to path: String) throws {
        guard let file = fopen(path, "wb") else {
            throw Missing(description: "cannot write \(path)")
        }
        let count = fwrite(bytes, 1, bytes.count, file)
        guard fclose(file) == 0, count == bytes.count else {
            throw Missing(description: "cannot write \(path)")
        }
    }

    /// Runs `body` with a fresh folder that is removed behind it.
    static func inTemporaryFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
        var template = Array("/tmp/sluice-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Missing(description: "no temporary folder") }
        let path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        defer { _ = try? run("rm -rf '\(path)'") }
        return try body(path)
    }

    /// What a shell command prints; throws where it fails.
    static func run(_ command: String) throws -> String {
        guard let pipe = popen(command, "r") else { throw Missing(description: "no shell") }
        var output: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = fread(&piece, 1, piece.count, pipe)
            if count == 0 { break }
            output += piece[..<count]
        }
        guard pclose(pipe) == 0 else { throw Missing(description: "failed: \(command)") }
        return String(decoding: output, as: UTF8.self)
    }

    /// The Python with the oracles. A test that needs it fails without it.
    static func python() throws -> String {
        guard let path = getenv("SLUICE_TEST_PYTHON") else {
            throw Missing(description: "SLUICE_TEST_PYTHON names no Python; scripts/test sets it")
        }
        return String(cString: path)
    }
}
