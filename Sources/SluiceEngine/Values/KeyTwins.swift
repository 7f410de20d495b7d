internal import SluiceCore
internal import SluiceRecords

/// Rows of one table that have the same hash by one of its loose keys, on the way to being named.
struct KeyTwins: Sendable {
    /// Of rows that are all one at most so many are named.
    private static let namedLimit = 5

    private struct Row: Sendable {
        let place: ValueMisfits.Place
        let name: String
    }

    private struct Group: Sendable {
        var count = 0
        /// The first ones, in their order.
        var rows: [Row] = []
    }

    private let searches: [KeyHashes.Search]
    /// By key and hash, what the rows are compared by: almost always one thing.
    private var groups: [[UInt128: [[UInt8]: Group]]]

    init(_ searches: [KeyHashes.Search]) {
        self.searches = searches
        groups = searches.map { _ in [:] }
    }

    /// By key, the hashes that several rows have.
    var wanted: [Set<UInt128>] { searches.map { Set($0.doubles.keys) } }

    mutating func add(
        _ key: Int, _ hash: UInt128, _ fold: [UInt8], _ place: ValueMisfits.Place, _ name: String
    ) {
        var group = groups[key][hash]?[fold] ?? Group()
        group.count += 1
        let index = group.rows.firstIndex { place < $0.place } ?? group.rows.count
        if index < KeyTwins.namedLimit {
            group.rows.insert(Row(place: place, name: name), at: index)
            if group.rows.count > KeyTwins.namedLimit { group.rows.removeLast() }
        }
        groups[key][hash, default: [:]][fold] = group
    }

    /// What is the same by the bytes that are compared, not by its hash alone.
    func report(to misfits: inout ValueMisfits) {
        for (key, search) in searches.enumerated() {
            var rowCount = search.rowCount
            var equal: [Group] = []
            for hash in search.doubles.keys {
                let found = groups[key][hash]?.values.filter { $0.count > 1 } ?? []
                rowCount -= search.doubles[hash] ?? 0
                rowCount += found.reduce(0) { $0 + $1.count }
                equal += found
            }
            guard rowCount > 0 else { continue }
            let reason = ValueMisfits.Reason(
                subject: search.key.name, isKey: true,
                what: Name("unique key \(search.key.name) takes different rows for the same"),
                remedy: Name(search.key.remedy))
            misfits.count(reason, rowCount)
            equal.sort { $0.rows[0].place < $1.rows[0].place }
            for group in equal { misfits.add(reason, rows: group.rows.map(\.name)) }
        }
    }
}
