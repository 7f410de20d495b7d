internal import SluiceCore
internal import SluiceRecords

/// A unique index over expressions, or over some rows only: what it compares of a record, the
/// server says.
struct PostgresKeyExpressions {
    /// So many rows are asked about at once.
    private static let portion = 1024

    private let columns: [PostgresColumnTrial]
    private let sent: [Int]
    private let expressions: [String]
    private let condition: String?
    private let connection: PostgresConnection

    /// Types whose equal values have one text.
    private static let types: Set<String> = [
        "text", "character varying", "smallint", "integer", "bigint", "boolean", "date", "uuid",
        "timestamp without time zone", "timestamp with time zone", "bytea",
    ]

    /// Nothing where it looks at columns that are not loaded, or compares by rules of its own.
    init?(
        _ index: String, _ columns: [PostgresColumnTrial], _ numbers: [Int],
        on connection: PostgresConnection
    ) throws(Failure) {
        let used = try connection.query(
            """
            SELECT DISTINCT d.refobjsubid FROM pg_depend AS d JOIN pg_index AS i
            ON i.indexrelid = d.objid AND i.indrelid = d.refobjid
            WHERE d.classid = 'pg_class'::regclass AND d.objid = $1::oid AND d.refobjsubid > 0
            ORDER BY 1
            """, [index])
        let places = used.rows.map { numbers.firstIndex(of: used.integer($0, 0)) }
        guard !places.contains(nil) else { return nil }
        let parts = try connection.query(
            """
            SELECT pg_get_indexdef(i.indexrelid, a.attnum, true), format_type(a.atttypid, NULL),
                pg_get_expr(i.indpred, i.indrelid)
            FROM pg_index AS i JOIN pg_attribute AS a ON a.attrelid = i.indexrelid
            WHERE i.indexrelid = $1::oid AND a.attnum <= i.indnkeyatts ORDER BY a.attnum
            """, [index])
        var expressions: [String] = []
        for row in parts.rows {
            let type = parts.text(row, 1)
            guard PostgresKeyExpressions.types.contains(type) || type == "numeric" else {
                return nil
            }
            let value = parts.text(row, 0)
            expressions.append(
                type == "numeric"
                    ? "pg_catalog.trim_scale(\(value))::text" : "(\(value))::text")
        }
        condition = parts.rowCount > 0 ? parts.optionalText(0, 2) : nil
        self.expressions = expressions
        sent = places.compactMap { $0 }.sorted()
        self.columns = columns
        self.connection = connection
    }

    func fold(
        _ batch: borrowing Batch, comparesNull: Bool, into folds: inout KeyFolds
    ) throws(Failure) {
        var judge = PostgresRowJudge(
            columns, names: columns.map(\.field.name.asColumn), sending: sent, on: connection)
        var form = ByteBuffer()
        // Of the portion: whether the record was sent.
        var isSent: [Bool] = []
        var cursor = RecordCursor(batch.bytes.bytes)
        for row in 0..<batch.rowCount {
            let start = cursor.position
            var isRefused = false
            form.removeAll()
            for column in columns where try column.refusal(&cursor, &form) != nil {
                isRefused = true
            }
            if !isRefused { try judge.append(cursor.read(since: start)) }
            isSent.append(!isRefused)
            guard isSent.count == PostgresKeyExpressions.portion || row + 1 == batch.rowCount
            else { continue }
            try append(judge, isSent, comparesNull: comparesNull, to: &folds)
            judge.removeAll()
            isSent.removeAll(keepingCapacity: true)
        }
    }

    private func append(
        _ judge: borrowing PostgresRowJudge, _ isSent: [Bool], comparesNull: Bool,
        to folds: inout KeyFolds
    ) throws(Failure) {
        let found = try judge.texts(of: expressions, where: condition)
        var next = 0
        for isSent in isSent {
            let texts = isSent ? found[next] : nil
            if isSent { next += 1 }
            var isDistinct = texts == nil
            for text in texts ?? [] {
                guard var text else {
                    if !comparesNull { isDistinct = true }
                    // No text has this byte.
                    withUnsafeBytes(of: 0xFF as UInt8) { folds.append($0) }
                    continue
                }
                text.withUTF8 { folds.append(UnsafeRawBufferPointer($0)) }
            }
            folds.endRecord(isDistinct: isDistinct)
        }
    }
}
