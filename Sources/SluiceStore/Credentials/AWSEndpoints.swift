internal import SluiceCore

/// The endpoint that a container's surroundings name.
struct AWSContainerEndpoint {
    private let sender: any HTTPSender
    private let surroundings: CredentialSurroundings

    init(_ search: AWSCredentialSearch) {
        sender = search.sender
        surroundings = search.surroundings
    }

    /// Nothing where no endpoint is set.
    func credentials() throws(Failure) -> AWSCredentials? {
        let variable = surroundings.variable
        let url: String
        if let path = variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") {
            guard path.utf8.first == UInt8(ascii: "/") else {
                throw Failure(
                    .usage, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI does not begin with a slash",
                    hint: "It is a path that the container's agent gives; unset it otherwise.")
            }
            url = "http://169.254.170.2\(path)"
        } else if let whole = variable("AWS_CONTAINER_CREDENTIALS_FULL_URI") {
            url = whole
        } else {
            return nil
        }
        guard let host = CredentialURL.host(of: url) else {
            throw Failure(
                .usage, "AWS_CONTAINER_CREDENTIALS_FULL_URI is neither https nor a local address",
                hint: "Keys are not asked for over an open network; use https.")
        }
        let origin = "the container endpoint at \(host)"
        var headers = [HTTPHeader("Accept", "application/json")]
        if let token = try token() { headers.append(HTTPHeader("Authorization", token)) }
        let answer: CredentialExchange
        do throws(Failure) {
            answer = try CredentialExchange.send("GET", url, headers, by: sender)
        } catch {
            throw error.during("asking \(origin) for AWS credentials")
        }
        guard answer.isSuccess else {
            throw Failure(
                answer.isTransient ? .unavailable : .failed,
                "\(origin) gives no AWS credentials", code: "\(answer.status)",
                hint: "Does this container have a role?", isTransient: answer.isTransient)
        }
        let json = AWSCredentialsJSON(form: .endpoint, origin: origin, now: surroundings.now())
        return try json.read(answer.body)
    }

    private func token() throws(Failure) -> String? {
        let name: String
        let token: String
        if let path = surroundings.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") {
            name = path
            guard let text = try CredentialFile.text(path) else {
                throw Failure(
                    .usage,
                    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE names \(path), which is not there",
                    hint: "Correct the path, or unset the variable.")
            }
            token = String(text.utf8.last == UInt8(ascii: "\n") ? text.dropLast() : text[...])
        } else if let text = surroundings.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN") {
            name = "AWS_CONTAINER_AUTHORIZATION_TOKEN"
            token = text
        } else {
            return nil
        }
        guard !token.isEmpty, token.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else {
            throw Failure(
                .usage, "\(name) is not one line of printable ASCII",
                hint: "It should hold a token and nothing else.")
        }
        return token
    }
}

/// What an EC2 instance is told about itself, by the second version of the service, whose answers
/// need a token first.
struct AWSInstanceMetadata {
    private static let path = "/latest/meta-data/iam/security-credentials/"

    private let sender: any HTTPSender
    private let surroundings: CredentialSurroundings
    private let endpoint: String

    init(_ search: AWSCredentialSearch) {
        sender = search.sender
        surroundings = search.surroundings
        var endpoint =
            surroundings.variable("AWS_EC2_METADATA_SERVICE_ENDPOINT")
            ?? (surroundings.variable("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE")?.lowercased()
                == "ipv6" ? "http://[fd00:ec2::254]" : "http://169.254.169.254")
        while endpoint.utf8.last == UInt8(ascii: "/") { endpoint.removeLast() }
        self.endpoint = endpoint
    }

    private var origin: String { "the instance metadata service at \(endpoint)" }

    func credentials(
        after previous: AWSCredentials?
    ) throws(Failure) -> CredentialFinding<AWSCredentials> {
        if surroundings.variable("AWS_EC2_METADATA_DISABLED")?.lowercased() == "true" {
            return .nothing("AWS_EC2_METADATA_DISABLED is set")
        }
        guard
            endpoint.utf8.starts(with: "http://".utf8)
                || endpoint.utf8.starts(with: "https://".utf8)
        else {
            throw Failure(
                .usage, "AWS_EC2_METADATA_SERVICE_ENDPOINT is not an http URL",
                hint: "Write http://169.254.169.254, or unset the variable.")
        }
        let first: CredentialExchange
        do throws(Failure) {
            first = try CredentialExchange.send(
                "PUT", "\(endpoint)/latest/api/token",
                [HTTPHeader("X-aws-ec2-metadata-token-ttl-seconds", "21600")], body: [], by: sender)
        } catch {
            // Elsewhere than on an instance nobody answers there.
            guard previous?.origin != origin else { throw error.during("asking \(origin)") }
            return .nothing("\(origin) does not answer")
        }
        guard let token = try text(of: first, "a token", ifMissing: 403) else {
            return .nothing("\(origin) is switched off")
        }
        let headers = [HTTPHeader("X-aws-ec2-metadata-token", token)]
        let list = try send(AWSInstanceMetadata.path, headers)
        guard let role = try text(of: list, "a role", ifMissing: 404) else {
            return .nothing("\(origin) knows no role of this instance")
        }
        guard role.utf8.allSatisfy(AWSInstanceMetadata.isRoleByte) else {
            throw Failure(.failed, "\(origin) gave a role that is not a name")
        }
        let answer = try send(AWSInstanceMetadata.path + role, headers)
        guard answer.isSuccess else { throw refusal(answer, "credentials") }
        let json = AWSCredentialsJSON(form: .endpoint, origin: origin, now: surroundings.now())
        return .found(try json.read(answer.body))
    }

    private func send(
        _ path: String, _ headers: [HTTPHeader]
    ) throws(Failure) -> CredentialExchange {
        do throws(Failure) {
            return try CredentialExchange.send("GET", endpoint + path, headers, by: sender)
        } catch {
            throw error.during("asking \(origin)")
        }
    }

    /// Nothing where the answer has the status that says so.
    private func text(
        of answer: CredentialExchange, _ what: String, ifMissing status: Int
    ) throws(Failure) -> String? {
        if answer.status == status { return nil }
        guard answer.isSuccess else { throw refusal(answer, what) }
        guard let line = answer.line else {
            throw Failure(.failed, "\(origin) gave \(what) that is not one line of printable ASCII")
        }
        return line
    }

    private func refusal(_ answer: CredentialExchange, _ what: String) -> Failure {
        Failure(
            answer.isTransient ? .unavailable : .failed, "\(origin) does not give \(what)",
            code: "\(answer.status)",
            hint: "Set AWS_EC2_METADATA_DISABLED=true if this is not an EC2 instance.",
            isTransient: answer.isTransient)
    }

    /// The letters that AWS allows in the name of a role.
    private static func isRoleByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: Array("+=,.@-_".utf8).contains(byte)
        }
    }
}
