public import SluiceCore

/// Reads shards of one table in one format back into identical records, one shard after the other;
/// its contexts are made once. Belongs to one lane.
///
/// Checks that every record is one of its schema; that the shard is the one a seal names is for
/// whoever compares its checksum.
public final class ShardReader: RecordSource {
    private let parser: any ShardParser
    private var shard: ShardBytes?
    /// What has been read of the shard so far; all of it, when `fill` has returned false.
    public private(set) var digest = Digest.empty
    /// Bytes of records so far, before rendering and compression.
    public private(set) var recordByteCount = 0

    public init(schema: RecordSchema, format: ShardFormat, rowByteLimit: Int = 256 << 20) {
        parser =
            switch format.rendering {
            case .avro:
                AvroShardParser(schema: schema, codec: format.codec, rowByteLimit: rowByteLimit)
            case .csv:
                CSVShardParser(schema: schema, codec: format.codec, rowByteLimit: rowByteLimit)
            }
    }

    /// Starts to read a shard, whose bytes must stay as they are until it was read.
    public func open(_ shard: ShardBytes) throws(Failure) {
        self.shard = shard
        digest = .empty
        recordByteCount = 0
        try parser.open(shard.buffer.bytes)
    }

    /// Appends whole records until the batch holds `byteGoal` bytes or there are no more; false
    /// when there are no more, though the batch may have got the last ones.
    public func fill(_ batch: inout Batch, byteGoal: Int) throws(Failure) -> Bool {
        guard shard != nil else { preconditionFailure("a shard is opened before it is read") }
        let before = batch.digest
        let bytesBefore = batch.bytes.count
        let goesOn = try parser.fill(&batch, byteGoal: byteGoal)
        digest += batch.digest - before
        recordByteCount += batch.bytes.count - bytesBefore
        return goesOn
    }
}
