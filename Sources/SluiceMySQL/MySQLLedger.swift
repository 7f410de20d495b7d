internal import SluiceCore
internal import SluiceRecords

/// The table in the target that says what has been loaded, written in the same transaction as the
/// rows (design §7).
enum MySQLLedger: ServerLedger {
    static let name = TableName("sluice_ledger")
    private static let table = "`sluice_ledger`"

    enum State {
        case missing
        case present
        /// Something of that name which is not ours.
        case foreign
    }

    static func state(on connection: MySQLConnection) throws(Failure) -> State {
        let found = try connection.query(
            """
            SELECT t.ENGINE, (SELECT GROUP_CONCAT(c.COLUMN_NAME ORDER BY c.ORDINAL_POSITION)
                FROM information_schema.COLUMNS AS c
                WHERE c.TABLE_SCHEMA = DATABASE() AND c.TABLE_NAME = 'sluice_ledger')
            FROM information_schema.TABLES AS t
            WHERE t.TABLE_SCHEMA = DATABASE() AND t.TABLE_NAME = 'sluice_ledger'
            """)
        guard let row = found.rows.first else { return .missing }
        let isOurs =
            found.text(row, 0) == "InnoDB"
            && found.text(row, 1) == "dataset,unit,rows,digest,mapped,at"
        return isOurs ? .present : .foreign
    }

    /// Makes the ledger where there is none.
    static func make(on connection: MySQLConnection) throws(Failure) {
        guard try state(on: connection) == .missing else { return }
        let ascii = "CHARACTER SET ascii COLLATE ascii_bin NOT NULL"
        try connection.execute(
            """
            CREATE TABLE IF NOT EXISTS \(table) (
                dataset varchar(64) \(ascii), unit varchar(700) NOT NULL,
                `rows` bigint NOT NULL, digest varchar(64) \(ascii), mapped longtext NOT NULL,
                at varchar(40) \(ascii), PRIMARY KEY (dataset, unit)
            ) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4
                COLLATE=\(connection.flavor.exactCollation)
            """)
    }

    static func rows(on connection: MySQLConnection) throws(Failure) -> [LedgerEntry] {
        let found = try connection.query(
            "SELECT dataset, unit, `rows`, digest, mapped, at FROM \(table) ORDER BY dataset, unit")
        return found.rows.map { row in
            LedgerEntry(
                dataset: found.text(row, 0), unit: found.text(row, 1),
                rowCount: found.integer(row, 2), digest: found.text(row, 3),
                mapped: found.text(row, 4), at: found.text(row, 5))
        }
    }

    /// Enters a unit; false when it is there already. Waits for a transaction that enters it.
    static func enter(
        _ unit: String, of dataset: String, _ digest: Digest? = nil,
        on connection: MySQLConnection
    ) throws(Failure) -> Bool {
        // As a rule the records as mapped are the records.
        let sum = digest?.text ?? ""
        return try insert(
            unit, dataset, rowCount: digest?.rowCount ?? 0, digest: sum, mapped: sum, connection)
    }

    /// Enters a step with the statement that takes it back; false when it is there already.
    static func enter(
        _ unit: String, of dataset: String, undoing drop: String?,
        on connection: MySQLConnection
    ) throws(Failure) -> Bool {
        try insert(unit, dataset, rowCount: 0, digest: "", mapped: drop ?? "", connection)
    }

    private static func insert(
        _ unit: String, _ dataset: String, rowCount: Int, digest: String, mapped: String,
        _ connection: MySQLConnection
    ) throws(Failure) -> Bool {
        let values =
            [dataset, unit].map(MySQLQuoting.literal)
            + ["\(rowCount)"] + [digest, mapped, Clock.timestamp()].map(MySQLQuoting.literal)
        do throws(Failure) {
            try connection.execute(
                "INSERT INTO \(table)(dataset, unit, `rows`, digest, mapped, at)"
                    + " VALUES(\(values.joined(separator: ", ")))")
            return true
        } catch {
            guard error.code == "1062" else { throw error }
            return false
        }
    }

    static func has(
        _ unit: String, of dataset: String, on connection: MySQLConnection
    ) throws(Failure) -> Bool {
        try connection.query("SELECT 1 FROM \(table) WHERE \(filter(dataset, unit))").rowCount > 0
    }

    /// What a unit's records are as mapped for this target.
    static func change(
        _ unit: String, of dataset: String, mapped: Digest, on connection: MySQLConnection
    ) throws(Failure) {
        try connection.execute(
            "UPDATE \(table) SET mapped = \(MySQLQuoting.literal(mapped.text))"
                + " WHERE \(filter(dataset, unit))")
    }

    /// What of a unit is in, where that is less than was entered.
    static func change(
        _ unit: String, of dataset: String, _ digest: Digest, mapped: Digest,
        on connection: MySQLConnection
    ) throws(Failure) {
        try connection.execute(
            "UPDATE \(table) SET `rows` = \(digest.rowCount),"
                + " digest = \(MySQLQuoting.literal(digest.text)),"
                + " mapped = \(MySQLQuoting.literal(mapped.text)) WHERE \(filter(dataset, unit))")
    }

    /// Enters records that are not in, because they were refused.
    static func enterRefused(
        _ unit: String, of dataset: String, _ digest: Digest, on connection: MySQLConnection
    ) throws(Failure) {
        _ = try insert(
            unit, dataset, rowCount: digest.rowCount, digest: digest.text, mapped: "", connection)
    }

    /// Removes the rows of a dataset; all of them, or one unit's.
    static func remove(
        _ unit: String? = nil, of dataset: String, on connection: MySQLConnection
    ) throws(Failure) {
        try connection.execute("DELETE FROM \(table) WHERE \(filter(dataset, unit))")
    }

    private static func filter(_ dataset: String, _ unit: String?) -> String {
        "dataset = \(MySQLQuoting.literal(dataset))"
            + (unit.map { " AND unit = \(MySQLQuoting.literal($0))" } ?? "")
    }
}

/// The units that are not shards.
enum MySQLUnit {
    static let beginPrefix = "begin "
    static func begin(_ table: TableName) -> String { beginPrefix + table.description }
    static func step(_ name: String) -> String { "step \(name)" }
    /// A table without transactions, while rows of a shard go into it.
    static let loadingPrefix = "loading "
    static func loading(_ table: TableName) -> String { loadingPrefix + table.description }
}

extension MySQLConnection: ServerTransactions {
    func carryOut(_ statement: String) throws(Failure) { try execute(statement) }

    /// One session at a time for a purpose, whatever else it does; the server takes the lock back
    /// when the session ends. Names are cut to what servers take.
    func alone<Result>(
        for purpose: String, _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let whole = "\(address.database) \(purpose)"
        let lock = MySQLQuoting.literal(
            "sluice " + String(SHA256.text(of: Array(whole.utf8)).prefix(40)))
        while try integer("SELECT GET_LOCK(\(lock), 10)") != 1 { try stop.check() }
        defer {
            let before = ignoresStop
            ignoresStop = true
            _ = try? execute("DO RELEASE_LOCK(\(lock))")
            ignoresStop = before
        }
        return try body()
    }
}
