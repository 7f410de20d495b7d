internal import SluiceCore

/// What a server says of its binary log.
struct MySQLLog: Hashable, Sendable {
    /// A place in it.
    struct Place: Hashable, Sendable {
        var file: String
        var offset: Int
    }

    /// There is one, and this account may ask for its place.
    var isReadable = false
    /// Whether every change of this server's is in it, as far as can be seen from outside.
    var isComplete = false
    /// Why not, for a warning.
    var gap: String?

    init(_ connection: MySQLConnection) throws(Failure) {
        guard try connection.integer("SELECT @@GLOBAL.log_bin") == 1 else {
            gap = "the server keeps no binary log"
            return
        }
        let status: MySQLResult
        do throws(Failure) {
            status = try connection.query(connection.flavor.binlogStatement)
        } catch  where MySQLPrivilege.isMissing(error) {
            gap = "the user may not ask for the place in the binary log"
            return
        }
        guard status.rowCount == 1 else {
            gap = "the server keeps no binary log"
            return
        }
        isReadable = true
        let hasFilter = ["Binlog_Do_DB", "Binlog_Ignore_DB"].contains { name in
            status.column(name).map { !status.text(0, $0).isEmpty } ?? false
        }
        if hasFilter {
            gap = "the binary log leaves databases out"
        } else if try MySQLLog.missesReplicated(connection) {
            gap =
                "the server does not log what it replicates, or the user may not ask whether it "
                + "does"
        } else {
            isComplete = true
        }
    }

    private static func missesReplicated(_ connection: MySQLConnection) throws(Failure) -> Bool {
        let name = connection.flavor.isMariaDB ? "log_slave_updates" : "log_replica_updates"
        let older = "log_slave_updates"
        let variable = connection.flavor.version >= 80_026 || name == older ? name : older
        guard try connection.integer("SELECT @@GLOBAL.\(variable)") == 0 else { return false }
        // Who may not ask cannot know that it is no replica.
        return try MySQLReplication.knownChannels(connection).map { !$0.isEmpty } ?? true
    }

    /// Where the log ends.
    static func end(_ connection: MySQLConnection) throws(Failure) -> Place? {
        let rows = try connection.query(connection.flavor.binlogStatement)
        guard rows.rowCount > 0 else { return nil }
        return Place(file: rows.text(0, 0), offset: rows.integer(0, 1))
    }

    /// The place that belongs to the session's own snapshot.
    static func snapshot(_ connection: MySQLConnection) throws(Failure) -> Place? {
        let rows = try connection.query("SHOW STATUS LIKE 'binlog\\_snapshot\\_%'")
        var place = Place(file: "", offset: 0)
        for row in rows.rows {
            switch rows.text(row, 0).lowercased() {
            case "binlog_snapshot_file": place.file = rows.text(row, 1)
            case "binlog_snapshot_position": place.offset = rows.integer(row, 1)
            default: continue
            }
        }
        return place.file.isEmpty ? nil : place
    }
}

/// Privileges that an account may lack.
enum MySQLPrivilege {
    static func isMissing(_ failure: Failure) -> Bool {
        ["1044", "1045", "1142", "1227"].contains(failure.code)
    }
}
