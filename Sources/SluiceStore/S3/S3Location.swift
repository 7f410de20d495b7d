internal import SluiceCore

/// What `s3://bucket/prefix?…` says.
struct S3Location: Hashable, Sendable {
    enum Style: String, Sendable {
        case path
        case virtual
    }

    var bucket: String
    /// Ends with a slash unless it is empty.
    var prefix: String
    /// `https://host`, without a slash at its end; nothing for AWS itself.
    var endpoint: String?
    var region: String?
    var style: Style?
    /// How the store encrypts, and with which of its keys.
    var encryption: String?
    var encryptionKey: String?
    var storageClass: String?

    static let optionNames = [
        "endpoint", "region", "style", "sse", "sse-kms-key-id", "storage-class",
    ]

    init(_ text: String) throws(Failure) {
        guard let url = HTTPURL(text), url.scheme == "s3", url.user == nil else {
            throw Failure(
                .usage, "expected a bucket behind 's3://'", hint: "Write s3://bucket/prefix.")
        }
        bucket = url.authority
        var prefix = Substring(url.path.utf8.drop { $0 == UInt8(ascii: "/") })
        while prefix.utf8.last == UInt8(ascii: "/") { prefix = prefix.dropLast() }
        guard let decoded = PercentText.decoded(prefix), let items = url.items else {
            throw Failure(
                .usage, "the store's URL has a '%' without two hexadecimal digits behind it",
                hint: "Write a percent sign as %25.")
        }
        if !decoded.isEmpty { _ = try StoreKey(decoded) }
        self.prefix = decoded.isEmpty ? "" : decoded + "/"
        for (name, value) in items { try set(name, value) }
    }

    private mutating func set(_ name: String, _ value: String) throws(Failure) {
        guard !value.isEmpty, value.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw Failure(.usage, "'\(name)=' in the store's URL has no value, or one with spaces")
        }
        switch name {
        case "endpoint": endpoint = try S3Location.endpoint(value)
        case "region": region = value
        case "style":
            guard let style = Style(rawValue: value) else {
                throw Failure(
                    .usage, "unknown style '\(value)' in the store's URL",
                    hint: "Write style=path or style=virtual.")
            }
            self.style = style
        case "sse": encryption = value
        case "sse-kms-key-id":
            encryptionKey = value
            if encryption == nil { encryption = "aws:kms" }
        case "storage-class": storageClass = value
        default:
            let hint =
                Suggestion.nearest(to: name, among: S3Location.optionNames)
                .map { "Did you mean '\($0)='?" }
                ?? "Known are \(S3Location.optionNames.joined(separator: ", "))."
            throw Failure(.usage, "unknown option '\(name)=' in the store's URL", hint: hint)
        }
    }

    /// A host without a scheme is spoken to over TLS.
    static func endpoint(_ text: String) throws(Failure) -> String {
        let whole = text.utf8.contains(UInt8(ascii: "/")) ? text : "https://" + text
        guard let url = HTTPURL(whole), ["http", "https"].contains(url.scheme), url.user == nil,
            url.query == nil, url.path.isEmpty || url.path == "/"
        else {
            throw Failure(
                .usage, "the endpoint is not the URL of a server",
                hint: "Write endpoint=https://host or endpoint=http://host:port.")
        }
        return url.host
    }

    /// Where requests go: the URL of the bucket, without a slash at its end.
    func bucketURL(region: String) -> String {
        let server = endpoint ?? S3Location.server(of: region)
        // A wildcard certificate covers one label, and a server of one's own seldom has names below
        // its own.
        let isVirtual = style.map { $0 == .virtual } ?? (endpoint == nil && !bucket.contains("."))
        guard isVirtual, let url = HTTPURL(server) else {
            return "\(server)/\(PercentText.encoded(bucket))"
        }
        return "\(url.scheme)://\(bucket).\(url.authority)"
    }

    private static func server(of region: String) -> String {
        "https://s3.\(region).amazonaws.com" + (region.hasPrefix("cn-") ? ".cn" : "")
    }
}
