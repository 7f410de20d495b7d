public import SluiceCore

/// The records of a shard as a target takes them and gives them back, where these differ from what
/// the shard holds: the one place in which records are changed on their way.
///
/// A hidden rowid of SQLite's has no place in other engines and reads as 0. A date that no calendar
/// has is NULL where the job says so (`zero-dates: null`), which a plan says by a field that may be
/// NULL instead of one that has such dates.
public final class MappedRecords: RecordSource {
    private enum Step {
        case same
        case rowid
        /// A date or timestamp, one that no calendar has being NULL.
        case moment(isTimestamp: Bool, wasNullable: Bool)
    }

    private let records: any RecordSource
    private let validator: RecordValidator
    private let steps: [Step]
    private var batch: Batch
    private var reserved: [Int]
    /// Of the records as they were, so far.
    public private(set) var digest = Digest.empty

    /// Nothing where every record is taken as it is.
    ///
    /// - Parameter records: as the shard has them, that is by `plan.original.schema`; what comes
    ///   out is by `plan.schema`.
    /// - Parameter keepsRowids: the target is SQLite, which has a place for them.
    public init?(_ records: any RecordSource, of plan: TablePlan, keepsRowids: Bool = false) {
        let fields = plan.schema.fields
        let hasRowid = fields.first?.isRowid == true && !keepsRowids
        guard hasRowid || fields.contains(where: \.nullsImpossibleDates) else { return nil }
        let before = plan.original.schema
        self.records = records
        validator = RecordValidator(before)
        steps = zip(before.fields, fields).map { old, new in
            if new.isRowid, !keepsRowids { return .rowid }
            guard new.nullsImpossibleDates else { return .same }
            return .moment(isTimestamp: old.type != .date, wasNullable: old.isNullable)
        }
        batch = Batch(fieldCount: fields.count, rowByteLimit: Int.max)
        reserved = Array(repeating: 0, count: fields.count)
    }

    public func fill(_ output: inout Batch, byteGoal: Int) throws(Failure) -> Bool {
        batch.removeAll()
        let hasMore = try records.fill(&batch, byteGoal: byteGoal)
        digest += batch.digest
        var cursor = RecordCursor(batch.bytes.bytes)
        // Counted, because the records of a table without columns have no bytes.
        for _ in 0..<batch.rowCount {
            try append(&cursor, to: &output.bytes)
            output.endRecord()
        }
        return hasMore
    }

    /// Appends the record at the cursor; what stays the same is copied in runs.
    private func append(
        _ cursor: inout RecordCursor, to output: inout ByteBuffer
    ) throws(Failure) {
        var start = cursor.position
        for index in steps.indices {
            switch steps[index] {
            case .same: try validator.check(index, &cursor, reserved: &reserved)
            case .rowid:
                output.append(cursor.read(since: start))
                _ = try cursor.long()
                output.appendLong(0)
                start = cursor.position
            case .moment(let isTimestamp, let wasNullable):
                let place = cursor.position
                let isNull = wasNullable ? try cursor.isNull() : false
                let isImpossible =
                    isNull
                    ? false : try MappedRecords.takeImpossible(&cursor, isTimestamp: isTimestamp)
                // Where NULL was possible before, a date of the calendar is written as it was.
                guard isImpossible || !wasNullable else { continue }
                let end = cursor.position
                output.append(cursor.read(from: start, to: place))
                if isImpossible {
                    output.appendNull()
                } else {
                    output.appendNotNull()
                    output.append(cursor.read(from: place, to: end))
                }
                start = end
            }
        }
        output.append(cursor.read(since: start))
    }

    /// Reads a date or timestamp; true where no calendar has it.
    private static func takeImpossible(
        _ cursor: inout RecordCursor, isTimestamp: Bool
    ) throws(Failure) -> Bool {
        let value = try cursor.long()
        guard !isTimestamp else { return ReservedValues.impossibleTimestamp(value) != nil }
        return Int32(exactly: value).map { ReservedValues.impossibleDate($0) != nil } ?? false
    }
}
