internal import SluiceCore
internal import SluiceRecords

/// The place in the change log that belongs to a snapshot.
struct MySQLPosition {
    private let instant: MySQLInstant
    private let log: MySQLLog
    /// Of a replica that stands still: its place is the upstream's.
    private let channels: [MySQLReplication.Channel]
    private let address: MySQLAddress

    init(
        _ instant: MySQLInstant, _ log: MySQLLog, _ channels: [MySQLReplication.Channel],
        _ address: MySQLAddress
    ) {
        self.instant = instant
        self.log = log
        self.channels = channels
        self.address = address
    }

    var isExact: Bool {
        guard instant.proof != .none else { return false }
        if !channels.isEmpty { return channels.allSatisfy { !$0.place.file.isEmpty } }
        return log.isComplete && instant.place != nil
    }

    func details(_ connection: MySQLConnection) throws(Failure) -> JSON {
        let flavor = connection.flavor
        var members: [JSON.Member] = [
            .init("flavor", .string(flavor.family.rawValue)),
            .init("version", .string(flavor.text)),
        ]
        if let first = channels.first {
            members += place(first.place)
            members.append(.init("gtid", JSON(try replicated(connection))))
            members += way(host: first.host, port: first.port)
            members.append(
                .init(
                    "channels",
                    .array(
                        channels.map { channel in
                            .object(
                                [.init("name", .string(channel.name))] + place(channel.place)
                                    + way(host: channel.host, port: channel.port))
                        })))
        } else if let own = instant.place {
            members += place(own)
            members.append(.init("gtid", JSON(try gtid(at: own, connection))))
            members += way(
                host: address.host ?? "localhost",
                port: Int(address.port == 0 ? 3306 : address.port))
        }
        members += [
            .init("user", JSON(address.user)),
            .init("server_id", .int(try connection.integer("SELECT @@server_id") ?? 0)),
            .init(
                "server_uuid",
                flavor.isMariaDB ? .null : JSON(try connection.text("SELECT @@server_uuid"))),
            .init("format", JSON(try connection.text("SELECT @@GLOBAL.binlog_format"))),
            .init("row_image", JSON(try connection.text("SELECT @@GLOBAL.binlog_row_image"))),
            .init("proof", .string(instant.proof.rawValue)),
            .init("gap", channels.isEmpty ? JSON(log.gap) : .null),
        ]
        return .object(members.filter { $0.value != .null })
    }

    private func place(_ place: MySQLLog.Place) -> [JSON.Member] {
        [.init("file", .string(place.file)), .init("offset", .int(place.offset))]
    }

    private func way(host: String, port: Int) -> [JSON.Member] {
        [.init("host", .string(host)), .init("port", .int(port))]
    }

    /// The whole set of transactions before a place of the server's own log.
    private func gtid(
        at place: MySQLLog.Place, _ connection: MySQLConnection
    ) throws(Failure) -> String? {
        guard connection.flavor.isMariaDB else {
            // Under the lock nothing was committed; without one it may be later than the place.
            guard instant.proof != .none else { return nil }
            let text = try connection.text("SELECT @@GLOBAL.gtid_executed") ?? ""
            return text.filter { !$0.isWhitespace }
        }
        if let text = try lastGTID(at: place, connection) { return MySQLPosition.ordered(text) }
        let text = try connection.text(
            "SELECT BINLOG_GTID_POS(\(MySQLQuoting.literal(place.file)), \(place.offset))")
        return text.map(MySQLPosition.ordered)
    }

    /// One text for equal sets: by domains.
    private static func ordered(_ gtid: String) -> String {
        func domain(_ part: Substring) -> Int { Int(part.prefix { $0 != "-" }) ?? 0 }
        let parts = gtid.filter { !$0.isWhitespace }.split(separator: ",")
        return parts.sorted { domain($0) < domain($1) }.joined(separator: ",")
    }

    /// What the server remembers as last, where nothing came behind the place. To find it in its
    /// log the server reads a file from its start.
    private func lastGTID(
        at place: MySQLLog.Place, _ connection: MySQLConnection
    ) throws(Failure) -> String? {
        guard try MySQLLog.end(connection) == place else { return nil }
        let text = try connection.text("SELECT @@GLOBAL.gtid_binlog_pos")
        return try MySQLLog.end(connection) == place ? text : nil
    }

    /// The whole set of what a replica has carried out.
    private func replicated(_ connection: MySQLConnection) throws(Failure) -> String? {
        let variable = connection.flavor.isMariaDB ? "gtid_slave_pos" : "gtid_executed"
        let text = try connection.text("SELECT @@GLOBAL.\(variable)") ?? ""
        return text.filter { !$0.isWhitespace }
    }

    /// Equal as long as nothing was committed: the place in a log that has every change. A server
    /// that is started anew begins a new file.
    func stamp(
        _ connection: MySQLConnection, _ consistency: Consistency
    ) throws(Failure) -> JSON? {
        guard consistency != .snapshot, log.isComplete, let own = instant.place else { return nil }
        var members = place(own)
        members.append(.init("gtid", JSON(try gtid(at: own, connection))))
        members.append(
            .init("channels", .array(channels.map { .object(place($0.place)) })))
        return .object(members)
    }
}
