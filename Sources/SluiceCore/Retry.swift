/// The one retry policy: attempts, a growing pause with jitter, a limit (design §9).
///
/// Used in three places: opening a connection, one store request, one chunk or shard from its
/// start.
public struct Retry: Sendable {
    public var attemptLimit: Int
    public var firstPause: Duration
    public var pauseLimit: Duration

    public init(
        attemptLimit: Int = 6, firstPause: Duration = .milliseconds(200),
        pauseLimit: Duration = .seconds(20)
    ) {
        self.attemptLimit = attemptLimit
        self.firstPause = firstPause
        self.pauseLimit = pauseLimit
    }

    /// No second attempt.
    public static let never = Retry(attemptLimit: 1)

    /// Runs `attempt` until it succeeds, fails for good, or the attempts are used up; then the
    /// failure is thrown.
    ///
    /// - Parameter onRetry: told about each failure that is tried again, with its number.
    public func run<Result>(
        stop: StopSignal, onRetry: (Failure, Int) -> Void = { _, _ in },
        _ attempt: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        var number = 1
        while true {
            do throws(Failure) {
                return try attempt()
            } catch {
                guard error.isTransient, number < attemptLimit, stop.reason == nil else {
                    throw error
                }
                onRetry(error, number)
                pause(before: number, stop: stop)
                try stop.check()
                number += 1
            }
        }
    }

    /// Half of the pause is fixed and half random, so that lanes that failed together do not come
    /// back together.
    private func pause(before number: Int, stop: StopSignal) {
        let doubled = firstPause * (1 << min(number - 1, 20))
        let full = min(doubled, pauseLimit)
        let pause = full / 2 + full / 2 * Double.random(in: 0...1)
        let end = Clock.now + pause
        while Clock.now < end, stop.reason == nil {
            Clock.sleep(min(.milliseconds(100), end - Clock.now))
        }
    }
}
