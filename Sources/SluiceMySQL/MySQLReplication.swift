internal import SluiceCore

/// What a replica replicates, and the threads that carry it out.
enum MySQLReplication {
    struct Channel: Hashable, Sendable {
        var name: String
        var isRunning: Bool
        /// The place in the upstream's log up to which everything is carried out.
        var place: MySQLLog.Place
        var host: String
        var port: Int
    }

    /// How long a thread is given to come to a stop.
    private static let stopLimit: Duration = .seconds(60)

    /// None where the server is no replica, or the user may not ask.
    static func channels(_ connection: MySQLConnection) throws(Failure) -> [Channel] {
        try knownChannels(connection) ?? []
    }

    /// Nothing where the user may not ask.
    static func knownChannels(_ connection: MySQLConnection) throws(Failure) -> [Channel]? {
        let rows: MySQLResult
        do throws(Failure) {
            rows = try connection.query(connection.flavor.replicaStatement)
        } catch  where MySQLPrivilege.isMissing(error) {
            return nil
        }
        let names = connection.flavor.replicaColumns
        return rows.rows.map { row in
            func text(_ name: String) -> String {
                rows.column(name).map { rows.text(row, $0) } ?? ""
            }
            return Channel(
                name: text(names.channel), isRunning: text(names.isRunning) == "Yes",
                place: MySQLLog.Place(file: text(names.file), offset: Int(text(names.offset)) ?? 0),
                host: text(names.host), port: Int(text(names.port)) ?? 0)
        }
    }

    /// Stops what runs, at a place without gaps. Returns when it stands still.
    static func stop(_ names: [String], on connection: MySQLConnection) throws(Failure) {
        let flavor = connection.flavor
        for name in names {
            try connection.execute(flavor.replicaStatement("STOP", channel: name))
            if flavor.mayLeaveGaps {
                try connection.execute(
                    flavor.replicaStatement(
                        "START", channel: name, rest: " UNTIL SQL_AFTER_MTS_GAPS"))
            }
        }
        let start = Clock.now
        while try channels(connection).contains(where: { $0.isRunning && names.contains($0.name) })
        {
            try connection.stop.check()
            guard Clock.now - start < stopLimit else {
                throw Failure(
                    .unavailable,
                    "the SQL thread on \(connection.place) did not stop within a minute",
                    hint: "Does it carry out a long transaction?", isTransient: true)
            }
            Clock.sleep(.milliseconds(50))
        }
    }

    /// Nothing for channels that are not there any more, or run.
    static func start(_ names: [String], on connection: MySQLConnection) throws(Failure) {
        for channel in try channels(connection)
        where names.contains(channel.name) && !channel.isRunning {
            try connection.execute(
                connection.flavor.replicaStatement("START", channel: channel.name))
        }
    }
}
