internal import SluiceCore
internal import SluiceRecords

/// What goes with the tables that were not chosen.
struct PostgresSubset: Sendable {
    /// Relations that `pg_dump` leaves out: the tables, and views that need them.
    private(set) var relations: [TableName] = []
    private(set) var warnings: [String] = []
    /// Counters of those tables.
    private(set) var sequences: Set<TableName> = []
    /// Foreign keys and rules of what stays that need what goes, as `pg_dump` names them, by what
    /// they are on.
    private var parts: [TableName: Set<Name>] = [:]

    init() {}

    /// - Parameter unwanted: the numbers of tables with rows that will not be read.
    init(without unwanted: [Int], reading connection: PostgresConnection) throws(Failure) {
        guard !unwanted.isEmpty else { return }
        let list = unwanted.map(String.init).joined(separator: ",")
        try readRelations(connection, list)
        try readForeignKeys(connection, list)
        try readRules(connection, list)
        try readSequences(connection, list)
    }

    /// A parent stays as long as one of its children is chosen; a partitioned table goes with the
    /// last of its partitions.
    private static func left(_ list: String) -> String {
        """
        WITH RECURSIVE heirs(top, oid) AS (
            SELECT oid, oid FROM pg_class WHERE relkind IN ('r', 'p')
            UNION SELECT h.top, i.inhrelid FROM heirs h JOIN pg_inherits i ON i.inhparent = h.oid
        ), gone(oid) AS (
            SELECT h.top FROM heirs h JOIN pg_class c ON c.oid = h.oid
            GROUP BY h.top HAVING bool_or(c.oid = ANY ('{\(list)}'))
                AND bool_and(c.relkind = 'p' OR c.oid = ANY ('{\(list)}'))
        ), gone_with(oid) AS (
            SELECT oid FROM gone
            UNION SELECT r.ev_class FROM gone_with g
                JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = g.oid
                JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
                    AND r.rulename = '_RETURN'
                JOIN pg_class v ON v.oid = r.ev_class AND v.relkind IN ('v', 'm')
        )
        """
    }

    private mutating func readRelations(
        _ connection: PostgresConnection, _ list: String
    ) throws(Failure) {
        let rows = try connection.query(
            """
            \(PostgresSubset.left(list))
            SELECT n.nspname, c.relname, c.relkind FROM gone_with g
                JOIN pg_class c ON c.oid = g.oid JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname <> 'pg_catalog' ORDER BY c.oid
            """)
        for row in rows.rows {
            let name = TableName(schema: try rows.name(row, 0), try rows.name(row, 1))
            relations.append(name)
            let kind = rows.text(row, 2)
            guard kind == "v" || kind == "m" else { continue }
            warnings.append(
                "\(kind == "v" ? "view" : "materialized view") \(name) is left out: it needs "
                    + "tables that were not chosen")
        }
    }

    private mutating func readForeignKeys(
        _ connection: PostgresConnection, _ list: String
    ) throws(Failure) {
        let rows = try connection.query(
            """
            \(PostgresSubset.left(list))
            SELECT n.nspname, c.relname, k.conname, f.relname FROM gone_with g
                JOIN pg_constraint k ON k.confrelid = g.oid AND k.contype = 'f'
                JOIN pg_class f ON f.oid = k.confrelid
                JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE k.conrelid NOT IN (SELECT oid FROM gone_with) ORDER BY k.oid
            """)
        for row in rows.rows {
            let table = TableName(schema: try rows.name(row, 0), try rows.name(row, 1))
            let name = try rows.name(row, 2)
            parts[table, default: []].insert(Name("\(table.table) \(name)"))
            warnings.append(
                "foreign key \(name) of \(table) is left out: \(rows.text(row, 3)) was not chosen")
        }
    }

    private mutating func readRules(
        _ connection: PostgresConnection, _ list: String
    ) throws(Failure) {
        let rows = try connection.query(
            """
            \(PostgresSubset.left(list))
            SELECT DISTINCT n.nspname, c.relname, r.rulename FROM gone_with g
                JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = g.oid
                JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
                JOIN pg_class c ON c.oid = r.ev_class JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE r.rulename <> '_RETURN' AND c.oid NOT IN (SELECT oid FROM gone_with)
            ORDER BY 1, 2, 3
            """)
        for row in rows.rows {
            let relation = TableName(schema: try rows.name(row, 0), try rows.name(row, 1))
            let name = try rows.name(row, 2)
            parts[relation, default: []].insert(Name("\(relation.table) \(name)"))
            warnings.append(
                "rule \(name) of \(relation) is left out: it needs tables that were not chosen")
        }
    }

    private mutating func readSequences(
        _ connection: PostgresConnection, _ list: String
    ) throws(Failure) {
        let rows = try connection.query(
            """
            \(PostgresSubset.left(list))
            SELECT n.nspname, c.relname FROM gone_with g
                JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = g.oid
                    AND d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
                JOIN pg_class c ON c.oid = d.objid AND c.relkind = 'S'
                JOIN pg_namespace n ON n.oid = c.relnamespace
            """)
        for row in rows.rows {
            sequences.insert(TableName(schema: try rows.name(row, 0), try rows.name(row, 1)))
        }
    }

    /// Whether an object of `pg_dump`'s can be made without the tables that were not chosen.
    func keeps(_ object: SchemaText.Object) -> Bool {
        guard ["FK CONSTRAINT", "RULE"].contains(object.kind), let relation = object.table else {
            return true
        }
        return parts[relation]?.contains(object.name.table) != true
    }
}
