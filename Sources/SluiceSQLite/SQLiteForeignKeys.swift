internal import SluiceCore
internal import SluiceRecords

/// Rows that contradict a foreign key: SQLite checks none of them while rows are loaded.
enum SQLiteForeignKeys {
    /// One line for each key that rows contradict.
    static func complaints(
        _ tables: [TablePlan], on connection: SQLiteConnection
    ) throws(Failure) -> [String] {
        var complaints: [String] = []
        for table in tables where !table.definition.foreignKeys.isEmpty {
            complaints += try self.complaints(table.table.table, on: connection)
        }
        return complaints
    }

    private static func complaints(
        _ table: Name, on connection: SQLiteConnection
    ) throws(Failure) -> [String] {
        var counts: [Name: Int] = [:]
        do throws(Failure) {
            let rows = try connection.prepare(
                "PRAGMA main.foreign_key_check(\(table.quoted))")
            while try rows.step() { counts[try rows.name(2, of: "a table"), default: 0] += 1 }
        } catch {
            guard error.kind != .interrupted, error.kind != .unfinished else { throw error }
            // A key onto columns that no index makes unique; SQLite itself could not enforce it
            // either.
            return ["the foreign keys of \(table) cannot be checked: \(error.message)"]
        }
        return counts.sorted { $0.key < $1.key }.map { parent, count in
            count == 1
                ? "1 row of \(table) refers to a row of \(parent) that is not there"
                : "\(count) rows of \(table) refer to rows of \(parent) that are not there"
        }
    }
}
