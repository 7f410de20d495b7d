internal import SluiceCore
internal import SluiceRecords

/// One column of a table in a target.
struct PostgresTargetColumn: Sendable {
    var name: Name
    /// As the server prints its type.
    var declared: String
    var storage: PostgresStorage
    /// Its place in the table's row, as the catalogue counts them.
    var number: Int
    /// Of its type, or the type below its domain: `atttypmod`.
    var modifier: Int
    /// Its type has rules of its own.
    var isDomain: Bool
    /// What stands for it in a select list when it is read back.
    var selected: String
    var isNotNull: Bool
    var hasDefault: Bool
    var isGenerated: Bool

    /// Digits that it keeps of a fraction of a second; the server rounds to them.
    var digits: Int { PostgresTargetColumn.digits(storage, modifier) }

    static func digits(_ storage: PostgresStorage, _ modifier: Int) -> Int {
        switch storage {
        case .time, .timestamp, .localTimestamp: (0...6).contains(modifier) ? modifier : 6
        default: 6
        }
    }
}

/// One table, view or the like in a target, with its columns in their order.
struct PostgresTargetTable: Sendable {
    var number: Int
    /// `pg_class.relkind`.
    var kind: String
    /// Blocks of 8 KiB that it takes now.
    var blockCount: Int
    var columns: [PostgresTargetColumn]

    /// The column that a column of the source's name is loaded into.
    func column(_ name: Name) -> PostgresTargetColumn? {
        columns.first { $0.name == name.asColumn }
    }

    var isTable: Bool { kind == "r" || kind == "p" || kind == "f" }
    var isPartitioned: Bool { kind == "p" }

    /// Nothing where there is no such relation.
    static func find(
        _ name: TableName, on connection: PostgresConnection
    ) throws(Failure) -> PostgresTargetTable? {
        let relation = try connection.query(
            """
            SELECT c.oid, c.relkind, CASE WHEN c.relkind IN ('r', 'm') THEN
                pg_relation_size(c.oid) / current_setting('block_size')::int8 ELSE 0 END
            FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
            WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S')
            """, [(name.schema ?? "public").text, name.table.text])
        guard relation.rowCount > 0 else { return nil }
        return PostgresTargetTable(
            number: relation.integer(0, 0), kind: relation.text(0, 1),
            blockCount: relation.integer(0, 2),
            columns: try columns(of: relation.integer(0, 0), on: connection))
    }

    /// The number of a relation of any kind; nothing where there is none.
    static func number(
        of name: TableName, on connection: PostgresConnection
    ) throws(Failure) -> Int? {
        try connection.integer(
            """
            SELECT c.oid FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
            WHERE n.nspname = $1 AND c.relname = $2
            """, [(name.schema ?? "public").text, name.table.text])
    }

    private static func columns(
        of number: Int, on connection: PostgresConnection
    ) throws(Failure) -> [PostgresTargetColumn] {
        // Of a domain it is the base type that says how a value is written.
        let rows = try connection.query(
            """
            SELECT a.attname, format_type(a.atttypid, a.atttypmod), t.typname,
                t.typnamespace = 'pg_catalog'::regnamespace AND t.typtype = 'b', t.typtype,
                b.modifier, t.typoutput::regproc, a.attnotnull,
                a.atthasdef OR a.attidentity <> '', a.attgenerated <> '',
                (SELECT CASE WHEN p.proargtypes[0] <> t.oid
                    AND p.proargtypes[0] NOT IN (SELECT oid FROM pg_type WHERE typtype = 'p')
                    THEN format_type(p.proargtypes[0], NULL) END
                    FROM pg_proc AS p WHERE p.oid = t.typoutput),
                a.attnum, b.type <> a.atttypid
            FROM pg_attribute AS a
            CROSS JOIN LATERAL (
                WITH RECURSIVE base(type, modifier) AS (
                    SELECT a.atttypid, a.atttypmod
                    UNION ALL SELECT d.typbasetype, d.typtypmod FROM base
                    JOIN pg_type AS d ON d.oid = base.type AND d.typtype = 'd')
                SELECT base.type, base.modifier FROM base
                JOIN pg_type AS d ON d.oid = base.type AND d.typtype <> 'd') AS b
            JOIN pg_type AS t ON t.oid = b.type
            WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped
            ORDER BY a.attnum
            """, [String(number)])
        var columns: [PostgresTargetColumn] = []
        for row in rows.rows {
            let name = try rows.name(row, 0)
            let typeName = rows.text(row, 2)
            let storage =
                rows.text(row, 4) == "e"
                ? PostgresStorage.label
                : rows.boolean(row, 3)
                    ? PostgresStorage(builtIn: typeName, modifier: rows.integer(row, 5)) : .other
            var selected = name.quoted
            if storage == .other {
                // As the source's side asks for it: what some types have in common is printed by
                // the function of one of them.
                let cast = rows.optionalText(row, 10).map { "::\($0)" } ?? ""
                selected =
                    rows.boolean(row, 3) && typeName == "xml"
                    ? "\(selected)::text"
                    : "pg_catalog.textin(\(rows.text(row, 6))(\(selected)\(cast)))"
            }
            columns.append(
                PostgresTargetColumn(
                    name: name, declared: rows.text(row, 1), storage: storage,
                    number: rows.integer(row, 11), modifier: rows.integer(row, 5),
                    isDomain: rows.boolean(row, 12),
                    selected: selected, isNotNull: rows.boolean(row, 7),
                    hasDefault: rows.boolean(row, 8), isGenerated: rows.boolean(row, 9)))
        }
        return columns
    }
}

extension Name {
    /// PostgreSQL has no empty names: a column without one gets this.
    var asColumn: Name { utf8.isEmpty ? "_" : self }
}
