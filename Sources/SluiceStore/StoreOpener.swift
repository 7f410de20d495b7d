public import SluiceCore

/// Opens the store that a URL names: the only place that knows which there are.
public enum StoreOpener {
    /// - Parameters:
    ///   - url: `s3://`, `gs://`, `http://` or `https://`, with its placeholders replaced.
    ///   - options: how servers are talked to.
    ///   - passwordCommand: prints the password of the user in an `http://` URL, or a bearer token
    ///     where it names none.
    public static func open(
        _ url: String, options: HTTPOptions = HTTPOptions(), passwordCommand: String? = nil
    ) throws(Failure) -> any Store {
        var options = options
        let variable = CredentialSurroundings.process.variable
        options.caBundle =
            options.caBundle ?? variable("CURL_CA_BUNDLE") ?? variable("SSL_CERT_FILE")
        let scheme = HTTPURL(url)?.scheme
        switch scheme {
        case "s3": return try s3(S3Location(url), options, .process)
        case "gs": return try gcs(url, options, .process)
        case "http", "https":
            let password = try passwordCommand.map(password)
            return WebDAVStore(
                try WebDAVLocation(url, password: password), sender: HTTPClient(options: options))
        default: throw Failure(.usage, "no store has such a URL")
        }
    }

    /// - Parameter surroundings: where credentials and defaults are looked for.
    static func s3(
        _ location: S3Location, _ options: HTTPOptions, _ surroundings: CredentialSurroundings
    ) throws(Failure) -> S3Store {
        var location = location
        var options = options
        if location.endpoint == nil,
            let endpoint = surroundings.variable("AWS_ENDPOINT_URL_S3")
                ?? surroundings.variable("AWS_ENDPOINT_URL")
        {
            location.endpoint = try S3Location.endpoint(endpoint)
        }
        options.caBundle = surroundings.variable("AWS_CA_BUNDLE") ?? options.caBundle
        let chain = AWSCredentialChain(
            sender: HTTPClient(options: .near), surroundings: surroundings)
        return try S3Store(location, chain: chain, sender: HTTPClient(options: options))
    }

    /// - Parameter surroundings: where credentials and defaults are looked for.
    static func gcs(
        _ url: String, _ options: HTTPOptions, _ surroundings: CredentialSurroundings
    ) throws(Failure) -> GCSStore {
        let sender = HTTPClient(options: options)
        let credentials = GoogleCredentials(
            sender: sender, metadata: HTTPClient(options: .near), surroundings: surroundings)
        return GCSStore(
            location: try GCSLocation(url, surroundings), sender: sender, credentials: credentials)
    }

    /// The first line of what the command prints.
    private static func password(_ command: String) throws(Failure) -> String {
        let origin = "the command of --store-password-command"
        let printed = try CredentialCommand(
            command: command, origin: origin, timeLimit: .seconds(60)
        ).run()
        let line = printed.prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
        guard let text = String(validating: line, as: UTF8.self), !text.isEmpty else {
            throw Failure(
                .usage, "\(origin) prints no password",
                hint: "Run the command by itself to see why.")
        }
        return text
    }
}

extension HTTPOptions {
    /// For the endpoints of containers and instances: near, or not there at all.
    static var near: HTTPOptions {
        var options = HTTPOptions()
        options.connectLimit = .seconds(1)
        options.stallLimit = .seconds(2)
        options.usesProxy = false
        return options
    }
}
