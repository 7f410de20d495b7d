internal import CSQLite
internal import SluiceCore
internal import SluiceRecords

/// What AUTOINCREMENT counts, in tables that were here before: a row that was emptied away
/// yesterday has left its number behind.
struct SQLiteCounters {
    private let request: LoadRequest
    private let connection: SQLiteConnection

    init(_ request: LoadRequest, _ connection: SQLiteConnection) {
        self.request = request
        self.connection = connection
    }

    /// Sets the counter of each table of the dataset to the source's, and leaves those of others
    /// alone. A table that does not count in the source goes on behind its last row.
    ///
    /// - Parameter rows: the source's `sqlite_sequence`, in its order.
    func put(_ rows: [[SQLiteValue]]) throws(Failure) {
        // The table is there as soon as one table counts.
        guard try SQLiteSchemaEntry.find("sqlite_sequence", like: .table, on: connection) != nil
        else { return }
        var counting: [Name: (name: Name, column: Name)] = [:]
        for plan in request.tables {
            let table = plan.table.table
            guard let found = try countingTable(table) else { continue }
            counting[table.folded] = found
            try run("DELETE FROM sqlite_sequence WHERE name = ?1", .text(Array(found.name.utf8)))
        }
        for row in rows {
            guard row.count == 2, case .text(let bytes) = row[0],
                let text = String(validating: bytes, as: UTF8.self),
                let (name, _) = counting.removeValue(forKey: Name(text).folded)
            else { continue }
            try run(
                "INSERT INTO sqlite_sequence(name, seq) VALUES(?1, ?2)",
                .text(Array(name.utf8)), row[1])
        }
        for plan in request.tables where !plan.definition.columns.contains(where: \.isIdentity) {
            guard let (name, column) = counting[plan.table.table.folded] else { continue }
            try run(
                "INSERT INTO sqlite_sequence(name, seq) SELECT ?1, max(\(column.quoted))"
                    + " FROM \(name.quoted) HAVING count(*) > 0", .text(Array(name.utf8)))
        }
    }

    /// The table's name as SQLite compares it here, letter by letter, and its column that counts;
    /// nothing where none does.
    private func countingTable(_ table: Name) throws(Failure) -> (name: Name, column: Name)? {
        guard let column = try SQLiteTableFacts(table, on: connection).alias,
            let entry = try SQLiteSchemaEntry.find(table, like: .table, on: connection)
        else { return nil }
        var counts: Int32 = 0
        try connection.check(
            sqlite3_table_column_metadata(
                connection.handle, "main", table.text, column.text, nil, nil, nil, nil, &counts))
        return counts == 0 ? nil : (entry.name, column)
    }

    private func run(_ sql: String, _ values: SQLiteValue...) throws(Failure) {
        let statement = try connection.prepare(sql)
        for (index, value) in values.enumerated() { try statement.bind(value, at: index + 1) }
        try statement.run()
    }
}
