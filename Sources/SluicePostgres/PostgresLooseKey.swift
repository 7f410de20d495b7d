internal import SluiceCore
internal import SluiceRecords

/// A unique key of a table that is there already, and what the server compares of a record by it.
struct PostgresLooseKey {
    let key: LooseKey
    private let parts: [Bool]
    private let columns: [PostgresColumnTrial]
    /// NULLS NOT DISTINCT.
    private let comparesNull: Bool
    /// Where the server has to be asked.
    private let expressions: PostgresKeyExpressions?

    /// Those under which rows may be one that are two in the source, and why some are not looked
    /// at.
    static func all(
        of table: PostgresTargetTable, _ plan: TablePlan, _ columns: [PostgresColumnTrial],
        _ numbers: [Int], _ request: LoadRequest, on connection: PostgresConnection
    ) throws(Failure) -> (keys: [PostgresLooseKey], omissions: [String]) {
        let comparesNull = connection.version >= 150_000 ? "i.indnullsnotdistinct" : "false"
        let rows = try connection.query(
            """
            SELECT c.relname, array_to_string((i.indkey::int2[])[0:i.indnkeyatts - 1], ','),
                i.indpred IS NOT NULL, i.indisexclusion, \(comparesNull), NOT EXISTS (
                    SELECT FROM unnest(i.indcollation) AS u(number) JOIN pg_collation AS l
                    ON l.oid = u.number WHERE NOT l.collisdeterministic),
                i.indpred IS NOT NULL OR i.indexprs IS NOT NULL, i.indexrelid
            FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
            WHERE i.indrelid = $1::oid AND (i.indisunique OR i.indisexclusion) ORDER BY c.relname
            """, [String(table.number)])
        var keys: [PostgresLooseKey] = []
        var omissions: [String] = []
        for row in rows.rows {
            let name = try rows.name(row, 0)
            let places = rows.text(row, 1).split(separator: ",").map { number in
                numbers.firstIndex(of: Int(number) ?? 0)
            }
            let isPlain =
                !rows.boolean(row, 2) && !rows.boolean(row, 3) && rows.boolean(row, 5)
                && !places.contains(nil)
            let own = places.compactMap { $0 }
            if !rows.boolean(row, 3), rows.boolean(row, 5), rows.boolean(row, 6),
                let expressions = try PostgresKeyExpressions(
                    rows.text(row, 7), columns, numbers, on: connection)
            {
                keys.append(
                    PostgresLooseKey(
                        name, own, columns, comparesNull: rows.boolean(row, 4), expressions))
                continue
            }
            guard isPlain, own.allSatisfy({ canFold(columns[$0]) }) else {
                let isKept =
                    isPlain && request.sourceEngine == PostgresTarget.engineName
                    && plan.definition.keepsApart(own.map { columns[$0].field.name })
                if !isKept {
                    omissions.append(
                        "unique index \(name) of table \(plan.table) is not looked at")
                }
                continue
            }
            let isExact = own.allSatisfy { comparesAll(columns[$0]) }
            let isNullable = own.contains { columns[$0].field.isNullable }
            if isExact, !(rows.boolean(row, 4) && isNullable),
                plan.definition.keepsApart(own.map { columns[$0].field.name })
            {
                continue
            }
            keys.append(
                PostgresLooseKey(name, own, columns, comparesNull: rows.boolean(row, 4)))
        }
        return (keys, omissions)
    }

    /// Whether equal values are known by their bytes.
    private static func canFold(_ column: PostgresColumnTrial) -> Bool {
        switch column.storage {
        case .json, .jsonb, .other: false
        default: column.isStored
        }
    }

    /// Whether different records are different values.
    private static func comparesAll(_ column: PostgresColumnTrial) -> Bool {
        switch column.storage {
        case .numeric(_, let scale): scale != nil || column.field.type != .text
        case .text: column.type != "character" && column.type != "bpchar"
        default: true
        }
    }

    private init(
        _ name: Name, _ own: [Int], _ columns: [PostgresColumnTrial], comparesNull: Bool,
        _ expressions: PostgresKeyExpressions? = nil
    ) {
        self.expressions = expressions
        key = LooseKey(
            name: name,
            remedy: "Drop or change the target's key, or change one of the rows in the source.")
        parts = columns.indices.map(own.contains)
        self.columns = columns
        self.comparesNull = comparesNull
    }

    func fold(_ batch: borrowing Batch, into folds: inout KeyFolds) throws(Failure) {
        if let expressions {
            return try expressions.fold(batch, comparesNull: comparesNull, into: &folds)
        }
        var cursor = RecordCursor(batch.bytes.bytes)
        var form = ByteBuffer()
        for _ in 0..<batch.rowCount {
            var isDistinct = false
            for index in columns.indices {
                let start = cursor.position
                form.removeAll()
                let refusal = try columns[index].writer.append(&cursor, to: &form)
                guard parts[index] else { continue }
                // A value that is refused is no value of the key.
                if refusal != nil { isDistinct = true }
                if PostgresLooseKey.isNull(columns[index].field, cursor.read(since: start)) {
                    if !comparesNull { isDistinct = true }
                    // No text has this byte.
                    withUnsafeBytes(of: 0xFF as UInt8) { folds.append($0) }
                    continue
                }
                if refusal == nil { append(form.bytes, of: columns[index], to: &folds) }
            }
            folds.endRecord(isDistinct: isDistinct)
        }
    }

    private static func isNull(_ field: Field, _ value: UnsafeRawBufferPointer) -> Bool {
        (field.isNullable || field.type == .any) && value.first == 0
    }

    /// A field of a binary COPY: the count of columns, the length, the value.
    private func append(
        _ form: UnsafeRawBufferPointer, of column: PostgresColumnTrial, to folds: inout KeyFolds
    ) {
        var value = UnsafeRawBufferPointer(rebasing: form.dropFirst(2))
        switch column.storage {
        case .numeric(_, nil):
            // Digits, weight and sign, without the number of decimal places.
            var plain = ByteBuffer()
            plain.append(UnsafeRawBufferPointer(rebasing: value[4..<10]))
            plain.append(UnsafeRawBufferPointer(rebasing: value[12...]))
            folds.append(plain.bytes)
        case .float32, .float64:
            // Zero has no sign when it is compared.
            let isZero = value.dropFirst(5).allSatisfy { $0 == 0 } && value[4] & 0x7F == 0
            folds.append(isZero ? UnsafeRawBufferPointer(rebasing: value.prefix(1)) : value)
        case .text where !PostgresLooseKey.comparesAll(column):
            while value.count > 4, value.last == 0x20 {
                value = UnsafeRawBufferPointer(rebasing: value.dropLast())
            }
            folds.append(UnsafeRawBufferPointer(rebasing: value.dropFirst(4)))
        default: folds.append(value)
        }
    }
}
