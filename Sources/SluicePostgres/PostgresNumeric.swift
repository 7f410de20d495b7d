internal import SluiceCore
internal import SluiceRecords

/// The binary form of `numeric`: four 16-bit words (count of digits, weight, sign, scale), then
/// digits of base 10,000.
///
/// The digit `i` counts 10000^(weight - i). There are no zeros at either end. Everything here is
/// big-endian, allocates nothing, and refuses rather than rounds.
enum PostgresNumeric {
    static let negative: UInt16 = 0x4000
    static let nan: UInt16 = 0xC000
    static let infinity: UInt16 = 0xD000
    static let minusInfinity: UInt16 = 0xF000

    /// What the first eight bytes say.
    private struct Head {
        let count: Int
        let weight: Int
        let sign: UInt16
        let scale: Int

        /// Nothing where the digits do not fill the rest.
        init?(_ bytes: UnsafeRawBufferPointer) {
            guard bytes.count >= 8 else { return nil }
            count = Int(PostgresNumeric.word(bytes, 0))
            weight = Int(Int16(bitPattern: PostgresNumeric.word(bytes, 2)))
            sign = PostgresNumeric.word(bytes, 4)
            scale = Int(PostgresNumeric.word(bytes, 6))
            guard bytes.count == 8 &+ 2 &* count else { return nil }
        }
    }

    @inline(__always)
    private static func word(_ bytes: UnsafeRawBufferPointer, _ place: Int) -> UInt16 {
        UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: place, as: UInt16.self))
    }

    @inline(__always)
    private static func digit(_ bytes: UnsafeRawBufferPointer, _ index: Int) -> UInt64 {
        UInt64(word(bytes, 8 &+ 2 &* index))
    }

    private static func powerOfTen(_ exponent: Int) -> UInt64 {
        var power: UInt64 = 1
        for _ in 0..<exponent { power &*= 10 }
        return power
    }

    // MARK: From the server

    /// The unscaled value of decimal(precision, scale), which may be a code for NaN or an infinity
    /// (`ReservedValues`); nothing where the value has more digits than that.
    static func unscaled(
        _ bytes: UnsafeRawBufferPointer, precision: Int, scale: Int
    ) -> Int128? {
        guard let head = Head(bytes) else { return nil }
        switch head.sign {
        case 0, negative: break
        case nan: return ReservedValues.unscaled(.nan, precision: precision)
        case infinity: return ReservedValues.unscaled(.infinity, precision: precision)
        case minusInfinity: return ReservedValues.unscaled(.minusInfinity, precision: precision)
        default: return nil
        }
        guard head.count > 0 else { return 0 }
        // What the last digit is to be multiplied with, as a power of ten.
        let shift = 4 &* (head.weight &- head.count &+ 1) &+ scale
        guard shift > -4, head.count <= 11 else { return nil }
        guard let magnitude = magnitude(bytes, head.count, shift: shift),
            magnitude < ReservedValues.decimalEnd(precision: precision).magnitude
        else { return nil }
        let value = Int128(truncatingIfNeeded: magnitude)
        return head.sign == negative ? -value : value
    }

    private static func magnitude(
        _ bytes: UnsafeRawBufferPointer, _ count: Int, shift: Int
    ) -> UInt128? {
        let last = digit(bytes, count &- 1)
        if count <= 4, shift <= 0 {
            var value: UInt64 = 0
            for index in 0..<count &- 1 { value = value &* 10_000 &+ digit(bytes, index) }
            guard let sum = appended(value, last, shift) else { return nil }
            return UInt128(sum)
        }
        var value: UInt128 = 0
        for index in 0..<count &- 1 {
            value = value &* 10_000 &+ UInt128(digit(bytes, index))
        }
        if shift < 0 {
            let divisor = powerOfTen(-shift)
            guard last % divisor == 0 else { return nil }
            let (tens, overflows) = value.multipliedReportingOverflow(
                by: UInt128(10_000 / divisor))
            return overflows ? nil : tens &+ UInt128(last / divisor)
        }
        let (tens, overflows) = value.multipliedReportingOverflow(by: 10_000)
        guard !overflows else { return nil }
        value = tens &+ UInt128(last)
        for _ in 0..<shift {
            let (more, overflowsToo) = value.multipliedReportingOverflow(by: 10)
            guard !overflowsToo else { return nil }
            value = more
        }
        return value
    }

    /// The value with its last digit, of which `-shift` decimal places are cut off.
    @inline(__always)
    private static func appended(_ value: UInt64, _ last: UInt64, _ shift: Int) -> UInt64? {
        switch shift {
        case 0: return value &* 10_000 &+ last
        case -1: return last % 10 == 0 ? value &* 1000 &+ last / 10 : nil
        case -2: return last % 100 == 0 ? value &* 100 &+ last / 100 : nil
        default: return last % 1000 == 0 ? value &* 10 &+ last / 1000 : nil
        }
    }

    /// Appends the value as the server prints it; false where it is none.
    static func appendText(
        _ bytes: UnsafeRawBufferPointer, to output: inout ByteBuffer
    ) -> Bool {
        guard let head = Head(bytes) else { return false }
        switch head.sign {
        case 0: break
        case negative: output.append(UInt8(ascii: "-"))
        case nan:
            append("NaN", to: &output)
            return true
        case infinity:
            append("Infinity", to: &output)
            return true
        case minusInfinity:
            append("-Infinity", to: &output)
            return true
        default: return false
        }
        if head.weight < 0 {
            output.append(UInt8(ascii: "0"))
        } else {
            var isFirst = true
            for index in 0...head.weight {
                let value = index < head.count ? digit(bytes, index) : 0
                append(value, isFirst: isFirst, to: &output)
                isFirst = false
            }
        }
        guard head.scale > 0 else { return true }
        output.append(UInt8(ascii: "."))
        let end = output.count &+ head.scale
        var index = head.weight &+ 1
        while output.count < end {
            let value = index >= 0 && index < head.count ? digit(bytes, index) : 0
            append(value, isFirst: false, to: &output)
            index &+= 1
        }
        output.truncate(to: end)
        return true
    }

    /// Four decimal digits; of the first ones the zeros in front are left out.
    private static func append(_ digit: UInt64, isFirst: Bool, to output: inout ByteBuffer) {
        var divisor: UInt64 = 1000
        var isLeading = isFirst
        while divisor > 0 {
            let decimal = digit / divisor % 10
            if decimal > 0 || divisor == 1 { isLeading = false }
            if !isLeading { output.append(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: decimal)) }
            divisor /= 10
        }
    }

    private static func append(_ text: StaticString, to output: inout ByteBuffer) {
        output.append(
            UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }
}
