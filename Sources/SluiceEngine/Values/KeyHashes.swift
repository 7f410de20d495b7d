internal import SluiceCore
internal import SluiceRecords

/// Looks for equal hashes among more of them than memory holds: a search keeps those of a range
/// only, which becomes half as long when memory is full, and goes on behind it in another pass.
struct KeyHashes: Sendable {
    /// All searches together keep at most so many.
    static let hashLimit = 4 << 20
    static let byteLimit = hashLimit * 16
    /// So many hashes of several rows are remembered for each key, to be named.
    static let doubleLimit = 100

    struct Search: Sendable {
        let key: LooseKey
        fileprivate var range: ClosedRange<UInt128> = 0...UInt128.max
        fileprivate var hashes: [UInt128] = []
        /// How many more there are of hashes that are kept twice.
        fileprivate var more: [UInt128: Int] = [:]
        fileprivate(set) var isComplete = false
        /// The smallest hashes that several rows have, with how many.
        fileprivate(set) var doubles: [UInt128: Int] = [:]
        /// How many rows share their hash with another one.
        fileprivate(set) var rowCount = 0
    }

    private(set) var searches: [TableName: [Search]] = [:]
    private var held = 0
    private let limit: Int

    init(limit: Int = KeyHashes.hashLimit) {
        self.limit = limit
    }

    /// A table's keys, as whoever comes first finds them.
    mutating func open(_ table: TableName, _ keys: [LooseKey]) {
        guard searches[table] == nil else { return }
        searches[table] = keys.map { Search(key: $0) }
    }

    /// The keys of a table that are still to be looked at.
    func openKeys(of table: TableName) -> [Int] {
        let all = searches[table] ?? []
        return all.indices.filter { !all[$0].isComplete }
    }

    mutating func add(_ hashes: [UInt128], of table: TableName, key: Int) {
        guard let range = searches[table]?[key].range else { return }
        let wanted = hashes.filter(range.contains)
        held += wanted.count
        searches[table]?[key].hashes += wanted
        while held > limit { makeRoom() }
    }

    /// The largest search gives up half of its range.
    private mutating func makeRoom() {
        var largest: (table: TableName, key: Int, count: Int)?
        for (table, searches) in searches {
            for (key, search) in searches.enumerated()
            where search.hashes.count > largest?.count ?? 0 {
                largest = (table, key, search.hashes.count)
            }
        }
        guard let largest else { return }
        let before = largest.count
        searches[largest.table]?[largest.key].shrink()
        held -= before - (searches[largest.table]?[largest.key].hashes.count ?? 0)
    }

    /// All of the table's rows have been seen once more.
    mutating func endPass(of table: TableName) {
        guard let keys = searches[table]?.indices else { return }
        for key in keys where searches[table]?[key].isComplete == false {
            held -= searches[table]?[key].hashes.count ?? 0
            searches[table]?[key].endPass()
        }
    }
}

extension KeyHashes.Search {
    /// Keeps no hash more than twice, and of the range only half where that does not suffice.
    fileprivate mutating func shrink() {
        let before = hashes.count
        hashes.sort()
        var kept: [UInt128] = []
        var run = 0
        for hash in hashes {
            run = hash == kept.last ? run + 1 : 1
            if run <= 2 { kept.append(hash) } else { more[hash, default: 0] += 1 }
        }
        if kept.count > before / 2 {
            let middle = range.lowerBound + (range.upperBound - range.lowerBound) / 2
            range = range.lowerBound...middle
            kept.removeAll { $0 > middle }
            more = more.filter { $0.key <= middle }
        }
        hashes = kept
    }

    fileprivate mutating func endPass() {
        hashes.sort()
        var place = 0
        while place < hashes.count {
            let hash = hashes[place]
            var end = place
            while end < hashes.count, hashes[end] == hash { end += 1 }
            let count = end - place + (more[hash] ?? 0)
            if count > 1 {
                rowCount += count
                // Ranges come in order, so that the first are the smallest.
                if doubles.count < KeyHashes.doubleLimit { doubles[hash] = count }
            }
            place = end
        }
        hashes = []
        more = [:]
        if range.upperBound == UInt128.max {
            isComplete = true
        } else {
            range = range.upperBound + 1...UInt128.max
        }
    }
}
