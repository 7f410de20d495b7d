internal import SluiceCore
internal import SluiceRecords

/// What a request to Google shows. Says where it came from, never its text.
struct GoogleToken: Hashable, Sendable {
    var text: String
    /// Seconds since 1970; nothing where nobody told.
    var expiry: Int?
    /// Where it was found, for messages.
    var origin: String

    var header: HTTPHeader { HTTPHeader("Authorization", "Bearer \(text)") }
}

extension GoogleToken: CustomStringConvertible, CustomReflectable {
    var description: String { "an access token from \(origin)" }

    var customMirror: Mirror { Mirror(self, children: ["origin": origin]) }

    /// Nothing unless it can stand in a header.
    static func isToken(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }

    /// Out of the JSON that token endpoints answer with.
    init(answer: [UInt8], origin: String, now: Int) throws(Failure) {
        let json: JSON
        do throws(Failure) {
            json = try JSON(parsing: answer)
        } catch {
            throw Failure(.failed, "\(origin) did not give JSON: \(error.message)")
        }
        guard let text = json["access_token"]?.text, GoogleToken.isToken(text) else {
            throw Failure(.failed, "\(origin) did not give an access token")
        }
        // Ten years are enough for everybody; more would be a mistake, or an overflow.
        guard let seconds = json["expires_in"]?.integer, (1...315_360_000).contains(seconds) else {
            throw Failure(.failed, "\(origin) did not say when the access token ends")
        }
        self.init(text: text, expiry: now + seconds, origin: origin)
    }
}

/// A file of Google's application default credentials, of either kind that is usual.
struct GoogleKeyFile {
    private static let scope = "https://www.googleapis.com/auth/devstorage.read_write"
    private static let tokenURL = "https://oauth2.googleapis.com/token"
    private static let grant = "urn:ietf:params:oauth:grant-type:jwt-bearer"
    /// The longest that Google takes.
    private static let assertionSeconds = 3600

    private enum Account {
        case service(email: String, keyID: String?, key: String)
        case user(clientID: String, clientSecret: String, refreshToken: String)
    }

    let path: String
    private let account: Account
    private let tokenURL: String

    init(_ bytes: [UInt8], path: String) throws(Failure) {
        self.path = path
        let json: JSON
        do throws(Failure) {
            json = try JSON(parsing: bytes)
        } catch {
            throw Failure(
                .usage, "\(path) is not JSON: \(error.message)",
                hint: "It should be a key file as Google gives it.")
        }
        func text(_ name: String) throws(Failure) -> String {
            guard let text = json[name]?.text, !text.isEmpty else {
                throw Failure(
                    .usage, "\(path) has no \"\(name)\"",
                    hint: "It should be a key file as Google gives it.")
            }
            return text
        }
        switch try text("type") {
        case "service_account":
            account = .service(
                email: try text("client_email"), keyID: json["private_key_id"]?.text,
                key: try text("private_key"))
        case "authorized_user":
            account = .user(
                clientID: try text("client_id"), clientSecret: try text("client_secret"),
                refreshToken: try text("refresh_token"))
        default:
            throw Failure(
                .usage, "\(path) holds credentials of a type that sluice does not know",
                hint: "Known are service_account and authorized_user; for others put an access "
                    + "token into GOOGLE_OAUTH_ACCESS_TOKEN.")
        }
        tokenURL = json["token_uri"]?.text ?? GoogleKeyFile.tokenURL
        // Whoever gets the request can use it.
        guard CredentialURL.host(of: tokenURL) != nil else {
            throw Failure(
                .usage, "\(path) has a \"token_uri\" that is not https",
                hint: "Download the key file again.")
        }
    }

    var origin: String {
        switch account {
        case .service(let email, _, _): "\(GoogleKeyFile.shown(email)) in \(path)"
        case .user: "the user credentials in \(path)"
        }
    }

    /// Asks Google for a token.
    func token(by sender: any HTTPSender, now: Int) throws(Failure) -> GoogleToken {
        let form: [(String, String)] =
            switch account {
            case .service:
                [("grant_type", GoogleKeyFile.grant), ("assertion", try assertion(now: now))]
            case .user(let clientID, let clientSecret, let refreshToken):
                [
                    ("grant_type", "refresh_token"), ("client_id", clientID),
                    ("client_secret", clientSecret), ("refresh_token", refreshToken),
                ]
            }
        let body = form.map { "\($0)=\(PercentText.encoded($1))" }.joined(separator: "&")
        let answer: CredentialExchange
        do throws(Failure) {
            answer = try CredentialExchange.send(
                "POST", tokenURL,
                [HTTPHeader("Content-Type", "application/x-www-form-urlencoded")],
                body: Array(body.utf8), by: sender)
        } catch {
            throw error.during("asking for an access token for \(origin)")
        }
        guard answer.isSuccess else { throw refusal(answer) }
        return try GoogleToken(answer: answer.body, origin: origin, now: now)
    }

    /// A JSON web token in which the service account vouches for itself; nothing for users.
    func assertion(now: Int) throws(Failure) -> String {
        guard case .service(let email, let keyID, let key) = account else { return "" }
        var header: JSON = ["alg": "RS256", "typ": "JWT"]
        if let keyID { header = header.setting("kid", to: .string(keyID)) }
        let claims: JSON = [
            "iss": .string(email), "scope": .string(GoogleKeyFile.scope),
            "aud": .string(tokenURL), "iat": .int(now),
            "exp": .int(now + GoogleKeyFile.assertionSeconds),
        ]
        let parts = [header, claims].map { Base64.urlString(Array($0.compact.utf8)) }
        let signed = parts.joined(separator: ".")
        do throws(Failure) {
            let signature = try PrivateKey(pem: key).sign(Array(signed.utf8))
            return "\(signed).\(Base64.urlString(signature))"
        } catch {
            throw error.asKind(.usage).during("reading \(path)")
        }
    }

    private func refusal(_ answer: CredentialExchange) -> Failure {
        let error = (try? JSON(parsing: answer.body))?["error"]?.text
        let known = [
            "invalid_grant", "invalid_client", "invalid_request", "unauthorized_client",
            "invalid_scope", "access_denied",
        ]
        let code = error.flatMap { known.contains($0) ? "\(answer.status) \($0)" : nil }
        let hint =
            switch (account, error) {
            case (_, _) where answer.isTransient: "Google's token endpoint is not well; try later."
            case (.service, "invalid_grant"):
                "Does the key still exist, and is the clock of this machine right?"
            case (.service, _): "Does the service account still exist and have this key?"
            case (.user, _): "Run gcloud auth application-default login again."
            }
        return Failure(
            answer.isTransient ? .unavailable : .failed,
            "Google gives no access token for \(origin)",
            code: code ?? "\(answer.status)", hint: hint, isTransient: answer.isTransient)
    }

    private static func shown(_ email: String) -> String {
        let isPlain =
            email.utf8.count <= 200 && email.utf8.allSatisfy { (0x21...0x7E).contains($0) }
        return isPlain ? email : "the service account"
    }
}
