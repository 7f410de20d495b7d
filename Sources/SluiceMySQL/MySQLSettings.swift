/// What every session is told before anything else, so that equal values have equal text on all of
/// them, whatever server, database and user are set to.
enum MySQLSettings {
    /// Refuses what does not fit, takes every date the server can hold and every number as it is.
    ///
    /// Backslashes escape, because what SHOW CREATE prints is written that way.
    static let sqlMode =
        "STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,NO_ENGINE_SUBSTITUTION,ALLOW_INVALID_DATES"

    static func statements(_ flavor: MySQLFlavor) -> [String] {
        var settings: [(name: String, value: String)] = [
            ("time_zone", "'+00:00'"), ("sql_mode", "'\(sqlMode)'"), ("autocommit", "1"),
            ("sql_quote_show_create", "1"), ("sql_auto_is_null", "0"), ("sql_big_selects", "1"),
            ("sql_select_limit", "18446744073709551615"), ("sql_safe_updates", "0"),
            ("sql_notes", "1"), ("max_error_count", "64"), ("div_precision_increment", "4"),
            ("group_concat_max_len", "1073741824"),
            // A slow store keeps a result waiting; a dead one is noticed by us.
            ("net_read_timeout", "86400"), ("net_write_timeout", "86400"),
            ("wait_timeout", "31536000"), ("interactive_timeout", "31536000"),
            ("lock_wait_timeout", "60"), (flavor.statementTimeLimit, "0"),
            (flavor.isMariaDB ? "tx_isolation" : "transaction_isolation", "'REPEATABLE-READ'"),
        ]
        if flavor.isMariaDB {
            settings += [
                ("idle_transaction_timeout", "0"), ("idle_readonly_transaction_timeout", "0"),
                ("idle_write_transaction_timeout", "0"), ("join_cache_level", "DEFAULT"),
                ("optimizer_switch", "DEFAULT"), ("old_mode", "''"),
                ("column_compression_threshold", "DEFAULT"),
            ]
        } else {
            settings += [
                ("information_schema_stats_expiry", "0"), ("optimizer_switch", "DEFAULT"),
                ("show_create_table_verbosity", "0"),
            ]
        }
        let list = settings.map { "SESSION \($0.name) = \($0.value)" }.joined(separator: ", ")
        // The collation is that of literals; what is compared with a column takes the column's.
        return ["SET NAMES utf8mb4 COLLATE utf8mb4_bin", "SET \(list)"]
    }
}
