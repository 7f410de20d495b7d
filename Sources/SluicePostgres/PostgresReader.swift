internal import SluiceCore
internal import SluiceRecords

/// The rows of a `COPY (SELECT …) TO STDOUT (FORMAT binary)` as records, straight from libpq's
/// memory into the batch.
///
/// Belongs to its connection's lane.
final class PostgresReader: RecordSource {
    private let connection: PostgresConnection
    private let columns: UnsafeMutableBufferPointer<PostgresColumnReader>
    private let plan: TablePlan
    private let namesRows: Bool
    private var rowNumber = 0
    private var isAtStart = true
    private var isAtEnd = false
    /// What the server says it copied, once all was read.
    private(set) var countedRows: Int?

    /// - Parameter sql: one SELECT whose columns are the fields of `plan` in order.
    /// - Parameter readings: how each of them becomes its field.
    /// - Parameter checksText: the database takes text that is not UTF-8.
    init(
        _ connection: PostgresConnection, _ sql: String, _ plan: TablePlan,
        _ readings: [PostgresReading], checksText: Bool, hidesKeys: Bool
    ) throws(Failure) {
        let fields = plan.schema.fields
        precondition(fields.count == readings.count, "one reading for each field")
        try connection.beginCopyOut("COPY (\(sql)) TO STDOUT (FORMAT binary)")
        self.connection = connection
        self.plan = plan
        namesRows = !hidesKeys && !plan.definition.primaryKey.isEmpty
        columns = .allocate(capacity: fields.count)
        _ = columns.initialize(
            from: fields.indices.map { place in
                PostgresColumnReader(
                    reading: readings[place], isNullable: fields[place].isNullable,
                    checksText: checksText && PostgresReader.isText(fields[place].type),
                    place: place)
            })
    }

    deinit {
        columns.deinitialize().deallocate()
    }

    private static func isText(_ type: ColumnType) -> Bool {
        [.text, .json, .serverText, .enumeration].contains(type)
    }

    /// Leaves the session free for something else, wherever the reading stands.
    func close() {
        if !isAtEnd { connection.abandonCopyOut() }
        isAtEnd = true
    }

    func fill(_ batch: inout Batch, byteGoal: Int) throws(Failure) -> Bool {
        guard !isAtEnd else { return false }
        let rowGoal = byteGoal
        var rows = 0
        // Rows without stored columns have no bytes.
        while batch.bytes.count < byteGoal, rows < rowGoal {
            guard var message = try connection.nextCopied() else { throw cut() }
            if isAtStart {
                message = try withoutHeader(message)
                isAtStart = false
            }
            guard message.count >= 2 else { throw foreign() }
            let count = Int(message.bigEndian(Int16.self))
            if count == -1 {
                try end()
                return false
            }
            guard count == columns.count else { throw foreign() }
            rowNumber += 1
            rows += 1
            try appendRow(message, to: &batch)
        }
        return true
    }

    @inline(__always)
    private func appendRow(
        _ message: UnsafeRawBufferPointer, to batch: inout Batch
    ) throws(Failure) {
        var offset = 2
        var index = 0
        while index < columns.count {
            guard offset &+ 4 <= message.count else { throw foreign() }
            let length = Int(
                Int32(bigEndian: message.loadUnaligned(fromByteOffset: offset, as: Int32.self)))
            offset &+= 4
            let fault: PostgresFault?
            if length < 0 {
                fault = columns[index].appendNull(to: &batch)
            } else {
                guard length <= message.count &- offset else { throw foreign() }
                let value = UnsafeRawBufferPointer(
                    rebasing: message[offset..<(offset &+ length)])
                offset &+= length
                fault = columns[index].append(value, to: &batch)
            }
            if let fault { throw refusal(fault, column: index, message, batch) }
            index &+= 1
        }
        guard offset == message.count else { throw foreign() }
        guard batch.rowAdmits(0) else { throw refusal(.tooLong, column: 0, message, batch) }
        batch.endRecord()
    }

    /// A signature, flags and an extension that nobody uses stand before the first row.
    private func withoutHeader(
        _ message: UnsafeRawBufferPointer
    ) throws(Failure) -> UnsafeRawBufferPointer {
        let signature: [UInt8] = Array("PGCOPY\n".utf8) + [0xFF, 0x0D, 0x0A, 0]
        guard message.count >= 19, message.starts(with: signature) else { throw foreign() }
        let flags = UInt32(bigEndian: message.loadUnaligned(fromByteOffset: 11, as: UInt32.self))
        let more = UInt32(bigEndian: message.loadUnaligned(fromByteOffset: 15, as: UInt32.self))
        guard flags & 0xFFFF_0000 == 0, Int(more) <= message.count - 19 else { throw foreign() }
        let rest = UnsafeRawBufferPointer(rebasing: message[(19 + Int(more))...])
        if !rest.isEmpty { return rest }
        guard let next = try connection.nextCopied() else { throw cut() }
        return next
    }

    private func end() throws(Failure) {
        isAtEnd = true
        guard try connection.nextCopied() == nil else { throw foreign() }
        countedRows = connection.copiedRowCount
    }

    private func cut() -> Failure {
        isAtEnd = true
        return Failure(
            .unavailable, "the server ended a COPY without its end mark", isTransient: true)
    }

    @inline(never)
    private func foreign() -> Failure {
        Failure(.bug, "the server's binary COPY has not the form that is documented")
    }
}

// MARK: Refusing

extension PostgresReader {
    @inline(never)
    private func refusal(
        _ fault: PostgresFault, column: Int, _ message: UnsafeRawBufferPointer,
        _ batch: borrowing Batch
    ) -> Failure {
        let field = plan.schema.fields[column]
        let row = rowName(message)
        switch fault {
        case .tooLong:
            return Failure(
                .refused,
                "row \(row) of \(plan.table) has more than \(batch.rowByteLimit) bytes",
                hint: "Raise --row-bytes, or leave the row out with --where.")
        case .notText:
            return Failure(
                .refused,
                "row \(row) of \(plan.table) has \(fault.what) in column \(field.name)",
                hint: "The database has the encoding SQL_ASCII; correct the value, or leave the "
                    + "row out with --where.")
        case .null, .foreign:
            return Failure(
                .bug,
                "row \(row) of \(plan.table) has \(fault.what) in column \(field.name), planned "
                    + "as \(field.type)")
        }
    }

    /// The row by its key, `id = 5`; otherwise by its number in what is read.
    private func rowName(_ message: UnsafeRawBufferPointer) -> String {
        guard namesRows, let name = keyName(message) else { return "number \(rowNumber)" }
        return name
    }

    /// A record of the key's columns alone, made of the row and named like any other.
    private func keyName(_ message: UnsafeRawBufferPointer) -> String? {
        let fields = plan.schema.fields
        let places = fields.indices.filter {
            plan.definition.primaryKey.contains(fields[$0].name)
        }
        var key = Batch(fieldCount: fields.count, rowByteLimit: 1 << 20)
        var offset = 2
        for index in fields.indices {
            guard offset + 4 <= message.count else { return nil }
            let length = Int(
                Int32(bigEndian: message.loadUnaligned(fromByteOffset: offset, as: Int32.self)))
            offset += 4
            guard length >= 0 else { continue }
            guard length <= message.count - offset else { return nil }
            let value = UnsafeRawBufferPointer(rebasing: message[offset..<(offset + length)])
            offset += length
            if places.contains(index), columns[index].append(value, to: &key) != nil { return nil }
        }
        var part = plan
        part.schema = RecordSchema(table: plan.table, fields: places.map { fields[$0] })
        return try? RowName(part).text(of: key.bytes.bytes)
    }
}
