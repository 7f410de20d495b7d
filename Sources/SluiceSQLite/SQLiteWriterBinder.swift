internal import CSQLite
internal import SluiceCore
internal import SluiceRecords

/// How one field of a table's records goes into its parameter.
struct SQLiteBinding: Sendable {
    enum Coding: Sendable {
        case boolean
        case integer
        case float
        case double
        case text
        case label
        case bytes
        case uint64
        case decimal
        case date
        case time
        case timestamp
        case localTimestamp
        case any
    }

    var coding: Coding
    var isNullable: Bool
    /// SQLite would number the row itself instead of keeping the NULL: the column is the rowid.
    var refusesNull: Bool
    /// Where the column takes every storage class as it is, `blob`.
    var affinity: SQLiteAffinity
    /// Of a decimal.
    var scale: Int
    /// A decimal's values are within ± this; beyond it are the reserved ones (design §5).
    var limit: Int128

    init(_ field: Field, affinity: SQLiteAffinity, isRowid: Bool) {
        coding =
            switch field.type {
            case .boolean: .boolean
            case .int32, .int64: .integer
            case .float32: .float
            case .float64: .double
            case .bytes: .bytes
            case .uint64: .uint64
            case .decimal: .decimal
            case .date: .date
            case .time: .time
            case .timestamp: .timestamp
            case .localTimestamp: .localTimestamp
            case .any: .any
            case .enumeration: .label
            case .numberText, .text, .uuid, .json, .set, .bitString, .serverText: .text
            }
        isNullable = field.isNullable && field.type != .any
        refusesNull = isRowid
        self.affinity = affinity
        scale = 0
        limit = 0
        if case .decimal(let precision, let itsScale) = field.type {
            scale = itsScale
            limit = ReservedValues.decimalEnd(precision: precision)
        }
    }

    /// The most bytes of text that are made for one value; 0 where the record holds what is bound.
    var textLimit: Int {
        switch coding {
        case .uint64, .decimal: DecimalText.byteLimit
        case .date, .time, .timestamp, .localTimestamp: CalendarText.byteLimit
        default: 0
        }
    }
}

/// Binds records to an INSERT's parameters, straight from their bytes.
///
/// What it binds must stay where it is until the statement was run: the record, and the texts made
/// here.
struct SQLiteBinder: ~Copyable {
    // Without names, so that no reference is counted in the row loop.
    private let bindings: [SQLiteBinding]
    private let names: [Name]
    private let encoding: SQLiteEncoding
    private var texts: ByteBuffer
    private let textLimit: Int

    /// - Parameter encoding: the database's; not every text survives SQLite's way into UTF-16.
    init(_ bindings: [SQLiteBinding], names: [Name], encoding: SQLiteEncoding) {
        self.bindings = bindings
        self.names = names
        self.encoding = encoding
        textLimit = bindings.reduce(0) { $0 + $1.textLimit }
        texts = ByteBuffer(capacity: textLimit)
    }

    /// Binds the record that the cursor stands before, and moves it behind.
    mutating func bind(
        _ cursor: inout RecordCursor, to statement: OpaquePointer
    ) throws(Failure) {
        texts.removeAll()
        // One reservation, because growing would move texts that are bound already.
        texts.reserve(textLimit)
        for index in bindings.indices {
            let place = Int32(truncatingIfNeeded: index &+ 1)
            let code = try bind(bindings[index], &cursor, statement, place)
            guard code == SQLITE_OK else { throw failure(code, place) }
        }
    }

    @inline(__always)
    private mutating func bind(
        _ binding: SQLiteBinding, _ cursor: inout RecordCursor,
        _ statement: OpaquePointer, _ place: Int32
    ) throws(Failure) -> Int32 {
        if binding.isNullable, try cursor.isNull() {
            guard !binding.refusesNull else { throw refusal(.nullRowid, place) }
            return sqlite3_bind_null(statement, place)
        }
        switch binding.coding {
        case .integer: return sqlite3_bind_int64(statement, place, try cursor.long())
        case .boolean: return sqlite3_bind_int64(statement, place, try cursor.boolean() ? 1 : 0)
        case .text: return try bindText(try cursor.bytes(), binding, statement, place)
        case .bytes: return bindBytes(try cursor.bytes(), statement, place)
        case .label:
            let text = try cursor.bytes()
            guard !ReservedValues.isWrongLabel(text) else { throw refusal(.reserved, place) }
            return try bindText(text, binding, statement, place)
        case .double: return try bindReal(try cursor.double(), binding, statement, place)
        case .float: return try bindReal(Double(try cursor.float()), binding, statement, place)
        case .any: return try bindAny(&cursor, binding, statement, place)
        default: return try bindMadeText(&cursor, binding, statement, place)
        }
    }

    @inline(__always)
    private func bindReal(
        _ value: Double, _ binding: SQLiteBinding, _ statement: OpaquePointer,
        _ place: Int32
    ) throws(Failure) -> Int32 {
        guard !value.isNaN else { throw refusal(.notANumber, place) }
        switch binding.affinity {
        case .blob, .none: break
        case .real:
            if SQLiteConversion.losesSign(value) {
                throw refusal(.negativeZero, place)
            }
        case .integer, .numeric:
            if SQLiteConversion.makesInteger(value) {
                throw refusal(.realToInteger, place)
            }
        case .text: throw refusal(.realToText, place)
        }
        return sqlite3_bind_double(statement, place, value)
    }

    @inline(__always)
    private func bindText(
        _ bytes: UnsafeRawBufferPointer, _ binding: SQLiteBinding,
        _ statement: OpaquePointer, _ place: Int32
    ) throws(Failure) -> Int32 {
        switch binding.affinity {
        case .text, .blob, .none: break
        case .integer, .numeric, .real:
            if SQLiteConversion.makesNumber(bytes) {
                throw refusal(.textToNumber, place)
            }
        }
        if encoding != .utf8, !SQLiteText.survivesUTF16(bytes) {
            return try bindMarkedUTF16(bytes, statement, place)
        }
        guard let start = bytes.baseAddress, bytes.count > 0 else {
            // Without an address SQLite would bind NULL.
            return sluice_sqlite3_bind_text_copy(statement, place, "", 0)
        }
        return sluice_sqlite3_bind_text_lent(
            statement, place, start.assumingMemoryBound(to: CChar.self), UInt64(bytes.count))
    }

    @inline(__always)
    private func bindBytes(
        _ bytes: UnsafeRawBufferPointer, _ statement: OpaquePointer, _ place: Int32
    ) -> Int32 {
        guard let start = bytes.baseAddress, bytes.count > 0 else {
            return sqlite3_bind_zeroblob(statement, place, 0)
        }
        return sluice_sqlite3_bind_blob_lent(statement, place, start, UInt64(bytes.count))
    }

    private func bindAny(
        _ cursor: inout RecordCursor, _ binding: SQLiteBinding,
        _ statement: OpaquePointer, _ place: Int32
    ) throws(Failure) -> Int32 {
        switch try cursor.anyBranch() {
        case .null:
            guard !binding.refusesNull else { throw refusal(.nullRowid, place) }
            return sqlite3_bind_null(statement, place)
        case .long:
            switch binding.affinity {
            case .integer, .numeric, .blob, .none: break
            case .real: throw refusal(.integerToReal, place)
            case .text: throw refusal(.integerToText, place)
            }
            return sqlite3_bind_int64(statement, place, try cursor.long())
        case .double: return try bindReal(try cursor.double(), binding, statement, place)
        case .string: return try bindText(try cursor.bytes(), binding, statement, place)
        case .bytes: return bindBytes(try cursor.bytes(), statement, place)
        // Text with other bytes than UTF-8's: in a UTF-8 database SQLite keeps them as they are.
        case .invalidText: return try bindText(try cursor.bytes(), binding, statement, place)
        }
    }

    /// What SQLite has no type for: its text is made here.
    private mutating func bindMadeText(
        _ cursor: inout RecordCursor, _ binding: SQLiteBinding,
        _ statement: OpaquePointer, _ place: Int32
    ) throws(Failure) -> Int32 {
        let start = texts.count
        switch binding.coding {
        case .uint64: DecimalText.append(try cursor.unscaled(), scale: 0, to: &texts)
        case .decimal:
            let unscaled = try cursor.unscaled()
            guard unscaled > -binding.limit, unscaled < binding.limit else {
                throw refusal(.reserved, place)
            }
            DecimalText.append(unscaled, scale: binding.scale, to: &texts)
        case .date:
            let value = try cursor.long()
            guard let days = Int32(exactly: value), !ReservedValues.isReserved(.date, value) else {
                throw refusal(.reserved, place)
            }
            CalendarText.append(date: days, to: &texts)
        case .time: CalendarText.append(time: try cursor.long(), to: &texts)
        case .timestamp, .localTimestamp:
            let value = try cursor.long()
            guard !ReservedValues.isReserved(.timestamp, value) else {
                throw refusal(.reserved, place)
            }
            CalendarText.append(
                timestamp: value, isUTC: binding.coding == .timestamp, to: &texts)
        default: preconditionFailure("a record type whose values are bound as they are")
        }
        let made = UnsafeRawBufferPointer(rebasing: texts.bytes[start...])
        return try bindText(made, binding, statement, place)
    }

    /// A text that SQLite would change on the way from UTF-8, as the UTF-16 that is kept.
    @inline(never)
    private func bindMarkedUTF16(
        _ bytes: UnsafeRawBufferPointer, _ statement: OpaquePointer, _ place: Int32
    ) throws(Failure) -> Int32 {
        let isBigEndian = encoding == .utf16be
        guard
            let text = SQLiteText.utf16(
                generalizedUTF8: bytes, isBigEndian: isBigEndian, isMarked: true)
        else { throw refusal(.notUTF16, place) }
        return text.withUnsafeBytes {
            sluice_sqlite3_bind_marked_text16_copy(
                statement, place, $0.baseAddress, UInt64($0.count))
        }
    }
}

extension SQLiteBinder {
    /// Why a value is not bound: SQLite would keep another one.
    enum Refusal {
        case nullRowid
        case notANumber
        case negativeZero
        case realToInteger
        case realToText
        case integerToReal
        case integerToText
        case textToNumber
        case notUTF16
        case reserved
    }

    @inline(never)
    private func refusal(_ refusal: Refusal, _ place: Int32) -> Failure {
        let what =
            switch refusal {
            case .nullRowid: "cannot keep NULL: it is the rowid, and SQLite would number the row"
            case .notANumber: "cannot keep NaN: SQLite would make it NULL"
            case .negativeZero: "cannot keep -0.0: SQLite would make it 0.0"
            case .realToInteger: "cannot keep a whole real number: SQLite would make it an integer"
            case .realToText: "cannot keep a real number: SQLite would make it a text"
            case .integerToReal: "cannot keep an integer: SQLite would make it a real number"
            case .integerToText: "cannot keep an integer: SQLite would make it a text"
            case .textToNumber: "cannot keep a text that is a number: SQLite would make it a number"
            case .notUTF16: "cannot keep a text that UTF-16 has no characters for"
            case .reserved: "cannot keep a value that its type has no word for"
            }
        let hint =
            switch refusal {
            case .notANumber, .reserved:
                "SQLite has no such value; leave the table out, or change the row in the source."
            case .notUTF16: "Make the target with PRAGMA encoding = 'UTF-8', or change the row."
            default: "Declare the column without a type in the target, or leave the table out."
            }
        return Failure(.refused, "column \(names[Int(place) - 1]) \(what)", hint: hint)
            .refusing(row: nil)
    }

    @inline(never)
    private func failure(_ code: Int32, _ place: Int32) -> Failure {
        let name = names[Int(place) - 1]
        if code & 0xFF == SQLITE_TOOBIG {
            return Failure(
                .failed, "column \(name) cannot keep a value of this length",
                code: SQLiteFailure.name(code),
                hint: "SQLite's limit is 1,000,000,000 bytes for a value and for a row."
            ).refusing(row: nil)
        }
        return Failure(
            code & 0xFF == SQLITE_NOMEM ? .failed : .bug,
            "column \(name) could not be bound", code: SQLiteFailure.name(code))
    }
}
