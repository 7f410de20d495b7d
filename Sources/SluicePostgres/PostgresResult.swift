internal import CPq
internal import SluiceCore

/// What a statement gave back, as text. For catalogues and control, not for rows of tables.
final class PostgresResult {
    private let handle: OpaquePointer

    /// Takes the result over.
    init(_ handle: OpaquePointer) {
        self.handle = handle
    }

    deinit {
        PQclear(handle)
    }

    var rowCount: Int { Int(PQntuples(handle)) }
    var columnCount: Int { Int(PQnfields(handle)) }
    var rows: Range<Int> { 0..<rowCount }

    /// How many rows the statement changed or copied.
    var changedRowCount: Int { Int(String(cString: PQcmdTuples(handle))) ?? 0 }

    func isNull(_ row: Int, _ column: Int) -> Bool {
        PQgetisnull(handle, Int32(row), Int32(column)) != 0
    }

    /// A value's bytes, valid as long as the result; empty for NULL.
    func bytes(_ row: Int, _ column: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(
            start: PQgetvalue(handle, Int32(row), Int32(column)),
            count: Int(PQgetlength(handle, Int32(row), Int32(column))))
    }

    /// Nothing for NULL.
    func optionalText(_ row: Int, _ column: Int) -> String? {
        isNull(row, column) ? nil : String(decoding: bytes(row, column), as: UTF8.self)
    }

    /// Empty for NULL.
    func text(_ row: Int, _ column: Int) -> String { optionalText(row, column) ?? "" }

    /// 0 for NULL and for what is no integer.
    func integer(_ row: Int, _ column: Int) -> Int {
        optionalText(row, column).flatMap { Int($0) } ?? 0
    }

    func boolean(_ row: Int, _ column: Int) -> Bool { text(row, column) == "t" }

    /// A name, which is valid UTF-8 in every database but those of encoding SQL_ASCII.
    func name(_ row: Int, _ column: Int) throws(Failure) -> Name {
        guard let name = Name(utf8: bytes(row, column)) else {
            throw Failure(
                .refused, "a name in the database is not UTF-8",
                hint: "The database has the encoding SQL_ASCII; rename what is named so.")
        }
        return name
    }
}
