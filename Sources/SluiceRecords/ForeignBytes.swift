internal import SluiceCore

// Bytes, UUIDs and values of any kind as other tools write them.
extension ForeignText {
    static func append(
        bytes text: UnsafeRawBufferPointer, _ form: ForeignCSVOptions.BytesForm,
        to output: inout ByteBuffer
    ) -> Outcome {
        switch form {
        case .plain:
            output.appendBytes(text)
            return .plain
        case .base64: return append(base64: trim(text), to: &output)
        case .hexadecimal: return append(hexadecimal: digits(of: trim(text)), to: &output)
        }
    }

    /// Without what marks the text as hexadecimal.
    private static func digits(of text: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        guard text.count >= 2 else { return text }
        let mark = text[1] | 0x20
        if mark == UInt8(ascii: "x"), text[0] == CSVText.backslash || text[0] == UInt8(ascii: "0") {
            return UnsafeRawBufferPointer(rebasing: text[2...])
        }
        if text.count >= 3, text[0] | 0x20 == UInt8(ascii: "x"), text[1] == UInt8(ascii: "'"),
            text[text.count - 1] == UInt8(ascii: "'")
        {
            return UnsafeRawBufferPointer(rebasing: text[2..<text.count - 1])
        }
        return text
    }

    private static func append(
        hexadecimal digits: UnsafeRawBufferPointer, to output: inout ByteBuffer
    ) -> Outcome {
        guard digits.count.isMultiple(of: 2) else { return .invalid }
        output.appendLong(Int64(digits.count / 2))
        var isValid = true
        output.append(upTo: digits.count / 2) { room in
            for index in 0..<digits.count / 2 {
                guard let high = Hexadecimal.anyCaseValue(digits[2 * index]),
                    let low = Hexadecimal.anyCaseValue(digits[2 * index + 1])
                else {
                    isValid = false
                    break
                }
                room[index] = high << 4 | low
            }
            return digits.count / 2
        }
        return isValid ? .plain : .invalid
    }

    private static func append(
        base64 text: UnsafeRawBufferPointer, to output: inout ByteBuffer
    ) -> Outcome {
        var count = text.count
        while count > 0, text.count - count < 2, text[count - 1] == UInt8(ascii: "=") { count -= 1 }
        guard text.count.isMultiple(of: 4) || text.count == count, count % 4 != 1 else {
            return .invalid
        }
        let byteCount = count * 3 / 4
        output.appendLong(Int64(byteCount))
        var bits: UInt32 = 0
        var bitCount = 0
        for index in 0..<count {
            guard let value = base64Value(text[index]) else { return .invalid }
            bits = bits << 6 | UInt32(value)
            bitCount += 6
            if bitCount >= 8 {
                bitCount -= 8
                output.append(UInt8(truncatingIfNeeded: bits >> UInt32(bitCount)))
            }
        }
        // The bits that belong to no byte are zero, or something is missing.
        return bits & (1 << UInt32(bitCount) - 1) == 0 ? .plain : .invalid
    }

    private static func base64Value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): digit - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): digit - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0") + 52
        case UInt8(ascii: "+"), UInt8(ascii: "-"): 62
        case UInt8(ascii: "/"), UInt8(ascii: "_"): 63
        default: nil
        }
    }

    /// 32 digits of either case, with hyphens at the usual places or none, in braces or not.
    static func append(
        uuid text: UnsafeRawBufferPointer, to output: inout ByteBuffer
    ) -> Outcome {
        var text = text
        if text.count >= 2, text[0] == UInt8(ascii: "{"), text[text.count - 1] == UInt8(ascii: "}")
        {
            text = UnsafeRawBufferPointer(rebasing: text[1..<text.count - 1])
        }
        let hasHyphens = text.count == 36
        guard hasHyphens || text.count == 32 else { return .invalid }
        output.appendLong(36)
        var place = 0
        for index in 0..<36 {
            let isHyphen = index == 8 || index == 13 || index == 18 || index == 23
            if isHyphen {
                output.append(UInt8(ascii: "-"))
                if !hasHyphens { continue }
                guard text[place] == UInt8(ascii: "-") else { return .invalid }
            } else {
                guard Hexadecimal.anyCaseValue(text[place]) != nil else { return .invalid }
                // Digits have this bit already.
                output.append(text[place] | 0x20)
            }
            place += 1
        }
        return .plain
    }

    /// What is quoted is a string; what is not is a number where it looks like one.
    static func append(
        any text: UnsafeRawBufferPointer, isQuoted: Bool, to output: inout ByteBuffer
    ) -> Outcome {
        if !isQuoted, let value = CSVText.integer(text) {
            output.appendBranch(.long)
            output.appendLong(value)
        } else if !isQuoted, let value = FloatText.anyDouble(text) {
            output.appendBranch(.double)
            output.appendDouble(value)
        } else if UTF8Text.isValid(text) {
            output.appendBranch(.string)
            output.appendBytes(text)
        } else {
            return .invalid
        }
        return .plain
    }
}
