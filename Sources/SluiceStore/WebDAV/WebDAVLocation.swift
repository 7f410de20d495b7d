internal import SluiceCore

/// What `http://user:password@host/path/?query` says.
struct WebDAVLocation: Hashable, Sendable {
    /// Without user, query and last slash.
    let base: String
    /// Ends every request's URL: what a presigned URL carries.
    let query: String?
    /// Shows who asks; nothing: nobody in particular.
    private(set) var authorization: String?

    /// - Parameter password: in place of the URL's; without a user it is a bearer token.
    init(_ text: String, password: String? = nil) throws(Failure) {
        guard let url = HTTPURL(text), ["http", "https"].contains(url.scheme) else {
            throw Failure(
                .usage, "expected a host behind 'http://'", hint: "Write http://host/prefix.")
        }
        var path = Substring(url.path)
        while path.utf8.last == UInt8(ascii: "/") { path = path.dropLast() }
        guard PercentText.decoded(path) != nil else { throw WebDAVLocation.badEscape }
        base = url.host + WebDAVLocation.legal(path)
        query = url.query
        if let user = url.user, !user.isEmpty {
            guard let name = PercentText.decoded(Substring(user)),
                let typed = PercentText.decoded(Substring(url.password ?? ""))
            else { throw WebDAVLocation.badEscape }
            let pair = Array("\(name):\(password ?? typed)".utf8)
            authorization = "Basic \(Base64.string(pair))"
        } else if let password {
            authorization = "Bearer \(password)"
        }
    }

    private static let badEscape = Failure(
        .usage, "the store's URL has a '%' without two hexadecimal digits behind it",
        hint: "Write a percent sign as %25.")

    /// What somebody typed with spaces or umlauts, as a URL has it.
    private static func legal(_ path: Substring) -> String {
        path.utf8.map { byte in
            (0x21...0x7E).contains(byte) && byte != UInt8(ascii: "\"")
                ? String(UnicodeScalar(byte))
                : "%" + Hexadecimal.string([byte]).uppercased()
        }.joined()
    }

    /// The folders on the way to the base, which is the last, as URLs of requests.
    var waysToBase: [String] {
        guard let path = HTTPURL(base)?.path else { return [] }
        var way = String(Substring(base.utf8.dropLast(path.utf8.count)))
        return path.utf8.split(separator: UInt8(ascii: "/")).map { segment in
            way += "/\(Substring(segment))"
            return query.map { "\(way)/?\($0)" } ?? way + "/"
        }
    }

    /// Names between slashes below the base; with a slash at its end for a folder.
    func url(_ names: String) -> String {
        let path = names.isEmpty ? base + "/" : "\(base)/\(HTTPURL.encodedPath(names))"
        return query.map { "\(path)?\($0)" } ?? path
    }
}
