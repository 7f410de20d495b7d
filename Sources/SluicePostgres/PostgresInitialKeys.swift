internal import SluiceCore
internal import SluiceRecords

/// `--constraints initial`: which foreign keys are made with the tables, and in which order the
/// tables are then loaded.
///
/// Those within a circle of tables are made behind the rows as ever; so are those of partitioned
/// tables, whose keys are only whole when those of their parts are, and those that the source has
/// not looked at itself.
struct PostgresInitialKeys {
    private let plan: PostgresSchemaPlan
    /// Tables as the request names them, by their names in the target.
    private let tables: [TableName: TableName]
    /// The foreign keys' places among the items.
    private var places: [Int] = []
    /// What is made behind the rows all the same, one line each.
    private(set) var warnings: [String] = []

    init(_ plan: PostgresSchemaPlan, _ request: LoadRequest) {
        self.plan = plan
        tables = Dictionary(
            request.tables.map { ($0.table.qualified, $0.table) }, uniquingKeysWith: { $1 })
        let keys = plan.items.enumerated().compactMap { place, item in
            item.foreignKey.map { (place: place, key: $0) }
        }
        let circles = TableCircles(
            keys.map { (from: $0.key.table, to: $0.key.other) })
        for (place, key) in keys {
            if key.isNotValid { continue }
            let name = "the foreign key \(key.name) of \(key.table) is made behind the rows"
            if circles.has(key.table, and: key.other) {
                warnings.append("\(name): it is part of a circle")
            } else if tables[key.table] == nil || tables[key.other] == nil
                || plan.items[place].step.phase != .foreignKeys
            {
                warnings.append("\(name): a table at one of its ends is partitioned")
            } else {
                places.append(place)
            }
        }
    }

    private var keys: [PostgresForeignKey] { places.compactMap { plan.items[$0].foreignKey } }

    /// The plan's items with these keys, and the unique ones that they need, among the tables.
    var items: [PostgresSchemaPlan.Item] {
        let moved = Set(places)
        let referenced = Set(keys.map(\.other))
        return plan.items.enumerated().map { place, item in
            guard moved.contains(place) || item.isUnique(ofOneOf: referenced) else { return item }
            var item = item
            item.step.phase = .tables
            item.step.tables = []
            return item
        }
    }

    /// By the table, those whose rows must be in before its own.
    var loadedAfter: [TableName: Set<TableName>] {
        var loadedAfter: [TableName: Set<TableName>] = [:]
        for key in keys {
            guard let table = tables[key.table], let other = tables[key.other] else { continue }
            loadedAfter[table, default: []].insert(other)
        }
        return loadedAfter
    }
}

extension PostgresSchemaPlan.Item {
    fileprivate var foreignKey: PostgresForeignKey? {
        guard case .foreignKey(let key) = work else { return nil }
        return key
    }

    /// What a foreign key may refer to.
    fileprivate func isUnique(ofOneOf tables: Set<TableName>) -> Bool {
        switch work {
        case .unique(let constraint): tables.contains(constraint.table)
        case .index(_, let sql):
            step.tables.contains { tables.contains($0.qualified) }
                && sql.contains { PostgresStatement($0).begins(with: "CREATE", "UNIQUE", "INDEX") }
        default: false
        }
    }
}
