internal import SluiceCore
internal import SluiceRecords

/// How one field of a record becomes a column's value, decided once per column.
struct PostgresFieldWriting: Sendable {
    enum Form: Hashable, Sendable {
        case boolean
        case int16
        case int32
        case int64
        case uint32
        case uint64AsInt64
        case longAsNumeric
        case uint64AsNumeric
        case float32
        case float32AsFloat64
        case float64
        case float64AsFloat32
        case decimal(precision: Int, scale: Int)
        case number(scale: Int?)
        case text(limit: Int, isPadded: Bool)
        /// Text that holds whatever it holds: a label, JSON, the server's own text.
        case plainText
        case jsonb
        case bytes
        case date
        case time
        case timestamp
        case uuid
        case bits
        /// The text that `CalendarText` has for such a value.
        case textAsDate
        case textAsTime
        case textAsTimestamp(isUTC: Bool)
        case longAsBoolean
        case bitAsBoolean
        case any
        /// The field is not stored here: a rowid of SQLite's.
        case nothing
    }

    let form: Form
    let type: ColumnType
    let isNullable: Bool
    /// The column's digits of a fraction of a second are worth as many microseconds.
    let unit: Int64

    /// - Parameter digits: what the column keeps of a fraction of a second.
    init(_ field: Field, in storage: PostgresStorage, digits: Int = 6) {
        type = field.type
        unit = [1_000_000, 100_000, 10_000, 1000, 100, 10, 1][digits]
        isNullable = field.isNullable && field.type != .any
        form =
            field.isRowid ? .nothing : PostgresFieldWriting.form(field.type, in: storage)
    }

    /// The number 0 or 1, or the one bit, as a boolean; nothing where it is another.
    func flag(_ cursor: inout RecordCursor) throws(Failure) -> Bool? {
        guard form == .bitAsBoolean else {
            let value = try cursor.long()
            return value == 0 || value == 1 ? value == 1 : nil
        }
        let bits = try cursor.bytes()
        return bits.count == 1 ? bits[0] == UInt8(ascii: "1") : nil
    }

    /// What is wrong where there is none.
    var flagRefusal: PostgresRefusal { form == .bitAsBoolean ? .bit : .boolean }

    /// Whether the server would round nothing off of a time or timestamp. What it cannot have at
    /// all is refused for that.
    @inline(__always)
    func keeps(_ value: Int64) -> Bool { unit == 1 || keepsFraction(value) }

    private func keepsFraction(_ value: Int64) -> Bool {
        switch form {
        case .timestamp, .textAsTimestamp:
            // As the server counts: the last years and both infinities wrap around in records.
            guard let micros = ReservedValues.postgresTimestamp(value) else { return true }
            return micros % unit == 0 || micros == .max || micros == .min
        default: return value % unit == 0
        }
    }

    /// What is said where it would.
    var roundingRefusal: PostgresRefusal {
        var digits = 6
        var rest = unit
        while rest > 1 {
            rest /= 10
            digits -= 1
        }
        return .fraction(digits: digits)
    }

    private static func form(_ type: ColumnType, in storage: PostgresStorage) -> Form {
        switch (type, storage) {
        case (.boolean, _): .boolean
        case (.int32, .int16), (.int64, .int16): .int16
        case (.int32, .int32), (.int64, .int32): .int32
        case (.int32, .uint32), (.int64, .uint32): .uint32
        case (.int32, .numeric), (.int64, .numeric): .longAsNumeric
        case (.int32, .boolean), (.int64, .boolean): .longAsBoolean
        case (.bitString, .boolean): .bitAsBoolean
        case (.int32, _), (.int64, _): .int64
        case (.uint64, .int64): .uint64AsInt64
        case (.uint64, _): .uint64AsNumeric
        case (.float32, .float64): .float32AsFloat64
        case (.float32, _): .float32
        case (.float64, .float32): .float64AsFloat32
        case (.float64, _): .float64
        case (.decimal(let precision, let scale), _): .decimal(precision: precision, scale: scale)
        case (.numberText, .numeric(_, let scale)), (.text, .numeric(_, let scale)):
            .number(scale: scale.map { max($0, 0) })
        case (.text, .date): .textAsDate
        case (.text, .time): .textAsTime
        case (.text, .timestamp): .textAsTimestamp(isUTC: true)
        case (.text, .localTimestamp): .textAsTimestamp(isUTC: false)
        case (_, .text(let limit, let isPadded)):
            .text(limit: limit ?? Int.max, isPadded: isPadded)
        case (.json, .jsonb): .jsonb
        case (.bytes, _): .bytes
        case (.date, _): .date
        case (.time, _): .time
        case (.timestamp, _), (.localTimestamp, _): .timestamp
        case (.uuid, _), (.text, .uuid): .uuid
        case (.bitString, .bits), (.text, .bits): .bits
        case (.any, _): .any
        default: .plainText
        }
    }
}

/// What both ways of writing look at.
enum PostgresText {
    /// Whether a text column takes it.
    @inline(__always)
    static func refusal(
        _ text: UnsafeRawBufferPointer, limit: Int, isPadded: Bool
    ) -> PostgresRefusal? {
        if hasNUL(text) { return .nul }
        guard limit != Int.max else { return nil }
        // Bytes that continue a character are not counted.
        if !isPadded, text.count <= limit { return nil }
        var characters = 0
        for byte in text where byte & 0xC0 != 0x80 { characters &+= 1 }
        if isPadded { return characters == limit ? nil : .padding(limit: limit) }
        return characters <= limit ? nil : .length(limit: limit)
    }

    @inline(__always)
    static func hasNUL(_ text: UnsafeRawBufferPointer) -> Bool {
        var place = 0
        while text.count &- place >= 8 {
            let word = text.loadUnaligned(fromByteOffset: place, as: UInt64.self)
            // The highest bit of each byte that is zero, and of no other before it.
            if (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080 != 0 { return true }
            place &+= 8
        }
        while place < text.count {
            if text[place] == 0 { return true }
            place &+= 1
        }
        return false
    }

    /// The record's value for the one text of a date, time or timestamp; nothing for any other,
    /// and for what no calendar has.
    static func moment(
        _ text: UnsafeRawBufferPointer, _ form: PostgresFieldWriting.Form
    ) -> Int64? {
        switch form {
        case .textAsDate:
            guard let days = CalendarText.parseDate(text),
                !ReservedValues.isReserved(.date, Int64(days))
            else { return nil }
            return Int64(days)
        case .textAsTime: return CalendarText.parseTime(text)
        case .textAsTimestamp(let isUTC):
            guard let micros = CalendarText.parseTimestamp(text, isUTC: isUTC),
                !ReservedValues.isReserved(.timestamp, micros)
            else { return nil }
            return micros
        default: return nil
        }
    }

    /// The value of a hexadecimal digit; 16 for anything else.
    @inline(__always)
    static func hexadecimal(_ byte: UInt8) -> UInt8 {
        if byte &- 0x30 < 10 { return byte &- 0x30 }
        let letter = (byte | 0x20) &- 0x61
        return letter < 6 ? letter &+ 10 : 16
    }
}
