import CCrypto
import SluiceCore
import SluiceRecords
import Testing

@Suite("A private key")
struct PrivateKeyTests {
    @Test("signs what its public key verifies, and nothing else")
    func signs() throws {
        let pair = try KeyPair(type: EVP_PKEY_RSA)
        let signature = try PrivateKey(pem: pair.pem()).sign(Array("header.claims".utf8))
        #expect(signature.count == 256)
        #expect(pair.verifies(signature, of: Array("header.claims".utf8)))
        #expect(!pair.verifies(signature, of: Array("header.claimz".utf8)))
    }

    @Test("is refused when it is not in PEM, or has a passphrase")
    func malformed() throws {
        let pair = try KeyPair(type: EVP_PKEY_RSA)
        let texts = [
            "", "secret", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
            String(pair.pem().prefix(400)), pair.pem(passphrase: "secret"),
        ]
        for text in texts {
            #expect(
                failure(text)?.description == """
                    the private key is not one in PEM without a passphrase
                    hint: Download the key file again.
                    """)
        }
    }

    @Test("is refused when it is of another kind")
    func otherKind() throws {
        let pair = try KeyPair(type: EVP_PKEY_ED25519)
        #expect(
            failure(pair.pem())?.description == """
                the private key is not an RSA key
                hint: Download the key file again.
                """)
    }

    private func failure(_ pem: String) -> Failure? {
        do throws(Failure) {
            _ = try PrivateKey(pem: pem).sign([1])
            return nil
        } catch {
            return error
        }
    }
}

/// A key that libcrypto has just made.
private final class KeyPair {
    private struct NoKey: Error {}

    private let key: OpaquePointer

    init(type: Int32) throws {
        let context = EVP_PKEY_CTX_new_id(type, nil)
        defer { EVP_PKEY_CTX_free(context) }
        var key: OpaquePointer?
        guard EVP_PKEY_keygen_init(context) == 1,
            type != EVP_PKEY_RSA || EVP_PKEY_CTX_set_rsa_keygen_bits(context, 2048) == 1,
            EVP_PKEY_keygen(context, &key) == 1, let key
        else { throw NoKey() }
        self.key = key
    }

    deinit { EVP_PKEY_free(key) }

    func pem(passphrase: String? = nil) -> String {
        let output = BIO_new(BIO_s_mem())
        defer { BIO_free(output) }
        let cipher = passphrase == nil ? nil : EVP_aes_128_cbc()
        let bytes = Array((passphrase ?? "").utf8)
        PEM_write_bio_PKCS8PrivateKey(
            output, key, cipher, bytes.map { CChar($0) }, Int32(bytes.count), nil, nil)
        var text = [UInt8](repeating: 0, count: 1 << 14)
        let count = BIO_read(output, &text, Int32(text.count))
        return String(decoding: text.prefix(Int(count)), as: UTF8.self)
    }

    func verifies(_ signature: [UInt8], of bytes: [UInt8]) -> Bool {
        let context = EVP_MD_CTX_new()
        defer { EVP_MD_CTX_free(context) }
        return EVP_DigestVerifyInit(context, nil, EVP_sha256(), nil, key) == 1
            && EVP_DigestVerify(context, signature, signature.count, bytes, bytes.count) == 1
    }
}
