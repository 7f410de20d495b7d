internal import SluiceCore
internal import SluiceRecords

/// Drops objects in whatever order their dependencies allow. What somebody else hangs on them is
/// not ours: where it would go with them, nothing is dropped.
struct PostgresDropping {
    private let connection: PostgresConnection

    init(_ connection: PostgresConnection) {
        self.connection = connection
    }

    /// Within the open transaction.
    func drop(_ objects: [PostgresDrop]) throws(Failure) {
        // Schemas stay: other things may be in them.
        var open = objects.filter { $0.kind != "SCHEMA" && $0.kind != "TABLE" }.reversed()
            .map(\.sql)
        let tables = objects.filter { $0.kind == "TABLE" }.map(\.identity)
        // All at once: tables may have foreign keys to each other.
        if !tables.isEmpty {
            open.insert("DROP TABLE IF EXISTS \(tables.joined(separator: ", "))", at: 0)
        }
        while !open.isEmpty {
            var left: [String] = []
            var problem: Failure?
            for sql in open {
                do throws(Failure) {
                    try attempt(sql)
                } catch {
                    // Something hangs on it, which may be dropped in a moment.
                    guard error.code == "2BP01" else { throw error }
                    problem = error
                    left.append(sql)
                }
            }
            if left.count == open.count, let problem {
                return try dropCircle(left, objects, problem)
            }
            open = left
        }
    }

    private func attempt(_ sql: String) throws(Failure) {
        try connection.execute("SAVEPOINT sluice_drop")
        do throws(Failure) {
            try connection.execute(sql)
        } catch {
            try connection.execute("ROLLBACK TO sluice_drop; RELEASE sluice_drop")
            // What has another kind now is in the way of what is to be made, which says so; what
            // lives in a schema that is not there is not there.
            guard error.code == "42809" || error.code == "3F000" || error.code == "42704" else {
                throw error
            }
            return
        }
        try connection.execute("RELEASE sluice_drop")
    }

    /// A type and the functions that read and print it hang on each other.
    private func dropCircle(
        _ statements: [String], _ objects: [PostgresDrop], _ problem: Failure
    ) throws(Failure) {
        let ours = Set(objects.compactMap { PostgresStatement.name(of: $0.identity) })
        let before = try outside(ours)
        for sql in statements { try attempt("\(sql) CASCADE") }
        let after = try outside(ours)
        let lost = before.filter { after[$0.key] != $0.value }.keys.sorted { Name($0) < Name($1) }
        guard let first = lost.first else { return }
        throw Failure(
            .refused, "\(first), which is not in the dataset, depends on what is to be replaced",
            code: problem.code,
            hint: "The target was not touched. Drop it first, or load into another database.")
    }

    /// What is not ours, each with all that could be taken from it.
    private func outside(_ ours: Set<TableName>) throws(Failure) -> [String: String] {
        let rows = try connection.query(
            """
            SELECT n.nspname, c.relname, CASE c.relkind WHEN 'v' THEN 'view'
                    WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence'
                    WHEN 'c' THEN 'type' ELSE 'table' END,
                (SELECT string_agg(a.attname || ':' || a.atthasdef, ',' ORDER BY a.attnum)
                    FROM pg_attribute AS a WHERE a.attrelid = c.oid AND NOT a.attisdropped)
                || '|' || (SELECT count(*) FROM pg_constraint AS k WHERE k.conrelid = c.oid)
                || '|' || (SELECT count(*) FROM pg_trigger AS t WHERE t.tgrelid = c.oid)
                || '|' || (SELECT count(*) FROM pg_policy AS p WHERE p.polrelid = c.oid)
                || '|' || (SELECT count(*) FROM pg_rewrite AS r WHERE r.ev_class = c.oid)
                || '|' || (SELECT count(*) FROM pg_index AS i WHERE i.indrelid = c.oid)
            FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
            WHERE c.oid >= 16384 AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'c')
                AND \(PostgresCatalog.isNotOfExtension("c.oid", "pg_class"))
            UNION ALL SELECT n.nspname, p.proname, 'function', p.oid::text FROM pg_proc AS p
            JOIN pg_namespace AS n ON n.oid = p.pronamespace WHERE p.oid >= 16384
                AND \(PostgresCatalog.isNotOfExtension("p.oid", "pg_proc"))
            UNION ALL SELECT n.nspname, t.typname, 'type', t.oid::text FROM pg_type AS t
            JOIN pg_namespace AS n ON n.oid = t.typnamespace
            WHERE t.oid >= 16384 AND t.typtype IN ('b', 'd', 'e', 'r', 'm') AND t.typelem = 0
                AND \(PostgresCatalog.isNotOfExtension("t.oid", "pg_type"))
            UNION ALL SELECT '', extname, 'extension', oid::text FROM pg_extension
            WHERE oid >= 16384
            ORDER BY 1, 2, 3, 4
            """)
        var found: [String: String] = [:]
        for row in rows.rows {
            let schema = try rows.name(row, 0)
            // Members of an extension come and go with it.
            let isExtension = rows.text(row, 2) == "extension"
            let name = TableName(schema: isExtension ? nil : schema, try rows.name(row, 1))
            guard !ours.contains(name) else { continue }
            found["\(rows.text(row, 2)) \(name)", default: ""] += rows.text(row, 3) + ";"
        }
        return found
    }
}
