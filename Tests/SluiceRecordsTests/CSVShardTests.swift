import AllocationCount
import SluiceCore
import TestSupport
import Testing

@testable import SluiceRecords

@Suite struct CSVShardTests {
    @Test("each value has the one documented text", arguments: CSVGolden.all)
    func documentedText(golden: CSVGolden) throws {
        let schema = CSVSamples.schema([golden.type], isNullable: false)
        var batch = Batch(fieldCount: 1)
        batch.bytes.append(golden.record)
        batch.endRecord()
        let csv = try CSVSamples.render(batch, schema)
        let header = CSVRowWriter.header(of: schema)
        #expect(csv == header + Array("\(golden.text)\n".utf8))
        #expect(try CSVSamples.parse(csv, schema).records == golden.record)
    }

    @Test("reserved values are counted where they are read") func reservedCounts() throws {
        let types: [ColumnType] = [.date, .timestamp, .decimal(precision: 3, scale: 1), .text]
        let schema = CSVSamples.schema(types)
        let csv =
            CSVRowWriter.header(of: schema)
            + Array(
                """
                #-2147472692,\\N,#1000,"#1"
                2024-01-01,#-9222425352054775809,99.9,x
                #-1000000000,\\N,\\N,y

                """
                .utf8)
        let parser = CSVShardParser(schema: schema, codec: .none, rowByteLimit: 1000)
        var batch = Batch(fieldCount: 4)
        try csv.withUnsafeBytes { bytes in
            try parser.open(bytes)
            _ = try parser.fill(&batch, byteGoal: 1000)
        }
        #expect(batch.reserved == [2, 1, 1, 0])
    }

    @Test("random records come back identical, plain and compressed", arguments: 1...40)
    func roundTrip(seed: Int) throws {
        var generator = SeededRandom(seed: UInt64(seed))
        let schema = CSVSamples.randomSchema(using: &generator)
        var batch = Batch(fieldCount: schema.fields.count)
        CSVSamples.fill(&batch, schema, rows: 300, using: &generator)
        for codec in [ShardFormat.Codec.none, .zstandard] {
            let csv = try CSVSamples.render(batch, schema, codec)
            let back = try CSVSamples.parse(csv, schema, codec)
            #expect(back.records == batch.bytes.array(), "seed \(seed)")
            #expect(back.digest == batch.digest, "seed \(seed)")
        }
    }

    @Test(
        "a long string has quotes where a short one has them, and comes back",
        arguments: [65_535, 65_536, 200_000], [ShardFormat.Codec.none, .zstandard])
    func longStrings(byteCount: Int, codec: ShardFormat.Codec) throws {
        let schema = CSVSamples.schema([.text, .numberText, .text], isNullable: false)
        let digits = [UInt8](repeating: UInt8(ascii: "9"), count: byteCount)
        let quoted = [UInt8](repeating: UInt8(ascii: ","), count: byteCount)
        var batch = Batch(fieldCount: 3)
        for text in [digits, digits, quoted] {
            text.withUnsafeBytes { batch.bytes.appendBytes($0) }
        }
        batch.endRecord()
        let csv = try CSVSamples.render(batch, schema, codec)
        if codec == .none {
            let line = digits + Array(",".utf8) + digits + Array(",\"".utf8) + quoted
            #expect(csv == CSVRowWriter.header(of: schema) + line + Array("\"\n".utf8))
        }
        #expect(try CSVSamples.parse(csv, schema, codec).records == batch.bytes.array())
    }

    @Test("a changed byte is refused, or changes the records", arguments: 1...20)
    func changedBytes(seed: Int) throws {
        var generator = SeededRandom(seed: UInt64(1000 + seed))
        let schema = CSVSamples.randomSchema(using: &generator)
        var batch = Batch(fieldCount: schema.fields.count)
        CSVSamples.fill(&batch, schema, rows: 6, using: &generator)
        let csv = try CSVSamples.render(batch, schema)
        for _ in 0..<300 {
            var changed = csv
            let place = Int.random(in: 0..<csv.count, using: &generator)
            switch Int.random(in: 0..<3, using: &generator) {
            case 0: changed[place] ^= UInt8(1 << (generator.next() % 8))
            case 1: changed.remove(at: place)
            default:
                changed.insert(
                    Array(",\"\n\\N0 \r".utf8).randomElement(using: &generator) ?? 0, at: place)
            }
            if changed == csv { continue }
            let back = try? CSVSamples.parse(changed, schema)
            // A line swapped for an equal one is no change of the records.
            #expect(
                back == nil || back?.digest != batch.digest
                    || Set(lines(changed)) == Set(lines(csv)),
                "seed \(seed), byte \(place)")
        }
    }

    private func lines(_ csv: [UInt8]) -> [ArraySlice<UInt8>] { csv.split(separator: 0x0A) }

    @Test("a changed byte of a compressed shard is refused", arguments: 1...4)
    func changedCompressedBytes(seed: Int) throws {
        var generator = SeededRandom(seed: UInt64(2000 + seed))
        let schema = CSVSamples.schema()
        var batch = Batch(fieldCount: schema.fields.count)
        CSVSamples.fill(&batch, schema, rows: 20, using: &generator)
        let csv = try CSVSamples.render(batch, schema, .zstandard)
        for _ in 0..<200 {
            var changed = csv
            let place = Int.random(in: 0..<csv.count, using: &generator)
            changed[place] ^= UInt8(1 << (generator.next() % 8))
            let back = try? CSVSamples.parse(changed, schema, .zstandard)
            // Some bits of a frame's header say nothing.
            #expect(back == nil || back?.digest == batch.digest, "seed \(seed), byte \(place)")
        }
        for count in stride(from: 0, to: csv.count, by: max(1, csv.count / 200)) {
            #expect(throws: Failure.self) {
                try CSVSamples.parse(Array(csv[..<count]), schema, .zstandard)
            }
        }
    }

    @Test("a table without columns keeps its row count") func noColumns() throws {
        let schema = RecordSchema(table: TableName("t"), fields: [])
        var batch = Batch(fieldCount: 0)
        for _ in 0..<3 { batch.endRecord() }
        let csv = try CSVSamples.render(batch, schema)
        #expect(csv == Array("\n\n\n\n".utf8))
        #expect(try CSVSamples.parse(csv, schema).digest == batch.digest)
    }

    @Test("a shard without rows is its header") func noRows() throws {
        let schema = CSVSamples.schema([.int64, .text])
        let batch = Batch(fieldCount: 2)
        let csv = try CSVSamples.render(batch, schema)
        #expect(csv == Array("int64 0,text 1\n".utf8))
        #expect(try CSVSamples.parse(csv, schema).digest == .empty)
    }

    @Test("a value of many windows comes back", arguments: [ShardFormat.Codec.none, .zstandard])
    func largeValues(codec: ShardFormat.Codec) throws {
        let schema = CSVSamples.schema([.text, .bytes, .any, .any, .any])
        var batch = Batch(fieldCount: 5)
        let text = (0..<700_000).map { UInt8(ascii: $0 % 1000 == 0 ? "\"" : "x") }
        for branch in [AnyBranch.string, .bytes, .invalidText] {
            if branch == .string {
                batch.bytes.appendNotNull()
                text.withUnsafeBytes { batch.bytes.appendBytes($0) }
                batch.bytes.appendNotNull()
                text.withUnsafeBytes { batch.bytes.appendBytes($0) }
            }
            batch.bytes.appendBranch(branch)
            (text + [0xFF].prefix(branch == .string ? 0 : 1))
                .withUnsafeBytes { batch.bytes.appendBytes($0) }
        }
        batch.endRecord()
        let csv = try CSVSamples.render(batch, schema, codec)
        let back = try CSVSamples.parse(csv, schema, codec, rowByteLimit: batch.bytes.count)
        #expect(back.digest == batch.digest)
        #expect(throws: Failure.self) {
            try CSVSamples.parse(csv, schema, codec, rowByteLimit: batch.bytes.count - 1)
        }
    }

    @Test(
        "twice the rows take no more allocations", arguments: [ShardFormat.Codec.none, .zstandard])
    func noAllocationPerRow(codec: ShardFormat.Codec) throws {
        let schema = CSVSamples.schema()
        let renderer = CSVShardRenderer(schema: schema, codec: codec)
        let parser = CSVShardParser(schema: schema, codec: codec, rowByteLimit: 1 << 20)
        var batch = Batch(fieldCount: schema.fields.count)
        var generator = SeededRandom(seed: 7)
        CSVSamples.fill(&batch, schema, rows: 20, using: &generator)
        var read = Batch(fieldCount: schema.fields.count)
        var output = ByteBuffer(capacity: 16 << 20)
        var counts: [Int] = []
        for repeats in [500, 500, 1000] {
            output.removeAll()
            let before = allocation_count()
            try renderer.begin(&output)
            for _ in 0..<repeats { try renderer.append(batch, to: &output) }
            try renderer.finish(&output)
            try parser.open(output.bytes)
            var rowCount = 0
            while try parser.fill(&read, byteGoal: 64 << 10) {
                rowCount += read.rowCount
                read.removeAll()
            }
            counts.append(allocation_count() - before)
            #expect(rowCount == repeats * batch.rowCount)
        }
        // The first round makes contexts and buffers.
        #expect(counts[2] <= counts[1] + 10, "\(counts)")
    }
}
