internal import CZlib
internal import CZstd
internal import SluiceCore

/// Where the bytes of a CSV come from: memory, as they are or decompressed a window at a time.
///
/// Decompressing takes the same memory whatever comes out, so a bomb only costs time, and whoever
/// reads rows bounds those.
struct CSVInput: ~Copyable {
    enum Compression {
        case none
        /// One frame with sluice's own window limit; nothing behind it.
        case oneZstandardFrame
        /// What other tools write: any number of frames, and the window limit of the zstd program.
        case zstandard
        case gzip
    }

    private static let windowByteCount = 128 << 10

    private var compression = Compression.none
    private var rest = UnsafeRawBufferPointer(start: nil, count: 0)
    private var window: UnsafeMutableRawBufferPointer?
    private var zstandard: OpaquePointer?
    private var gzip: UnsafeMutablePointer<z_stream>?
    /// Between two frames or members, where the input may end.
    private var isBetween = true

    init() {}

    deinit {
        window?.deallocate()
        ZSTD_freeDCtx(zstandard)
        if let gzip {
            inflateEnd(gzip)
            gzip.deallocate()
        }
    }

    /// Begins with other bytes, which must outlive the reading; contexts are used again.
    mutating func open(
        _ bytes: UnsafeRawBufferPointer, _ compression: Compression
    ) throws(Failure) {
        self.compression = compression
        rest = bytes
        isBetween = compression != .oneZstandardFrame
        switch compression {
        case .none: return
        case .oneZstandardFrame: try openZstandard(windowLog: 23)
        case .zstandard: try openZstandard(windowLog: 27)
        case .gzip: try openGzip()
        }
        if window == nil {
            window = .allocate(byteCount: CSVInput.windowByteCount, alignment: 16)
        }
    }

    /// The next bytes, valid until the next call; none at the end.
    mutating func next() throws(Failure) -> UnsafeRawBufferPointer {
        switch compression {
        case .none:
            let all = rest
            rest = UnsafeRawBufferPointer(start: nil, count: 0)
            return all
        case .oneZstandardFrame, .zstandard: return try nextOfZstandard()
        case .gzip: return try nextOfGzip()
        }
    }

    private mutating func openZstandard(windowLog: Int32) throws(Failure) {
        if zstandard == nil { zstandard = ZSTD_createDCtx() }
        guard let zstandard else { throw Failure(.failed, "no memory for decompressing") }
        ZSTD_DCtx_reset(zstandard, ZSTD_reset_session_and_parameters)
        ZSTD_DCtx_setParameter(zstandard, ZSTD_d_windowLogMax, windowLog)
    }

    private mutating func nextOfZstandard() throws(Failure) -> UnsafeRawBufferPointer {
        guard let window, let zstandard else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        var output = ZSTD_outBuffer(dst: window.baseAddress, size: window.count, pos: 0)
        while output.pos < output.size {
            if isBetween {
                if rest.isEmpty { break }
                if compression == .oneZstandardFrame {
                    throw Failure(.failed, "there are bytes behind the zstandard frame")
                }
            }
            let before = output.pos
            var input = ZSTD_inBuffer(src: rest.baseAddress, size: rest.count, pos: 0)
            let code = ZSTD_decompressStream(zstandard, &output, &input)
            if ZSTD_isError(code) != 0 {
                throw Failure(
                    .failed, "the zstandard data is damaged",
                    code: String(cString: ZSTD_getErrorName(code)))
            }
            rest = UnsafeRawBufferPointer(rebasing: rest[input.pos...])
            isBetween = code == 0
            if !isBetween, input.pos == 0, output.pos == before {
                throw Failure(.failed, "the zstandard data ends early")
            }
        }
        return UnsafeRawBufferPointer(rebasing: window[..<output.pos])
    }

    private mutating func openGzip() throws(Failure) {
        if let gzip {
            inflateReset(gzip)
            return
        }
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        stream.initialize(to: z_stream())
        // 15 bits of window, and 16 for gzip's header and trailer.
        let code = inflateInit2_(
            stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        guard code == Z_OK else {
            stream.deallocate()
            throw Failure(.failed, "no memory for decompressing")
        }
        gzip = stream
    }

    private mutating func nextOfGzip() throws(Failure) -> UnsafeRawBufferPointer {
        guard let window, let gzip else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        gzip.pointee.next_out = window.baseAddress?.assumingMemoryBound(to: UInt8.self)
        gzip.pointee.avail_out = UInt32(window.count)
        while gzip.pointee.avail_out > 0 {
            if isBetween {
                if rest.isEmpty { break }
                inflateReset(gzip)
                isBetween = false
            }
            guard !rest.isEmpty else { throw Failure(.failed, "the gzip data ends early") }
            // zlib counts in 32 bits, and takes the input as changeable but does not change it.
            let piece = min(rest.count, 1 << 30)
            gzip.pointee.next_in = UnsafeMutablePointer(
                mutating: rest.baseAddress?.assumingMemoryBound(to: UInt8.self))
            gzip.pointee.avail_in = UInt32(piece)
            let code = inflate(gzip, Z_NO_FLUSH)
            guard code == Z_OK || code == Z_STREAM_END || code == Z_BUF_ERROR else {
                throw Failure(
                    .failed, "the gzip data is damaged", code: String(cString: zError(code)))
            }
            rest = UnsafeRawBufferPointer(
                rebasing: rest[(piece - Int(gzip.pointee.avail_in))...])
            isBetween = code == Z_STREAM_END
        }
        return UnsafeRawBufferPointer(
            rebasing: window[..<(window.count - Int(gzip.pointee.avail_out))])
    }
}
