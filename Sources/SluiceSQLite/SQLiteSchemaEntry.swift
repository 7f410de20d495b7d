internal import CSQLite
internal import SluiceCore
internal import SluiceRecords

/// What a schema consists of.
enum SQLiteObjectKind: String, Sendable {
    case table
    case virtualTable = "virtual table"
    case index
    case view
    case trigger

    /// Triggers have names of their own; all others share theirs.
    var sharesNames: Bool { self != .trigger }
    var isTable: Bool { self == .table || self == .virtualTable }
}

/// One object of a target's schema, as `sqlite_schema` has it.
struct SQLiteSchemaEntry: Sendable {
    var kind: SQLiteObjectKind
    var name: Name
    /// The table it belongs to; its own name where it is a table or view.
    var table: Name
    var sql: String

    private static let query =
        "SELECT type, name, tbl_name, sql, coalesce(rootpage, 0) FROM sqlite_schema"
        + " WHERE sql IS NOT NULL"

    /// Every object but those SQLite makes and drops with their table, in the order they were made.
    static func all(on connection: SQLiteConnection) throws(Failure) -> [SQLiteSchemaEntry] {
        try entries(try connection.prepare(query + " ORDER BY rowid"))
    }

    /// The object that has this name where `kind` looks for it.
    static func find(
        _ name: Name, like kind: SQLiteObjectKind, on connection: SQLiteConnection
    ) throws(Failure) -> SQLiteSchemaEntry? {
        let rows = try connection.prepare(query + " AND name = ?1 COLLATE NOCASE")
        try rows.bind(name.text, at: 1)
        return try entries(rows).first { $0.kind.sharesNames == kind.sharesNames }
    }

    private static func entries(
        _ rows: borrowing SQLiteStatement
    ) throws(Failure) -> [SQLiteSchemaEntry] {
        var entries: [SQLiteSchemaEntry] = []
        while try rows.step() {
            guard let kind = kind(rows.string(0), hasRoot: rows.integer(4) != 0) else { continue }
            entries.append(
                SQLiteSchemaEntry(
                    kind: kind, name: try rows.name(1, of: "an object"),
                    table: try rows.name(2, of: "a table"), sql: rows.string(3) ?? ""))
        }
        return entries
    }

    private static func kind(_ type: String?, hasRoot: Bool) -> SQLiteObjectKind? {
        switch type {
        case "table": hasRoot ? .table : .virtualTable
        case "index": .index
        case "view": .view
        case "trigger": .trigger
        default: nil
        }
    }
}

/// What a target holds, read at once: its schema and its ledger.
struct SQLiteSurvey: Sendable {
    private(set) var entries: [SQLiteSchemaEntry] = []
    /// Where each name is among them: those of triggers, and all others.
    private var triggers: [Name: Int] = [:]
    private var others: [Name: Int] = [:]
    var ledger: [LedgerEntry] = []
    /// `sluice_ledger` is there, but with other columns.
    var hasForeignLedger = false

    init() {}

    init(_ connection: SQLiteConnection) throws(Failure) {
        entries = try SQLiteSchemaEntry.all(on: connection)
        for (place, entry) in entries.enumerated() {
            if entry.kind.sharesNames {
                others[entry.name.folded] = place
            } else {
                triggers[entry.name.folded] = place
            }
        }
        switch try SQLiteLedger.state(on: connection) {
        case .missing: break
        case .foreign: hasForeignLedger = true
        case .present: ledger = try SQLiteLedger.rows(on: connection)
        }
    }

    /// The object that has this name where `kind` looks for it.
    func entry(_ name: Name, like kind: SQLiteObjectKind) -> SQLiteSchemaEntry? {
        place(of: name, like: kind).map { entries[$0] }
    }

    /// Its place in the order in which objects were made.
    func place(of name: Name, like kind: SQLiteObjectKind) -> Int? {
        (kind.sharesNames ? others : triggers)[name.folded]
    }

    func units(of dataset: String) -> Set<Name> {
        Set(ledger.lazy.filter { $0.dataset == dataset }.map { Name($0.unit) })
    }
}

/// What of a table's definition decides how rows go in.
struct SQLiteTableFacts: Sendable {
    struct Column: Sendable {
        var name: Name
        var declared: String
        var isNotNull: Bool
        var hasDefault: Bool
        var isGenerated: Bool
        /// Counts from 1; 0 where it is not part of the primary key.
        var keyPlace: Int
    }

    var columns: [Column]
    var isWithoutRowid: Bool
    var isStrict: Bool

    init(_ table: Name, on connection: SQLiteConnection) throws(Failure) {
        columns = []
        let rows = try connection.prepare(
            "SELECT name, type, \"notnull\", dflt_value IS NOT NULL, hidden, pk"
                + " FROM pragma_table_xinfo(\(table.literal))")
        while try rows.step() {
            let hidden = rows.integer(4)
            columns.append(
                Column(
                    name: try rows.name(0, of: "a column of \(table)"),
                    declared: rows.string(1) ?? "", isNotNull: rows.integer(2) != 0,
                    hasDefault: rows.integer(3) != 0, isGenerated: hidden == 2 || hidden == 3,
                    keyPlace: Int(rows.integer(5))))
        }
        let facts = try connection.prepare(
            "SELECT wr, strict FROM pragma_table_list(\(table.literal)) WHERE schema = 'main'")
        let isThere = try facts.step()
        isWithoutRowid = isThere && facts.integer(0) != 0
        isStrict = isThere && facts.integer(1) != 0
        alias = try isWithoutRowid ? nil : SQLiteTableFacts.alias(table, columns, on: connection)
    }

    /// The column that is the rowid under another name.
    private(set) var alias: Name?

    /// A single INTEGER PRIMARY KEY is the rowid, unless it is one of the old DESC kind, which has
    /// an index of its own.
    private static func alias(
        _ table: Name, _ columns: [Column], on connection: SQLiteConnection
    ) throws(Failure) -> Name? {
        let keys = columns.filter { $0.keyPlace > 0 }
        guard keys.count == 1, Name(keys[0].declared).folded == "integer" else { return nil }
        let ownIndexes = try connection.integer(
            "SELECT count(*) FROM pragma_index_list(\(table.literal)) WHERE origin = 'pk'")
        return ownIndexes == 0 ? keys[0].name : nil
    }

    func column(_ name: Name) -> Column? {
        let folded = name.folded
        return columns.first { $0.name.folded == folded }
    }

    /// A name under which the rowid can be reached; nothing where columns have taken all three.
    var rowidName: String? {
        guard !isWithoutRowid else { return nil }
        return ["rowid", "_rowid_", "oid"].first { column(Name($0)) == nil }
    }

    func affinity(of column: Column) -> SQLiteAffinity {
        SQLiteAffinity(declared: column.declared, isStrict: isStrict)
    }

    /// Whether the column keeps values of a record type as they are.
    func fit(_ type: ColumnType, in column: Column) -> SQLiteMapping.Fit {
        let byAffinity = SQLiteMapping.fit(type, in: affinity(of: column))
        guard isStrict, byAffinity != .never else { return byAffinity }
        return SQLiteMapping.fit(type, inStrict: Name(column.declared))
    }
}
