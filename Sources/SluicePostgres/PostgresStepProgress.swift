internal import SluiceCore

/// How far the server is with what takes long, as its views of progress tell.
enum PostgresStepProgress {
    /// By the number of the process that does it: `scanning table, 45%`.
    static func all(
        on connection: PostgresConnection
    ) throws(Failure) -> [(process: Int, detail: String)] {
        // What an index counts depends on its phase; the counts of the one before stay.
        let rows = try connection.query(
            """
            SELECT pid, replace(phase, 'building index: ', ''),
                CASE WHEN phase LIKE '%loading%' THEN tuples_done ELSE blocks_done END,
                CASE WHEN phase LIKE '%loading%' THEN tuples_total ELSE blocks_total END
            FROM pg_stat_progress_create_index
            UNION ALL SELECT pid, phase, sample_blks_scanned, sample_blks_total
            FROM pg_stat_progress_analyze
            """)
        return rows.rows.map { row in
            let detail = text(rows.text(row, 1), rows.integer(row, 2), of: rows.integer(row, 3))
            return (process: rows.integer(row, 0), detail: detail)
        }
    }

    /// - Parameter total: 0 where the phase counts nothing.
    static func text(_ phase: String, _ done: Int, of total: Int) -> String {
        guard total > 0 else { return phase }
        return "\(phase), \(Int(min(1, Double(done) / Double(total)) * 100))%"
    }
}
