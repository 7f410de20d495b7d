internal import SluiceCore

/// Reads the Avro containers that sluice writes: header as expected, every block within its
/// bounds, every record valid.
final class AvroShardParser: ShardParser {
    /// What a block may hold beyond the one row that made it full.
    static let blockByteGoal = 1 << 20

    private let header: [UInt8]
    private let schemaText: [UInt8]
    private let codec: ShardFormat.Codec
    private let validator: RecordValidator
    private let blockByteLimit: Int
    private let decompressor: BlockDecompressor
    private var container: AvroContainer?
    /// The unpacked block whose records are being handed out.
    private var block = ByteBuffer(capacity: 1 << 10)
    private var blockPlace = 0
    private var blockRowsLeft = 0
    private let rowByteLimit: Int

    init(schema: RecordSchema, codec: ShardFormat.Codec, rowByteLimit: Int) {
        header = AvroShard.header(schema, codec)
        schemaText = Array(schema.avro.utf8)
        self.codec = codec
        validator = RecordValidator(schema)
        self.rowByteLimit = rowByteLimit
        blockByteLimit = AvroShardParser.blockByteGoal + rowByteLimit
        decompressor = BlockDecompressor(codec, refusesTail: true)
    }

    func open(_ bytes: UnsafeRawBufferPointer) throws(Failure) {
        container = nil
        blockRowsLeft = 0
        blockPlace = 0
        block.removeAll()
        let start = UnsafeRawBufferPointer(rebasing: bytes.prefix(header.count))
        guard header.withUnsafeBytes({ $0.hasSameBytes(as: start) }) else {
            throw try differentHeader(bytes)
        }
        container = AvroContainer(bytes, behindHeader: header.count, rowLimit: blockByteLimit)
    }

    func fill(_ batch: inout Batch, byteGoal: Int) throws(Failure) -> Bool {
        repeat {
            if blockRowsLeft == 0, try !nextBlock() { return false }
            try take(into: &batch, byteGoal: byteGoal)
        } while batch.bytes.count < byteGoal
        return true
    }

    /// Unpacks the next block; false when there is none.
    private func nextBlock() throws(Failure) -> Bool {
        guard let stored = try container?.nextBlock() else { return false }
        do throws(Failure) {
            guard stored.rowCount > 0 else { throw Failure(.failed, "a block has no rows") }
            try decompressor.unpack(stored.bytes, into: &block, byteLimit: blockByteLimit)
        } catch {
            throw error.during(place)
        }
        blockRowsLeft = stored.rowCount
        blockPlace = 0
        return true
    }

    /// Checks records of the block and appends them to the batch, until it is full or the block at
    /// its end.
    private func take(into batch: inout Batch, byteGoal: Int) throws(Failure) {
        var cursor = RecordCursor(
            UnsafeRawBufferPointer(rebasing: block.bytes[blockPlace...]))
        do throws(Failure) {
            while blockRowsLeft > 0, batch.bytes.count < byteGoal {
                let start = cursor.position
                try validator.check(&cursor, reserved: &batch.reserved)
                let record = cursor.read(since: start)
                guard record.count <= rowByteLimit else {
                    throw Failure(
                        .failed, "a row has \(record.count) bytes, the limit is \(rowByteLimit)",
                        hint: "Raise --row-bytes.")
                }
                batch.bytes.append(record)
                batch.endRecord()
                blockRowsLeft -= 1
            }
            guard blockRowsLeft > 0 || cursor.isAtEnd else {
                throw Failure(.failed, "a block has bytes behind its last row")
            }
        } catch {
            throw error.during(place)
        }
        blockPlace += cursor.position
    }

    private var place: String { "reading block \(container?.blockCount ?? 0) of a shard" }

    /// Why a header is not the expected one.
    private func differentHeader(_ bytes: UnsafeRawBufferPointer) throws(Failure) -> Failure {
        let found = try AvroContainer(bytes, rowLimit: 0)
        let foundCodec = try found.codec()
        guard foundCodec == codec else {
            return Failure(
                .failed,
                "the shard's codec is \(foundCodec.avroName), expected is \(codec.avroName)")
        }
        guard let schema = found.value(of: "avro.schema"), schema.elementsEqual(schemaText)
        else { return Failure(.failed, "the shard's schema is not that of its table") }
        return Failure(.failed, "the shard's header is not as sluice writes it")
    }
}
