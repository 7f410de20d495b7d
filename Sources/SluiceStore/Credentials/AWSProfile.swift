internal import SluiceCore

/// The profile that counts, out of the shared credentials file and the config file.
struct AWSProfile {
    let name: String
    /// Somebody asked for this one; otherwise it is the default.
    let isNamed: Bool
    let credentialsPath: String
    let configPath: String
    /// Its settings in either file; nothing where the file or the profile is missing.
    let inCredentials: [Name: String]?
    let inConfig: [Name: String]?
    /// What is missing, for the message that names all places.
    let absence: String

    init(_ surroundings: CredentialSurroundings) throws(Failure) {
        let variable = surroundings.variable
        let named = variable("AWS_PROFILE") ?? variable("AWS_DEFAULT_PROFILE")
        let name = named ?? "default"
        let credentialsPath = surroundings.expanded(
            variable("AWS_SHARED_CREDENTIALS_FILE") ?? "~/.aws/credentials")
        let configPath = surroundings.expanded(variable("AWS_CONFIG_FILE") ?? "~/.aws/config")
        let credentials = try AWSProfile.file(credentialsPath)
        let config = try AWSProfile.file(configPath)
        inCredentials = credentials?[name]
        inConfig = config?.profile(name)
        absence = [(credentialsPath, credentials != nil), (configPath, config != nil)]
            .map { $1 ? "\($0) has no keys for profile '\(name)'" : "\($0) is not there" }
            .joined(separator: "; ")
        self.name = name
        isNamed = named != nil
        self.credentialsPath = credentialsPath
        self.configPath = configPath
        if isNamed, inCredentials == nil, inConfig == nil {
            throw Failure(
                .usage,
                "there is no AWS profile '\(name)' in \(credentialsPath) or \(configPath)",
                hint: "Correct AWS_PROFILE, or add the profile.")
        }
    }

    private static func file(_ path: String) throws(Failure) -> INIFile? {
        guard let text = try CredentialFile.text(path) else { return nil }
        return try INIFile(text, path: path)
    }

    /// The setting, from the credentials file first.
    private func setting(_ key: Name) -> String? {
        [inCredentials?[key], inConfig?[key]].compactMap { $0 }.first { !$0.isEmpty }
    }

    var region: String? { setting("region") }

    /// What the profile has; a command is run.
    func credentials(
        _ surroundings: CredentialSurroundings
    ) throws(Failure) -> CredentialFinding<AWSCredentials> {
        try refuseWhatIsMissingHere()
        for (settings, path) in [(inCredentials, credentialsPath), (inConfig, configPath)] {
            if let settings, let found = try keys(settings, path) { return .found(found) }
        }
        guard let command = setting("credential_process") else { return .nothing(absence) }
        let origin = "the credential_process of profile '\(name)'"
        let run = CredentialCommand(
            command: command, origin: origin, timeLimit: surroundings.commandTimeLimit)
        let json = AWSCredentialsJSON(form: .command, origin: origin, now: surroundings.now())
        return .found(try json.read(try run.run()))
    }

    private func keys(
        _ settings: [Name: String], _ path: String
    ) throws(Failure) -> AWSCredentials? {
        let values = [settings["aws_access_key_id"], settings["aws_secret_access_key"]]
            .map { $0.flatMap { $0.isEmpty ? nil : $0 } }
        if values == [nil, nil] { return nil }
        let origin = "profile '\(name)' in \(path)"
        guard let keyID = values[0], let secret = values[1] else {
            let missing = values[0] == nil ? "aws_access_key_id" : "aws_secret_access_key"
            throw Failure(
                .usage, "\(origin) has no \(missing)",
                hint: "A profile needs both aws_access_key_id and aws_secret_access_key.")
        }
        let token = settings["aws_session_token"].flatMap { $0.isEmpty ? nil : $0 }
        return AWSCredentials(keyID: keyID, secret: secret, sessionToken: token, origin: origin)
    }

    /// Other keys than those the profile asks for would be another identity.
    private func refuseWhatIsMissingHere() throws(Failure) {
        let settings: [(key: Name, what: String)] = [
            ("role_arn", "assumes a role"), ("sso_session", "signs on by a browser"),
            ("sso_start_url", "signs on by a browser"),
            ("login_session", "signs on by a browser"),
        ]
        guard let found = settings.first(where: { setting($0.key) != nil }) else { return }
        throw Failure(
            .usage, "AWS profile '\(name)' \(found.what), which sluice does not do by itself",
            hint: "Let another profile have credential_process = aws configure "
                + "export-credentials --profile \(name), and name that one by AWS_PROFILE.")
    }
}
