public import SluiceCore

/// How messages and reports name a row: by its key, `id = 42`, or by its hidden rowid, `rowid = 7`.
public struct RowName: Sendable {
    /// Longer texts are cut: a name is for finding a row, not for reading it.
    private static let textLimit = 64

    private struct Part: Sendable {
        let label: String
        let type: ColumnType
        let isNullable: Bool
        let isKey: Bool
    }

    private let parts: [Part]
    /// Whether rows of this table have a name at all.
    public let isAvailable: Bool

    public init(_ plan: TablePlan) {
        let fields = plan.schema.fields
        let usesRowid = plan.definition.primaryKey.isEmpty
        let parts = fields.map { field in
            Part(
                label: field.isRowid ? "rowid" : field.name.text, type: field.type,
                isNullable: field.isNullable,
                isKey: field.isRowid ? usesRowid : plan.definition.primaryKey.contains(field.name))
        }
        let last = parts.lastIndex { $0.isKey }
        isAvailable = last != nil
        // Nothing behind the last part of the key is looked at.
        self.parts = last.map { Array(parts[...$0]) } ?? []
    }

    /// The name of one record, whatever follows it; nothing where the table's rows have none.
    public func text(of record: UnsafeRawBufferPointer) throws(Failure) -> String? {
        guard isAvailable else { return nil }
        var cursor = RecordCursor(record)
        var names: [String] = []
        for part in parts {
            if part.isKey {
                names.append("\(part.label) = \(try RowName.text(&cursor, part))")
            } else {
                _ = try RowName.text(&cursor, part)
            }
        }
        return names.joined(separator: ", ")
    }

    private static func text(_ cursor: inout RecordCursor, _ part: Part) throws(Failure) -> String {
        if part.type == .any { return try anyText(&cursor) }
        if part.isNullable, try cursor.isNull() { return "NULL" }
        switch part.type {
        case .boolean: return try cursor.boolean() ? "true" : "false"
        case .int32, .int64: return String(try cursor.long())
        case .float32: return "\(try cursor.float())"
        case .float64: return "\(try cursor.double())"
        case .uint64: return decimal(try cursor.unscaled(), scale: 0)
        case .decimal(_, let scale): return decimal(try cursor.unscaled(), scale: scale)
        case .bytes: return blob(try cursor.bytes())
        case .date, .time, .timestamp, .localTimestamp:
            return calendar(part.type, try cursor.long())
        case .numberText: return String(decoding: try cursor.bytes(), as: UTF8.self)
        case .text, .uuid, .json, .enumeration, .set, .bitString, .serverText, .any:
            return quoted(try cursor.bytes())
        }
    }

    private static func anyText(_ cursor: inout RecordCursor) throws(Failure) -> String {
        switch try cursor.anyBranch() {
        case .null: "NULL"
        case .long: String(try cursor.long())
        case .double: "\(try cursor.double())"
        case .string, .invalidText: quoted(try cursor.bytes())
        case .bytes: blob(try cursor.bytes())
        }
    }

    private static func decimal(_ unscaled: Int128, scale: Int) -> String {
        var output = ByteBuffer()
        DecimalText.append(unscaled, scale: scale, to: &output)
        return String(decoding: output.bytes, as: UTF8.self)
    }

    private static func calendar(_ type: ColumnType, _ value: Int64) -> String {
        var output = ByteBuffer()
        switch type {
        case .date: CalendarText.append(date: Int32(truncatingIfNeeded: value), to: &output)
        case .time: CalendarText.append(time: value, to: &output)
        default:
            CalendarText.append(timestamp: value, isUTC: type == .timestamp, to: &output)
        }
        return String(decoding: output.bytes, as: UTF8.self)
    }

    private static func quoted(_ bytes: UnsafeRawBufferPointer) -> String {
        let isCut = bytes.count > textLimit
        var output = "'"
        for scalar in String(decoding: bytes.prefix(textLimit), as: UTF8.self).unicodeScalars {
            switch scalar {
            case "'": output += "''"
            case "\u{00}"..."\u{1F}", "\u{7F}": output += "\\u{\(String(scalar.value, radix: 16))}"
            default: output.unicodeScalars.append(scalar)
            }
        }
        return output + (isCut ? "…'" : "'")
    }

    private static func blob(_ bytes: UnsafeRawBufferPointer) -> String {
        let isCut = bytes.count > textLimit / 2
        return "x'" + Hexadecimal.string(bytes.prefix(textLimit / 2)) + (isCut ? "…'" : "'")
    }
}
