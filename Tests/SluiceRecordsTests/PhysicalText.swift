import SluiceCore
import SluiceRecords

/// A record's values as other readers' are shown, to compare them: integers of all kinds as
/// digits, floats as bits, texts as `s`, bytes as `b` and invalid text as `i` with hexadecimal
/// digits.
enum PhysicalText {
    /// A line per record.
    static func lines(_ records: [UInt8], _ schema: RecordSchema) throws -> [String] {
        try records.withUnsafeBytes { raw throws in
            var cursor = RecordCursor(raw)
            var lines: [String] = []
            while !cursor.isAtEnd {
                var values: [String] = []
                for field in schema.fields { values.append(try value(field, &cursor)) }
                lines.append(values.joined(separator: "|"))
            }
            return lines
        }
    }

    static func double(_ value: Double) -> String {
        value.isNaN ? "nan" : Hexadecimal.string((0..<8).map { byte(value.bitPattern, 7 - $0) })
    }

    static func float(_ value: Float) -> String {
        value.isNaN
            ? "nan" : Hexadecimal.string((0..<4).map { byte(UInt64(value.bitPattern), 3 - $0) })
    }

    private static func byte(_ bits: UInt64, _ place: Int) -> UInt8 {
        UInt8(truncatingIfNeeded: bits >> UInt64(place * 8))
    }

    private static func value(_ field: Field, _ cursor: inout RecordCursor) throws -> String {
        if field.type == .any { return try any(&cursor) }
        if field.isNullable, try cursor.isNull() { return "null" }
        switch field.type {
        case .boolean: return try cursor.boolean() ? "true" : "false"
        case .int32, .int64, .date, .time, .timestamp, .localTimestamp:
            return "\(try cursor.long())"
        case .uint64, .decimal: return "\(try cursor.unscaled())"
        case .float32: return float(try cursor.float())
        case .float64: return double(try cursor.double())
        case .bytes: return "b" + Hexadecimal.string(try cursor.bytes())
        case .text, .numberText, .uuid, .json, .enumeration, .set, .bitString, .serverText, .any:
            return "s" + Hexadecimal.string(try cursor.bytes())
        }
    }

    private static func any(_ cursor: inout RecordCursor) throws -> String {
        switch try cursor.anyBranch() {
        case .null: "null"
        case .long: "\(try cursor.long())"
        case .double: double(try cursor.double())
        case .string: "s" + Hexadecimal.string(try cursor.bytes())
        case .bytes: "b" + Hexadecimal.string(try cursor.bytes())
        case .invalidText: "i" + Hexadecimal.string(try cursor.bytes())
        }
    }
}
