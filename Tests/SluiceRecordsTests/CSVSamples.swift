import SluiceCore
import TestSupport

@testable import SluiceRecords

/// Tables and rows for the tests of CSV.
enum CSVSamples {
    static let types: [ColumnType] = [
        .boolean, .int32, .int64, .uint64, .float32, .float64, .decimal(precision: 12, scale: 3),
        .decimal(precision: 38, scale: 0), .numberText, .text, .bytes, .date, .time, .timestamp,
        .localTimestamp, .uuid, .json, .enumeration, .set, .bitString, .any, .serverText,
    ]

    /// A table with a column of each type, named for it.
    static func schema(_ types: [ColumnType] = types, isNullable: Bool = true) -> RecordSchema {
        let fields = types.enumerated().map { index, type in
            Field(
                name: Name("\(type) \(index)"), avroName: "c\(index)", type: type,
                isNullable: isNullable)
        }
        return RecordSchema(table: TableName("t"), fields: fields)
    }

    static func randomSchema(using generator: inout SeededRandom) -> RecordSchema {
        let names: [Name] = ["id", "a,b", "say \"x\"", "zwei\nZeilen", "", "ß", "NULL", " x"]
        let fields = (0..<Int.random(in: 1...8, using: &generator)).map { index in
            Field(
                name: names[index], avroName: "c\(index)",
                type: types.randomElement(using: &generator) ?? .text,
                isNullable: Bool.random(using: &generator))
        }
        return RecordSchema(table: TableName("t"), fields: fields)
    }

    static func fill(
        _ batch: inout Batch, _ schema: RecordSchema, rows: Int,
        using generator: inout SeededRandom
    ) {
        for _ in 0..<rows {
            for field in schema.fields {
                if field.type == .any {
                    appendAny(to: &batch.bytes, using: &generator)
                    continue
                }
                if field.isNullable {
                    if Int.random(in: 0..<4, using: &generator) == 0 {
                        batch.bytes.appendNull()
                        continue
                    }
                    batch.bytes.appendNotNull()
                }
                append(field.type, to: &batch.bytes, using: &generator)
            }
            batch.endRecord()
        }
    }

    static func append(
        _ type: ColumnType, to bytes: inout ByteBuffer, using generator: inout SeededRandom
    ) {
        switch type {
        case .boolean: bytes.appendBoolean(Bool.random(using: &generator))
        case .int32:
            bytes.appendLong(Int64(Int32(truncatingIfNeeded: integer(using: &generator))))
        case .int64: bytes.appendLong(integer(using: &generator))
        case .uint64:
            bytes.appendUnscaled(Int128(UInt64(bitPattern: integer(using: &generator))))
        case .float32:
            bytes.appendFloat(Float(bitPattern: UInt32(truncatingIfNeeded: generator.next())))
        case .float64: bytes.appendDouble(double(using: &generator))
        case .decimal(let precision, _):
            let end = ReservedValues.decimalEnd(precision: precision)
            if Int.random(in: 0..<10, using: &generator) == 0 {
                let special = SpecialDecimal.allCases.randomElement(using: &generator) ?? .nan
                bytes.appendUnscaled(ReservedValues.unscaled(special, precision: precision))
            } else {
                bytes.appendUnscaled(Int128.random(in: (1 - end)...(end - 1), using: &generator))
            }
        case .date:
            bytes.appendLong(Int64(Int32(truncatingIfNeeded: integer(using: &generator))))
        case .time:
            let limit = RecordValidator.timeLimit
            bytes.appendLong(Int64.random(in: -limit...limit, using: &generator))
        case .timestamp, .localTimestamp:
            let year = Int64(31_557_600_000_000)
            switch Int.random(in: 0..<4, using: &generator) {
            case 0: bytes.appendLong(integer(using: &generator))
            case 1: bytes.appendLong(Int64.min + Int64.random(in: 0...year, using: &generator))
            default:
                bytes.appendLong(Int64.random(in: (-400 * year)...(8000 * year), using: &generator))
            }
        case .uuid:
            var text: [UInt8] = []
            for index in 0..<36 {
                text.append(
                    [8, 13, 18, 23].contains(index)
                        ? UInt8(ascii: "-")
                        : Array("0123456789abcdef".utf8)[Int(generator.next() % 16)])
            }
            text.withUnsafeBytes { bytes.appendBytes($0) }
        case .bitString:
            let bits = (0..<Int(generator.next() % 9)).map { _ in
                UInt8(ascii: "0") + UInt8(generator.next() % 2)
            }
            bits.withUnsafeBytes { bytes.appendBytes($0) }
        case .bytes: self.bytes(using: &generator).withUnsafeBytes { bytes.appendBytes($0) }
        case .any: appendAny(to: &bytes, using: &generator)
        case .numberText, .text, .json, .enumeration, .set, .serverText:
            text(using: &generator).withUnsafeBytes { bytes.appendBytes($0) }
        }
    }

    static func appendAny(to bytes: inout ByteBuffer, using generator: inout SeededRandom) {
        let branch = AnyBranch(rawValue: Int64.random(in: 0...5, using: &generator)) ?? .null
        bytes.appendBranch(branch)
        switch branch {
        case .null: break
        case .long: bytes.appendLong(integer(using: &generator))
        case .double: bytes.appendDouble(double(using: &generator))
        case .string: text(using: &generator).withUnsafeBytes { bytes.appendBytes($0) }
        case .bytes: self.bytes(using: &generator).withUnsafeBytes { bytes.appendBytes($0) }
        case .invalidText:
            (self.bytes(using: &generator) + [0xFF]).withUnsafeBytes { bytes.appendBytes($0) }
        }
    }

    private static func integer(using generator: inout SeededRandom) -> Int64 {
        Int64(bitPattern: generator.next()) >> Int64(generator.next() % 64)
    }

    private static func double(using generator: inout SeededRandom) -> Double {
        Bool.random(using: &generator)
            ? Double(bitPattern: generator.next())
            : Double(Int.random(in: -1_000_000...1_000_000, using: &generator)) / 100
    }

    private static func bytes(using generator: inout SeededRandom) -> [UInt8] {
        let count = size(using: &generator)
        return (0..<count).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
    }

    /// Mostly small, and now and then larger than a window of the parser.
    private static func size(using generator: inout SeededRandom) -> Int {
        Int.random(in: 0..<500, using: &generator) == 0
            ? Int.random(in: 0..<400_000, using: &generator)
            : Int.random(in: 0..<12, using: &generator)
    }

    private static let pieces = [
        "\\N", "\\.", "NULL", "null", "\"", "\"\"", ",", "\n", "\r", "\r\n", " ", "\t", "\0", "a",
        "Z9", "0", "-", "'", "é", "e\u{301}", "😀", "\u{FEFF}", "\u{7F}", "x'", "#1", "1.0", "nan",
        "true", ";", "\\x00",
    ]

    private static func text(using generator: inout SeededRandom) -> [UInt8] {
        var text: [UInt8] = []
        let goal = size(using: &generator)
        while text.count < goal {
            text += Array((pieces.randomElement(using: &generator) ?? "").utf8)
        }
        return text
    }

    static func render(
        _ batch: borrowing Batch, _ schema: RecordSchema, _ codec: ShardFormat.Codec = .none
    ) throws(Failure) -> [UInt8] {
        let renderer = CSVShardRenderer(schema: schema, codec: codec)
        var output = ByteBuffer()
        try renderer.begin(&output)
        try renderer.append(batch, to: &output)
        try renderer.finish(&output)
        return output.array()
    }

    /// All records of a CSV, and their digest.
    static func parse(
        _ csv: [UInt8], _ schema: RecordSchema, _ codec: ShardFormat.Codec = .none,
        rowByteLimit: Int = 1 << 20, byteGoal: Int = 1000
    ) throws(Failure) -> (records: [UInt8], digest: Digest) {
        let parser = CSVShardParser(schema: schema, codec: codec, rowByteLimit: rowByteLimit)
        // The parser reads where the bytes are, while this function lasts.
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: csv.count, alignment: 1)
        defer { copy.deallocate() }
        copy.copyBytes(from: csv)
        try parser.open(UnsafeRawBufferPointer(copy))
        var batch = Batch(fieldCount: schema.fields.count, rowByteLimit: rowByteLimit)
        var records: [UInt8] = []
        var digest = Digest.empty
        var goesOn = true
        while goesOn {
            goesOn = try parser.fill(&batch, byteGoal: byteGoal)
            records += batch.bytes.array()
            digest += batch.digest
            batch.removeAll()
        }
        return (records, digest)
    }
}
