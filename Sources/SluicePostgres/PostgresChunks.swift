internal import SluiceCore
internal import SluiceRecords

/// Ranges of a table's blocks, or of its key, under one snapshot.
///
/// A bound is a row's place that no row has: the one before the first of a block. The last chunk is
/// open-ended, and so has the blocks that are added meanwhile, whose rows the snapshot does not
/// see.
enum PostgresChunks {
    /// Ranges of blocks.
    static func make(of table: PostgresTable, _ options: PlanOptions) -> [Chunk] {
        let count = min(count(of: table, options), max(table.blockCount, 1))
        let bounds = (1..<max(count, 1)).map { number in
            // Each product is below 2^32 blocks times 10,000 chunks.
            ["'(\(table.blockCount * number / count),0)'"]
        }
        return between(bounds)
    }

    /// Ranges of a key, made by the server.
    static func make(
        of table: PostgresTable, by key: PostgresKey, _ options: PlanOptions,
        on connection: PostgresConnection
    ) throws(Failure) -> [Chunk] {
        let step = max(1, table.rowCount / count(of: table, options))
        let rows = try connection.query(
            key.boundsStatement(of: table, step: step, where: options.filter))
        var bounds: [[String]] = []
        for row in rows.rows {
            bounds.append((0..<rows.columnCount).map { rows.text(row, $0) })
        }
        // Statistics may know nothing of so many rows.
        while bounds.count >= max(options.chunkLimit, 1) {
            bounds = stride(from: 1, to: bounds.count, by: 2).map { bounds[$0] }
        }
        return between(bounds)
    }

    /// Adjacent and open at both ends.
    private static func between(_ bounds: [[String]]) -> [Chunk] {
        (0...bounds.count).map { number in
            Chunk(
                number: number, lower: number == 0 ? nil : bounds[number - 1],
                upper: number == bounds.count ? nil : bounds[number])
        }
    }

    private static func count(of table: PostgresTable, _ options: PlanOptions) -> Int {
        let wanted = (max(table.byteCount, 1) - 1) / max(options.chunkBytes, 1) + 1
        return max(1, min(wanted, options.chunkLimit))
    }

    /// A condition that is true for the chunk's rows only; nothing where the chunk is everything.
    static func condition(_ chunk: Chunk) throws(Failure) -> String? {
        var conditions: [String] = []
        if let lower = chunk.lower { conditions.append("ctid > \(try place(lower, chunk))") }
        if let upper = chunk.upper { conditions.append("ctid <= \(try place(upper, chunk))") }
        return conditions.isEmpty ? nil : conditions.joined(separator: " AND ")
    }

    /// Nothing but places of this form goes from a plan to the server.
    private static func place(_ bound: [String], _ chunk: Chunk) throws(Failure) -> String {
        guard bound.count == 1, isPlace(bound[0]) else {
            throw Failure(
                .failed, "the bounds of chunk \(chunk.number) are no places in a table",
                hint: "The plan was made by another version or changed by somebody; export anew.")
        }
        return bound[0]
    }

    private static func isPlace(_ text: String) -> Bool {
        let (start, end) = (Array("'(".utf8), Array(",0)'".utf8))
        let bytes = Array(text.utf8)
        guard bytes.count > start.count + end.count, bytes.starts(with: start),
            bytes.suffix(end.count).elementsEqual(end)
        else { return false }
        let number = bytes.dropFirst(start.count).dropLast(end.count)
        return UInt32(String(decoding: number, as: UTF8.self)) != nil
            && number.allSatisfy { (0x30...0x39).contains($0) }
    }
}
