internal import SluiceCore
internal import SluiceRecords

/// Partitioned tables of a target and the tables that hold their rows.
struct PostgresPartitions {
    private var leaves: [TableName: Set<TableName>] = [:]

    init(_ connection: PostgresConnection) throws(Failure) {
        let rows = try connection.query(
            """
            SELECT n.nspname, c.relname, m.nspname, l.relname FROM pg_class AS c
            JOIN pg_namespace AS n ON n.oid = c.relnamespace
            LEFT JOIN LATERAL pg_partition_tree(c.oid) AS t ON t.isleaf
            LEFT JOIN pg_class AS l ON l.oid = t.relid AND l.relkind <> 'p'
            LEFT JOIN pg_namespace AS m ON m.oid = l.relnamespace
            WHERE c.relkind = 'p'
            """)
        for row in rows.rows {
            let table = TableName(schema: try rows.name(row, 0), try rows.name(row, 1))
            leaves[table, default: []].formUnion(
                rows.isNull(row, 3)
                    ? [] : [TableName(schema: try rows.name(row, 2), try rows.name(row, 3))])
        }
    }

    /// With each partitioned table all of whose rows are in these tables.
    func withParents(of tables: [TableName]) -> [TableName] {
        let ours = Set(tables)
        let parents = leaves.filter { !ours.contains($0.key) && $0.value.isSubset(of: ours) }
        return tables + parents.keys.sorted()
    }
}
