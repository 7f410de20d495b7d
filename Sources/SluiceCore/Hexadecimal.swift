/// Bytes as lower-case hexadecimal digits and back.
public enum Hexadecimal {
    private static let digits = Array("0123456789abcdef".utf8)

    public static func string(_ bytes: some Sequence<UInt8>) -> String {
        var output: [UInt8] = []
        for byte in bytes {
            output.append(digits[Int(byte >> 4)])
            output.append(digits[Int(byte & 15)])
        }
        return String(decoding: output, as: UTF8.self)
    }

    /// Nothing unless `text` is pairs of lower-case digits: there is one way to write a value.
    public static func bytes(_ text: String) -> [UInt8]? {
        let input = Array(text.utf8)
        guard input.count.isMultiple(of: 2) else { return nil }
        var output: [UInt8] = []
        for index in stride(from: 0, to: input.count, by: 2) {
            guard let high = value(input[index]), let low = value(input[index + 1]) else {
                return nil
            }
            output.append(high << 4 | low)
        }
        return output
    }

    /// The value of one digit of either case.
    @inlinable
    public static func anyCaseValue(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    private static func value(_ digit: UInt8) -> UInt8? {
        digit < UInt8(ascii: "A") || digit > UInt8(ascii: "F") ? anyCaseValue(digit) : nil
    }
}

extension ByteBuffer {
    /// Two lower-case digits.
    @inlinable
    public mutating func append(hexadecimal byte: UInt8) {
        append(byte >> 4 < 10 ? 0x30 &+ (byte >> 4) : 0x57 &+ (byte >> 4))
        append(byte & 15 < 10 ? 0x30 &+ (byte & 15) : 0x57 &+ (byte & 15))
    }
}
