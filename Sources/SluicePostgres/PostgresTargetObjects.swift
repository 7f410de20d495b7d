internal import SluiceCore
internal import SluiceRecords

/// What is in a target already, read once.
struct PostgresTargetObjects {
    private(set) var schemas: Set<Name> = []
    /// `pg_class.relkind` by name: tables, views, sequences, indexes.
    private(set) var relations: [TableName: String] = [:]
    private(set) var types: Set<TableName> = []
    private(set) var routines: Set<TableName> = []
    private(set) var roles: Set<Name> = []

    /// Objects of extensions and of the server itself are nobody's to replace.
    init(_ connection: PostgresConnection) throws(Failure) {
        for name in try PostgresTargetObjects.names(
            "SELECT nspname FROM pg_namespace", on: connection)
        {
            schemas.insert(name)
        }
        for name in try PostgresTargetObjects.names("SELECT rolname FROM pg_roles", on: connection)
        {
            roles.insert(name)
        }
        let found = try connection.query(
            """
            SELECT n.nspname, c.relname, c.relkind FROM pg_class AS c
            JOIN pg_namespace AS n ON n.oid = c.relnamespace
            WHERE \(PostgresTargetObjects.filter("c.oid", "pg_class"))
            """)
        for row in found.rows {
            let name = TableName(schema: try found.name(row, 0), try found.name(row, 1))
            relations[name] = found.text(row, 2)
        }
        // Every table has a type of its own, and every type one for arrays of it.
        types = try PostgresTargetObjects.pairs(
            """
            SELECT n.nspname, t.typname FROM pg_type AS t
            JOIN pg_namespace AS n ON n.oid = t.typnamespace
            LEFT JOIN pg_class AS c ON c.oid = t.typrelid
            WHERE (c.oid IS NULL OR c.relkind = 'c') AND t.typcategory <> 'A'
                AND \(PostgresTargetObjects.filter("t.oid", "pg_type"))
            """, on: connection)
        routines = try PostgresTargetObjects.pairs(
            """
            SELECT n.nspname, p.proname FROM pg_proc AS p
            JOIN pg_namespace AS n ON n.oid = p.pronamespace
            WHERE \(PostgresTargetObjects.filter("p.oid", "pg_proc"))
            """, on: connection)
    }

    private static func filter(_ number: String, _ catalog: String) -> String {
        """
        n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast', 'sluice')
            AND n.nspname NOT LIKE 'pg\\_temp\\_%' AND n.nspname NOT LIKE 'pg\\_toast\\_temp\\_%'
            AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = '\(catalog)'::regclass
                AND d.objid = \(number) AND d.deptype = 'e')
        """
    }

    private static func names(
        _ sql: String, on connection: PostgresConnection
    ) throws(Failure) -> [Name] {
        let found = try connection.query(sql)
        var names: [Name] = []
        for row in found.rows { names.append(try found.name(row, 0)) }
        return names
    }

    private static func pairs(
        _ sql: String, on connection: PostgresConnection
    ) throws(Failure) -> Set<TableName> {
        let found = try connection.query(sql)
        var pairs: Set<TableName> = []
        for row in found.rows {
            pairs.insert(TableName(schema: try found.name(row, 0), try found.name(row, 1)))
        }
        return pairs
    }

    /// What stands where an object is to be made, as messages name it.
    func obstacle(to drop: PostgresDrop) -> String? {
        guard let name = PostgresStatement.name(of: drop.identity) else { return nil }
        if drop.isRelation {
            return relations[name].map { "\(PostgresTargetObjects.word($0)) \(name)" }
        }
        if drop.isType, types.contains(name) || relations[name] == "c" { return "type \(name)" }
        if drop.isRoutine, routines.contains(name) { return "\(drop.kind.lowercased()) \(name)" }
        return nil
    }

    static func word(_ kind: String) -> String {
        switch kind {
        case "r", "p": "table"
        case "v": "view"
        case "m": "materialized view"
        case "S": "sequence"
        case "f": "foreign table"
        case "i", "I": "index"
        default: "type"
        }
    }
}
