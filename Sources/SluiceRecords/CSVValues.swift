internal import SluiceCore

// The values that are neither strings nor bytes, as text and back.
extension CSVText {
    static func append(_ word: StaticString, to output: inout ByteBuffer) {
        output.append(
            UnsafeRawBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount))
    }

    static func `is`(_ text: UnsafeRawBufferPointer, _ word: StaticString) -> Bool {
        guard text.count == word.utf8CodeUnitCount else { return false }
        for index in 0..<text.count where text[index] != word.utf8Start[index] { return false }
        return true
    }

    /// Whether a decimal's unscaled value is one of those its type has no digits for
    /// (docs/format.md).
    private static func isBeyond(_ unscaled: Int128, _ type: ColumnType) -> Bool {
        switch type {
        case .uint64: unscaled < 0 || unscaled > Int128(UInt64.max)
        case .decimal(let precision, _):
            unscaled.magnitude >= ReservedValues.decimalEnd(precision: precision).magnitude
        default: false
        }
    }

    private static func scale(of type: ColumnType) -> Int {
        if case .decimal(_, let scale) = type { return scale }
        return 0
    }

    static func append(
        decimal unscaled: Int128, _ type: ColumnType, to output: inout ByteBuffer
    ) {
        if isBeyond(unscaled, type) {
            output.append(reservedMark)
            DecimalText.append(unscaled, scale: 0, to: &output)
        } else {
            DecimalText.append(unscaled, scale: scale(of: type), to: &output)
        }
    }

    /// The unscaled value whose one text this is.
    static func decimal(_ text: UnsafeRawBufferPointer, _ type: ColumnType) -> Int128? {
        if isReserved(text) {
            let digits = UnsafeRawBufferPointer(rebasing: text[1...])
            guard let unscaled = DecimalText.parse(digits, scale: 0),
                ReservedValues.isReserved(type, unscaled: unscaled)
            else { return nil }
            return unscaled
        }
        guard let unscaled = DecimalText.parse(text, scale: scale(of: type)),
            !isBeyond(unscaled, type)
        else { return nil }
        return unscaled
    }

    static func append(moment value: Int64, _ type: ColumnType, to output: inout ByteBuffer) {
        if ReservedValues.isReserved(type, value) {
            output.append(reservedMark)
            DigitText.append(value, to: &output)
            return
        }
        switch type {
        case .date: CalendarText.append(date: Int32(truncatingIfNeeded: value), to: &output)
        case .time: CalendarText.append(time: value, to: &output)
        default:
            CalendarText.append(timestamp: value, isUTC: type == .timestamp, to: &output)
        }
    }

    /// The number whose one text this is.
    static func moment(_ text: UnsafeRawBufferPointer, _ type: ColumnType) -> Int64? {
        if isReserved(text) {
            let digits = UnsafeRawBufferPointer(rebasing: text[1...])
            guard let value = integer(digits), ReservedValues.isReserved(type, value) else {
                return nil
            }
            return value
        }
        let parsed: Int64? =
            switch type {
            case .date: CalendarText.parseDate(text).map(Int64.init)
            case .time: CalendarText.parseTime(text)
            default: CalendarText.parseTimestamp(text, isUTC: type == .timestamp)
            }
        guard let value = parsed, !ReservedValues.isReserved(type, value) else { return nil }
        if type == .time, value.magnitude > UInt64(RecordValidator.timeLimit) { return nil }
        return value
    }
}
