internal import Glibc
internal import SluiceCore
internal import SluiceRecords

/// The server's own `pg_dump`, which makes the schema so that nothing of it is missing.
struct PostgresDump {
    /// What it may print; a thousand tables take some megabytes.
    private static let byteLimit = 1 << 30

    /// libpq's parameters of a connection, as keyword and value. Passwords among them go by the
    /// environment.
    let parameters: [(keyword: String, value: String)]
    /// As `PQserverVersion` has it: 150020 is 15.20.
    let serverVersion: Int
    /// `--pg-bin`: where `pg_dump` is looked for, and nowhere else.
    let folder: String?

    init(
        parameters: [(keyword: String, value: String)], serverVersion: Int, folder: String? = nil
    ) {
        self.parameters = parameters
        self.serverVersion = serverVersion
        self.folder = folder
    }

    /// Everything of the database but its rows, as it is under an exported snapshot.
    ///
    /// - Parameter without: relations that are left out, with all that is theirs.
    /// - Parameter withLargeObjects: their making and their owners, too; their content is rows.
    func objects(
        snapshot: String, without unwanted: [TableName] = [], withLargeObjects: Bool = false,
        stop: StopSignal
    ) throws(Failure) -> [SchemaText.Object] {
        let path = try program(stop: stop)
        let arguments =
            [
                "--section=pre-data", "--section=post-data",
                withLargeObjects ? "--blobs" : "--no-blobs",
                // Who waits for a table to himself waits for the locker, and pg_dump would for him.
                "--lock-wait-timeout=10s",
                // Their definition holds the password of another server.
                "--no-subscriptions", "--encoding=UTF8", "--no-password",
                "--snapshot=\(snapshot)", "--dbname=\(try connectionText())",
            ]
            // In quotes a name is no pattern.
            + unwanted.map { "--exclude-table=\($0.quoted)" }
        let child = ChildProgram(
            path, arguments, variables: secrets, byteLimit: PostgresDump.byteLimit,
            remedy: PostgresDump.remedy)
        let result = try child.run(stop: stop)
        guard result.status == 0 else { throw PostgresDump.failure(result) }
        return try PostgresDumpText.objects(in: result.output).filter { !PostgresDump.isOurs($0) }
    }

    /// What begins with `sluice` is our own: the ledger's schema, a publication for a slot.
    private static func isOurs(_ object: SchemaText.Object) -> Bool {
        let isInOurSchema = object.name.schema == "sluice"
        let isSchema = object.kind == "SCHEMA" && object.name.table == "sluice"
        let isPublication =
            object.kind.hasPrefix("PUBLICATION") && object.name.table.text.hasPrefix("sluice_")
        return isInOurSchema || isSchema || isPublication || object.table?.schema == "sluice"
    }
}

/// Which program, and which database.
extension PostgresDump {
    private var major: Int { serverVersion / 10_000 }

    private var serverName: String { "\(major).\(serverVersion % 10_000)" }

    /// A `pg_dump` that is not older than the server.
    private func program(stop: StopSignal) throws(Failure) -> String {
        var found: String?
        for path in candidates where access(path, X_OK) == 0 {
            guard let version = try PostgresDump.version(of: path, stop: stop) else { continue }
            if version.major >= major { return path }
            found = found ?? version.text
        }
        let package = "postgresql-client-\(major)"
        guard let found else {
            throw Failure(
                .usage, "pg_dump is not in \(folder ?? "any of the usual folders")",
                hint: "Install Debian's package \(package), or name the folder with --pg-bin.")
        }
        throw Failure(
            .usage, "pg_dump \(found) is older than the server (\(serverName))",
            hint: "Install Debian's package \(package), or name its folder with --pg-bin.")
    }

    /// The server's own version first, then newer ones; what is on the path may be Debian's
    /// wrapper, which chooses a version by a cluster of this machine.
    private var candidates: [String] {
        if let folder { return ["\(folder)/pg_dump"] }
        let own = (major...max(major, 40)).map { "/usr/lib/postgresql/\($0)/bin/pg_dump" }
        let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin"
        return own + path.split(separator: ":").map { "\($0)/pg_dump" }
    }

    private static func version(
        of path: String, stop: StopSignal
    ) throws(Failure) -> (major: Int, text: String)? {
        let result = try ChildProgram(path, ["--version"], remedy: PostgresDump.remedy).run(
            stop: stop)
        guard result.status == 0 else { return nil }
        // `pg_dump (PostgreSQL) 15.20 (Debian 15.20-1)`
        let words = String(decoding: result.output, as: UTF8.self).split(separator: " ")
        guard words.count >= 3,
            let major = Int(words[2].prefix { ("0"..."9").contains($0) })
        else { return nil }
        return (major, String(words[2].prefix { $0 != "\n" }))
    }

    private static let secretKeywords = ["password", "sslpassword"]

    private var secrets: [(name: String, value: String)] {
        parameters.filter { $0.keyword == "password" }.map { ("PGPASSWORD", $0.value) }
    }

    /// What stands in the arguments, for everybody to see.
    private func connectionText() throws(Failure) -> String {
        if parameters.contains(where: { $0.keyword == "sslpassword" }) {
            throw Failure(
                .usage, "sslpassword cannot be handed to pg_dump without being seen",
                hint: "Use a client key without a passphrase, readable for this user only.")
        }
        return parameters.filter { !PostgresDump.secretKeywords.contains($0.keyword) }
            .map { "\($0.keyword)=\(PostgresDump.quoted($0.value))" }.joined(separator: " ")
    }

    private static func quoted(_ value: String) -> String {
        var quoted = "'"
        for scalar in value.unicodeScalars {
            if scalar == "'" || scalar == "\\" { quoted += "\\" }
            quoted.unicodeScalars.append(scalar)
        }
        return quoted + "'"
    }

    /// Its first line that says what went wrong; what follows may hold more than names.
    private static let remedy = "Name the folder of PostgreSQL's own programs with --pg-bin."

    private static func failure(_ result: ChildProgram.Result) -> Failure {
        let lines = String(decoding: result.complaints, as: UTF8.self)
            .split(separator: "\n").map(String.init)
        let start = "pg_dump: error: "
        guard let line = lines.first(where: { $0.hasPrefix(start) })?.dropFirst(start.count) else {
            let signal = result.status & 0x7F
            let words = signal == 0 ? "status \(result.status >> 8 & 0xFF)" : "signal \(signal)"
            return Failure(
                .failed, "pg_dump ended with \(words)",
                hint: "Run pg_dump by itself to see why.")
        }
        let message = line.hasPrefix("query failed: ERROR:  ") ? line.dropFirst(22) : line
        // What bounds its waits for locks is a time limit for those statements.
        if message.hasSuffix("statement timeout") {
            return Failure(
                .unavailable, "another session waits to have a table for itself alone",
                hint: "It waits for this export, and this export would wait for it. Run the same "
                    + "command again when it is done.")
        }
        let isConnection = message.hasPrefix("connection to server")
        return Failure(
            isConnection ? .unavailable : .failed, "pg_dump: \(message)",
            hint: isConnection
                ? "Can pg_dump connect with the same URL from this machine?"
                : "Does the user have the right to read every object of the database?",
            isTransient: isConnection)
    }
}
