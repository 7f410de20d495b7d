internal import SluiceCore
internal import SluiceRecords

/// What `doctor` looks at in a target.
struct MySQLTargetExamination {
    /// What a load needs on the database, for every table.
    private static let privileges = [
        "SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "ALTER", "INDEX", "REFERENCES",
    ]

    var isReadOnly = false
    var takesLines = true
    var packetBytes = 64 << 20
    /// `innodb_autoinc_lock_mode`
    var countingMode = 1
    var lackedPrivileges: [String] = []
    var knowsTimeZones = true

    init() {}

    init(_ connection: MySQLConnection) throws(Failure) {
        isReadOnly = try connection.integer("SELECT @@read_only") == 1
        takesLines = try connection.integer("SELECT @@local_infile") == 1
        packetBytes = try connection.integer("SELECT @@max_allowed_packet") ?? 0
        countingMode = try connection.integer("SELECT @@innodb_autoinc_lock_mode") ?? 1
        lackedPrivileges = try MySQLGrants(connection)
            .lacking(MySQLTargetExamination.privileges)
        knowsTimeZones =
            try connection.integer(
                "SELECT CONVERT_TZ('2000-01-01 12:00:00', 'UTC', 'Europe/Berlin') IS NOT NULL") == 1
    }

    func findings(on flavor: MySQLFlavor) -> [Finding] {
        var findings = MySQLExamination.findings(on: flavor)
        if isReadOnly {
            findings.append(
                Finding(
                    .warn, "the server is read-only for most users",
                    remedy: "Is it a replica? Give the address of the server that takes changes."))
        }
        findings.append(
            lackedPrivileges.isEmpty
                ? Finding(.pass, "the user may make and fill tables")
                : Finding(
                    .fail,
                    "the user may not \(lackedPrivileges.joined(separator: ", ")) in the database",
                    remedy: "Grant ALL PRIVILEGES on the database to the user of the URL."))
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
        findings.append(
            knowsTimeZones
                ? Finding(.pass, "the server knows time zones by name")
                : Finding(
                    .warn, "the server knows no time zone by name",
                    remedy: "Load them with mariadb-tzinfo-to-sql or mysql_tzinfo_to_sql where "
                        + "views, routines or events name one; CONVERT_TZ gives NULL without."))
        return findings
    }
}
