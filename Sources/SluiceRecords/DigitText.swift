public import SluiceCore

/// Whole numbers of 64 bits as decimal digits, two of them at a time.
public enum DigitText {
    /// The most digits that 64 bits have.
    public static let digitLimit = 20

    @usableFromInline static let pairs: StaticString = """
        00010203040506070809101112131415161718192021222324252627282930313233343536373839\
        40414243444546474849505152535455565758596061626364656667686970717273747576777879\
        8081828384858687888990919293949596979899
        """

    /// A number in its shortest form, with `-` in front where it is negative.
    @inlinable
    public static func append(_ value: Int64, to output: inout ByteBuffer) {
        if value < 0 { output.append(UInt8(ascii: "-")) }
        append(value.magnitude, to: &output)
    }

    /// A number with zeros in front up to a width.
    @inlinable
    public static func append(
        _ value: UInt64, atLeast width: Int = 1, to output: inout ByteBuffer
    ) {
        if value < 10, width < 2 {
            return output.append(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: value))
        }
        output.append(upTo: max(digitLimit, width)) { room in
            let count = max(digitCount(value), width)
            var rest = value
            var place = count
            while rest >= 10 {
                let (hundreds, pair) = rest.quotientAndRemainder(dividingBy: 100)
                place &-= 2
                put(pair: Int(pair), at: place, in: room)
                rest = hundreds
            }
            if rest > 0 {
                place &-= 1
                room[place] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest)
            }
            while place > 0 {
                place &-= 1
                room[place] = UInt8(ascii: "0")
            }
            return count
        }
    }

    /// Two digits of a number below 100.
    @inlinable
    @inline(__always)
    static func put(pair: Int, at place: Int, in room: UnsafeMutableRawBufferPointer) {
        let digits = UnsafeRawPointer(pairs.utf8Start)
            .loadUnaligned(fromByteOffset: pair &* 2, as: UInt16.self)
        room.storeBytes(of: digits, toByteOffset: place, as: UInt16.self)
    }

    @inlinable
    static func digitCount(_ value: UInt64) -> Int {
        var count = 1
        var rest = value
        while rest >= 10_000 {
            rest /= 10_000
            count &+= 4
        }
        if rest >= 100 {
            return count &+ (rest >= 1000 ? 3 : 2)
        }
        return rest >= 10 ? count &+ 1 : count
    }
}
