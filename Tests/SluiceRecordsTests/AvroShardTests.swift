import SluiceCore
import TestSupport
import Testing

@testable import SluiceRecords

@Suite struct AvroShardTests {
    private static let schema = RecordSchema(
        table: TableName("t"),
        fields: [
            Field(name: "n", avroName: "n", type: .int64, isNullable: false),
            Field(name: "s", avroName: "s", type: .text, isNullable: true),
        ])

    /// A small shard with two blocks of two rows each.
    private static func shard(_ codec: ShardFormat.Codec = .none) throws -> [UInt8] {
        let shard = ShardBytes()
        let writer = ShardWriter(schema: schema, format: ShardFormat(.avro, codec))
        try writer.begin(shard)
        for block in 0..<2 {
            var batch = Batch(fieldCount: 2)
            for row in 0..<2 {
                batch.bytes.appendLong(Int64(block * 2 + row))
                batch.bytes.appendNotNull()
                Array("text \(row)".utf8).withUnsafeBytes { batch.bytes.appendBytes($0) }
                batch.endRecord()
            }
            try writer.append(batch)
        }
        _ = try writer.finish()
        return shard.buffer.array()
    }

    private static func reading(
        _ bytes: [UInt8], _ codec: ShardFormat.Codec = .none, rowByteLimit: Int = 1 << 20,
        schema: RecordSchema = schema
    ) throws -> (records: [UInt8], digest: Digest) {
        let shard = ShardBytes()
        shard.buffer.append(bytes)
        let reader = ShardReader(
            schema: schema, format: ShardFormat(.avro, codec), rowByteLimit: rowByteLimit)
        try reader.open(shard)
        var batch = Batch(fieldCount: schema.fields.count)
        while try reader.fill(&batch, byteGoal: 1 << 20) {}
        return (batch.bytes.array(), reader.digest)
    }

    private static func fault(
        _ bytes: [UInt8], _ codec: ShardFormat.Codec = .none, rowByteLimit: Int = 1 << 20,
        schema: RecordSchema = schema
    ) -> String? {
        failureText { _ = try reading(bytes, codec, rowByteLimit: rowByteLimit, schema: schema) }
    }

    /// One block with these stored bytes behind the right header.
    private static func shard(
        _ codec: ShardFormat.Codec = .none, rows: Int64, block: [UInt8], trailing: [UInt8] = []
    ) -> [UInt8] {
        ByteBuffer.written { buffer in
            let header = AvroShard.header(schema, codec)
            buffer.append(header)
            buffer.appendLong(rows)
            block.withUnsafeBytes { buffer.appendBytes($0) }
            buffer.append(Array(header.suffix(16)))
            buffer.append(trailing)
        }
    }

    @Test("checked-in shards of every codec still read as the same records")
    func golden() throws {
        let schema = RecordFactory.everything()
        var factory = RecordFactory(SeededRandom(seed: 42))
        for codec in ShardFormat.Codec.allCases {
            let name = "avro/everything-\(codec.avroName).avro"
            if Fixture.isRecording {
                factory.random = SeededRandom(seed: 42)
                let shard = ShardBytes()
                let (records, _) = try ShardTests.write(
                    schema, ShardFormat(.avro, codec), rows: 8, blocks: 2, &factory, to: shard)
                _ = try Fixture.bytes(name, recording: shard.buffer.array())
                _ = try Fixture.bytes("avro/everything.records", recording: records)
            }
            let (records, digest) = try AvroShardTests.reading(
                Fixture.bytes(name), codec, schema: schema)
            #expect(records == (try Fixture.bytes("avro/everything.records")))
            #expect(digest.rowCount == 16)
        }
    }

    @Test("a shard without compression is written as the checked-in one, byte for byte")
    func goldenWriting() throws {
        let schema = RecordFactory.everything()
        let format = ShardFormat(.avro, .none)
        let stored = try Fixture.bytes("avro/everything-null.avro")
        let shard = ShardBytes()
        shard.buffer.append(stored)
        let reader = ShardReader(schema: schema, format: format)
        try reader.open(shard)
        let written = ShardBytes()
        let writer = ShardWriter(schema: schema, format: format)
        try writer.begin(written)
        // The fixture has two blocks of eight rows; two batches make the same two.
        var all = Batch(fieldCount: schema.fields.count)
        while try reader.fill(&all, byteGoal: 1 << 20) {}
        var cursor = RecordCursor(all.bytes.bytes)
        let validator = RecordValidator(schema)
        for _ in 0..<2 {
            var batch = Batch(fieldCount: schema.fields.count)
            for _ in 0..<8 {
                let start = cursor.position
                try validator.check(&cursor, reserved: &batch.reserved)
                batch.bytes.append(cursor.read(since: start))
                batch.endRecord()
            }
            try writer.append(batch)
        }
        let summary = try writer.finish()
        #expect(written.buffer.array() == stored)
        #expect(summary.sha256 == SHA256.hash(stored))
        #expect(summary.crc32c == CRC32C.checksum(shard.buffer.bytes))
    }

    @Test(
        "writing the same records twice gives the same bytes", arguments: ShardFormat.Codec.allCases
    )
    func deterministic(_ codec: ShardFormat.Codec) throws {
        #expect(try AvroShardTests.shard(codec) == AvroShardTests.shard(codec))
    }

    @Test("a shard without rows is a header, and reads as none")
    func empty() throws {
        let shard = ShardBytes()
        let writer = ShardWriter(
            schema: AvroShardTests.schema, format: ShardFormat(.avro, .zstandard))
        try writer.begin(shard)
        try writer.append(Batch(fieldCount: 2))
        let summary = try writer.finish()
        #expect(summary.digest == .empty)
        #expect(shard.buffer.array() == AvroShard.header(AvroShardTests.schema, .zstandard))
        #expect(try AvroShardTests.reading(shard.buffer.array(), .zstandard).digest == .empty)
    }

    @Test("a shard that was begun and not finished leaves nothing in the next one")
    func begunTwice() throws {
        let writer = ShardWriter(schema: AvroShardTests.schema, format: ShardFormat(.avro, .none))
        let shard = ShardBytes()
        var batch = Batch(fieldCount: 2)
        batch.bytes.appendLong(1)
        batch.bytes.appendNull()
        batch.endRecord()
        try writer.begin(shard)
        try writer.append(batch)
        try writer.begin(shard)
        #expect(writer.rowCount == 0)
        #expect(writer.storedCount == AvroShard.header(AvroShardTests.schema, .none).count)
        try writer.append(batch)
        #expect(try writer.finish().digest == batch.digest)
    }

    @Test("a shard of another codec, schema or writer is refused")
    func headers() throws {
        let good = try AvroShardTests.shard()
        #expect(
            AvroShardTests.fault(good, .deflate)
                == "the shard's codec is null, expected is deflate")
        let other = RecordSchema(table: TableName("u"), fields: AvroShardTests.schema.fields)
        #expect(
            AvroShardTests.fault(good, schema: other)
                == "the shard's schema is not that of its table")
        let headerCount = AvroShard.header(AvroShardTests.schema, .none).count
        var sync = good
        sync[headerCount - 1] ^= 1
        #expect(AvroShardTests.fault(sync) == "the shard's header is not as sluice writes it")
        #expect(
            AvroShardTests.fault([]) == "this is no Avro container: it does not begin with Obj")
    }

    @Test("blocks are held to their limits before they are read")
    func limits() {
        let row: [UInt8] = [2, 0]
        #expect(AvroShardTests.fault(AvroShardTests.shard(rows: 1, block: row)) == nil)
        let place = "\n  while reading block 1 of a shard"
        #expect(
            AvroShardTests.fault(AvroShardTests.shard(rows: 0, block: []))
                == "a block has no rows" + place)
        #expect(
            AvroShardTests.fault(AvroShardTests.shard(rows: 2, block: row))
                == "the record ends inside a value at byte 2\n  while reading column n" + place)
        #expect(
            AvroShardTests.fault(AvroShardTests.shard(rows: 1, block: row + row))
                == "a block has bytes behind its last row" + place)
        let headerCount = AvroShard.header(AvroShardTests.schema, .none).count
        #expect(
            AvroShardTests.fault(AvroShardTests.shard(rows: 1 << 40, block: row))
                == "a block claims 1099511627776 rows, the limit is 2097152\n"
                + "  while reading block 1, at byte \(headerCount)")
        #expect(
            AvroShardTests.fault(AvroShardTests.shard(rows: 1, block: row, trailing: [0]))?
                .hasPrefix("the record ends inside a value at byte 1\n  while reading block 2")
                == true)
    }

    @Test("a row beyond the limit is refused, and one up to it is read")
    func rowLimit() {
        let text = [UInt8](repeating: UInt8(ascii: "x"), count: 996)
        let row = ByteBuffer.written { buffer in
            buffer.appendLong(1)
            buffer.appendNotNull()
            text.withUnsafeBytes { buffer.appendBytes($0) }
        }
        let shard = AvroShardTests.shard(rows: 1, block: row)
        #expect(row.count == 1000)
        #expect(AvroShardTests.fault(shard, rowByteLimit: 1000) == nil)
        #expect(
            AvroShardTests.fault(shard, rowByteLimit: 999)
                == """
                a row has 1000 bytes, the limit is 999
                  while reading block 1 of a shard
                hint: Raise --row-bytes.
                """)
        let large = AvroShardTests.shard(
            rows: 1, block: [UInt8](repeating: 0, count: (1 << 20) + 1001))
        #expect(
            AvroShardTests.fault(large, rowByteLimit: 1000)
                == """
                a block unpacks to more than the limit of 1049576 bytes
                  while reading block 1 of a shard
                hint: Does it hold rows that need a larger --row-bytes?
                """)
    }

    @Test("a shard that is a bomb is refused by its limit", arguments: ShardFormat.Codec.allCases)
    func bombs(_ codec: ShardFormat.Codec) throws {
        let zeros = [UInt8](repeating: 0, count: 20 << 20)
        let compressor = BlockCompressor(codec)
        let block = try zeros.withUnsafeBytes { raw in
            try ByteBuffer.written { try compressor.append(raw, to: &$0) }
        }
        let bomb = AvroShardTests.shard(codec, rows: 1 << 20, block: block)
        #expect(
            AvroShardTests.fault(bomb, codec, rowByteLimit: 1 << 20)
                == """
                a block unpacks to more than the limit of 2097152 bytes
                  while reading block 1 of a shard
                hint: Does it hold rows that need a larger --row-bytes?
                """)
    }

    @Test(
        "any changed bit is found, by the checksums always", arguments: ShardFormat.Codec.allCases)
    func flips(_ codec: ShardFormat.Codec) throws {
        let good = try AvroShardTests.shard(codec)
        let hash = SHA256.hash(good)
        let sum = good.withUnsafeBytes { CRC32C.checksum($0) }
        let expected = try AvroShardTests.reading(good, codec)
        #expect(expected.digest.rowCount == 4)
        for index in good.indices {
            for bit in 0..<8 {
                var wrong = good
                wrong[index] ^= 1 << UInt8(bit)
                #expect(SHA256.hash(wrong) != hash)
                #expect(wrong.withUnsafeBytes { CRC32C.checksum($0) } != sum)
                // Without them: refused, or other rows, which the digest shows, or provably
                // without effect.
                if let read = try? AvroShardTests.reading(wrong, codec) {
                    #expect((read.digest == expected.digest) == (read.records == expected.records))
                }
            }
        }
    }

    @Test(
        "a shard cut short anywhere is refused or has fewer rows",
        arguments: ShardFormat.Codec.allCases)
    func truncations(_ codec: ShardFormat.Codec) throws {
        let good = try AvroShardTests.shard(codec)
        for count in 0..<good.count {
            let read = try? AvroShardTests.reading(Array(good.prefix(count)), codec)
            #expect(read.map { $0.digest.rowCount < 4 } ?? true, "\(count) bytes")
        }
    }

    @Test("the batch is filled to its goal and not beyond the record that reaches it")
    func byteGoal() throws {
        var factory = RecordFactory()
        let schema = factory.schema(of: [.int64, .text, .bytes])
        let shard = ShardBytes()
        let format = ShardFormat(.avro, .snappy)
        let (records, summary) = try ShardTests.write(
            schema, format, rows: 100, blocks: 2, &factory, to: shard)
        let reader = ShardReader(schema: schema, format: format)
        try reader.open(shard)
        var read: [UInt8] = []
        var fills = 0
        var batch = Batch(fieldCount: 3)
        var goesOn = true
        while goesOn {
            batch.removeAll()
            goesOn = try reader.fill(&batch, byteGoal: 1)
            #expect(batch.rowCount == (goesOn ? 1 : 0))
            read += batch.bytes.array()
            fills += 1
        }
        #expect(fills == 201)
        #expect(read == records, "\(factory.seed)")
        #expect(reader.digest == summary.digest)
    }
}
