/// Keeps passwords out of whatever is shown (design §9: never a secret).
enum Redaction {
    private static let secretWords = [
        "password", "passwd", "pwd", "secret", "token", "signature", "credential", "key",
    ]

    /// The URL with its password as `***`, and the values of query items that look like secrets.
    ///
    /// Where a URL is malformed it hides too much rather than too little.
    static func redacted(_ url: String) -> String {
        guard let start = url.firstRange(of: "://")?.upperBound else { return url }
        // A file's path is a path to its end; it has neither password nor query.
        let scheme = url[..<start].lowercased()
        if scheme == "sqlite://" || scheme == "file://" { return url }
        let rest = url[start...]
        guard let end = endOfUser(rest.utf8) else { return url[..<start] + queryRedacted(rest) }
        let user = rest[..<end]
        let shownUser = user.utf8.firstIndex(of: UInt8(ascii: ":")).map { "\(user[..<$0]):***" }
        return "\(url[..<start])\(shownUser ?? String(user))\(queryRedacted(rest[end...]))"
    }

    /// What a message may repeat of a value that somebody typed: no password, no control
    /// characters, not too long.
    static func shown(_ text: String) -> String {
        var output = ""
        for (count, scalar) in redacted(text).unicodeScalars.enumerated() {
            guard count < 100 else { return output + "…" }
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate:
                output += "\\u{\(String(scalar.value, radix: 16))}"
            default: output.unicodeScalars.append(scalar)
            }
        }
        return output
    }

    /// The place of the `@` behind user and password, if there is a user.
    ///
    /// A raw `@`, `/` or `?` in a password moves what looks like the host, so it is the last `@`
    /// of all unless nothing before the first slash can be a password.
    private static func endOfUser(_ rest: Substring.UTF8View) -> Substring.Index? {
        guard let last = rest.lastIndex(of: UInt8(ascii: "@")) else { return nil }
        let authority = rest.prefix { !Array("/?#".utf8).contains($0) }
        if authority.contains(UInt8(ascii: "@")) { return last }
        // Without a colon there is no password. With one, `host:5432/a@b` may as well be
        // `user:54/32@host`.
        return authority.contains(UInt8(ascii: ":")) ? last : nil
    }

    private static func queryRedacted(_ text: Substring) -> String {
        guard let mark = text.utf8.firstIndex(of: UInt8(ascii: "?")) else { return String(text) }
        let items = text.utf8[text.utf8.index(after: mark)...].split(
            separator: UInt8(ascii: "&"), omittingEmptySubsequences: false)
        let shown = items.map { item -> String in
            guard let equals = item.firstIndex(of: UInt8(ascii: "=")) else {
                return String(Substring(item))
            }
            let name = Substring(item[..<equals])
            let isSecret = secretWords.contains { name.lowercased().contains($0) }
            return isSecret ? "\(name)=***" : String(Substring(item))
        }
        return "\(text[..<mark])?\(shown.joined(separator: "&"))"
    }
}

extension StringProtocol {
    /// The first place of an ASCII text, byte by byte: as characters `/` and a combining mark
    /// behind it are one.
    func firstRange(of text: StaticString) -> Range<Index>? {
        firstRange(ofText: text.description)
    }

    /// The first place of a text, byte by byte.
    func firstRange(ofText text: String) -> Range<Index>? {
        let wanted = text.utf8
        var start = utf8.startIndex
        while start != utf8.endIndex {
            if utf8[start...].starts(with: wanted) {
                return start..<utf8.index(start, offsetBy: wanted.count)
            }
            start = utf8.index(after: start)
        }
        return nil
    }
}
