internal import SluiceCore

/// What a plain HTTP server says, in words: the one way from its statuses to a failure.
struct WebDAVFailure {
    enum Verb: String {
        case read
        case list
        case write
        case delete
    }

    /// What was asked for: `https://host/prefix/key`.
    let place: String
    /// `https://host`.
    let host: String
    let verb: Verb
    let hasAuthorization: Bool

    func make(_ answer: HTTPAnswer) -> Failure {
        let code = String(answer.status)
        switch answer.status {
        case 400 where host.utf8.starts(with: "https:".utf8):
            return Failure(
                .failed, "\(host) cannot \(verb.rawValue) \(place)", code: code,
                hint: "Does it want to see a certificate? Give --client-certificate.")
        case 401:
            return Failure(
                .failed,
                hasAuthorization
                    ? "\(host) does not take this user and password"
                    : "\(host) asks for a user and a password", code: code,
                hint: hasAuthorization
                    ? "Are they the ones of this server?"
                    : "Write them into the store's URL, or give --store-password-command.")
        case 403:
            return Failure(
                .failed, "\(host) does not allow to \(verb.rawValue) \(place)", code: code,
                hint: "Give the user that right, or use another user.")
        case 405, 501:
            return Failure(
                .failed, "\(host) does not know how to \(verb.rawValue) \(place)", code: code,
                hint: "Let the server take PUT and DELETE there, or choose another store.")
        case 404, 409, 410:
            return Failure(
                .failed, "\(host) has no place for \(place)", code: code,
                hint: "Make the folder on the server first, or correct the store's URL.")
        case 413:
            return Failure(
                .failed, "\(host) takes no object as large as \(place)", code: code,
                hint: "Raise the server's limit, or use smaller --shard-bytes.")
        case 507:
            return Failure(
                .failed, "no space left on \(host)", code: code,
                hint: "Free some space, then run the same command again.")
        case 300..<400:
            let other = answer["Location"].flatMap { HTTPURL($0)?.host }
            return Failure(
                .failed,
                "\(host) sends to \(other ?? "another place") to \(verb.rawValue) \(place)",
                code: code, hint: "Write the right place into the store's URL.")
        case 429, 503:
            return Failure(
                .unavailable, "\(host) asks for fewer requests", code: code,
                hint: "Use fewer --lanes if this goes on.", isTransient: true,
                retryAfter: answer.retryAfter)
        default:
            return Failure(
                answer.isTransient || answer.status == 423 ? .unavailable : .failed,
                "\(host) cannot \(verb.rawValue) \(place)", code: code,
                isTransient: answer.isTransient || answer.status == 423,
                retryAfter: answer.retryAfter)
        }
    }

    func strange(_ what: String) -> Failure {
        Failure(
            .unavailable, "\(host) \(what)", hint: "Does the server speak WebDAV?",
            isTransient: true)
    }
}
