internal import SluiceCore
internal import SluiceRecords

/// Takes back what the ledger says a dataset did: all of it in one transaction, or nothing.
struct SQLiteTargetUndo {
    private let dataset: String
    private let connection: SQLiteConnection

    init(_ dataset: String, _ connection: SQLiteConnection) {
        self.dataset = dataset
        self.connection = connection
    }

    func run() throws(Failure) {
        try connection.inTransaction { () throws(Failure) in
            let found = try SQLiteSurvey(connection)
            guard !found.hasForeignLedger, !found.ledger.isEmpty else { return }
            let units = found.ledger.filter { $0.dataset == dataset }.map(\.unit)
            let made = units.compactMap(SQLiteUnit.made)
            try drop(made, found)
            try empty(units.compactMap(SQLiteUnit.begun))
            try SQLiteLedger.remove(of: dataset, on: connection)
            if try connection.integer("SELECT 1 FROM sluice_ledger LIMIT 1") == nil {
                try connection.execute("DROP TABLE sluice_ledger")
            }
        }
    }

    /// In the reverse of the order in which they were made.
    private func drop(
        _ made: [(kind: SQLiteObjectKind, name: Name)], _ found: SQLiteSurvey
    ) throws(Failure) {
        // SQLite never gives its table of counters away: where AUTOINCREMENT made it, it stays,
        // without the rows about tables that are dropped.
        let droppable = made.filter { $0.name.folded != "sqlite_sequence" }
        let sorted = droppable.map { (found.place(of: $0.name, like: $0.kind) ?? 0, $0) }
            .sorted { $0.0 < $1.0 }.map(\.1)
        try SQLiteDropping(connection).drop(sorted)
    }

    /// Tables that were there before: their rows are ours, they are not.
    private func empty(_ begun: [Name]) throws(Failure) {
        var remade: Set<Name> = []
        var found = try SQLiteSurvey(connection)
        for unit in begun {
            guard let entry = SQLiteTargetUndo.table(of: unit, in: found) else { continue }
            if let owner = try owner(of: entry.name, in: found) {
                // Without any row the tables behind a virtual one are damage; a new one has the
                // rows it needs.
                guard remade.insert(owner.name.folded).inserted else { continue }
                try connection.execute("DROP TABLE \(owner.name.quoted)")
                try connection.execute(owner.sql)
                found = try SQLiteSurvey(connection)
            } else {
                try connection.execute("DELETE FROM \(entry.name.quoted)")
            }
        }
    }

    /// A unit has the table's name in its source, with a schema where that has schemas.
    private static func table(of unit: Name, in found: SQLiteSurvey) -> SQLiteSchemaEntry? {
        if let entry = found.entry(unit, like: .table), entry.kind == .table { return entry }
        guard let point = unit.text.firstIndex(of: ".") else { return nil }
        let name = Name(String(unit.text[unit.text.index(after: point)...]))
        guard let entry = found.entry(name, like: .table), entry.kind == .table else { return nil }
        return entry
    }

    private func owner(
        of table: Name, in found: SQLiteSurvey
    ) throws(Failure) -> SQLiteSchemaEntry? {
        let type = try connection.text(
            "SELECT type FROM pragma_table_list(\(table.literal)) WHERE schema = 'main'")
        guard type == "shadow" else { return nil }
        let folded = table.folded
        return found.entries.filter {
            $0.kind == .virtualTable && folded.utf8.starts(with: "\($0.name.folded)_".utf8)
        }.max { $0.name.utf8.count < $1.name.utf8.count }
    }
}
