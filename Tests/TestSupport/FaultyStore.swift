public import SluiceCore
public import SluiceStore
internal import Synchronization

/// A store that fails where a test wants it to.
public final class FaultyStore: Store {
    public enum Operation: Sendable {
        case put
        case create
        case get
        case list
        case delete
    }

    /// One call, as the test sees it when it decides.
    public struct Request: Sendable {
        /// From one, over all calls.
        public let number: Int
        public let operation: Operation
        /// The key, or the prefix of a listing.
        public let key: String
    }

    public enum Fault: Sendable {
        /// Nothing happens but the failure.
        case before(Failure)
        /// The store does it, and the answer is lost. A listing fails behind its first object.
        case after(Failure)
        /// What is read ends early.
        case cut(byteCount: Int)
        /// One bit of what is read is wrong.
        case flip(bit: Int)
    }

    /// What a store says that may answer next time.
    public static let noAnswer = Failure(
        .unavailable, "the store does not answer", isTransient: true)

    public var place: String { store.place }
    public var facts: StoreFacts { store.facts }

    private let store: any Store
    private let fault: @Sendable (Request) -> Fault?
    private let number = Atomic<Int>(0)

    public init(_ store: any Store, fault: @escaping @Sendable (Request) -> Fault?) {
        self.store = store
        self.fault = fault
    }

    /// How many calls there were.
    public var requestCount: Int { number.load(ordering: .relaxed) }

    public func put(_ bytes: UnsafeRawBufferPointer, at key: String) throws(Failure) {
        let fault = try begin(.put, key)
        try store.put(bytes, at: key)
        try end(fault)
    }

    public func create(_ bytes: UnsafeRawBufferPointer, at key: String) throws(Failure) -> Bool {
        let fault = try begin(.create, key)
        let isCreated = try store.create(bytes, at: key)
        try end(fault)
        return isCreated
    }

    public func get(
        _ key: String, into buffer: inout ByteBuffer, byteLimit: Int
    ) throws(Failure) -> Bool {
        let fault = try begin(.get, key)
        let isThere = try store.get(key, into: &buffer, byteLimit: byteLimit)
        try end(fault)
        switch fault {
        case .cut(let byteCount): buffer.truncate(to: min(byteCount, buffer.count))
        case .flip(let bit) where !buffer.isEmpty:
            let index = (bit / 8) % buffer.count
            buffer.mutableBytes[index] ^= 1 << UInt8(bit % 8)
        default: break
        }
        return isThere
    }

    public func get(
        _ range: Range<Int>, of key: String, into buffer: inout ByteBuffer
    ) throws(Failure) -> Bool {
        let fault = try begin(.get, key)
        let isThere = try store.get(range, of: key, into: &buffer)
        try end(fault)
        return isThere
    }

    public func list(
        _ prefix: String, _ visit: (StoredObject) throws(Failure) -> Bool
    ) throws(Failure) {
        let fault = try begin(.list, prefix)
        try store.list(prefix) { object throws(Failure) in
            let goesOn = try visit(object)
            if goesOn { try end(fault) }
            return goesOn
        }
        try end(fault)
    }

    public func delete(_ key: String) throws(Failure) {
        let fault = try begin(.delete, key)
        try store.delete(key)
        try end(fault)
    }

    private func begin(_ operation: Operation, _ key: String) throws(Failure) -> Fault? {
        let number = number.add(1, ordering: .relaxed).newValue
        let fault = fault(Request(number: number, operation: operation, key: key))
        if case .before(let failure) = fault { throw failure }
        return fault
    }

    private func end(_ fault: Fault?) throws(Failure) {
        if case .after(let failure) = fault { throw failure }
    }
}
