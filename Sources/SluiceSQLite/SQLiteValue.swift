internal import CSQLite
internal import SluiceCore

/// One value outside the record path: rows of system tables, bounds of chunks, keys in messages.
enum SQLiteValue: Hashable, Sendable {
    case null
    case integer(Int64)
    case real(Double)
    /// Any bytes; UTF-8 where they are that.
    case text([UInt8])
    case blob([UInt8])
}

extension SQLiteValue {
    /// As SQL that gives this value, whatever it holds; without an affinity of its own.
    var literal: String {
        switch self {
        case .null: return "NULL"
        case .integer(let number): return String(number)
        case .real(let number): return SQLiteValue.literal(number)
        case .blob(let bytes): return "x'\(Hexadecimal.string(bytes))'"
        case .text(let bytes):
            // NUL would end the statement, other control characters make messages and plans hard to
            // read.
            if bytes.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }),
                let text = String(validating: bytes, as: UTF8.self)
            {
                return Name(text).literal
            }
            // The plus takes the cast's affinity away, which would convert what it is compared
            // with.
            return "+CAST(x'\(Hexadecimal.string(bytes))' AS TEXT)"
        }
    }

    private static func literal(_ number: Double) -> String {
        if number == .infinity { return "9e999" }
        if number == -.infinity { return "-9e999" }
        // Swift's shortest text reads back bit-equal, and always has a point or an exponent.
        return "\(number)"
    }

    /// As a member of a JSON array: integers and text as themselves, everything else as an object
    /// of one member.
    var json: JSON {
        switch self {
        case .null: return .null
        case .integer(let number): return .int(Int(number))
        case .real(let number):
            return ["real": .string(Hexadecimal.string(SQLiteValue.bytes(number.bitPattern)))]
        case .blob(let bytes): return ["blob": .string(Hexadecimal.string(bytes))]
        case .text(let bytes):
            if let text = String(validating: bytes, as: UTF8.self) { return .string(text) }
            return ["text": .string(Hexadecimal.string(bytes))]
        }
    }

    /// What `json` gives; nothing for anything else.
    init?(_ json: JSON) {
        switch json {
        case .null: self = .null
        case .int(let number): self = .integer(Int64(number))
        case .string(let text): self = .text(Array(text.utf8))
        case .object(let members):
            guard members.count == 1, let digits = members[0].value.text,
                let bytes = Hexadecimal.bytes(digits)
            else { return nil }
            switch Name(members[0].key) {
            case "blob": self = .blob(bytes)
            case "text": self = .text(bytes)
            case "real":
                guard bytes.count == 8 else { return nil }
                self = .real(Double(bitPattern: bytes.reduce(0) { $0 << 8 | UInt64($1) }))
            default: return nil
            }
        default: return nil
        }
    }

    private static func bytes(_ bits: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: bits >> (56 - 8 * UInt64($0))) }
    }
}

extension SQLiteStatement {
    /// A copy of a value of the current row.
    func value(_ column: Int) -> SQLiteValue {
        switch kind(column) {
        case .null: .null
        case .integer: .integer(integer(column))
        case .real: .real(real(column))
        case .text: .text([UInt8](text(column)))
        case .blob: .blob([UInt8](blob(column)))
        }
    }

    /// A value of the current row as SQL that gives this very value in a database of that encoding.
    ///
    /// Of a text in UTF-16 nobody may have asked for UTF-8 before: SQLite then keeps only that.
    func literal(_ column: Int, in encoding: SQLiteEncoding) -> String {
        guard encoding != .utf8, kind(column) == .text else { return value(column).literal }
        // What is stored first: asking for UTF-8 converts it.
        let stored = [UInt8](
            SQLiteColumnReader.storedUTF16(
                sqlite3_column_value(handle, Int32(truncatingIfNeeded: column))))
        let isUnicode = stored.withUnsafeBytes {
            SQLiteText.isUTF16($0, isBigEndian: encoding == .utf16be)
        }
        let plain = value(column).literal
        let isPlain = plain.utf8.first == UInt8(ascii: "'")
        let survives = Array(plain.utf8).withUnsafeBytes { SQLiteText.survivesUTF16($0) }
        if isUnicode, isPlain, survives { return plain }
        // The cast takes the bytes for text in the database's encoding.
        return "+CAST(x'\(Hexadecimal.string(stored))' AS TEXT)"
    }

    /// Binds a value that must live until the statement was run.
    func bind(_ value: SQLiteValue, at place: Int) throws(Failure) {
        switch value {
        case .null: try bindNull(place)
        case .integer(let number): try bind(number, at: place)
        case .real(let number): try bind(number, at: place)
        case .text(let bytes): try bindCopy(bytes, asText: true, at: place)
        case .blob(let bytes): try bindCopy(bytes, asText: false, at: place)
        }
    }
}
