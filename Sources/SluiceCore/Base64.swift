/// Bytes as base64 (RFC 4648) and back.
public enum Base64 {
    private static let digits = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    private static let urlDigits = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    /// With padding.
    public static func string(_ bytes: [UInt8]) -> String {
        encode(bytes, digits, isPadded: true)
    }

    /// The alphabet for URLs and file names, without padding, as web tokens have it.
    public static func urlString(_ bytes: [UInt8]) -> String {
        encode(bytes, urlDigits, isPadded: false)
    }

    /// Nothing unless `text` is what `string` makes of some bytes: there is one way to write a
    /// value.
    public static func bytes(_ text: String) -> [UInt8]? {
        let input = Array(text.utf8)
        guard input.count.isMultiple(of: 4) else { return nil }
        let padding = input.suffix(2).reversed().prefix { $0 == UInt8(ascii: "=") }.count
        var output: [UInt8] = []
        output.reserveCapacity(input.count / 4 * 3)
        var bits: UInt32 = 0
        for (index, digit) in input.dropLast(padding).enumerated() {
            guard let value = value(digit) else { return nil }
            bits = bits << 6 | value
            if index % 4 != 0 { output.append(UInt8(truncatingIfNeeded: bits >> shift(index))) }
        }
        return string(output) == text ? output : nil
    }

    /// How many bits behind a whole byte belong to the next one.
    private static func shift(_ index: Int) -> UInt32 { UInt32(6 - 2 * (index % 4)) }

    private static func encode(_ bytes: [UInt8], _ digits: [UInt8], isPadded: Bool) -> String {
        var output: [UInt8] = []
        output.reserveCapacity((bytes.count + 2) / 3 * 4)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            var bits: UInt32 = 0
            for place in 0..<3 {
                let index = start + place
                bits = bits << 8 | (index < group.endIndex ? UInt32(bytes[index]) : 0)
            }
            for place in 0..<4 {
                if place <= group.count {
                    output.append(digits[Int(bits >> UInt32(18 - 6 * place) & 63)])
                } else if isPadded {
                    output.append(UInt8(ascii: "="))
                }
            }
        }
        return String(decoding: output, as: UTF8.self)
    }

    private static func value(_ digit: UInt8) -> UInt32? {
        switch digit {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(digit - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(digit - UInt8(ascii: "a")) + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(digit - UInt8(ascii: "0")) + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
