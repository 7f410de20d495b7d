internal import SluiceCore
internal import SluiceRecords

/// A table of an engine without transactions: rows that came in stay when the rest of their shard
/// does not, so that a shard that was not finished takes back the whole table.
///
/// Used by one session at a time, which holds the table's lock: a mark that it finds was left by
/// one that is gone.
struct MySQLPlainTable {
    private let table: TableName
    private let dataset: String
    private let connection: MySQLConnection
    private let mark: String

    init(_ table: TableName, of dataset: String, on connection: MySQLConnection) {
        self.table = table
        self.dataset = dataset
        self.connection = connection
        mark = MySQLUnit.loading(table)
    }

    /// The ledger without what is not so any more: shards of tables in which another shard was left
    /// unfinished.
    static func believable(_ ledger: [LedgerEntry]) -> [LedgerEntry] {
        let marks = ledger.filter { $0.unit.hasPrefix(MySQLUnit.loadingPrefix) }
        guard !marks.isEmpty else { return ledger }
        return ledger.filter { entry in
            !marks.contains {
                $0.dataset == entry.dataset && entry.unit.utf8.starts(with: $0.mapped.utf8)
            }
        }
    }

    func load(
        _ unit: String, _ body: () throws(Failure) -> LoadOutcome
    ) throws(Failure) -> LoadOutcome {
        try beginAnew()
        guard try !MySQLLedger.has(unit, of: dataset, on: connection) else { return .alreadyThere }
        // Committed before the first row.
        _ = try MySQLLedger.enter(
            mark, of: dataset, undoing: MySQLPlainTable.folder(of: unit), on: connection)
        do throws(Failure) {
            return try connection.inTransaction { () throws(Failure) in
                let outcome = try body()
                try MySQLLedger.remove(mark, of: dataset, on: connection)
                return outcome
            }
        } catch {
            // Trying the shard once more would double the rows that are in.
            throw error.asLasting
        }
    }

    /// Empties the table and forgets its shards, where one was not finished.
    private func beginAnew() throws(Failure) {
        let entries = try MySQLLedger.rows(on: connection).filter { $0.dataset == dataset }
        guard let left = entries.first(where: { $0.unit == mark }) else { return }
        try connection.execute("TRUNCATE TABLE \(table.table.quoted)")
        try connection.inTransaction { () throws(Failure) in
            for entry in entries where entry.unit.utf8.starts(with: left.mapped.utf8) {
                try MySQLLedger.remove(entry.unit, of: dataset, on: connection)
            }
            try MySQLLedger.remove(mark, of: dataset, on: connection)
        }
    }

    /// What all units of the table begin with: `data/orders/`.
    private static func folder(of unit: String) -> String {
        let parts = unit.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false)
        return parts.count == 3 ? "\(parts[0])/\(parts[1])/" : unit
    }
}
