import Glibc
import SluiceCore
import TestSupport

@testable import SluiceRecords

/// Makes schemas and records of every type, edge values often.
struct RecordFactory {
    var random: SeededRandom
    /// Leaves out what other readers cannot show: reserved codes, years beyond 9999, times beyond
    /// a day.
    var isPortable = false

    /// How to have these records again.
    var seed: String { "\(random)" }

    init(_ random: SeededRandom = SeededRandom(), isPortable: Bool = false) {
        self.random = random
        self.isPortable = isPortable
    }

    static let plainTypes: [ColumnType] = [
        .boolean, .int32, .int64, .uint64, .float32, .float64, .numberText, .text, .bytes, .date,
        .time, .timestamp, .localTimestamp, .uuid, .json, .enumeration, .set, .bitString, .any,
        .serverText,
    ]

    mutating func type() -> ColumnType {
        guard Int.random(in: 0..<5, using: &random) > 0 else {
            let precision = Int.random(in: 1...38, using: &random)
            return .decimal(
                precision: precision, scale: Int.random(in: 0...precision, using: &random))
        }
        return RecordFactory.plainTypes.randomElement(using: &random) ?? .text
    }

    mutating func schema(of types: [ColumnType]? = nil) -> RecordSchema {
        var types = types ?? []
        if types.isEmpty {
            for _ in 0..<Int.random(in: 1...12, using: &random) { types.append(type()) }
        }
        let names = types.indices.map { Name("column \($0)") }
        let avroNames = AvroNames.make(for: names)
        let fields = types.indices.map { index in
            Field(
                name: names[index], avroName: avroNames[index], type: types[index],
                isNullable: Bool.random(using: &random), declared: "TYPE \(index)")
        }
        return RecordSchema(table: TableName("things"), fields: fields)
    }

    /// A schema with every type, nullable and not.
    static func everything(decimals: [(Int, Int)] = [(1, 0), (18, 4), (38, 38)]) -> RecordSchema {
        let types =
            plainTypes + decimals.map { ColumnType.decimal(precision: $0.0, scale: $0.1) }
        var fields: [Field] = []
        for type in types {
            for isNullable in [false, true] {
                let name = "\(type)\(isNullable ? " or null" : "")"
                fields.append(
                    Field(
                        name: Name(name), avroName: AvroNames.legal(Name(name)), type: type,
                        isNullable: isNullable))
            }
        }
        return RecordSchema(table: TableName("everything"), fields: fields)
    }

    /// Appends one record and ends it.
    mutating func appendRecord(_ schema: RecordSchema, to batch: inout Batch) {
        for (index, field) in schema.fields.enumerated() {
            if field.type == .any {
                appendAny(to: &batch.bytes)
                continue
            }
            if field.isNullable {
                if Int.random(in: 0..<4, using: &random) == 0 {
                    batch.bytes.appendNull()
                    continue
                }
                batch.bytes.appendNotNull()
            }
            if appendValue(field.type, to: &batch.bytes) { batch.reserved[index] += 1 }
        }
        batch.endRecord()
    }

    /// Appends a value that is not NULL; true where it is a reserved code.
    mutating func appendValue(_ type: ColumnType, to bytes: inout ByteBuffer) -> Bool {
        switch type {
        case .boolean: bytes.appendBoolean(Bool.random(using: &random))
        case .int32: bytes.appendLong(Int64(Int32(truncatingIfNeeded: long())))
        case .int64: bytes.appendLong(long())
        case .uint64: bytes.appendUnscaled(Int128(UInt64(bitPattern: long())))
        case .float32: bytes.appendFloat(Float(double()))
        case .float64: bytes.appendDouble(double())
        case .decimal(let precision, _):
            let value = decimal(precision)
            bytes.appendUnscaled(value)
            return ReservedValues.isReserved(type, unscaled: value)
        case .bytes: append(binary(), to: &bytes)
        case .date, .timestamp, .localTimestamp:
            let value = type == .date ? date() : timestamp()
            bytes.appendLong(value)
            return ReservedValues.isReserved(type, value)
        case .time:
            let limit = isPortable ? 86_399_999_999 : RecordValidator.timeLimit
            bytes.appendLong(Int64.random(in: (isPortable ? 0 : -limit)...limit, using: &random))
        case .uuid: append(uuid(), to: &bytes)
        case .bitString:
            let bits = (0..<Int.random(in: 0..<70, using: &random)).map { _ in
                UInt8(ascii: Bool.random(using: &random) ? "0" : "1")
            }
            append(bits, to: &bytes)
        case .any: appendAny(to: &bytes)
        case .numberText: append(Array("\(double())".utf8), to: &bytes)
        case .text, .json, .set, .serverText: append(text(), to: &bytes)
        case .enumeration:
            let isWrong = !isPortable && Int.random(in: 0..<8, using: &random) == 0
            let label = isWrong ? ReservedValues.wrongLabel : text()
            append(label, to: &bytes)
            // By chance a text is the code, too.
            return label == ReservedValues.wrongLabel
        }
        return false
    }

    mutating func appendAny(to bytes: inout ByteBuffer) {
        switch Int.random(in: 0..<6, using: &random) {
        case 0: bytes.appendBranch(.null)
        case 1:
            bytes.appendBranch(.long)
            bytes.appendLong(long())
        case 2:
            bytes.appendBranch(.double)
            bytes.appendDouble(double())
        case 3:
            bytes.appendBranch(.string)
            append(text(), to: &bytes)
        case 4:
            bytes.appendBranch(.bytes)
            append(binary(), to: &bytes)
        default:
            bytes.appendBranch(.invalidText)
            append(text() + [0xFF] + text(), to: &bytes)
        }
    }

    private func append(_ value: [UInt8], to bytes: inout ByteBuffer) {
        value.withUnsafeBytes { bytes.appendBytes($0) }
    }
}

/// The values.
extension RecordFactory {
    mutating func long() -> Int64 {
        switch Int.random(in: 0..<4, using: &random) {
        case 0:
            [0, 1, -1, 63, 64, -64, -65, Int64.max, Int64.min].randomElement(using: &random) ?? 0
        case 1: Int64.random(in: -1000...1000, using: &random)
        default:
            Int64(bitPattern: random.next()) >> Int64.random(in: 0..<64, using: &random)
        }
    }

    mutating func double() -> Double {
        switch Int.random(in: 0..<4, using: &random) {
        case 0:
            [0, -0.0, .infinity, -.infinity, .nan, .leastNonzeroMagnitude, 0.1, 1e308]
                .randomElement(using: &random) ?? 0
        case 1: Double(Int64.random(in: -100_000...100_000, using: &random)) / 100
        default: Double(bitPattern: random.next())
        }
    }

    mutating func decimal(_ precision: Int) -> Int128 {
        let end = ReservedValues.decimalEnd(precision: precision)
        if !isPortable, Int.random(in: 0..<10, using: &random) == 0,
            let special = SpecialDecimal.allCases.randomElement(using: &random)
        {
            return ReservedValues.unscaled(special, precision: precision)
        }
        let digits = Int.random(in: 0...precision, using: &random)
        let bound = digits == precision ? end : ReservedValues.decimalEnd(precision: digits + 1)
        return Int128.random(in: (1 - min(bound, end))...(min(bound, end) - 1), using: &random)
    }

    mutating func date() -> Int64 {
        if isPortable { return Int64.random(in: -719_162...2_932_896, using: &random) }
        switch Int.random(in: 0..<4, using: &random) {
        case 0:
            let parts = CalendarParts(
                year: Int.random(in: 0...9999, using: &random),
                month: Int.random(in: 0...12, using: &random),
                day: Int.random(in: 0...31, using: &random))
            return parts.map { Int64(ReservedValues.date($0)) } ?? 0
        case 1:
            let value = Bool.random(using: &random) ? Int32.max : Int32.min
            return Int64(ReservedValues.date(fromPostgres: value))
        default: return Int64.random(in: -2_440_588...2_145_042_905, using: &random)
        }
    }

    mutating func timestamp() -> Int64 {
        if isPortable {
            return Int64.random(
                in: -62_135_596_800_000_000...253_402_300_799_999_999, using: &random)
        }
        switch Int.random(in: 0..<4, using: &random) {
        case 0:
            let parts = CalendarParts(
                year: Int.random(in: 0...9999, using: &random),
                month: Int.random(in: 0...12, using: &random),
                day: Int.random(in: 0...31, using: &random))
            let micros = Int64.random(in: 0..<86_400_000_000, using: &random)
            return parts.map { ReservedValues.timestamp($0, microsOfDay: micros) } ?? 0
        case 1:
            let value = Bool.random(using: &random) ? Int64.max : Int64.min
            return ReservedValues.timestamp(fromPostgres: value)
        default: return Int64.random(in: Int64.min...Int64.max, using: &random)
        }
    }

    mutating func binary() -> [UInt8] {
        (0..<length()).map { _ in UInt8.random(in: 0...255, using: &random) }
    }

    mutating func text() -> [UInt8] {
        let pieces = [
            "a", "é", "漢", "😀", "\"", ",", "\n", "\\", "\\N", "\0", " ", "e\u{301}", "'", "null",
            "1",
            "long enough to be read eight bytes at a time",
        ]
        var text = ""
        for _ in 0..<length() / 2 { text += pieces.randomElement(using: &random) ?? "" }
        return Array(text.utf8)
    }

    mutating func uuid() -> [UInt8] {
        var text = ""
        for index in 0..<36 {
            let isDash = [8, 13, 18, 23].contains(index)
            text += isDash ? "-" : String(Int.random(in: 0..<16, using: &random), radix: 16)
        }
        return Array(text.utf8)
    }

    private mutating func length() -> Int {
        switch Int.random(in: 0..<20, using: &random) {
        case 0: 0
        case 1: Int.random(in: 60..<300, using: &random)
        default: Int.random(in: 0..<20, using: &random)
        }
    }
}

/// What a body fails with, as the user would see it; nothing when it does not fail.
func failureText(_ body: () throws -> Void) -> String? {
    failure(of: body).map { "\($0)" }
}

extension ByteBuffer {
    init(_ bytes: [UInt8]) {
        self.init(capacity: bytes.count)
        append(bytes)
    }

    /// What `body` appends to an empty buffer.
    static func written(_ body: (inout ByteBuffer) throws -> Void) rethrows -> [UInt8] {
        var buffer = ByteBuffer()
        try body(&buffer)
        return buffer.array()
    }
}
