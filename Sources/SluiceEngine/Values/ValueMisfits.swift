internal import SluiceCore
internal import SluiceRecords

/// What of one table would not fit: counted by column and reason, the first rows by name.
struct ValueMisfits: Sendable {
    /// At most so many rows of a table are named.
    static let namedLimit = 100

    /// Where a row is: the chunk's number and its own in it, from 1.
    struct Place: Hashable, Comparable, Sendable {
        let chunk: Int
        let row: Int

        static func < (left: Place, right: Place) -> Bool {
            (left.chunk, left.row) < (right.chunk, right.row)
        }
    }

    struct Reason: Hashable, Sendable {
        /// The column, or the unique key; nothing where it is the row as a whole.
        let subject: Name?
        let isKey: Bool
        let what: Name
        let remedy: Name
    }

    private struct Named: Sendable {
        let place: Place
        let reason: Reason
        let row: String
    }

    private(set) var counts: [Reason: Int] = [:]
    /// In the order of their places.
    private var named: [Named] = []

    var isEmpty: Bool { counts.isEmpty }

    /// Whether a row at this place would be named.
    private func admits(_ place: Place) -> Bool {
        guard named.count >= ValueMisfits.namedLimit, let last = named.last else { return true }
        return place < last.place
    }

    mutating func count(_ reason: Reason, _ rows: Int = 1) {
        counts[reason, default: 0] += rows
    }

    /// - Parameter name: asked for where the row is named.
    mutating func add(_ reason: Reason, at place: Place, name: () -> String) {
        count(reason)
        guard admits(place) else { return }
        let index = named.firstIndex { place < $0.place } ?? named.count
        named.insert(Named(place: place, reason: reason, row: name()), at: index)
        if named.count > ValueMisfits.namedLimit { named.removeLast() }
    }

    /// Rows that are one by a key, named together.
    mutating func add(_ reason: Reason, rows: [String]) {
        let isFull =
            named.count { $0.reason.isKey && $0.reason == reason } >= KeyHashes.doubleLimit
        guard !isFull else { return }
        let last = Place(chunk: Int.max, row: named.count)
        named.append(Named(place: last, reason: reason, row: rows.joined(separator: " and ")))
    }

    private var reasons: [Reason] {
        counts.keys.sorted {
            ($0.isKey ? 1 : 0, $0.what) < ($1.isKey ? 1 : 0, $1.what)
        }
    }

    private func rows(_ reason: Reason) -> [String] {
        named.filter { $0.reason == reason }.map(\.row)
    }

    func lines(of table: TableName) -> [String] {
        reasons.flatMap { reason in
            let count = counts[reason] ?? 0
            let rows = rows(reason)
            var lines = [
                "refused: table \(table): \(reason.what): \(TextTable.grouped(count))"
                    + " \(count == 1 ? "row" : "rows")"
            ]
            lines += rows.map { "  \($0)" }
            lines.append("  hint: \(reason.remedy)")
            return lines
        }
    }

    func json(of table: TableName) -> [JSON] {
        reasons.map { reason in
            .object(
                table.members + [
                    .init(reason.isKey ? "key" : "column", JSON(reason.subject?.text)),
                    .init("message", .string(reason.what.text)),
                    .init("hint", .string(reason.remedy.text)),
                    .init("rows", .int(counts[reason] ?? 0)),
                    .init("named", .array(rows(reason).map(JSON.string))),
                ])
        }
    }
}
