import Glibc

/// A program run as its users run it: arguments, environment, folder; exit code, output, errors.
struct Program {
    struct Result {
        /// The exit code, or 128 and the signal's number, as a shell has it.
        var code: Int32 = 0
        var output: [UInt8] = []
        var errors: [UInt8] = []
        var seconds = 0.0

        var text: String { String(decoding: output, as: UTF8.self) }
        var errorText: String { String(decoding: errors, as: UTF8.self) }
    }

    /// What goes wrong before a program runs; tests end with it.
    struct Problem: Error, CustomStringConvertible {
        var description: String

        init(_ description: String) {
            self.description = description
        }
    }

    var path: String
    /// Nothing: the test's own.
    var environment: [String: String]?
    var folder: String?

    /// The program under test; `scripts/test` says where it is.
    static func sluice() throws -> Program {
        guard let path = getenv("SLUICE_TEST_BINARY").map({ String(cString: $0) }), !path.isEmpty
        else {
            throw Problem("SLUICE_TEST_BINARY does not name the program; run scripts/test")
        }
        guard path.hasPrefix("/"), access(path, X_OK) == 0 else {
            throw Problem("SLUICE_TEST_BINARY is '\(path)', which is no program's absolute path")
        }
        return Program(path: path)
    }

    /// A program of the system.
    static func tool(_ name: String) throws -> Program {
        for folder in ["/usr/bin", "/bin", "/usr/sbin", "/sbin"] {
            let path = "\(folder)/\(name)"
            if access(path, X_OK) == 0 { return Program(path: path) }
        }
        throw Problem("there is no \(name) here; scripts/setup --test installs what tests need")
    }

    func run(_ arguments: [String], input: String = "/dev/null") throws -> Result {
        try start(arguments, input: input).wait()
    }

    /// - Parameter output: a file for standard output that the caller opened; nothing keeps what is written.
    func start(
        _ arguments: [String], input: String = "/dev/null", output: Int32? = nil
    ) throws -> Process {
        let captured = try Capture()
        let errors = try Capture()
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output ?? captured.descriptor, 1)
        posix_spawn_file_actions_adddup2(&actions, errors.descriptor, 2)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // Whatever the test process ignores or blocks is nothing that a shell hands down.
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        for number in [SIGPIPE, SIGINT, SIGTERM, SIGHUP] { sigaddset(&signals, number) }
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        // env changes the folder and becomes the program, under the same process id.
        let chosen = folder.map { ["/usr/bin/env", "-C", $0, path] } ?? [path]
        let words = (chosen + arguments).map { (word: String) in strdup(word) }
        let variables = environment.map { $0.map { strdup("\($0.key)=\($0.value)") } }
        defer {
            for word in words + (variables ?? []) { free(word) }
        }
        var process = pid_t()
        let code = posix_spawn(
            &process, chosen[0], &actions, &attributes, words + [nil],
            variables.map { $0 + [nil] }
                ?? Self.inherited)
        guard code == 0 else { throw Problem("\(path) does not start: errno \(code)") }
        return Process(id: process, output: captured, errors: errors)
    }

    /// The test's own environment, but for what would be a setting of sluice.
    private static var inherited: [UnsafeMutablePointer<CChar>?] {
        var variables: [UnsafeMutablePointer<CChar>?] = []
        var place = environ
        while let variable = place.pointee {
            if strncmp(variable, "SLUICE_", 7) != 0 { variables.append(variable) }
            place += 1
        }
        return variables + [nil]
    }
}

/// A program that runs.
final class Process {
    let id: pid_t
    private let output: Capture
    private let errors: Capture
    private let start = Process.now
    private var result: Program.Result?

    fileprivate init(id: pid_t, output: Capture, errors: Capture) {
        self.id = id
        self.output = output
        self.errors = errors
    }

    deinit {
        // A test that failed half-way leaves nothing running.
        if result == nil {
            kill(id, SIGKILL)
            var status: Int32 = 0
            waitpid(id, &status, 0)
        }
    }

    func signal(_ number: Int32) { if result == nil { kill(id, number) } }

    /// What it has said so far on standard error.
    var errorText: String { String(decoding: errors.bytes, as: UTF8.self) }

    /// Whether it still runs after at most this time.
    func runs(afterAtMost seconds: Double) -> Bool {
        let end = Process.now + seconds
        while collect(WNOHANG) == nil {
            if Process.now >= end { return true }
            usleep(2000)
        }
        return false
    }

    func wait() -> Program.Result {
        while true { if let result = collect(0) { return result } }
    }

    private func collect(_ options: Int32) -> Program.Result? {
        if let result { return result }
        var status: Int32 = 0
        guard waitpid(id, &status, options) == id else { return nil }
        var ended = Program.Result()
        ended.code = status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + (status & 0x7F)
        ended.seconds = Process.now - start
        ended.output = output.bytes
        ended.errors = errors.bytes
        result = ended
        return ended
    }

    static var now: Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}

/// A file without a name that takes what a program writes: unlike a pipe it never fills.
private final class Capture {
    let descriptor: Int32

    init() throws {
        let path = "/tmp/sluice-captured-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
        descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Program.Problem("\(path): errno \(errno)") }
        unlink(path)
    }

    deinit { close(descriptor) }

    var bytes: [UInt8] {
        var facts = stat()
        guard fstat(descriptor, &facts) == 0 else { return [] }
        var bytes = [UInt8](repeating: 0, count: Int(facts.st_size))
        let count = pread(descriptor, &bytes, bytes.count, 0)
        return Array(bytes.prefix(max(0, count)))
    }
}
