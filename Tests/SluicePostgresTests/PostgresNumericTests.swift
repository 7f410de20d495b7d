import SluiceCore
import SluiceRecords
import TestSupport
import Testing

@testable import SluicePostgres

@Suite("The binary form of numeric")
struct PostgresNumericTests {
    /// A field without its length.
    private func field(_ fill: (inout ByteBuffer) -> Void) -> [UInt8] {
        var buffer = ByteBuffer()
        fill(&buffer)
        return Array(buffer.array().dropFirst(4))
    }

    private func text(_ bytes: [UInt8]) -> String? {
        var output = ByteBuffer()
        let isNumber = bytes.withUnsafeBytes { PostgresNumeric.appendText($0, to: &output) }
        return isNumber ? String(decoding: output.array(), as: UTF8.self) : nil
    }

    private func bytes(_ text: String) -> [UInt8]? {
        var buffer = ByteBuffer()
        let source = Array(text.utf8)
        let isNumber = source.withUnsafeBytes { PostgresNumeric.append(text: $0, to: &buffer) }
        return isNumber ? Array(buffer.array().dropFirst(4)) : nil
    }

    private func unscaled(_ bytes: [UInt8], _ precision: Int, _ scale: Int) -> Int128? {
        bytes.withUnsafeBytes {
            PostgresNumeric.unscaled($0, precision: precision, scale: scale)
        }
    }

    @Test("is written as the server writes it")
    func golden() {
        let value = field { PostgresNumeric.append(-1_234_567, scale: 2, to: &$0) }
        // -12345.67: digits 1, 2345, 6700 with weight 1.
        #expect(value == [0, 3, 0, 1, 0x40, 0, 0, 2, 0, 1, 0x09, 0x29, 0x1A, 0x2C])
        #expect(field { PostgresNumeric.append(0, scale: 3, to: &$0) } == [0, 0, 0, 0, 0, 0, 0, 3])
        #expect(bytes("0.00010000") == [0, 1, 0xFF, 0xFF, 0, 0, 0, 8, 0, 1])
        #expect(bytes("NaN") == [0, 0, 0, 0, 0xC0, 0, 0, 0])
    }

    @Test("holds every decimal and gives it back", arguments: 0..<200)
    func roundTrip(_ number: Int) throws {
        var random = SeededRandom(seed: UInt64(number))
        let precision = Int.random(in: 1...38, using: &random)
        let scale = Int.random(in: 0...precision, using: &random)
        let end = ReservedValues.decimalEnd(precision: precision)
        let values: [Int128] = [
            0, 1, -1, end - 1, 1 - end, Int128.random(in: (1 - end)..<end, using: &random),
            Int128(Int64.random(in: -9999...9999, using: &random)) % end,
        ]
        for value in values {
            let bytes = field {
                PostgresNumeric.append(value, precision: precision, scale: scale, to: &$0)
            }
            #expect(unscaled(bytes, precision, scale) == value, "seed \(number)")
            var written = ByteBuffer()
            DecimalText.append(value, scale: scale, to: &written)
            let text = String(decoding: written.array(), as: UTF8.self)
            #expect(self.text(bytes) == text, "seed \(number)")
            #expect(self.bytes(text) == bytes, "seed \(number)")
        }
    }

    @Test("keeps NaN and the infinities as the codes of a decimal")
    func special() {
        for special in SpecialDecimal.allCases {
            let code = ReservedValues.unscaled(special, precision: 38)
            let bytes = field {
                PostgresNumeric.append(code, precision: 38, scale: 4, to: &$0)
            }
            #expect(unscaled(bytes, 38, 4) == code)
        }
        #expect(text(bytes("-Infinity") ?? []) == "-Infinity")
    }

    @Test("keeps numbers of any length, and the zeros at their end")
    func longNumbers() {
        let long = "7" + String(repeating: "0123456789", count: 100)
        for value in [long, "-\(long).\(long)00", "0.\(String(repeating: "0", count: 99))1", "0.0"]
        {
            #expect(bytes(value).flatMap(text) == value)
        }
    }

    @Test("refuses texts that the server would print otherwise")
    func refusals() {
        for value in ["", "-", "01", "+1", "1.", ".5", "1e5", "-0", "-0.00", "1,0", "nan", " 1"] {
            #expect(bytes(value) == nil, "\(value)")
        }
    }

    @Test("is no decimal of a precision and scale that it does not fit")
    func tooLarge() throws {
        let value = try #require(bytes("123.456"))
        #expect(unscaled(value, 6, 3) == 123_456)
        #expect(unscaled(value, 7, 4) == 1_234_560)
        #expect(unscaled(value, 6, 2) == nil)
        #expect(unscaled(value, 5, 3) == nil)
        #expect(unscaled([0, 1, 0, 0, 0, 0, 0, 0], 5, 3) == nil)
        #expect(unscaled([0, 1], 5, 3) == nil)
        #expect(
            bytes("1\(String(repeating: "0", count: 60))").flatMap { unscaled($0, 38, 0) } == nil)
    }
}
