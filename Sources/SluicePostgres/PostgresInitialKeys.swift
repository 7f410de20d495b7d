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

/// Which tables can be reached from each other, by foreign keys: each such set is a circle.
struct TableCircles {
    /// Each table's circle, by a number; a table in no circle has one to itself.
    private var circles: [TableName: Int] = [:]

    /// Kosaraju's way, without recursion: a chain may have thousands of tables.
    init(_ edges: [(from: TableName, to: TableName)]) {
        var forth: [TableName: [TableName]] = [:]
        var back: [TableName: [TableName]] = [:]
        for edge in edges {
            forth[edge.from, default: []].append(edge.to)
            back[edge.to, default: []].append(edge.from)
        }
        var seen: Set<TableName> = []
        var finished: [TableName] = []
        for edge in edges {
            TableCircles.walk(from: edge.from, forth, &seen) { finished.append($0) }
        }
        var taken: Set<TableName> = []
        for (number, start) in finished.reversed().enumerated() {
            TableCircles.walk(from: start, back, &taken) { circles[$0] = number }
        }
    }

    /// Visits each table that can be reached and was not seen, behind all that it leads to.
    private static func walk(
        from start: TableName, _ edges: [TableName: [TableName]], _ seen: inout Set<TableName>,
        _ finish: (TableName) -> Void
    ) {
        guard seen.insert(start).inserted else { return }
        var path: [(table: TableName, next: Int)] = [(start, 0)]
        while let last = path.last {
            let others = edges[last.table] ?? []
            guard last.next < others.count else {
                finish(last.table)
                path.removeLast()
                continue
            }
            path[path.count - 1].next += 1
            if seen.insert(others[last.next]).inserted { path.append((others[last.next], 0)) }
        }
    }

    /// Whether both are in one circle; a table that refers to itself is.
    func has(_ table: TableName, and other: TableName) -> Bool {
        table == other || circles[table].map { $0 == circles[other] } ?? false
    }
}
