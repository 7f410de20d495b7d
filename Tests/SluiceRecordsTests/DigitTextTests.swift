import SluiceCore
import SluiceRecords
import Testing

@Suite struct DigitTextTests {
    private func text(_ write: (inout ByteBuffer) -> Void) -> String {
        String(decoding: ByteBuffer.written(write), as: UTF8.self)
    }

    @Test("a number has the digits that Swift gives it")
    func numbers() {
        var numbers: [Int64] = [0, .min, .max]
        for shift in 0..<63 as Range<Int64> {
            numbers += [1 << shift, -(1 << shift), (1 << shift) - 1]
        }
        var power: Int64 = 1
        for _ in 0..<19 {
            numbers += [power, power - 1, -power, power + 7]
            power = power &* 10
        }
        for number in numbers {
            #expect(text { DigitText.append(number, to: &$0) } == String(number))
            let magnitude = number.magnitude
            #expect(text { DigitText.append(magnitude, to: &$0) } == String(magnitude))
        }
        #expect(text { DigitText.append(UInt64.max, to: &$0) } == String(UInt64.max))
    }

    @Test("zeros fill a width")
    func widths() {
        for width in 1...30 {
            for number in [0, 7, 10, 99, 100, 12_345] as [UInt64] {
                let digits = String(number)
                let zeros = String(repeating: "0", count: max(0, width - digits.utf8.count))
                #expect(
                    text { DigitText.append(number, atLeast: width, to: &$0) } == zeros + digits)
            }
        }
    }
}
