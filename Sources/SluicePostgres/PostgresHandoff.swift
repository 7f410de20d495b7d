public import SluiceCore
public import SluiceRecords

/// What starts change capture from the slot that an export made.
public enum PostgresHandoff {
    public static let forms = ["postgres", "debezium"]

    /// Nothing for forms it does not know.
    public static func lines(
        for form: String, _ facts: HandoffFacts
    ) throws(Failure) -> [String]? {
        guard forms.contains(form) else { return nil }
        guard let slot = facts.position.details["slot"]?.text,
            let publication = facts.position.details["publication"]?.text
        else {
            throw Failure(
                .refused, "the dataset was exported without a slot",
                hint: "Export with --position slot: only a slot keeps the log from the snapshot "
                    + "on.")
        }
        let start = Start(
            slot: slot, publication: publication,
            insertPublication: facts.position.details["insertPublication"]?.text,
            lsn: facts.position.details["lsn"]?.text ?? "0/0",
            database: facts.identity["database"]?.text ?? "",
            host: facts.position.details["host"]?.text ?? "localhost",
            port: facts.position.details["port"]?.text ?? "5432",
            user: facts.position.details["user"]?.text ?? "postgres")
        return form == "postgres"
            ? start.subscription(facts) : try start.connector(facts)
    }

    private struct Start {
        let slot: String
        let publication: String
        let insertPublication: String?
        let lsn: String
        let database: String
        let host: String
        let port: String
        let user: String

        /// To be run on the target by psql or any other client.
        func subscription(_ facts: HandoffFacts) -> [String] {
            let connection = [
                ("host", host), ("port", port), ("dbname", database), ("user", user),
            ].map { "\($0.0)=\(Start.parameter($0.1))" }.joined(separator: " ")
            return [
                "-- Run this on the target. The subscription goes on from \(lsn), exactly where "
                    + "the snapshot of",
                "-- dataset \(facts.dataset) ends, and copies nothing. Say how the target reaches "
                    + "the source and",
                "-- add a password or use its password file. Sequences do not replicate: set them "
                    + "at the switch.",
                "CREATE SUBSCRIPTION \(Name(slot).quoted)",
                "    CONNECTION \(PostgresQuoting.literal(connection))",
                "    PUBLICATION \(publications)",
                "    WITH (copy_data = false, create_slot = false, slot_name = "
                    + "\(PostgresQuoting.literal(slot)));",
            ]
        }

        private var publications: String {
            ([publication] + (insertPublication.map { [$0] } ?? [])).map { Name($0).quoted }
                .joined(separator: ", ")
        }

        private static func parameter(_ value: String) -> String {
            var quoted = "'"
            for scalar in value.unicodeScalars {
                if scalar == "'" || scalar == "\\" { quoted += "\\" }
                quoted.unicodeScalars.append(scalar)
            }
            return quoted + "'"
        }

        /// A connector's registration with Kafka Connect, and the offset it starts from.
        func connector(_ facts: HandoffFacts) throws(Failure) -> [String] {
            guard insertPublication == nil else {
                throw Failure(
                    .refused,
                    "Debezium reads one publication, and tables without a replica identity have "
                        + "another",
                    hint: "Say ALTER TABLE … REPLICA IDENTITY FULL for them, and export anew.")
            }
            guard let number = Start.number(lsn) else {
                throw Failure(.refused, "the dataset's position \(lsn) is not one of PostgreSQL")
            }
            let tables = facts.tables.map { "\(Start.pattern($0))" }.joined(separator: ",")
            let json: JSON = [
                "name": .string(slot),
                "config": [
                    "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
                    "plugin.name": "pgoutput", "database.hostname": .string(host),
                    "database.port": .string(port), "database.user": .string(user),
                    "database.dbname": .string(database), "topic.prefix": .string(slot),
                    "slot.name": .string(slot), "slot.drop.on.stop": "false",
                    "publication.name": .string(publication),
                    "publication.autocreate.mode": "disabled", "snapshot.mode": "no_data",
                    "table.include.list": .string(tables),
                ],
                "offsets": [
                    [
                        "partition": ["server": .string(slot)],
                        "offset": ["lsn": .int(number), "lsn_proc": .int(number)],
                    ]
                ],
            ]
            return [json.compact]
        }

        /// `16/B374D848` as one number.
        private static func number(_ lsn: String) -> Int? {
            let parts = lsn.split(separator: "/")
            guard parts.count == 2, let high = UInt32(parts[0], radix: 16),
                let low = UInt32(parts[1], radix: 16)
            else { return nil }
            return Int(exactly: UInt64(high) << 32 | UInt64(low))
        }

        /// The list is of regular expressions, between commas.
        private static func pattern(_ table: TableName) -> String {
            var pattern = ""
            for scalar in table.description.unicodeScalars {
                if "\\.[]{}()*+-?^$|,".unicodeScalars.contains(scalar) { pattern += "\\" }
                pattern.unicodeScalars.append(scalar)
            }
            return pattern
        }
    }
}
