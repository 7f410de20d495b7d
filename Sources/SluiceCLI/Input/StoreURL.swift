internal import SluiceCore

/// A store as a user names it (design §8).
struct StoreURL: Sendable, Hashable {
    enum Service: String, Sendable {
        case folder
        case s3
        case gcs
        case http
    }

    let service: Service
    /// A path for a folder, otherwise the whole URL; with placeholders.
    let location: String

    private static let schemes: [(name: String, service: Service)] = [
        ("file", .folder), ("s3", .s3), ("gs", .gcs), ("http", .http), ("https", .http),
    ]
    private static let placeholders = ["date", "time"]

    init(_ url: String) throws(Failure) {
        let names = StoreURL.schemes.map(\.name)
        let (scheme, rest) = try URLScheme.split(url, known: names, example: "file:out")
        guard let service = StoreURL.schemes.first(where: { $0.name == scheme })?.service else {
            throw URLScheme.unknown(scheme, among: names)
        }
        self.service = service
        if service == .folder {
            location = try URLScheme.path(rest, scheme: scheme)
        } else {
            guard rest.utf8.starts(with: "//".utf8) else {
                throw Failure(
                    .usage, "expected '//' behind '\(scheme):'",
                    hint: "Write \(scheme)://\(service == .http ? "host" : "bucket")/prefix.")
            }
            location = url
        }
        for name in StoreURL.placeholderNames(in: location)
        where !StoreURL.placeholders.contains(name) {
            let hint =
                Suggestion.nearest(to: name, among: StoreURL.placeholders)
                .map { "Did you mean '{\($0)}'?" } ?? "Known are '{date}' and '{time}'."
            throw Failure(.usage, "unknown placeholder '{\(name)}'", hint: hint)
        }
    }

    /// The location at a moment: `{date}` is `2026-01-31` and `{time}` is `235959`, both UTC.
    func location(at wallSeconds: Int) -> String {
        // 2026-01-31T23:59:59Z
        let stamp = Clock.timestamp(wallSeconds)
        let date = String(stamp.prefix(10))
        let time = stamp.dropFirst(11).prefix(8).filter { $0 != ":" }
        return StoreURL.replacing(
            "{time}", by: time, in: StoreURL.replacing("{date}", by: date, in: location))
    }

    /// Whether each start has a location of its own.
    var hasPlaceholders: Bool { !StoreURL.placeholderNames(in: location).isEmpty }

    /// What stands between braces and is made of letters.
    private static func placeholderNames(in text: String) -> [String] {
        var names: [String] = []
        for piece in text.utf8.split(separator: UInt8(ascii: "{")).dropFirst(
            text.utf8.first == UInt8(ascii: "{") ? 0 : 1)
        {
            guard let end = piece.firstIndex(of: UInt8(ascii: "}")) else { continue }
            let name = Substring(piece[..<end])
            if !name.isEmpty, name.allSatisfy({ $0.isASCII && $0.isLetter }) {
                names.append(String(name))
            }
        }
        return names
    }

    private static func replacing(
        _ name: StaticString, by value: String, in text: String
    ) -> String {
        var output = ""
        var rest = text[...]
        while let range = rest.firstRange(of: name) {
            output += rest[..<range.lowerBound] + value
            rest = rest[range.upperBound...]
        }
        return output + rest
    }
}
