public import SluiceCore

/// Which tables can be reached from each other, by foreign keys: each such set is a circle.
public struct TableCircles: Sendable {
    /// Each table's circle, by a number; a table in no circle has one to itself.
    private var circles: [TableName: Int] = [:]

    /// Kosaraju's way, without recursion: a chain may have thousands of tables.
    public init(_ edges: [(from: TableName, to: TableName)]) {
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
    public func has(_ table: TableName, and other: TableName) -> Bool {
        table == other || circles[table].map { $0 == circles[other] } ?? false
    }
}
