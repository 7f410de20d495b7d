internal import Glibc
internal import Synchronization

/// Whether somebody wants the work to end: asked between records' batches, never waited for.
///
/// The first SIGINT or SIGTERM raises it; a time limit or an abort condition may too. A second
/// signal ends the process at once, where it is another one: who stops a process and then its
/// group, as `timeout` does, means it once.
public final class StopSignal: Sendable {
    /// Why the work should end.
    public enum Reason: Int, Sendable {
        case signal = 1
        case timeLimit = 2
        case abortCondition = 3
    }

    private let raised = Atomic<Int>(0)
    /// Signals this close to the first are the same one.
    private static let repetitionMilliseconds = 500

    public init() {}

    /// The first reason that was given, if any.
    public var reason: Reason? {
        Reason(
            rawValue: max(raised.load(ordering: .relaxed), signalWasSeen.load(ordering: .relaxed)))
    }

    public func raise(_ reason: Reason) {
        _ = raised.compareExchange(
            expected: 0, desired: reason.rawValue, ordering: .relaxed)
    }

    /// Throws when the work should end.
    public func check() throws(Failure) {
        if let reason { throw reason.failure }
    }

    /// From here on SIGINT and SIGTERM raise every stop signal of the process, and a broken pipe is
    /// an error code instead of a signal.
    public static func catchSignals() {
        signal(SIGPIPE, SIG_IGN)
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { _ in
            // Only what is async-signal-safe: atomics, clock_gettime and _exit.
            var time = timespec()
            clock_gettime(CLOCK_MONOTONIC, &time)
            let milliseconds = time.tv_sec &* 1000 &+ time.tv_nsec / 1_000_000
            let (isFirst, first) = firstSignal.compareExchange(
                expected: 0, desired: milliseconds, ordering: .relaxed)
            signalWasSeen.store(StopSignal.Reason.signal.rawValue, ordering: .relaxed)
            if !isFirst, milliseconds &- first > StopSignal.repetitionMilliseconds {
                _exit(Failure.Kind.interrupted.exitCode)
            }
        }
        sigaction(SIGINT, &action, nil)
        sigaction(SIGTERM, &action, nil)
    }
}

private let signalWasSeen = Atomic<Int>(0)
/// When, by the monotonic clock.
private let firstSignal = Atomic<Int>(0)

extension StopSignal.Reason {
    /// What a command ends with when it stops for this reason.
    public var failure: Failure {
        switch self {
        case .signal:
            Failure(
                .interrupted, "interrupted",
                hint: "Run the same command again to continue.")
        case .timeLimit:
            Failure(
                .unfinished, "the time limit was reached",
                hint: "Run the same command again to continue, or raise --time-limit.")
        case .abortCondition:
            Failure(
                .unfinished, "the --abort-if command succeeded",
                hint: "Run the same command again to continue when its condition is over.")
        }
    }
}
