internal import SluiceCore

/// Something with an end that is fetched again shortly before it: by one lane, while the others go
/// on with what there is.
final class RefreshedValue<Value: Sendable>: Sendable {
    struct Fetched: Sendable {
        let value: Value
        /// Seconds since 1970; nothing for what does not end.
        let expiry: Int?
    }

    private struct State {
        var fetched: Fetched?
        /// Somebody was refused with it.
        var isRejected = false
        /// No fetching before this moment while the value is still good.
        var pausedUntil = 0
        var isFetching = false
        /// Counts fetches that have ended, and how the last one did.
        var round = 0
        var failure: Failure?

        func isGood(_ now: Int) -> Bool {
            guard let fetched, !isRejected else { return false }
            return fetched.expiry.map { now < $0 } ?? true
        }

        func isFresh(_ now: Int, margin: Int) -> Bool {
            guard isGood(now), let expiry = fetched?.expiry else { return isGood(now) }
            return now < expiry - margin || now < pausedUntil
        }
    }

    private enum Turn {
        case use(Value)
        case fail(Failure)
        case fetch(Value?)
    }

    /// After a failed refresh the old value serves for this long before the next one.
    private static var failurePauseSeconds: Int { 60 }
    /// A value that is given out with less than the margin left is not asked for all the time.
    private static var successPauseSeconds: Int { 10 }

    private let margin: Int
    private let now: @Sendable () -> Int
    private let fetch: @Sendable (Value?) throws(Failure) -> Fetched
    private let state = Monitor(State())

    /// - Parameters:
    ///   - margin: seconds before its end at which a value is replaced.
    ///   - fetch: is given the value before, if any.
    init(
        margin: Int, now: @escaping @Sendable () -> Int,
        fetch: @escaping @Sendable (Value?) throws(Failure) -> Fetched
    ) {
        self.margin = margin
        self.now = now
        self.fetch = fetch
    }

    /// A value that has not ended; waits for a fetch where there is none.
    func current() throws(Failure) -> Value {
        switch turn() {
        case .use(let value): return value
        case .fail(let failure): throw failure
        case .fetch(let previous): return try refresh(previous)
        }
    }

    /// The next caller fetches, unless the value has been replaced meanwhile.
    func reject(_ isRefused: (Value) -> Bool) {
        state.change { state in
            if let value = state.fetched?.value, isRefused(value) { state.isRejected = true }
        }
    }

    private func turn() -> Turn {
        var awaited: Int?
        return state.wait { state -> Turn? in
            let now = now()
            if let value = state.fetched?.value,
                state.isFresh(now, margin: margin) || state.isFetching && state.isGood(now)
            {
                return .use(value)
            }
            if state.isFetching {
                awaited = state.round
                return nil
            }
            if let awaited, awaited != state.round, let failure = state.failure {
                return .fail(failure)
            }
            state.isFetching = true
            return .fetch(state.fetched?.value)
        }
    }

    private func refresh(_ previous: Value?) throws(Failure) -> Value {
        do throws(Failure) {
            let fetched = try fetch(previous)
            state.change { state in
                state = State(
                    fetched: fetched, pausedUntil: now() + Self.successPauseSeconds,
                    round: state.round + 1)
            }
            return fetched.value
        } catch {
            let kept = state.change { state -> Value? in
                state.isFetching = false
                state.round += 1
                state.failure = error
                guard state.isGood(now()) else { return nil }
                state.pausedUntil = now() + Self.failurePauseSeconds
                return state.fetched?.value
            }
            guard let kept else { throw error }
            return kept
        }
    }
}
