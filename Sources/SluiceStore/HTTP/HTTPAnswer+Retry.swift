internal import CCurl
internal import SluiceCore

extension HTTPAnswer {
    /// Whether the same request may succeed later.
    var isTransient: Bool {
        [408, 425, 429].contains(status)
            || (500...599).contains(status) && status != 501 && status != 505 && status != 507
    }

    /// How long the server wants to be left alone; in seconds or as a date.
    var retryAfter: Duration? {
        guard let text = self["Retry-After"] else { return nil }
        if let seconds = Int(text) { return .seconds(max(0, min(seconds, 86_400))) }
        guard let moment = HTTPAnswer.seconds(text) else { return nil }
        return .seconds(max(0, min(moment - (date ?? Clock.wallSeconds), 86_400)))
    }

    /// Whether it has the part that was asked for, and nothing else. Some say so with a plain 200.
    func isPart(_ range: Range<Int>) -> Bool {
        let part = "bytes \(range.lowerBound)-\(range.upperBound - 1)/"
        return isSuccess && (self["Content-Range"] ?? "").utf8.starts(with: part.utf8)
    }

    /// When the server says it answered, in seconds since 1970.
    var date: Int? { self["Date"].flatMap(HTTPAnswer.seconds) }

    private static func seconds(_ text: String) -> Int? {
        let moment = curl_getdate(text, nil)
        return moment < 0 ? nil : moment
    }
}
