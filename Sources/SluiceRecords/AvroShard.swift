internal import SluiceCore

/// The Avro container that sluice writes: the same header for every shard of a table and codec.
enum AvroShard {
    /// Magic, metadata and the sync marker, which is derived: the first 16 bytes of the SHA-256 of
    /// schema and codec.
    static func header(_ schema: RecordSchema, _ codec: ShardFormat.Codec) -> [UInt8] {
        let schemaText = Array(schema.avro.utf8)
        let codecName = Array(codec.avroName.utf8)
        var buffer = ByteBuffer(capacity: schemaText.count + 128)
        buffer.append(AvroContainer.magic)
        buffer.appendLong(2)
        append(Array("avro.schema".utf8), to: &buffer)
        append(schemaText, to: &buffer)
        append(Array("avro.codec".utf8), to: &buffer)
        append(codecName, to: &buffer)
        buffer.appendLong(0)
        let sync = SHA256.hash(schemaText + codecName).prefix(AvroContainer.syncByteCount)
        buffer.append(Array(sync))
        return buffer.array()
    }

    private static func append(_ bytes: [UInt8], to buffer: inout ByteBuffer) {
        bytes.withUnsafeBytes { buffer.appendBytes($0) }
    }
}

/// Writes batches as the blocks of an Avro container: one batch, one block.
final class AvroShardRenderer: ShardRenderer {
    private let header: [UInt8]
    private let compressor: BlockCompressor
    private var compressed = ByteBuffer(capacity: 1 << 10)

    init(schema: RecordSchema, codec: ShardFormat.Codec) {
        header = AvroShard.header(schema, codec)
        compressor = BlockCompressor(codec)
    }

    func begin(_ output: inout ByteBuffer) throws(Failure) {
        output.append(header)
    }

    func append(_ batch: borrowing Batch, to output: inout ByteBuffer) throws(Failure) {
        guard batch.rowCount > 0 else { return }
        precondition(
            batch.bytes.count <= AvroShardParser.blockByteGoal + batch.rowByteLimit,
            "a batch has at most one row more than fits a block")
        output.appendLong(Int64(batch.rowCount))
        if compressor.codec == .none {
            output.appendBytes(batch.bytes.bytes)
        } else {
            // Their length stands before the compressed bytes, and is known behind them.
            compressed.removeAll(keepingAtMost: 4 << 20)
            try compressor.append(batch.bytes.bytes, to: &compressed)
            output.appendBytes(compressed.bytes)
        }
        header.withUnsafeBytes { header in
            output.append(
                UnsafeRawBufferPointer(
                    rebasing: header.suffix(AvroContainer.syncByteCount)))
        }
    }

    func finish(_ output: inout ByteBuffer) throws(Failure) {}
}
