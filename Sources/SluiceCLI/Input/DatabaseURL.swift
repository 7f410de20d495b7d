internal import SluiceCore

/// A database as a user names it (design §8).
struct DatabaseURL: Sendable, Hashable {
    enum Engine: String, Sendable {
        case sqlite
        case postgres
        case mysql
    }

    let engine: Engine
    /// A path for SQLite, otherwise the whole URL.
    let location: String
    /// As it may be shown.
    let shown: String

    private static let schemes: [(name: String, engine: Engine)] = [
        ("sqlite", .sqlite), ("postgres", .postgres), ("postgresql", .postgres),
        ("mysql", .mysql), ("mariadb", .mysql),
    ]

    init(_ url: String) throws(Failure) {
        let (scheme, rest) = try URLScheme.split(
            url, known: DatabaseURL.schemes.map(\.name), example: "sqlite:app.db")
        guard let engine = DatabaseURL.schemes.first(where: { $0.name == scheme })?.engine else {
            throw URLScheme.unknown(scheme, among: DatabaseURL.schemes.map(\.name))
        }
        self.engine = engine
        switch engine {
        case .sqlite:
            location = try URLScheme.path(rest, scheme: scheme)
        case .postgres, .mysql:
            guard rest.utf8.starts(with: "//".utf8) else {
                throw Failure(
                    .usage, "expected '//' behind '\(scheme):'",
                    hint: "Write \(scheme)://user@host:port/database.")
            }
            location = url
        }
        shown = Redaction.redacted(url)
    }
}

/// What the two kinds of URLs have in common.
enum URLScheme {
    /// The lower-case word before the first colon, and everything behind that colon.
    static func split(
        _ url: String, known: [String], example: String
    ) throws(Failure) -> (scheme: String, rest: Substring) {
        guard let colon = url.utf8.firstIndex(of: UInt8(ascii: ":")), colon != url.startIndex,
            url[..<colon].allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber) })
        else {
            throw Failure(
                .usage, "expected a URL that begins with \(ValueSyntax.list(schemes(known), "or"))",
                hint: "Write a path as in \(example).")
        }
        let scheme = String(url[..<colon])
        return (scheme, url[url.utf8.index(after: colon)...])
    }

    static func unknown(_ scheme: String, among known: [String]) -> Failure {
        let hint =
            Suggestion.nearest(to: scheme, among: known).map { "Did you mean '\($0):'?" }
            ?? "Known are \(ValueSyntax.list(schemes(known)))."
        return Failure(.usage, "unknown scheme '\(scheme):'", hint: hint)
    }

    /// The path exactly as it is; `//` before an absolute path is the URL's own.
    static func path(_ rest: Substring, scheme: String) throws(Failure) -> String {
        let isAbsolute = rest.utf8.starts(with: "///".utf8)
        let path = isAbsolute ? Substring(rest.utf8.dropFirst(2)) : rest
        guard !path.isEmpty, !path.utf8.elementsEqual("//".utf8) else {
            throw Failure(.usage, "the path is missing", hint: "Write \(scheme):PATH.")
        }
        return String(path)
    }

    private static func schemes(_ names: [String]) -> [String] { names.map { "\($0):" } }
}
