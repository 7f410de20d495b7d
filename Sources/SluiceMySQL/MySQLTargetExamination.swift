internal import SluiceCore
internal import SluiceRecords

/// What `doctor` looks at in a target.
struct MySQLTargetExamination {
    private let connection: MySQLConnection

    init(_ connection: MySQLConnection) {
        self.connection = connection
    }

    func findings() throws(Failure) -> [Finding] {
        let flavor = connection.flavor
        var findings = [
            Finding(.pass, "\(connection.place) runs \(flavor.product) \(flavor.text)")
        ]
        if try connection.integer("SELECT @@read_only") == 1 {
            findings.append(
                Finding(
                    .warn, "\(connection.place) is read-only for most users",
                    remedy: "Is it a replica? Give the address of the server that takes changes."))
        }
        let takesLines = try connection.integer("SELECT @@local_infile") == 1
        findings.append(
            takesLines
                ? Finding(.pass, "the server takes LOAD DATA LOCAL")
                : Finding(
                    .warn, "the server takes no LOAD DATA LOCAL, so that rows go in by INSERT",
                    remedy: "Set local_infile=1 at the server for the time of the load."))
        let packet = try connection.integer("SELECT @@max_allowed_packet") ?? 0
        findings.append(
            packet >= 64 << 20
                ? Finding(.pass, "the server takes packets of \(packet >> 20) MiB")
                : Finding(
                    .warn, "the server takes packets of at most \(packet >> 20) MiB",
                    remedy: "Rows that are larger cannot be compared; raise max_allowed_packet."))
        let mode = try connection.integer("SELECT @@innodb_autoinc_lock_mode") ?? 1
        if mode == 0 {
            findings.append(
                Finding(
                    .warn, "lanes wait for each other in tables that number their rows",
                    remedy: "Set innodb_autoinc_lock_mode to 2 at the server."))
        }
        return findings
    }
}
