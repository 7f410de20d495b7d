internal import SluiceCore
internal import SluiceRecords

/// Why a value does not become its field.
enum MySQLFault {
    case null
    case notText
    /// The server had no character for what is stored.
    case replaced
    /// Another value is printed the same way.
    case hidden
    case tooLong
    /// The bytes are not what the type sends.
    case foreign

    /// As messages name the value.
    var what: String {
        switch self {
        case .null: "a NULL"
        case .notText: "a text that is not UTF-8"
        case .replaced: "a text with bytes that its character set has no character for"
        case .hidden: "a value that cannot be told from its member ''"
        case .tooLong: "a value that is too long"
        case .foreign: "a value of another form than its type's"
        }
    }
}

/// One column of a result, with what its field looks like.
struct MySQLColumnReader {
    let reading: MySQLReading
    let isNullable: Bool
    /// Where the field's reserved values are counted.
    let place: Int

    /// A value longer than this is held against the row's limit before it is copied; the rest is
    /// seen at the row's end.
    private static let shortLimit = 4096

    @inline(__always)
    func appendNull(to batch: inout Batch) -> MySQLFault? {
        guard isNullable else { return .null }
        batch.bytes.appendNull()
        return nil
    }

    /// Appends a value that is not NULL to the record that is being written, or says why it cannot
    /// be.
    @inline(__always)
    func append(_ value: UnsafeRawBufferPointer, to batch: inout Batch) -> MySQLFault? {
        if isNullable { batch.bytes.appendNotNull() }
        switch reading {
        case .integer:
            guard let number = MySQLText.integer(value) else { return .foreign }
            batch.bytes.appendLong(number)
        case .text: return appendBytes(value, to: &batch)
        case .storedText:
            guard UTF8Text.isValid(value) else { return .notText }
            return appendBytes(value, to: &batch)
        case .decimal(let scale):
            guard let unscaled = MySQLText.unscaled(value, scale: scale) else { return .foreign }
            batch.bytes.appendUnscaled(unscaled)
        case .date: return appendDate(value, to: &batch)
        case .dateTime: return appendDateTime(value, to: &batch)
        case .time:
            guard let micros = MySQLText.time(value) else { return .foreign }
            batch.bytes.appendLong(micros)
        case .bytes: return appendBytes(value, to: &batch)
        case .float64:
            guard let number = FloatText.anyDouble(value) else { return .foreign }
            batch.bytes.appendDouble(number)
        case .float32:
            // The text is of a double that is exactly a float.
            guard let number = FloatText.anyDouble(value) else { return .foreign }
            batch.bytes.appendFloat(Float(number))
        case .unsigned:
            guard let number = MySQLText.unsigned(value) else { return .foreign }
            batch.bytes.appendUnscaled(Int128(number))
        case .year:
            guard let number = MySQLText.integer(value) else { return .foreign }
            batch.bytes.appendLong(MySQLText.year(number, digitCount: value.count))
        case .number:
            guard let text = MySQLText.number(value) else { return .foreign }
            return appendNumber(text, isNegative: value[0] == UInt8(ascii: "-"), to: &batch)
        case .bits(let count): return appendBits(value, count, to: &batch)
        case .label:
            guard UTF8Text.isValid(value) else { return .notText }
            if ReservedValues.isWrongLabel(value) { batch.reserved[place] += 1 }
            return appendBytes(value, to: &batch)
        }
        return nil
    }

    @inline(__always)
    private func appendBytes(
        _ value: UnsafeRawBufferPointer, to batch: inout Batch
    ) -> MySQLFault? {
        if value.count > MySQLColumnReader.shortLimit, !batch.rowAdmits(value.count) {
            return .tooLong
        }
        batch.bytes.appendBytes(value)
        return nil
    }

    @inline(__always)
    private func appendDate(
        _ value: UnsafeRawBufferPointer, to batch: inout Batch
    ) -> MySQLFault? {
        guard value.count == 10, let parts = MySQLText.date(value) else { return .foreign }
        let days = ReservedValues.date(parts)
        // Every code of an impossible date lies far below what the calendar has.
        if days < -500_000_000 { batch.reserved[place] += 1 }
        batch.bytes.appendLong(Int64(days))
        return nil
    }

    @inline(__always)
    private func appendDateTime(
        _ value: UnsafeRawBufferPointer, to batch: inout Batch
    ) -> MySQLFault? {
        guard value.count >= 19, value[10] == UInt8(ascii: " "),
            let parts = MySQLText.date(value),
            let time = MySQLText.timeOfDay(UnsafeRawBufferPointer(rebasing: value[11...]))
        else { return .foreign }
        let micros = ReservedValues.timestamp(parts, microsOfDay: time)
        if micros < -2_000_000_000_000_000_000 { batch.reserved[place] += 1 }
        batch.bytes.appendLong(micros)
        return nil
    }

    private func appendNumber(
        _ digits: UnsafeRawBufferPointer, isNegative: Bool, to batch: inout Batch
    ) -> MySQLFault? {
        batch.bytes.appendLong(Int64(digits.count + (isNegative ? 1 : 0)))
        if isNegative { batch.bytes.append(UInt8(ascii: "-")) }
        batch.bytes.append(digits)
        return nil
    }

    private func appendBits(
        _ value: UnsafeRawBufferPointer, _ count: Int, to batch: inout Batch
    ) -> MySQLFault? {
        guard value.count == (count + 7) / 8, value.count > 0 else { return .foreign }
        batch.bytes.appendLong(Int64(count))
        let unused = value.count * 8 - count
        for bit in unused..<(value.count * 8) {
            let isSet = value[bit >> 3] & (0x80 >> UInt8(bit & 7)) != 0
            batch.bytes.append(UInt8(ascii: isSet ? "1" : "0"))
        }
        return nil
    }
}
