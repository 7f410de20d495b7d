import SluiceCore
import TestSupport
import Testing

@testable import SluiceRecords

@Suite struct ChecksumsTests {
    private func crc(_ bytes: [UInt8]) -> [UInt32] {
        bytes.withUnsafeBytes { [CRC32C.checksum($0), CRC32C.inSoftware($0)] }
    }

    @Test("SHA-256 gives the hashes of FIPS 180-2")
    func sha256() {
        #expect(
            SHA256.text(of: Array("".utf8))
                == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        #expect(
            SHA256.text(of: Array("abc".utf8))
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(
            SHA256.text(of: Array("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".utf8))
                == "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")
        #expect(
            SHA256.text(of: [UInt8](repeating: UInt8(ascii: "a"), count: 1_000_000))
                == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
    }

    @Test("SHA-256 in pieces is SHA-256 of the whole, again and again")
    func pieces() {
        let hash = SHA256()
        for _ in 0..<2 {
            for piece in ["a", "", "bc"] {
                Array(piece.utf8).withUnsafeBytes { hash.update($0) }
            }
            #expect(hash.finish() == SHA256.hash(Array("abc".utf8)))
        }
    }

    @Test("CRC-32C gives the sums of RFC 3720, in hardware and in software")
    func crc32c() {
        #expect(crc(Array("123456789".utf8)) == [0xE306_9283, 0xE306_9283])
        #expect(crc([]) == [0, 0])
        #expect(crc([UInt8](repeating: 0, count: 32)) == [0x8A91_36AA, 0x8A91_36AA])
        #expect(crc([UInt8](repeating: 0xFF, count: 32)) == [0x62A8_AB43, 0x62A8_AB43])
        #expect(crc(Array(0..<32)) == [0x46DD_794E, 0x46DD_794E])
        #expect(crc((0..<32).reversed()) == [0x113F_DB5C, 0x113F_DB5C])
    }

    @Test("CRC-32C in hardware and in software agree on bytes of any length")
    func crcAgrees() {
        var factory = RecordFactory()
        for count in 0..<200 {
            let sums = crc(
                (0..<count).map { _ in UInt8.random(in: 0...255, using: &factory.random) })
            #expect(sums[0] == sums[1], "\(count) bytes, \(factory.seed)")
        }
    }
}
