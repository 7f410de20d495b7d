import AllocationCount
import SluiceCore
import TestSupport
import Testing

@testable import SluiceRecords

@Suite struct FloatTextTests {
    private func text(_ value: Double) -> String {
        var buffer = ByteBuffer()
        FloatText.append(value, to: &buffer)
        return String(decoding: buffer.bytes, as: UTF8.self)
    }

    private func text(_ value: Float) -> String {
        var buffer = ByteBuffer()
        FloatText.append(value, to: &buffer)
        return String(decoding: buffer.bytes, as: UTF8.self)
    }

    private func double(_ text: String) -> Double? {
        Array(text.utf8).withUnsafeBytes { FloatText.double($0) }
    }

    private func float(_ text: String) -> Float? {
        Array(text.utf8).withUnsafeBytes { FloatText.float($0) }
    }

    private func anyDouble(_ text: String) -> Double? {
        Array(text.utf8).withUnsafeBytes { FloatText.anyDouble($0) }
    }

    @Test(
        "a float's text is never one of an integer",
        arguments: [
            (0.0, "0.0"), (-0.0, "-0.0"), (1, "1.0"), (-100, "-100.0"), (0.1, "0.1"),
            (1e15, "1000000000000000.0"), (1e16, "1e+16"), (1e-5, "1e-05"),
            (.leastNonzeroMagnitude, "5e-324"),
            (.greatestFiniteMagnitude, "1.7976931348623157e+308"), (.infinity, "inf"),
            (-.infinity, "-inf"), (.nan, "nan"), (-Double.nan, "nan"),
        ] as [(Double, String)])
    func doubles(value: Double, expected: String) {
        #expect(text(value) == expected)
    }

    @Test(
        "a 32-bit float has its own shortest text",
        arguments: [
            (0.1, "0.1"), (-0.0, "-0.0"), (16_777_216, "16777216.0"),
            (.leastNonzeroMagnitude, "1e-45"),
            (.greatestFiniteMagnitude, "3.4028235e+38"), (.infinity, "inf"), (-Float.nan, "nan"),
        ] as [(Float, String)])
    func floats(value: Float, expected: String) {
        #expect(text(value) == expected)
    }

    @Test("random bit patterns come back bit-equal") func roundTrip() {
        var generator = SeededRandom(seed: 1)
        for _ in 0..<20_000 {
            let value = Double(bitPattern: generator.next())
            let back = double(text(value))
            #expect(
                value.isNaN ? back?.isNaN == true : back?.bitPattern == value.bitPattern,
                "\(value)")
            let small = Float(bitPattern: UInt32(truncatingIfNeeded: generator.next()))
            let smallBack = float(text(small))
            #expect(
                small.isNaN
                    ? smallBack?.isNaN == true : smallBack?.bitPattern == small.bitPattern,
                "\(small)")
            // Numbers as people write them take another path.
            let short = Double(Int64.random(in: -99_999_999...99_999_999, using: &generator)) / 1000
            #expect(double(text(short)) == short)
        }
    }

    @Test(
        "no other text of a number is taken",
        arguments: [
            "1", "1.", ".5", "1.00", "01.0", "+1.0", "1e16", "1E+16", "1e+016", "Inf", "infinity",
            "NaN", "-nan", "", "-", "1.0 ", " 1.0", "0x1p3", "1.0000000000000000001", "1e400",
            "0.1000000000000000055511151231257827",
        ])
    func otherTexts(text: String) {
        #expect(double(text) == nil)
        #expect(float(text) == nil)
    }

    @Test(
        "the nearest number to any usual form is found",
        arguments: [
            ("1", 1), ("+1.50", 1.5), (".5", 0.5), ("5.", 5), ("1E5", 100_000), ("-1e-2", -0.01),
            ("Infinity", .infinity), ("-INF", -.infinity),
            ("9007199254740993", 9_007_199_254_740_992),
            ("0.1000000000000000055511151231257827", 0.1), ("1e-400", 0),
            ("123456789012345678901234567890", 1.2345678901234568e29),
        ] as [(String, Double)])
    func usualForms(text: String, expected: Double) {
        #expect(anyDouble(text) == expected)
    }

    @Test(
        "what is no decimal number has none",
        arguments: [
            "", "+", ".", "e5", "1e", "1e+", "1e400", "0x10", "1,5", "1 ", "--1", "in", "nane",
        ])
    func noNumbers(text: String) {
        #expect(anyDouble(text) == nil)
    }

    @Test("writing and reading take no memory") func noAllocation() {
        var buffer = ByteBuffer(capacity: 64)
        var generator = SeededRandom(seed: 2)
        var isEqual = true
        let before = allocation_count()
        for _ in 0..<5000 {
            buffer.removeAll()
            let value = Double(generator.next() >> 11) * 1e-200
            FloatText.append(value, to: &buffer)
            isEqual = isEqual && FloatText.double(buffer.bytes) == value
        }
        // The first call may load something.
        #expect(allocation_count() - before < 20)
        #expect(isEqual)
    }
}
