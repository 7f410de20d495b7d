internal import Glibc
public import SluiceCore

/// Values of columns that hold more than one kind, as JSON that tells the kinds apart: what a
/// target without such columns keeps them as.
///
/// | value | JSON |
/// | --- | --- |
/// | integer | a number without a point |
/// | real | a number with a point; `{"real": "nan"}`, `inf`, `-inf`, `-0.0` |
/// | text | a string; with a NUL, which jsonb does not have, `{"text": "6100"}` |
/// | bytes | `{"bytes": "00ff"}` |
/// | text that is not UTF-8 | `{"invalid_text": "ff"}` |
///
/// jsonb keeps a number's decimal places, so that 1 and 1.0 stay apart.
public enum AnyJSON {
    /// The value behind its branch.
    public static func append(
        _ branch: AnyBranch, _ cursor: inout RecordCursor, to output: inout ByteBuffer
    ) throws(Failure) {
        switch branch {
        case .null: append("null", to: &output)
        case .long: DigitText.append(try cursor.long(), to: &output)
        case .double: append(try cursor.double(), to: &output)
        case .string:
            let text = try cursor.bytes()
            if hasNUL(text) {
                append("{\"text\": \"", hexadecimal: text, to: &output)
            } else {
                append(string: text, to: &output)
            }
        case .bytes: append("{\"bytes\": \"", hexadecimal: try cursor.bytes(), to: &output)
        case .invalidText:
            append("{\"invalid_text\": \"", hexadecimal: try cursor.bytes(), to: &output)
        }
    }

    private static func append(_ text: StaticString, to output: inout ByteBuffer) {
        output.append(
            UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    private static func append(_ value: Double, to output: inout ByteBuffer) {
        guard value.isFinite, value != 0 || value.sign == .plus else {
            append("{\"real\": \"", to: &output)
            FloatText.append(value, to: &output)
            append("\"}", to: &output)
            return
        }
        let start = output.count
        FloatText.append(value, to: &output)
        let text = UnsafeRawBufferPointer(rebasing: output.bytes[start...])
        guard let mark = text.firstIndex(of: UInt8(ascii: "e")),
            text[mark &+ 1] != UInt8(ascii: "-")
        else { return }
        // A large one: all of its digits are before the point, and the point must be there.
        var exponent = 0
        for byte in text[(mark &+ 1)...] where byte != UInt8(ascii: "+") {
            exponent = exponent &* 10 &+ Int(byte &- 0x30)
        }
        let point = text[..<mark].firstIndex(of: UInt8(ascii: "."))
        let fraction = point.map { mark &- $0 &- 1 } ?? 0
        if let point {
            let bytes = output.mutableBytes
            for index in point..<mark &- 1 { bytes[start &+ index] = bytes[start &+ index &+ 1] }
        }
        output.truncate(to: start &+ mark &- (point == nil ? 0 : 1))
        for _ in 0..<max(0, exponent &- fraction) { output.append(UInt8(ascii: "0")) }
        append(".0", to: &output)
    }

    private static func append(
        _ start: StaticString, hexadecimal bytes: UnsafeRawBufferPointer,
        to output: inout ByteBuffer
    ) {
        append(start, to: &output)
        for byte in bytes { output.append(hexadecimal: byte) }
        append("\"}", to: &output)
    }

    private static func append(
        string text: UnsafeRawBufferPointer, to output: inout ByteBuffer
    ) {
        output.append(UInt8(ascii: "\""))
        for byte in text {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                output.append(UInt8(ascii: "\\"))
                output.append(byte)
            case 0..<0x20:
                append("\\u00", to: &output)
                output.append(hexadecimal: byte)
            default: output.append(byte)
            }
        }
        output.append(UInt8(ascii: "\""))
    }

    private static func hasNUL(_ text: UnsafeRawBufferPointer) -> Bool {
        guard let start = text.baseAddress else { return false }
        return memchr(start, 0, text.count) != nil
    }
}

/// The way back.
extension AnyJSON {
    /// Appends the branch and the value that some JSON stands for; false where it is none of ours.
    public static func appendValue(
        _ json: UnsafeRawBufferPointer, to output: inout ByteBuffer
    ) -> Bool {
        guard let first = json.first else { return false }
        switch first {
        case UInt8(ascii: "\""):
            output.appendBranch(.string)
            return appendString(json, to: &output)
        case UInt8(ascii: "{"): return appendObject(json, to: &output)
        case UInt8(ascii: "-"), 0x30...0x39: return appendNumber(json, to: &output)
        default: return false
        }
    }

    private static func appendNumber(
        _ json: UnsafeRawBufferPointer, to output: inout ByteBuffer
    ) -> Bool {
        guard json.contains(UInt8(ascii: ".")) else {
            guard let value = DecimalText.parse(json, scale: 0).flatMap({ Int64(exactly: $0) })
            else { return false }
            output.appendBranch(.long)
            output.appendLong(value)
            return true
        }
        // As long as the largest double's digits; the zero behind them is for strtod.
        guard json.count < 2000 else { return false }
        var text = ByteBuffer(capacity: json.count &+ 1)
        text.append(json)
        text.append(0)
        let value = text.bytes.withMemoryRebound(to: CChar.self) { characters in
            characters.baseAddress.map { strtod($0, nil) } ?? 0
        }
        output.appendBranch(.double)
        output.appendDouble(value)
        return true
    }

    private static func appendObject(
        _ json: UnsafeRawBufferPointer, to output: inout ByteBuffer
    ) -> Bool {
        for (start, branch): (StaticString, AnyBranch) in [
            ("{\"bytes\": \"", .bytes), ("{\"invalid_text\": \"", .invalidText),
            ("{\"text\": \"", .string), ("{\"real\": \"", .double),
        ] {
            let count = start.utf8CodeUnitCount
            guard json.count >= count &+ 2,
                json.starts(with: UnsafeBufferPointer(start: start.utf8Start, count: count)),
                json[json.count &- 2] == UInt8(ascii: "\""),
                json[json.count &- 1] == UInt8(ascii: "}")
            else { continue }
            let inner = UnsafeRawBufferPointer(rebasing: json[count..<json.count &- 2])
            output.appendBranch(branch)
            guard branch == .double else { return appendBytes(hexadecimal: inner, to: &output) }
            guard let value = FloatText.double(inner) else { return false }
            output.appendDouble(value)
            return true
        }
        return false
    }

    private static func appendBytes(
        hexadecimal text: UnsafeRawBufferPointer, to output: inout ByteBuffer
    ) -> Bool {
        guard text.count.isMultiple(of: 2) else { return false }
        output.appendLong(Int64(text.count / 2))
        for place in stride(from: 0, to: text.count, by: 2) {
            let high = hexadecimal(text[place])
            let low = hexadecimal(text[place &+ 1])
            guard high < 16, low < 16 else { return false }
            output.append(high << 4 | low)
        }
        return true
    }

    /// A string between quotes, as jsonb prints it: its escapes have no other characters than
    /// ASCII.
    private static func appendString(
        _ json: UnsafeRawBufferPointer, to output: inout ByteBuffer
    ) -> Bool {
        var text = ByteBuffer(capacity: json.count)
        var place = 1
        while place < json.count &- 1 {
            guard json[place] == UInt8(ascii: "\\") else {
                text.append(json[place])
                place &+= 1
                continue
            }
            place &+= 1
            switch json[place] {
            case UInt8(ascii: "b"): text.append(8)
            case UInt8(ascii: "f"): text.append(12)
            case UInt8(ascii: "n"): text.append(10)
            case UInt8(ascii: "r"): text.append(13)
            case UInt8(ascii: "t"): text.append(9)
            case UInt8(ascii: "u"):
                guard place &+ 4 < json.count else { return false }
                let high = hexadecimal(json[place &+ 3])
                let low = hexadecimal(json[place &+ 4])
                guard json[place &+ 1] == 0x30, json[place &+ 2] == 0x30, high < 8, low < 16 else {
                    return false
                }
                text.append(high << 4 | low)
                place &+= 4
            default: text.append(json[place])
            }
            place &+= 1
        }
        output.appendBytes(text.bytes)
        return true
    }

    /// The value of a hexadecimal digit; 16 for anything else.
    private static func hexadecimal(_ byte: UInt8) -> UInt8 {
        if byte &- 0x30 < 10 { return byte &- 0x30 }
        let letter = (byte | 0x20) &- 0x61
        return letter < 6 ? letter &+ 10 : 16
    }
}
