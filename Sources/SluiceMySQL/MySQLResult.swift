internal import CMariaDB
internal import SluiceCore

/// What a statement gave back, as text. For catalogues and control, not for rows of tables.
final class MySQLResult {
    /// Row by row; nothing for NULL.
    private let values: [[[UInt8]?]]
    let columns: [String]

    /// Copies everything; the handle stays the caller's.
    init(_ handle: UnsafeMutablePointer<MYSQL_RES>) {
        let count = Int(mysql_num_fields(handle))
        let fields = UnsafeBufferPointer(start: mysql_fetch_fields(handle), count: count)
        columns = fields.map { $0.name.map { String(cString: $0) } ?? "" }
        var values: [[[UInt8]?]] = []
        while let row = mysql_fetch_row(handle), let lengths = mysql_fetch_lengths(handle) {
            values.append(
                (0..<count).map { column in
                    row[column].map {
                        [UInt8](UnsafeRawBufferPointer(start: $0, count: Int(lengths[column])))
                    }
                })
        }
        self.values = values
    }

    var rowCount: Int { values.count }
    var columnCount: Int { columns.count }
    var rows: Range<Int> { values.indices }

    /// The place of a column, by its name in any case; SHOW statements move theirs about.
    func column(_ name: String) -> Int? {
        columns.firstIndex { $0.lowercased() == name.lowercased() }
    }

    func isNull(_ row: Int, _ column: Int) -> Bool { values[row][column] == nil }

    /// Empty for NULL.
    func bytes(_ row: Int, _ column: Int) -> [UInt8] { values[row][column] ?? [] }

    /// Nothing for NULL.
    func optionalText(_ row: Int, _ column: Int) -> String? {
        values[row][column].map { String(decoding: $0, as: UTF8.self) }
    }

    /// Empty for NULL.
    func text(_ row: Int, _ column: Int) -> String { optionalText(row, column) ?? "" }

    /// 0 for NULL and for what is no integer.
    func integer(_ row: Int, _ column: Int) -> Int {
        optionalText(row, column).flatMap { Int($0) } ?? 0
    }

    func name(_ row: Int, _ column: Int) throws(Failure) -> Name {
        guard let text = String(validating: bytes(row, column), as: UTF8.self) else {
            throw Failure(
                .refused, "a name in the database is not UTF-8", hint: "Rename what is named so.")
        }
        return Name(text)
    }
}
