internal import SluiceCore
internal import SluiceRecords

/// What a SQLite file consists of, read in one transaction.
struct SQLiteCatalog: Sendable {
    enum Kind: String, Sendable {
        case table
        case view
        case index
        case trigger
        case virtual = "virtual table"
        case shadow = "shadow table"
        /// SQLite's own: counters and statistics, whose rows are among the settings.
        case system = "system table"
    }

    struct Object: Sendable {
        var kind: Kind
        var name: Name
        /// The table it is on; itself where it is one.
        var table: Name
        var sql: String
    }

    private struct Listed {
        var type: String
        var isWithoutRowid: Bool
        var isStrict: Bool
    }

    /// In the order they were made, without ours.
    private(set) var objects: [Object] = []
    private(set) var tables: [Name: SQLiteTable] = [:]
    /// The virtual table that a shadow table belongs to.
    private(set) var owners: [Name: Name] = [:]
    private(set) var warnings: [String] = []
    /// Every name in the file, ours and SQLite's included.
    private(set) var allNames: Set<Name> = []

    init(reading connection: SQLiteConnection) throws(Failure) {
        let listed = try SQLiteCatalog.list(connection)
        try readObjects(connection, listed)
        findOwners()
        for object in objects where object.kind == .table || object.kind == .shadow {
            let facts = listed[object.name]
            tables[object.name] = try SQLiteTable(
                object.name, isWithoutRowid: facts?.isWithoutRowid ?? false,
                isStrict: facts?.isStrict ?? false, on: connection)
        }
        for object in objects {
            if object.kind == .virtual { look(at: object, connection) }
            if tables[object.name]?.key.form == SQLiteKey.Form.none {
                warnings.append(
                    "table \(object.name) has columns named rowid, _rowid_ and oid: its rows get "
                        + "new rowids"
                )
            }
        }
    }

    /// Everything that stores rows, in the order it was made.
    var storedTables: [SQLiteTable] {
        objects.compactMap { tables[$0.name] }
    }

    /// What SQLite takes each table for; asking makes it load the modules of virtual tables, which
    /// know their shadows.
    private static func list(_ connection: SQLiteConnection) throws(Failure) -> [Name: Listed] {
        var listed: [Name: Listed] = [:]
        let rows = try connection.prepare("PRAGMA main.table_list")
        while try rows.step() {
            guard rows.string(0) == "main" else { continue }
            listed[try rows.name(1, of: "a table")] = Listed(
                type: rows.string(2) ?? "", isWithoutRowid: rows.integer(4) != 0,
                isStrict: rows.integer(5) != 0)
        }
        return listed
    }

    private mutating func readObjects(
        _ connection: SQLiteConnection, _ listed: [Name: Listed]
    ) throws(Failure) {
        let rows = try connection.prepare(
            "SELECT type, name, tbl_name, sql FROM main.sqlite_schema ORDER BY rowid")
        while try rows.step() {
            let type = rows.string(0) ?? ""
            let name = try rows.name(1, of: type == "index" ? "an index" : "a \(type)")
            let table = try rows.name(2, of: "the table of \(type) \(name)")
            allNames.insert(name)
            // Those without text belong to a constraint.
            if rows.kind(3) == .null { continue }
            if name.isSluice || table.isSluice {
                leaveOut(type, name, table)
                continue
            }
            guard let sql = rows.string(3) else {
                throw Failure(
                    .refused, "the definition of \(type) \(name) is not UTF-8",
                    hint: "Make it anew in UTF-8, or drop it.")
            }
            let kind: Kind
            switch (type, listed[name]?.type) {
            // SQLite's own have reserved names; their place in the order is part of what `.dump`
            // prints.
            case ("table", _) where name.folded.utf8.starts(with: "sqlite_".utf8): kind = .system
            case ("table", "virtual"): kind = .virtual
            case ("table", "shadow"): kind = .shadow
            case ("table", _): kind = .table
            case ("view", _): kind = .view
            case ("index", _): kind = .index
            case ("trigger", _): kind = .trigger
            default: continue
            }
            objects.append(Object(kind: kind, name: name, table: table, sql: sql))
        }
    }

    /// Ours are passed over in silence; somebody else's of such a name are not.
    private mutating func leaveOut(_ type: String, _ name: Name, _ table: Name) {
        guard table.folded != "sluice_ledger" else { return }
        warnings.append(
            "\(type) \(name) is left out: names that begin with sluice are taken for sluice's own")
    }

    private mutating func findOwners() {
        let virtuals = objects.filter { $0.kind == .virtual }.map(\.name)
        for object in objects where object.kind == .shadow {
            let fits = virtuals.filter {
                object.name.folded.utf8.starts(with: Name($0.folded.text + "_").utf8)
            }
            owners[object.name] = fits.max { $0.utf8.count < $1.utf8.count }
        }
    }

    private mutating func look(at virtual: Object, _ connection: SQLiteConnection) {
        do {
            let statement = try connection.prepare("SELECT * FROM main.\(virtual.name.quoted)")
            _ = consume statement
        } catch {
            warnings.append(
                "virtual table \(virtual.name) cannot be opened here (\(error.message)); only "
                    + "its definition is moved"
            )
            return
        }
        if !owners.values.contains(virtual.name) {
            warnings.append(
                "virtual table \(virtual.name) keeps no rows in this file; only its definition "
                    + "is moved"
            )
        }
    }
}

extension SQLiteCatalog {
    /// As the engine sees it, with the driver's settings (`SQLiteSettings`).
    func catalog(_ settings: SQLiteSettings, _ connection: SQLiteConnection) throws(Failure)
        -> Catalog
    {
        let estimates = try SQLiteEstimates(of: storedTables, settings, connection)
        let sources = storedTables.map { table in
            SourceTable(
                name: TableName(table.name), estimatedRows: estimates.rows(table.name),
                estimatedBytes: estimates.bytes(table.name),
                owner: owners[table.name].map { TableName($0) })
        }
        let text = objects.map { object in
            SchemaText.Object(
                kind: object.kind.rawValue, name: TableName(object.name),
                table: TableName(object.table), sql: object.sql)
        }
        let schema = SchemaText(engine: "sqlite", objects: text, settings: settings.json)
        return Catalog(tables: sources, schema: schema, warnings: warnings)
    }
}
