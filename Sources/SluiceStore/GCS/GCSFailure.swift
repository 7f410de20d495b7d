internal import SluiceCore

/// What Google Cloud Storage answers, in words: the one way from a status to a failure.
struct GCSFailure {
    enum Verb: String {
        case read
        case list
        case write
        case delete

        var doing: String {
            switch self {
            case .read: "reading"
            case .list: "listing"
            case .write: "writing"
            case .delete: "deleting"
            }
        }
    }

    let verb: Verb
    /// The object or prefix as `gs://…`.
    let place: String
    let location: GCSLocation
    /// Where the credentials came from; nothing where none were sent.
    let origin: String?

    /// - Parameter body: of the answer, for its reason; its text is not shown.
    func make(_ answer: HTTPAnswer, _ body: UnsafeRawBufferPointer) -> Failure {
        let error = GCSError(body)
        let code = ([String(answer.status)] + [error.reason].compactMap { $0 })
            .joined(separator: " ")
        switch (answer.status, error.reason) {
        case (403, "rateLimitExceeded"), (403, "userRateLimitExceeded"), (429, _), (503, _):
            return Failure(
                .unavailable, "the store is too busy to \(verb.rawValue) \(place)", code: code,
                hint: "Run the same command again later, perhaps with fewer --lanes.",
                isTransient: true, retryAfter: answer.retryAfter)
        case (let status, _) where answer.isTransient || status == 409:
            return Failure(
                .unavailable, "the store fails to \(verb.rawValue) \(place)", code: code,
                hint: "Run the same command again later.", isTransient: true,
                retryAfter: answer.retryAfter)
        case (401, _): return unauthorized(code)
        case (403, "retentionPolicyNotMet"), (403, "objectUnderActiveHold"):
            return Failure(
                .failed, "a retention policy or hold forbids to \(verb.rawValue) \(place)",
                code: code, hint: "Wait until it ends, or choose a bucket without one.")
        case (403, _): return forbidden(code)
        case (404, _):
            return Failure(
                .failed, "there is no bucket gs://\(location.bucket)", code: code,
                hint: "Create the bucket, or correct its name in the URL.")
        case (400, "userProjectMissing"):
            return Failure(
                .failed, "the bucket gs://\(location.bucket) lets those who ask pay", code: code,
                hint: "Such buckets are not supported; choose another one.")
        case (400, _) where verb == .write && error.isAboutChecksum:
            return changedOnTheWay(code: code)
        default:
            return Failure(
                .failed, "cannot \(verb.rawValue) \(place)", code: code,
                hint: "Is \(location.endpoint) an endpoint of Google Cloud Storage's JSON API?")
        }
    }

    private func unauthorized(_ code: String) -> Failure {
        guard let origin else { return needsCredentials(code) }
        return Failure(
            .failed, "Google does not accept the access token from \(origin)", code: code,
            hint: "Access tokens end after an hour or so; does the account still exist?")
    }

    private func forbidden(_ code: String) -> Failure {
        guard let origin else { return needsCredentials(code) }
        return Failure(
            .failed, "permission denied to \(verb.rawValue) \(place)", code: code,
            hint: "Does the account of the credentials from \(origin) have the role Storage "
                + "Object User on the bucket?")
    }

    private func needsCredentials(_ code: String) -> Failure {
        Failure(
            .failed, "permission denied to \(verb.rawValue) \(place) without credentials",
            code: code,
            hint: "Leave out credentials=none, and use an endpoint with https: credentials are "
                + "not sent without encryption.")
    }

    func changedOnTheWay(code: String? = nil) -> Failure {
        Failure(
            .failed, "the bytes of \(place) changed on their way", code: code,
            hint: "Something between here and the store damages data; see the network's own "
                + "error counts.", isTransient: true)
    }

    func unconfirmed(_ what: String) -> Failure {
        Failure(
            .unavailable, "the store's answer to \(verb.doing) \(place) \(what)",
            hint: "Is \(location.endpoint) an endpoint of Google Cloud Storage's JSON API?",
            isTransient: true)
    }
}

/// The error object in an answer.
struct GCSError {
    /// One word out of Google's list.
    let reason: String?
    let isAboutChecksum: Bool
    let isAboutBucket: Bool

    init(_ body: UnsafeRawBufferPointer) {
        let error = (try? JSON(parsing: Array(body.prefix(64 << 10))))?["error"]
        let reason = error?["errors"]?.elements?.first?["reason"]?.text
        let isWord =
            reason.map { word in
                (1...40).contains(word.utf8.count) && word.allSatisfy { $0.isASCII && $0.isLetter }
            } ?? false
        self.reason = isWord ? reason : nil
        let message = error?["message"]?.text ?? ""
        isAboutChecksum = message.contains("CRC32C") || message.contains("MD5")
        // Both a missing bucket and a missing object are `notFound`.
        isAboutBucket = message.contains("bucket does not exist")
    }
}
