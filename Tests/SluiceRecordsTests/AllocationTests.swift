import AllocationCount
import SluiceCore
import TestSupport
import Testing

@testable import SluiceRecords

@Suite struct AllocationTests {
    private static func batch(_ schema: RecordSchema, rows: Int) -> Batch {
        var factory = RecordFactory(SeededRandom(seed: 11))
        var batch = Batch(fieldCount: schema.fields.count)
        for _ in 0..<rows { factory.appendRecord(schema, to: &batch) }
        return batch
    }

    @Test(
        "writing and reading twice the rows takes no more memory blocks",
        arguments: ShardFormat.Codec.allCases)
    func shards(_ codec: ShardFormat.Codec) throws {
        let schema = RecordFactory.everything()
        let format = ShardFormat(.avro, codec)
        let batch = AllocationTests.batch(schema, rows: 100)
        let writer = ShardWriter(schema: schema, format: format)
        let reader = ShardReader(schema: schema, format: format)
        let shard = ShardBytes(capacity: 128 << 20)
        var read = Batch(fieldCount: schema.fields.count)
        var counts: [Int] = []
        // The first round makes the contexts and their buffers.
        for blocks in [100, 100, 200] {
            let before = allocation_count()
            try writer.begin(shard)
            for _ in 0..<blocks { try writer.append(batch) }
            _ = try writer.finish()
            try reader.open(shard)
            while try reader.fill(&read, byteGoal: 256 << 10) { read.removeAll() }
            read.removeAll()
            counts.append(allocation_count() - before)
            #expect(reader.digest.rowCount == blocks * 100)
        }
        // libsnappy makes its working memory anew for each of the hundred blocks more; rows are
        // ten thousand more.
        let ofLibrary = codec == .snappy ? 100 : 0
        #expect(counts[2] <= counts[1] + ofLibrary + 5, "\(counts)")
    }

    @Test("encoding twice the fields takes no more memory blocks")
    func encoding() {
        var buffer = ByteBuffer(capacity: 8 << 20)
        let text = Array("a text of some length".utf8)
        func encode(_ rows: Int) -> Int {
            buffer.removeAll()
            let before = allocation_count()
            text.withUnsafeBytes { text in
                for row in 0..<rows {
                    buffer.appendNotNull()
                    buffer.appendLong(Int64(row) << 20)
                    buffer.appendDouble(Double(row))
                    buffer.appendUnscaled(Int128(row) << 60)
                    buffer.appendBytes(text)
                    DecimalText.append(Int128(row) << 70, scale: 10, to: &buffer)
                    CalendarText.append(timestamp: Int64(row) << 40, isUTC: true, to: &buffer)
                }
            }
            return allocation_count() - before
        }
        _ = encode(10)
        #expect(encode(20_000) == encode(10_000))
    }

    @Test("reading texts back takes no memory")
    func parsing() {
        let stamp = Array("2024-02-29 12:34:56.789Z".utf8)
        let decimal = Array("-12345678901234567890.123".utf8)
        let before = allocation_count()
        for _ in 0..<10_000 {
            _ = stamp.withUnsafeBytes { CalendarText.parseTimestamp($0, isUTC: true) }
            _ = decimal.withUnsafeBytes { DecimalText.parse($0, scale: 3) }
        }
        #expect(allocation_count() - before < 10)
    }
}
