internal import SluiceCore
internal import SluiceRecords

/// Foreign keys that loaded rows contradict: those of tables that were here before, whose checks
/// were switched off while rows came in.
enum PostgresForeignKeys {
    static func complaints(
        _ request: LoadRequest, on connection: PostgresConnection
    ) throws(Failure) -> [String] {
        let ours = Set(request.tables.map(\.table.qualified))
        let made = try tablesMade(for: request.dataset, on: connection)
        let rows = try connection.query(
            """
            SELECT n.nspname, c.relname, k.conname, m.nspname, o.relname,
                (SELECT string_agg(format('t.%I = o.%I', a.attname, b.attname), ' AND '
                        ORDER BY p.i)
                    FROM generate_subscripts(k.conkey, 1) AS p(i)
                    JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[p.i]
                    JOIN pg_attribute AS b ON b.attrelid = k.confrelid
                        AND b.attnum = k.confkey[p.i]),
                (SELECT string_agg(format('t.%I IS NOT NULL', a.attname), ' AND ' ORDER BY p.i)
                    FROM generate_subscripts(k.conkey, 1) AS p(i)
                    JOIN pg_attribute AS a ON a.attrelid = k.conrelid
                        AND a.attnum = k.conkey[p.i]),
                k.convalidated
            FROM pg_constraint AS k
            JOIN pg_class AS c ON c.oid = k.conrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
            JOIN pg_class AS o ON o.oid = k.confrelid
            JOIN pg_namespace AS m ON m.oid = o.relnamespace
            WHERE k.contype = 'f' AND k.confmatchtype = 's'
            ORDER BY 1, 2, 3
            """)
        var complaints: [String] = []
        for row in rows.rows {
            let table = TableName(schema: try rows.name(row, 0), try rows.name(row, 1))
            // The server looked at the rows itself where it made the key behind them.
            guard ours.contains(table), !(rows.boolean(row, 7) && made.contains(table)) else {
                continue
            }
            let other = TableName(schema: try rows.name(row, 3), try rows.name(row, 4))
            let count =
                try connection.integer(
                    """
                    SELECT count(*) FROM \(table.quoted) AS t WHERE \(rows.text(row, 6))
                    AND NOT EXISTS (SELECT FROM \(other.quoted) AS o WHERE \(rows.text(row, 5)))
                    """) ?? 0
            guard count > 0 else { continue }
            complaints.append(
                "\(count) \(count == 1 ? "row of \(table) contradicts" : "rows of \(table) contradict")"
                    + " the foreign key"
                    + " \(try rows.name(row, 2)) to \(other)")
        }
        return complaints
    }

    private static func tablesMade(
        for dataset: String, on connection: PostgresConnection
    ) throws(Failure) -> Set<TableName> {
        guard try PostgresLedger.state(on: connection) == .present else { return [] }
        let rows = try connection.query(
            "SELECT mapped FROM sluice.sluice_ledger WHERE dataset = $1 AND mapped LIKE 'DROP TABLE%'",
            [dataset])
        return Set(
            rows.rows.compactMap { row in
                PostgresDrop(rows.text(row, 0)).flatMap { PostgresStatement.name(of: $0.identity) }
            })
    }
}
