import SluiceCore
import TestSupport
import Testing

@testable import SluiceRecords

/// What readers that nobody here wrote make of our shards.
@Suite struct AvroOracleTests {
    private struct Sample {
        let path: String
        let lines: [String]
    }

    /// A shard of every column type and one each of some random schemas, in a folder, with what
    /// they hold.
    private static func samples(
        _ codec: ShardFormat.Codec, _ factory: inout RecordFactory, in folder: ScratchFolder
    ) throws -> [Sample] {
        try (0..<12).map { number in
            let schema = number == 0 ? RecordFactory.everything() : factory.schema()
            let shard = ShardBytes()
            let (records, _) = try ShardTests.write(
                schema, ShardFormat(.avro, codec), rows: 40, blocks: 3, &factory, to: shard)
            let path = try folder.write(shard.buffer.array(), to: "\(number).avro")
            return Sample(path: path, lines: try PhysicalText.lines(records, schema))
        }
    }

    @Test(
        "fastavro reads every codec with equal values and counts",
        arguments: ShardFormat.Codec.allCases)
    func fastavro(_ codec: ShardFormat.Codec) throws {
        var factory = RecordFactory(isPortable: true)
        let folder = try ScratchFolder()
        let samples = try AvroOracleTests.samples(codec, &factory, in: folder)
        let output = try PythonOracle.run(
            "avro/fastavro_values.py", samples.map(\.path), in: folder)
        let read = output.split(separator: "\n").map(String.init)
        let expected = samples.flatMap(\.lines)
        #expect(read.count == expected.count, "\(factory.seed)")
        for (line, wanted) in zip(read, expected) where line != wanted {
            Issue.record("fastavro reads \(line) for \(wanted), \(factory.seed)")
        }
    }

    @Test(
        "libavro reads null, deflate and snappy with equal values and counts",
        arguments: [ShardFormat.Codec.none, .deflate, .snappy])
    func libavro(_ codec: ShardFormat.Codec) throws {
        var factory = RecordFactory()
        let folder = try ScratchFolder()
        for sample in try AvroOracleTests.samples(codec, &factory, in: folder) {
            let read = try LibavroText.lines(sample.path)
            #expect(read.count == sample.lines.count, "\(factory.seed)")
            for (line, wanted) in zip(read, sample.lines) where line != wanted {
                Issue.record("libavro reads \(line) for \(wanted), \(factory.seed)")
            }
        }
    }

    @Test("our container reader gives the rows of a container that libavro wrote")
    func libavroWrites() throws {
        let folder = try ScratchFolder()
        let path = folder.path("written.avro")
        try LibavroText.writeLongs(0..<1000, codec: "deflate", to: path)
        #expect(try AvroOracleTests.longs(ofContainerAt: path) == Array(0..<1000))
    }

    @Test(
        "our container reader gives the rows of a container that fastavro wrote",
        arguments: ShardFormat.Codec.allCases)
    func fastavroWrites(_ codec: ShardFormat.Codec) throws {
        let folder = try ScratchFolder()
        let path = folder.path("written.avro")
        try PythonOracle.run("avro/fastavro_write.py", [codec.avroName, path], in: folder)
        #expect(try AvroOracleTests.longs(ofContainerAt: path) == Array(0..<1000))
    }

    private static func longs(ofContainerAt path: String) throws -> [Int64] {
        let bytes = try FileBytes.read(path)
        return try bytes.withUnsafeBytes { raw in
            var container = try AvroContainer(raw, rowLimit: 1 << 20)
            let decompressor = BlockDecompressor(try container.codec())
            var block = ByteBuffer()
            var read: [Int64] = []
            while let stored = try container.nextBlock() {
                try decompressor.unpack(stored.bytes, into: &block, byteLimit: 1 << 20)
                var cursor = RecordCursor(block.bytes)
                for _ in 0..<stored.rowCount { read.append(try cursor.long()) }
                #expect(cursor.isAtEnd)
            }
            return read
        }
    }
}
