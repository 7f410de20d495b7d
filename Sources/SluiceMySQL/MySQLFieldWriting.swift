internal import Glibc
internal import SluiceCore
internal import SluiceRecords

/// How one field of a record becomes a column's value, decided once per column.
struct MySQLFieldWriting: Sendable {
    enum Form: Hashable, Sendable {
        case boolean
        case long(lower: Int64, upper: Int64)
        /// Into a column without a sign and of 64 bits.
        case longAsUnsigned
        case uint64(upper: UInt64)
        /// Of a decimal without decimal places; the bounds are the column's.
        case wholeDecimal(lower: Int128, upper: Int128)
        case float32(places: Int)
        case float32AsFloat64(places: Int)
        case float64(places: Int)
        case float64AsFloat32(places: Int)
        case decimal(precision: Int, scale: Int)
        /// Written with exactly as many decimal places as its column has.
        case number(scale: Int)
        case year
        case date
        case time(digits: Int)
        case timestamp(digits: Int)
        case dateTime(digits: Int)
        case text(characters: Int, bytes: Int, isPadded: Bool)
        /// Text that holds whatever it holds: JSON, the server's own text.
        case plainText
        /// A label, or the server's word for a value that was none.
        case label(MySQLLabels)
        case labels(MySQLLabels)
        /// The number of a label, where '' is one of them: what is none has the same text.
        case ordinal(MySQLLabels)
        /// A label as text, which the code of what is none is not.
        case labelText(characters: Int, bytes: Int, isPadded: Bool)
        /// Texts in the one form that the column's values are printed in.
        case integerText(lower: Int128, upper: Int128)
        case dateText
        case timeText(digits: Int)
        case timestampText(digits: Int)
        case dateTimeText(digits: Int)
        case uuidText
        case inetText(isSix: Bool)
        case any
        case uuid
        case bytes(limit: Int, isPadded: Bool)
        case bits(Int)
        /// The field is not stored here: a rowid of SQLite's.
        case nothing
    }

    let form: Form
    let isNullable: Bool
    let isUTC: Bool

    init(_ field: Field, in storage: MySQLStorage) {
        isNullable = field.isNullable && field.type != .any
        isUTC = field.type == .timestamp
        form = field.isRowid ? .nothing : MySQLFieldWriting.form(field.type, in: storage)
    }

    private static func form(_ type: ColumnType, in storage: MySQLStorage) -> Form {
        switch (type, storage) {
        case (.boolean, _): .boolean
        case (.any, _): .any
        case (_, .text(let characters, let bytes, let isPadded)):
            text(type, characters ?? Int.max, bytes ?? Int.max, isPadded: isPadded)
        case (.int32, .year), (.int64, .year): .year
        case (.int32, .integer(64, true)), (.int64, .integer(64, true)): .longAsUnsigned
        case (.int32, .integer(let bits, let isUnsigned)),
            (.int64, .integer(let bits, let isUnsigned)):
            .long(
                lower: isUnsigned ? 0 : Int64.min >> Int64(64 - bits),
                upper: isUnsigned ? Int64(1) << Int64(bits) - 1 : Int64.max >> Int64(64 - bits))
        case (.int32, _), (.int64, _): .long(lower: Int64.min, upper: Int64.max)
        case (.uint64, .integer(let bits, let isUnsigned)):
            .uint64(upper: UInt64.max >> UInt64(64 - bits + (isUnsigned ? 0 : 1)))
        case (.uint64, _): .uint64(upper: UInt64.max)
        case (.decimal(_, 0), .integer(let bits, let isUnsigned)):
            .wholeDecimal(
                lower: isUnsigned ? 0 : -(Int128(1) << Int128(bits - 1)),
                upper: Int128(1) << Int128(isUnsigned ? bits : bits - 1) - 1)
        case (.decimal(let precision, let scale), _):
            .decimal(precision: precision, scale: scale)
        case (.float32, .float32(let places)): .float32(places: places ?? Int.max)
        case (.float32, .float64(let places)): .float32AsFloat64(places: places ?? Int.max)
        case (.float64, .float32(let places)): .float64AsFloat32(places: places ?? Int.max)
        case (.float64, .float64(let places)): .float64(places: places ?? Int.max)
        case (.numberText, .decimal(_, let scale)), (.text, .decimal(_, let scale)):
            .number(scale: scale)
        case (.text, .integer(let bits, let isUnsigned)):
            .integerText(
                lower: isUnsigned ? 0 : -(Int128(1) << Int128(bits - 1)),
                upper: Int128(1) << Int128(isUnsigned ? bits : bits - 1) - 1)
        case (.date, _): .date
        case (.time, .time(let digits)): .time(digits: digits)
        case (.timestamp, .timestamp(let digits)): .timestamp(digits: digits)
        case (.timestamp, .dateTime(let digits)), (.localTimestamp, .dateTime(let digits)):
            .dateTime(digits: digits)
        case (.enumeration, .label(let labels)) where labels.areWithEmpty: .ordinal(labels)
        case (_, .label(let labels)): .label(labels)
        case (_, .labels(let labels)): .labels(labels)
        case (.text, .date): .dateText
        case (.text, .time(let digits)): .timeText(digits: digits)
        case (.text, .timestamp(let digits)): .timestampText(digits: digits)
        case (.text, .dateTime(let digits)): .dateTimeText(digits: digits)
        case (.text, .uuid): .uuidText
        case (.text, .inet4): .inetText(isSix: false)
        case (.text, .inet6): .inetText(isSix: true)
        case (.uuid, _): .uuid
        case (.bytes, .bytes(let limit, let isPadded)):
            .bytes(limit: limit ?? Int.max, isPadded: isPadded)
        case (.bytes, _): .bytes(limit: Int.max, isPadded: false)
        case (.bitString, .bits(let count)), (.text, .bits(let count)): .bits(count)
        default: .plainText
        }
    }
}

extension MySQLFieldWriting {
    private static func text(
        _ type: ColumnType, _ characters: Int, _ bytes: Int, isPadded: Bool
    ) -> Form {
        type == .enumeration
            ? .labelText(characters: characters, bytes: bytes, isPadded: isPadded)
            : .text(characters: characters, bytes: bytes, isPadded: isPadded)
    }
}

/// What is looked at before a value is written.
enum MySQLLimits {
    /// Whether a text column takes it.
    @inline(__always)
    static func refusal(
        _ text: UnsafeRawBufferPointer, characters: Int, bytes: Int, isPadded: Bool
    ) -> MySQLRefusal? {
        if isPadded, let last = text.last, last == 0x20 { return .blanks }
        if text.count > bytes { return .byteLength(limit: bytes) }
        guard text.count > characters else { return nil }
        // Bytes that continue a character are not counted.
        var count = 0
        for byte in text where byte & 0xC0 != 0x80 { count &+= 1 }
        return count <= characters ? nil : .length(limit: characters)
    }

    /// Whether a text is a plain decimal number with as many digits behind its point, as the server
    /// prints those of a column.
    static func numberRefusal(_ text: UnsafeRawBufferPointer, scale: Int) -> MySQLRefusal? {
        var place = 0
        if place < text.count, text[place] == UInt8(ascii: "-") { place &+= 1 }
        let start = place
        while place < text.count, text[place] &- 0x30 < 10 { place &+= 1 }
        let whole = place &- start
        guard whole > 0, whole == 1 || text[start] != UInt8(ascii: "0") else { return .number }
        var fraction = 0
        if place < text.count, text[place] == UInt8(ascii: ".") {
            place &+= 1
            let first = place
            while place < text.count, text[place] &- 0x30 < 10 { place &+= 1 }
            fraction = place &- first
            guard fraction > 0 else { return .number }
        }
        guard place == text.count else { return .number }
        guard fraction == scale else { return .scale(scale) }
        // The server has no zero with a sign.
        if start == 1, !text.contains(where: { (0x31...0x39).contains($0) }) { return .number }
        return nil
    }

    /// Whether a text is an address as it is always printed.
    static func isInet(_ text: UnsafeRawBufferPointer, isSix: Bool) -> Bool {
        guard text.count < 46, !text.contains(0) else { return false }
        return withUnsafeTemporaryAllocation(byteCount: 128, alignment: 16) { room in
            let (given, form, address) = (0, 48, 96)
            guard let start = room.baseAddress else { return false }
            for index in 0..<text.count { room[given + index] = text[index] }
            room[given + text.count] = 0
            let family = isSix ? AF_INET6 : AF_INET
            let characters = start.assumingMemoryBound(to: CChar.self)
            guard inet_pton(family, characters + given, start + address) == 1,
                inet_ntop(family, start + address, characters + form, 48) != nil
            else { return false }
            return strcmp(characters + given, characters + form) == 0
        }
    }

    /// What the server makes of a number in a column with declared decimal places.
    static func rounded(_ value: Double, places: Int) -> Double {
        guard places < 31 else { return value }
        var power = 1.0
        for _ in 0..<places { power *= 10 }
        let whole = value.rounded(.down)
        return whole + ((value - whole) * power).rounded(.toNearestOrEven) / power
    }

    /// Whether all behind the digits that a column keeps of a fraction is zero.
    @inline(__always)
    static func fits(_ micros: Int64, digits: Int) -> Bool {
        switch digits {
        case 6: true
        case 5: micros % 10 == 0
        case 4: micros % 100 == 0
        case 3: micros % 1000 == 0
        case 2: micros % 10_000 == 0
        case 1: micros % 100_000 == 0
        default: micros % 1_000_000 == 0
        }
    }
}
