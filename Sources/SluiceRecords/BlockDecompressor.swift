internal import CSnappy
internal import CZlib
internal import CZstd
internal import SluiceCore

/// Decompresses Avro blocks of any codec, never to more than a limit; contexts are made once.
/// Belongs to one lane.
///
/// A size that a block declares is checked before memory is taken for it, and one that it does not
/// declare is found out step by step.
final class BlockDecompressor {
    let codec: ShardFormat.Codec
    /// Bytes behind a deflate stream are a failure: ours have none. fastavro leaves three of
    /// zlib's checksum there.
    private let refusesTail: Bool
    private var zstandard: OpaquePointer?
    private var inflater: UnsafeMutablePointer<z_stream>?

    init(_ codec: ShardFormat.Codec, refusesTail: Bool = false) {
        self.codec = codec
        self.refusesTail = refusesTail
        switch codec {
        case .zstandard:
            zstandard = ZSTD_createDCtx()
            precondition(zstandard != nil, "no memory for a zstandard context")
        case .deflate:
            let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
            stream.initialize(to: z_stream())
            let code = inflateInit2_(
                stream, -15, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
            precondition(code == Z_OK, "no memory for a deflate context")
            inflater = stream
        case .snappy, .none:
            break
        }
    }

    deinit {
        ZSTD_freeDCtx(zstandard)
        if let inflater {
            inflateEnd(inflater)
            inflater.deallocate()
        }
    }

    /// Replaces the buffer's content with the unpacked block.
    func unpack(
        _ stored: UnsafeRawBufferPointer, into output: inout ByteBuffer, byteLimit: Int
    ) throws(Failure) {
        output.removeAll(keepingAtMost: 4 << 20)
        switch codec {
        case .zstandard: try unpackZstandard(stored, into: &output, byteLimit: byteLimit)
        case .deflate: try inflate(stored, into: &output, byteLimit: byteLimit)
        case .snappy: try unpackSnappy(stored, into: &output, byteLimit: byteLimit)
        case .none:
            try BlockDecompressor.check(stored.count, byteLimit: byteLimit)
            output.append(stored)
        }
    }

    private static func check(_ count: Int, byteLimit: Int) throws(Failure) {
        guard count <= byteLimit else { throw tooLarge(byteLimit) }
    }

    private static func tooLarge(_ byteLimit: Int) -> Failure {
        Failure(
            .failed, "a block unpacks to more than the limit of \(byteLimit) bytes",
            hint: "Does it hold rows that need a larger --row-bytes?"
        )
    }

    private func damaged(_ code: String? = nil) -> Failure {
        Failure(.failed, "a \(codec.rawValue) block is damaged", code: code)
    }
}

extension BlockDecompressor {
    private func unpackZstandard(
        _ stored: UnsafeRawBufferPointer, into output: inout ByteBuffer, byteLimit: Int
    ) throws(Failure) {
        let frame = ZSTD_findFrameCompressedSize(stored.baseAddress, stored.count)
        guard ZSTD_isError(frame) == 0 else {
            throw damaged(String(cString: ZSTD_getErrorName(frame)))
        }
        guard frame == stored.count else {
            throw Failure(.failed, "bytes follow the zstandard frame of a block")
        }
        // All ones: the writer did not know the size; one less: no frame, which was found above.
        let declared = ZSTD_getFrameContentSize(stored.baseAddress, stored.count)
        guard declared < UInt64.max - 1 else {
            return try streamZstandard(stored, into: &output, byteLimit: byteLimit)
        }
        guard declared <= UInt64(byteLimit) else { throw BlockDecompressor.tooLarge(byteLimit) }
        try output.append(upTo: Int(declared)) { room throws(Failure) in
            let count = ZSTD_decompressDCtx(
                zstandard, room.baseAddress, room.count, stored.baseAddress, stored.count)
            guard ZSTD_isError(count) == 0 else {
                throw damaged(String(cString: ZSTD_getErrorName(count)))
            }
            return count
        }
    }

    /// For frames of other writers that do not say how large they are.
    private func streamZstandard(
        _ stored: UnsafeRawBufferPointer, into output: inout ByteBuffer, byteLimit: Int
    ) throws(Failure) {
        ZSTD_DCtx_reset(zstandard, ZSTD_reset_session_only)
        // A window larger than all that may come out is a bomb in itself.
        let windowLog = min(max(Int32(Int.bitWidth - byteLimit.leadingZeroBitCount), 10), 27)
        ZSTD_DCtx_setParameter(zstandard, ZSTD_d_windowLogMax, windowLog)
        var input = ZSTD_inBuffer(src: stored.baseAddress, size: stored.count, pos: 0)
        var isDone = false
        while !isDone {
            let step = min(max(output.count, 1 << 16), byteLimit - output.count)
            var isStuck = false
            // One byte more than the limit, so that what reaches it is told from what goes beyond.
            try output.append(upTo: step + 1) { room throws(Failure) in
                var buffer = ZSTD_outBuffer(dst: room.baseAddress, size: room.count, pos: 0)
                let code = ZSTD_decompressStream(zstandard, &buffer, &input)
                guard ZSTD_isError(code) == 0 else {
                    throw damaged(String(cString: ZSTD_getErrorName(code)))
                }
                isDone = code == 0
                isStuck = buffer.pos == 0 && input.pos == input.size
                return buffer.pos
            }
            try BlockDecompressor.check(output.count, byteLimit: byteLimit)
            guard isDone || !isStuck else { throw damaged() }
        }
    }

    private func inflate(
        _ stored: UnsafeRawBufferPointer, into output: inout ByteBuffer, byteLimit: Int
    ) throws(Failure) {
        guard let inflater, let size = UInt32(exactly: stored.count) else { throw damaged() }
        inflateReset(inflater)
        inflater.pointee.next_in = UnsafeMutablePointer(
            mutating: stored.bindMemory(to: UInt8.self).baseAddress)
        inflater.pointee.avail_in = size
        var code = Z_OK
        while code != Z_STREAM_END {
            let step = min(max(output.count, 1 << 16), byteLimit - output.count)
            try output.append(upTo: step + 1) { room throws(Failure) in
                inflater.pointee.next_out = room.bindMemory(to: UInt8.self).baseAddress
                inflater.pointee.avail_out = UInt32(clamping: room.count)
                let offered = Int(inflater.pointee.avail_out)
                code = CZlib.inflate(inflater, Z_NO_FLUSH)
                guard code == Z_OK || code == Z_STREAM_END else {
                    throw damaged(inflater.pointee.msg.map { String(cString: $0) } ?? "\(code)")
                }
                return offered - Int(inflater.pointee.avail_out)
            }
            try BlockDecompressor.check(output.count, byteLimit: byteLimit)
        }
        guard inflater.pointee.avail_in == 0 || !refusesTail else {
            throw Failure(.failed, "bytes follow the deflate stream of a block")
        }
    }

    private func unpackSnappy(
        _ stored: UnsafeRawBufferPointer, into output: inout ByteBuffer, byteLimit: Int
    ) throws(Failure) {
        guard stored.count > 4 else { throw damaged() }
        let packed = UnsafeRawBufferPointer(rebasing: stored[..<(stored.count - 4)])
        let input = packed.bindMemory(to: CChar.self).baseAddress
        var declared = 0
        guard snappy_uncompressed_length(input, packed.count, &declared) == SNAPPY_OK else {
            throw damaged()
        }
        try BlockDecompressor.check(declared, byteLimit: byteLimit)
        try output.append(upTo: declared) { room throws(Failure) in
            var count = room.count
            let code = snappy_uncompress(
                input, packed.count, room.bindMemory(to: CChar.self).baseAddress, &count)
            guard code == SNAPPY_OK, count == declared else { throw damaged() }
            return count
        }
        let checksum = UInt32(
            bigEndian: stored.loadUnaligned(
                fromByteOffset: stored.count - 4, as: UInt32.self))
        guard checksum == BlockChecksum.crc32(output.bytes) else {
            throw Failure(.failed, "the checksum of a snappy block is wrong")
        }
    }
}
