internal import SluiceCore
internal import SluiceRecords

/// The schema as the server's own `SHOW CREATE` prints it.
///
/// Objects whose meaning depends on the session that made them have one line before them, which
/// ends in a semicolon: `SET sql_mode = '…', character_set_client = …, collation_connection = …`.
struct MySQLSchemaText {
    private(set) var text: SchemaText
    private(set) var warnings: [String] = []

    static func read(_ connection: MySQLConnection) throws(Failure) -> MySQLSchemaText {
        var schema = MySQLSchemaText(
            text: SchemaText(engine: "mysql", objects: [], settings: [:]))
        try schema.readTables(connection)
        try schema.readRoutines(connection)
        try schema.readViews(connection)
        try schema.readTriggers(connection)
        try schema.readEvents(connection)
        return schema
    }

    private mutating func append(_ kind: String, _ name: Name, table: Name? = nil, _ sql: String) {
        text.objects.append(
            SchemaText.Object(
                kind: kind, name: TableName(name), table: table.map { TableName($0) }, sql: sql))
    }

    /// Sequences first, because tables may number their rows by them.
    private mutating func readTables(_ connection: MySQLConnection) throws(Failure) {
        let rows = try connection.query(
            """
            SELECT TABLE_NAME, TABLE_TYPE FROM information_schema.TABLES
            WHERE TABLE_SCHEMA = DATABASE()
                AND TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED', 'SEQUENCE')
            ORDER BY TABLE_TYPE <> 'SEQUENCE', BINARY TABLE_NAME
            """)
        var sequences: [JSON] = []
        for row in rows.rows {
            let name = try rows.name(row, 0)
            guard !name.isSluice else { continue }
            if rows.text(row, 1) == "SEQUENCE" {
                append("SEQUENCE", name, try MySQLSchemaText.show("SEQUENCE", name, connection))
                let state = try connection.query(
                    "SELECT next_not_cached_value, cycle_count FROM \(name.quoted)")
                sequences.append(
                    [
                        "name": .string(name.text), "next": .string(state.text(0, 0)),
                        "round": .string(state.text(0, 1)),
                    ])
            } else {
                let sql = try MySQLSchemaText.show("TABLE", name, connection)
                append(
                    "TABLE", name, table: name,
                    MySQLSchemaText.unqualified(sql, connection.address.database))
            }
        }
        if !sequences.isEmpty {
            warnings.append("sequences are in no snapshot; their values are those of the moment")
        }
        let database = try connection.query(
            """
            SELECT DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME, SCHEMA_NAME
            FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = DATABASE()
            """)
        text.settings = [
            "server": .string(connection.flavor.family.rawValue),
            "version": .int(connection.flavor.version),
            "database": .string(database.rowCount > 0 ? database.text(0, 2) : ""),
            "charset": .string(database.rowCount > 0 ? database.text(0, 0) : ""),
            "collation": .string(database.rowCount > 0 ? database.text(0, 1) : ""),
            "sequences": .array(sequences),
        ]
    }

    private mutating func readRoutines(_ connection: MySQLConnection) throws(Failure) {
        let rows = try connection.query(
            """
            SELECT ROUTINE_NAME, ROUTINE_TYPE FROM information_schema.ROUTINES
            WHERE ROUTINE_SCHEMA = DATABASE()
            ORDER BY FIELD(ROUTINE_TYPE, 'FUNCTION', 'PROCEDURE', 'PACKAGE', 'PACKAGE BODY'),
                BINARY ROUTINE_NAME
            """)
        for row in rows.rows {
            let name = try rows.name(row, 0)
            let kind = rows.text(row, 1)
            append(kind, name, try MySQLSchemaText.show(kind, name, connection))
        }
    }

    private mutating func readViews(_ connection: MySQLConnection) throws(Failure) {
        let rows = try connection.query(
            """
            SELECT TABLE_NAME FROM information_schema.TABLES
            WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE = 'VIEW' ORDER BY BINARY TABLE_NAME
            """)
        for row in rows.rows {
            let name = try rows.name(row, 0)
            append("VIEW", name, try MySQLSchemaText.show("VIEW", name, connection))
        }
    }

    /// In the order in which those of one table and one moment are carried out.
    private mutating func readTriggers(_ connection: MySQLConnection) throws(Failure) {
        let rows = try connection.query(
            """
            SELECT TRIGGER_NAME, EVENT_OBJECT_TABLE FROM information_schema.TRIGGERS
            WHERE TRIGGER_SCHEMA = DATABASE()
            ORDER BY BINARY EVENT_OBJECT_TABLE, ACTION_TIMING, EVENT_MANIPULATION, ACTION_ORDER
            """)
        for row in rows.rows {
            let (name, table) = (try rows.name(row, 0), try rows.name(row, 1))
            guard !table.isSluice else { continue }
            let sql = try MySQLSchemaText.show("TRIGGER", name, connection)
            append("TRIGGER", name, table: table, sql)
        }
    }

    private mutating func readEvents(_ connection: MySQLConnection) throws(Failure) {
        let rows = try connection.query(
            """
            SELECT EVENT_NAME FROM information_schema.EVENTS
            WHERE EVENT_SCHEMA = DATABASE() ORDER BY BINARY EVENT_NAME
            """)
        for row in rows.rows {
            let name = try rows.name(row, 0)
            append("EVENT", name, try MySQLSchemaText.show("EVENT", name, connection))
        }
    }
}

extension MySQLSchemaText {
    private static func show(
        _ kind: String, _ name: Name, _ connection: MySQLConnection
    ) throws(Failure) -> String {
        let rows = try connection.query("SHOW CREATE \(kind) \(name.quoted)")
        let wanted = ["Create \(kind)", "Create Table", "SQL Original Statement", "Create Package"]
        guard rows.rowCount > 0,
            let column = wanted.compactMap({ rows.column($0) }).first,
            let sql = rows.optionalText(0, column)
        else {
            throw Failure(
                .failed,
                "the user may not see the definition of \(kind.lowercased()) \(name)",
                hint: "Grant SELECT on mysql.proc, SHOW_ROUTINE or SHOW VIEW to it, or choose "
                    + "tables with --tables, which leaves it out.")
        }
        return surroundings(rows) + sql
    }

    /// Defaults that number rows by a sequence name the database, which may have another name
    /// where they go.
    static func unqualified(_ sql: String, _ database: String) -> String {
        let bytes = Array(sql.utf8)
        let words = ["nextval", "lastval"].map {
            Array("\($0)(\(MySQLQuoting.identifier(database)).".utf8)
        }
        var output: [UInt8] = []
        var place = 0
        while place < bytes.count {
            if let word = words.first(where: { bytes[place...].starts(with: $0) }) {
                output += word.prefix("nextval(".utf8.count)
                place += word.count
            } else if MySQLTokens.isQuote(bytes[place]),
                let end = MySQLTokens.stringEnd(bytes, place)
            {
                output += bytes[place..<end]
                place = end
            } else {
                output.append(bytes[place])
                place += 1
            }
        }
        return String(decoding: output, as: UTF8.self)
    }

    /// What the session was set to that made the object, as a statement in a line of its own.
    private static func surroundings(_ rows: MySQLResult) -> String {
        guard let client = rows.column("character_set_client"),
            let collation = rows.column("collation_connection")
        else { return "" }
        let mode = rows.column("sql_mode").map { rows.text(0, $0) } ?? ""
        var settings = [
            "sql_mode = \(MySQLQuoting.literal(mode))",
            "character_set_client = \(rows.text(0, client))",
            "collation_connection = \(rows.text(0, collation))",
        ]
        if let zone = rows.column("time_zone") {
            settings.append("time_zone = \(MySQLQuoting.literal(rows.text(0, zone)))")
        }
        return "SET \(settings.joined(separator: ", "));\n"
    }
}
