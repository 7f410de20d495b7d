internal import SluiceCore
internal import SluiceRecords

/// The rows of a SELECT as records, straight from libmariadb's memory into the batch.
///
/// Belongs to its connection's lane.
final class MySQLReader: RecordSource {
    private let connection: MySQLConnection
    private let rows: MySQLRows
    private let columns: UnsafeMutableBufferPointer<MySQLColumnReader>
    /// Columns behind the fields that are 0 where a field is not what its text says.
    private let guards: [(column: Int, field: Int, fault: MySQLFault)]
    private let plan: TablePlan
    private let namesRows: Bool
    private var rowNumber = 0
    private var isAtEnd = false
    /// What the server says it sent, once all was read.
    private(set) var countedRows: Int?

    /// - Parameter columns: those of the fields of `plan`, in order.
    /// - Parameter source: everything behind the select list, ` FROM …`.
    init(
        _ connection: MySQLConnection, _ columns: [MySQLColumn], _ source: String,
        _ plan: TablePlan, hidesKeys: Bool
    ) throws(Failure) {
        let fields = plan.schema.fields
        precondition(fields.count == columns.count, "one column for each field")
        var selected = columns.map(\.selected)
        var guards: [(column: Int, field: Int, fault: MySQLFault)] = []
        for (place, column) in columns.enumerated() {
            guard let condition = column.value.guardian.expression(column.name.quoted) else {
                continue
            }
            let fault = column.value.guardian == .characters ? MySQLFault.replaced : .hidden
            guards.append((selected.count, place, fault))
            selected.append(condition)
        }
        // A table may have no stored column at all.
        let list = selected.isEmpty ? "1" : selected.joined(separator: ", ")
        rows = try connection.rows("SELECT \(list)\(source)")
        self.connection = connection
        self.plan = plan
        self.guards = guards
        namesRows = !hidesKeys && !plan.definition.primaryKey.isEmpty
        self.columns = .allocate(capacity: fields.count)
        _ = self.columns.initialize(
            from: fields.indices.map { place in
                MySQLColumnReader(
                    reading: columns[place].value.reading, isNullable: fields[place].isNullable,
                    place: place)
            })
    }

    deinit {
        columns.deinitialize().deallocate()
    }

    /// Leaves the session free for something else, wherever the reading stands.
    func close() {
        rows.close()
        isAtEnd = true
    }

    func fill(_ batch: inout Batch, byteGoal: Int) throws(Failure) -> Bool {
        guard !isAtEnd else { return false }
        let rowGoal = byteGoal
        var count = 0
        // Rows without stored columns have no bytes.
        while batch.bytes.count < byteGoal, count < rowGoal {
            guard try rows.next() else {
                isAtEnd = true
                try conclude()
                return false
            }
            rowNumber += 1
            count += 1
            try appendRow(to: &batch)
        }
        return true
    }

    @inline(__always)
    private func appendRow(to batch: inout Batch) throws(Failure) {
        guard let values = rows.values, let lengths = rows.lengths else {
            throw Failure(.bug, "a row came without its values")
        }
        var index = 0
        while index < columns.count {
            let fault: MySQLFault?
            if let value = values[index] {
                fault = columns[index].append(
                    UnsafeRawBufferPointer(start: value, count: Int(lengths[index])), to: &batch)
            } else {
                fault = columns[index].appendNull(to: &batch)
            }
            if let fault { throw refusal(fault, column: index, batch) }
            index &+= 1
        }
        if !guards.isEmpty { try checkGuards(batch) }
        guard batch.rowAdmits(0) else { throw refusal(.tooLong, column: 0, batch) }
        batch.endRecord()
    }

    private func checkGuards(_ batch: borrowing Batch) throws(Failure) {
        for (column, field, fault) in guards where !rows.isNull(column) {
            let value = rows.bytes(column)
            guard value.count == 1, value[0] == UInt8(ascii: "1") else {
                throw refusal(fault, column: field, batch)
            }
        }
    }

    /// What the server counted, and that it did not cut anything short.
    private func conclude() throws(Failure) {
        if connection.warningCount > 0 { try refuseWarnings() }
        countedRows = try connection.integer("SELECT FOUND_ROWS()")
    }

    private func refuseWarnings() throws(Failure) {
        let warnings = try connection.query("SHOW WARNINGS")
        for row in warnings.rows where warnings.text(row, 0) != "Note" {
            throw Failure(
                .failed, "the server warned while it was read from, and may have left bytes out",
                code: warnings.text(row, 1),
                hint: warnings.integer(row, 1) == 1301
                    ? "Raise max_allowed_packet on the server." : nil)
        }
    }
}

// MARK: Refusing

extension MySQLReader {
    @inline(never)
    private func refusal(
        _ fault: MySQLFault, column: Int, _ batch: borrowing Batch
    ) -> Failure {
        let field = plan.schema.fields[column]
        let row = rowName()
        switch fault {
        case .tooLong:
            return Failure(
                .refused,
                "row \(row) of \(plan.table) has more than \(batch.rowByteLimit) bytes",
                hint: "Raise --row-bytes, or leave the row out with --where.")
        case .notText, .replaced, .hidden:
            return Failure(
                .refused,
                "row \(row) of \(plan.table) has \(fault.what) in column \(field.name)",
                hint: "Correct the value, or leave the row out with --where.")
        case .null, .foreign:
            return Failure(
                .bug,
                "row \(row) of \(plan.table) has \(fault.what) in column \(field.name), planned "
                    + "as \(field.type)")
        }
    }

    /// The row by its key, `id = 5`; otherwise by its number in what is read.
    private func rowName() -> String {
        guard namesRows, let name = keyName() else { return "number \(rowNumber)" }
        return name
    }

    /// A record of the key's columns alone, made of the row and named like any other.
    private func keyName() -> String? {
        let fields = plan.schema.fields
        let places = fields.indices.filter {
            plan.definition.primaryKey.contains(fields[$0].name)
        }
        var key = Batch(fieldCount: fields.count, rowByteLimit: 1 << 20)
        for place in places {
            guard !rows.isNull(place), columns[place].append(rows.bytes(place), to: &key) == nil
            else { return nil }
        }
        var part = plan
        part.schema = RecordSchema(table: plan.table, fields: places.map { fields[$0] })
        return try? RowName(part).text(of: key.bytes.bytes)
    }
}
