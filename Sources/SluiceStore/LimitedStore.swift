public import SluiceCore
internal import Synchronization

/// A store that sends and receives no more bytes a second than it may, over all lanes together.
///
/// Objects are moved at full speed and followed by a pause, so the limit holds as an average over
/// some objects.
public final class LimitedStore: Store {
    public var place: String { store.place }
    public var facts: StoreFacts { store.facts }
    public var traffic: StoreTraffic { store.traffic }

    private let store: any Store
    private let upload: ByteRate?
    private let download: ByteRate?
    private let stop: StopSignal

    /// - Parameters:
    ///   - uploadLimit: bytes per second; no limit where there is none.
    ///   - downloadLimit: the same for reading.
    public init(_ store: any Store, uploadLimit: Int?, downloadLimit: Int?, stop: StopSignal) {
        self.store = store
        self.stop = stop
        upload = uploadLimit.map(ByteRate.init)
        download = downloadLimit.map(ByteRate.init)
    }

    public func put(_ bytes: UnsafeRawBufferPointer, at key: String) throws(Failure) {
        try upload?.book(bytes.count, stop)
        try store.put(bytes, at: key)
    }

    public func create(_ bytes: UnsafeRawBufferPointer, at key: String) throws(Failure) -> Bool {
        try upload?.book(bytes.count, stop)
        return try store.create(bytes, at: key)
    }

    public func get(
        _ key: String, into buffer: inout ByteBuffer, byteLimit: Int
    ) throws(Failure) -> Bool {
        try paid(&buffer) { (buffer) throws(Failure) in
            try store.get(key, into: &buffer, byteLimit: byteLimit)
        }
    }

    public func get(
        _ range: Range<Int>, of key: String, into buffer: inout ByteBuffer
    ) throws(Failure) -> Bool {
        try paid(&buffer) { (buffer) throws(Failure) in
            try store.get(range, of: key, into: &buffer)
        }
    }

    private func paid(
        _ buffer: inout ByteBuffer, _ get: (inout ByteBuffer) throws(Failure) -> Bool
    ) throws(Failure) -> Bool {
        guard let download else { return try get(&buffer) }
        let begin = try download.waitUntilPaid(stop)
        let isThere = try get(&buffer)
        // Only now is it known how much it was; whoever comes next waits for it.
        download.pay(buffer.count, from: begin)
        return isThere
    }

    public func list(
        _ prefix: String, _ visit: (StoredObject) throws(Failure) -> Bool
    ) throws(Failure) {
        try store.list(prefix, visit)
    }

    public func delete(_ key: String) throws(Failure) { try store.delete(key) }
}

/// When the next byte may be moved.
private final class ByteRate: Sendable {
    private let bytesPerSecond: Int
    private let paid: Mutex<ContinuousClock.Instant>

    init(bytesPerSecond: Int) {
        precondition(bytesPerSecond > 0, "a limit of no bytes would never end")
        self.bytesPerSecond = bytesPerSecond
        paid = Mutex(Clock.now)
    }

    /// Waits for its turn behind all that was booked before.
    func book(_ byteCount: Int, _ stop: StopSignal) throws(Failure) {
        try wait(until: pay(byteCount, from: Clock.now), stop)
    }

    /// Waits until what has been moved is paid for; when that was.
    func waitUntilPaid(_ stop: StopSignal) throws(Failure) -> ContinuousClock.Instant {
        while true {
            let now = Clock.now
            let moment = paid.withLock { $0 }
            if moment <= now { return now }
            try wait(until: moment, stop)
        }
    }

    /// The moment at which the first of these bytes may be moved.
    @discardableResult
    func pay(_ byteCount: Int, from begin: ContinuousClock.Instant) -> ContinuousClock.Instant {
        let time = Duration.seconds(Double(byteCount) / Double(bytesPerSecond))
        return paid.withLock { paid in
            let start = max(paid, begin)
            paid = start + time
            return start
        }
    }

    private func wait(until moment: ContinuousClock.Instant, _ stop: StopSignal) throws(Failure) {
        while true {
            try stop.check()
            let left = moment - Clock.now
            if left <= .zero { return }
            Clock.sleep(min(left, .milliseconds(100)))
        }
    }
}
