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

    /// Stores the bytes at the key, whatever was there.
    func put(_ bytes: UnsafeRawBufferPointer, at key: String) throws(Failure)
    /// Stores the bytes only where the key is free; false when it was taken. Of several callers one
    /// wins.
    func create(_ bytes: UnsafeRawBufferPointer, at key: String) throws(Failure) -> Bool
    /// Replaces the buffer's content with the object's; false when there is none.
    ///
    /// - Parameter byteLimit: a longer object is a failure, found without reading it.
    func get(_ key: String, into buffer: inout ByteBuffer, byteLimit: Int) throws(Failure) -> Bool
    /// Calls `visit` for each key below the prefix, in byte order of keys, without holding them
    /// all; it returns false to end early.
    func list(
        _ prefix: String, _ visit: (StoredObject) throws(Failure) -> Bool
    ) throws(Failure)
    /// Removes the object; nothing happens where there is none.
    func delete(_ key: String) throws(Failure)
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
