import SluiceCore
import Testing

@Suite("Base64")
struct Base64Tests {
    /// RFC 4648, section 10.
    private static let pairs = [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
        ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
    ]

    @Test("is what the standard shows", arguments: pairs)
    func samples(_ bytes: String, _ text: String) {
        #expect(Base64.string(Array(bytes.utf8)) == text)
        #expect(Base64.bytes(text) == Array(bytes.utf8))
    }

    @Test("has another alphabet and no padding for URLs")
    func url() {
        #expect(Base64.string([0xFB, 0xEF, 0xFF, 0xFE]) == "++///g==")
        #expect(Base64.urlString([0xFB, 0xEF, 0xFF, 0xFE]) == "--___g")
    }

    @Test("gives back every byte")
    func everyByte() {
        for count in 0..<70 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ count) }
            #expect(Base64.bytes(Base64.string(bytes)) == bytes)
        }
        #expect(Base64.bytes(Base64.string(Array(0...255))) == Array(0...255))
    }

    @Test(
        "is refused when it is written in any other way",
        arguments: ["Z", "Zg", "Zg=", "Zh==", "Zm9=", "====", "Zg==Zg==", "Zm 9", "Zm9v\n", "--__"])
    func refused(_ text: String) {
        #expect(Base64.bytes(text) == nil)
    }
}
