internal import CCrypto
internal import SluiceCore

/// SHA-256, for whatever a forger must not change. One object sums bytes up piece by piece;
/// belongs to one lane.
public final class SHA256 {
    public static let byteCount = 32

    private let context: OpaquePointer

    public init() {
        guard let context = EVP_MD_CTX_new() else { preconditionFailure("no memory for a hash") }
        self.context = context
        start()
    }

    deinit {
        EVP_MD_CTX_free(context)
    }

    private func start() {
        let code = EVP_DigestInit_ex(context, EVP_sha256(), nil)
        precondition(code == 1, "libcrypto has no SHA-256")
    }

    public func update(_ bytes: UnsafeRawBufferPointer) {
        let code = EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
        precondition(code == 1, "libcrypto takes no more bytes")
    }

    /// The hash of all bytes since the last call, after which the next hash begins.
    public func finish() -> [UInt8] {
        let hash = [UInt8](unsafeUninitializedCapacity: SHA256.byteCount) { buffer, count in
            var written: UInt32 = 0
            let code = EVP_DigestFinal_ex(context, buffer.baseAddress, &written)
            precondition(code == 1 && written == 32, "libcrypto gives no SHA-256")
            count = SHA256.byteCount
        }
        start()
        return hash
    }

    public static func hash(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        let hash = SHA256()
        hash.update(bytes)
        return hash.finish()
    }

    public static func hash(_ bytes: [UInt8]) -> [UInt8] {
        bytes.withUnsafeBytes { hash($0) }
    }

    /// The hash as 64 lower-case hexadecimal digits.
    public static func text(of bytes: UnsafeRawBufferPointer) -> String {
        Hexadecimal.string(hash(bytes))
    }

    public static func text(of bytes: [UInt8]) -> String {
        Hexadecimal.string(hash(bytes))
    }
}

/// CRC-32C (Castagnoli), the checksum that object stores compare while they take bytes.
public enum CRC32C {
    public static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        isInHardware ? ~sluice_crc32c(~0, bytes.baseAddress, bytes.count) : inSoftware(bytes)
    }

    private static let isInHardware = sluice_crc32c_in_hardware() != 0

    /// Table `k` gives what a byte does to the sum when `k` more bytes follow it: eight bytes are
    /// taken at once.
    private static let tables: [UInt32] = {
        var tables = [
            (0..<256).map { (byte: UInt32) in
                (0..<8).reduce(byte) { sum, _ in sum >> 1 ^ (sum & 1 == 0 ? 0 : 0x82F6_3B78) }
            }
        ]
        for table in 1..<8 {
            let before = tables[table - 1]
            tables.append(before.map { $0 >> 8 ^ tables[0][Int($0 & 0xFF)] })
        }
        return tables.flatMap { $0 }
    }()

    /// For processors without the instruction.
    static func inSoftware(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        tables.withUnsafeBufferPointer { table in
            var sum: UInt32 = ~0
            var place = 0
            while bytes.count - place >= 8 {
                let low =
                    sum
                    ^ UInt32(
                        littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: UInt32.self))
                let high = UInt32(
                    littleEndian: bytes.loadUnaligned(fromByteOffset: place + 4, as: UInt32.self))
                sum = table[1792 + Int(low & 0xFF)] ^ table[1536 + Int(low >> 8 & 0xFF)]
                sum ^= table[1280 + Int(low >> 16 & 0xFF)] ^ table[1024 + Int(low >> 24)]
                sum ^= table[768 + Int(high & 0xFF)] ^ table[512 + Int(high >> 8 & 0xFF)]
                sum ^= table[256 + Int(high >> 16 & 0xFF)] ^ table[Int(high >> 24)]
                place += 8
            }
            while place < bytes.count {
                sum = sum >> 8 ^ table[Int((sum ^ UInt32(bytes[place])) & 0xFF)]
                place += 1
            }
            return ~sum
        }
    }
}
