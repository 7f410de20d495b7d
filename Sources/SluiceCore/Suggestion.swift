/// What somebody may have meant who typed a name that does not exist.
public enum Suggestion {
    /// The nearest of the known names, if one is near enough to be meant; the first of equally
    /// near ones.
    public static func nearest(to name: String, among known: some Sequence<String>) -> String? {
        let typed = Array(name.utf8)
        // A third of the name may be wrong, but never everything of a short one.
        let limit = min(3, max(1, typed.count / 3))
        var best: (name: String, distance: Int)?
        for candidate in known {
            let wanted = Array(candidate.utf8)
            guard abs(wanted.count - typed.count) <= limit else { continue }
            let distance = editDistance(lowercased(typed), lowercased(wanted))
            guard distance <= limit, distance < wanted.count else { continue }
            if distance < best?.distance ?? Int.max { best = (candidate, distance) }
        }
        return best?.name
    }

    /// `Did you mean 'tables'?`, or nothing.
    public static func hint(for name: String, among known: some Sequence<String>) -> String? {
        nearest(to: name, among: known).map { "Did you mean '\($0)'?" }
    }

    /// Insertions, deletions, changes and swaps of neighbours that make one from the other.
    static func editDistance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var older: [Int] = []
        var previous = Array(0...right.count)
        for (row, byte) in left.enumerated() {
            var current = [row + 1]
            for (column, other) in right.enumerated() {
                var cost = min(previous[column + 1], current[column]) + 1
                cost = min(cost, previous[column] + (byte == other ? 0 : 1))
                if row > 0, column > 0, byte == right[column - 1], left[row - 1] == other {
                    cost = min(cost, older[column - 1] + 1)
                }
                current.append(cost)
            }
            older = previous
            previous = current
        }
        return previous[right.count]
    }

    private static func lowercased(_ bytes: [UInt8]) -> [UInt8] {
        bytes.map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 | 0x20 : $0 }
    }
}
