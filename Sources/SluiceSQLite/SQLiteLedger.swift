internal import CSQLite
internal import SluiceCore
internal import SluiceRecords

/// The table in the target that says what has been loaded, written in the same transaction as the
/// rows (design §7).
enum SQLiteLedger {
    static let table: Name = "sluice_ledger"

    enum State {
        case missing
        case present
        /// Something of that name which is not ours.
        case foreign
    }

    static func state(on connection: SQLiteConnection) throws(Failure) -> State {
        let found = try connection.text(
            """
            SELECT group_concat(lower(c.name) || ':' || c.pk, ',') FROM sqlite_schema AS s
            JOIN pragma_table_info(s.name) AS c
            WHERE s.name = 'sluice_ledger' COLLATE NOCASE
            """)
        guard let found else { return .missing }
        return found == "dataset:1,unit:2,rows:0,digest:0,mapped:0,at:0" ? .present : .foreign
    }

    /// Makes the ledger where there is none.
    static func make(on connection: SQLiteConnection) throws(Failure) {
        // One line, so that whoever compares dumps can leave its lines out.
        let columns = [
            "dataset TEXT", "unit TEXT", "rows INTEGER", "digest TEXT", "mapped TEXT", "at TEXT",
        ]
        .map { $0 + " NOT NULL" }.joined(separator: ", ")
        try connection.execute(
            "CREATE TABLE IF NOT EXISTS sluice_ledger(\(columns), PRIMARY KEY(dataset, unit)) "
                + "WITHOUT ROWID")
    }

    static func rows(on connection: SQLiteConnection) throws(Failure) -> [LedgerEntry] {
        let rows = try connection.prepare(
            "SELECT dataset, unit, rows, digest, mapped, at FROM sluice_ledger"
                + " ORDER BY dataset, unit")
        var entries: [LedgerEntry] = []
        while try rows.step() {
            entries.append(
                LedgerEntry(
                    dataset: rows.string(0) ?? "", unit: rows.string(1) ?? "",
                    rowCount: Int(rows.integer(2)), digest: rows.string(3) ?? "",
                    mapped: rows.string(4) ?? "", at: rows.string(5) ?? ""))
        }
        return entries
    }

    /// Enters a unit; false when it is there already.
    ///
    /// - Parameter isRefused: its records are not in, because they were refused.
    static func enter(
        _ unit: String, of dataset: String, _ digest: Digest? = nil, isRefused: Bool = false,
        on connection: SQLiteConnection
    ) throws(Failure) -> Bool {
        let row = try connection.prepare(
            "INSERT OR IGNORE INTO sluice_ledger(dataset, unit, rows, digest, mapped, at)"
                + " VALUES(?, ?, ?, ?, ?, ?)")
        try row.bind(dataset, at: 1)
        try row.bind(unit, at: 2)
        try row.bind(Int64(digest?.rowCount ?? 0), at: 3)
        // Every value is stored as it is or refused: where the user maps nothing, the records as
        // mapped are the records.
        try row.bind(digest?.text ?? "", at: 4)
        try row.bind(isRefused ? "" : digest?.text ?? "", at: 5)
        try row.bind(Clock.timestamp(), at: 6)
        try row.run()
        return connection.changedRowCount == 1
    }

    /// What of a unit is in, where that is other than what was entered.
    static func change(
        _ unit: String, of dataset: String, _ digest: Digest, mapped: Digest,
        on connection: SQLiteConnection
    ) throws(Failure) {
        let row = try connection.prepare(
            "UPDATE sluice_ledger SET rows = ?3, digest = ?4, mapped = ?5"
                + " WHERE dataset = ?1 AND unit = ?2")
        try row.bind(dataset, at: 1)
        try row.bind(unit, at: 2)
        try row.bind(Int64(digest.rowCount), at: 3)
        try row.bind(digest.text, at: 4)
        try row.bind(mapped.text, at: 5)
        try row.run()
    }

    static func has(
        _ unit: String, of dataset: String, on connection: SQLiteConnection
    ) throws(Failure) -> Bool {
        let row = try connection.prepare(
            "SELECT 1 FROM sluice_ledger WHERE dataset = ? AND unit = ?")
        try row.bind(dataset, at: 1)
        try row.bind(unit, at: 2)
        return try row.step()
    }

    /// Removes the rows of a dataset; all of them, or one unit's.
    static func remove(
        _ unit: String? = nil, of dataset: String, on connection: SQLiteConnection
    ) throws(Failure) {
        let row = try connection.prepare(
            "DELETE FROM sluice_ledger WHERE dataset = ?1 AND (?2 IS NULL OR unit = ?2)")
        try row.bind(dataset, at: 1)
        if let unit { try row.bind(unit, at: 2) }
        try row.run()
    }
}

/// The units that are not shards.
enum SQLiteUnit {
    static func begin(_ table: TableName) -> String { "begin \(table)" }
    static func step(_ kind: SQLiteObjectKind, _ name: Name) -> String {
        "step \(kind.rawValue) \(name)"
    }

    /// The table that a unit begins.
    static func begun(_ unit: String) -> Name? {
        unit.hasPrefix("begin ") ? Name(String(unit.dropFirst(6))) : nil
    }

    /// The object that a unit made.
    static func made(_ unit: String) -> (kind: SQLiteObjectKind, name: Name)? {
        guard unit.hasPrefix("step ") else { return nil }
        let rest = unit.dropFirst(5)
        // The longest kind first: "virtual table" is one, too.
        for kind in [SQLiteObjectKind.virtualTable, .table, .index, .view, .trigger]
        where rest.hasPrefix(kind.rawValue + " ") {
            return (kind, Name(String(rest.dropFirst(kind.rawValue.utf8.count + 1))))
        }
        return nil
    }
}
