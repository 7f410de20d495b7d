import SluiceRecords
import Testing

@Suite struct PlainBytesTests {
    @Test("no byte with another meaning is counted, wherever it stands")
    func special() {
        for length in 1...33 {
            for place in 0..<length {
                for byte in UInt8.min...UInt8.max {
                    var text = [UInt8](repeating: UInt8(ascii: "a"), count: length)
                    text[place] = byte
                    let count = text.withUnsafeBytes { PlainBytes.count($0) }
                    let isSpecial = byte < 0x20 || byte == 0x27 || byte == 0x5C
                    if isSpecial {
                        #expect(count <= place, "\(byte) at \(place) of \(length)")
                    } else {
                        #expect(count == (length < 8 ? 0 : length), "\(byte) at \(place)")
                    }
                }
            }
        }
        #expect([UInt8]().withUnsafeBytes { PlainBytes.count($0) } == 0)
    }
}
