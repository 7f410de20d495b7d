internal import SluiceCore
internal import SluiceRecords

/// Tells apart what is missing, extra and changed: a key that differs on both sides is a changed
/// row.
struct DifferenceNaming {
    /// A record that only one side has.
    struct Row {
        /// Nothing where the table has no key.
        var key: String?
        /// Shard and ordinal, or the target's ordinal.
        var place: String
    }

    var missing: [Row] = []
    var extra: [Row] = []
    private let misfits: [Misfit]
    private let hidesKeys: Bool
    private let hasKeys: Bool

    init(_ misfits: [Misfit], hidesKeys: Bool, hasKeys: Bool) {
        self.misfits = misfits
        self.hidesKeys = hidesKeys
        self.hasKeys = hasKeys
    }

    func difference(isCut: Bool) -> Difference {
        var difference = Difference()
        difference.isCut = isCut
        let extraKeys = Set(extra.compactMap { $0.key.map { Name($0) } })
        let misfitsByRow = Dictionary(
            misfits.map { (Name($0.row), $0) }, uniquingKeysWith: { first, _ in first })
        var changed: Set<Name> = []
        for row in missing {
            let key = row.key.map { Name($0) }
            if let key, extraKeys.contains(key) {
                changed.insert(key)
                difference.addChanged(shown(row))
            } else if let key, let misfit = misfitsByRow[key] {
                changed.insert(key)
                difference.addChanged("\(shown(row)) (\(misfit.column) holds \(misfit.what))")
            } else {
                difference.addMissing(shown(row))
            }
        }
        for row in extra where !(row.key.map { changed.contains(Name($0)) } ?? false) {
            difference.addExtra(shown(row))
        }
        for misfit in misfits where !hasKeys || !changed.contains(Name(misfit.row)) {
            let row = hidesKeys ? "a row of the target" : misfit.row
            difference.addExtra("\(row) (\(misfit.column) holds \(misfit.what))")
        }
        return difference
    }

    private func shown(_ row: Row) -> String {
        hidesKeys ? row.place : row.key ?? row.place
    }
}

extension Difference {
    fileprivate mutating func addMissing(_ row: String) {
        missing += 1
        if missingNames.count < Difference.namedLimit { missingNames.append(row) }
    }

    fileprivate mutating func addExtra(_ row: String) {
        extra += 1
        if extraNames.count < Difference.namedLimit { extraNames.append(row) }
    }

    fileprivate mutating func addChanged(_ row: String) {
        changed += 1
        if changedNames.count < Difference.namedLimit { changedNames.append(row) }
    }
}
