internal import CMariaDB
internal import SluiceCore

extension MySQLAddress {
    private static let options: [(name: String, option: mysql_option)] = [
        ("ssl-ca", MYSQL_OPT_SSL_CA), ("ssl-capath", MYSQL_OPT_SSL_CAPATH),
        ("ssl-cert", MYSQL_OPT_SSL_CERT), ("ssl-key", MYSQL_OPT_SSL_KEY),
        ("ssl-cipher", MYSQL_OPT_SSL_CIPHER), ("ssl-crl", MYSQL_OPT_SSL_CRL),
        ("ssl-crlpath", MYSQL_OPT_SSL_CRLPATH), ("tls-version", MARIADB_OPT_TLS_VERSION),
    ]

    /// Whether the server's certificate must be good; libmariadb then looks at its name, too.
    private var verifies: Bool { tlsMode == .verifyCA || tlsMode == .verifyIdentity }

    /// Tells a session that is not open yet what encryption is wanted.
    func setTLS(on session: UnsafeMutablePointer<MYSQL>) {
        sluice_mysql_set_flag(session, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, verifies ? 1 : 0)
        // Over a socket of this machine there is nobody to hide from.
        guard tlsMode != .disabled, tlsMode != .preferred || socket == nil else { return }
        for (name, option) in MySQLAddress.options {
            if let value = tls[name] { mysql_options(session, option, value) }
        }
        sluice_mysql_set_flag(session, MYSQL_OPT_SSL_ENFORCE, 1)
    }

    /// Whether an open session is encrypted, where that is asked for.
    func isEncryptedEnough(_ session: UnsafeMutablePointer<MYSQL>) -> Bool {
        switch tlsMode {
        case .disabled, .preferred: true
        case .required, .verifyCA, .verifyIdentity: mysql_get_ssl_cipher(session) != nil
        }
    }
}
