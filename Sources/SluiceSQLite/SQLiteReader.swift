internal import CSQLite
internal import SluiceCore
internal import SluiceRecords

/// The rows of a SELECT as records, straight from SQLite's memory into the batch.
///
/// Belongs to its connection's lane.
final class SQLiteReader: RecordSource {
    /// How messages name a row: by columns of the SELECT, or by its number where there are none.
    struct RowNames {
        var columns: [Int]

        static let numbers = RowNames(columns: [])
    }

    private let statement: SQLiteStatement
    private let schema: RecordSchema
    private let columns: UnsafeMutableBufferPointer<SQLiteColumnReader>
    private let names: RowNames
    private var rowNumber = 0
    private var isAtEnd = false

    /// - Parameter sql: one SELECT whose first columns are the fields of `schema` in order; key
    ///   columns may follow.
    init(
        _ connection: SQLiteConnection, _ sql: String, _ schema: RecordSchema,
        names: RowNames = .numbers
    ) throws(Failure) {
        let encoding = try connection.encoding()
        var readers: [SQLiteColumnReader] = []
        for field in schema.fields {
            guard let reading = SQLiteColumnReading(field.type) else {
                throw Failure(.bug, "SQLite has no values of type \(field.type)")
            }
            readers.append(
                SQLiteColumnReader(
                    reading: reading, isNullable: field.isNullable, encoding: encoding))
        }
        statement = try connection.prepare(sql)
        precondition(statement.columnCount >= readers.count, "fewer columns read than fields")
        columns = .allocate(capacity: readers.count)
        _ = columns.initialize(from: readers)
        self.schema = schema
        self.names = names
    }

    deinit {
        columns.deinitialize().deallocate()
    }

    func fill(_ batch: inout Batch, byteGoal: Int) throws(Failure) -> Bool {
        guard !isAtEnd else { return false }
        while batch.bytes.count < byteGoal {
            guard try statement.step() else {
                isAtEnd = true
                return false
            }
            rowNumber += 1
            try appendRow(to: &batch)
        }
        return true
    }

    @inline(__always)
    private func appendRow(to batch: inout Batch) throws(Failure) {
        let handle = statement.handle
        var index = 0
        while index < columns.count {
            let value = sqlite3_column_value(handle, Int32(truncatingIfNeeded: index))
            if let fault = columns[index].append(value, to: &batch) {
                throw refusal(fault, column: index, batch)
            }
            index &+= 1
        }
        guard batch.rowAdmits(0) else { throw refusal(.tooLong, column: 0, batch) }
        batch.endRecord()
    }

    @inline(never)
    private func refusal(
        _ fault: SQLiteFault, column: Int, _ batch: borrowing Batch
    ) -> Failure {
        let field = schema.fields[column]
        if fault == .tooLong {
            return Failure(
                .refused,
                "row \(rowName()) of \(schema.table) has more than \(batch.rowByteLimit) bytes",
                hint: "Raise --row-bytes, or leave the row out with --where.")
        }
        // The schema was made from these very rows.
        return Failure(
            .bug,
            "row \(rowName()) of \(schema.table) has \(fault.what) in column \(field.name), "
                + "planned as \(field.type)"
        )
    }

    /// The current row by its key: `id = 5`, `a = 1, b = 'x'`; otherwise by its number in what is
    /// read.
    private func rowName() -> String {
        guard !names.columns.isEmpty else { return "number \(rowNumber)" }
        let parts = names.columns.map { column in
            let name = sqlite3_column_name(statement.handle, Int32(truncatingIfNeeded: column))
            return "\(name.map { String(cString: $0) } ?? "?") = \(statement.value(column).excerpt)"
        }
        return parts.joined(separator: ", ")
    }
}

extension SQLiteValue {
    /// As messages show a key: its literal, cut short where it is long.
    var excerpt: String {
        let text = literal
        guard text.utf8.count > 120 else { return text }
        return String(text.unicodeScalars.prefix(100).map(Character.init)) + "…"
    }
}
