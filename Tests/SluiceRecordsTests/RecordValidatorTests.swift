import SluiceCore
import TestSupport
import Testing

@testable import SluiceRecords

@Suite struct RecordValidatorTests {
    private func schema(_ type: ColumnType, isNullable: Bool = false) -> RecordSchema {
        RecordSchema(
            table: TableName("t"),
            fields: [Field(name: "c", avroName: "c", type: type, isNullable: isNullable)])
    }

    /// What is wrong with a record of one column.
    private func fault(
        _ type: ColumnType, isNullable: Bool = false, _ write: (inout ByteBuffer) -> Void
    ) -> String? {
        let bytes = ByteBuffer.written(write)
        return failureText {
            try bytes.withUnsafeBytes { raw in
                var cursor = RecordCursor(raw)
                var reserved = [0]
                let validator = RecordValidator(schema(type, isNullable: isNullable))
                try validator.check(&cursor, reserved: &reserved)
                #expect(cursor.isAtEnd)
            }
        }
    }

    private func append(_ text: String, to bytes: inout ByteBuffer) {
        append(Array(text.utf8), to: &bytes)
    }

    private func append(_ value: [UInt8], to bytes: inout ByteBuffer) {
        value.withUnsafeBytes { bytes.appendBytes($0) }
    }

    @Test("records of every type are valid, and their ends and reserved values are found")
    func accepts() throws {
        var factory = RecordFactory()
        let schema = RecordFactory.everything()
        let validator = RecordValidator(schema)
        var batch = Batch(fieldCount: schema.fields.count)
        var ends: [Int] = []
        for _ in 0..<300 {
            factory.appendRecord(schema, to: &batch)
            ends.append(batch.bytes.count)
        }
        var cursor = RecordCursor(batch.bytes.bytes)
        var reserved = Array(repeating: 0, count: schema.fields.count)
        for end in ends {
            try validator.check(&cursor, reserved: &reserved)
            #expect(cursor.position == end, "\(factory.seed)")
        }
        #expect(cursor.isAtEnd)
        #expect(reserved == batch.reserved, "\(factory.seed)")
        #expect(reserved.contains { $0 > 0 })
    }

    @Test("numbers beyond their types are refused")
    func numbers() {
        let place = "at byte 0\n  while reading column c"
        let wide = "an integer has more than 32 bits \(place)"
        #expect(fault(.int32) { $0.appendLong(1 << 31) } == wide)
        #expect(fault(.int32) { $0.appendLong(-(1 << 31) - 1) } == wide)
        #expect(fault(.int32) { $0.appendLong(-(1 << 31)) } == nil)
        #expect(fault(.date) { $0.appendLong(1 << 31) } == wide)
        #expect(fault(.date) { $0.appendLong((1 << 31) - 1) } == nil)
        let time = "a time is beyond 838:59:59.999999 \(place)"
        #expect(fault(.time) { $0.appendLong(3_020_400_000_000) } == time)
        #expect(fault(.time) { $0.appendLong(-3_020_400_000_000) } == time)
        #expect(fault(.time) { $0.appendLong(.min) } == time)
        #expect(fault(.time) { $0.appendLong(-3_020_399_999_999) } == nil)
        let unsigned = "an unsigned integer is out of its range \(place)"
        #expect(fault(.uint64) { $0.appendUnscaled(-1) } == unsigned)
        #expect(fault(.uint64) { $0.appendUnscaled(1 << 64) } == unsigned)
        #expect(fault(.uint64) { $0.appendUnscaled((1 << 64) - 1) } == nil)
        #expect(
            fault(.boolean) { $0.append(2) } == "a boolean is neither 0 nor 1 \(place)")
        #expect(
            fault(.int64, isNullable: true) { $0.append(4) }
                == "a union has no such branch \(place)")
        #expect(fault(.int64, isNullable: true) { $0.appendNull() } == nil)
    }

    @Test("a decimal keeps to its precision or is a reserved code")
    func decimals() {
        let type = ColumnType.decimal(precision: 3, scale: 1)
        let wrong =
            "a decimal has more digits than its precision at byte 0\n  while reading column c"
        for value: Int128 in [999, -999, 0, 1000, 1001, -1001] {
            #expect(fault(type) { $0.appendUnscaled(value) } == nil, "\(value)")
        }
        for value: Int128 in [-1000, 1002, -1002, .max, .min] {
            #expect(fault(type) { $0.appendUnscaled(value) } == wrong, "\(value)")
        }
        let widest = ColumnType.decimal(precision: 38, scale: 0)
        #expect(fault(widest) { $0.appendUnscaled(.max) } == wrong)
        #expect(fault(widest) { $0.appendUnscaled(.min) } == wrong)
    }

    @Test("texts are UTF-8, UUIDs and bit strings in their one form")
    func texts() {
        let place = "at byte 0\n  while reading column c"
        let text = "a text is not UTF-8 \(place)"
        for type: ColumnType in [.text, .numberText, .json, .enumeration, .set, .serverText] {
            #expect(fault(type) { append([0xFF], to: &$0) } == text)
            #expect(fault(type) { append("é", to: &$0) } == nil)
        }
        #expect(fault(.bytes) { append([0xFF], to: &$0) } == nil)
        let uuid = "a UUID is not in its canonical form \(place)"
        let good = "0123abcd-0123-0123-0123-0123456789ab"
        #expect(fault(.uuid) { append(good, to: &$0) } == nil)
        #expect(fault(.uuid) { append(good.uppercased(), to: &$0) } == uuid)
        #expect(fault(.uuid) { append(String(good.dropLast()), to: &$0) } == uuid)
        #expect(fault(.uuid) { append(String(good.dropLast()) + "-", to: &$0) } == uuid)
        #expect(fault(.uuid) { append("0123abcd00123-0123-0123-0123456789ab", to: &$0) } == uuid)
        let bits = "a bit string has other characters than 0 and 1 \(place)"
        #expect(fault(.bitString) { append("012", to: &$0) } == bits)
        #expect(fault(.bitString) { append("", to: &$0) } == nil)
    }

    @Test("an any value has one branch that can hold it")
    func any() {
        let place = "at byte 0\n  while reading column c"
        #expect(fault(.any) { $0.append(12) } == "a union has no such branch \(place)")
        #expect(
            fault(.any) {
                $0.appendBranch(.string)
                append([0xC0], to: &$0)
            } == "a text is not UTF-8 \(place)")
        #expect(
            fault(.any) {
                $0.appendBranch(.invalidText)
                append("valid", to: &$0)
            } == "a text is marked as invalid and is UTF-8 \(place)")
        // NULL is a branch of the union, whether the column is nullable or not.
        for isNullable in [false, true] {
            #expect(fault(.any, isNullable: isNullable) { $0.appendBranch(.null) } == nil)
        }
    }
}

@Suite struct UTF8TextTests {
    private func isValid(_ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBytes { UTF8Text.isValid($0) }
    }

    @Test("every character but no surrogate is valid, wherever it stands")
    func scalars() {
        var wrong: [UInt32] = []
        for value in (0 as UInt32)...0x10FFFF {
            guard let scalar = Unicode.Scalar(value), let character = UTF8.encode(scalar) else {
                continue
            }
            var bytes = Array(character)
            if !isValid(bytes) { wrong.append(value) }
            guard value & 0x3F == 0x15 else { continue }
            bytes.insert(contentsOf: Array("123456789".utf8.prefix(Int(value >> 6) % 10)), at: 0)
            if !isValid(bytes) || (value >= 0x80 && isValid(Array(bytes.dropLast()))) {
                wrong.append(value)
            }
        }
        #expect(wrong.isEmpty)
    }

    @Test("what the standard library refuses is refused")
    func agreesWithTheStandardLibrary() {
        var factory = RecordFactory()
        var wrong: [[UInt8]] = []
        for first in (0x80 as UInt8)...0xFF {
            for second in stride(from: 0, through: 255, by: 1) {
                for rest: [UInt8] in [
                    [], [0x80], [0x80, 0x80], [0xBF, 0xBF], [0x41], [0xBF, 0xC0],
                ] {
                    let bytes = [first, UInt8(second)] + rest
                    let expected = String(validating: bytes, as: UTF8.self) != nil
                    if isValid(bytes) != expected { wrong.append(bytes) }
                }
            }
        }
        for _ in 0..<20_000 {
            var bytes = factory.text()
            if let index = bytes.indices.randomElement(using: &factory.random) {
                bytes[index] = UInt8.random(in: 0...255, using: &factory.random)
            }
            let expected = String(validating: bytes, as: UTF8.self) != nil
            if isValid(bytes) != expected { wrong.append(bytes) }
        }
        #expect(wrong.isEmpty, "\(factory.seed)")
    }
}
