internal import SluiceCore
internal import SluiceRecords

/// A target's rows as records of the dataset: the way back through `MySQLMapping`.
///
/// A row with a value that its field's type does not have becomes a misfit and is counted by
/// whoever reads.
final class MySQLReadBack: RecordSource {
    private let readings: [MySQLFieldReading]
    private let names: [Name]
    private let key: RowName
    private let plan: TablePlan
    private let connection: MySQLConnection
    private let statement: String
    private var rows: MySQLRows?
    private var isDone = false
    private var rowNumber = 0

    init(
        _ slice: Chunk, of plan: TablePlan, in request: LoadRequest,
        on connection: MySQLConnection
    ) throws(Failure) {
        self.plan = plan
        self.connection = connection
        key = RowName(plan)
        names = plan.schema.fields.map(\.name)
        guard let table = try MySQLTargetTable.find(plan.table, on: connection), table.isTable
        else {
            throw Failure(
                .differs, "there is no table \(plan.table)",
                hint: "The table was dropped since it was loaded.")
        }
        var selected: [String] = []
        var readings: [MySQLFieldReading] = []
        for (place, field) in plan.schema.fields.enumerated() {
            guard !field.isRowid else {
                readings.append(MySQLFieldReading(field, in: nil, place: place))
                continue
            }
            guard let column = table.column(field.name) else {
                throw Failure(
                    .differs, "table \(plan.table) has no column \(field.name)",
                    hint: "The table was changed since it was loaded.")
            }
            selected.append(column.selected)
            readings.append(MySQLFieldReading(field, in: column, place: place))
        }
        self.readings = readings
        let filter = MySQLReadBack.filter(slice, of: plan)
        // A table may have nothing to read.
        let list = selected.isEmpty ? "1" : selected.joined(separator: ", ")
        statement = "SELECT \(list) FROM \(table.source)\(filter)"
    }

    func fill(_ batch: inout Batch, byteGoal: Int) throws(Failure) -> Bool {
        guard !isDone else { return false }
        if self.rows == nil { self.rows = try connection.rows(statement) }
        guard let rows else { return false }
        while batch.bytes.count < byteGoal, batch.misfits.count < 1000 {
            guard try rows.next() else {
                isDone = true
                return false
            }
            rowNumber &+= 1
            append(rows, to: &batch)
        }
        return true
    }

    /// A source that is given up before its end leaves the session busy.
    func abandon() {
        rows?.close()
        rows = nil
        isDone = true
    }

    private func append(_ rows: MySQLRows, to batch: inout Batch) {
        guard let values = rows.values, let lengths = rows.lengths else { return }
        var column = 0
        for index in readings.indices {
            if readings[index].form == .rowid {
                batch.bytes.appendLong(0)
                continue
            }
            let value = values[column].map {
                UnsafeRawBufferPointer(start: $0, count: Int(lengths[column]))
            }
            column &+= 1
            guard readings[index].append(value, to: &batch) else {
                let type = plan.schema.fields[index].type
                let what =
                    value == nil ? "NULL in a column without NULL" : "a value that is no \(type)"
                batch.dropRecord(
                    Misfit(row: locator(batch), column: names[index], what: what))
                return
            }
        }
        batch.endRecord()
    }

    /// The row's key, where it stands before what is wrong; otherwise its number.
    private func locator(_ batch: borrowing Batch) -> String {
        let bytes = batch.bytes.bytes
        let record = UnsafeRawBufferPointer(
            rebasing: bytes[(bytes.count &- batch.currentRowByteCount)...])
        return (try? key.text(of: record)) ?? "row \(rowNumber)"
    }
}

/// Slices: ranges of the key's first column, where it is a whole number.
extension MySQLReadBack {
    private static func sliceColumn(of plan: TablePlan) -> Name? {
        guard let first = plan.definition.primaryKey.first,
            let field = plan.schema.fields.first(where: { !$0.isRowid && $0.name == first }),
            [.int32, .int64, .uint64].contains(field.type)
        else { return nil }
        return first
    }

    static func slices(
        of plan: TablePlan, atMost count: Int, on connection: MySQLConnection
    ) throws(Failure) -> [Chunk] {
        let whole = [Chunk(number: 0)]
        guard count > 1, let column = sliceColumn(of: plan),
            try MySQLTargetTable.find(plan.table, on: connection)?.column(column) != nil
        else { return whole }
        let found = try connection.query(
            "SELECT MIN(\(column.quoted)), MAX(\(column.quoted)) FROM \(plan.table.table.quoted)")
        guard let first = Int128(found.text(0, 0)), let last = Int128(found.text(0, 1)),
            last - first >= Int128(count)
        else { return whole }
        let bounds = (1..<count).map { ["\(first + (last - first) * Int128($0) / Int128(count))"] }
        return (0..<count).map { number in
            Chunk(
                number: number, lower: number == 0 ? nil : bounds[number - 1],
                upper: number == count - 1 ? nil : bounds[number])
        }
    }

    private static func filter(_ slice: Chunk, of plan: TablePlan) -> String {
        guard let column = sliceColumn(of: plan) else { return "" }
        let bounds = [
            slice.lower.map { "\(column.quoted) > \($0[0])" },
            slice.upper.map { "\(column.quoted) <= \($0[0])" },
        ].compactMap { $0 }
        return bounds.isEmpty ? "" : " WHERE " + bounds.joined(separator: " AND ")
    }
}

/// How a column's text becomes one field, decided once per column.
struct MySQLFieldReading {
    enum Form: Hashable {
        /// As the source's side reads it.
        case plain
        case boolean
        case int32
        /// A whole number among decimals with so many places.
        case whole(scale: Int, unsigned: Bool)
        case decimal(places: Int, power: Int128, bound: Int128)
        case float32
        case any
        /// The text that a date, a time or a timestamp is elsewhere.
        case dateText
        case timeText
        case timestampText(isUTC: Bool)
        case rowid
        case never
    }

    let form: Form
    private let isNullable: Bool
    private let isInt32: Bool
    private let reader: MySQLColumnReader

    init(_ field: Field, in column: MySQLTargetColumn?, place: Int) {
        isNullable = field.isNullable && field.type != .any
        isInt32 = field.type == .int32
        let made = column.map { MySQLFieldReading.form(field.type, in: $0) }
        form = made?.form ?? .rowid
        reader = MySQLColumnReader(
            reading: made?.reading ?? .integer, isNullable: isNullable, place: place)
    }

    private static func form(
        _ type: ColumnType, in column: MySQLTargetColumn
    ) -> (form: Form, reading: MySQLReading) {
        let own = column.reading
        switch (type, column.storage) {
        case (.boolean, .integer), (.boolean, .bits): return (.boolean, own)
        case (.int32, .integer(let bits, let isUnsigned)):
            return (bits + (isUnsigned ? 1 : 0) <= 32 ? .plain : .int32, .integer)
        case (.int64, .integer): return (.plain, .integer)
        case (.uint64, .integer): return (.plain, .unsigned)
        case (.int32, .year), (.int64, .year): return (.plain, .year)
        case (.int32, .decimal(_, let scale)), (.int64, .decimal(_, let scale)):
            return (.whole(scale: scale, unsigned: false), own)
        case (.uint64, .decimal(_, let scale)): return (.whole(scale: scale, unsigned: true), own)
        case (.decimal(let precision, 0), .integer):
            return (decimal(precision, places: 0, more: 0), own)
        case (.decimal(let precision, let its), .decimal(let columnPrecision, let scale)):
            guard scale >= its, scale <= 38 else { return (.never, own) }
            // Nothing in the column has more digits than the field's type.
            if scale == its, columnPrecision <= precision { return (.plain, own) }
            return (decimal(precision, places: scale, more: scale - its), own)
        case (.numberText, .decimal), (.text, .decimal), (.text, .integer):
            return (.plain, .number)
        case (.text, .date): return (.dateText, own)
        case (.text, .time): return (.timeText, own)
        case (.text, .timestamp): return (.timestampText(isUTC: true), own)
        case (.text, .dateTime): return (.timestampText(isUTC: false), own)
        case (.text, .bits(let count)): return (.plain, .bits(count: count))
        case (.float32, .float32), (.float32, .float64): return (.float32, .float64)
        case (.float64, .float32), (.float64, .float64): return (.plain, .float64)
        case (.date, .date): return (.plain, .date)
        case (.time, .time): return (.plain, .time)
        case (.timestamp, .timestamp), (.timestamp, .dateTime), (.localTimestamp, .dateTime):
            return (.plain, .dateTime)
        case (.bytes, .bytes), (.bytes, .geometry): return (.plain, .bytes)
        case (.bitString, .bits(let count)): return (.plain, .bits(count: count))
        case (.any, .text): return (.any, own)
        case (_, .text), (_, .label), (_, .labels), (.uuid, .uuid), (.text, .uuid),
            (.json, .json), (.serverText, _), (.text, .inet4), (.text, .inet6):
            return (MySQLMapping.isText(type) ? .plain : .never, own)
        default: return (.never, own)
        }
    }

    private static func decimal(_ precision: Int, places: Int, more: Int) -> Form {
        var power: Int128 = 1
        for _ in 0..<more { power *= 10 }
        return .decimal(
            places: places, power: power, bound: ReservedValues.decimalEnd(precision: precision))
    }

    /// Appends a value, nothing being NULL; false where the field's type does not have it.
    @inline(__always)
    func append(_ value: UnsafeRawBufferPointer?, to batch: inout Batch) -> Bool {
        guard let value else {
            if form == .any {
                batch.bytes.appendBranch(.null)
                return true
            }
            guard isNullable else { return false }
            batch.bytes.appendNull()
            return true
        }
        if form == .plain { return reader.append(value, to: &batch) == nil }
        if isNullable { batch.bytes.appendNotNull() }
        return appendOther(value, to: &batch)
    }

    private func appendOther(_ value: UnsafeRawBufferPointer, to batch: inout Batch) -> Bool {
        switch form {
        case .int32:
            guard let number = MySQLText.integer(value), Int32(exactly: number) != nil else {
                return false
            }
            batch.bytes.appendLong(number)
        case .boolean:
            // A bit comes as a byte, a number as its digit.
            guard value.count == 1, value[0] & 0xCE == 0 else { return false }
            batch.bytes.appendBoolean(value[0] & 1 == 1)
        case .whole(let scale, let unsigned):
            return appendWhole(value, scale, unsigned, to: &batch)
        case .decimal(let places, let power, let bound):
            guard let unscaled = MySQLText.unscaled(value, scale: places), unscaled % power == 0,
                (unscaled / power).magnitude < bound.magnitude
            else { return false }
            batch.bytes.appendUnscaled(unscaled / power)
        case .float32:
            guard let number = FloatText.anyDouble(value), Double(Float(number)) == number else {
                return false
            }
            batch.bytes.appendFloat(Float(number))
        case .any: return AnyJSON.appendValue(value, to: &batch.bytes)
        case .dateText, .timeText, .timestampText: return appendMoment(value, to: &batch)
        default: return false
        }
        return true
    }

    private func appendMoment(
        _ value: UnsafeRawBufferPointer, to batch: inout Batch
    ) -> Bool {
        var text = ByteBuffer()
        switch form {
        case .timeText:
            guard let micros = MySQLText.time(value) else { return false }
            CalendarText.append(time: micros, to: &text)
        case .dateText:
            guard value.count == 10, let parts = MySQLText.date(value) else { return false }
            let days = ReservedValues.date(parts)
            guard ReservedValues.impossibleDate(days) == nil else { return false }
            CalendarText.append(date: days, to: &text)
        case .timestampText(let isUTC):
            guard value.count >= 19, let parts = MySQLText.date(value),
                let time = MySQLText.timeOfDay(UnsafeRawBufferPointer(rebasing: value[11...]))
            else { return false }
            let micros = ReservedValues.timestamp(parts, microsOfDay: time)
            guard ReservedValues.impossibleTimestamp(micros) == nil else { return false }
            CalendarText.append(timestamp: micros, isUTC: isUTC, to: &text)
        default: return false
        }
        batch.bytes.appendBytes(text.bytes)
        return true
    }

    private func appendWhole(
        _ value: UnsafeRawBufferPointer, _ scale: Int, _ unsigned: Bool, to batch: inout Batch
    ) -> Bool {
        guard scale <= 18, let unscaled = MySQLText.unscaled(value, scale: scale) else {
            return false
        }
        var power: Int128 = 1
        for _ in 0..<scale { power *= 10 }
        guard unscaled % power == 0 else { return false }
        let number = unscaled / power
        if unsigned {
            guard UInt64(exactly: number) != nil else { return false }
            batch.bytes.appendUnscaled(number)
            return true
        }
        guard let long = Int64(exactly: number), !isInt32 || Int32(exactly: long) != nil else {
            return false
        }
        batch.bytes.appendLong(long)
        return true
    }
}
