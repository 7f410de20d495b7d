internal import SluiceCore
internal import SluiceRecords

/// Which rows of a table are not what they should be.
struct Difference: Sendable {
    /// At most `Difference.namedLimit` names of each kind; the counts say how many there are.
    static let namedLimit = 100

    var missing = 0
    var extra = 0
    var changed = 0
    var missingNames: [String] = []
    var extraNames: [String] = []
    var changedNames: [String] = []
    /// There were more differences than could be told apart; the counts are too small.
    var isCut = false

    var isEmpty: Bool { missing == 0 && extra == 0 && changed == 0 && !isCut }

    var json: JSON {
        [
            "missing": .int(missing), "extra": .int(extra), "changed": .int(changed),
            "missingRows": .array(missingNames.map(JSON.string)),
            "extraRows": .array(extraNames.map(JSON.string)),
            "changedRows": .array(changedNames.map(JSON.string)),
            "more": .bool(isCut),
        ]
    }

    /// `2 rows missing, 1 row changed`.
    var summary: String {
        var parts: [String] = []
        for (count, word) in [(missing, "missing"), (extra, "extra"), (changed, "changed")]
        where count > 0 {
            parts.append("\(count) \(count == 1 ? "row" : "rows") \(word)")
        }
        if isCut { parts.append("and more") }
        return parts.joined(separator: ", ")
    }

    /// One line for each row that is named.
    func lines(of table: TableName) -> [String] {
        missingNames.map { "missing from \(table): \($0)" }
            + extraNames.map { "extra in \(table): \($0)" }
            + changedNames.map { "changed in \(table): \($0)" }
    }
}
