import SluiceCore
import Testing

@testable import SluiceRecords

@Suite struct ShardTests {
    static let avroFormats = ShardFormat.Codec.allCases.map { ShardFormat(.avro, $0) }

    /// Writes random batches into a shard and keeps their records.
    static func write(
        _ schema: RecordSchema, _ format: ShardFormat, rows: Int, blocks: Int,
        _ factory: inout RecordFactory, to shard: ShardBytes
    ) throws -> (records: [UInt8], summary: ShardSummary) {
        let writer = ShardWriter(schema: schema, format: format)
        var batch = Batch(fieldCount: schema.fields.count)
        var records: [UInt8] = []
        try writer.begin(shard)
        for _ in 0..<blocks {
            batch.removeAll()
            for _ in 0..<rows { factory.appendRecord(schema, to: &batch) }
            records += batch.bytes.array()
            try writer.append(batch)
        }
        #expect(writer.rowCount == rows * blocks)
        #expect(writer.recordByteCount == records.count)
        return (records, try writer.finish())
    }

    @Test("every shard reads back as the records it was written from", arguments: avroFormats)
    func roundTrip(_ format: ShardFormat) throws {
        var factory = RecordFactory()
        let shard = ShardBytes()
        for round in 0..<40 {
            let schema = round == 0 ? RecordFactory.everything() : factory.schema()
            let (records, summary) = try ShardTests.write(
                schema, format, rows: 17, blocks: 3, &factory, to: shard)
            let reader = ShardReader(schema: schema, format: format)
            var batch = Batch(fieldCount: schema.fields.count)
            try reader.open(shard)
            var read: [UInt8] = []
            var reserved = Array(repeating: 0, count: schema.fields.count)
            var goesOn = true
            while goesOn {
                batch.removeAll()
                goesOn = try reader.fill(&batch, byteGoal: 1000)
                read += batch.bytes.array()
                for index in reserved.indices { reserved[index] += batch.reserved[index] }
            }
            #expect(read == records, "\(factory.seed)")
            #expect(reader.digest == summary.digest, "\(factory.seed)")
            #expect(reserved == summary.reserved, "\(factory.seed)")
            #expect(reader.recordByteCount == summary.recordBytes)
            #expect(summary.recordBytes == records.count)
            #expect(summary.storedBytes == shard.buffer.count)
            #expect(summary.sha256 == SHA256.hash(shard.buffer.bytes))
            #expect(summary.crc32c == CRC32C.checksum(shard.buffer.bytes))
        }
    }
}
