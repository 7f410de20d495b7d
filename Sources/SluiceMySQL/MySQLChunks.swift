internal import SluiceCore
internal import SluiceRecords

/// Ranges of a table's key, found by walking its index under the snapshot.
enum MySQLChunks {
    /// - Parameter rowCount: how many rows a chunk should have.
    static func make(
        of table: MySQLTable, by key: MySQLKey, rowCount: Int, _ options: PlanOptions,
        on connection: MySQLConnection
    ) throws(Failure) -> [Chunk] {
        let limit = max(options.chunkLimit, 1)
        var step = max(rowCount, 1)
        var bounds: [[String]] = []
        var last: [String]?
        while let bound = try next(behind: last, step, table, key, options, connection) {
            bounds.append(bound)
            last = bound
            try connection.stop.check()
            // The statistics know nothing of so many rows: twice as many in each from here on.
            if bounds.count >= limit {
                bounds = stride(from: 1, to: bounds.count, by: 2).map { bounds[$0] }
                step = step > 1 << 40 ? step : step * 2
            }
        }
        return between(bounds)
    }

    /// The key of the last of so many rows behind a bound; nothing where there are not so many, or
    /// none behind it.
    private static func next(
        behind bound: [String]?, _ step: Int, _ table: MySQLTable, _ key: MySQLKey,
        _ options: PlanOptions, _ connection: MySQLConnection
    ) throws(Failure) -> [String]? {
        var conditions: [String] = []
        if let bound { conditions.append(key.compared(bound, isLower: true, from: 0)) }
        if let filter = options.filter { conditions.append("(\n\(filter)\n)") }
        let list = key.parts.map(\.selected).joined(separator: ", ")
        let condition =
            conditions.isEmpty ? "" : " WHERE " + conditions.joined(separator: " AND ")
        let rows = try connection.query(
            "SELECT \(list) FROM \(table.source) FORCE INDEX (\(key.index.quoted))"
                + "\(condition) ORDER BY \(key.order) LIMIT \(step - 1), 1")
        guard rows.rowCount > 0 else { return nil }
        return key.parts.enumerated().map { place, part in part.literal(rows.text(0, place)) }
    }

    /// Adjacent and open at both ends.
    private static func between(_ bounds: [[String]]) -> [Chunk] {
        (0...bounds.count).map { number in
            Chunk(
                number: number, lower: number == 0 ? nil : bounds[number - 1],
                upper: number == bounds.count ? nil : bounds[number])
        }
    }

    /// How many rows make a chunk of the wanted size, by the server's statistics.
    static func rowCount(of table: MySQLTable, _ options: PlanOptions) -> Int {
        let perRow = max(table.byteCount, 1) / max(table.rowCount, 1)
        return max(1, options.chunkBytes / max(perRow, 1))
    }
}
