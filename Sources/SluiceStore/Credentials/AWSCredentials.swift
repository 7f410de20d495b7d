internal import SluiceCore

/// Keys that sign requests. Shows where they came from, never the secret.
struct AWSCredentials: Hashable, Sendable {
    var keyID: String
    var secret: String
    var sessionToken: String?
    /// Seconds since 1970; nothing for keys that do not end.
    var expiry: Int?
    /// Where they were found, for messages.
    var origin: String

    func signature(region: String, service: String) -> HTTPSignature {
        HTTPSignature(
            region: region, service: service, keyID: keyID, secret: secret,
            sessionToken: sessionToken)
    }
}

extension AWSCredentials: CustomStringConvertible, CustomReflectable {
    var description: String { "AWS credentials from \(origin)" }

    var customMirror: Mirror { Mirror(self, children: ["origin": origin]) }
}

/// Reads credentials out of the JSON of a command or an endpoint.
struct AWSCredentialsJSON {
    /// Both ways of writing what they call the token.
    enum Form {
        case command
        case endpoint
    }

    let form: Form
    let origin: String
    let now: Int

    func read(_ bytes: [UInt8]) throws(Failure) -> AWSCredentials {
        let json: JSON
        do throws(Failure) {
            json = try JSON(parsing: bytes)
        } catch {
            throw failure("did not give JSON: \(error.message)")
        }
        if form == .command, json["Version"]?.integer != 1 {
            throw failure("did not give \"Version\": 1")
        }
        // The metadata service says so in an answer of status 200.
        if form == .endpoint, let code = json["Code"]?.text, code != "Success" {
            throw failure("has no credentials to give")
        }
        let keyID = try text("AccessKeyId", of: json)
        let secret = try text("SecretAccessKey", of: json)
        let tokenName = form == .command ? "SessionToken" : "Token"
        let token = json[tokenName]?.text.flatMap { $0.isEmpty ? nil : $0 }
        return AWSCredentials(
            keyID: keyID, secret: secret, sessionToken: token, expiry: try expiry(of: json),
            origin: origin)
    }

    private func text(_ name: String, of json: JSON) throws(Failure) -> String {
        guard let text = json[name]?.text, !text.isEmpty else {
            throw failure("did not give \"\(name)\"")
        }
        guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw failure("gave a \"\(name)\" that is not printable ASCII")
        }
        return text
    }

    private func expiry(of json: JSON) throws(Failure) -> Int? {
        guard let member = json["Expiration"], member != .null else { return nil }
        guard let text = member.text, let expiry = Moment.seconds(text) else {
            throw failure("gave an \"Expiration\" that is not a time")
        }
        guard expiry > now else {
            throw Failure(
                .failed, "\(origin) gave AWS credentials that ended at \(Clock.timestamp(expiry))",
                hint: "Is the clock of this machine right?")
        }
        return expiry
    }

    private func failure(_ what: String) -> Failure {
        let hint =
            form == .command
            ? "Run the command by itself and compare its output with the AWS documentation of "
                + "credential_process."
            : "Does this machine or container have a role?"
        return Failure(.failed, "\(origin) \(what)", hint: hint)
    }
}
