internal import CPq
internal import Glibc
internal import SluiceCore

/// Where a server is and as whom to talk to it; every connection of a run is opened from one.
struct PostgresAddress: Sendable {
    let url: String
    /// From a password command; beats whatever libpq finds itself.
    let password: String?
    /// How messages name it: without a password.
    let place: String

    /// - Parameter shown: the URL as it may be shown.
    /// - Parameter passwordCommand: a shell command whose first line of output is the password.
    init(url: String, shown: String, passwordCommand: String? = nil) throws(Failure) {
        place = shown
        try PostgresAddress.check(url, place)
        self.url = url
        if let passwordCommand {
            password = try PasswordCommand.read(from: passwordCommand, stop: StopSignal())
        } else {
            password = nil
        }
    }

    /// libpq's own message may repeat a password that is written wrongly, so ours takes its place.
    private static func check(_ url: String, _ place: String) throws(Failure) {
        var message: UnsafeMutablePointer<CChar>?
        let options = PQconninfoParse(url, &message)
        defer {
            PQconninfoFree(options)
            PQfreemem(message)
        }
        guard options == nil else { return }
        let text = message.map { String(cString: $0) } ?? ""
        let unknown = "invalid URI query parameter: \""
        if text.utf8.starts(with: unknown.utf8) {
            let name = text.utf8.dropFirst(unknown.utf8.count).prefix { $0 != UInt8(ascii: "\"") }
            throw Failure(
                .usage,
                "\(place) has the parameter '\(Substring(name))', which libpq does not know",
                hint: "The parameters are those of libpq, like sslmode and connect_timeout.")
        }
        throw Failure(
            .usage, "\(place) is not a URL that libpq understands",
            hint: "Write postgres://user@host:port/database, and special characters of names and "
                + "passwords as %XX.")
    }

    /// What a connection is opened with, in libpq's order: what the URL says beats what stands
    /// before it and loses to what stands behind it.
    func parameters(_ more: [(String, String)] = []) -> [(name: String, value: String)] {
        var parameters: [(name: String, value: String)] = [
            ("fallback_application_name", "sluice"), ("keepalives", "1"),
            ("keepalives_idle", "30"), ("keepalives_interval", "10"), ("keepalives_count", "3"),
        ]
        if getenv("PGCONNECT_TIMEOUT") == nil { parameters.append(("connect_timeout", "10")) }
        parameters.append(("dbname", url))
        if let password { parameters.append(("password", password)) }
        parameters.append(("client_encoding", "UTF8"))
        return parameters + more.map { (name: $0.0, value: $0.1) }
    }
}
