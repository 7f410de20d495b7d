internal import SluiceCore
internal import SluiceRecords

/// A target's rows as records of the dataset: the way back through `PostgresMapping`.
///
/// A row with a value that its field's type does not have becomes a misfit and is counted by
/// whoever reads.
final class PostgresReadBack: RecordSource {
    private struct Reading {
        let type: ColumnType
        let isNullable: Bool
        let form: Form

        var misfit: String { "a value that is no \(type)" }
    }

    /// The binary form that the server sends, where the record type does not say it.
    private enum Form: Equatable {
        case integer
        case unsigned
        case numeric
        case float32
        case float64
        case versioned
        case bits
        case uuid
        case boolean
        case date
        case time
        case timestamp(isUTC: Bool)
        case plain
        case rowid
    }

    private let readings: [Reading]
    private let names: [Name]
    private let key: RowName
    private let plan: TablePlan
    private let connection: PostgresConnection
    private let statement: String
    private var isOpen = false
    private var isDone = false
    private var rowNumber = 0

    init(
        _ slice: Chunk, of plan: TablePlan, on connection: PostgresConnection
    ) throws(Failure) {
        self.plan = plan
        self.connection = connection
        key = RowName(plan)
        names = plan.schema.fields.map(\.name)
        guard let table = try PostgresTargetTable.find(plan.table, on: connection), table.isTable
        else {
            throw Failure(
                .differs, "there is no table \(plan.table)",
                hint: "The table was dropped since it was loaded.")
        }
        var selected: [String] = []
        var readings: [Reading] = []
        for field in plan.schema.fields {
            guard !field.isRowid else {
                readings.append(Reading(type: field.type, isNullable: false, form: .rowid))
                continue
            }
            guard let column = table.column(field.name) else {
                throw Failure(
                    .differs, "table \(plan.table) has no column \(field.name)",
                    hint: "The table was changed since it was loaded.")
            }
            selected.append(column.selected)
            readings.append(
                Reading(
                    type: field.type, isNullable: field.isNullable,
                    form: PostgresReadBack.form(column.storage)))
        }
        self.readings = readings
        let bounds = [
            slice.lower.map { "ctid >= '\($0[0])'::tid" },
            slice.upper.map { "ctid < '\($0[0])'::tid" },
        ].compactMap { $0 }
        let filter = bounds.isEmpty ? "" : " WHERE " + bounds.joined(separator: " AND ")
        let only = table.kind == "r" ? "ONLY " : ""
        statement =
            "COPY (SELECT \(selected.joined(separator: ", ")) FROM \(only)\(plan.table.qualified.quoted)"
            + "\(filter)) TO STDOUT (FORMAT binary)"
    }

    private static func form(_ storage: PostgresStorage) -> Form {
        switch storage {
        case .int16, .int32, .int64: .integer
        case .uint32: .unsigned
        case .numeric: .numeric
        case .float32: .float32
        case .float64: .float64
        case .jsonb: .versioned
        case .bits: .bits
        case .uuid: .uuid
        case .boolean: .boolean
        case .date: .date
        case .time: .time
        case .timestamp: .timestamp(isUTC: true)
        case .localTimestamp: .timestamp(isUTC: false)
        default: .plain
        }
    }

    /// Ranges of blocks, open at both ends; one where the server cannot read a range by itself.
    static func slices(
        of plan: TablePlan, atMost count: Int, on connection: PostgresConnection
    ) throws(Failure) -> [Chunk] {
        guard count > 1, connection.version >= 140_000,
            let table = try PostgresTargetTable.find(plan.table, on: connection),
            table.kind == "r", table.blockCount > 1
        else { return [Chunk(number: 0)] }
        let parts = max(1, min(count, table.blockCount / 64))
        let bounds = (1..<parts + 1).map { ["(\(table.blockCount * $0 / parts),0)"] }
        return (0..<parts).map { number in
            Chunk(
                number: number, lower: number == 0 ? nil : bounds[number - 1],
                upper: number == parts - 1 ? nil : bounds[number])
        }
    }

    func fill(_ batch: inout Batch, byteGoal: Int) throws(Failure) -> Bool {
        guard !isDone else { return false }
        if !isOpen {
            try connection.beginCopyOut(statement)
            isOpen = true
        }
        while batch.bytes.count < byteGoal, batch.misfits.count < 1000 {
            guard let row = try connection.nextCopied() else {
                isDone = true
                return false
            }
            var place = 0
            // The first piece may have the header before its row.
            if rowNumber == 0, row.count >= 19, row[0] == UInt8(ascii: "P") { place = 19 }
            guard row.count &- place >= 2 else { continue }
            let count = Int16(bigEndian: row.loadUnaligned(fromByteOffset: place, as: Int16.self))
            if count == -1 { continue }
            rowNumber &+= 1
            try append(row, at: place &+ 2, to: &batch)
        }
        return true
    }

    /// A source that is given up before its end leaves the session busy.
    func abandon() {
        if isOpen, !isDone { connection.abandonCopyOut() }
        isDone = true
    }

    private func append(
        _ row: UnsafeRawBufferPointer, at start: Int, to batch: inout Batch
    ) throws(Failure) {
        var place = start
        for index in readings.indices {
            if readings[index].form == .rowid {
                batch.bytes.appendLong(0)
                continue
            }
            guard row.count &- place >= 4 else { throw PostgresReadBack.cut }
            let count = Int(
                Int32(bigEndian: row.loadUnaligned(fromByteOffset: place, as: Int32.self)))
            place &+= 4
            guard count >= -1, row.count &- place >= max(count, 0) else {
                throw PostgresReadBack.cut
            }
            let problem: String?
            if count < 0 {
                problem = appendNull(readings[index], to: &batch.bytes)
            } else {
                let value = UnsafeRawBufferPointer(rebasing: row[place..<place &+ count])
                if readings[index].isNullable, readings[index].type != .any {
                    batch.bytes.appendNotNull()
                }
                problem = append(value, readings[index], to: &batch.bytes)
                place &+= count
            }
            if let problem {
                batch.dropRecord(
                    Misfit(row: locator(batch), column: names[index], what: problem))
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

    private static let cut = Failure(
        .failed, "the server sent a row that ends too early", isTransient: true)

    private func appendNull(_ reading: Reading, to output: inout ByteBuffer) -> String? {
        if reading.type == .any {
            output.appendBranch(.null)
            return nil
        }
        guard reading.isNullable else { return "NULL in a column without NULL" }
        output.appendNull()
        return nil
    }

    /// Appends one value; what is wrong with it where the field's type does not have it.
    @inline(__always)
    private func append(
        _ value: UnsafeRawBufferPointer, _ reading: Reading, to output: inout ByteBuffer
    ) -> String? {
        switch reading.type {
        case .boolean:
            guard value.count == 1 else { return reading.misfit }
            output.appendBoolean(value[0] != 0)
        case .int32, .int64:
            guard let number = integer(value, reading.form),
                reading.type == .int64 || Int32(exactly: number) != nil
            else { return reading.misfit }
            output.appendLong(number)
        case .decimal(let precision, let scale):
            guard reading.form == .numeric,
                let unscaled = PostgresNumeric.unscaled(
                    value, precision: precision, scale: scale)
            else { return reading.misfit }
            output.appendUnscaled(unscaled)
        case .text, .enumeration, .set, .serverText:
            guard reading.form == .plain else { return appendText(value, reading, to: &output) }
            output.appendBytes(value)
        case .bytes: output.appendBytes(value)
        case .date:
            guard value.count == 4 else { return reading.misfit }
            output.appendLong(
                Int64(ReservedValues.date(fromPostgres: PostgresReadBack.int32(value))))
        case .timestamp, .localTimestamp:
            guard value.count == 8 else { return reading.misfit }
            output.appendLong(
                ReservedValues.timestamp(fromPostgres: PostgresReadBack.int64(value)))
        case .time:
            guard value.count == 8 else { return reading.misfit }
            output.appendLong(PostgresReadBack.int64(value))
        default: return appendOther(value, reading, to: &output)
        }
        return nil
    }

    private func appendOther(
        _ value: UnsafeRawBufferPointer, _ reading: Reading, to output: inout ByteBuffer
    ) -> String? {
        switch (reading.type, reading.form) {
        case (.float32, .float32), (.float32, .float64):
            let number = PostgresReadBack.real(value, reading.form)
            guard Double(Float(number)) == number || number.isNaN else { return reading.misfit }
            output.appendFloat(Float(number))
        case (.float64, .float32), (.float64, .float64):
            output.appendDouble(PostgresReadBack.real(value, reading.form))
        case (.uint64, .integer):
            guard let number = integer(value, .integer), number >= 0 else { return reading.misfit }
            output.appendUnscaled(Int128(number))
        case (.uint64, .numeric):
            guard let number = PostgresNumeric.unscaled(value, precision: 20, scale: 0),
                UInt64(exactly: number) != nil
            else { return reading.misfit }
            output.appendUnscaled(number)
        case (.numberText, .numeric):
            var text = ByteBuffer()
            guard PostgresNumeric.appendText(value, to: &text) else { return reading.misfit }
            output.appendBytes(text.bytes)
        case (.json, .versioned):
            guard value.count > 0 else { return reading.misfit }
            output.appendBytes(UnsafeRawBufferPointer(rebasing: value[1...]))
        case (.any, .versioned):
            guard value.count > 0,
                AnyJSON.appendValue(
                    UnsafeRawBufferPointer(rebasing: value[1...]), to: &output)
            else { return reading.misfit }
        case (.uuid, .uuid):
            guard value.count == 16 else { return reading.misfit }
            PostgresReadBack.append(uuid: value, to: &output)
        case (.bitString, .boolean):
            guard value.count == 1 else { return reading.misfit }
            output.appendLong(1)
            output.append(UInt8(ascii: value[0] == 0 ? "0" : "1"))
        case (.bitString, .bits):
            guard PostgresReadBack.append(bits: value, to: &output) else { return reading.misfit }
        case (.numberText, .plain), (.json, .plain), (.uuid, .plain), (.bitString, .plain):
            output.appendBytes(value)
        default: return reading.misfit
        }
        return nil
    }
}

extension PostgresReadBack {
    /// Appends what was a text and is none in its column, as that text.
    private func appendText(
        _ value: UnsafeRawBufferPointer, _ reading: Reading, to output: inout ByteBuffer
    ) -> String? {
        var text = ByteBuffer()
        switch (reading.form, value.count) {
        case (.date, 4):
            let days = ReservedValues.date(fromPostgres: PostgresReadBack.int32(value))
            guard !ReservedValues.isReserved(.date, Int64(days)) else { return reading.misfit }
            CalendarText.append(date: days, to: &text)
        case (.time, 8): CalendarText.append(time: PostgresReadBack.int64(value), to: &text)
        case (.timestamp(let isUTC), 8):
            let micros = ReservedValues.timestamp(fromPostgres: PostgresReadBack.int64(value))
            guard !ReservedValues.isReserved(.timestamp, micros) else { return reading.misfit }
            CalendarText.append(timestamp: micros, isUTC: isUTC, to: &text)
        case (.numeric, _):
            guard PostgresNumeric.appendText(value, to: &text) else { return reading.misfit }
        case (.uuid, 16):
            PostgresReadBack.append(uuid: value, to: &output)
            return nil
        case (.bits, _):
            return PostgresReadBack.append(bits: value, to: &output) ? nil : reading.misfit
        default: return reading.misfit
        }
        output.appendBytes(text.bytes)
        return nil
    }

    @inline(__always)
    private static func int32(_ value: UnsafeRawBufferPointer) -> Int32 {
        Int32(bigEndian: value.loadUnaligned(as: Int32.self))
    }

    @inline(__always)
    private static func int64(_ value: UnsafeRawBufferPointer) -> Int64 {
        Int64(bigEndian: value.loadUnaligned(as: Int64.self))
    }

    private static func real(_ value: UnsafeRawBufferPointer, _ form: Form) -> Double {
        form == .float32
            ? Double(Float(bitPattern: UInt32(bitPattern: int32(value))))
            : Double(bitPattern: UInt64(bitPattern: int64(value)))
    }

    @inline(__always)
    private func integer(_ value: UnsafeRawBufferPointer, _ form: Form) -> Int64? {
        switch (form, value.count) {
        case (.integer, 2):
            Int64(Int16(bigEndian: value.loadUnaligned(as: Int16.self)))
        case (.integer, 4): Int64(PostgresReadBack.int32(value))
        case (.integer, 8): PostgresReadBack.int64(value)
        case (.unsigned, 4): Int64(UInt32(bitPattern: PostgresReadBack.int32(value)))
        case (.boolean, 1): value[0] == 0 ? 0 : 1
        case (.numeric, _):
            PostgresNumeric.unscaled(value, precision: 38, scale: 0)
                .flatMap { Int64(exactly: $0) }
        default: nil
        }
    }

    private static func append(uuid value: UnsafeRawBufferPointer, to output: inout ByteBuffer) {
        output.appendLong(36)
        for index in 0..<16 {
            if index == 4 || index == 6 || index == 8 || index == 10 {
                output.append(UInt8(ascii: "-"))
            }
            output.append(hexadecimal: value[index])
        }
    }

    private static func append(
        bits value: UnsafeRawBufferPointer, to output: inout ByteBuffer
    ) -> Bool {
        guard value.count >= 4 else { return false }
        let count = Int(int32(value))
        guard count >= 0, value.count == 4 &+ (count &+ 7) / 8 else { return false }
        output.appendLong(Int64(count))
        for index in 0..<count {
            output.append(0x30 &+ (value[4 &+ index / 8] >> UInt8(7 &- index & 7)) & 1)
        }
        return true
    }
}
