internal import SluiceCore
internal import SluiceRecords

// MARK: INSERT by arrays

extension MySQLLoader {
    /// An execution has at most so many bytes of values, unless one row has more.
    private static let arrayBytes = 768 << 10

    /// Binds records by arrays. Rows that the server does not take like this, or warns of, go in by
    /// a statement of their own, which says which of them is refused and why.
    func bind(
        _ records: any RecordSource, _ batch: inout Batch, to arrays: MySQLArrays,
        _ stop: StopSignal
    ) throws(Failure) -> Digest {
        var digest = Digest.empty
        var hasMore = true
        while hasMore {
            try stop.check()
            batch.removeAll()
            hasMore = try records.fill(&batch, byteGoal: MySQLLoader.portion)
            var cursor = RecordCursor(batch.bytes.bytes)
            var row = 0
            while row < batch.rowCount {
                let start = cursor
                let count = try fill(
                    arrays, from: &cursor, atMost: batch.rowCount - row, batch,
                    row: digest.rowCount + row + 1)
                if try !send(arrays) {
                    var again = start
                    try insert(
                        batch, from: &again, count, row: digest.rowCount + row + 1)
                }
                row += count
            }
            guard cursor.isAtEnd else { throw overlong }
            digest += batch.digest
        }
        return digest
    }

    /// Adds rows until the arrays are full, and says how many.
    private func fill(
        _ arrays: MySQLArrays, from cursor: inout RecordCursor, atMost count: Int,
        _ batch: borrowing Batch, row: Int
    ) throws(Failure) -> Int {
        arrays.removeAll()
        wordless = 0
        let limit = min(count, arrays.rowCapacity)
        while arrays.rowCount < limit, arrays.bytes.count < MySQLLoader.arrayBytes {
            let start = cursor.position
            if let problem = try arrayWriter.append(&cursor, to: arrays, wordless: &wordless) {
                throw refusal(
                    problem, row: row &+ arrays.rowCount, from: start, in: batch)
            }
        }
        return arrays.rowCount
    }

    /// False where the rows are not in.
    private func send(_ arrays: MySQLArrays) throws(Failure) -> Bool {
        // A label that is none is only taken where the mode is not strict.
        guard wordless == 0, arrays.bytes.count < packetBytes / 2 else { return false }
        try connection.execute("SAVEPOINT sluice_rows")
        do throws(Failure) {
            let change = try arrays.execute(on: connection)
            if change.rowCount == arrays.rowCount, change.warningCount == 0 { return true }
        } catch {
            guard connection.isOpen,
                error.code.flatMap({ Int($0) }).map(MySQLLoader.isRowRefused) == true
            else { throw error }
        }
        try connection.execute("ROLLBACK TO SAVEPOINT sluice_rows")
        return false
    }
}
