internal import CSQLite
internal import SluiceCore

/// The storage class of a value (what `typeof` says).
enum SQLiteKind: Int32 {
    case integer = 1
    case real = 2
    case text = 3
    case blob = 4
    case null = 5
}

/// A compiled statement. Belongs to its connection's lane; freed when it goes out of scope.
///
/// Places of parameters count from 1, columns from 0, as in SQLite.
struct SQLiteStatement: ~Copyable {
    let handle: OpaquePointer
    /// Keeps the connection open for as long as the statement lives.
    let connection: SQLiteConnection

    /// Compiles the first statement of `sql`, which must not be empty.
    init(_ sql: String, on connection: SQLiteConnection) throws(Failure) {
        var sql = sql
        var compiled: OpaquePointer?
        let code = sql.withUTF8 { text in
            let bytes = UnsafeRawBufferPointer(text).assumingMemoryBound(to: CChar.self)
            return sqlite3_prepare_v3(
                connection.handle, bytes.baseAddress, Int32(clamping: bytes.count),
                UInt32(SQLITE_PREPARE_PERSISTENT), &compiled, nil)
        }
        guard code == SQLITE_OK else { throw connection.failure(code) }
        guard let handle = compiled else { throw Failure(.bug, "an empty statement was compiled") }
        self.handle = handle
        self.connection = connection
    }

    deinit {
        sqlite3_finalize(handle)
    }

    /// Goes to the next row; false when there are no more.
    func step() throws(Failure) -> Bool {
        let code = sqlite3_step(handle)
        if code == SQLITE_ROW { return true }
        if code == SQLITE_DONE { return false }
        throw connection.failure(code)
    }

    /// Runs to the end and is ready to be bound and run again.
    func run() throws(Failure) {
        var code = sqlite3_step(handle)
        while code == SQLITE_ROW { code = sqlite3_step(handle) }
        // The reset repeats the code of the step that failed.
        let resetCode = sqlite3_reset(handle)
        guard code == SQLITE_DONE else { throw connection.failure(resetCode) }
    }
}

/// Values out of the current row; pointers are valid until the next step, reset or conversion of
/// that column.
extension SQLiteStatement {
    var columnCount: Int { Int(sqlite3_column_count(handle)) }

    func kind(_ column: Int) -> SQLiteKind {
        SQLiteKind(rawValue: sqlite3_column_type(handle, Int32(truncatingIfNeeded: column)))
            ?? .null
    }

    func integer(_ column: Int) -> Int64 {
        sqlite3_column_int64(handle, Int32(truncatingIfNeeded: column))
    }

    func real(_ column: Int) -> Double {
        sqlite3_column_double(handle, Int32(truncatingIfNeeded: column))
    }

    /// A text's UTF-8, NUL bytes included; not checked for validity.
    func text(_ column: Int) -> UnsafeRawBufferPointer {
        let column = Int32(truncatingIfNeeded: column)
        // The text first: asking for the length first may convert a UTF-16 value in between.
        let start = sqlite3_column_text(handle, column)
        return UnsafeRawBufferPointer(
            start: start, count: Int(sqlite3_column_bytes(handle, column)))
    }

    func blob(_ column: Int) -> UnsafeRawBufferPointer {
        let column = Int32(truncatingIfNeeded: column)
        let start = sqlite3_column_blob(handle, column)
        return UnsafeRawBufferPointer(
            start: start, count: Int(sqlite3_column_bytes(handle, column)))
    }

    /// A copy of a text, for catalogues and messages; nothing where it is not UTF-8.
    func string(_ column: Int) -> String? {
        String(validating: text(column), as: UTF8.self)
    }

    /// A copy of a name, or a failure that shows its bytes where it is not UTF-8.
    func name(_ column: Int, of what: String) throws(Failure) -> Name {
        let bytes = text(column)
        guard let name = Name(utf8: bytes) else {
            throw Failure(
                .refused, "the name of \(what) is not UTF-8: x'\(Hexadecimal.string(bytes))'",
                hint: "Rename it, or leave it out.")
        }
        return name
    }
}

/// Values into parameters. `lent` bytes must stay where they are until the statement is reset or
/// bound anew.
extension SQLiteStatement {
    func bindNull(_ place: Int) throws(Failure) {
        try check(sqlite3_bind_null(handle, Int32(truncatingIfNeeded: place)))
    }

    func bind(_ value: Int64, at place: Int) throws(Failure) {
        try check(sqlite3_bind_int64(handle, Int32(truncatingIfNeeded: place), value))
    }

    func bind(_ value: Double, at place: Int) throws(Failure) {
        try check(sqlite3_bind_double(handle, Int32(truncatingIfNeeded: place), value))
    }

    func bind(_ value: String, at place: Int) throws(Failure) {
        try bindCopy(Array(value.utf8), asText: true, at: place)
    }

    func bindCopy(_ bytes: [UInt8], asText: Bool, at place: Int) throws(Failure) {
        let place = Int32(truncatingIfNeeded: place)
        let code = bytes.withUnsafeBytes { bytes -> Int32 in
            // Without an address SQLite binds NULL instead of nothing.
            guard asText else {
                return bytes.isEmpty
                    ? sqlite3_bind_zeroblob(handle, place, 0)
                    : sluice_sqlite3_bind_blob_copy(
                        handle, place, bytes.baseAddress, UInt64(bytes.count))
            }
            return bytes.isEmpty
                ? sluice_sqlite3_bind_text_copy(handle, place, "", 0)
                : sluice_sqlite3_bind_text_copy(
                    handle, place, bytes.assumingMemoryBound(to: CChar.self).baseAddress,
                    UInt64(bytes.count))
        }
        try check(code)
    }

    private func check(_ code: Int32) throws(Failure) {
        guard code == SQLITE_OK else { throw connection.failure(code) }
    }
}
