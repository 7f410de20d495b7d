internal import SluiceCore

/// Values as other tools write them, taken into records. Each text means one value or is refused;
/// nothing is rounded.
enum ForeignText {
    enum Outcome {
        case plain
        /// One that the Avro type has no word for (`ReservedValues`).
        case reserved
        case invalid
    }

    /// Appends the value of a field that is not NULL.
    static func append(
        _ text: UnsafeRawBufferPointer, isQuoted: Bool, _ type: ColumnType,
        _ form: ForeignCSVOptions.BytesForm, to output: inout ByteBuffer
    ) -> Outcome {
        switch type {
        case .numberText, .text, .json, .enumeration, .set, .serverText:
            guard UTF8Text.isValid(text) else { return .invalid }
            output.appendBytes(text)
            return .plain
        case .bytes: return append(bytes: text, form, to: &output)
        case .any: return append(any: text, isQuoted: isQuoted, to: &output)
        case .uuid: return append(uuid: trim(text), to: &output)
        case .bitString:
            guard RecordValidator.isBitString(text) else { return .invalid }
            output.appendBytes(text)
            return .plain
        default: return append(scalar: trim(text), type, to: &output)
        }
    }

    private static func append(
        scalar text: UnsafeRawBufferPointer, _ type: ColumnType, to output: inout ByteBuffer
    ) -> Outcome {
        switch type {
        case .boolean:
            guard let value = boolean(text) else { return .invalid }
            output.appendBoolean(value)
        case .int32:
            guard let value = decimal(text, scale: 0), let small = Int32(exactly: value) else {
                return .invalid
            }
            output.appendLong(Int64(small))
        case .int64:
            guard let value = decimal(text, scale: 0), let small = Int64(exactly: value) else {
                return .invalid
            }
            output.appendLong(small)
        case .uint64:
            guard let value = decimal(text, scale: 0), UInt64(exactly: value) != nil else {
                return .invalid
            }
            output.appendUnscaled(value)
        case .float32:
            guard let value = FloatText.anyFloat(text) else { return .invalid }
            output.appendFloat(value)
        case .float64:
            guard let value = FloatText.anyDouble(text) else { return .invalid }
            output.appendDouble(value)
        case .decimal(let precision, let scale):
            if let special = special(text) {
                output.appendUnscaled(ReservedValues.unscaled(special, precision: precision))
                return .reserved
            }
            let end = ReservedValues.decimalEnd(precision: precision)
            guard let value = decimal(text, scale: scale), value > -end, value < end else {
                return .invalid
            }
            output.appendUnscaled(value)
        default: return append(moment: text, type, to: &output)
        }
        return .plain
    }

    private static func append(
        moment text: UnsafeRawBufferPointer, _ type: ColumnType, to output: inout ByteBuffer
    ) -> Outcome {
        var scan = MomentScan(text)
        let value: Int64? =
            switch type {
            case .date: scan.wholeDate()
            case .time: scan.wholeTime()
            default: scan.wholeTimestamp(isUTC: type == .timestamp)
            }
        guard let value else { return .invalid }
        output.appendLong(value)
        return ReservedValues.isReserved(type, value) ? .reserved : .plain
    }

    /// Without spaces and tabs around.
    static func trim(_ text: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        var first = 0
        var end = text.count
        while first < end, text[first] == 0x20 || text[first] == 0x09 { first += 1 }
        while end > first, text[end - 1] == 0x20 || text[end - 1] == 0x09 { end -= 1 }
        return UnsafeRawBufferPointer(rebasing: text[first..<end])
    }

    /// Whether the text is the word, in letters of either case.
    static func isWord(_ text: UnsafeRawBufferPointer, _ word: StaticString) -> Bool {
        guard text.count == word.utf8CodeUnitCount else { return false }
        for index in 0..<text.count {
            let byte = text[index]
            let lower = byte &- 0x41 < 26 ? byte | 0x20 : byte
            if lower != word.utf8Start[index] { return false }
        }
        return true
    }

    static func boolean(_ text: UnsafeRawBufferPointer) -> Bool? {
        if isWord(text, "true") || isWord(text, "t") || isWord(text, "1") || isWord(text, "yes")
            || isWord(text, "y") || isWord(text, "on")
        {
            return true
        }
        if isWord(text, "false") || isWord(text, "f") || isWord(text, "0") || isWord(text, "no")
            || isWord(text, "n") || isWord(text, "off")
        {
            return false
        }
        return nil
    }

    private static func special(_ text: UnsafeRawBufferPointer) -> SpecialDecimal? {
        if isWord(text, "nan") { return .nan }
        if isWord(text, "infinity") || isWord(text, "inf") { return .infinity }
        if isWord(text, "-infinity") || isWord(text, "-inf") { return .minusInfinity }
        return nil
    }

    /// The unscaled value of digits with a sign, a point and an exponent where there are any;
    /// nothing where it does not fit the scale exactly.
    static func decimal(_ text: UnsafeRawBufferPointer, scale: Int) -> Int128? {
        var place = 0
        var isNegative = false
        if place < text.count, text[place] == UInt8(ascii: "-") || text[place] == UInt8(ascii: "+")
        {
            isNegative = text[place] == UInt8(ascii: "-")
            place += 1
        }
        var size: UInt128 = 0
        var digitCount = 0
        var exponent = 0
        var isBehindPoint = false
        // Zeros at the end are kept back: they may be beyond the scale, and mean nothing there.
        var zeros = 0
        while place < text.count {
            let digit = text[place] &- UInt8(ascii: "0")
            if digit < 10 {
                digitCount += 1
                if isBehindPoint { exponent -= 1 }
                if digit == 0 {
                    zeros += 1
                } else {
                    guard let raised = raise(size, by: zeros + 1) else { return nil }
                    size = raised + UInt128(digit)
                    zeros = 0
                }
            } else if text[place] == UInt8(ascii: "."), !isBehindPoint {
                isBehindPoint = true
            } else {
                break
            }
            place += 1
        }
        guard digitCount > 0, let power = takeExponent(text, from: place) else { return nil }
        if size == 0 { return 0 }
        let shift = exponent + zeros + power + scale
        guard shift >= 0, let unscaled = raise(size, by: shift), unscaled <= UInt128(Int128.max)
        else { return nil }
        return isNegative ? -Int128(unscaled) : Int128(unscaled)
    }

    private static func raise(_ value: UInt128, by power: Int) -> UInt128? {
        if value == 0 { return 0 }
        guard power <= 39 else { return nil }
        var value = value
        for _ in 0..<power {
            let (product, overflows) = value.multipliedReportingOverflow(by: 10)
            // Room for the digit that comes behind.
            guard !overflows, product <= UInt128.max - 9 else { return nil }
            value = product
        }
        return value
    }

    /// What stands behind `e`, or 0 where the text ends.
    private static func takeExponent(_ text: UnsafeRawBufferPointer, from start: Int) -> Int? {
        guard start < text.count else { return 0 }
        guard text[start] | 0x20 == UInt8(ascii: "e") else { return nil }
        var place = start + 1
        var isNegative = false
        if place < text.count, text[place] == UInt8(ascii: "-") || text[place] == UInt8(ascii: "+")
        {
            isNegative = text[place] == UInt8(ascii: "-")
            place += 1
        }
        guard place < text.count else { return nil }
        var size = 0
        while place < text.count {
            let digit = text[place] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            size = min(size * 10 + Int(digit), 1_000_000)
            place += 1
        }
        return isNegative ? -size : size
    }
}
