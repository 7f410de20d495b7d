internal import SluiceCore

/// Finds AWS credentials where the AWS tools find them, and replaces them before they end. Safe to
/// use from several lanes.
///
/// In this order: environment, profile in the shared files (keys, or a command that prints them),
/// container endpoint, instance metadata. Roles are not assumed here, neither by web identity nor
/// by a profile; a command can do that.
final class AWSCredentialChain: Sendable {
    /// Requests are signed some time before they arrive.
    private static let marginSeconds = 300

    private let surroundings: CredentialSurroundings
    private let credentials: RefreshedValue<AWSCredentials>

    /// - Parameter sender: for the endpoints of containers and instances, which are near: it should
    ///   give up after a second or two, and use no proxy.
    init(sender: any HTTPSender, surroundings: CredentialSurroundings = .process) {
        self.surroundings = surroundings
        let search = AWSCredentialSearch(sender: sender, surroundings: surroundings)
        credentials = RefreshedValue(
            margin: AWSCredentialChain.marginSeconds, now: surroundings.now
        ) { previous throws(Failure) in
            let found = try search.find(after: previous)
            return .init(value: found, expiry: found.expiry)
        }
    }

    /// Credentials that have not ended.
    func current() throws(Failure) -> AWSCredentials { try credentials.current() }

    /// A store refused them as ended: the next call looks again.
    func reject(_ refused: AWSCredentials) {
        credentials.reject { $0 == refused }
    }

    /// The region that environment or profile name, if any.
    func region() throws(Failure) -> String? {
        if let region = surroundings.variable("AWS_REGION")
            ?? surroundings.variable("AWS_DEFAULT_REGION")
        {
            return region
        }
        return try AWSProfile(surroundings).region
    }
}

/// One look at all places.
struct AWSCredentialSearch: Sendable {
    let sender: any HTTPSender
    let surroundings: CredentialSurroundings

    /// - Parameter previous: where there were some before, a place that does not answer now is a
    ///   failure for this time.
    func find(after previous: AWSCredentials?) throws(Failure) -> AWSCredentials {
        if let found = try environment() { return found }
        try refuseWebIdentity()
        var notes = ["AWS_ACCESS_KEY_ID is not set"]
        switch try AWSProfile(surroundings).credentials(surroundings) {
        case .found(let found): return found
        case .nothing(let note): notes.append(note)
        }
        if let found = try AWSContainerEndpoint(self).credentials() { return found }
        notes.append("no container endpoint is set")
        switch try AWSInstanceMetadata(self).credentials(after: previous) {
        case .found(let found): return found
        case .nothing(let note): notes.append(note)
        }
        throw Failure(
            .usage, "no AWS credentials were found: \(notes.joined(separator: "; "))",
            hint: "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile by "
                + "AWS_PROFILE.")
    }

    private func environment() throws(Failure) -> AWSCredentials? {
        let variable = surroundings.variable
        let keyID = variable("AWS_ACCESS_KEY_ID")
        let secret = variable("AWS_SECRET_ACCESS_KEY")
        if let keyID, let secret {
            return AWSCredentials(
                keyID: keyID, secret: secret, sessionToken: variable("AWS_SESSION_TOKEN"),
                origin: "AWS_ACCESS_KEY_ID")
        }
        guard keyID != nil || secret != nil else { return nil }
        let names = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]
        let (set, missing) = keyID == nil ? (names[1], names[0]) : (names[0], names[1])
        throw Failure(.usage, "\(set) is set, \(missing) is not", hint: "Set both or neither.")
    }

    /// The role of the machine, which would be found next, is another identity.
    private func refuseWebIdentity() throws(Failure) {
        guard surroundings.variable("AWS_WEB_IDENTITY_TOKEN_FILE") != nil else { return }
        throw Failure(
            .usage,
            "AWS_WEB_IDENTITY_TOKEN_FILE is set, but sluice assumes no role by web identity",
            hint: "Let a profile have credential_process = aws configure export-credentials, or "
                + "unset the variable.")
    }
}
