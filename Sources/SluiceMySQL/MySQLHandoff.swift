public import SluiceCore
public import SluiceRecords

/// What starts change capture from the place in the binary log that a dataset belongs to.
public enum MySQLHandoff {
    public static let forms = ["mariadb", "mysql", "debezium", "datastream"]

    /// Nothing for forms it does not know.
    public static func lines(
        for form: String, _ facts: HandoffFacts
    ) throws(Failure) -> [String]? {
        guard forms.contains(form) else { return nil }
        guard let start = Start(facts) else {
            throw Failure(
                .refused, "the dataset has no place in a binary log",
                hint: "Export from a server that keeps one, with a user who may ask for it.")
        }
        try start.check(form)
        return switch form {
        case "mariadb": start.mariaDB(facts)
        case "mysql": try start.mySQL(facts)
        case "debezium": start.debezium(facts)
        default: start.datastream
        }
    }

    fileprivate struct Start {
        let isMariaDB: Bool
        let file: String
        let offset: Int
        let gtid: String?
        let host: String
        let port: Int
        let user: String
        let serverID: Int
        let format: String
        let rowImage: String
        let channelCount: Int
        let database: String

        init?(_ facts: HandoffFacts) {
            let details = facts.position.details
            guard let file = details["file"]?.text, let offset = details["offset"]?.integer else {
                return nil
            }
            self.file = file
            self.offset = offset
            isMariaDB = details["flavor"]?.text == "mariadb"
            gtid = details["gtid"]?.text.flatMap { $0.isEmpty ? nil : $0 }
            host = details["host"]?.text ?? "localhost"
            port = details["port"]?.integer ?? 3306
            user = details["user"]?.text ?? "repl"
            serverID = details["server_id"]?.integer ?? 1
            format = details["format"]?.text ?? "ROW"
            rowImage = details["row_image"]?.text ?? "FULL"
            channelCount = details["channels"]?.elements?.count ?? 0
            database = facts.identity["database"]?.text ?? ""
        }

        private var place: String { "\(file):\(offset)" }

        /// What has to be true of the log before anything can go on from it.
        func check(_ form: String) throws(Failure) {
            guard channelCount < 2 else {
                throw Failure(
                    .refused,
                    "the dataset comes from a replica of \(channelCount) servers, and "
                        + "'\(form)' starts from one",
                    hint: "sluice handoff --for json prints the place of each.")
            }
            guard form == "debezium" || form == "datastream" else { return }
            guard format == "ROW", rowImage == "FULL" else {
                throw Failure(
                    .refused,
                    "the binary log has format \(format) and row image \(rowImage), and '\(form)' "
                        + "needs whole rows",
                    hint: "Set binlog_format = ROW and binlog_row_image = FULL, and export anew.")
            }
        }
    }
}

// MARK: Replication by the servers themselves

extension MySQLHandoff.Start {
    private func introduction(_ facts: HandoffFacts) -> [String] {
        [
            "-- Run this on the target. Replication goes on from \(file):\(offset), exactly where "
                + "the snapshot of",
            "-- dataset \(facts.dataset) ends. Say how the target reaches the source, and add "
                + "MASTER_PASSWORD;",
            "-- the user needs REPLICATION SLAVE, the target a server_id of its own. Triggers, "
                + "events and sequences",
            "-- of the target stay as they are: see docs/operating.md.",
        ]
    }

    private func literal(_ text: String) -> String { MySQLQuoting.literal(text) }

    func mariaDB(_ facts: HandoffFacts) -> [String] {
        let way =
            "MASTER_HOST = \(literal(host)), MASTER_PORT = \(port), MASTER_USER = \(literal(user))"
        let byPlace =
            "CHANGE MASTER TO \(way), MASTER_LOG_FILE = \(literal(file)), MASTER_LOG_POS = "
            + "\(offset), MASTER_USE_GTID = no;"
        guard isMariaDB, let gtid else {
            return introduction(facts) + [byPlace, "START SLAVE;"]
        }
        return introduction(facts) + [
            "SET GLOBAL gtid_slave_pos = \(literal(gtid));",
            "CHANGE MASTER TO \(way), MASTER_USE_GTID = slave_pos;",
            "START SLAVE;",
            "-- By file and offset instead of GTIDs:",
            "-- \(byPlace)",
        ]
    }

    func mySQL(_ facts: HandoffFacts) throws(Failure) -> [String] {
        guard !isMariaDB else {
            return introduction(facts) + [
                "CHANGE MASTER TO MASTER_HOST = \(literal(host)), MASTER_PORT = \(port), "
                    + "MASTER_USER = \(literal(user)), MASTER_LOG_FILE = \(literal(file)), "
                    + "MASTER_LOG_POS = \(offset);",
                "START SLAVE;",
            ]
        }
        let way =
            "SOURCE_HOST = \(literal(host)), SOURCE_PORT = \(port), SOURCE_USER = \(literal(user))"
        let byPlace =
            "CHANGE REPLICATION SOURCE TO \(way), SOURCE_LOG_FILE = \(literal(file)), "
            + "SOURCE_LOG_POS = \(offset);"
        let start = introduction(facts).map {
            $0.replacing("MASTER_PASSWORD", with: "SOURCE_PASSWORD")
        }
        guard let gtid else { return start + [byPlace, "START REPLICA;"] }
        return start + [
            "SET GLOBAL gtid_purged = \(literal("+" + gtid));",
            "CHANGE REPLICATION SOURCE TO \(way), SOURCE_AUTO_POSITION = 1;",
            "START REPLICA;",
            "-- By file and offset instead of GTIDs:",
            "-- \(byPlace)",
        ]
    }
}

// MARK: Others

extension MySQLHandoff.Start {
    /// A connector's registration with Kafka Connect, and the offset it starts from.
    func debezium(_ facts: HandoffFacts) -> [String] {
        let name = "sluice_\(facts.dataset)"
        let tables = facts.tables.map {
            "\(MySQLHandoff.pattern(database))\\.\(MySQLHandoff.pattern($0.table.text))"
        }
        let kind = isMariaDB ? "mariadb.MariaDb" : "mysql.MySql"
        var offset: [JSON.Member] = [
            .init("file", .string(file)), .init("pos", .int(self.offset)), .init("row", 0),
            .init("event", 0), .init("server_id", .int(serverID)),
        ]
        if let gtid { offset.append(.init("gtids", .string(gtid))) }
        let json: JSON = [
            "name": .string(name),
            "config": [
                "connector.class": .string("io.debezium.connector.\(kind)Connector"),
                "database.hostname": .string(host), "database.port": .string("\(port)"),
                "database.user": .string(user), "database.server.id": "184054",
                "topic.prefix": .string(name), "database.include.list": .string(database),
                "table.include.list": .string(tables.joined(separator: ",")),
                // Nothing is copied; how the tables look is read from the database as it is.
                "snapshot.mode": "recovery", "time.precision.mode": "adaptive_time_microseconds",
                "schema.history.internal.kafka.topic": .string("\(name)_schema"),
            ],
            "offsets": [
                ["partition": ["server": .string(name)], "offset": .object(offset)]
            ],
        ]
        return [json.compact]
    }

    /// The body of a request to `streams/NAME:run`.
    var datastream: [String] {
        var strategy: JSON = [
            "mysqlLogPosition": ["logFile": .string(file), "logPosition": .int(offset)]
        ]
        if let gtid, !isMariaDB { strategy = ["mysqlGtidPosition": ["gtidSet": .string(gtid)]] }
        let json: JSON = ["cdcStrategy": ["specificStartPosition": strategy]]
        return [json.compact]
    }
}

extension MySQLHandoff {
    /// The lists are of regular expressions, between commas.
    fileprivate static func pattern(_ text: String) -> String {
        var pattern = ""
        for scalar in text.unicodeScalars {
            if "\\.[]{}()*+-?^$|,".unicodeScalars.contains(scalar) { pattern += "\\" }
            pattern.unicodeScalars.append(scalar)
        }
        return pattern
    }
}
