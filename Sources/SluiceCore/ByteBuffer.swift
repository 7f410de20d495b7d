/// A growable run of bytes with one owner: the only container in the record path.
///
/// Growing doubles the memory and keeps the bytes; `removeAll` keeps the memory. Whoever fills it
/// from foreign input bounds it.
public struct ByteBuffer: ~Copyable {
    @usableFromInline var base: UnsafeMutableRawPointer
    @usableFromInline var length: Int
    @usableFromInline var room: Int

    public init(capacity: Int = 64) {
        room = max(capacity, 16)
        base = UnsafeMutableRawPointer.allocate(byteCount: room, alignment: 16)
        length = 0
    }

    deinit {
        base.deallocate()
    }

    @inlinable public var count: Int { length }
    @inlinable public var capacity: Int { room }
    @inlinable public var isEmpty: Bool { length == 0 }

    /// The bytes, valid until the next mutation.
    @inlinable public var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: base, count: length)
    }

    /// The bytes for changes in place, valid until the next other mutation.
    @inlinable public var mutableBytes: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(start: base, count: length)
    }

    /// Makes room for `additional` more bytes.
    @inlinable
    public mutating func reserve(_ additional: Int) {
        if room - length < additional { grow(by: additional) }
    }

    @usableFromInline
    @inline(never)
    mutating func grow(by additional: Int) {
        room = max(room &* 2, length + additional)
        let larger = UnsafeMutableRawPointer.allocate(byteCount: room, alignment: 16)
        larger.copyMemory(from: base, byteCount: length)
        base.deallocate()
        base = larger
    }

    @inlinable
    public mutating func append(_ byte: UInt8) {
        if length == room { grow(by: 1) }
        base.storeBytes(of: byte, toByteOffset: length, as: UInt8.self)
        length &+= 1
    }

    @inlinable
    public mutating func append(_ source: UnsafeRawBufferPointer) {
        guard let start = source.baseAddress, source.count > 0 else { return }
        reserve(source.count)
        (base + length).copyMemory(from: start, byteCount: source.count)
        length &+= source.count
    }

    /// Appends up to `limit` bytes that `fill` writes; it returns how many it wrote.
    @inlinable
    public mutating func append<Problem: Error>(
        upTo limit: Int, _ fill: (UnsafeMutableRawBufferPointer) throws(Problem) -> Int
    ) throws(Problem) {
        reserve(limit)
        let written = try fill(UnsafeMutableRawBufferPointer(start: base + length, count: limit))
        precondition(written >= 0 && written <= limit, "more bytes written than there was room")
        length &+= written
    }

    /// Appends the UTF-8 of `text`. For messages and schemas, not for the record path.
    public mutating func append(_ text: String) {
        var text = text
        text.withUTF8 { append(UnsafeRawBufferPointer($0)) }
    }

    public mutating func append(_ source: [UInt8]) {
        source.withUnsafeBytes { append($0) }
    }

    /// Drops the bytes behind `count`.
    @inlinable
    public mutating func truncate(to count: Int) {
        precondition(count >= 0 && count <= length, "a buffer is only cut shorter")
        length = count
    }

    /// Drops the first `count` bytes and moves the rest to the front.
    public mutating func removeFirst(_ count: Int) {
        precondition(count >= 0 && count <= length, "more bytes removed than there are")
        base.copyMemory(from: base + count, byteCount: length - count)
        length -= count
    }

    /// Forgets the bytes, keeps the memory.
    @inlinable public mutating func removeAll() { length = 0 }

    /// Forgets the bytes and gives memory above `limit` back.
    public mutating func removeAll(keepingAtMost limit: Int) {
        length = 0
        guard room > limit else { return }
        base.deallocate()
        room = max(limit, 16)
        base = UnsafeMutableRawPointer.allocate(byteCount: room, alignment: 16)
    }

    /// A copy as an array; for small things.
    public func array() -> [UInt8] { [UInt8](bytes) }
}
