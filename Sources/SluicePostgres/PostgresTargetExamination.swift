internal import SluiceCore
internal import SluiceRecords

/// What `doctor` looks at in a target.
struct PostgresTargetExamination {
    private let connection: PostgresConnection

    init(_ connection: PostgresConnection) {
        self.connection = connection
    }

    func findings() throws(Failure) -> [Finding] {
        let version = "\(connection.version / 10_000).\(connection.version % 10_000)"
        var findings = [
            Finding(.pass, "PostgreSQL \(version) answers")
        ]
        let isStandby = try connection.boolean("SELECT pg_is_in_recovery()")
        if isStandby {
            findings.append(
                Finding(
                    .fail, "the server is a standby and cannot be written",
                    remedy: "Give the address of its primary."))
            return findings
        }
        let mayMake = try connection.boolean(
            "SELECT has_database_privilege(current_database(), 'CREATE')")
        findings.append(
            mayMake
                ? Finding(.pass, "the user may make schemas")
                : Finding(
                    .fail, "the user may not make schemas in the database",
                    remedy: "Grant CREATE on the database to the user of the URL."))
        let isReplica = try PostgresTargetSettings.mayBeReplica(connection)
        findings.append(
            isReplica
                ? Finding(.pass, "triggers of tables that exist can be kept from running")
                : Finding(
                    .warn, "triggers of tables that exist run for each row that is loaded",
                    remedy: "Grant SET on the parameter session_replication_role to the user, or"
                        + " load into tables without triggers and foreign keys."))
        return findings
    }
}
