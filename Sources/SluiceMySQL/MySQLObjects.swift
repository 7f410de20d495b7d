internal import SluiceCore
internal import SluiceRecords

/// What is in a target's database already.
struct MySQLObjects {
    /// `TABLE_TYPE` by name.
    private(set) var relations: [Name: String] = [:]
    private var routines: Set<MySQLDrop> = []
    /// With the table that each belongs to.
    private(set) var triggers: [Name: Name] = [:]
    private var events: Set<Name> = []
    /// Whether names of tables that differ in case only are one.
    let foldsTables: Bool

    init(_ connection: MySQLConnection) throws(Failure) {
        foldsTables = try connection.integer("SELECT @@lower_case_table_names") != 0
        let tables = try connection.query(
            """
            SELECT TABLE_NAME, TABLE_TYPE FROM information_schema.TABLES
            WHERE TABLE_SCHEMA = DATABASE()
            """)
        for row in tables.rows { relations[try tables.name(row, 0)] = tables.text(row, 1) }
        let found = try connection.query(
            """
            SELECT ROUTINE_TYPE, ROUTINE_NAME FROM information_schema.ROUTINES
            WHERE ROUTINE_SCHEMA = DATABASE()
            """)
        for row in found.rows {
            routines.insert(
                MySQLDrop(
                    kind: found.text(row, 0), name: Name(try found.name(row, 1).text.lowercased())))
        }
        let made = try connection.query(
            """
            SELECT TRIGGER_NAME, EVENT_OBJECT_TABLE FROM information_schema.TRIGGERS
            WHERE TRIGGER_SCHEMA = DATABASE()
            """)
        for row in made.rows { triggers[try made.name(row, 0)] = try made.name(row, 1) }
        let planned = try connection.query(
            "SELECT EVENT_NAME FROM information_schema.EVENTS WHERE EVENT_SCHEMA = DATABASE()")
        for row in planned.rows {
            events.insert(Name(try planned.name(row, 0).text.lowercased()))
        }
    }

    /// The type of the table, view or sequence of that name, and its name as it stands there.
    func relation(_ name: Name) -> (name: Name, kind: String)? {
        if let kind = relations[name] { return (name, kind) }
        guard foldsTables else { return nil }
        let folded = name.text.lowercased()
        return relations.first { $0.key.text.lowercased() == folded }
            .map { ($0.key, $0.value) }
    }

    /// What stands where an object is to be made, as messages name it.
    func obstacle(to drop: MySQLDrop) -> String? {
        if drop.isRelation {
            return relation(drop.name).map { "\(MySQLObjects.word($0.kind)) \($0.name)" }
        }
        let folded = Name(drop.name.text.lowercased())
        let isThere =
            switch drop.kind {
            case "TRIGGER": triggers.keys.contains { $0 == drop.name }
            case "EVENT": events.contains(folded)
            default: routines.contains(MySQLDrop(kind: drop.kind, name: folded))
            }
        return isThere ? drop.description : nil
    }

    static func word(_ kind: String) -> String {
        switch kind {
        case "VIEW": "view"
        case "SEQUENCE": "sequence"
        case "SYSTEM VIEW": "system view"
        default: "table"
        }
    }
}

/// Questions about one object, for work that may have been done already.
extension MySQLObjects {
    static func hasRelation(
        _ name: Name, on connection: MySQLConnection
    ) throws(Failure) -> Bool {
        try connection.query(
            """
            SELECT 1 FROM information_schema.TABLES
            WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = \(name.literal)
            """
        ).rowCount > 0
    }

    static func has(_ drop: MySQLDrop, on connection: MySQLConnection) throws(Failure) -> Bool {
        let question =
            switch drop.kind {
            case "TRIGGER": "TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE() AND TRIGGER_NAME"
            case "EVENT": "EVENTS WHERE EVENT_SCHEMA = DATABASE() AND EVENT_NAME"
            case "TABLE", "VIEW", "SEQUENCE":
                "TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME"
            default:
                "ROUTINES WHERE ROUTINE_SCHEMA = DATABASE() AND ROUTINE_TYPE = '\(drop.kind)'"
                    + " AND ROUTINE_NAME"
            }
        return try connection.query(
            "SELECT 1 FROM information_schema.\(question) = \(drop.name.literal)"
        ).rowCount > 0
    }

    static func keys(
        of table: TableName, on connection: MySQLConnection
    ) throws(Failure) -> Set<Name> {
        try names(
            """
            SELECT DISTINCT INDEX_NAME FROM information_schema.STATISTICS
            WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = \(table.table.literal)
            """, on: connection)
    }

    static func foreignKeys(
        of table: TableName, on connection: MySQLConnection
    ) throws(Failure) -> Set<Name> {
        try names(
            """
            SELECT CONSTRAINT_NAME FROM information_schema.TABLE_CONSTRAINTS
            WHERE CONSTRAINT_SCHEMA = DATABASE() AND TABLE_NAME = \(table.table.literal)
                AND CONSTRAINT_TYPE = 'FOREIGN KEY'
            """, on: connection)
    }

    private static func names(
        _ sql: String, on connection: MySQLConnection
    ) throws(Failure) -> Set<Name> {
        let found = try connection.query(sql)
        var names: Set<Name> = []
        for row in found.rows { names.insert(try found.name(row, 0)) }
        return names
    }
}
