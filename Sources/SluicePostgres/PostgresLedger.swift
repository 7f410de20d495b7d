internal import SluiceCore
internal import SluiceRecords

/// The table in the target that says what has been loaded, written in the same transaction as the
/// rows (design §7).
enum PostgresLedger: ServerLedger {
    static let name = TableName(schema: "sluice", "sluice_ledger")

    enum State {
        case missing
        case present
        /// Something of that name which is not ours.
        case foreign
    }

    static func state(on connection: PostgresConnection) throws(Failure) -> State {
        let found = try connection.text(
            """
            SELECT string_agg(a.attname, ',' ORDER BY a.attnum) FROM pg_attribute AS a
            JOIN pg_class AS c ON c.oid = a.attrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
            WHERE n.nspname = 'sluice' AND c.relname = 'sluice_ledger' AND a.attnum > 0
                AND NOT a.attisdropped
            """)
        guard let found else { return .missing }
        return found == "dataset,unit,rows,digest,mapped,at" ? .present : .foreign
    }

    /// Makes the ledger where there is none.
    static func make(on connection: PostgresConnection) throws(Failure) {
        guard try state(on: connection) == .missing else { return }
        let columns = [
            "dataset text", "unit text", "rows int8", "digest text", "mapped text", "at text",
        ]
        .map { $0 + " NOT NULL" }.joined(separator: ", ")
        let hasSchema = try connection.boolean(
            "SELECT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = 'sluice')")
        // Where the schema is there, the right to make another one is not needed.
        if !hasSchema { try connection.execute("CREATE SCHEMA IF NOT EXISTS sluice") }
        try connection.execute(
            "CREATE TABLE IF NOT EXISTS sluice.sluice_ledger(\(columns), PRIMARY KEY(dataset, unit))"
        )
    }

    static func rows(on connection: PostgresConnection) throws(Failure) -> [LedgerEntry] {
        let rows = try connection.query(
            "SELECT dataset, unit, rows, digest, mapped, at FROM sluice.sluice_ledger"
                + " ORDER BY dataset, unit")
        return rows.rows.map { row in
            LedgerEntry(
                dataset: rows.text(row, 0), unit: rows.text(row, 1),
                rowCount: rows.integer(row, 2), digest: rows.text(row, 3),
                mapped: rows.text(row, 4), at: rows.text(row, 5))
        }
    }

    /// Enters a unit; false when it is there already. Waits for a transaction that enters it.
    static func enter(
        _ unit: String, of dataset: String, _ digest: Digest? = nil,
        on connection: PostgresConnection
    ) throws(Failure) -> Bool {
        // As a rule the records as mapped are the records.
        let sum = digest?.text ?? ""
        let result = try connection.query(
            "INSERT INTO sluice.sluice_ledger(dataset, unit, rows, digest, mapped, at)"
                + " VALUES($1, $2, $3, $4, $4, $5) ON CONFLICT DO NOTHING",
            [dataset, unit, String(digest?.rowCount ?? 0), sum, Clock.timestamp()])
        return result.changedRowCount == 1
    }

    /// Enters a step with the statement that takes it back; false when it is there already.
    static func enter(
        _ unit: String, of dataset: String, undoing drop: String?,
        on connection: PostgresConnection
    ) throws(Failure) -> Bool {
        let result = try connection.query(
            "INSERT INTO sluice.sluice_ledger(dataset, unit, rows, digest, mapped, at)"
                + " VALUES($1, $2, 0, '', $3, $4) ON CONFLICT DO NOTHING",
            [dataset, unit, drop ?? "", Clock.timestamp()])
        return result.changedRowCount == 1
    }

    static func has(
        _ unit: String, of dataset: String, on connection: PostgresConnection
    ) throws(Failure) -> Bool {
        try connection.query(
            "SELECT FROM sluice.sluice_ledger WHERE dataset = $1 AND unit = $2", [dataset, unit]
        ).rowCount > 0
    }

    /// What a unit's records are as mapped for this target.
    static func change(
        _ unit: String, of dataset: String, mapped: Digest, on connection: PostgresConnection
    ) throws(Failure) {
        _ = try connection.query(
            "UPDATE sluice.sluice_ledger SET mapped = $3 WHERE dataset = $1 AND unit = $2",
            [dataset, unit, mapped.text])
    }

    /// What of a unit is in, where that is less than was entered.
    static func change(
        _ unit: String, of dataset: String, _ digest: Digest, mapped: Digest,
        on connection: PostgresConnection
    ) throws(Failure) {
        _ = try connection.query(
            "UPDATE sluice.sluice_ledger SET rows = $3, digest = $4, mapped = $5"
                + " WHERE dataset = $1 AND unit = $2",
            [dataset, unit, String(digest.rowCount), digest.text, mapped.text])
    }

    /// Enters records that are not in, because they were refused.
    static func enterRefused(
        _ unit: String, of dataset: String, _ digest: Digest, on connection: PostgresConnection
    ) throws(Failure) {
        _ = try connection.query(
            "INSERT INTO sluice.sluice_ledger(dataset, unit, rows, digest, mapped, at)"
                + " VALUES($1, $2, $3, $4, '', $5) ON CONFLICT DO NOTHING",
            [dataset, unit, String(digest.rowCount), digest.text, Clock.timestamp()])
    }

    /// Removes the rows of a dataset; all of them, or one unit's.
    static func remove(
        _ unit: String? = nil, of dataset: String, on connection: PostgresConnection
    ) throws(Failure) {
        _ = try connection.query(
            "DELETE FROM sluice.sluice_ledger"
                + " WHERE dataset = $1 AND ($2::text IS NULL OR unit = $2)", [dataset, unit])
    }
}

/// The units that are not shards.
enum PostgresUnit {
    static func begin(_ table: TableName) -> String { "begin \(table)" }
    static func step(_ name: String) -> String { "step \(name)" }
}

extension PostgresConnection: ServerTransactions {
    func carryOut(_ statement: String) throws(Failure) { try execute(statement) }
}
