internal import Glibc
internal import SluiceCore

/// Runs a command that prints credentials.
///
/// Its standard error is not shown: what it says there may hold a secret.
struct CredentialCommand {
    static let byteLimit = 64 << 10

    let command: String
    /// How messages name it; they never show the command itself, which may hold a secret.
    let origin: String
    let timeLimit: Duration

    /// What it printed.
    func run() throws(Failure) -> [UInt8] {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else {
            throw Failure(.failed, "cannot make a pipe for \(origin)", code: "errno \(errno)")
        }
        defer { close(ends[0]) }
        for number in ends { _ = fcntl(number, F_SETFD, FD_CLOEXEC) }
        let child = try startAndClose(output: ends[1])
        var output = ByteBuffer()
        let end = Clock.now + timeLimit
        let failure = read(ends[0], until: end, into: &output)
        // Its own group: whatever it started ends with it.
        if failure != nil { kill(-child, SIGKILL) }
        let status = try wait(for: child, until: end, hasFailed: failure != nil)
        if let failure { throw failure }
        guard status == 0 else {
            throw Failure(
                .failed, "\(origin) ended with \(CredentialCommand.words(status))",
                hint: "Run the command by itself to see why.")
        }
        return output.array()
    }

    private func startAndClose(output: Int32) throws(Failure) -> pid_t {
        // Until the last writer closes it, the pipe has no end.
        defer { close(output) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
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
        var arguments: [UnsafeMutablePointer<CChar>?] =
            ["sh", "-c", command].map { (text: String) in strdup(text) } + [nil]
        defer { for argument in arguments { free(argument) } }
        var child = pid_t()
        let code = posix_spawn(&child, "/bin/sh", &actions, &attributes, &arguments, environ)
        guard code == 0 else {
            throw Failure(.failed, "cannot start \(origin)", code: "errno \(code)")
        }
        return child
    }

    private func read(
        _ number: Int32, until end: ContinuousClock.Instant, into output: inout ByteBuffer
    ) -> Failure? {
        while true {
            let left = max(.zero, end - Clock.now).components
            let milliseconds = left.seconds * 1000 + left.attoseconds / 1_000_000_000_000_000
            var wanted = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
            let ready = uninterrupted { Int(poll(&wanted, 1, Int32(milliseconds))) }
            if ready == 0 { return late }
            guard ready > 0 else { return unreadable }
            let before = output.count
            var code: Int32 = 0
            output.append(upTo: 4096) { room in
                let count = uninterrupted { Glibc.read(number, room.baseAddress, room.count) }
                if count < 0 { code = errno }
                return max(0, count)
            }
            if code != 0 { return unreadable }
            if output.count == before { return nil }
            if output.count > CredentialCommand.byteLimit {
                return Failure(
                    .failed,
                    "\(origin) prints more than \(CredentialCommand.byteLimit) bytes",
                    hint: "It should print one JSON object with credentials.")
            }
        }
    }

    /// The status as `wait` has it.
    private func wait(
        for child: pid_t, until end: ContinuousClock.Instant, hasFailed: Bool
    ) throws(Failure) -> Int32 {
        var status: Int32 = 0
        while true {
            let found = uninterrupted { Int(waitpid(child, &status, hasFailed ? 0 : WNOHANG)) }
            if found == Int(child) { return status }
            guard found == 0 else { throw unreadable }
            if Clock.now >= end {
                kill(-child, SIGKILL)
                _ = uninterrupted { Int(waitpid(child, &status, 0)) }
                throw late
            }
            Clock.sleep(.milliseconds(5))
        }
    }

    private var late: Failure {
        let seconds = timeLimit.components.seconds
        return Failure(
            .failed, "\(origin) gave nothing for \(seconds) s",
            hint: "It must not wait for input; run it by itself to see what it waits for.")
    }

    private var unreadable: Failure {
        Failure(.failed, "cannot read what \(origin) prints", code: "errno \(errno)")
    }

    private static func words(_ status: Int32) -> String {
        let signal = status & 0x7F
        return signal == 0 ? "status \(status >> 8 & 0xFF)" : "signal \(signal)"
    }
}
