internal import SluiceCore

/// What is held on a server beyond read transactions, as `holds/` has it.
struct MySQLHold {
    /// Read locks end with their session.
    var hasLocks = false
    /// The channels whose SQL threads were stopped; a server may have one without a name.
    var channels: [String] = []

    var isEmpty: Bool { !hasLocks && channels.isEmpty }

    var json: JSON {
        var words: [String] = []
        if hasLocks { words.append("read locks on every table; others can read but not write") }
        if !channels.isEmpty {
            words.append("the SQL thread on the replica is stopped; it falls behind")
        }
        return [
            "engine": "mysql", "what": .string(words.joined(separator: "; ")),
            "channels": .array(channels.map { .string($0) }),
            "ends_with_process": .bool(channels.isEmpty),
        ]
    }

    init() {}

    init(_ json: JSON) {
        channels = json["channels"]?.elements?.compactMap(\.text) ?? []
    }

    static func release(_ json: JSON, on connection: MySQLConnection) throws(Failure) {
        let hold = MySQLHold(json)
        if !hold.channels.isEmpty {
            try MySQLReplication.start(hold.channels, on: connection)
        }
    }
}
