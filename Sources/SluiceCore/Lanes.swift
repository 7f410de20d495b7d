internal import Glibc

/// Threads with a scope: `Lanes.run` returns when every lane it started has ended, and throws the first failure.
///
/// Moving bytes blocks (SQLite, libpq, libcurl all do), so it happens on threads of our own and never on a
/// cooperative pool (docs/decisions/0002-lanes-are-scoped-threads.md).
public enum Lanes {
    /// One lane's work. It ends by returning; when one throws, `onFailure` runs once so that the others stop waiting.
    public typealias Lane = @Sendable () throws(Failure) -> Void

    /// Starts all lanes, waits for all of them, throws the failure that came first.
    ///
    /// - Parameter onFailure: called with the first failure, on the lane it came from, while the others still
    ///   run; closes what they wait for.
    public static func run(
        _ lanes: [Lane], onFailure: @escaping @Sendable (Failure) -> Void = { _ in }
    ) throws(Failure) {
        let first = Monitor<Failure?>(nil)
        var threads: [Thread] = []
        for lane in lanes {
            threads.append(
                Thread {
                    do throws(Failure) {
                        try lane()
                    } catch {
                        let isFirst = first.change { failure in
                            guard failure == nil else { return false }
                            failure = error
                            return true
                        }
                        if isFirst { onFailure(error) }
                    }
                })
        }
        for thread in threads { thread.join() }
        if let failure = first.read({ $0 }) { throw failure }
    }
}

/// An operating-system thread that must be joined.
public final class Thread: Sendable {
    private final class Start {
        let body: @Sendable () -> Void

        init(_ body: @escaping @Sendable () -> Void) {
            self.body = body
        }
    }

    private let handle: pthread_t

    public init(_ body: @escaping @Sendable () -> Void) {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        // Drivers and libraries keep rows on the heap; recursion is bounded everywhere.
        pthread_attr_setstacksize(&attributes, 1 << 20)
        let start = Unmanaged.passRetained(Start(body))
        var handle = pthread_t()
        let code = pthread_create(
            &handle, &attributes,
            { argument in
                guard let argument else { return nil }
                Unmanaged<Start>.fromOpaque(argument).takeRetainedValue().body()
                return nil
            }, start.toOpaque())
        pthread_attr_destroy(&attributes)
        precondition(code == 0, "the system refuses a thread")
        self.handle = handle
    }

    /// Waits until the thread has ended. Call exactly once.
    public func join() {
        pthread_join(handle, nil)
    }
}
