internal import Glibc
internal import SluiceCore

/// Where a server is, as whom to talk to it and which database is meant; every connection of a run
/// is opened from one.
struct MySQLAddress: Sendable {
    /// What encryption is asked for; names and meanings are those of MySQL's own clients.
    enum TLSMode: String, Sendable, CaseIterable, Comparable {
        case disabled
        case preferred
        case required
        case verifyCA = "verify-ca"
        case verifyIdentity = "verify-identity"

        private var strength: Int { TLSMode.allCases.firstIndex(of: self) ?? 0 }

        static func < (left: TLSMode, right: TLSMode) -> Bool { left.strength < right.strength }
    }

    /// Nothing: what libmariadb takes by itself.
    var host: String?
    var port: UInt32 = 0
    var socket: String?
    var user: String?
    var password: String?
    var database: String
    var tlsMode = TLSMode.preferred
    /// File names and lists as libmariadb takes them, by the names of the parameters.
    var tls: [String: String] = [:]
    var connectTimeout: UInt32 = 10
    var isCompressed = false
    /// Whether what a load changes is written to the server's binary log, for its replicas.
    var writesLog = true
    /// How messages name it: without a password.
    let place: String

    private static let tlsParameters = [
        "ssl-ca", "ssl-capath", "ssl-cert", "ssl-key", "ssl-cipher", "ssl-crl", "ssl-crlpath",
        "tls-version",
    ]
    private static let logParameter = "sql-log-bin"
    private static let parameters =
        ["socket", "ssl-mode", "connect-timeout", "compress", logParameter] + tlsParameters

    /// - Parameter shown: the URL as it may be shown.
    /// - Parameter passwordCommand: a shell command whose first line of output is the password.
    /// - Parameter files: option files, of which a later one beats an earlier one; the URL beats
    ///   all of them.
    init(
        url: String, shown: String, passwordCommand: String? = nil,
        files: [String] = MySQLOptionFile.usualPaths
    ) throws(Failure) {
        place = shown
        database = ""
        for option in try MySQLOptionFile.options(in: files) { try take(option) }
        let fromFiles = (host: host, socket: socket, port: port)
        (host, socket, port) = (nil, nil, 0)
        try readURL(url, shown)
        // Another server than the files': what they say of the way to it is meaningless.
        if host == nil, socket == nil {
            (host, socket) = (fromFiles.host, fromFiles.socket)
            if port == 0 { port = fromFiles.port }
        }
        if let passwordCommand {
            password = try PasswordCommand.read(from: passwordCommand, stop: StopSignal())
        }
        if user == nil { user = MySQLAddress.variable("USER") }
        if password == nil { password = MySQLAddress.variable("MYSQL_PWD") }
    }

    private static func variable(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }

    private mutating func readURL(_ url: String, _ shown: String) throws(Failure) {
        let rest = url.utf8.drop { $0 != UInt8(ascii: "/") }.dropFirst(2)
        let mark = rest.firstIndex(of: UInt8(ascii: "?")) ?? rest.endIndex
        let beforeQuery = rest[..<mark]
        let slash = beforeQuery.firstIndex(of: UInt8(ascii: "/")) ?? beforeQuery.endIndex
        let authority = beforeQuery[..<slash]
        database = try MySQLAddress.decoded(beforeQuery[slash...].dropFirst(), shown)
        guard !database.isEmpty, !beforeQuery[slash...].dropFirst().contains(UInt8(ascii: "/"))
        else {
            throw MySQLAddress.malformed(shown, "does not name one database")
        }
        try readAuthority(authority)
        for item in rest[mark...].dropFirst().split(separator: UInt8(ascii: "&")) {
            try readParameter(item)
        }
    }

    private mutating func readAuthority(_ authority: Substring.UTF8View) throws(Failure) {
        var hostPart = authority
        if let at = authority.lastIndex(of: UInt8(ascii: "@")) {
            let userPart = authority[..<at]
            hostPart = authority[authority.index(after: at)...]
            let colon = userPart.firstIndex(of: UInt8(ascii: ":")) ?? userPart.endIndex
            if colon != userPart.startIndex {
                user = try MySQLAddress.decoded(userPart[..<colon], place)
            }
            if colon != userPart.endIndex {
                password = try MySQLAddress.decoded(userPart[colon...].dropFirst(), place)
            }
        }
        var portPart = hostPart[hostPart.endIndex...]
        if hostPart.first == UInt8(ascii: "["),
            let end = hostPart.firstIndex(of: UInt8(ascii: "]"))
        {
            portPart = hostPart[hostPart.index(after: end)...]
            hostPart = hostPart[..<end].dropFirst()
        } else if let colon = hostPart.firstIndex(of: UInt8(ascii: ":")) {
            portPart = hostPart[colon...]
            hostPart = hostPart[..<colon]
        }
        if !hostPart.isEmpty { host = try MySQLAddress.decoded(hostPart, place) }
        guard !portPart.isEmpty else { return }
        guard portPart.first == UInt8(ascii: ":"),
            let number = UInt16(String(Substring(portPart.dropFirst()))), number > 0
        else { throw MySQLAddress.malformed(place, "has a port that is no number") }
        port = UInt32(number)
    }

    private mutating func readParameter(_ item: Substring.UTF8View) throws(Failure) {
        let equals = item.firstIndex(of: UInt8(ascii: "=")) ?? item.endIndex
        let name = String(Substring(item[..<equals])).lowercased()
            .replacing("_", with: "-")
        let value = try MySQLAddress.decoded(item[equals...].dropFirst(), place)
        if name == MySQLAddress.logParameter {
            guard ["0", "1"].contains(value) else { throw invalid(name, "0 or 1", place) }
            writesLog = value == "1"
            return
        }
        guard try set(name, value, origin: place) else {
            throw Failure(
                .usage, "\(place) has the parameter '\(name)', which sluice does not know",
                hint: Suggestion.nearest(to: name, among: MySQLAddress.parameters).map {
                    "Did you mean '\($0)'?"
                } ?? "Known are \(MySQLAddress.parameters.joined(separator: ", ")).")
        }
    }

    /// What an option file says; options that are for other programs are none of ours.
    private mutating func take(_ option: MySQLOptionFile.Option) throws(Failure) {
        switch option.name {
        case "host": host = option.value
        case "user": user = option.value
        case "password": password = option.value
        case "port":
            guard let number = UInt16(option.value) else {
                throw invalid(option.name, "a number", option.path)
            }
            port = UInt32(number)
        case "ssl-verify-server-cert":
            if MySQLAddress.isTrue(option.value) { tlsMode = .verifyIdentity }
        case "ssl":
            tlsMode = MySQLAddress.isTrue(option.value) ? max(tlsMode, .required) : .disabled
        case "skip-ssl", "disable-ssl": tlsMode = .disabled
        default: _ = try set(option.name, option.value, origin: option.path)
        }
    }

    private static func isTrue(_ value: String) -> Bool {
        !["0", "off", "false"].contains(value.lowercased())
    }

    /// What a URL and an option file have in common; false for an unknown name.
    private mutating func set(
        _ name: String, _ value: String, origin: String
    ) throws(Failure) -> Bool {
        switch name {
        case "socket": socket = value
        case "compress":
            let words = ["": true, "1": true, "true": true, "0": false, "false": false]
            guard let flag = words[value.lowercased()] else {
                throw invalid(name, "true or false", origin)
            }
            isCompressed = flag
        case "connect-timeout":
            guard let seconds = UInt32(value), (1...3600).contains(seconds) else {
                throw invalid(name, "a number of seconds from 1 to 3600", origin)
            }
            connectTimeout = seconds
        case "ssl-mode":
            let word = value.lowercased().replacing("_", with: "-")
            guard let mode = TLSMode(rawValue: word) else {
                let known = TLSMode.allCases.map(\.rawValue).joined(separator: ", ")
                throw invalid(name, "one of \(known)", origin)
            }
            tlsMode = mode
        case _ where MySQLAddress.tlsParameters.contains(name): tls[name] = value
        default: return false
        }
        return true
    }

    private func invalid(_ name: String, _ wanted: String, _ origin: String) -> Failure {
        Failure(
            .usage, "\(origin) has a value of '\(name)' that is not understood",
            hint: "Give it \(wanted).")
    }

    private static func decoded(
        _ text: Substring.UTF8View, _ place: String
    ) throws(Failure) -> String {
        guard let text = PercentText.decoded(Substring(text)), !text.utf8.contains(0) else {
            throw malformed(place, "has a '%' that does not stand for a character")
        }
        return text
    }

    private static func malformed(_ place: String, _ what: String) -> Failure {
        Failure(
            .usage, "\(place) \(what)",
            hint: "Write mysql://user@host:port/database, and special characters of names and "
                + "passwords as %XX.")
    }
}
