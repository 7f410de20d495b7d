internal import SluiceCore

/// What tells a database from any other, whatever name its server was reached by.
enum MySQLIdentity {
    static func read(_ connection: MySQLConnection) throws(Failure) -> JSON {
        let server =
            connection.flavor.isMariaDB
            ? "CONCAT_WS(':', @@hostname, @@port, @@datadir, @@server_id)" : "@@server_uuid"
        return [
            "engine": "mysql", "server": JSON(try connection.text("SELECT \(server)")),
            "database": JSON(try connection.text("SELECT DATABASE()")),
        ]
    }
}
