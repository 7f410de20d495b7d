public import SluiceCore

/// Writes shards of one table in one format, one after the other; its contexts are made once.
/// Belongs to one lane.
public final class ShardWriter {
    private let schema: RecordSchema
    private let renderer: any ShardRenderer
    private var shard: ShardBytes?
    private var digest = Digest.empty
    private var reserved: [Int]
    /// Bytes of records so far, before rendering and compression.
    public private(set) var recordByteCount = 0

    public init(schema: RecordSchema, format: ShardFormat) {
        self.schema = schema
        renderer =
            switch format.rendering {
            case .avro: AvroShardRenderer(schema: schema, codec: format.codec)
            case .csv: CSVShardRenderer(schema: schema, codec: format.codec)
            }
        reserved = Array(repeating: 0, count: schema.fields.count)
    }

    public var rowCount: Int { digest.rowCount }

    /// Bytes of the shard so far, as it will be stored.
    public var storedCount: Int { shard?.buffer.count ?? 0 }

    /// Starts a shard in these bytes, whatever was in them; they are the caller's again after
    /// `finish`. A shard that was begun and not finished is forgotten.
    public func begin(_ shard: ShardBytes) throws(Failure) {
        self.shard = shard
        digest = .empty
        recordByteCount = 0
        for index in reserved.indices { reserved[index] = 0 }
        shard.buffer.removeAll()
        try renderer.begin(&shard.buffer)
    }

    /// Adds a batch; an Avro shard gets a block of its own for each. Misfits are not looked at.
    public func append(_ batch: borrowing Batch) throws(Failure) {
        guard let shard else { preconditionFailure("a shard is begun before rows are appended") }
        try renderer.append(batch, to: &shard.buffer)
        digest += batch.digest
        recordByteCount += batch.bytes.count
        for index in reserved.indices { reserved[index] += batch.reserved[index] }
    }

    /// Ends the shard and tells what is in it.
    public func finish() throws(Failure) -> ShardSummary {
        guard let shard else { preconditionFailure("a shard is begun before it is finished") }
        try renderer.finish(&shard.buffer)
        self.shard = nil
        let bytes = shard.buffer.bytes
        return ShardSummary(
            digest: digest, recordBytes: recordByteCount, storedBytes: bytes.count,
            sha256: SHA256.hash(bytes), crc32c: CRC32C.checksum(bytes), reserved: reserved)
    }
}
