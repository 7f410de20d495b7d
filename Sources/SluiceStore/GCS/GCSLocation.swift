internal import SluiceCore

/// A bucket and a prefix in it, as `gs://bucket/prefix?endpoint=…` names them.
struct GCSLocation: Hashable, Sendable {
    static let googleEndpoint = "https://storage.googleapis.com"
    private static let items = ["endpoint", "credentials"]

    let bucket: String
    /// Empty, or segments that end in a slash.
    let prefix: String
    /// Without a slash at its end.
    let endpoint: String
    /// Whether requests go without credentials.
    let isAnonymous: Bool

    /// - Parameter surroundings: for `STORAGE_EMULATOR_HOST`.
    init(_ url: String, _ surroundings: CredentialSurroundings) throws(Failure) {
        guard url.utf8.starts(with: "gs://".utf8) else {
            throw GCSLocation.malformed("the URL of a bucket begins with gs://")
        }
        let rest = url.dropFirst("gs://".count)
        let path = Substring(rest.utf8.prefix { $0 != UInt8(ascii: "?") })
        let query = Substring(rest.utf8.dropFirst(path.utf8.count + 1))
        let bucket = Substring(path.utf8.prefix { $0 != UInt8(ascii: "/") })
        guard GCSLocation.isBucket(bucket) else {
            throw GCSLocation.malformed(
                "a bucket's name has 3 to 222 lower-case letters, digits, '-', '_' and '.'")
        }
        self.bucket = String(bucket)
        prefix = try GCSLocation.prefix(path.dropFirst(bucket.utf8.count))
        var values: [String: String] = [:]
        for item in query.utf8.split(separator: UInt8(ascii: "&")) {
            let name = String(Substring(item.prefix { $0 != UInt8(ascii: "=") }))
            guard GCSLocation.items.contains(name) else {
                let hint =
                    Suggestion.nearest(to: name, among: GCSLocation.items)
                    .map { "Did you mean '\($0)'?" } ?? "Known are 'endpoint' and 'credentials'."
                throw Failure(.usage, "unknown item in the query of a gs:// URL", hint: hint)
            }
            let value = PercentText.decoded(Substring(item.dropFirst(name.utf8.count + 1)))
            guard let value, values[name] == nil else {
                throw GCSLocation.malformed("each item of the query stands once, as name=value")
            }
            values[name] = value
        }
        guard values["credentials"] == nil || values["credentials"] == "none" else {
            throw GCSLocation.malformed("'credentials' may only be 'none'")
        }
        endpoint = try GCSLocation.endpoint(
            values["endpoint"], surroundings.variable("STORAGE_EMULATOR_HOST"))
        // A token never goes over the network as it is; nobody but emulators lacks encryption.
        isAnonymous =
            values["credentials"] == "none" || endpoint.utf8.starts(with: "http://".utf8)
    }

    /// Google's own service keeps every precondition; an emulator may not.
    var isGoogle: Bool {
        endpoint == GCSLocation.googleEndpoint
            || endpoint.utf8.starts(with: "https://".utf8) && endpoint.hasSuffix(".googleapis.com")
    }

    private static func malformed(_ rule: String) -> Failure {
        Failure(
            .usage, "the store's URL is malformed: \(rule)",
            hint: "Write gs://bucket/prefix, and ?endpoint=URL behind it for an emulator.")
    }

    private static func isBucket(_ name: Substring) -> Bool {
        (3...222).contains(name.utf8.count)
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                    UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                    true
                default: false
                }
            }
    }

    private static func prefix(_ path: Substring) throws(Failure) -> String {
        var path = path.utf8.drop { $0 == UInt8(ascii: "/") }
        while path.last == UInt8(ascii: "/") { path.removeLast() }
        if path.isEmpty { return "" }
        guard let text = PercentText.decoded(Substring(path)),
            text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
                .allSatisfy({ StoreKey.isSegment(String(Substring($0))) })
        else {
            throw malformed(
                "a prefix is names of printable ASCII between slashes, none of which begins with "
                    + "a dot")
        }
        return text + "/"
    }

    private static func endpoint(_ given: String?, _ emulator: String?) throws(Failure) -> String {
        var endpoint = googleEndpoint
        if let given {
            endpoint = given
        } else if let emulator {
            endpoint = emulator.contains("://") ? emulator : "http://\(emulator)"
        }
        while endpoint.utf8.last == UInt8(ascii: "/") { endpoint.removeLast() }
        let schemes = ["http://", "https://"]
        guard let scheme = schemes.first(where: { endpoint.utf8.starts(with: $0.utf8) }),
            endpoint.utf8.count > scheme.utf8.count,
            endpoint.utf8.allSatisfy({ (0x21...0x7E).contains($0) }),
            !endpoint.utf8.contains(where: { Array("?#@".utf8).contains($0) })
        else {
            throw malformed("an endpoint is an http or https URL without user or query")
        }
        return endpoint
    }
}
