import SluiceCore
import Testing

@testable import SluiceRecords

@Suite struct AvroContainerTests {
    /// A container as others may write it.
    static func container(
        metadata: [(String, String)], sync: [UInt8] = [UInt8](repeating: 7, count: 16),
        blocks: [(Int64, [UInt8])] = []
    ) -> [UInt8] {
        ByteBuffer.written { buffer in
            buffer.append(AvroContainer.magic)
            for (key, value) in metadata {
                // One run of the map per entry, the size of the run in front.
                buffer.appendLong(-1)
                buffer.appendLong(Int64(key.utf8.count + value.utf8.count + 2))
                Array(key.utf8).withUnsafeBytes { buffer.appendBytes($0) }
                Array(value.utf8).withUnsafeBytes { buffer.appendBytes($0) }
            }
            buffer.appendLong(0)
            buffer.append(sync)
            for (count, bytes) in blocks {
                buffer.appendLong(count)
                bytes.withUnsafeBytes { buffer.appendBytes($0) }
                buffer.append(sync)
            }
        }
    }

    private func reading(_ bytes: [UInt8], rowLimit: Int = 100) throws -> [(Int, [UInt8])] {
        try bytes.withUnsafeBytes { raw in
            var container = try AvroContainer(raw, rowLimit: rowLimit)
            var blocks: [(Int, [UInt8])] = []
            while let block = try container.nextBlock() {
                blocks.append((block.rowCount, Array(block.bytes)))
            }
            return blocks
        }
    }

    @Test("a container of another writer gives its metadata and its blocks")
    func foreign() throws {
        let bytes = AvroContainerTests.container(
            metadata: [("avro.schema", "\"int\""), ("avro.codec", "deflate"), ("user", "")],
            blocks: [(2, [1, 2]), (0, []), (3, [3])])
        try bytes.withUnsafeBytes { raw in
            let container = try AvroContainer(raw, rowLimit: 10)
            #expect(container.value(of: "avro.schema")?.elementsEqual("\"int\"".utf8) == true)
            #expect(container.value(of: "nothing") == nil)
            let codec = try container.codec()
            #expect(codec == .deflate)
        }
        let blocks = try reading(bytes)
        #expect(blocks.map(\.0) == [2, 0, 3])
        #expect(blocks.map(\.1) == [[1, 2], [], [3]])
    }

    @Test("a container without a codec has none; an unknown one is refused by name")
    func codecs() throws {
        func codec(_ metadata: [(String, String)]) throws -> ShardFormat.Codec {
            try AvroContainerTests.container(metadata: metadata).withUnsafeBytes { raw in
                try AvroContainer(raw, rowLimit: 1).codec()
            }
        }
        #expect(try codec([("avro.codec", "null")]) == .none)
        #expect(try codec([("avro.codec", "snappy")]) == .snappy)
        #expect(try codec([("avro.codec", "zstandard")]) == .zstandard)
        #expect(try codec([]) == .none)
        #expect(
            failureText { _ = try codec([("avro.codec", "xz")]) }
                == """
                the Avro codec xz is not one that sluice reads
                hint: Write it again with null, deflate, snappy or zstandard.
                """)
    }

    @Test("a damaged container is refused where the damage is")
    func damage() {
        func fault(_ bytes: [UInt8], rowLimit: Int = 100) -> String? {
            failureText { _ = try reading(bytes, rowLimit: rowLimit) }
        }
        #expect(fault([]) == "this is no Avro container: it does not begin with Obj")
        #expect(
            fault(Array("Obj\u{2}".utf8)) == "this is no Avro container: it does not begin with Obj"
        )
        let header = "\n  while reading the header of an Avro container"
        let good = AvroContainerTests.container(metadata: [("k", "v")], blocks: [(1, [5])])
        #expect(fault(Array(good.prefix(20))) == "the container ends inside its header" + header)
        #expect(fault(Array(good.prefix(6))) == "the record ends inside a value at byte 2" + header)
        let first = "\n  while reading block 1, at byte 27"
        #expect(fault(Array(good.dropLast())) == "the container ends inside a block" + first)
        #expect(fault(Array(good.prefix(28))) == "the record ends inside a value at byte 1" + first)
        var wrong = good
        wrong[wrong.count - 1] ^= 1
        #expect(fault(wrong) == "a block does not end in the container's sync marker" + first)
        #expect(
            fault(good + [0])
                == "the record ends inside a value at byte 1\n  while reading block 2, at byte 46")
        let many = AvroContainerTests.container(metadata: [("k", "v")], blocks: [(101, [5])])
        #expect(fault(many) == "a block claims 101 rows, the limit is 100" + first)
        let few = AvroContainerTests.container(metadata: [("k", "v")], blocks: [(-1, [5])])
        #expect(fault(few) == "a block claims -1 rows, the limit is 100" + first)
        let huge = ByteBuffer.written {
            $0.append(AvroContainer.magic)
            $0.appendLong(.min)
            $0.appendLong(0)
        }
        #expect(fault(huge) == "a count is out of range" + header)
    }
}
