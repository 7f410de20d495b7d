internal import SluiceCore
internal import SluiceRecords

/// `--constraints initial`: which foreign keys are made with the tables, and in which order the
/// tables are then loaded.
///
/// Those within a circle of tables are made behind the rows as ever.
struct MySQLInitialKeys {
    private let plan: MySQLSchemaPlan
    private let tables: Set<TableName>
    /// The foreign keys' places among the items.
    private var places: [Int] = []
    /// What is made behind the rows all the same, one line each.
    private(set) var warnings: [String] = []

    init(_ plan: MySQLSchemaPlan, _ request: LoadRequest) {
        self.plan = plan
        tables = Set(request.tables.map(\.table))
        let keys = plan.items.enumerated().compactMap { place, item in
            item.foreignKey.map { (place: place, table: $0.table, key: $0.key) }
        }
        let circles = TableCircles(keys.map { (from: $0.table, to: $0.key.other) })
        for (place, table, key) in keys {
            guard circles.has(table, and: key.other) else {
                places.append(place)
                continue
            }
            warnings.append(
                "the foreign key \(key.name) of \(table) is made behind the rows: it is part of a"
                    + " circle")
        }
    }

    private var keys: [(table: TableName, other: TableName)] {
        places.compactMap { plan.items[$0].foreignKey.map { ($0.table, $0.key.other) } }
    }

    /// The plan's items with these keys, and the indexes that they need at both ends, among the
    /// tables: which of them that is, is the server's business.
    var items: [MySQLSchemaPlan.Item] {
        let moved = Set(places)
        let ends = Set(keys.flatMap { [$0.table, $0.other] })
        return plan.items.enumerated().map { place, item in
            guard moved.contains(place) || item.isOfKeys(ofOneOf: ends) else { return item }
            var item = item
            item.step.phase = .tables
            item.step.tables = []
            return item
        }
    }

    /// By the table, those whose rows must be in before its own.
    var loadedAfter: [TableName: Set<TableName>] {
        var loadedAfter: [TableName: Set<TableName>] = [:]
        for (table, other) in keys where tables.contains(table) && tables.contains(other) {
            loadedAfter[table, default: []].insert(other)
        }
        return loadedAfter
    }
}

extension MySQLSchemaPlan.Item {
    fileprivate var foreignKey: (table: TableName, key: MySQLTableText.ForeignKey)? {
        guard case .foreignKey(let table, let key) = work else { return nil }
        return (table, key)
    }

    fileprivate func isOfKeys(ofOneOf tables: Set<TableName>) -> Bool {
        guard case .keys(let table, _) = work else { return false }
        return tables.contains(table)
    }
}
