/// The one retry policy: attempts, a growing pause with jitter, a limit (design §9).
///
/// Used in three places: opening a connection, one store request, one chunk or shard from its
/// start.
public struct Retry: Sendable {
    public var attemptLimit: Int
    public var firstPause: Duration
    public var pauseLimit: Duration
    /// The longest pause that the other side may ask for.
    public var askedPauseLimit: Duration

    public init(
        attemptLimit: Int = 8, firstPause: Duration = .milliseconds(200),
        pauseLimit: Duration = .seconds(20), askedPauseLimit: Duration = .seconds(120)
    ) {
        self.attemptLimit = attemptLimit
        self.firstPause = firstPause
        self.pauseLimit = pauseLimit
        self.askedPauseLimit = askedPauseLimit
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
                pause(after: error, number, stop: stop)
                try stop.check()
                number += 1
            }
        }
    }

    /// Half of the pause is fixed and half random, so that lanes that failed together do not come
    /// back together. Never shorter than the other side asks for.
    private func pause(after failure: Failure, _ number: Int, stop: StopSignal) {
        let doubled = firstPause * (1 << min(number - 1, 20))
        let full = min(doubled, pauseLimit)
        let asked = min(failure.retryAfter ?? .zero, askedPauseLimit)
        let pause = max(full / 2, asked) + full / 2 * Double.random(in: 0...1)
        let end = Clock.now + pause
        while Clock.now < end, stop.reason == nil {
            Clock.sleep(min(.milliseconds(100), end - Clock.now))
        }
    }
}
