public import SluiceCore

/// A decimal's unscaled value as text and back, in one form per value and scale: `-12.30` for
/// -1230 with scale 2.
///
/// As many digits behind the point as the scale has, no point where it is 0; no needless zero in
/// front; no `-0`.
public enum DecimalText {
    /// The most bytes `append` writes: a sign, a point, 39 digits or a zero before 38 of them.
    public static let byteLimit = 41

    /// - Precondition: the scale is within 0...38.
    public static func append(_ unscaled: Int128, scale: Int, to output: inout ByteBuffer) {
        precondition((0...38).contains(scale), "a decimal's scale is within 0...38")
        if unscaled < 0 { output.append(UInt8(ascii: "-")) }
        let start = output.count
        appendDigits(unscaled.magnitude, atLeast: scale + 1, to: &output)
        guard scale > 0 else { return }
        // The last digits move one place to make room for the point.
        output.append(0)
        let digits = output.mutableBytes
        var index = output.count - 1
        let point = index - scale
        precondition(point > start, "a digit stands before the point")
        while index > point {
            digits[index] = digits[index - 1]
            index -= 1
        }
        digits[point] = UInt8(ascii: ".")
    }

    /// The value whose one text this is; nothing for any other text or a value beyond 128 bits.
    public static func parse(_ text: UnsafeRawBufferPointer, scale: Int) -> Int128? {
        precondition((0...38).contains(scale), "a decimal's scale is within 0...38")
        var index = 0
        let isNegative = !text.isEmpty && text[0] == UInt8(ascii: "-")
        if isNegative { index = 1 }
        let wholeEnd = scale == 0 ? text.count : text.count - scale - 1
        guard wholeEnd > index, text.count - index <= 41 else { return nil }
        if text[index] == UInt8(ascii: "0"), wholeEnd - index > 1 { return nil }
        var value: UInt128 = 0
        while index < text.count {
            defer { index += 1 }
            if index == wholeEnd {
                guard text[index] == UInt8(ascii: ".") else { return nil }
                continue
            }
            let digit = text[index] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            let (tens, overflows) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflowsToo) = tens.addingReportingOverflow(UInt128(digit))
            guard !overflows, !overflowsToo else { return nil }
            value = sum
        }
        if isNegative {
            guard value > 0, value <= Int128.min.magnitude else { return nil }
            return Int128(truncatingIfNeeded: 0 &- value)
        }
        return Int128(exactly: value)
    }

    /// The decimal digits of a number, with zeros in front up to a width.
    private static func appendDigits(
        _ value: UInt128, atLeast width: Int, to output: inout ByteBuffer
    ) {
        // Divisions of 128 bits are slow: cut into parts of 19 digits, which 64 bits hold.
        let part: UInt128 = 10_000_000_000_000_000_000
        guard value >= part else {
            return DigitText.append(
                UInt64(truncatingIfNeeded: value), atLeast: width, to: &output)
        }
        let (high, low) = value.quotientAndRemainder(dividingBy: part)
        appendDigits(high, atLeast: width - 19, to: &output)
        DigitText.append(UInt64(truncatingIfNeeded: low), atLeast: 19, to: &output)
    }
}
