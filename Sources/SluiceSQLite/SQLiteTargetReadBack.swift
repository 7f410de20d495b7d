internal import CSQLite
internal import SluiceCore
internal import SluiceRecords

/// A target's rows as records of the dataset: the way back through `SQLiteMapping`.
///
/// A row that has a value which its field's type cannot have becomes a misfit and is counted by
/// whoever reads.
final class SQLiteReadBack: RecordSource {
    /// What the row loop needs of a field: no names, so that no reference is counted.
    private struct Coding {
        let type: ColumnType
        let storage: SQLiteMapping.Storage
        let isNullable: Bool
    }

    private let fields: [Field]
    private let codings: [Coding]
    private let keyPlaces: [Int]
    private let statement: SQLiteStatement
    private let hasRowid: Bool
    /// What is Unicode in the database's encoding, as the source's side reads it.
    private let texts: SQLiteColumnReader

    init(_ slice: Chunk, of plan: TablePlan, on connection: SQLiteConnection) throws(Failure) {
        texts = SQLiteColumnReader(
            reading: .text, isNullable: true, encoding: try connection.encoding())
        fields = plan.schema.fields
        codings = plan.schema.fields.map {
            Coding(
                type: $0.type, storage: SQLiteMapping.storage(of: $0.type),
                isNullable: $0.isNullable)
        }
        let table = plan.table.table
        let facts = try SQLiteTableFacts(table, on: connection)
        guard !facts.columns.isEmpty else {
            throw Failure(
                .differs, "there is no table \(table)",
                hint: "The table was dropped since it was loaded.")
        }
        var columns: [String] = []
        for field in fields {
            guard let name = field.isRowid ? facts.rowidName : facts.column(field.name)?.name.quoted
            else {
                throw Failure(
                    .differs,
                    "table \(table) has no \(field.isRowid ? "rowid" : "column \(field.name)")",
                    hint: "The table was changed since it was loaded.")
            }
            columns.append(name)
        }
        let key = Set(plan.definition.primaryKey)
        let fields = plan.schema.fields
        keyPlaces = fields.indices.filter { key.contains(fields[$0].name) && !fields[$0].isRowid }
        hasRowid = keyPlaces.isEmpty && facts.rowidName != nil
        if hasRowid, let rowid = facts.rowidName { columns.append(rowid) }
        var bounds: [String] = []
        if let rowid = facts.rowidName {
            if let lower = slice.lower?.first { bounds.append("\(rowid) > \(lower)") }
            if let upper = slice.upper?.first { bounds.append("\(rowid) <= \(upper)") }
        }
        let filter = bounds.isEmpty ? "" : " WHERE " + bounds.joined(separator: " AND ")
        let hint = facts.isWithoutRowid ? "" : " NOT INDEXED"
        statement = try connection.prepare(
            "SELECT \(columns.joined(separator: ", ")) FROM \(table.quoted)\(hint)\(filter)")
    }

    /// Ranges of rowids of equal width, open at both ends; one for a table without rowids.
    static func slices(
        of plan: TablePlan, atMost count: Int, on connection: SQLiteConnection
    ) throws(Failure) -> [Chunk] {
        let facts = try SQLiteTableFacts(plan.table.table, on: connection)
        guard count > 1, let rowid = facts.rowidName,
            let first = try connection.integer(
                "SELECT min(\(rowid)) FROM \(plan.table.table.quoted)"),
            let last = try connection.integer(
                "SELECT max(\(rowid)) FROM \(plan.table.table.quoted)")
        else { return [Chunk(number: 0)] }
        // The distance of two 64-bit numbers needs one bit more.
        let span = Int128(last) - Int128(first)
        let parts = Int(min(Int128(count), span / 1000 + 1))
        let bounds = (1..<max(parts, 1)).map { part in
            [String(Int128(first) + span * Int128(part) / Int128(parts))]
        }
        return (0..<max(parts, 1)).map { number in
            Chunk(
                number: number, lower: number == 0 ? nil : bounds[number - 1],
                upper: number == bounds.count ? nil : bounds[number])
        }
    }

    func fill(_ batch: inout Batch, byteGoal: Int) throws(Failure) -> Bool {
        while batch.bytes.count < byteGoal {
            guard try statement.step() else { return false }
            var misfit: (column: Int, what: String)?
            for index in codings.indices {
                guard let what = encode(codings[index], index, into: &batch.bytes) else { continue }
                misfit = (index, what)
                break
            }
            if let misfit {
                batch.dropRecord(
                    Misfit(row: locator(), column: fields[misfit.column].name, what: misfit.what))
            } else {
                batch.endRecord()
            }
        }
        return true
    }

    /// Appends one value; what is wrong with it where its type cannot have it.
    @inline(__always)
    private func encode(
        _ coding: Coding, _ index: Int, into output: inout ByteBuffer
    ) -> String? {
        let kind = statement.kind(index)
        if coding.storage == .any { return encodeAny(index, kind, into: &output) }
        if kind == .null {
            guard coding.isNullable else { return "NULL in a column without NULL" }
            output.appendNull()
            return nil
        }
        if coding.isNullable { output.appendNotNull() }
        switch (coding.storage, kind) {
        case (.integer, .integer):
            return encode(integer: statement.integer(index), coding.type, into: &output)
        case (.real, .real): return encode(real: statement.real(index), coding.type, into: &output)
        case (.blob, .blob):
            output.appendBytes(statement.blob(index))
            return nil
        case (.text, .text):
            // Asked before a conversion: SQLite would repair what is no Unicode.
            guard let text = texts.validText(sqlValue(index)) else {
                return "a text that is not Unicode"
            }
            return encode(text: text, coding.type, into: &output)
        default: return "\(kind.article) in \(coding.type.article) column"
        }
    }

    private func encodeAny(
        _ index: Int, _ kind: SQLiteKind, into output: inout ByteBuffer
    ) -> String? {
        switch kind {
        case .null: output.appendBranch(.null)
        case .integer:
            output.appendBranch(.long)
            output.appendLong(statement.integer(index))
        case .real:
            output.appendBranch(.double)
            output.appendDouble(statement.real(index))
        case .blob:
            output.appendBranch(.bytes)
            output.appendBytes(statement.blob(index))
        case .text:
            let value = sqlValue(index)
            if let text = texts.validText(value) {
                output.appendBranch(.string)
                output.appendBytes(text)
            } else {
                output.appendBranch(.invalidText)
                texts.withInvalidText(value) { output.appendBytes($0) }
            }
        }
        return nil
    }

    private func sqlValue(_ column: Int) -> OpaquePointer? {
        sqlite3_column_value(statement.handle, Int32(truncatingIfNeeded: column))
    }

    private func encode(
        integer value: Int64, _ type: ColumnType, into output: inout ByteBuffer
    ) -> String? {
        switch type {
        case .boolean:
            guard value == 0 || value == 1 else { return "an integer that is neither 0 nor 1" }
            output.appendBoolean(value == 1)
        case .int32:
            guard Int32(exactly: value) != nil else { return "an integer beyond 32 bits" }
            output.appendLong(value)
        default: output.appendLong(value)
        }
        return nil
    }

    private func encode(
        real value: Double, _ type: ColumnType, into output: inout ByteBuffer
    ) -> String? {
        guard case .float32 = type else {
            output.appendDouble(value)
            return nil
        }
        guard Double(Float(value)) == value else { return "a real number beyond 32 bits" }
        output.appendFloat(Float(value))
        return nil
    }

    private func encode(
        text: UnsafeRawBufferPointer, _ type: ColumnType, into output: inout ByteBuffer
    ) -> String? {
        switch type {
        case .uint64, .decimal:
            var scale = 0
            var end = Int128(UInt64.max) + 1
            if case .decimal(let precision, let itsScale) = type {
                scale = itsScale
                end = ReservedValues.decimalEnd(precision: precision)
            }
            guard let value = DecimalText.parse(text, scale: scale), value < end,
                type == .uint64 ? value >= 0 : value > -end
            else { return "a text that is no \(type)" }
            output.appendUnscaled(value)
        case .date, .time, .timestamp, .localTimestamp:
            guard let value = SQLiteReadBack.moment(text, type) else {
                return "a text that is no \(type)"
            }
            output.appendLong(value)
        default: output.appendBytes(text)
        }
        return nil
    }

    private static func moment(_ text: UnsafeRawBufferPointer, _ type: ColumnType) -> Int64? {
        switch type {
        case .date: CalendarText.parseDate(text).map(Int64.init)
        case .time: CalendarText.parseTime(text)
        default: CalendarText.parseTimestamp(text, isUTC: type == .timestamp)
        }
    }

    /// The row's key, or its rowid.
    private func locator() -> String {
        if hasRowid { return "rowid = \(statement.integer(fields.count))" }
        return keyPlaces.map { "\(fields[$0].name) = \(statement.value($0).literal)" }
            .joined(separator: ", ")
    }
}

extension SQLiteKind {
    fileprivate var article: String {
        switch self {
        case .integer: "an integer"
        case .real: "a real number"
        case .text: "a text"
        case .blob: "a blob"
        case .null: "NULL"
        }
    }
}

extension ColumnType {
    fileprivate var article: String {
        switch self {
        case .int32, .int64, .any, .enumeration: "an \(self)"
        default: "a \(self)"
        }
    }
}
