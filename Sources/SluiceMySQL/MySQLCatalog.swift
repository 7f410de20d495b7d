internal import SluiceCore
internal import SluiceRecords

/// What a database consists of as far as its rows go, read in a few statements whatever the number
/// of tables.
struct MySQLCatalog: Sendable {
    /// By name.
    private(set) var tables: [MySQLTable] = []
    private var places: [Name: Int] = [:]
    private(set) var warnings: [String] = []
    /// Every table, those that are not wanted included, as the engine sees them.
    private(set) var sourceTables: [SourceTable] = []
    private let flavor: MySQLFlavor

    /// Engines that keep no rows of their own: elsewhere, in other tables, or nowhere.
    static let hollowEngines: Set<String> = [
        "MRG_MYISAM", "MRG_MyISAM", "FEDERATED", "CONNECT", "SPIDER", "BLACKHOLE", "SEQUENCE",
        "PERFORMANCE_SCHEMA", "OQGRAPH", "SPHINX",
    ]

    /// - Parameter wants: which tables will be read; of others nothing is known afterwards.
    init(
        reading connection: MySQLConnection, wants: (SourceTable) -> Bool
    ) throws(Failure) {
        flavor = connection.flavor
        try readTables(connection, wants)
        let json = try MySQLCatalog.jsonColumns(connection)
        try readColumns(connection, json)
        try readIndexes(connection)
        try readForeignKeys(connection)
        try readChecks(connection, json)
        omitKeysToVersions()
    }

    /// Where former versions are rows like others, nothing of them is unique but with its end.
    private mutating func omitKeysToVersions() {
        let versioned = Set(tables.filter(\.isVersioned).map(\.name))
        for place in tables.indices {
            let keys = tables[place].foreignKeys
            tables[place].foreignKeys = keys.filter { !versioned.contains($0.table) }
            tables[place].omissions += keys.filter { versioned.contains($0.table) }.map {
                "foreign key \($0.name ?? ""), whose other table keeps former versions"
            }
        }
    }

    func table(_ name: TableName) -> MySQLTable? {
        guard name.schema == nil else { return nil }
        return places[name.table].map { tables[$0] }
    }

    /// Applies `body` to the table of this name, if it is wanted.
    private mutating func change(_ name: Name, _ body: (inout MySQLTable) -> Void) {
        guard let place = places[name] else { return }
        body(&tables[place])
    }

    private mutating func readTables(
        _ connection: MySQLConnection, _ wants: (SourceTable) -> Bool
    ) throws(Failure) {
        let rows = try connection.query(
            """
            SELECT t.TABLE_NAME, t.TABLE_TYPE, t.ENGINE, t.TABLE_ROWS, t.DATA_LENGTH,
                t.CREATE_OPTIONS, t.TABLE_COMMENT, e.TRANSACTIONS
            FROM information_schema.TABLES t
                LEFT JOIN information_schema.ENGINES e ON e.ENGINE = t.ENGINE
            WHERE t.TABLE_SCHEMA = DATABASE()
                AND t.TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED')
            ORDER BY BINARY t.TABLE_NAME
            """)
        for row in rows.rows {
            let name = try rows.name(row, 0)
            guard !name.isSluice else { continue }
            var source = SourceTable(name: TableName(name), estimatedRows: 0, estimatedBytes: 0)
            guard wants(source) else {
                sourceTables.append(source)
                continue
            }
            guard let engine = rows.optionalText(row, 2) else {
                throw Failure(
                    .refused, "the table \(name) cannot be opened by the server",
                    hint: "Repair it, or leave it out with --exclude \(name).")
            }
            if MySQLCatalog.hollowEngines.contains(engine) {
                warnings.append(
                    "table \(name): only its definition is moved; engine \(engine) keeps its rows "
                        + "elsewhere")
                continue
            }
            let table = MySQLTable(
                name: TableName(name), engine: engine,
                isTransactional: rows.text(row, 7) == "YES",
                isPartitioned: rows.text(row, 5).contains("partitioned"),
                isVersioned: rows.text(row, 1) == "SYSTEM VERSIONED",
                byteCount: rows.integer(row, 4), rowCount: rows.integer(row, 3),
                comment: rows.optionalText(row, 6).flatMap { $0.isEmpty ? nil : $0 })
            places[name] = tables.count
            tables.append(table)
            source.estimatedRows = table.rowCount
            source.estimatedBytes = table.byteCount
            sourceTables.append(source)
        }
    }

    private mutating func readColumns(
        _ connection: MySQLConnection, _ json: [Name: Set<Name>]
    ) throws(Failure) {
        let rows = try connection.query(
            """
            SELECT c.TABLE_NAME, c.COLUMN_NAME, c.DATA_TYPE, c.COLUMN_TYPE, c.CHARACTER_SET_NAME,
                c.COLLATION_NAME, c.NUMERIC_PRECISION, c.NUMERIC_SCALE, c.IS_NULLABLE, c.EXTRA,
                c.GENERATION_EXPRESSION, c.COLUMN_DEFAULT, c.COLUMN_COMMENT
            FROM information_schema.COLUMNS c
            WHERE c.TABLE_SCHEMA = DATABASE()
            ORDER BY c.TABLE_NAME, c.ORDINAL_POSITION
            """)
        for row in rows.rows {
            let table = try rows.name(row, 0)
            guard let place = places[table] else { continue }
            let name = try rows.name(row, 1)
            let extra = rows.text(row, 9).uppercased()
            let description = MySQLColumnType.Description(
                name: rows.text(row, 2).lowercased(), declared: rows.text(row, 3),
                characterSet: rows.optionalText(row, 4), precision: rows.integer(row, 6),
                scale: rows.isNull(row, 7) ? nil : rows.integer(row, 7),
                isJSON: json[table]?.contains(name) ?? false)
            let value = try description.known(as: name, of: table)
            let expression = rows.text(row, 10)
            let isPeriod = expression == "ROW START" || expression == "ROW END"
            if isPeriod { try tables[place].setPeriod(name, expression, description) }
            let isGenerated =
                !isPeriod
                && (extra.contains("VIRTUAL") || extra.contains("STORED")
                    || extra.contains("PERSISTENT") || !expression.isEmpty)
            let preset = MySQLDefault(
                rows.optionalText(row, 11), isExpression: extra.contains("DEFAULT_GENERATED"),
                type: description.name, flavor)
            tables[place].columns.append(
                MySQLColumn(
                    name: name, declared: description.shown(collation: rows.optionalText(row, 5)),
                    value: value,
                    isNullable: !isPeriod && rows.text(row, 8) == "YES",
                    isGenerated: isGenerated,
                    isIdentity: extra.contains("AUTO_INCREMENT"),
                    isInvisible: extra.contains("INVISIBLE"),
                    characterSet: description.characterSet, collation: rows.optionalText(row, 5),
                    defaultLiteral: preset.literal, hasOtherDefault: preset.isOther && !isGenerated,
                    comment: rows.optionalText(row, 12).flatMap { $0.isEmpty ? nil : $0 }))
            if extra.contains("ON UPDATE") {
                tables[place].omissions.append("ON UPDATE of \(name)")
            }
        }
        for place in tables.indices {
            tables[place].addPeriod()
            tables[place].addOmissions()
        }
    }

    private mutating func readIndexes(_ connection: MySQLConnection) throws(Failure) {
        let rows = try connection.query(
            """
            SELECT s.TABLE_NAME, s.INDEX_NAME, s.NON_UNIQUE, s.COLUMN_NAME, s.SUB_PART,
                s.COLLATION, s.INDEX_TYPE, \(flavor.ignoredIndex)
            FROM information_schema.STATISTICS s
            WHERE s.TABLE_SCHEMA = DATABASE()
            ORDER BY s.TABLE_NAME, s.INDEX_NAME <> 'PRIMARY', s.INDEX_NAME, s.SEQ_IN_INDEX
            """)
        for row in rows.rows {
            let name = try rows.name(row, 1)
            let part = MySQLIndexPart(
                column: rows.isNull(row, 3) ? nil : try rows.name(row, 3),
                prefix: rows.isNull(row, 4) ? nil : rows.integer(row, 4),
                isDescending: rows.text(row, 5) == "D")
            let isUnique = rows.integer(row, 2) == 0
            let (kind, isIgnored) = (rows.text(row, 6), rows.integer(row, 7) == 1)
            change(try rows.name(row, 0)) { table in
                if table.indexes.last?.name == name {
                    table.indexes[table.indexes.count - 1].parts.append(part)
                } else {
                    table.indexes.append(
                        MySQLIndex(
                            name: name, parts: [part], isUnique: isUnique, kind: kind,
                            isIgnored: isIgnored))
                }
            }
        }
    }

    private mutating func readForeignKeys(_ connection: MySQLConnection) throws(Failure) {
        let rows = try connection.query(
            """
            SELECT k.TABLE_NAME, k.CONSTRAINT_NAME, k.COLUMN_NAME, k.REFERENCED_TABLE_SCHEMA,
                k.REFERENCED_TABLE_NAME, k.REFERENCED_COLUMN_NAME, r.DELETE_RULE, r.UPDATE_RULE,
                k.REFERENCED_TABLE_SCHEMA = DATABASE()
            FROM information_schema.KEY_COLUMN_USAGE k
                JOIN information_schema.REFERENTIAL_CONSTRAINTS r
                    ON r.CONSTRAINT_SCHEMA = k.CONSTRAINT_SCHEMA
                    AND r.CONSTRAINT_NAME = k.CONSTRAINT_NAME AND r.TABLE_NAME = k.TABLE_NAME
            WHERE k.TABLE_SCHEMA = DATABASE() AND k.REFERENCED_TABLE_NAME IS NOT NULL
            ORDER BY k.TABLE_NAME, k.CONSTRAINT_NAME, k.ORDINAL_POSITION
            """)
        for row in rows.rows {
            let (table, name) = (try rows.name(row, 0), try rows.name(row, 1))
            guard rows.integer(row, 8) == 1 else {
                change(table) { table in
                    let omission = "foreign key \(name), which is to another database"
                    if !table.omissions.contains(omission) { table.omissions.append(omission) }
                }
                continue
            }
            let (column, other) = (try rows.name(row, 2), try rows.name(row, 5))
            let otherTable = TableName(try rows.name(row, 4))
            let (onDelete, onUpdate) = (rows.text(row, 6), rows.text(row, 7))
            change(table) { table in
                if table.foreignKeys.last?.name == name {
                    table.foreignKeys[table.foreignKeys.count - 1].columns.append(column)
                    table.foreignKeys[table.foreignKeys.count - 1].otherColumns.append(other)
                } else {
                    table.foreignKeys.append(
                        TableDefinition.ForeignKey(
                            name: name, columns: [column], table: otherTable,
                            otherColumns: [other], onDelete: onDelete, onUpdate: onUpdate))
                }
            }
        }
    }
}

// MARK: Checks

extension MySQLCatalog {
    private static func checks(
        _ connection: MySQLConnection
    ) throws(Failure) -> [(table: Name, name: Name, clause: String)] {
        let rows = try connection.query(
            connection.flavor.isMariaDB
                ? """
                SELECT TABLE_NAME, CONSTRAINT_NAME, CHECK_CLAUSE
                FROM information_schema.CHECK_CONSTRAINTS
                WHERE CONSTRAINT_SCHEMA = DATABASE() ORDER BY TABLE_NAME, CONSTRAINT_NAME
                """
                : """
                SELECT t.TABLE_NAME, c.CONSTRAINT_NAME, c.CHECK_CLAUSE
                FROM information_schema.CHECK_CONSTRAINTS c
                    JOIN information_schema.TABLE_CONSTRAINTS t
                        ON t.CONSTRAINT_SCHEMA = c.CONSTRAINT_SCHEMA
                        AND t.CONSTRAINT_NAME = c.CONSTRAINT_NAME
                WHERE c.CONSTRAINT_SCHEMA = DATABASE()
                ORDER BY t.TABLE_NAME, c.CONSTRAINT_NAME
                """)
        var checks: [(table: Name, name: Name, clause: String)] = []
        for row in rows.rows {
            checks.append((try rows.name(row, 0), try rows.name(row, 1), rows.text(row, 2)))
        }
        return checks
    }

    /// MariaDB makes a text with a CHECK of a JSON column, and names it after the column.
    private static func isJSON(_ check: (table: Name, name: Name, clause: String)) -> Bool {
        check.clause == "json_valid(\(check.name.quoted))"
    }

    /// Which columns of which tables only take valid JSON.
    private static func jsonColumns(
        _ connection: MySQLConnection
    ) throws(Failure) -> [Name: Set<Name>] {
        guard !connection.flavor.hasJSONType else { return [:] }
        var found: [Name: Set<Name>] = [:]
        for check in try checks(connection) where isJSON(check) {
            found[check.table, default: []].insert(check.name)
        }
        return found
    }

    private mutating func readChecks(
        _ connection: MySQLConnection, _ json: [Name: Set<Name>]
    ) throws(Failure) {
        for check in try MySQLCatalog.checks(connection) {
            if json[check.table]?.contains(check.name) == true, MySQLCatalog.isJSON(check) {
                continue
            }
            change(check.table) { $0.omissions.append("check \(check.name)") }
        }
    }
}

extension MySQLTable {
    /// A declared column of the period.
    fileprivate mutating func setPeriod(
        _ column: Name, _ expression: String, _ type: MySQLColumnType.Description
    ) throws(Failure) {
        guard type.name == "timestamp" else {
            throw Failure(
                .refused,
                "table \(name) keeps its versions by transactions, which only its own "
                    + "server knows",
                hint: "Leave it out with --exclude \(name).")
        }
        var known = period ?? Period(start: column, end: column)
        if expression == "ROW START" { known.start = column } else { known.end = column }
        period = known
    }

    /// The columns of a period that nobody declared: they are there, and nowhere listed.
    fileprivate mutating func addPeriod() {
        guard isVersioned, period == nil else { return }
        let hidden = Period(start: "row_start", end: "row_end")
        period = hidden
        let type = MySQLColumnType.Description(
            name: "timestamp", declared: "timestamp(6)", characterSet: nil, precision: 0)
        guard let value = MySQLColumnType(type) else { return }
        for name in [hidden.start, hidden.end] {
            columns.append(
                MySQLColumn(
                    name: name, declared: type.declared, value: value, isNullable: false,
                    isGenerated: false, isIdentity: false, isInvisible: true,
                    hasOtherDefault: false))
        }
    }

    /// What other engines have no words for, as far as it is the table's own.
    fileprivate mutating func addOmissions() {
        omissions += MySQLCollations.omissions(
            storedColumns.filter { $0.value.type == .text }.map { ($0.name, $0.collation) })
        if isPartitioned { omissions.append("partitions") }
        if isVersioned { omissions.append("system versioning") }
    }
}
