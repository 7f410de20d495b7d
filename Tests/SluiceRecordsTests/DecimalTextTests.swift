import SluiceCore
import SluiceRecords
import TestSupport
import Testing

@Suite struct DecimalTextTests {
    private func text(_ value: Int128, _ scale: Int) -> String {
        String(
            decoding: ByteBuffer.written { DecimalText.append(value, scale: scale, to: &$0) },
            as: UTF8.self)
    }

    private func parse(_ text: String, _ scale: Int) -> Int128? {
        Array(text.utf8).withUnsafeBytes { DecimalText.parse($0, scale: scale) }
    }

    @Test("a decimal is written with as many digits behind the point as its scale")
    func writes() {
        #expect(text(0, 0) == "0")
        #expect(text(0, 2) == "0.00")
        #expect(text(-1, 2) == "-0.01")
        #expect(text(-1230, 2) == "-12.30")
        #expect(text(123, 3) == "0.123")
        #expect(text(1234, 3) == "1.234")
        #expect(text(.max, 0) == "170141183460469231731687303715884105727")
        #expect(text(.min, 0) == "-170141183460469231731687303715884105728")
        #expect(text(.min, 38) == "-1.70141183460469231731687303715884105728")
        #expect(text(10_000_000_000_000_000_000, 19) == "1.0000000000000000000")
        #expect(text(-1, 38) == "-0.00000000000000000000000000000000000001")
    }

    @Test("only a decimal's one text is read")
    func refuses() {
        for wrong in [
            "", "-", ".", "1", "1.", "1.2", "1.234", ".12", "01.23", "00.12", "-0.00", "+1.23",
            "1,23", "1.2a", " 1.23", "1.23 ", "--1.23", "1.-2", "12.3", "1e.23",
        ] {
            #expect(parse(wrong, 2) == nil, "\(wrong)")
        }
        for wrong in ["", "-", "-0", "01", "1.", "1.0", "+1", "x", "1 "] {
            #expect(parse(wrong, 0) == nil, "\(wrong)")
        }
        #expect(parse("170141183460469231731687303715884105728", 0) == nil)
        #expect(parse("-170141183460469231731687303715884105729", 0) == nil)
        #expect(parse("999999999999999999999999999999999999999", 0) == nil)
        #expect(parse("9999999999999999999999999999999999999999", 0) == nil)
    }

    @Test("every decimal is read back from its text, which is never longer than its limit")
    func roundTrip() {
        var factory = RecordFactory()
        for _ in 0..<20_000 {
            let scale = Int.random(in: 0...38, using: &factory.random)
            let value =
                Int128(truncatingIfNeeded: factory.random.next()) << 64
                | Int128(factory.random.next())
            let shifted = value >> Int128.random(in: 0..<128, using: &factory.random)
            let written = text(shifted, scale)
            #expect(parse(written, scale) == shifted, "\(written) \(factory.seed)")
            #expect(written.utf8.count <= DecimalText.byteLimit)
        }
        #expect(parse(text(.min, 38), 38) == .min)
        #expect(parse(text(.max, 0), 0) == .max)
    }
}
