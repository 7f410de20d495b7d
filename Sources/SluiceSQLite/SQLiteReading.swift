internal import CSQLite
internal import SluiceCore
internal import SluiceRecords

/// How the values of one column become a field, decided once per column.
enum SQLiteColumnReading {
    case integer
    case real
    case text
    case blob
    case any

    /// For a field that holds the column's values as they are; nothing for types that SQLite has no
    /// values of.
    init?(_ type: ColumnType) {
        switch type {
        case .int64: self = .integer
        case .float64: self = .real
        case .text: self = .text
        case .bytes: self = .blob
        case .any: self = .any
        default: return nil
        }
    }
}

/// Why a value does not become its field.
enum SQLiteFault {
    case null
    case integer
    case real
    case text
    case blob
    case invalidText
    case tooLong

    /// As messages name the value.
    var what: String {
        switch self {
        case .null: "a NULL"
        case .integer: "an integer"
        case .real: "a real"
        case .text: "a text"
        case .blob: "a blob"
        case .invalidText: "a text that is not Unicode"
        case .tooLong: "a value that is too long"
        }
    }
}

/// One column of a statement, with what its field looks like.
struct SQLiteColumnReader {
    let reading: SQLiteColumnReading
    let isNullable: Bool
    let encoding: SQLiteEncoding

    /// A value longer than this is held against the row's limit before it is copied; the rest is
    /// seen at the row's end.
    private static let shortLimit = 4096

    /// Appends the value to the record that is being written, or says why it cannot be.
    ///
    /// The value must belong to a connection without a mutex, whose values may be read without
    /// further ado.
    @inline(__always)
    func append(_ value: OpaquePointer?, to batch: inout Batch) -> SQLiteFault? {
        let kind = sqlite3_value_type(value)
        switch reading {
        case .any: return appendAny(value, kind, to: &batch)
        case .integer:
            guard kind == SQLITE_INTEGER else { return other(kind, to: &batch) }
            if isNullable { batch.bytes.appendNotNull() }
            batch.bytes.appendLong(sqlite3_value_int64(value))
        case .real:
            guard kind == SQLITE_FLOAT else { return other(kind, to: &batch) }
            if isNullable { batch.bytes.appendNotNull() }
            batch.bytes.appendDouble(sqlite3_value_double(value))
        case .text:
            guard kind == SQLITE3_TEXT else { return other(kind, to: &batch) }
            guard let text = validText(value) else { return .invalidText }
            if isNullable { batch.bytes.appendNotNull() }
            return appendLong(text, to: &batch)
        case .blob:
            guard kind == SQLITE_BLOB else { return other(kind, to: &batch) }
            if isNullable { batch.bytes.appendNotNull() }
            return appendLong(SQLiteColumnReader.bytes(value), to: &batch)
        }
        return nil
    }

    @inline(__always)
    private func appendLong(_ bytes: UnsafeRawBufferPointer, to batch: inout Batch) -> SQLiteFault?
    {
        if bytes.count > SQLiteColumnReader.shortLimit, !batch.rowAdmits(bytes.count) {
            return .tooLong
        }
        batch.bytes.appendBytes(bytes)
        return nil
    }

    /// A value of another kind than the field's: NULL where that is allowed, otherwise what is
    /// wrong.
    @inline(__always)
    private func other(_ kind: Int32, to batch: inout Batch) -> SQLiteFault? {
        if kind == SQLITE_NULL, isNullable {
            batch.bytes.appendNull()
            return nil
        }
        return SQLiteColumnReader.fault(kind)
    }

    static func fault(_ kind: Int32) -> SQLiteFault {
        switch kind {
        case SQLITE_INTEGER: .integer
        case SQLITE_FLOAT: .real
        case SQLITE3_TEXT: .text
        case SQLITE_BLOB: .blob
        default: .null
        }
    }

    @inline(never)
    private func appendAny(
        _ value: OpaquePointer?, _ kind: Int32, to batch: inout Batch
    ) -> SQLiteFault? {
        switch kind {
        case SQLITE_INTEGER:
            batch.bytes.appendBranch(.long)
            batch.bytes.appendLong(sqlite3_value_int64(value))
        case SQLITE_FLOAT:
            batch.bytes.appendBranch(.double)
            batch.bytes.appendDouble(sqlite3_value_double(value))
        case SQLITE3_TEXT:
            if let text = validText(value) {
                batch.bytes.appendBranch(.string)
                return appendLong(text, to: &batch)
            }
            batch.bytes.appendBranch(.invalidText)
            return appendInvalidText(value, to: &batch)
        case SQLITE_BLOB:
            batch.bytes.appendBranch(.bytes)
            return appendLong(SQLiteColumnReader.bytes(value), to: &batch)
        default:
            batch.bytes.appendBranch(.null)
        }
        return nil
    }

    /// The text in UTF-8, or nothing where what is stored is not Unicode.
    @inline(__always)
    func validText(_ value: OpaquePointer?) -> UnsafeRawBufferPointer? {
        guard encoding == .utf8 else { return validUTF16(value) }
        // Asked for as a blob: the same bytes, without a search for a terminator.
        let bytes = SQLiteColumnReader.bytes(value)
        return SQLiteText.isUTF8(bytes) ? bytes : nil
    }

    @inline(never)
    private func validUTF16(_ value: OpaquePointer?) -> UnsafeRawBufferPointer? {
        let stored = SQLiteColumnReader.storedUTF16(value)
        guard SQLiteText.isUTF16(stored, isBigEndian: encoding == .utf16be) else { return nil }
        let start = sqlite3_value_text(value)
        return UnsafeRawBufferPointer(start: start, count: Int(sqlite3_value_bytes(value)))
    }

    private func appendInvalidText(_ value: OpaquePointer?, to batch: inout Batch) -> SQLiteFault? {
        withInvalidText(value) { appendLong($0, to: &batch) }
    }

    /// What records hold of a text that is not Unicode.
    func withInvalidText<Result>(
        _ value: OpaquePointer?, _ body: (UnsafeRawBufferPointer) -> Result
    ) -> Result {
        guard encoding != .utf8 else { return body(SQLiteColumnReader.bytes(value)) }
        let text = SQLiteText.generalizedUTF8(
            SQLiteColumnReader.storedUTF16(value), isBigEndian: encoding == .utf16be)
        return text.withUnsafeBytes(body)
    }

    /// A text's bytes as a UTF-16 database holds them.
    static func storedUTF16(_ value: OpaquePointer?) -> UnsafeRawBufferPointer {
        let start = sqlite3_value_blob(value)
        return UnsafeRawBufferPointer(start: start, count: Int(sqlite3_value_bytes16(value)))
    }

    @inline(__always)
    static func bytes(_ value: OpaquePointer?) -> UnsafeRawBufferPointer {
        let start = sqlite3_value_blob(value)
        return UnsafeRawBufferPointer(start: start, count: Int(sqlite3_value_bytes(value)))
    }
}
