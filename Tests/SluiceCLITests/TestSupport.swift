import Glibc
import SluiceCore

/// A fresh folder that goes away with its owner.
final class TemporaryFolder {
    let path: String

    init() throws {
        var template = Array("/tmp/sluice-cli-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Failure(.failed, "no temporary folder") }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        TemporaryFolder.remove(path)
    }

    func write(_ text: String, to name: String) throws -> String {
        let file = "\(path)/\(name)"
        guard let stream = fopen(file, "w") else { throw Failure(.failed, "cannot write \(file)") }
        fputs(text, stream)
        fclose(stream)
        return file
    }

    private static func remove(_ path: String) {
        if let folder = opendir(path) {
            while let entry = readdir(folder) {
                let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                    pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
                if name != ".", name != ".." { remove("\(path)/\(name)") }
            }
            closedir(folder)
            rmdir(path)
        } else {
            unlink(path)
        }
    }
}

/// Random numbers that are the same in every run.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// The folder of this repository.
enum ProjectFolder {
    static func contents(of name: String) throws -> String {
        var rest = Substring(#filePath)
        while !rest.isEmpty, access("\(rest)/Package.swift", R_OK) != 0 {
            rest = rest[..<(rest.lastIndex(of: "/") ?? rest.startIndex)]
        }
        return try TextFile.contents(of: "\(rest)/\(name)")
    }
}

enum TextFile {
    static func contents(of file: String) throws -> String {
        guard let stream = fopen(file, "r") else { throw Failure(.failed, "cannot read \(file)") }
        defer { fclose(stream) }
        var text: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = fread(&piece, 1, piece.count, stream), count > 0 {
            text += piece[..<count]
        }
        return String(decoding: text, as: UTF8.self)
    }
}

/// Another process, run to its end.
enum ChildProcess {
    struct Result: Equatable {
        var code: Int32
        var output: String
        var errors: String
    }

    /// The `sluice` that was built with these tests.
    static func sluice(
        _ arguments: [String], environment: [String: String] = [:], in folder: TemporaryFolder
    ) throws -> Result {
        let settings = environment.map { "\($0.key)='\($0.value)'" }.joined(separator: " ")
        let quoted = arguments.map {
            "'" + $0.split(separator: "'").joined(separator: "'\\''") + "'"
        }
        let line = "cd \(folder.path) && \(settings) '\(binary)' \(quoted.joined(separator: " "))"
        return try launch("/bin/sh", ["-c", line])
    }

    /// It lies beside the bundle that holds these tests.
    static var binary: String {
        var path = [CChar](repeating: 0, count: 4096)
        let count = max(0, readlink("/proc/self/exe", &path, path.count))
        let bundle = String(decoding: path[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return bundle[..<(bundle.lastIndex(of: "/") ?? bundle.startIndex)] + "/sluice"
    }

    static func launch(_ path: String, _ arguments: [String]) throws -> Result {
        let folder = try TemporaryFolder()
        let (output, errors) = ("\(folder.path)/output", "\(folder.path)/errors")
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, errors, O_WRONLY | O_CREAT, 0o600)
        let words = ([path] + arguments).map { (word: String) in strdup(word) }
        defer { for word in words { free(word) } }
        var process = pid_t()
        guard posix_spawn(&process, path, &actions, nil, words + [nil], environ) == 0 else {
            throw Failure(.failed, "cannot start \(path)")
        }
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        let code = status & 0x7F == 0 ? (status >> 8) & 0xFF : -(status & 0x7F)
        return Result(
            code: code, output: try TextFile.contents(of: output),
            errors: try TextFile.contents(of: errors))
    }
}
