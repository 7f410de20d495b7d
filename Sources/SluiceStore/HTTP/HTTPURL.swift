internal import SluiceCore

/// The pieces of a URL, each as it was written: percent-encoded.
struct HTTPURL: Hashable, Sendable {
    /// In lower case, without the colon.
    var scheme: String
    var user: String?
    var password: String?
    /// The host, with its port where one was given.
    var authority: String
    /// Begins with a slash unless it is empty.
    var path: String
    /// Behind the question mark.
    var query: String?

    /// Nothing without a scheme and a host.
    init?(_ text: String) {
        let bytes = text.utf8
        guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")),
            bytes[colon...].starts(with: "://".utf8)
        else { return nil }
        scheme = text[..<colon].lowercased()
        let rest = bytes[bytes.index(colon, offsetBy: 3)...]
        let whole = rest.prefix { !Array("/?#".utf8).contains($0) }
        let host: Substring.UTF8View
        if let at = whole.lastIndex(of: UInt8(ascii: "@")) {
            let pieces = whole[..<at].split(
                separator: UInt8(ascii: ":"), maxSplits: 1, omittingEmptySubsequences: false)
            user = pieces.first.map { String(Substring($0)) }
            password = pieces.count > 1 ? String(Substring(pieces[1])) : nil
            host = whole[whole.index(after: at)...]
        } else {
            host = whole
        }
        guard !host.isEmpty else { return nil }
        authority = String(Substring(host))
        let behind = rest[whole.endIndex...].prefix { $0 != UInt8(ascii: "#") }
        let mark = behind.firstIndex(of: UInt8(ascii: "?")) ?? behind.endIndex
        path = String(Substring(behind[..<mark]))
        query = mark == behind.endIndex ? nil : String(Substring(behind[mark...].dropFirst()))
    }

    /// What may stand in a message: `https://host:port`.
    var host: String { "\(scheme)://\(authority)" }

    /// The items of the query, decoded; nothing when one is malformed.
    var items: [(name: String, value: String)]? {
        var items: [(name: String, value: String)] = []
        for item in (query ?? "").utf8.split(separator: UInt8(ascii: "&")) {
            let pieces = item.split(
                separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = PercentText.decoded(Substring(pieces[0])),
                let value = PercentText.decoded(pieces.count > 1 ? Substring(pieces[1]) : "")
            else { return nil }
            items.append((name, value))
        }
        return items
    }

    /// A path of names between slashes, fit for a URL.
    static func encodedPath(_ names: String) -> String {
        names.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
            .map { PercentText.encoded(String(Substring($0))) }.joined(separator: "/")
    }
}
