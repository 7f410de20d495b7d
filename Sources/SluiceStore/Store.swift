public import SluiceCore

/// Keys and bytes, nothing else (design §4). Safe to use from several lanes.
///
/// Keys are `/`-separated ASCII segments that the dataset's grammar makes; no store escapes or
/// changes them. A put is atomic and durable: after a crash the object is there whole or not at
/// all.
public protocol Store: AnyObject, Sendable {
    /// How messages name it; never with a secret.
    var place: String { get }
    var facts: StoreFacts { get }
    /// What it has cost so far.
    var traffic: StoreTraffic { get }

    /// Stores the bytes at the key, whatever was there.
    func put(_ bytes: UnsafeRawBufferPointer, at key: String) throws(Failure)
    /// Stores the bytes only where the key is free; false when it was taken. Of several callers one
    /// wins.
    func create(_ bytes: UnsafeRawBufferPointer, at key: String) throws(Failure) -> Bool
    /// Replaces the buffer's content with the object's; false when there is none.
    ///
    /// - Parameter byteLimit: a longer object is a failure, found without reading it.
    func get(_ key: String, into buffer: inout ByteBuffer, byteLimit: Int) throws(Failure) -> Bool
    /// Replaces the buffer's content with a part of the object; false when there is none.
    ///
    /// - Parameter range: of bytes, within the object and not empty.
    func get(
        _ range: Range<Int>, of key: String, into buffer: inout ByteBuffer
    ) throws(Failure) -> Bool
    /// Calls `visit` for each key below the prefix, in byte order of keys, without holding them
    /// all; it returns false to end early.
    func list(
        _ prefix: String, _ visit: (StoredObject) throws(Failure) -> Bool
    ) throws(Failure)
    /// Removes the object; nothing happens where there is none.
    func delete(_ key: String) throws(Failure)
}

extension Store {
    /// Nothing where nothing is sent anywhere.
    public var traffic: StoreTraffic { StoreTraffic() }
}

/// What a store has cost since it was opened.
public struct StoreTraffic: Hashable, Sendable {
    /// Requests sent over the network, repeated ones among them.
    public var requests: Int
    /// What was tried again after a failure.
    public var retries: Int
    /// Seconds by which the clock here was ahead of the store's when it last answered; nothing
    /// where it does not say.
    public var clockLead: Int?

    public init(requests: Int = 0, retries: Int = 0, clockLead: Int? = nil) {
        self.requests = requests
        self.retries = retries
        self.clockLead = clockLead
    }
}

/// One entry of a listing.
public struct StoredObject: Hashable, Sendable {
    public var key: String
    public var byteCount: Int

    public init(key: String, byteCount: Int) {
        self.key = key
        self.byteCount = byteCount
    }
}

/// What a store can do, asked once.
public struct StoreFacts: Hashable, Sendable {
    /// `create` is decided by the store itself; otherwise there may be one writer only.
    public var hasConditionalPut: Bool
    public var canList: Bool

    public init(hasConditionalPut: Bool, canList: Bool) {
        self.hasConditionalPut = hasConditionalPut
        self.canList = canList
    }
}
