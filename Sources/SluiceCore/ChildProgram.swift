internal import Glibc

/// A program that runs as a child, like a server's own `pg_dump`.
///
/// Secrets go by the environment, never by the arguments, which every user of the machine can see.
public struct ChildProgram {
    public struct Result {
        /// As `wait` has it.
        public var status: Int32
        public var output: [UInt8]
        /// What it said on standard error, cut.
        public var complaints: [UInt8]
    }

    private static let complaintLimit = 16 << 10

    let path: String
    let arguments: [String]
    /// Beside those of this process.
    let variables: [(name: String, value: String)]
    /// More output than this is refused.
    let byteLimit: Int
    /// What to do where it is not found.
    let remedy: String

    public init(
        _ path: String, _ arguments: [String], variables: [(name: String, value: String)] = [],
        byteLimit: Int = 1 << 20, remedy: String = "Is it installed, and executable?"
    ) {
        self.remedy = remedy
        self.path = path
        self.arguments = arguments
        self.variables = variables
        self.byteLimit = byteLimit
    }

    public var name: String { path.split(separator: "/").last.map(String.init) ?? path }

    /// Runs to its end; when it is to stop, its end is now.
    public func run(stop: StopSignal) throws(Failure) -> Result {
        var pipes = try ChildPipes()
        defer { pipes.close() }
        let child = try start(&pipes)
        var output = ByteBuffer(capacity: 64 << 10)
        var complaints = ByteBuffer()
        let reading = Swift.Result { () throws(Failure) in
            try read(pipes, into: &output, &complaints, stop: stop)
        }
        // Its own group: whatever it started ends with it.
        if case .failure = reading { kill(-child, SIGKILL) }
        var status: Int32 = 0
        _ = uninterrupted { Int(waitpid(child, &status, 0)) }
        try reading.get()
        return Result(status: status, output: output.array(), complaints: complaints.array())
    }

    private func start(_ pipes: inout ChildPipes) throws(Failure) -> pid_t {
        // Until the last writer closes them, the pipes have no end.
        defer { pipes.closeWriters() }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, pipes.output[1], 1)
        posix_spawn_file_actions_adddup2(&actions, pipes.complaints[1], 2)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        var pipe = sigset_t()
        sigemptyset(&pipe)
        sigaddset(&pipe, SIGPIPE)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &pipe)
        posix_spawnattr_setpgroup(&attributes, 0)
        let flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
        posix_spawnattr_setflags(&attributes, Int16(flags))
        var words = ChildWords([path] + arguments)
        var surroundings = ChildWords(environment())
        defer {
            words.free()
            surroundings.free()
        }
        var child = pid_t()
        let code = posix_spawn(
            &child, path, &actions, &attributes, &words.pointers, &surroundings.pointers)
        guard code == 0 else {
            throw Failure(
                .usage, "cannot start \(path)", code: "errno \(code)",
                hint: remedy)
        }
        return child
    }

    /// Messages are wanted in one language, and nothing that this process was started with changes
    /// what the program connects to.
    private func environment() -> [String] {
        let replaced = Set(variables.map(\.name) + ["LC_ALL", "LC_MESSAGES", "LANGUAGE"])
        var result = ["LC_ALL=C.UTF-8"]
        var entry = environ
        while let text = entry.pointee {
            let line = String(cString: text)
            let name = line.split(separator: "=", maxSplits: 1).first.map(String.init) ?? ""
            if !replaced.contains(name) { result.append(line) }
            entry += 1
        }
        return result + variables.map { "\($0.name)=\($0.value)" }
    }

    private func read(
        _ pipes: borrowing ChildPipes, into output: inout ByteBuffer,
        _ complaints: inout ByteBuffer, stop: StopSignal
    ) throws(Failure) {
        var open = [
            pollfd(fd: pipes.output[0], events: Int16(POLLIN), revents: 0),
            pollfd(fd: pipes.complaints[0], events: Int16(POLLIN), revents: 0),
        ]
        while open.contains(where: { $0.fd >= 0 }) {
            try stop.check()
            let ready = uninterrupted { Int(poll(&open, 2, 200)) }
            guard ready >= 0 else { throw unreadable }
            for index in open.indices where open[index].fd >= 0 && open[index].revents != 0 {
                let number = open[index].fd
                let count =
                    index == 0
                    ? try take(number, into: &output) : try take(number, into: &complaints)
                // A negative descriptor is passed over by poll.
                if count == 0 { open[index].fd = -1 }
            }
            if output.count > byteLimit {
                throw Failure(
                    .failed, "\(name) prints more than \(byteLimit >> 20) MiB",
                    hint: "Leave tables out with --exclude.")
            }
            if complaints.count > ChildProgram.complaintLimit {
                complaints.truncate(to: ChildProgram.complaintLimit)
            }
        }
    }

    private func take(_ number: Int32, into buffer: inout ByteBuffer) throws(Failure) -> Int {
        var taken = 0
        try buffer.append(upTo: 64 << 10) { room throws(Failure) in
            let count = uninterrupted { Glibc.read(number, room.baseAddress, room.count) }
            guard count >= 0 else { throw unreadable }
            taken = count
            return count
        }
        return taken
    }

    private var unreadable: Failure {
        Failure(.failed, "cannot read what \(name) prints", code: "errno \(errno)")
    }
}

/// Words as C wants them: pointers with nothing behind the last.
private struct ChildWords {
    var pointers: [UnsafeMutablePointer<CChar>?]

    init(_ words: [String]) {
        pointers = words.map { (text: String) in strdup(text) } + [nil]
    }

    func free() {
        for pointer in pointers { Glibc.free(pointer) }
    }
}

/// The two ways out of a child.
private struct ChildPipes: ~Copyable {
    private(set) var output: [Int32] = [-1, -1]
    private(set) var complaints: [Int32] = [-1, -1]

    init() throws(Failure) {
        guard pipe(&output) == 0 else { throw ChildPipes.failure }
        guard pipe(&complaints) == 0 else {
            let failure = ChildPipes.failure
            close()
            throw failure
        }
        for number in output + complaints { _ = fcntl(number, F_SETFD, FD_CLOEXEC) }
    }

    private static var failure: Failure {
        Failure(.failed, "cannot make a pipe for a child", code: "errno \(errno)")
    }

    mutating func closeWriters() {
        for number in [output[1], complaints[1]] where number >= 0 { _ = Glibc.close(number) }
        output[1] = -1
        complaints[1] = -1
    }

    mutating func close() {
        closeWriters()
        for number in [output[0], complaints[0]] where number >= 0 { _ = Glibc.close(number) }
        output[0] = -1
        complaints[0] = -1
    }
}

/// Calls again what a signal interrupted.
private func uninterrupted(_ call: () -> Int) -> Int {
    while true {
        let result = call()
        if result != -1 || errno != EINTR { return result }
    }
}
