internal import SluiceCore

/// Reads back what `CSVShardRenderer` wrote, into identical records; any other text fails with
/// its line and column.
final class CSVShardParser: ShardParser {
    private var reader: CSVRowReader
    private let codec: ShardFormat.Codec

    init(schema: RecordSchema, codec: ShardFormat.Codec, rowByteLimit: Int) {
        reader = CSVRowReader(schema, rowByteLimit: rowByteLimit)
        self.codec = codec
    }

    func open(_ bytes: UnsafeRawBufferPointer) throws(Failure) {
        try reader.open(bytes, codec == .zstandard ? .oneZstandardFrame : .none)
    }

    func fill(_ batch: inout Batch, byteGoal: Int) throws(Failure) -> Bool {
        try reader.fill(&batch, byteGoal: byteGoal)
    }
}
