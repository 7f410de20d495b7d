/// How servers are talked to, whichever store it is.
public struct HTTPOptions: Hashable, Sendable {
    /// For a name to be resolved and a connection, with its encryption, to be made.
    public var connectLimit = Duration.seconds(15)
    /// A transfer may be slow, but not stand still for longer.
    public var stallLimit = Duration.seconds(60)
    /// Whether `https_proxy` and the like count.
    public var usesProxy = true
    /// A file of certificates to trust instead of the system's.
    public var caBundle: String?
    /// A file with a certificate that shows who we are.
    public var clientCertificate: String?
    /// Its key, where the certificate's file does not hold it.
    public var clientKey: String?

    public init(
        caBundle: String? = nil, clientCertificate: String? = nil, clientKey: String? = nil
    ) {
        self.caBundle = caBundle
        self.clientCertificate = clientCertificate
        self.clientKey = clientKey
    }
}
