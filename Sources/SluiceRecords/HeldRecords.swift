public import SluiceCore

/// All records of one shard in memory, so that any of them can be had again. Belongs to one lane.
public final class HeldRecords {
    /// The start of every so many records is known; the ones between are walked to.
    private static let stride = 64

    private let validator: RecordValidator
    private let fieldCount: Int
    private var bytes = ByteBuffer(capacity: 1 << 20)
    private var starts: [Int] = []
    /// Of all records.
    public private(set) var digest = Digest.empty

    /// Reads everything that `records` gives.
    public init(
        _ records: any RecordSource, of plan: TablePlan, stop: StopSignal
    ) throws(Failure) {
        validator = RecordValidator(plan.schema)
        fieldCount = plan.schema.fields.count
        var batch = Batch(fieldCount: fieldCount, rowByteLimit: Int.max)
        var hasMore = true
        while hasMore {
            try stop.check()
            batch.removeAll()
            hasMore = try records.fill(&batch, byteGoal: 256 << 10)
            try noteStarts(batch)
            bytes.append(batch.bytes.bytes)
            digest += batch.digest
        }
    }

    public var count: Int { digest.rowCount }
    /// Their numbers: from 1 on.
    public var rows: Range<Int> { 1..<count + 1 }

    private func noteStarts(_ batch: borrowing Batch) throws(Failure) {
        var reserved = [Int](repeating: 0, count: fieldCount)
        var cursor = RecordCursor(batch.bytes.bytes)
        // Counted, because the records of a table without columns have no bytes.
        for row in 0..<batch.rowCount {
            if (count + row) % HeldRecords.stride == 0 {
                starts.append(bytes.count + cursor.position)
            }
            try validator.check(&cursor, reserved: &reserved)
        }
    }

    /// The records with these numbers, in their order; they must not outlive this object's lane.
    public func records(_ rows: Range<Int>) throws(Failure) -> any RecordSource {
        try HeldRange(self, rows, from: start(of: rows.lowerBound))
    }

    /// One record's bytes, valid as long as this object.
    public func record(_ row: Int) throws(Failure) -> UnsafeRawBufferPointer {
        let start = try start(of: row)
        return UnsafeRawBufferPointer(rebasing: bytes.bytes[start..<(try end(of: start))])
    }

    private func start(of row: Int) throws(Failure) -> Int {
        let index = row - 1
        guard index < count else { return bytes.count }
        var start = starts[index / HeldRecords.stride]
        for _ in 0..<index % HeldRecords.stride { start = try end(of: start) }
        return start
    }

    private func end(of start: Int) throws(Failure) -> Int {
        var reserved = [Int](repeating: 0, count: fieldCount)
        var cursor = RecordCursor(UnsafeRawBufferPointer(rebasing: bytes.bytes[start...]))
        try validator.check(&cursor, reserved: &reserved)
        return start + cursor.position
    }

    /// Appends records from `start` on until the batch holds `byteGoal` bytes or `count` of them.
    ///
    /// - Returns: how many there were, and where the next one starts.
    fileprivate func append(
        to batch: inout Batch, from start: Int, atMost count: Int, byteGoal: Int
    ) throws(Failure) -> (count: Int, end: Int) {
        var cursor = RecordCursor(UnsafeRawBufferPointer(rebasing: bytes.bytes[start...]))
        var appended = 0
        while appended < count, batch.bytes.count < byteGoal {
            let place = cursor.position
            try validator.check(&cursor, reserved: &batch.reserved)
            batch.bytes.append(cursor.read(since: place))
            batch.endRecord()
            appended += 1
        }
        return (appended, start + cursor.position)
    }
}

private final class HeldRange: RecordSource {
    private let records: HeldRecords
    private var left: Int
    private var place: Int

    init(_ records: HeldRecords, _ rows: Range<Int>, from place: Int) {
        self.records = records
        left = rows.count
        self.place = place
    }

    func fill(_ batch: inout Batch, byteGoal: Int) throws(Failure) -> Bool {
        let appended = try records.append(
            to: &batch, from: place, atMost: left, byteGoal: byteGoal)
        left -= appended.count
        place = appended.end
        return left > 0
    }
}
