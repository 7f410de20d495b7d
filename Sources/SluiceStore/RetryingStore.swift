public import SluiceCore
internal import Synchronization

/// A store whose requests are tried again after transient failures, each from its start.
public final class RetryingStore: Store {
    public var place: String { store.place }
    public var facts: StoreFacts { store.facts }

    private let store: any Store
    private let retry: Retry
    private let stop: StopSignal
    private let onRetry: @Sendable (Failure, Int) -> Void
    private let retries = Atomic<Int>(0)

    /// - Parameter onRetry: told about each failure that is tried again, with its number; for the
    ///   log.
    public init(
        _ store: any Store, retry: Retry, stop: StopSignal,
        onRetry: @escaping @Sendable (Failure, Int) -> Void = { _, _ in }
    ) {
        self.store = store
        self.retry = retry
        self.stop = stop
        self.onRetry = onRetry
    }

    public var traffic: StoreTraffic {
        var traffic = store.traffic
        traffic.retries += retries.load(ordering: .relaxed)
        return traffic
    }

    public func put(_ bytes: UnsafeRawBufferPointer, at key: String) throws(Failure) {
        try run { () throws(Failure) in try store.put(bytes, at: key) }
    }

    public func create(_ bytes: UnsafeRawBufferPointer, at key: String) throws(Failure) -> Bool {
        var isRepeated = false
        let isCreated = try run { () throws(Failure) in
            defer { isRepeated = true }
            let wasRepeated = isRepeated
            let isCreated = try store.create(bytes, at: key)
            return (isCreated, wasRepeated)
        }
        // An attempt that failed may have stored the object all the same. Then it is ours.
        if !isCreated.0, isCreated.1 { return try holds(bytes, at: key) }
        return isCreated.0
    }

    /// Whether it is what the object has.
    private func holds(_ bytes: UnsafeRawBufferPointer, at key: String) throws(Failure) -> Bool {
        var buffer = ByteBuffer(capacity: bytes.count)
        do throws(Failure) {
            let isThere = try get(key, into: &buffer, byteLimit: bytes.count)
            return isThere && buffer.bytes.elementsEqual(bytes)
        } catch {
            // A longer one is somebody else's. Whoever is told so reads it, and meets whatever else
            // is wrong.
            guard !error.isTransient, error.kind == .failed else { throw error }
            return false
        }
    }

    public func get(
        _ key: String, into buffer: inout ByteBuffer, byteLimit: Int
    ) throws(Failure) -> Bool {
        try run { () throws(Failure) in
            try store.get(key, into: &buffer, byteLimit: byteLimit)
        }
    }

    public func get(
        _ range: Range<Int>, of key: String, into buffer: inout ByteBuffer
    ) throws(Failure) -> Bool {
        try run { () throws(Failure) in try store.get(range, of: key, into: &buffer) }
    }

    public func list(
        _ prefix: String, _ visit: (StoredObject) throws(Failure) -> Bool
    ) throws(Failure) {
        var last: String?
        var visitFailure: Failure?
        try run { () throws(Failure) in
            do throws(Failure) {
                try store.list(prefix) { object throws(Failure) in
                    // An earlier attempt came as far as `last`.
                    if let last, !last.utf8.lexicographicallyPrecedes(object.key.utf8) {
                        return true
                    }
                    last = object.key
                    do throws(Failure) {
                        return try visit(object)
                    } catch {
                        visitFailure = error
                        throw error
                    }
                }
            } catch {
                guard visitFailure != nil else { throw error }
            }
        }
        if let visitFailure { throw visitFailure }
    }

    public func delete(_ key: String) throws(Failure) {
        try run { () throws(Failure) in try store.delete(key) }
    }

    private func run<Result>(_ attempt: () throws(Failure) -> Result) throws(Failure) -> Result {
        do throws(Failure) {
            return try retry.run(
                stop: stop,
                onRetry: { failure, number in
                    retries.add(1, ordering: .relaxed)
                    onRetry(failure, number)
                }, attempt)
        } catch {
            // Whoever loads a whole shard is not to try as often again what failed so often.
            throw error.asLasting
        }
    }
}
