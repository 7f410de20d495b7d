internal import SluiceCore

/// Writes batches of records as one shard's bytes; one class per rendering. Reused from shard to
/// shard, by one lane.
protocol ShardRenderer: AnyObject {
    /// Whatever stands before the first record.
    func begin(_ output: inout ByteBuffer) throws(Failure)
    func append(_ batch: borrowing Batch, to output: inout ByteBuffer) throws(Failure)
    /// Whatever stands behind the last record.
    func finish(_ output: inout ByteBuffer) throws(Failure)
}

/// Reads what a renderer wrote, back into identical records, strictly and bounded. Reused, by one
/// lane.
protocol ShardParser: AnyObject {
    /// The bytes stay where they are until the next call of `open`.
    func open(_ bytes: UnsafeRawBufferPointer) throws(Failure)
    /// Appends whole checked records until the batch holds `byteGoal` bytes or the shard ends;
    /// false when it has ended.
    func fill(_ batch: inout Batch, byteGoal: Int) throws(Failure) -> Bool
}
