internal import Glibc

/// The tools of the machine, which nobody here wrote.
public enum Shell {
    public struct Result: Equatable, Sendable {
        /// The exit code, or the signal's number below zero.
        public var code: Int32
        public var output: String
        public var errors: String

        public init(code: Int32, output: String, errors: String) {
            self.code = code
            self.output = output
            self.errors = errors
        }
    }

    /// A command that had to succeed and did not.
    public struct Failed: Error, CustomStringConvertible {
        public let description: String
    }

    /// Runs a command line to its end, with nothing to read.
    public static func run(_ line: String, with shell: String = "/bin/sh") throws -> Result {
        let folder = try ScratchFolder()
        let (output, errors) = (folder.path("output"), folder.path("errors"))
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, errors, O_WRONLY | O_CREAT, 0o600)
        let words = [shell, "-c", line].map { (word: String) in strdup(word) }
        defer { for word in words { free(word) } }
        var process = pid_t()
        guard posix_spawn(&process, shell, &actions, nil, words + [nil], environ) == 0 else {
            throw Failed(description: "cannot start \(shell)")
        }
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        return Result(
            code: status & 0x7F == 0 ? (status >> 8) & 0xFF : -(status & 0x7F),
            output: String(decoding: try FileBytes.read(output), as: UTF8.self),
            errors: String(decoding: try FileBytes.read(errors), as: UTF8.self))
    }

    /// What a command prints; throws what it complains of where it fails.
    @discardableResult
    public static func output(of line: String) throws -> String {
        let result = try run(line)
        guard result.code == 0 else {
            throw Failed(description: "\(line): exit \(result.code), \(result.errors)")
        }
        return result.output
    }

    /// One word of a command line, whatever is in it.
    public static func quoted(_ word: String) -> String {
        let pieces = word.split(separator: "'", omittingEmptySubsequences: false)
        return "'" + pieces.joined(separator: "'\\''") + "'"
    }
}
