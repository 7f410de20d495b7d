internal import SluiceCore
internal import SluiceRecords

/// Copies records into one table of a target. Belongs to one lane.
final class PostgresLoader {
    /// How many bytes go to libpq at a time.
    private static let portion = 256 << 10

    private enum Writer {
        case binary(PostgresBinaryWriter)
        case text(PostgresTextWriter)
    }

    private let plan: TablePlan
    /// Nothing where messages must not show keys.
    private let names: RowName?
    private let connection: PostgresConnection
    private let statement: String
    private let writer: Writer
    private var output = ByteBuffer(capacity: 512 << 10)

    init(
        _ plan: TablePlan, in request: LoadRequest, on connection: PostgresConnection
    ) throws(Failure) {
        self.plan = plan
        names = request.hidesKeys ? nil : RowName(plan)
        self.connection = connection
        guard let table = try PostgresTargetTable.find(plan.table, on: connection), table.isTable
        else { throw Failure(.refused, "table \(plan.table) does not exist") }
        var columns: [String] = []
        var fields: [PostgresFieldWriting] = []
        var isText = false
        for field in plan.schema.fields {
            guard !field.isRowid else {
                fields.append(PostgresFieldWriting(field, in: .int64))
                continue
            }
            guard let column = table.column(field.name) else {
                throw Failure(.refused, "table \(plan.table) has no column \(field.name)")
            }
            columns.append(column.name.quoted)
            fields.append(PostgresFieldWriting(field, in: column.storage, digits: column.digits))
            let keepsJSON = PostgresSchemaPlan.keepsJSON(field, request)
            switch PostgresMapping.fit(field.type, in: column.storage, keepsJSON: keepsJSON) {
            case .binary: break
            case .text: isText = true
            case .never: throw PostgresLoader.misfit(column, field, plan.table)
            }
        }
        writer =
            isText ? .text(PostgresTextWriter(fields)) : .binary(PostgresBinaryWriter(fields))
        // A list cannot be empty; without one it is all columns that are not computed.
        let list = columns.isEmpty ? "" : "(\(columns.joined(separator: ", ")))"
        statement =
            "COPY \(plan.table.qualified.quoted)\(list) FROM STDIN"
            + (isText ? "" : " (FORMAT binary)")
    }

    static func misfit(
        _ column: PostgresTargetColumn, _ field: Field, _ table: TableName
    ) -> Failure {
        Failure(
            .refused,
            "column \(column.name) of table \(table) is declared \(column.declared),"
                + " which would change values of type \(field.type)")
    }

    /// Copies everything, within the open transaction.
    func load(
        _ records: any RecordSource, _ batch: inout Batch, stop: StopSignal
    ) throws(Failure) -> Digest {
        try connection.beginCopyIn(statement)
        do throws(Failure) {
            let digest = try send(records, &batch, stop: stop)
            let copied = try connection.endCopyIn()
            guard copied == digest.rowCount else {
                throw Failure(
                    .bug,
                    "\(copied) rows of \(digest.rowCount) were copied into \(plan.table)")
            }
            return digest
        } catch {
            connection.abandonCopyIn()
            throw error
        }
    }

    private func send(
        _ records: any RecordSource, _ batch: inout Batch, stop: StopSignal
    ) throws(Failure) -> Digest {
        var digest = Digest.empty
        output.removeAll(keepingAtMost: 1 << 20)
        if case .binary = writer { output.append(PostgresBinaryWriter.start) }
        var hasMore = true
        while hasMore {
            try stop.check()
            batch.removeAll()
            hasMore = try records.fill(&batch, byteGoal: PostgresLoader.portion)
            try write(batch, firstRow: digest.rowCount + 1)
            digest += batch.digest
        }
        if case .binary = writer { output.append(PostgresBinaryWriter.end) }
        try flush()
        return digest
    }

    private func flush() throws(Failure) {
        guard !output.isEmpty else { return }
        try connection.putCopied(output.bytes)
        output.removeAll(keepingAtMost: 1 << 20)
    }

    private func write(_ batch: borrowing Batch, firstRow: Int) throws(Failure) {
        var cursor = RecordCursor(batch.bytes.bytes)
        let end = firstRow &+ batch.rowCount
        var row = firstRow
        // Counted, because the records of a table without columns have no bytes.
        while row < end {
            let start = cursor.position
            let problem: (field: Int, refusal: PostgresRefusal)?
            switch writer {
            case .binary(let writer): problem = try writer.append(&cursor, to: &output)
            case .text(let writer): problem = try writer.append(&cursor, to: &output)
            }
            if let problem {
                let field = plan.schema.fields[problem.field]
                let refusal = problem.refusal.of(field.type)
                throw refusal.failure(in: field.name).refusing(row: row)
                    .during(place(of: row, from: start, in: batch))
            }
            if output.count >= PostgresLoader.portion { try flush() }
            row &+= 1
        }
        guard cursor.isAtEnd else {
            throw Failure(.bug, "a batch of \(plan.table) has not the rows that it says")
        }
    }

    /// `loading row 17 (id = 7) of public.orders`.
    private func place(of row: Int, from start: Int, in batch: borrowing Batch) -> String {
        let record = UnsafeRawBufferPointer(rebasing: batch.bytes.bytes[start...])
        // What made the row fail may be that its record cannot be read.
        let name = try? names?.text(of: record)
        return "loading row \(row)\(name.map { " (\($0))" } ?? "") of \(plan.table)"
    }
}
