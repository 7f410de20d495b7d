internal import SluiceCore
internal import SluiceRecords

/// A batch on its way from a lane to the writer and back, to be filled again.
///
/// Unchecked because it has one owner at a time: whoever took it from a queue.
final class SQLiteParcel: @unchecked Sendable {
    var batch: Batch

    init(fieldCount: Int) {
        batch = Batch(fieldCount: fieldCount)
    }
}

/// One shard between the lane that decodes it and the writer: a bounded hand-over of batches, and
/// how it ended.
final class SQLiteShipment: Sendable {
    /// How many batches a lane may be ahead of the writer.
    static let parcelLimit = 3
    /// Records' bytes in one batch.
    static let byteGoal = 256 << 10

    private struct State {
        var laneFailure: Failure?
        var outcome: Result<LoadOutcome, Failure>?
    }

    let unit: String
    let table: TablePlan
    /// Of the records as the shard has them.
    let expected: Digest
    /// Other records are loaded than the shard has; the lane compares those with `expected`.
    let isMapped: Bool
    private let full = BoundedQueue<SQLiteParcel>(limit: parcelLimit)
    private let free = BoundedQueue<SQLiteParcel>(limit: parcelLimit)
    private let state = Monitor<State>(State())

    init(
        _ unit: String, of table: TablePlan, expecting expected: Digest, isMapped: Bool = false
    ) {
        self.isMapped = isMapped
        self.unit = unit
        self.table = table
        self.expected = expected
        for _ in 0..<SQLiteShipment.parcelLimit {
            _ = free.put(SQLiteParcel(fieldCount: table.schema.fields.count))
        }
    }

    /// On the lane: decodes until the records end or the writer wants no more, and tells how the
    /// writer ended.
    ///
    /// - Parameter check: called when all were decoded; what it throws ends the shard.
    func send(
        _ records: any RecordSource, check: () throws(Failure) -> Void = {}
    ) throws(Failure) -> LoadOutcome {
        do {
            while let parcel = free.take() {
                let hasMore = try records.fill(
                    &parcel.batch, byteGoal: SQLiteShipment.byteGoal)
                if !hasMore { try check() }
                guard full.put(parcel) else { break }
                guard hasMore else {
                    full.close()
                    break
                }
            }
        } catch {
            state.change { $0.laneFailure = error }
            full.close()
        }
        return try state.wait { $0.outcome }.get()
    }

    /// On the writer: the next filled batch, or nothing when the lane has no more or has failed.
    func nextParcel() -> SQLiteParcel? { full.take() }

    func giveBack(_ parcel: SQLiteParcel) {
        parcel.batch.removeAll()
        _ = free.put(parcel)
    }

    /// Throws what went wrong on the lane.
    func checkLane() throws(Failure) {
        if let failure = state.read({ $0.laneFailure }) { throw failure }
    }

    /// On the writer: the transaction is over.
    func end(with outcome: Result<LoadOutcome, Failure>) {
        full.abandon()
        free.abandon()
        state.change { $0.outcome = outcome }
    }
}
