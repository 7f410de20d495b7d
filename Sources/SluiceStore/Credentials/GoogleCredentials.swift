internal import SluiceCore

/// Finds Google's application default credentials, and gets a new access token before the old one
/// ends. Safe to use from several lanes.
///
/// In this order: an access token in the environment, the file that GOOGLE_APPLICATION_CREDENTIALS
/// names, the one that `gcloud auth application-default login` writes, the metadata server.
final class GoogleCredentials: Sendable {
    /// The metadata server gives the same token again until four minutes before it ends.
    private static let marginSeconds = 225

    private let tokens: RefreshedValue<GoogleToken>

    /// - Parameters:
    ///   - sender: for Google's token endpoint.
    ///   - metadata: for the metadata server, which is near: it should give up after a second or
    ///     two, and use no proxy.
    init(
        sender: any HTTPSender, metadata: any HTTPSender,
        surroundings: CredentialSurroundings = .process
    ) {
        let search = GoogleCredentialSearch(
            sender: sender, metadata: metadata, surroundings: surroundings)
        tokens = RefreshedValue(
            margin: GoogleCredentials.marginSeconds, now: surroundings.now
        ) { previous throws(Failure) in
            let found = try search.find(after: previous)
            return .init(value: found, expiry: found.expiry)
        }
    }

    /// A token that has not ended.
    func current() throws(Failure) -> GoogleToken { try tokens.current() }

    /// A store refused it: the next call gets another.
    func reject(_ refused: GoogleToken) {
        tokens.reject { $0 == refused }
    }
}

/// One look at all places.
private struct GoogleCredentialSearch: Sendable {
    private static let tokenVariables = ["GOOGLE_OAUTH_ACCESS_TOKEN", "CLOUDSDK_AUTH_ACCESS_TOKEN"]
    private static let fileVariable = "GOOGLE_APPLICATION_CREDENTIALS"

    let sender: any HTTPSender
    let metadata: any HTTPSender
    let surroundings: CredentialSurroundings

    /// - Parameter previous: where there was one before, a place that does not answer now is a
    ///   failure for this time.
    func find(after previous: GoogleToken?) throws(Failure) -> GoogleToken {
        var notes: [String] = []
        if let found = try environment() { return found }
        notes.append(
            "neither \(GoogleCredentialSearch.tokenVariables.joined(separator: " nor ")) is set")
        if let path = surroundings.variable(GoogleCredentialSearch.fileVariable) {
            guard let found = try file(surroundings.expanded(path)) else {
                throw Failure(
                    .usage, "GOOGLE_APPLICATION_CREDENTIALS names \(path), which is not there",
                    hint: "Correct the path, or unset the variable.")
            }
            return found
        }
        notes.append("GOOGLE_APPLICATION_CREDENTIALS is not set")
        let folder = surroundings.variable("CLOUDSDK_CONFIG") ?? "~/.config/gcloud"
        let path = surroundings.expanded("\(folder)/application_default_credentials.json")
        if let found = try file(path) { return found }
        notes.append("\(path) is not there")
        switch try fromMetadata(after: previous) {
        case .found(let found): return found
        case .nothing(let note): notes.append(note)
        }
        throw Failure(
            .usage, "no Google credentials were found: \(notes.joined(separator: "; "))",
            hint: "Set GOOGLE_APPLICATION_CREDENTIALS to a key file, or run gcloud auth "
                + "application-default login.")
    }

    private func environment() throws(Failure) -> GoogleToken? {
        for name in GoogleCredentialSearch.tokenVariables {
            guard let text = surroundings.variable(name) else { continue }
            guard GoogleToken.isToken(text) else {
                throw Failure(
                    .usage, "\(name) is not an access token",
                    hint: "Let gcloud auth print-access-token print one.")
            }
            return GoogleToken(text: text, origin: name)
        }
        return nil
    }

    private func file(_ path: String) throws(Failure) -> GoogleToken? {
        guard let bytes = try CredentialFile.read(path) else { return nil }
        let file = try GoogleKeyFile(bytes, path: path)
        return try file.token(by: sender, now: surroundings.now())
    }

    private func fromMetadata(
        after previous: GoogleToken?
    ) throws(Failure) -> CredentialFinding<GoogleToken> {
        if surroundings.variable("NO_GCE_CHECK")?.lowercased() == "true" {
            return .nothing("NO_GCE_CHECK is set")
        }
        let host = surroundings.variable("GCE_METADATA_HOST") ?? "metadata.google.internal"
        let origin = "the metadata server at \(host)"
        let flavour = HTTPHeader("Metadata-Flavor", "Google")
        let answer: CredentialExchange
        do throws(Failure) {
            answer = try CredentialExchange.send(
                "GET",
                "http://\(host)/computeMetadata/v1/instance/service-accounts/default/token",
                [flavour], by: metadata)
        } catch {
            // Elsewhere than on Google's machines nobody answers there.
            guard previous?.origin != origin else { throw error.during("asking \(origin)") }
            return .nothing("\(origin) does not answer")
        }
        guard answer.headers[flavour.name] == flavour.value else {
            return .nothing("\(host) is not a metadata server")
        }
        if answer.status == 404 { return .nothing("\(origin) knows no service account") }
        guard answer.isSuccess else {
            throw Failure(
                answer.isTransient ? .unavailable : .failed, "\(origin) gives no access token",
                code: "\(answer.status)", hint: "Does this machine have a service account?",
                isTransient: answer.isTransient)
        }
        return .found(
            try GoogleToken(answer: answer.body, origin: origin, now: surroundings.now()))
    }
}
