internal import Glibc
internal import SluiceCore

/// Ends a run from outside: at its time limit, or when a shell command succeeds.
struct Watch: Sendable {
    var timeLimit: Duration?
    /// Run at the start and then every `pause`; exit 0 means stop.
    var abortCommand: String?
    var pause = Duration.seconds(10)

    private struct State {
        var isOver = false
    }

    /// Raises `stop` when it is time, while `body` lasts.
    func watch<Result>(
        _ stop: StopSignal, during body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        guard timeLimit != nil || abortCommand != nil else { return try body() }
        let state = Monitor(State())
        let start = Clock.now
        var threads: [Thread] = []
        if let timeLimit {
            threads.append(
                Thread {
                    let end = start + timeLimit
                    while !isOver(state, atMost: max(.zero, end - Clock.now)) {
                        if Clock.now >= end { return stop.raise(.timeLimit) }
                    }
                })
        }
        if let abortCommand {
            threads.append(
                Thread {
                    repeat {
                        let hasSucceeded = ShellCommand.succeeds(
                            abortCommand, isOver: { state.read { $0.isOver } })
                        if hasSucceeded { return stop.raise(.abortCondition) }
                    } while !isOver(state, atMost: pause)
                })
        }
        defer {
            state.change { $0.isOver = true }
            for thread in threads { thread.join() }
        }
        return try body()
    }

    private func isOver(_ state: Monitor<State>, atMost limit: Duration) -> Bool {
        // A day at a time keeps the arithmetic of the wait small.
        state.wait(atMost: min(limit, .seconds(86_400))) { $0.isOver ? true : nil } ?? false
    }
}

/// Commands of the user, run by `/bin/sh`.
enum ShellCommand {
    /// Whether it exits 0. It has no standard input, and what it prints goes nowhere; it is killed
    /// when nobody waits.
    static func succeeds(_ command: String, isOver: () -> Bool) -> Bool {
        guard let process = start(command) else { return false }
        var status: Int32 = 0
        while true {
            let ended = waitpid(process, &status, WNOHANG)
            if ended == process { break }
            if ended < 0, errno != EINTR { return false }
            if isOver() {
                kill(-process, SIGKILL)
                _ = waitpid(process, &status, 0)
                return false
            }
            Clock.sleep(.milliseconds(20))
        }
        // Exited by itself, with 0.
        return status & 0x7F == 0 && (status >> 8) & 0xFF == 0
    }

    private static func start(_ command: String) -> pid_t? {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // A group of its own, so that what it starts ends with it; and the signals as a shell
        // expects them.
        var defaults = sigset_t()
        sigemptyset(&defaults)
        sigaddset(&defaults, SIGPIPE)
        posix_spawnattr_setsigdefault(&attributes, &defaults)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF))
        var process = pid_t()
        let words = ["/bin/sh", "-c", command].map { (word: String) in strdup(word) }
        defer { for word in words { free(word) } }
        let code = posix_spawn(&process, "/bin/sh", &actions, &attributes, words + [nil], environ)
        return code == 0 ? process : nil
    }
}
