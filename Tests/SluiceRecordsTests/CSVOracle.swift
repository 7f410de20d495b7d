import Glibc
import SluiceCore

@testable import SluiceRecords

/// Python with libraries that nobody here wrote, and the scripts of `fixtures/` for it.
enum CSVOracle {
    struct Trouble: Error, CustomStringConvertible {
        let description: String
    }

    /// Runs a script with the files' paths; they are in a fresh folder that is removed behind
    /// `body`.
    ///
    /// - Parameter script: below `fixtures/`.
    /// - Parameter files: written before, by name; others may be made by the script.
    /// - Parameter body: given what the script printed and a way to read what it made.
    static func run<Result>(
        _ script: String, _ files: [(name: String, bytes: [UInt8])], _ arguments: [String] = [],
        _ body: (String, (String) throws -> [UInt8]) throws -> Result
    ) throws -> Result {
        guard let python = getenv("SLUICE_TEST_PYTHON") else {
            throw Trouble(description: "SLUICE_TEST_PYTHON names no Python; scripts/test sets it")
        }
        var template = Array("/tmp/sluice-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Trouble(description: "no temporary folder") }
        let folder = template.withUnsafeBufferPointer { buffer in
            buffer.baseAddress.map { String(cString: $0) } ?? ""
        }
        defer { system("rm -rf '\(folder)'") }
        for file in files { try write(file.bytes, to: "\(folder)/\(file.name)") }
        let fixtures = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let words = arguments.map { " '\($0)'" }.joined()
        let command =
            "cd '\(folder)' && '\(String(cString: python))' '\(fixtures)/fixtures/\(script)'"
            + "\(words) >output 2>&1"
        let code = system(command)
        let output = String(decoding: try read("\(folder)/output"), as: UTF8.self)
        guard code == 0 else { throw Trouble(description: "\(script) failed: \(output)") }
        return try body(output) { name in try read("\(folder)/\(name)") }
    }

    private static func write(_ bytes: [UInt8], to path: String) throws {
        guard let file = fopen(path, "w") else {
            throw Trouble(description: "cannot write \(path)")
        }
        defer { fclose(file) }
        guard fwrite(bytes, 1, bytes.count, file) == bytes.count else {
            throw Trouble(description: "cannot write \(path)")
        }
    }

    private static func read(_ path: String) throws -> [UInt8] {
        guard let file = fopen(path, "r") else { throw Trouble(description: "cannot read \(path)") }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = fread(&piece, 1, piece.count, file)
            if count <= 0 { return bytes }
            bytes += piece[..<count]
        }
    }
}

extension ShardBytes {
    convenience init(_ bytes: [UInt8]) {
        self.init()
        buffer.append(bytes)
    }
}

/// All records of a source, and their digest.
func readAll(
    _ source: some RecordSource, fieldCount: Int
) throws(Failure) -> (records: [UInt8], digest: Digest, reserved: [Int]) {
    var batch = Batch(fieldCount: fieldCount)
    var records: [UInt8] = []
    var digest = Digest.empty
    var reserved = Array(repeating: 0, count: fieldCount)
    var goesOn = true
    while goesOn {
        goesOn = try source.fill(&batch, byteGoal: 4096)
        records += batch.bytes.array()
        digest += batch.digest
        for index in reserved.indices { reserved[index] += batch.reserved[index] }
        batch.removeAll()
    }
    return (records, digest, reserved)
}
