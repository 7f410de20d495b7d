internal import CZstd
internal import SluiceCore

/// Writes a shard as CSV (`CSVText`), plain or as one zstandard frame.
final class CSVShardRenderer: ShardRenderer {
    private var writer: CSVRowWriter
    private var sink: CSVSink

    init(schema: RecordSchema, codec: ShardFormat.Codec) {
        writer = CSVRowWriter(schema)
        sink = CSVSink(isCompressing: codec == .zstandard)
    }

    func begin(_ output: inout ByteBuffer) throws(Failure) {
        try sink.begin()
        writer.appendHeader(to: &sink)
    }

    func append(_ batch: borrowing Batch, to output: inout ByteBuffer) throws(Failure) {
        try writer.append(batch, through: &sink, to: &output)
    }

    func finish(_ output: inout ByteBuffer) throws(Failure) {
        try sink.drain(to: &output, isLast: true)
    }
}

/// Gathers text and passes it on to a shard's bytes, compressed or as it is, some at a time.
struct CSVSink: ~Copyable {
    /// What was written and not passed on.
    var text = ByteBuffer(capacity: 2 * CSVSink.drainByteCount)
    /// Text of more bytes should be passed on.
    static let drainByteCount = 64 << 10

    private let isCompressing: Bool
    private var context: OpaquePointer?

    init(isCompressing: Bool) {
        self.isCompressing = isCompressing
    }

    deinit {
        ZSTD_freeCCtx(context)
    }

    mutating func begin() throws(Failure) {
        text.removeAll(keepingAtMost: 4 * CSVSink.drainByteCount)
        guard isCompressing else { return }
        if context == nil { context = ZSTD_createCCtx() }
        guard let context else { throw Failure(.failed, "no memory for compressing") }
        ZSTD_CCtx_reset(context, ZSTD_reset_session_and_parameters)
        ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, 1)
        ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)
    }

    mutating func drainIfFull(to output: inout ByteBuffer) throws(Failure) {
        if text.count >= CSVSink.drainByteCount { try drain(to: &output, isLast: false) }
    }

    mutating func drain(to output: inout ByteBuffer, isLast: Bool) throws(Failure) {
        guard isCompressing, let context else {
            output.append(text.bytes)
            text.removeAll()
            return
        }
        var input = ZSTD_inBuffer(src: text.bytes.baseAddress, size: text.count, pos: 0)
        let mode = isLast ? ZSTD_e_end : ZSTD_e_continue
        var isDone = false
        while !isDone {
            try output.append(upTo: ZSTD_CStreamOutSize()) { room throws(Failure) in
                var piece = ZSTD_outBuffer(dst: room.baseAddress, size: room.count, pos: 0)
                let left = ZSTD_compressStream2(context, &piece, &input, mode)
                if ZSTD_isError(left) != 0 {
                    throw Failure(
                        .bug, "zstandard does not compress",
                        code: String(cString: ZSTD_getErrorName(left)))
                }
                isDone = isLast ? left == 0 : input.pos == input.size
                return piece.pos
            }
        }
        text.removeAll()
    }
}
