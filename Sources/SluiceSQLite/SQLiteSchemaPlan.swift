internal import SluiceCore
internal import SluiceRecords

/// The schema work of one request: what is made, in which order, and what of the source it cannot
/// make.
struct SQLiteSchemaPlan: Sendable {
    enum Action: Sendable {
        /// An object, by its SQL.
        case make(SQLiteObjectKind, Name, sql: String)
        /// One of SQLite's own tables, which no statement of a schema may make.
        case makeOwn(Name)
        /// What AUTOINCREMENT counts.
        case counters
        /// The same in tables that were here before.
        case countersOfUsed
        /// What ANALYZE found.
        case statistics
        /// What belongs to the file: its version, its application, its journal.
        case settings
    }

    struct Item: Sendable {
        var step: LoadStep
        var action: Action
    }

    private(set) var items: [Item] = []
    private(set) var warnings: [String] = []
    /// Why the request's names cannot stand side by side in SQLite.
    private(set) var conflicts: [String] = []
    /// Whether every table of the schema is loaded.
    private var isWhole = true
    private var wanted: Set<Name> = []
    /// Whether statements come from the dataset, and run under the authorizer.
    let isTrusted: Bool

    /// Existing tables are used as they are: then there is nothing to make, and only what they
    /// count follows the source.
    init(_ request: LoadRequest) {
        isTrusted = request.trustedSchema != nil
        switch request.onExisting {
        case .use, .truncate:
            if let schema = request.trustedSchema, SQLiteSettings(schema.settings) != nil {
                addStep(.counters, "counters", .countersOfUsed)
            }
            return
        case .refuse, .replace: break
        }
        if let schema = request.trustedSchema {
            addTrusted(schema, request)
        } else {
            addBuilt(request)
        }
    }

    var steps: [LoadStep] { items.map(\.step) }

    /// Every object that is made, in order.
    var objects: [(kind: SQLiteObjectKind, name: Name)] {
        items.compactMap { item in
            guard case .make(let kind, let name, _) = item.action else { return nil }
            return (kind, name)
        }
    }

    /// Whether a row of SQLite's own tables is about something that is made here.
    func keeps(rowAbout subject: SQLiteValue) -> Bool {
        guard !isWhole else { return true }
        guard case .text(let bytes) = subject, let text = String(validating: bytes, as: UTF8.self)
        else { return false }
        return wanted.contains(Name(text).folded)
    }

    /// Where each step is among the items.
    var places: [Name: Int] {
        let named = items.enumerated().map { (Name($0.element.step.name), $0.offset) }
        return Dictionary(named) { first, _ in first }
    }
}

/// A schema that SQLite itself wrote: every object by its own SQL, in the source's order.
extension SQLiteSchemaPlan {
    /// `.dump` prints tables in the order they were made, then indexes, triggers and views as one
    /// list in theirs. So tables are made in the source's order, and all the others in one run
    /// behind the data.
    private mutating func addTrusted(_ schema: SchemaText, _ request: LoadRequest) {
        wanted = Set(request.tables.map(\.table.table.folded))
        let owners = Set(request.tables.compactMap(\.owner?.table.folded))
        var left: Set<Name> = []
        var code: [Item] = []
        var hasCounters = false
        var hasStatistics = false
        isWhole = schema.objects.allSatisfy {
            SQLiteSchemaPlan.kind(of: $0) != .table || SQLiteSchemaPlan.isOwn($0.name.table)
                || wanted.contains($0.name.table.folded)
        }
        for object in schema.objects {
            let name = object.name.table
            guard let kind = SQLiteSchemaPlan.kind(of: object), !name.isSluice else { continue }
            if SQLiteSchemaPlan.isOwn(name) {
                hasCounters = hasCounters || name.folded == "sqlite_sequence"
                hasStatistics = hasStatistics || name.folded != "sqlite_sequence"
                let step = LoadStep(phase: .tables, name: "table \(name)", tables: [])
                items.append(Item(step: step, action: .makeOwn(name)))
                continue
            }
            let belongs =
                switch kind {
                case .table: wanted.contains(name.folded)
                case .virtualTable: isWhole || owners.contains(name.folded)
                case .index, .trigger: !left.contains((object.table ?? object.name).table.folded)
                case .view: true
                }
            guard belongs else {
                if kind.isTable { left.insert(name.folded) }
                continue
            }
            let item = Item(
                step: LoadStep(
                    phase: kind.isTable ? .tables : .code, name: "\(kind.rawValue) \(name)",
                    tables: []),
                action: .make(kind, name, sql: object.sql))
            if kind.isTable { items.append(item) } else { code.append(item) }
        }
        for system in SQLiteSettings(schema.settings)?.systemRows ?? [] {
            let isCounters = system.name.folded == "sqlite_sequence"
            let isMade = isCounters ? hasCounters : hasStatistics
            if !isMade {
                let step = LoadStep(phase: .tables, name: "table \(system.name)", tables: [])
                items.append(Item(step: step, action: .makeOwn(system.name)))
            }
            hasCounters = hasCounters || isCounters
            hasStatistics = hasStatistics || !isCounters
        }
        if hasCounters { addStep(.counters, "counters", .counters) }
        items += code
        if hasStatistics { addStep(.statistics, "statistics", .statistics) }
        addStep(.statistics, "settings", .settings)
    }

    private mutating func addStep(_ phase: LoadStep.Phase, _ name: String, _ action: Action) {
        items.append(Item(step: LoadStep(phase: phase, name: name, tables: []), action: action))
    }

    /// SQLite's own tables, whose names nothing else may have.
    private static func isOwn(_ name: Name) -> Bool {
        name.folded.utf8.starts(with: "sqlite_".utf8)
    }

    private static func kind(of object: SchemaText.Object) -> SQLiteObjectKind? {
        // Tables behind a virtual one are made as what they are: plain tables.
        if ["shadow table", "system table"].contains(object.kind) { return .table }
        guard let kind = SQLiteObjectKind(rawValue: object.kind) else { return nil }
        // `sqlite_schema` calls both kinds tables; what SQLite wrote begins one of two ways.
        let virtual = "create virtual table"
        let start = Name(String(object.sql.prefix(virtual.utf8.count))).folded.text
        return kind == .table && start == virtual ? .virtualTable : kind
    }
}

/// A schema in words every engine has.
extension SQLiteSchemaPlan {
    private mutating func addBuilt(_ request: LoadRequest) {
        let tables = Set(request.tables.map(\.table))
        var taken: Set<Name> = []
        for plan in request.tables where !taken.insert(plan.table.table.folded).inserted {
            conflicts.append(
                "table \(plan.table) has the name of another one: SQLite knows no schemas,"
                    + " and takes letters of either case for the same")
        }
        for plan in request.tables {
            conflicts += plan.schema.fields.compactMap {
                SQLiteMapping.problem(of: $0, in: plan.table)
            }
            if plan.table.table.folded.utf8.starts(with: "sqlite_".utf8) {
                conflicts.append("table \(plan.table) has a name that SQLite keeps for itself")
            }
            if let owner = plan.owner {
                warnings.append(
                    "table \(plan.table) is made as a plain table: without its schema the"
                        + " virtual table \(owner) cannot be made")
            }
            let builder = SQLiteSchemaBuilder(plan, of: tables, in: request)
            let (sql, omissions) = builder.table()
            warnings += omissions.map { "table \(plan.table): \($0)" }
            items.append(
                Item(
                    step: LoadStep(phase: .tables, name: "table \(plan.table.table)", tables: []),
                    action: .make(.table, plan.table.table, sql: sql)))
        }
        for plan in request.tables {
            for index in plan.definition.indexes {
                let name = SQLiteSchemaPlan.free(index.name, of: plan.table.table, &taken)
                guard
                    let sql = SQLiteSchemaBuilder(plan, of: tables, in: request).index(
                        index, named: name)
                else {
                    warnings.append(
                        "table \(plan.table): index \(index.name) is left out with one of its"
                            + " columns")
                    continue
                }
                let step = LoadStep(
                    phase: .indexes, name: "index \(name)", tables: [plan.table],
                    weight: plan.estimatedBytes)
                items.append(Item(step: step, action: .make(.index, name, sql: sql)))
            }
        }
    }

    /// An index's name in SQLite, where indexes and tables share their names.
    private static func free(_ name: Name, of table: Name, _ taken: inout Set<Name>) -> Name {
        var base = name
        if isReserved(base) || taken.contains(base.folded) { base = Name("\(table)_\(name)") }
        if isReserved(base) { base = Name("index_\(name)") }
        var candidate = base
        var number = 2
        while !taken.insert(candidate.folded).inserted {
            candidate = Name("\(base)_\(number)")
            number += 1
        }
        return candidate
    }

    /// SQLite's own and ours.
    private static func isReserved(_ name: Name) -> Bool { isOwn(name) || name.isSluice }
}
