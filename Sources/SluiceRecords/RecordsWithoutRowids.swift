public import SluiceCore

/// The records of a table with a hidden rowid of SQLite's as other engines give them back: there
/// is no place for the rowid, which reads as 0.
public final class RecordsWithoutRowids: RecordSource {
    private let records: any RecordSource
    private let validator: RecordValidator
    private var batch: Batch
    private var reserved: [Int]
    /// Of the records as they were, so far.
    public private(set) var digest = Digest.empty

    private init(_ records: any RecordSource, _ plan: TablePlan) {
        self.records = records
        validator = RecordValidator(plan.schema)
        batch = Batch(fieldCount: plan.schema.fields.count, rowByteLimit: Int.max)
        reserved = Array(repeating: 0, count: plan.schema.fields.count)
    }

    /// Nothing where every record comes back as it is.
    public convenience init?(_ records: any RecordSource, of plan: TablePlan) {
        // It is always the first field.
        guard plan.schema.fields.first?.isRowid == true else { return nil }
        self.init(records, plan)
    }

    public func fill(_ output: inout Batch, byteGoal: Int) throws(Failure) -> Bool {
        batch.removeAll()
        let hasMore = try records.fill(&batch, byteGoal: byteGoal)
        digest += batch.digest
        var cursor = RecordCursor(batch.bytes.bytes)
        while !cursor.isAtEnd {
            let start = cursor.position
            try validator.check(&cursor, reserved: &reserved)
            let record = cursor.read(since: start)
            var first = RecordCursor(record)
            _ = try first.long()
            output.bytes.appendLong(0)
            output.bytes.append(UnsafeRawBufferPointer(rebasing: record[first.position...]))
            output.endRecord()
        }
        return hasMore
    }
}
