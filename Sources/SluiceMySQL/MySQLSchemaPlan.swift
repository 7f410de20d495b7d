internal import SluiceCore
internal import SluiceRecords

/// The schema work of one request: what is made, in which order, and what of the source it cannot
/// make.
struct MySQLSchemaPlan: Sendable {
    enum Work: Sendable {
        /// What texts of new tables and of routines are in, where nothing else is said.
        case database(characterSet: String, collation: String)
        case table(Name, sql: String)
        case sequence(Name, sql: String)
        /// What a sequence of the source has counted to.
        case count(Name, sql: String)
        /// Several in one pass over the table.
        case keys(TableName, [MySQLTableText.Key])
        case foreignKey(TableName, MySQLTableText.ForeignKey)
        /// Views may read each other: made in whatever order works.
        case views([MySQLCode])
        case code(MySQLCode)
        case statistics(TableName)
    }

    struct Item: Sendable {
        var step: LoadStep
        var work: Work
        /// What takes it back, and what it is then about.
        var drops: [MySQLDrop]
    }

    var items: [Item] = []
    var warnings: [String] = []
    /// Why the request's objects cannot be made.
    var conflicts: [String] = []
    /// Whom code runs as, with how many objects each.
    var definers: [Name: Int] = [:]
    /// By the table, those whose rows must be in before its own.
    private(set) var loadedAfter: [TableName: Set<TableName>] = [:]
    let flavor: MySQLFlavor
    private var names: Set<Name> = []

    /// - Parameter flavor: the target's.
    init(_ request: LoadRequest, _ flavor: MySQLFlavor) {
        self.flavor = flavor
        switch request.onExisting {
        case .refuse, .replace:
            if let schema = request.trustedSchema {
                addTrusted(schema, request)
            } else {
                addBuilt(request)
            }
            if request.constraintsInitial {
                let initial = MySQLInitialKeys(self, request)
                loadedAfter = initial.loadedAfter
                warnings += initial.warnings
                items = initial.items
            }
        case .use, .truncate:
            // Tables that exist stay as they are; only what they count follows the source.
            if let schema = request.trustedSchema { addCounters(schema) }
        }
        for plan in request.tables {
            add(
                .statistics, "statistics of \(plan.table)", [plan.table],
                weight: plan.estimatedBytes, .statistics(plan.table))
        }
    }

    var steps: [LoadStep] { items.map(\.step) }

    /// Where each step is among the items.
    var places: [Name: Int] {
        let named = items.enumerated().map { (Name($0.element.step.name), $0.offset) }
        return Dictionary(named) { first, _ in first }
    }

    /// Adds a step under a name of its own.
    mutating func add(
        _ phase: LoadStep.Phase, _ name: String, _ tables: [TableName], weight: Int = 0,
        _ work: Work, drops: [MySQLDrop] = []
    ) {
        var unique = name
        var number = 2
        while !names.insert(Name(unique)).inserted {
            unique = "\(name) (\(number))"
            number += 1
        }
        let step = LoadStep(phase: phase, name: unique, tables: tables, weight: weight)
        items.append(Item(step: step, work: work, drops: drops))
    }

    /// Sequences go on where those of the source were.
    mutating func addCounters(_ schema: SchemaText) {
        for counter in schema.settings["sequences"]?.elements ?? [] {
            // All of it comes from a dataset; the numbers are put into a statement.
            guard let name = counter["name"]?.text.map({ Name($0) }), !name.isSluice,
                let next = counter["next"]?.number
            else { continue }
            let round = counter["round"]?.number ?? 0
            add(
                .counters, "counter of \(name)", [],
                .count(name, sql: "DO SETVAL(\(name.quoted), \(next), 0, \(round))"))
        }
    }
}

extension JSON {
    /// A whole number, also where it is written as a text.
    fileprivate var number: Int64? { integer.map { Int64($0) } ?? text.flatMap { Int64($0) } }
}

/// What takes an object back.
struct MySQLDrop: Hashable, Sendable {
    static let kinds = [
        "TABLE", "SEQUENCE", "VIEW", "FUNCTION", "PROCEDURE", "PACKAGE BODY", "PACKAGE",
        "TRIGGER", "EVENT",
    ]

    /// As DROP names it.
    let kind: String
    let name: Name

    init(kind: String, name: Name) {
        self.kind = kind
        self.name = name
    }

    /// From what `sql` gave; the ledger is a table that others may write to.
    init?(_ sql: String) {
        guard sql.hasPrefix("DROP "),
            let kind = MySQLDrop.kinds.first(where: { sql.hasPrefix("DROP \($0) IF EXISTS `") })
        else { return nil }
        let rest = String(sql.dropFirst("DROP \(kind) IF EXISTS ".count))
        guard let name = MySQLTokens.name(rest), name.quoted == rest else { return nil }
        self.init(kind: kind, name: name)
    }

    var sql: String { "DROP \(kind) IF EXISTS \(name.quoted)" }

    func perform(on connection: MySQLConnection) throws(Failure) {
        guard kind.hasPrefix("PACKAGE") else {
            try connection.execute(sql)
            return
        }
        // Only in this mode does the server know the word.
        try connection.execute("SET SESSION sql_mode = 'ORACLE'")
        defer { _ = try? connection.execute("SET SESSION sql_mode = '\(MySQLSettings.sqlMode)'") }
        try connection.execute(sql)
    }

    /// As messages show it.
    var description: String { "\(kind.lowercased()) \(name)" }

    /// Tables, views and sequences share their names.
    var isRelation: Bool { ["TABLE", "SEQUENCE", "VIEW"].contains(kind) }
}
