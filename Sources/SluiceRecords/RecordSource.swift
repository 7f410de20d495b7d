public import SluiceCore

/// Anything that yields records of one table, a batch at a time: a chunk of a source, a shard, a
/// target read back.
///
/// Belongs to one lane.
public protocol RecordSource: AnyObject {
    /// Appends whole records until the batch holds `byteGoal` bytes or there are no more; false
    /// when there are no more.
    func fill(_ batch: inout Batch, byteGoal: Int) throws(Failure) -> Bool
}
