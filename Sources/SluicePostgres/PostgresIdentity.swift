internal import SluiceCore

/// What tells a database from any other, whatever name its server was reached by.
enum PostgresIdentity {
    /// A standby says the same of itself as its primary does.
    static func read(_ connection: PostgresConnection) throws(Failure) -> JSON {
        let rows = try connection.query(
            "SELECT current_database(), oid FROM pg_database WHERE datname = current_database()")
        return [
            "engine": "postgres",
            "system": JSON(
                try connection.text("SELECT system_identifier FROM pg_control_system()")),
            "database": .string(rows.text(0, 0)), "oid": .int(rows.integer(0, 1)),
        ]
    }
}
