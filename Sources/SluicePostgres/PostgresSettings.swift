/// What every session is told before anything else, so that equal values have equal text on all of
/// them, whatever server, database and user are set to.
enum PostgresSettings {
    static func statements(version: Int) -> [String] {
        var settings: [(name: String, value: String)] = [
            ("search_path", "pg_catalog"), ("client_min_messages", "error"),
            ("TimeZone", "UTC"), ("DateStyle", "ISO, YMD"), ("IntervalStyle", "postgres"),
            ("extra_float_digits", "3"), ("bytea_output", "hex"), ("xmloption", "content"),
            ("lc_monetary", "C"), ("standard_conforming_strings", "on"),
            ("escape_string_warning", "off"), ("array_nulls", "on"),
            // A row that a policy hides is an error, not a gap.
            ("row_security", "off"), ("statement_timeout", "0"), ("lock_timeout", "0"),
            ("idle_in_transaction_session_timeout", "0"), ("default_transaction_deferrable", "off"),
            ("default_transaction_isolation", "read committed"), ("synchronize_seqscans", "off"),
            ("quote_all_identifiers", "off"), ("jit", "off"), ("tcp_keepalives_idle", "30"),
            ("tcp_keepalives_interval", "10"), ("tcp_keepalives_count", "3"),
        ]
        if version >= 140_000 {
            settings.append(("idle_session_timeout", "0"))
            // So that the locks of a dead process vanish even while it waits for one.
            settings.append(("client_connection_check_interval", "2s"))
        }
        if version >= 170_000 { settings.append(("transaction_timeout", "0")) }
        return settings.map { "SET \($0.name) = '\($0.value)'" }
    }
}
