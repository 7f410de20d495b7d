internal import SluiceCore

/// Replay on a standby, which stands still while it is read in mode `replica`.
enum PostgresReplay {
    /// How long the standby is given to come to a stop.
    private static let pauseLimit: Duration = .seconds(60)

    /// `not paused`, `pause requested` or `paused`.
    static func state(_ connection: PostgresConnection) throws(Failure) -> String {
        if connection.version >= 140_000 {
            return try connection.text("SELECT pg_get_wal_replay_pause_state()") ?? ""
        }
        return try connection.boolean("SELECT pg_is_wal_replay_paused()") ? "paused" : "not paused"
    }

    /// Returns when replay stands still, not only when that was asked for.
    static func pause(_ connection: PostgresConnection) throws(Failure) {
        try connection.execute("SELECT pg_wal_replay_pause()")
        let start = Clock.now
        while try state(connection) != "paused" {
            try connection.stop.check()
            guard Clock.now - start < pauseLimit else {
                throw Failure(
                    .unavailable,
                    "replay on \(connection.place) did not come to a stop within a minute",
                    hint: "Does the standby wait for a long query of another session?",
                    isTransient: true)
            }
            Clock.sleep(.milliseconds(50))
        }
    }

    /// Nothing where it is going, or where the server is no standby any more.
    static func resume(_ connection: PostgresConnection) throws(Failure) {
        guard try connection.boolean("SELECT pg_is_in_recovery()") else { return }
        guard try state(connection) != "not paused" else { return }
        try connection.execute("SELECT pg_wal_replay_resume()")
    }
}
