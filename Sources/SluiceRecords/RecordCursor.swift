public import SluiceCore

/// Reads record fields from bytes, strictly: every value has one encoding, any other is a failure
/// that names the byte.
///
/// Knows nothing of schemas; whoever reads calls the method of each field's type in turn.
/// Allocates nothing. The bytes must outlive it and what it hands out.
public struct RecordCursor {
    @usableFromInline let content: UnsafeRawBufferPointer
    @usableFromInline var place = 0

    @inlinable
    public init(_ bytes: UnsafeRawBufferPointer) {
        content = bytes
    }

    /// How many bytes have been read.
    @inlinable public var position: Int { place }
    @inlinable public var isAtEnd: Bool { place == content.count }

    /// The bytes read since `start`, a position of before: one record, when called at its end.
    @inlinable
    public func read(since start: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: content[start..<place])
    }

    /// The bytes between two positions of before.
    @inlinable
    public func read(from start: Int, to end: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: content[start..<end])
    }

    /// Avro's int and long: a zigzag varint in its shortest form.
    @inlinable
    @inline(__always)
    public mutating func long() throws(Failure) -> Int64 {
        guard place < content.count else { throw failure(.truncated) }
        let first = content[place]
        guard first >= 0x80 else {
            place &+= 1
            return RecordCursor.fromZigzag(UInt64(first))
        }
        return try longOfSeveralBytes()
    }

    @inlinable
    mutating func longOfSeveralBytes() throws(Failure) -> Int64 {
        guard content.count &- place >= 8 else { return try longAtTheEnd() }
        let bytes = UInt64(
            littleEndian: content.loadUnaligned(fromByteOffset: place, as: UInt64.self))
        // The first byte without its highest bit set is the number's last.
        let ends = ~bytes & 0x8080_8080_8080_8080
        guard ends != 0 else { return try longAtTheEnd() }
        let bitCount = UInt64(ends.trailingZeroBitCount &+ 1)
        let number = bytes & (UInt64.max &>> (64 &- bitCount))
        guard number &>> (bitCount &- 8) != 0 else { throw failure(.longerThanNeeded) }
        // Seven bits of each byte move together: in pairs, in fours, in all.
        var value = number & 0x7F7F_7F7F_7F7F_7F7F
        value = value & 0x007F_007F_007F_007F | (value & 0x7F00_7F00_7F00_7F00) &>> 1
        value = value & 0x0000_3FFF_0000_3FFF | (value & 0x3FFF_0000_3FFF_0000) &>> 2
        value = value & 0x0000_0000_0FFF_FFFF | (value & 0x0FFF_FFFF_0000_0000) &>> 4
        place &+= Int(bitCount &>> 3)
        return RecordCursor.fromZigzag(value)
    }

    /// Byte by byte: one of nine bytes or ten, or near the end.
    @inlinable
    mutating func longAtTheEnd() throws(Failure) -> Int64 {
        var value = UInt64(content[place] & 0x7F)
        var shift: UInt64 = 7
        var index = place &+ 1
        while index < content.count {
            let byte = content[index]
            value |= UInt64(byte & 0x7F) &<< shift
            index &+= 1
            if byte < 0x80 {
                // The tenth byte holds the last bit; a last byte of zero says nothing.
                guard byte != 0 else { throw failure(.longerThanNeeded) }
                guard shift < 63 || byte == 1 else { throw failure(.beyond64Bits) }
                place = index
                return RecordCursor.fromZigzag(value)
            }
            guard shift < 63 else { throw failure(.beyond64Bits) }
            shift &+= 7
        }
        throw failure(.truncated)
    }

    @inlinable
    static func fromZigzag(_ value: UInt64) -> Int64 {
        Int64(bitPattern: value &>> 1) ^ (0 &- Int64(bitPattern: value & 1))
    }

    @inlinable
    public mutating func boolean() throws(Failure) -> Bool {
        guard place < content.count else { throw failure(.truncated) }
        let byte = content[place]
        guard byte < 2 else { throw failure(.notBoolean) }
        place &+= 1
        return byte == 1
    }

    @inlinable
    public mutating func double() throws(Failure) -> Double {
        guard content.count &- place >= 8 else { throw failure(.truncated) }
        let value = Double(
            bitPattern: UInt64(
                littleEndian: content.loadUnaligned(fromByteOffset: place, as: UInt64.self)))
        guard !value.isNaN || value.bitPattern == 0x7FF8_0000_0000_0000 else {
            throw failure(.otherNaN)
        }
        place &+= 8
        return value
    }

    @inlinable
    public mutating func float() throws(Failure) -> Float {
        guard content.count &- place >= 4 else { throw failure(.truncated) }
        let value = Float(
            bitPattern: UInt32(
                littleEndian: content.loadUnaligned(fromByteOffset: place, as: UInt32.self)))
        guard !value.isNaN || value.bitPattern == 0x7FC0_0000 else { throw failure(.otherNaN) }
        place &+= 4
        return value
    }

    /// Avro's string and bytes, without a copy. Whether a string is UTF-8 is not looked at.
    @inlinable
    @inline(__always)
    public mutating func bytes() throws(Failure) -> UnsafeRawBufferPointer {
        let start = place
        let count = try long()
        guard count >= 0, count <= content.count &- place else {
            place = start
            throw failure(count < 0 ? .negativeLength : .lengthBeyondEnd)
        }
        let slice = UnsafeRawBufferPointer(rebasing: content[place..<place &+ Int(count)])
        place &+= Int(count)
        return slice
    }

    /// The union branch before the value of a field that may be NULL; its value follows where this
    /// is false.
    @inlinable
    public mutating func isNull() throws(Failure) -> Bool {
        guard place < content.count else { throw failure(.truncated) }
        let byte = content[place]
        guard byte == 0 || byte == 2 else { throw failure(.unknownBranch) }
        place &+= 1
        return byte == 0
    }

    /// The branch before the value in an `any` field.
    @inlinable
    public mutating func anyBranch() throws(Failure) -> AnyBranch {
        guard place < content.count else { throw failure(.truncated) }
        let byte = content[place]
        guard byte & 1 == 0, let branch = AnyBranch(rawValue: Int64(byte >> 1)) else {
            throw failure(.unknownBranch)
        }
        place &+= 1
        return branch
    }

    /// A decimal's unscaled value: the shortest big-endian two's complement.
    @inlinable
    public mutating func unscaled() throws(Failure) -> Int128 {
        if let short = shortUnscaled() { return Int128(short) }
        let start = place
        let digits = try bytes()
        guard digits.count >= 1, digits.count <= 16 else {
            place = start
            throw failure(digits.isEmpty ? .emptyDecimal : .decimalBeyond16Bytes)
        }
        let first = Int8(bitPattern: digits[0])
        if digits.count > 1, Int8(bitPattern: digits[1]) >> 7 == first, first == 0 || first == -1 {
            place = start
            throw failure(.longerThanNeeded)
        }
        var value = Int128(first)
        for index in 1..<digits.count { value = value &<< 8 | Int128(digits[index]) }
        return value
    }
}

extension RecordCursor {
    /// An unscaled value of at most eight bytes, where nothing is wrong with it and the end is not
    /// near.
    @inlinable
    mutating func shortUnscaled() -> Int64? {
        guard content.count &- place >= 9 else { return nil }
        // The length as a zigzag varint.
        let length = content[place]
        guard length & 1 == 0, length >= 2, length <= 16 else { return nil }
        let count = Int(length >> 1)
        let bytes = Int64(
            bigEndian: content.loadUnaligned(fromByteOffset: place &+ 1, as: Int64.self))
        let value = bytes >> Int64(64 &- 8 &* count)
        guard ByteBuffer.unscaledByteCount(value) == count else { return nil }
        place &+= 1 &+ count
        return value
    }

    /// What can be wrong with a field's bytes.
    @usableFromInline
    enum Fault {
        case truncated
        case longerThanNeeded
        case beyond64Bits
        case notBoolean
        case otherNaN
        case negativeLength
        case lengthBeyondEnd
        case unknownBranch
        case emptyDecimal
        case decimalBeyond16Bytes
    }

    /// Names the position, which is still that of the value at fault.
    @usableFromInline
    @inline(never)
    func failure(_ fault: Fault) -> Failure {
        let what =
            switch fault {
            case .truncated: "the record ends inside a value"
            case .longerThanNeeded: "a number takes more bytes than it needs"
            case .beyond64Bits: "a number has more than 64 bits"
            case .notBoolean: "a boolean is neither 0 nor 1"
            case .otherNaN: "a NaN is not the one NaN of records"
            case .negativeLength: "a length is negative"
            case .lengthBeyondEnd: "a length reaches beyond the end"
            case .unknownBranch: "a union has no such branch"
            case .emptyDecimal: "a decimal has no bytes"
            case .decimalBeyond16Bytes: "a decimal has more than 16 bytes"
            }
        return Failure(.failed, "\(what) at byte \(place)")
    }
}
