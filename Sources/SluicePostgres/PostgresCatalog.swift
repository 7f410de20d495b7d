internal import SluiceCore
internal import SluiceRecords

/// What a database consists of as far as its rows go, read in a few statements whatever the number
/// of tables.
struct PostgresCatalog: Sendable {
    /// In the order they were made.
    private(set) var tables: [PostgresTable] = []
    private var places: [TableName: Int] = [:]
    private var placesByNumber: [Int: Int] = [:]
    private(set) var sequences: [Sequence] = []
    private(set) var warnings: [String] = []
    private(set) var subset = PostgresSubset()
    /// Every table, those that are not wanted included, as the engine sees them.
    private(set) var sourceTables: [SourceTable] = []
    /// The database takes text that is not UTF-8 for what it is.
    let takesAnyBytes: Bool

    /// Where a counter stands.
    struct Sequence: Sendable {
        var name: TableName
        var lastValue: String
        var isCalled: Bool
    }

    /// Schemas of the server itself, of sessions, and our own.
    static let foreignSchemas =
        "n.nspname NOT IN ('pg_catalog', 'information_schema', 'sluice') "
        + "AND n.nspname NOT LIKE 'pg\\_toast%' AND n.nspname NOT LIKE 'pg\\_temp\\_%'"

    /// Where the server keeps the content of large objects: a table like any other to us.
    static let largeObjects = TableName(schema: "pg_catalog", "pg_largeobject")

    /// Of `pg_class c` and `pg_namespace n`: what has rows that are exported.
    static let isTable =
        "(c.relkind = 'r' AND c.relpersistence <> 't' AND \(foreignSchemas) "
        + "AND \(isNotOfExtension("c.oid", "pg_class")) "
        + "OR c.oid = 'pg_largeobject'::regclass "
        + "AND EXISTS (SELECT 1 FROM pg_largeobject_metadata))"

    /// Of `pg_class c` and `pg_namespace n`: whatever may belong to such a table.
    private static let mayBeTable =
        "(\(foreignSchemas) OR c.oid = 'pg_largeobject'::regclass)"

    /// Objects that come with an extension, and are made by it.
    static func isNotOfExtension(_ number: String, _ catalog: String) -> String {
        "NOT EXISTS (SELECT 1 FROM pg_depend e WHERE e.classid = '\(catalog)'::regclass "
            + "AND e.objid = \(number) AND e.deptype = 'e')"
    }

    /// - Parameter wants: which tables will be read; of others nothing is known afterwards.
    init(
        reading connection: PostgresConnection, wants: (SourceTable) -> Bool
    ) throws(Failure) {
        takesAnyBytes = try connection.text("SHOW server_encoding") == "SQL_ASCII"
        let unwanted = try readTables(connection, wants)
        subset = try PostgresSubset(without: unwanted, reading: connection)
        let types = try PostgresTypes(reading: connection)
        try readColumns(connection, types)
        try readKeys(connection)
        try readForeignKeys(connection)
        try readOmissions(connection)
        try readSequences(connection)
        try readWarnings(connection)
    }

    func table(_ name: TableName) -> PostgresTable? { places[name].map { tables[$0] } }

    /// Returns the numbers of those that are not wanted.
    private mutating func readTables(
        _ connection: PostgresConnection, _ wants: (SourceTable) -> Bool
    ) throws(Failure) -> [Int] {
        let wholes = try PostgresWholes.read(connection)
        let rows = try connection.query(
            """
            SELECT c.oid, n.nspname, c.relname, 
                pg_relation_size(c.oid) / current_setting('block_size')::int8,
                pg_table_size(c.oid), c.relpages, c.reltuples::int8,
                (SELECT a.amname = 'heap' FROM pg_am a WHERE a.oid = c.relam),
                c.relpersistence = 'u',
                c.relreplident IN ('f', 'i') OR c.relreplident = 'd' AND EXISTS (
                    SELECT 1 FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary)
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE \(PostgresCatalog.isTable)
            ORDER BY c.oid
            """)
        var unwanted: [Int] = []
        for row in rows.rows {
            let name = TableName(schema: try rows.name(row, 1), try rows.name(row, 2))
            var source = SourceTable(
                name: name, estimatedRows: 0, estimatedBytes: 0,
                wholes: wholes[rows.integer(row, 0)] ?? [])
            guard wants(source) else {
                unwanted.append(rows.integer(row, 0))
                sourceTables.append(source)
                continue
            }
            let blocks = rows.integer(row, 3)
            let table = PostgresTable(
                oid: rows.integer(row, 0), name: name, blockCount: blocks,
                byteCount: rows.integer(row, 4),
                rowCount: PostgresCatalog.estimate(
                    blocks: blocks, knownBlocks: rows.integer(row, 5),
                    knownRows: rows.integer(row, 6)),
                // Older servers read the whole table for each range.
                hasBlockRanges: rows.boolean(row, 7) && connection.version >= 140_000,
                isUnlogged: rows.boolean(row, 8), hasReplicaIdentity: rows.boolean(row, 9))
            places[name] = tables.count
            placesByNumber[table.oid] = tables.count
            tables.append(table)
            source.estimatedRows = table.rowCount
            source.estimatedBytes = table.byteCount
            sourceTables.append(source)
        }
        return unwanted
    }

    /// Statistics may be missing (-1) or of another day.
    static func estimate(blocks: Int, knownBlocks: Int, knownRows: Int) -> Int {
        guard knownRows >= 0, knownBlocks > 0 else { return min(blocks, 1 << 40) * 60 }
        return Int(Double(knownRows) / Double(knownBlocks) * Double(blocks))
    }

    private mutating func readColumns(
        _ connection: PostgresConnection, _ types: PostgresTypes
    ) throws(Failure) {
        let rows = try connection.query(
            """
            SELECT a.attrelid, a.attname, a.atttypid, a.atttypmod, a.attnotnull,
                a.attgenerated <> '', a.attidentity <> '',
                format_type(a.atttypid, a.atttypmod), pg_get_expr(d.adbin, d.adrelid),
                col_description(a.attrelid, a.attnum),
                a.attcollation <> t.typcollation
            FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
                JOIN pg_type t ON t.oid = a.atttypid
                JOIN pg_namespace n ON n.oid = c.relnamespace
                LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
            WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind = 'r'
                AND \(PostgresCatalog.mayBeTable)
            ORDER BY a.attrelid, a.attnum
            """)
        for row in rows.rows {
            guard let place = placesByNumber[rows.integer(row, 0)] else { continue }
            let defaultText = rows.optionalText(row, 8)
            let isGenerated = rows.boolean(row, 5)
            let name = try rows.name(row, 1)
            tables[place].columns.append(
                PostgresColumn(
                    name: name, declared: rows.text(row, 7),
                    value: try types.columnType(
                        rows.integer(row, 2), modifier: rows.integer(row, 3)),
                    isNullable: !rows.boolean(row, 4), isGenerated: isGenerated,
                    isIdentity: rows.boolean(row, 6)
                        || !isGenerated && defaultText?.hasPrefix("nextval(") == true,
                    defaultText: defaultText, comment: rows.optionalText(row, 9)))
            if rows.boolean(row, 10) {
                tables[place].omissions.append("the collation of \(name)")
            }
        }
    }

    private mutating func readSequences(_ connection: PostgresConnection) throws(Failure) {
        let names = try connection.query(
            """
            SELECT n.nspname, c.relname
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind = 'S' AND c.relpersistence <> 't'
                AND \(PostgresCatalog.foreignSchemas)
                AND \(PostgresCatalog.isNotOfExtension("c.oid", "pg_class"))
            ORDER BY c.oid
            """)
        // A sequence is a table of one row; many are read at once.
        let limit = 200
        var first = 0
        while first < names.rowCount {
            var found: [TableName] = []
            for row in first..<min(first + limit, names.rowCount) {
                found.append(
                    TableName(schema: try names.name(row, 0), try names.name(row, 1)))
            }
            first += limit
            let parts = found.enumerated().map { place, name in
                "SELECT \(place), last_value, is_called FROM \(name.quoted)"
            }
            let values = try connection.query(parts.joined(separator: " UNION ALL "))
            for row in values.rows {
                sequences.append(
                    Sequence(
                        name: found[values.integer(row, 0)], lastValue: values.text(row, 1),
                        isCalled: values.boolean(row, 2)))
            }
        }
    }
}

extension PostgresCatalog {
    private mutating func readWarnings(_ connection: PostgresConnection) throws(Failure) {
        let subscriptions = try connection.query(
            """
            SELECT s.subname FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid
            WHERE d.datname = current_database() ORDER BY s.subname
            """)
        for row in subscriptions.rows {
            warnings.append(
                "subscription \(subscriptions.text(row, 0)) is not moved: its definition holds a "
                    + "password, and two subscribers of one slot would take each other's changes")
        }
        let others = try connection.query(
            """
            SELECT n.nspname, c.relname
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind = 'f' AND \(PostgresCatalog.foreignSchemas)
                AND \(PostgresCatalog.isNotOfExtension("c.oid", "pg_class"))
            ORDER BY c.oid
            """)
        for row in others.rows {
            let name = TableName(schema: try others.name(row, 0), try others.name(row, 1))
            warnings.append(
                "foreign table \(name): only its definition is moved; its rows are elsewhere")
        }
        let configured = try connection.query(
            """
            SELECT x.extname, n.nspname, c.relname
            FROM pg_extension x, unnest(x.extconfig) AS t(oid)
                JOIN pg_class c ON c.oid = t.oid JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind = 'r' ORDER BY c.oid
            """)
        for row in configured.rows {
            let name = TableName(schema: try configured.name(row, 1), try configured.name(row, 2))
            warnings.append(
                "table \(name) belongs to the extension \(configured.text(row, 0)): its rows are "
                    + "not moved")
        }
    }

    /// What belongs to the database but is no object, for the target.
    var settings: JSON {
        [
            "sequences": .array(
                sequences.filter { !subset.sequences.contains($0.name) }.map { sequence in
                    [
                        "schema": JSON(sequence.name.schema?.text),
                        "name": .string(sequence.name.table.text),
                        "last": .string(sequence.lastValue), "called": .bool(sequence.isCalled),
                    ]
                })
        ]
    }

    /// Applies `body` to the table of this number, if it is wanted.
    private mutating func change(_ number: Int, _ body: (inout PostgresTable) -> Void) {
        guard let place = placesByNumber[number] else { return }
        body(&tables[place])
    }
}

// MARK: Keys, indexes and what no other engine has words for

extension PostgresCatalog {
    /// Numbers of columns, as arrays and vectors of them are printed.
    private func names(_ text: String, of number: Int, _ all: [Int: [Int: Name]]) -> [Name]? {
        let numbers = text.split { !"-0123456789".contains($0) }.compactMap { Int($0) }
        let names = numbers.compactMap { all[number]?[$0] }
        return names.count == numbers.count ? names : nil
    }

    private func columnNames(
        _ connection: PostgresConnection
    ) throws(Failure) -> [Int: [Int: Name]] {
        let rows = try connection.query(
            """
            SELECT a.attrelid, a.attnum, a.attname
            FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
                JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p')
                AND \(PostgresCatalog.mayBeTable)
            """)
        var names: [Int: [Int: Name]] = [:]
        for row in rows.rows {
            names[rows.integer(row, 0), default: [:]][rows.integer(row, 1)] =
                try rows.name(row, 2)
        }
        return names
    }

    private mutating func readKeys(_ connection: PostgresConnection) throws(Failure) {
        let all = try columnNames(connection)
        let rows = try connection.query(
            """
            SELECT i.indrelid, x.relname, i.indisprimary, i.indisunique,
                i.indexprs IS NOT NULL, i.indpred IS NOT NULL,
                (SELECT string_agg(k.n::text, ' ' ORDER BY k.o)
                    FROM unnest(i.indkey) WITH ORDINALITY k(n, o) WHERE k.o <= i.indnkeyatts),
                m.amname
            FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
                JOIN pg_class c ON c.oid = i.indrelid JOIN pg_am m ON m.oid = x.relam
                JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind = 'r' AND \(PostgresCatalog.mayBeTable)
            ORDER BY i.indexrelid
            """)
        for row in rows.rows {
            let number = rows.integer(row, 0)
            let name = try rows.name(row, 1)
            let isPlain = !rows.boolean(row, 4) && !rows.boolean(row, 5)
            guard isPlain, let columns = names(rows.text(row, 6), of: number, all),
                ["btree", "hash"].contains(rows.text(row, 7))
            else {
                change(number) { $0.omissions.append("index \(name)") }
                continue
            }
            let (isPrimary, isUnique) = (rows.boolean(row, 2), rows.boolean(row, 3))
            change(number) { table in
                if isPrimary {
                    table.primaryKey = columns
                } else {
                    table.indexes.append(
                        TableDefinition.Index(name: name, columns: columns, isUnique: isUnique))
                }
            }
        }
    }

    private mutating func readForeignKeys(_ connection: PostgresConnection) throws(Failure) {
        let all = try columnNames(connection)
        let rows = try connection.query(
            """
            SELECT k.conrelid, k.conname, k.conkey, f.nspname, o.relname, k.confrelid, k.confkey,
                k.confdeltype, k.confupdtype
            FROM pg_constraint k JOIN pg_class o ON o.oid = k.confrelid
                JOIN pg_namespace f ON f.oid = o.relnamespace
                JOIN pg_class c ON c.oid = k.conrelid
                JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE k.contype = 'f' AND c.relkind = 'r' AND \(PostgresCatalog.foreignSchemas)
            ORDER BY k.oid
            """)
        for row in rows.rows {
            let number = rows.integer(row, 0)
            let other = rows.integer(row, 5)
            guard let columns = names(rows.text(row, 2), of: number, all),
                let otherColumns = names(rows.text(row, 6), of: other, all)
            else { continue }
            let key = TableDefinition.ForeignKey(
                name: try rows.name(row, 1), columns: columns,
                table: TableName(schema: try rows.name(row, 3), try rows.name(row, 4)),
                otherColumns: otherColumns, onDelete: PostgresCatalog.action(rows.text(row, 7)),
                onUpdate: PostgresCatalog.action(rows.text(row, 8)))
            change(number) { $0.foreignKeys.append(key) }
        }
    }

    private static func action(_ code: String) -> String {
        switch code {
        case "c": "CASCADE"
        case "n": "SET NULL"
        case "d": "SET DEFAULT"
        case "r": "RESTRICT"
        default: "NO ACTION"
        }
    }

    private mutating func readOmissions(_ connection: PostgresConnection) throws(Failure) {
        let rows = try connection.query(
            """
            SELECT c.oid, CASE k.contype WHEN 'c' THEN 'CHECK constraint '
                WHEN 'x' THEN 'exclusion constraint ' ELSE 'trigger ' END || k.conname
            FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
                JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE k.contype IN ('c', 'x', 't') AND c.relkind = 'r'
                AND \(PostgresCatalog.foreignSchemas)
            UNION ALL
            SELECT c.oid, 'trigger ' || t.tgname
            FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
                JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE NOT t.tgisinternal AND c.relkind = 'r' AND \(PostgresCatalog.foreignSchemas)
            UNION ALL
            SELECT c.oid, 'policy ' || p.polname
            FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
                JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind = 'r' AND \(PostgresCatalog.foreignSchemas)
            UNION ALL
            SELECT c.oid, CASE WHEN c.relispartition THEN 'being a partition of '
                ELSE 'inheriting from ' END || i.inhparent::regclass
            FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
                JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind = 'r' AND \(PostgresCatalog.foreignSchemas)
            ORDER BY 1, 2
            """)
        for row in rows.rows {
            let what = rows.text(row, 1)
            change(rows.integer(row, 0)) { $0.omissions.append(what) }
        }
    }
}
