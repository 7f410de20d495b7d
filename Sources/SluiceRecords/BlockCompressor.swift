internal import CSnappy
internal import CZlib
internal import CZstd
internal import SluiceCore

/// Compresses Avro blocks with one codec; its context is made once and reused. Belongs to one
/// lane.
final class BlockCompressor {
    /// Fast before small: an export is bound by the processor before it is bound by the store.
    static let zstandardLevel: Int32 = 1
    static let deflateLevel: Int32 = 1

    let codec: ShardFormat.Codec
    private var zstandard: OpaquePointer?
    private var deflater: UnsafeMutablePointer<z_stream>?

    init(_ codec: ShardFormat.Codec) {
        self.codec = codec
        switch codec {
        case .zstandard:
            zstandard = ZSTD_createCCtx()
            precondition(zstandard != nil, "no memory for a zstandard context")
            let level = ZSTD_CCtx_setParameter(
                zstandard, ZSTD_c_compressionLevel, BlockCompressor.zstandardLevel)
            let checksum = ZSTD_CCtx_setParameter(zstandard, ZSTD_c_checksumFlag, 1)
            precondition(
                ZSTD_isError(level) == 0 && ZSTD_isError(checksum) == 0,
                "zstandard knows its parameters")
        case .deflate:
            let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
            stream.initialize(to: z_stream())
            // Minus 15: the raw form of RFC 1951, as Avro wants it, without zlib's header.
            let code = deflateInit2_(
                stream, BlockCompressor.deflateLevel, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY,
                ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
            precondition(code == Z_OK, "no memory for a deflate context")
            deflater = stream
        case .snappy, .none:
            break
        }
    }

    deinit {
        ZSTD_freeCCtx(zstandard)
        if let deflater {
            deflateEnd(deflater)
            deflater.deallocate()
        }
    }

    /// Appends the block as it is stored.
    func append(_ block: UnsafeRawBufferPointer, to output: inout ByteBuffer) throws(Failure) {
        switch codec {
        case .zstandard: try appendZstandard(block, to: &output)
        case .deflate: try appendDeflated(block, to: &output)
        case .snappy: try appendSnappy(block, to: &output)
        case .none: output.append(block)
        }
    }

    private func appendZstandard(
        _ block: UnsafeRawBufferPointer, to output: inout ByteBuffer
    ) throws(Failure) {
        try output.append(upTo: ZSTD_compressBound(block.count)) { room throws(Failure) in
            let count = ZSTD_compress2(
                zstandard, room.baseAddress, room.count, block.baseAddress, block.count)
            guard ZSTD_isError(count) == 0 else {
                throw Failure(
                    .failed, "zstandard cannot compress a block",
                    code: String(cString: ZSTD_getErrorName(count)))
            }
            return count
        }
    }

    private func appendDeflated(
        _ block: UnsafeRawBufferPointer, to output: inout ByteBuffer
    ) throws(Failure) {
        guard let deflater, let size = UInt32(exactly: block.count) else {
            throw Failure(.failed, "deflate cannot compress a block of 4 GiB")
        }
        let bound = Int(deflateBound(deflater, UInt(size)))
        try output.append(upTo: bound) { room throws(Failure) in
            deflater.pointee.next_in = UnsafeMutablePointer(
                mutating: block.bindMemory(to: UInt8.self).baseAddress)
            deflater.pointee.avail_in = size
            deflater.pointee.next_out = room.bindMemory(to: UInt8.self).baseAddress
            deflater.pointee.avail_out = UInt32(clamping: room.count)
            let code = deflate(deflater, Z_FINISH)
            let written = Int(deflater.pointee.total_out)
            deflateReset(deflater)
            guard code == Z_STREAM_END else {
                throw Failure(.failed, "deflate cannot compress a block", code: "\(code)")
            }
            return written
        }
    }

    private func appendSnappy(
        _ block: UnsafeRawBufferPointer, to output: inout ByteBuffer
    ) throws(Failure) {
        let bound = snappy_max_compressed_length(block.count)
        try output.append(upTo: bound) { room throws(Failure) in
            var count = room.count
            let code = snappy_compress(
                block.bindMemory(to: CChar.self).baseAddress, block.count,
                room.bindMemory(to: CChar.self).baseAddress, &count)
            guard code == SNAPPY_OK else {
                throw Failure(.failed, "snappy cannot compress a block")
            }
            return count
        }
        withUnsafeBytes(of: BlockChecksum.crc32(block).bigEndian) { output.append($0) }
    }
}

/// The checksum that follows a snappy block: zlib's CRC-32 of the bytes before compression.
enum BlockChecksum {
    static func crc32(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        UInt32(
            truncatingIfNeeded: crc32_z(
                0, bytes.bindMemory(to: UInt8.self).baseAddress, bytes.count))
    }
}
