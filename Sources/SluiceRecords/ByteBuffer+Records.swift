public import SluiceCore

/// The Avro binary encoding, as the drivers write it (docs/format.md).
extension ByteBuffer {
    /// A zigzag varint in its shortest form: Avro's int and long.
    @inlinable
    public mutating func appendLong(_ value: Int64) {
        var rest = UInt64(bitPattern: (value &<< 1) ^ (value >> 63))
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(truncatingIfNeeded: rest))
    }

    @inlinable
    public mutating func appendBoolean(_ value: Bool) {
        append(value ? 1 : 0)
    }

    /// Every NaN becomes the one NaN; everything else is bit-exact.
    @inlinable
    public mutating func appendDouble(_ value: Double) {
        let bits = value.isNaN ? 0x7FF8_0000_0000_0000 : value.bitPattern
        withUnsafeBytes(of: bits.littleEndian) { append($0) }
    }

    /// Every NaN becomes the one NaN; everything else is bit-exact.
    @inlinable
    public mutating func appendFloat(_ value: Float) {
        let bits = value.isNaN ? 0x7FC0_0000 : value.bitPattern
        withUnsafeBytes(of: bits.littleEndian) { append($0) }
    }

    /// Avro's string and bytes: a length and the bytes.
    @inlinable
    public mutating func appendBytes(_ value: UnsafeRawBufferPointer) {
        appendLong(Int64(value.count))
        append(value)
    }

    /// A field that may be NULL: the union's branch before its value.
    @inlinable public mutating func appendNull() { append(0) }
    @inlinable public mutating func appendNotNull() { append(2) }

    /// A decimal's unscaled value: a length and the shortest big-endian two's complement (at least
    /// one byte).
    @inlinable
    public mutating func appendUnscaled(_ value: Int128) {
        if let short = Int64(exactly: value) { return appendShortUnscaled(short) }
        let big = value.bigEndian
        withUnsafeBytes(of: big) { bytes in
            var first = 0
            let fill: UInt8 = value < 0 ? 0xFF : 0
            while first < 15, bytes[first] == fill, (bytes[first + 1] ^ fill) < 0x80 { first += 1 }
            appendBytes(UnsafeRawBufferPointer(rebasing: bytes[first...]))
        }
    }

    /// How many bytes the shortest two's complement has.
    @inlinable
    static func unscaledByteCount(_ value: Int64) -> Int {
        // A sign bit and all from the first that differs from it.
        (72 &- (value ^ (value >> 63)).leadingZeroBitCount) >> 3
    }

    @inlinable
    mutating func appendShortUnscaled(_ value: Int64) {
        let count = ByteBuffer.unscaledByteCount(value)
        append(upTo: 9) { room in
            // The length as a zigzag varint.
            room[0] = UInt8(truncatingIfNeeded: count &<< 1)
            let digits = (value &<< Int64(64 &- 8 &* count)).bigEndian
            room.storeBytes(of: digits, toByteOffset: 1, as: Int64.self)
            return 1 &+ count
        }
    }
}

/// The branch of an `any` value, as its union index; a record holds it as a zigzag varint.
public enum AnyBranch: Int64, Sendable {
    case null = 0
    case long = 1
    case double = 2
    case string = 3
    case bytes = 4
    case invalidText = 5
}

extension ByteBuffer {
    @inlinable
    public mutating func appendBranch(_ branch: AnyBranch) {
        append(UInt8(truncatingIfNeeded: branch.rawValue &<< 1))
    }
}
