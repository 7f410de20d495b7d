internal import SluiceCore
internal import SluiceRecords

/// Goes through the records of a shard one by one.
struct RecordWalk {
    private let records: any RecordSource
    private let plan: TablePlan

    init(_ records: any RecordSource, _ plan: TablePlan) {
        self.records = records
        self.plan = plan
    }

    /// Calls `body` with each record and its number, counted from 1, until it says that it has seen
    /// enough.
    func visit(
        _ body: (Int, UnsafeRawBufferPointer) throws(Failure) -> Bool
    ) throws(Failure) {
        let validator = RecordValidator(plan.schema)
        var reserved = [Int](repeating: 0, count: plan.schema.fields.count)
        var batch = Batch(fieldCount: reserved.count, rowByteLimit: Int.max)
        var ordinal = 0
        var hasMore = true
        while hasMore {
            batch.removeAll()
            hasMore = try records.fill(&batch, byteGoal: ExportLanes.batchBytes)
            var cursor = RecordCursor(batch.bytes.bytes)
            for _ in 0..<batch.rowCount {
                let start = cursor.position
                try validator.check(&cursor, reserved: &reserved)
                ordinal += 1
                guard try body(ordinal, cursor.read(since: start)) else { return }
            }
        }
    }
}
