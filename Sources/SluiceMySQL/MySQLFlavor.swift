internal import SluiceCore

/// Which server it is, and what is known to differ between them: the one place for it.
///
/// Developed and tested on MariaDB 10.11. What is said of MySQL 8 and of other versions of MariaDB
/// is from their documentation and untested.
struct MySQLFlavor: Hashable, Sendable {
    enum Family: String, Sendable {
        case mariadb
        case mysql
    }

    let family: Family
    /// `101119` for 10.11.19.
    let version: Int
    /// As the server says it.
    let text: String

    /// - Parameter text: what the server answers to `SELECT VERSION()`; old replicas want a
    ///   MariaDB to begin with `5.5.5-`.
    init(_ text: String) {
        self.text = text
        let isMariaDB = text.utf8.count >= 7 && text.lowercased().contains("mariadb")
        family = isMariaDB ? .mariadb : .mysql
        let bare = text.hasPrefix("5.5.5-") ? text.dropFirst(6) : text[...]
        let numbers = bare.prefix { $0 == "." || ("0"..."9").contains($0) }
            .split(separator: ".").prefix(3).map { Int($0) ?? 0 }
        version = zip(numbers, [10_000, 100, 1]).reduce(0) { $0 + $1.0 * $1.1 }
    }

    var isMariaDB: Bool { family == .mariadb }

    /// How messages name the product.
    var product: String { isMariaDB ? "MariaDB" : "MySQL" }

    /// What every test runs on.
    var isTested: Bool { isMariaDB && version / 100 == 1011 }

    /// Why this server cannot be worked with, if so.
    var complaint: String? {
        switch family {
        case .mariadb where version < 100_500:
            "runs MariaDB \(text), and sluice needs 10.5 or newer"
        case .mysql where version < 80_011:
            "runs MySQL \(text), and sluice needs 8.0.11 or newer"
        default: nil
        }
    }
}

// MARK: What only one of them has

extension MySQLFlavor {
    /// A limit on statements' time, of sessions' own: seconds on MariaDB, milliseconds and SELECTs
    /// only on MySQL.
    var statementTimeLimit: String { isMariaDB ? "max_statement_time" : "max_execution_time" }

    /// Whether `START TRANSACTION WITH CONSISTENT SNAPSHOT` tells its own place in the binary log.
    var hasBinlogSnapshot: Bool { isMariaDB }

    /// What tells the server's own place in its binary log.
    var binlogStatement: String {
        !isMariaDB && version >= 80_200 ? "SHOW BINARY LOG STATUS" : "SHOW MASTER STATUS"
    }

    /// Whether replication is spoken of with the words replica and source.
    private var saysReplica: Bool { !isMariaDB && version >= 80_022 }

    /// One row for each channel that the server replicates.
    var replicaStatement: String {
        if isMariaDB { return "SHOW ALL SLAVES STATUS" }
        return saysReplica ? "SHOW REPLICA STATUS" : "SHOW SLAVE STATUS"
    }

    /// The columns of that, whatever they are called on this server.
    var replicaColumns: MySQLReplicaColumns {
        MySQLReplicaColumns(
            channel: isMariaDB ? "Connection_name" : "Channel_Name",
            isRunning: saysReplica ? "Replica_SQL_Running" : "Slave_SQL_Running",
            file: saysReplica ? "Relay_Source_Log_File" : "Relay_Master_Log_File",
            offset: saysReplica ? "Exec_Source_Log_Pos" : "Exec_Master_Log_Pos",
            host: saysReplica ? "Source_Host" : "Master_Host",
            port: saysReplica ? "Source_Port" : "Master_Port")
    }

    /// Starts or stops the thread that carries out what a channel brings.
    func replicaStatement(_ verb: String, channel: String, rest: String = "") -> String {
        let word = saysReplica ? "REPLICA" : "SLAVE"
        if isMariaDB {
            let name = channel.isEmpty ? "" : " \(MySQLQuoting.literal(channel))"
            return "\(verb) SLAVE\(name) SQL_THREAD"
        }
        return "\(verb) \(word) SQL_THREAD\(rest) FOR CHANNEL \(MySQLQuoting.literal(channel))"
    }

    /// Whether transactions may be carried out in another order than they were logged in, so that
    /// a stopped replica may have gaps (MySQL 8.0.19 and newer keep the order by default).
    var mayLeaveGaps: Bool { !isMariaDB }

    var hasSequences: Bool { isMariaDB }

    /// Of `information_schema.STATISTICS s`: whether an index is there and not used.
    var ignoredIndex: String {
        guard isMariaDB else { return "s.IS_VISIBLE = 'NO'" }
        return version >= 100_600 ? "s.IGNORED = 'YES'" : "0"
    }
    /// Whether JSON is a type of its own, or text with a check.
    var hasJSONType: Bool { !isMariaDB }
    /// The most decimal places that DECIMAL has.
    var decimalScaleLimit: Int { isMariaDB ? 38 : 30 }

    /// Compares text byte by byte, blanks at its end included, as other engines do.
    var exactCollation: String {
        if isMariaDB { return "utf8mb4_nopad_bin" }
        return version >= 80_017 ? "utf8mb4_0900_bin" : "utf8mb4_bin"
    }

    /// Whether a `LOAD DATA` of UTF-8 takes bytes that are none where they are for a binary column.
    var takesBytesInLines: Bool { isMariaDB }

    /// Whether the diagnostics of a statement say which row a condition is about.
    var tellsRows: Bool { isMariaDB && version >= 100_700 }

    /// Whether rows of system-versioned tables can be given their times.
    var takesHistory: Bool { isMariaDB && version >= 101_100 }
}

/// What the columns are called that tell how far a replica is.
struct MySQLReplicaColumns: Hashable, Sendable {
    var channel: String
    var isRunning: String
    var file: String
    var offset: String
    var host: String
    var port: String
}
