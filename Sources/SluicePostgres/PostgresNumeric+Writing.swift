internal import SluiceCore
internal import SluiceRecords

/// To the server: a length of four bytes and the binary form, as a field of a binary COPY.
extension PostgresNumeric {
    /// A decimal's unscaled value, or what it is a code for.
    static func append(
        _ unscaled: Int128, precision: Int, scale: Int, to output: inout ByteBuffer
    ) {
        let end = ReservedValues.decimalEnd(precision: precision)
        if unscaled >= end || unscaled <= -end,
            let special = ReservedValues.specialDecimal(unscaled, precision: precision)
        {
            let sign =
                switch special {
                case .nan: nan
                case .infinity: infinity
                case .minusInfinity: minusInfinity
                }
            appendHead(count: 0, weight: 0, sign: sign, scale: 0, to: &output)
            return
        }
        append(unscaled, scale: scale, to: &output)
    }

    /// A number without a code, with as many decimal places as the scale says.
    static func append(_ unscaled: Int128, scale: Int, to output: inout ByteBuffer) {
        let sign: UInt16 = unscaled < 0 ? negative : 0
        if let small = UInt64(exactly: unscaled.magnitude) {
            appendSmall(small, sign: sign, scale: scale, to: &output)
        } else {
            appendLarge(unscaled.magnitude, sign: sign, scale: scale, to: &output)
        }
    }

    private static func appendSmall(
        _ magnitude: UInt64, sign: UInt16, scale: Int, to output: inout ByteBuffer
    ) {
        let odd = scale & 3
        var rest = magnitude
        var last: UInt64 = 0
        if odd > 0 {
            let (whole, part) = rest.quotientAndRemainder(dividingBy: smallPower(odd))
            rest = whole
            last = part &* smallPower(4 &- odd)
        }
        // At most one digit cut off and six of what is left.
        var digits = Digits()
        if odd > 0 { digits.prepend(last) }
        while rest > 0 {
            let (whole, part) = rest.quotientAndRemainder(dividingBy: 10_000)
            digits.prepend(part)
            rest = whole
        }
        digits.write(sign: sign, scale: scale, to: &output)
    }

    private static func appendLarge(
        _ magnitude: UInt128, sign: UInt16, scale: Int, to output: inout ByteBuffer
    ) {
        let odd = scale & 3
        var rest = magnitude
        var digits = Digits()
        if odd > 0 {
            let (whole, part) = rest.quotientAndRemainder(
                dividingBy: UInt128(smallPower(odd)))
            rest = whole
            digits.prepend(UInt64(truncatingIfNeeded: part) &* smallPower(4 &- odd))
        }
        while rest > 0 {
            let (whole, part) = rest.quotientAndRemainder(dividingBy: 10_000)
            digits.prepend(UInt64(truncatingIfNeeded: part))
            rest = whole
        }
        digits.write(sign: sign, scale: scale, to: &output)
    }

    @inline(__always)
    private static func smallPower(_ exponent: Int) -> UInt64 {
        switch exponent {
        case 1: 10
        case 2: 100
        case 3: 1000
        default: 1
        }
    }

    /// The digits of a number of 128 bits, the last first.
    private struct Digits {
        /// 39 decimal digits and one part of four make eleven at most.
        private var words = InlineArray<12, UInt16>(repeating: 0)
        private var count = 0

        mutating func prepend(_ digit: UInt64) {
            words[count] = UInt16(truncatingIfNeeded: digit)
            count &+= 1
        }

        func write(sign: UInt16, scale: Int, to output: inout ByteBuffer) {
            let fraction = (scale &+ 3) / 4
            var first = 0
            while first < count, words[first] == 0 { first &+= 1 }
            var end = count
            while end > first, words[end &- 1] == 0 { end &-= 1 }
            let length = end &- first
            let weight = length == 0 ? 0 : end &- fraction &- 1
            PostgresNumeric.appendHead(
                count: length, weight: weight, sign: length == 0 ? 0 : sign, scale: scale,
                to: &output)
            var index = end
            while index > first {
                index &-= 1
                output.appendWord(words[index])
            }
        }
    }

    fileprivate static func appendHead(
        count: Int, weight: Int, sign: UInt16, scale: Int, to output: inout ByteBuffer
    ) {
        output.appendInt32(Int32(truncatingIfNeeded: 8 &+ 2 &* count))
        output.appendWord(UInt16(truncatingIfNeeded: count))
        output.appendWord(UInt16(bitPattern: Int16(truncatingIfNeeded: weight)))
        output.appendWord(sign)
        output.appendWord(UInt16(truncatingIfNeeded: scale))
    }

    /// A number as the server prints it. False, and nothing is appended, for any other text: what
    /// would be stored would read back as another one.
    static func append(text: UnsafeRawBufferPointer, to output: inout ByteBuffer) -> Bool {
        if let sign = special(text) {
            appendHead(count: 0, weight: 0, sign: sign, scale: 0, to: &output)
            return true
        }
        guard let shape = TextShape(text) else { return false }
        let place = output.count
        let whole = (shape.wholeCount &+ 3) / 4
        let groups = whole &+ (shape.scale &+ 3) / 4
        appendHead(count: 0, weight: 0, sign: 0, scale: shape.scale, to: &output)
        // Zeros at the front are left out as they come, those at the end when it is known.
        var weight = whole &- 1
        var kept = 0
        var end = output.count
        for group in 0..<groups {
            let digit = shape.digit(group, of: text, whole: whole)
            if kept == 0, digit == 0 {
                weight &-= 1
                continue
            }
            output.appendWord(digit)
            kept &+= 1
            if digit != 0 { end = output.count }
        }
        output.truncate(to: end)
        let count = (end &- place &- 12) / 2
        if count == 0 {
            if shape.isNegative {
                output.truncate(to: place)
                return false
            }
            weight = 0
        }
        let bytes = output.mutableBytes
        bytes.storeBytes(
            of: Int32(truncatingIfNeeded: 8 &+ 2 &* count).bigEndian, toByteOffset: place,
            as: Int32.self)
        bytes.storeBytes(
            of: UInt16(truncatingIfNeeded: count).bigEndian, toByteOffset: place &+ 4,
            as: UInt16.self)
        bytes.storeBytes(
            of: Int16(truncatingIfNeeded: weight).bigEndian, toByteOffset: place &+ 6,
            as: Int16.self)
        bytes.storeBytes(
            of: (shape.isNegative ? negative : 0).bigEndian, toByteOffset: place &+ 8,
            as: UInt16.self)
        return true
    }

    private static func special(_ text: UnsafeRawBufferPointer) -> UInt16? {
        if isEqual(text, "NaN") { return nan }
        if isEqual(text, "Infinity") { return infinity }
        return isEqual(text, "-Infinity") ? minusInfinity : nil
    }

    private static func isEqual(_ text: UnsafeRawBufferPointer, _ word: StaticString) -> Bool {
        guard text.count == word.utf8CodeUnitCount else { return false }
        for index in 0..<text.count where text[index] != word.utf8Start[index] { return false }
        return true
    }

    /// `-12.30`: where the digits of such a text are. Within what the server can hold.
    private struct TextShape {
        let isNegative: Bool
        let start: Int
        let wholeCount: Int
        let scale: Int

        init?(_ text: UnsafeRawBufferPointer) {
            isNegative = !text.isEmpty && text[0] == UInt8(ascii: "-")
            start = isNegative ? 1 : 0
            var place = start
            while place < text.count, text[place] &- 0x30 < 10 { place &+= 1 }
            wholeCount = place &- start
            guard wholeCount > 0, wholeCount <= 131_072,
                wholeCount == 1 || text[start] != UInt8(ascii: "0")
            else { return nil }
            guard place < text.count else {
                scale = 0
                return
            }
            guard text[place] == UInt8(ascii: ".") else { return nil }
            place &+= 1
            let first = place
            while place < text.count, text[place] &- 0x30 < 10 { place &+= 1 }
            scale = place &- first
            guard place == text.count, scale > 0, scale <= 16_383 else { return nil }
        }

        /// Four decimal digits, counted from the front.
        func digit(_ group: Int, of text: UnsafeRawBufferPointer, whole: Int) -> UInt16 {
            var value: UInt16 = 0
            // Whole digits end at the point, those behind it begin there.
            let first =
                group < whole
                ? wholeCount &- 4 &* (whole &- group) : 4 &* (group &- whole)
            for offset in first..<first &+ 4 {
                value &*= 10
                if group < whole {
                    if offset >= 0 { value &+= UInt16(text[start &+ offset] &- 0x30) }
                } else if offset < scale {
                    value &+= UInt16(text[start &+ wholeCount &+ 1 &+ offset] &- 0x30)
                }
            }
            return value
        }
    }
}

/// Big-endian numbers, as the server's binary forms have them.
extension ByteBuffer {
    @inline(__always)
    mutating func appendWord(_ value: UInt16) {
        append(UInt8(truncatingIfNeeded: value >> 8))
        append(UInt8(truncatingIfNeeded: value))
    }

    @inline(__always)
    mutating func appendInt32(_ value: Int32) {
        withUnsafeBytes(of: value.bigEndian) { append($0) }
    }

    @inline(__always)
    mutating func appendInt64(_ value: Int64) {
        withUnsafeBytes(of: value.bigEndian) { append($0) }
    }
}
