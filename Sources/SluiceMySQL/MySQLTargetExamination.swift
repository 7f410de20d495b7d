internal import SluiceCore
internal import SluiceRecords

/// What `doctor` looks at in a target.
struct MySQLTargetExamination {
    let isReadOnly: Bool
    let takesLines: Bool
    let packetBytes: Int
    /// `innodb_autoinc_lock_mode`
    let countingMode: Int

    init(_ connection: MySQLConnection) throws(Failure) {
        isReadOnly = try connection.integer("SELECT @@read_only") == 1
        takesLines = try connection.integer("SELECT @@local_infile") == 1
        packetBytes = try connection.integer("SELECT @@max_allowed_packet") ?? 0
        countingMode = try connection.integer("SELECT @@innodb_autoinc_lock_mode") ?? 1
    }

    init(isReadOnly: Bool, takesLines: Bool, packetBytes: Int, countingMode: Int) {
        self.isReadOnly = isReadOnly
        self.takesLines = takesLines
        self.packetBytes = packetBytes
        self.countingMode = countingMode
    }

    func findings(at place: String, _ flavor: MySQLFlavor) -> [Finding] {
        var findings = [Finding(.pass, "\(place) runs \(flavor.product) \(flavor.text)")]
        if isReadOnly {
            findings.append(
                Finding(
                    .warn, "\(place) is read-only for most users",
                    remedy: "Is it a replica? Give the address of the server that takes changes."))
        }
        findings.append(
            takesLines
                ? Finding(.pass, "the server takes LOAD DATA LOCAL")
                : Finding(
                    .warn, "the server takes no LOAD DATA LOCAL, so that rows go in by INSERT",
                    remedy: "Set local_infile=1 at the server for the time of the load."))
        findings.append(
            packetBytes >= 64 << 20
                ? Finding(.pass, "the server takes packets of \(packetBytes >> 20) MiB")
                : Finding(
                    .warn, "the server takes packets of at most \(packetBytes >> 20) MiB",
                    remedy: "Rows that are larger cannot be compared; raise max_allowed_packet."))
        if countingMode == 0 {
            findings.append(
                Finding(
                    .warn, "lanes wait for each other in tables that number their rows",
                    remedy: "Set innodb_autoinc_lock_mode to 2 at the server."))
        }
        return findings
    }
}
