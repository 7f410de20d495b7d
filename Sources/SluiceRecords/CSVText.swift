internal import Glibc
internal import SluiceCore

/// The one dialect of CSV that sluice writes (design §5; docs/format.md has it for readers).
///
/// - UTF-8 without a byte order mark. Every line, the last included, ends in a line feed; fields
///   are separated by commas. The first line holds the columns' names in the source.
/// - NULL is the bare `\N`; no other field is. PostgreSQL reads it by `COPY … (FORMAT csv,
///   HEADER, NULL '\N')`, DuckDB by `read_csv(…, nullstr = '\N', allow_quoted_nulls = false)`.
/// - A string is bare when it begins with an ASCII letter or digit, goes on with printable ASCII
///   other than `"`, `,` and `\`, does not end in a space, and is not the word NULL in any case.
///   Every other string, the empty one included, stands in `"`, and a `"` inside is doubled. The
///   same holds for names in the first line. Strings are: text, json, uuid, enum, set, bit
///   string, number text, server text.
/// - No other value is ever quoted. Booleans are `true` and `false`; integers plain; floats as
///   `FloatText` writes them; decimals with exactly their scale; bytes `\x` and lower-case
///   hexadecimal digits.
/// - In an `any` column a bare integer is a long, a bare float a double, every string is quoted,
///   bytes are `x'00ff'`, and text that is not UTF-8 is `t'ff'`.
/// - A reserved value is `#` and its raw number: of a decimal the unscaled value, of a time or
///   date the number in the record.
///
/// Each record has exactly one such line, and the parser takes no other.
enum CSVText {
    static let comma = UInt8(ascii: ",")
    static let quote = UInt8(ascii: "\"")
    static let lineFeed = UInt8(ascii: "\n")
    static let backslash = UInt8(ascii: "\\")
    static let reservedMark = UInt8(ascii: "#")

    /// Whether a text begins like that of a reserved value.
    static func isReserved(_ text: UnsafeRawBufferPointer) -> Bool {
        !text.isEmpty && text[0] == reservedMark
    }

    static func appendNull(to output: inout ByteBuffer) {
        output.append(backslash)
        output.append(UInt8(ascii: "N"))
    }

    static func isNull(_ text: UnsafeRawBufferPointer) -> Bool {
        text.count == 2 && text[0] == backslash && text[1] == UInt8(ascii: "N")
    }

    /// Whether a string is written without quotes.
    static func isBare(_ text: UnsafeRawBufferPointer) -> Bool {
        guard !text.isEmpty, text[text.count - 1] != 0x20 else { return false }
        let first = text[0]
        let lowerCase = first | 0x20
        guard first &- 0x30 < 10 || (lowerCase &- 0x61 < 26 && first < 0x80) else { return false }
        // Without a way out in the middle the compiler makes vector code of it.
        var isMistakable = false
        for byte in text {
            isMistakable =
                isMistakable || byte &- 0x20 > 0x5E || byte == quote || byte == comma
                || byte == backslash
        }
        return !isMistakable && !isWordNull(text)
    }

    private static func isWordNull(_ text: UnsafeRawBufferPointer) -> Bool {
        text.count == 4 && text[0] | 0x20 == UInt8(ascii: "n")
            && text[1] | 0x20 == UInt8(ascii: "u")
            && text[2] | 0x20 == UInt8(ascii: "l") && text[3] | 0x20 == UInt8(ascii: "l")
    }

    /// A string that fits the buffer, bare or quoted.
    static func appendString(_ text: UnsafeRawBufferPointer, to output: inout ByteBuffer) {
        if isBare(text) {
            output.append(text)
        } else {
            output.append(quote)
            appendDoubling(text, to: &output)
            output.append(quote)
        }
    }

    /// The inside of a quoted string, or a piece of it.
    static func appendDoubling(_ text: UnsafeRawBufferPointer, to output: inout ByteBuffer) {
        var rest = text
        while let start = rest.baseAddress, !rest.isEmpty {
            guard let found = memchr(start, Int32(quote), rest.count) else {
                output.append(rest)
                return
            }
            let count = UnsafeRawPointer(found) - start + 1
            output.append(UnsafeRawBufferPointer(start: start, count: count))
            output.append(quote)
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    static func appendHexadecimal(_ bytes: UnsafeRawBufferPointer, to output: inout ByteBuffer) {
        output.append(upTo: bytes.count * 2) { room in
            var place = 0
            for byte in bytes {
                room[place] = digit(byte >> 4)
                room[place + 1] = digit(byte & 15)
                place += 2
            }
            return place
        }
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? value + UInt8(ascii: "0") : value - 10 + UInt8(ascii: "a")
    }

    /// Turns pairs of digits into bytes, from `source` to `destination`, which may begin at the
    /// same place; false where there is something else. In the one form that is written: lower
    /// case.
    static func decodeHexadecimal(
        _ source: UnsafeRawBufferPointer, to destination: UnsafeMutableRawPointer
    ) -> Bool {
        guard source.count.isMultiple(of: 2) else { return false }
        var invalid: UInt8 = 0
        for index in 0..<source.count / 2 {
            let high = value(source[2 * index])
            let low = value(source[2 * index + 1])
            invalid |= high | low
            destination.storeBytes(of: high << 4 | low, toByteOffset: index, as: UInt8.self)
        }
        return invalid < 16
    }

    /// The value of a lower-case digit, or 16 and more.
    private static func value(_ digit: UInt8) -> UInt8 {
        let number = digit &- UInt8(ascii: "0")
        if number < 10 { return number }
        let letter = digit &- UInt8(ascii: "a")
        return letter < 6 ? letter + 10 : 0xFF
    }

    /// The integer whose shortest form is exactly this text.
    static func integer(_ text: UnsafeRawBufferPointer) -> Int64? {
        let isNegative = !text.isEmpty && text[0] == UInt8(ascii: "-")
        let digits = text.count - (isNegative ? 1 : 0)
        guard (1...19).contains(digits) else { return nil }
        let first = text[text.count - digits]
        if first == UInt8(ascii: "0"), text.count > 1 { return nil }
        var size: UInt64 = 0
        for index in (text.count - digits)..<text.count {
            let digit = text[index] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            size = size &* 10 &+ UInt64(digit)
        }
        if isNegative {
            return size <= 1 << 63 ? Int64(truncatingIfNeeded: 0 &- size) : nil
        }
        return Int64(exactly: size)
    }
}
