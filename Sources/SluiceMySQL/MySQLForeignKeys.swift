internal import SluiceCore
internal import SluiceRecords

/// Foreign keys that loaded rows contradict: the server looks at none while rows come in, nor when
/// keys are made behind them.
enum MySQLForeignKeys {
    private struct Key {
        let name: Name
        let table: Name
        let other: TableName
        var columns: [(own: Name, its: Name)] = []
    }

    static func complaints(
        _ request: LoadRequest, on connection: MySQLConnection
    ) throws(Failure) -> [String] {
        let ours = Set(request.tables.map(\.table.table))
        var complaints: [String] = []
        for key in try keys(on: connection) where ours.contains(key.table) {
            let match = key.columns.map { "t.\($0.own.quoted) = o.\($0.its.quoted)" }
            let whole = key.columns.map { "t.\($0.own.quoted) IS NOT NULL" }
            let count =
                try connection.integer(
                    """
                    SELECT COUNT(*) FROM \(key.table.quoted) AS t
                    WHERE \(whole.joined(separator: " AND ")) AND NOT EXISTS
                        (SELECT 1 FROM \(key.other.quoted) AS o
                        WHERE \(match.joined(separator: " AND ")))
                    """) ?? 0
            guard count > 0 else { continue }
            complaints.append(
                "\(count) \(count == 1 ? "row of \(key.table) contradicts" : "rows of \(key.table) contradict")"
                    + " the foreign key \(key.name) to \(key.other)")
        }
        return complaints
    }

    private static func keys(on connection: MySQLConnection) throws(Failure) -> [Key] {
        let found = try connection.query(
            """
            SELECT CONSTRAINT_NAME, TABLE_NAME, COLUMN_NAME, REFERENCED_TABLE_SCHEMA,
                REFERENCED_TABLE_NAME, REFERENCED_COLUMN_NAME,
                REFERENCED_TABLE_SCHEMA = DATABASE()
            FROM information_schema.KEY_COLUMN_USAGE
            WHERE TABLE_SCHEMA = DATABASE() AND REFERENCED_TABLE_NAME IS NOT NULL
            ORDER BY TABLE_NAME, CONSTRAINT_NAME, ORDINAL_POSITION
            """)
        var keys: [Key] = []
        for row in found.rows {
            let name = try found.name(row, 0)
            let table = try found.name(row, 1)
            let pair = (own: try found.name(row, 2), its: try found.name(row, 5))
            if keys.last?.name == name, keys.last?.table == table {
                keys[keys.count - 1].columns.append(pair)
                continue
            }
            let schema = found.integer(row, 6) == 1 ? nil : try found.name(row, 3)
            keys.append(
                Key(
                    name: name, table: table,
                    other: TableName(schema: schema, try found.name(row, 4)), columns: [pair]))
        }
        return keys
    }
}
