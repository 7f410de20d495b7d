import CCrypto
import SluiceCore

/// A key of this run, and libcrypto's opinion on what was signed with it.
enum TestKey {
    // Made once, read by everybody.
    private struct Key: @unchecked Sendable {
        let key: OpaquePointer?
    }

    private static let made: Key = {
        let context = EVP_PKEY_CTX_new_id(EVP_PKEY_RSA, nil)
        defer { EVP_PKEY_CTX_free(context) }
        var key: OpaquePointer?
        EVP_PKEY_keygen_init(context)
        EVP_PKEY_CTX_set_rsa_keygen_bits(context, 2048)
        EVP_PKEY_keygen(context, &key)
        return Key(key: key)
    }()

    static var pem: String {
        let output = BIO_new(BIO_s_mem())
        defer { BIO_free(output) }
        PEM_write_bio_PKCS8PrivateKey(output, made.key, nil, nil, 0, nil, nil)
        var text = [UInt8](repeating: 0, count: 1 << 14)
        let count = BIO_read(output, &text, Int32(text.count))
        return String(decoding: text.prefix(Int(count)), as: UTF8.self)
    }

    /// Whether the last part of a web token signs the others.
    static func verifies(_ signature: Substring, of text: String) -> Bool {
        let context = EVP_MD_CTX_new()
        defer { EVP_MD_CTX_free(context) }
        let signature = bytes(signature)
        let signed = Array(text.utf8)
        return EVP_DigestVerifyInit(context, nil, EVP_sha256(), nil, made.key) == 1
            && EVP_DigestVerify(context, signature, signature.count, signed, signed.count) == 1
    }

    static func text(_ part: Substring) -> String { String(decoding: bytes(part), as: UTF8.self) }

    private static func bytes(_ part: Substring) -> [UInt8] {
        let standard = part.map { $0 == "-" ? "+" : $0 == "_" ? "/" : $0 }
        let padding = String(repeating: "=", count: (4 - part.count % 4) % 4)
        return Base64.bytes(String(standard) + padding) ?? []
    }
}
