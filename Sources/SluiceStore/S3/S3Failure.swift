internal import SluiceCore

/// What an S3 store says, in words: the one way from its answers to a failure.
struct S3Failure {
    enum Verb: String {
        case read
        case list
        case write
        case delete
    }

    /// What was asked for, as messages name it: `s3://bucket/key`.
    let place: String
    let bucket: String
    /// `https://host:port`.
    let host: String
    let region: String
    /// Where the credentials came from.
    let origin: String
    let verb: Verb

    func make(_ answer: HTTPAnswer, _ body: UnsafeRawBufferPointer) -> Failure {
        make(answer, S3Problem(body))
    }

    private func make(_ answer: HTTPAnswer, _ problem: S3Problem) -> Failure {
        let code = problem.code ?? ""
        // An answer to HEAD has no body, and most servers give a 301 none that says more.
        if let right = problem.region ?? answer["x-amz-bucket-region"], right != region,
            ["", "PermanentRedirect", "AuthorizationHeaderMalformed", "TemporaryRedirect"]
                .contains(code) || answer.status == 301
        {
            return Failure(
                .usage, "the bucket \(bucket) is in the region \(right), not in \(region)",
                code: problem.code, hint: "Write region=\(right) in the store's URL.")
        }
        return credentials(code, answer, problem) ?? passing(code, answer)
            ?? lasting(code, answer)
    }

    private func credentials(
        _ code: String, _ answer: HTTPAnswer, _ problem: S3Problem
    ) -> Failure? {
        switch code {
        case "InvalidAccessKeyId":
            Failure(
                .failed, "\(host) does not know the access key from \(origin)", code: code,
                hint: "Are these the credentials of this store?")
        case "SignatureDoesNotMatch":
            Failure(
                .failed, "the secret from \(origin) does not belong to its access key", code: code,
                hint: "Was the secret copied whole?")
        case "InvalidToken":
            Failure(
                .failed, "\(host) does not take the session token from \(origin)", code: code,
                hint: "Fetch new credentials.")
        case "ExpiredToken", "TokenRefreshRequired", "RequestExpired":
            Failure(
                .failed, "the credentials from \(origin) have ended", code: code,
                hint: "Fetch new credentials, then run the same command again.",
                isTransient: true)
        case "RequestTimeTooSkewed", "RequestInTheFuture": skewed(answer, code)
        case "AccessDenied", "AllAccessDisabled": denied(code)
        case "" where answer.status == 403 || answer.status == 401: denied(nil)
        default: nil
        }
    }

    private func denied(_ code: String?) -> Failure {
        let right =
            switch verb {
            case .read: "s3:GetObject"
            case .list: "s3:ListBucket"
            case .write: "s3:PutObject"
            case .delete: "s3:DeleteObject"
            }
        return Failure(
            .failed, "the access key from \(origin) may not \(verb.rawValue) \(place)", code: code,
            hint: "Give it the right \(right), or use another key.")
    }

    private func skewed(_ answer: HTTPAnswer, _ code: String) -> Failure {
        let difference = answer.date.map { Clock.wallSeconds - $0 }
        let words = difference.map { "\(abs($0)) s \($0 < 0 ? "behind" : "ahead of")" }
        return Failure(
            .failed,
            "the clock of this machine is \(words ?? "too far from") \(host)", code: code,
            hint: "Set the clock; a signature is good for a few minutes only.")
    }

    /// What may be over in a moment.
    private func passing(_ code: String, _ answer: HTTPAnswer) -> Failure? {
        let named = code.isEmpty ? String(answer.status) : code
        switch code {
        case "BadDigest", "XAmzContentChecksumMismatch", "XAmzContentSHA256Mismatch",
            "InvalidDigest", "IncompleteBody":
            return Failure(
                .unavailable, "\(place) did not arrive as it was sent", code: named,
                isTransient: true)
        case "ConditionalRequestConflict", "OperationAborted":
            return Failure(
                .unavailable, "\(place) is being written by somebody else", code: named,
                isTransient: true, retryAfter: answer.retryAfter)
        case "SlowDown", "TooManyRequests", "RequestLimitExceeded", "Throttling",
            "ThrottlingException", "BandwidthLimitExceeded":
            return busy(answer, named)
        case "RequestTimeout", "InternalError", "ServiceUnavailable", "TemporaryRedirect":
            break
        default:
            if [429, 503].contains(answer.status) { return busy(answer, named) }
            guard answer.isTransient else { return nil }
        }
        return Failure(
            .unavailable, "\(host) cannot \(verb.rawValue) \(place) now", code: named,
            isTransient: true, retryAfter: answer.retryAfter)
    }

    private func busy(_ answer: HTTPAnswer, _ code: String) -> Failure {
        Failure(
            .unavailable, "\(host) asks for fewer requests", code: code,
            hint: "Use fewer --lanes if this goes on.", isTransient: true,
            retryAfter: answer.retryAfter)
    }

    private func lasting(_ code: String, _ answer: HTTPAnswer) -> Failure {
        switch code {
        case "NoSuchBucket",
            "" where answer.status == 404:
            Failure(
                .failed, "there is no bucket \(bucket) at \(host)",
                code: code.isEmpty ? nil : code,
                hint: "Make the bucket first, or correct the store's URL.")
        case "InvalidObjectState":
            Failure(
                .failed, "\(place) is in an archive", code: code,
                hint: "Restore it first, and choose a storage class that can be read at once.")
        default:
            Failure(
                .failed, "\(host) refuses to \(verb.rawValue) \(place)",
                code: code.isEmpty ? String(answer.status) : code,
                hint: "Does the server speak S3, and does it know every option in the store's URL?")
        }
    }

    var damaged: Failure {
        Failure(
            .unavailable, "\(place) is damaged on its way",
            hint: "Something between this machine and \(host) changes bytes.", isTransient: true)
    }

    /// Whether credentials were good once.
    static func hasEnded(_ problem: S3Problem) -> Bool {
        ["ExpiredToken", "TokenRefreshRequired", "RequestExpired"].contains(problem.code)
    }

    /// A success, but not one of an S3 store: a proxy's page, for example.
    func strange(_ what: String) -> Failure {
        Failure(
            .unavailable, "\(host) \(what)", hint: "Does the server speak S3?", isTransient: true)
    }

    /// A success whose body says that it is none.
    func disguised(_ answer: HTTPAnswer, _ body: UnsafeRawBufferPointer) -> Failure? {
        guard !body.isEmpty else { return nil }
        let problem = S3Problem(body)
        guard let code = problem.code else { return nil }
        var failure = answer
        failure.status = 500
        return credentials(code, failure, problem) ?? passing(code, failure)
            ?? lasting(code, failure)
    }
}

/// The `Error` document of an answer, as far as there is one.
struct S3Problem {
    private(set) var code: String?
    private(set) var region: String?

    init(_ body: UnsafeRawBufferPointer) {
        var reader = XMLReader(body)
        guard (try? reader.next()) == .start("Error") else { return }
        while let event = try? reader.next() {
            guard case .start(let name) = event else { continue }
            let text = try? reader.elementText()
            switch name {
            case "Code": code = S3Problem.word(text)
            case "Region": region = S3Problem.word(text)
            default: break
            }
        }
        if code == nil { code = "Error" }
    }

    /// What may be shown: a server's own word, of letters.
    private static func word(_ text: String?) -> String? {
        guard let text, !text.isEmpty, text.utf8.count <= 64,
            text.utf8.allSatisfy({ byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"),
                    UInt8(ascii: "_"):
                    true
                default: false
                }
            })
        else { return nil }
        return text
    }
}
