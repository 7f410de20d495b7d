import SluiceCore
import TestSupport
import Testing

@testable import SluiceRecords

@Suite struct BlockCodecTests {
    private func pack(_ bytes: [UInt8], _ codec: ShardFormat.Codec) throws -> [UInt8] {
        let compressor = BlockCompressor(codec)
        return try bytes.withUnsafeBytes { raw in
            try ByteBuffer.written { try compressor.append(raw, to: &$0) }
        }
    }

    private func unpack(
        _ bytes: [UInt8], _ codec: ShardFormat.Codec, byteLimit: Int, refusesTail: Bool = true
    ) throws -> (bytes: [UInt8], capacity: Int) {
        let decompressor = BlockDecompressor(codec, refusesTail: refusesTail)
        return try bytes.withUnsafeBytes { raw in
            var buffer = ByteBuffer()
            try decompressor.unpack(raw, into: &buffer, byteLimit: byteLimit)
            return (buffer.array(), buffer.capacity)
        }
    }

    @Test("blocks of any size unpack to what was packed", arguments: ShardFormat.Codec.allCases)
    func roundTrip(_ codec: ShardFormat.Codec) throws {
        var factory = RecordFactory()
        let compressor = BlockCompressor(codec)
        let decompressor = BlockDecompressor(codec)
        var unpacked = ByteBuffer()
        for count in [0, 1, 15, 1000, 65_536, 300_000] {
            for isRandom in [false, true] {
                let bytes = (0..<count).map { index in
                    isRandom
                        ? UInt8.random(in: 0...255, using: &factory.random)
                        : UInt8(truncatingIfNeeded: index / 7)
                }
                let packed = try bytes.withUnsafeBytes { raw in
                    try ByteBuffer.written { try compressor.append(raw, to: &$0) }
                }
                try packed.withUnsafeBytes {
                    try decompressor.unpack($0, into: &unpacked, byteLimit: count)
                }
                #expect(unpacked.array() == bytes, "\(count) bytes, \(factory.seed)")
            }
        }
    }

    @Test(
        "a bomb is found before it takes memory beyond the limit",
        arguments: ShardFormat.Codec.allCases)
    func bombs(_ codec: ShardFormat.Codec) throws {
        let bomb = try pack([UInt8](repeating: 0, count: 50 << 20), codec)
        let expected = """
            a block unpacks to more than the limit of 1000000 bytes
            hint: Does it hold rows that need a larger --row-bytes?
            """
        let decompressor = BlockDecompressor(codec)
        var buffer = ByteBuffer()
        bomb.withUnsafeBytes { raw in
            #expect(
                failureText {
                    try decompressor.unpack(raw, into: &buffer, byteLimit: 1_000_000)
                } == expected)
        }
        #expect(buffer.capacity <= 4_000_000)
        let whole = try pack([UInt8](repeating: 0, count: 1_000_000), codec)
        #expect(try unpack(whole, codec, byteLimit: 1_000_000).bytes.count == 1_000_000)
        #expect(failureText { _ = try unpack(whole, codec, byteLimit: 999_999) } != nil)
    }

    @Test("a zstandard frame that does not say its size is unpacked step by step, up to the limit")
    func unsizedFrame() throws {
        // `head -c 2000000 /dev/zero | zstd -c`: the size of a pipe is not known.
        let frame: [UInt8] = Hexadecimal.bytes(Self.twoMillionZeros) ?? []
        #expect(
            try unpack(frame, .zstandard, byteLimit: 2_000_000).bytes
                == [UInt8](repeating: 0, count: 2_000_000))
        #expect(
            failureText { _ = try unpack(frame, .zstandard, byteLimit: 1_999_999) }
                == """
                a block unpacks to more than the limit of 1999999 bytes
                hint: Does it hold rows that need a larger --row-bytes?
                """)
    }

    private static let twoMillionZeros =
        "28b52ffd04585400001000000100fbff39c002020010000200100002001000020010000200100002"
        + "0010000200100002001000020010000200100002001000020010000200100002001000032404000ec974d7"

    @Test("a damaged block is refused, and so are bytes behind its end")
    func damage() throws {
        let bytes = Array("a text, a text, a text, a text".utf8)
        func fault(
            _ packed: [UInt8], _ codec: ShardFormat.Codec, refusesTail: Bool = true
        ) -> String? {
            failureText {
                _ = try unpack(packed, codec, byteLimit: 1000, refusesTail: refusesTail)
            }
        }
        let frame = try pack(bytes, .zstandard)
        #expect(
            fault(Array(frame.dropLast()), .zstandard)
                == "a zstandard block is damaged [Src size is incorrect]")
        #expect(
            fault(frame + [0], .zstandard) == "bytes follow the zstandard frame of a block")
        #expect(fault(frame + frame, .zstandard) == "bytes follow the zstandard frame of a block")
        #expect(fault([], .zstandard) == "a zstandard block is damaged [Src size is incorrect]")
        var wrong = frame
        wrong[frame.count - 1] ^= 1
        #expect(
            fault(wrong, .zstandard)
                == "a zstandard block is damaged [Restored data doesn't match checksum]")
        let deflated = try pack(bytes, .deflate)
        #expect(fault(deflated + [0], .deflate, refusesTail: false) == nil)
        #expect(fault(deflated + [0], .deflate) == "bytes follow the deflate stream of a block")
        #expect(fault(Array(deflated.dropLast()), .deflate) == "a deflate block is damaged [-5]")
        #expect(fault([], .deflate) == "a deflate block is damaged [-5]")
        #expect(
            fault([0xFF], .deflate) == "a deflate block is damaged [invalid block type]")
        let snapped = try pack(bytes, .snappy)
        wrong = snapped
        wrong[snapped.count - 1] ^= 1
        #expect(fault(wrong, .snappy) == "the checksum of a snappy block is wrong")
        #expect(fault([0, 0, 0, 0], .snappy) == "a snappy block is damaged")
        #expect(fault([9, 9, 9, 0, 0, 0, 0], .snappy) == "a snappy block is damaged")
        #expect(fault([], .snappy) == "a snappy block is damaged")
    }

    @Test("a frame holds its size and a checksum")
    func frameFlags() throws {
        let frame = try pack([UInt8](repeating: 1, count: 1000), .zstandard)
        // Bit 2 of the descriptor is the checksum, bit 5 a single segment, which has its size in
        // the header.
        #expect(frame[4] & 0x04 != 0)
        #expect(frame[4] & 0x20 != 0)
    }
}
