/// Hands elements from some lanes to others; `put` waits while it is full, `take` while it is
/// empty.
public final class BoundedQueue<Element: Sendable>: Sendable {
    private struct State {
        var elements: [Element] = []
        var isClosed = false
        var isAbandoned = false
    }

    private let limit: Int
    private let monitor = Monitor<State>(State())

    /// - Parameter limit: how many elements may wait.
    public init(limit: Int) {
        precondition(limit > 0, "a queue needs room for one element")
        self.limit = limit
    }

    /// False when the queue was abandoned: nobody will take the element, so stop making them.
    public func put(_ element: Element) -> Bool {
        monitor.wait { state in
            if state.isAbandoned { return false }
            precondition(!state.isClosed, "put into a closed queue")
            guard state.elements.count < limit else { return nil }
            state.elements.append(element)
            return true
        }
    }

    /// The next element, or nothing when the queue is closed and empty, or abandoned.
    public func take() -> Element? {
        monitor.wait { state -> Element?? in
            if state.isAbandoned { return .some(nil) }
            if !state.elements.isEmpty { return .some(state.elements.removeFirst()) }
            return state.isClosed ? .some(nil) : nil
        }
    }

    /// No more elements come; what is there is still taken.
    public func close() {
        monitor.change { $0.isClosed = true }
    }

    /// Something failed: everybody stops waiting.
    public func abandon() {
        monitor.change { $0.isAbandoned = true }
    }
}
