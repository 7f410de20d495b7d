internal import CCrypto
public import SluiceCore

/// An RSA key that signs, for service accounts. Belongs to one lane.
public struct PrivateKey: ~Copyable {
    private let key: OpaquePointer

    /// - Parameter pem: as key files hold it; never shown in a message.
    public init(pem: String) throws(Failure) {
        // A failed call leaves reasons behind that somebody else would take for their own.
        defer { ERR_clear_error() }
        var pem = pem
        let key = pem.withUTF8 { text -> OpaquePointer? in
            guard text.count < 1 << 20,
                let input = BIO_new_mem_buf(text.baseAddress, Int32(text.count))
            else { return nil }
            defer { BIO_free(input) }
            // Without an answer of ours an encrypted key would ask on the terminal.
            return PEM_read_bio_PrivateKey(input, nil, { _, _, _, _ in 0 }, nil)
        }
        guard let key else {
            throw Failure(
                .failed, "the private key is not one in PEM without a passphrase",
                hint: "Download the key file again.")
        }
        guard EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA else {
            EVP_PKEY_free(key)
            throw Failure(
                .failed, "the private key is not an RSA key", hint: "Download the key file again.")
        }
        self.key = key
    }

    deinit {
        EVP_PKEY_free(key)
    }

    /// RSASSA-PKCS1-v1_5 over SHA-256, which web tokens call RS256.
    public func sign(_ bytes: [UInt8]) throws(Failure) -> [UInt8] {
        defer { ERR_clear_error() }
        guard let context = EVP_MD_CTX_new() else { preconditionFailure("no memory for a hash") }
        defer { EVP_MD_CTX_free(context) }
        var count = 0
        guard EVP_DigestSignInit(context, nil, EVP_sha256(), nil, key) == 1,
            EVP_DigestSign(context, nil, &count, bytes, bytes.count) == 1
        else { throw PrivateKey.refused }
        var signature = [UInt8](repeating: 0, count: count)
        guard EVP_DigestSign(context, &signature, &count, bytes, bytes.count) == 1 else {
            throw PrivateKey.refused
        }
        return Array(signature.prefix(count))
    }

    private static let refused = Failure(
        .failed, "libcrypto does not sign with the private key",
        hint: "Download the key file again; a key needs 2048 bits.")
}
