internal import Glibc

/// Threads with a scope: `Lanes.run` returns when every lane it started has ended, and throws the
/// first failure.
///
/// Moving bytes blocks (SQLite, libpq, libcurl all do), so it happens on threads of our own and
/// never on a cooperative pool (docs/decisions/0002-lanes-are-scoped-threads.md).
public enum Lanes {
    /// One lane's work. It ends by returning; when one throws, `onFailure` runs once so that the
    /// others stop waiting.
    public typealias Lane = @Sendable () throws(Failure) -> Void

    /// Starts all lanes, waits for all of them, throws the failure that came first.
    ///
    /// - Parameter onFailure: called with the first failure, on the lane it came from, while the
    ///   others still run; closes what they wait for.
    public static func run(
        _ lanes: [Lane], onFailure: @escaping @Sendable (Failure) -> Void = { _ in }
    ) throws(Failure) {
        let first = Monitor<Failure?>(nil)
        let fail: @Sendable (Failure) -> Void = { error in
            let isFirst = first.change { failure in
                guard failure == nil else { return false }
                failure = error
                return true
            }
            if isFirst { onFailure(error) }
        }
        var threads: [Thread] = []
        for lane in lanes {
            let thread = Thread(ifPossible: {
                do throws(Failure) {
                    try lane()
                } catch {
                    fail(error)
                }
            })
            guard let thread else {
                fail(Thread.refused)
                break
            }
            threads.append(thread)
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

    /// What is said when the process may have no more threads.
    static let refused = Failure(
        .failed, "the system refuses a thread",
        hint: "Use fewer --lanes, or raise the limit with ulimit -u.")

    public convenience init(_ body: @escaping @Sendable () -> Void) {
        guard let thread = Thread.start(body) else {
            preconditionFailure("the system refuses a thread")
        }
        self.init(handle: thread)
    }

    /// Nothing when the system refuses one.
    convenience init?(ifPossible body: @escaping @Sendable () -> Void) {
        guard let thread = Thread.start(body) else { return nil }
        self.init(handle: thread)
    }

    private init(handle: pthread_t) {
        self.handle = handle
    }

    private static func start(_ body: @escaping @Sendable () -> Void) -> pthread_t? {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
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
        guard code == 0 else {
            start.release()
            return nil
        }
        return handle
    }

    /// Waits until the thread has ended. Call exactly once.
    public func join() {
        pthread_join(handle, nil)
    }
}
