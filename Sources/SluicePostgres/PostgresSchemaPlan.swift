internal import SluiceCore
internal import SluiceRecords

/// The schema work of one request: what is made, in which order, and what of the source it cannot
/// make.
struct PostgresSchemaPlan: Sendable {
    enum Work: Sendable {
        /// Statements that belong together, in one transaction.
        case statements([String])
        /// A primary key or a unique constraint: its index first, beside others of the table.
        case unique(PostgresUniqueConstraint)
        /// Made without a look at the rows, then validated beside others.
        case foreignKey(PostgresForeignKey)
        case index(TableName, sql: [String])
        /// What sequences that are here already count, by statements that each name one.
        case counters([PostgresCounter])
    }

    struct Item: Sendable {
        var step: LoadStep
        var work: Work
        /// What takes it back, and what it is then about.
        var drop: PostgresDrop?
    }

    var items: [Item] = []
    var warnings: [String] = []
    /// Why the request's objects cannot be made.
    var conflicts: [String] = []
    /// Those that the statements name, with how many name each.
    var roles: [Name: Int] = [:]
    /// Those among them to whom objects are to belong.
    var owners: Set<Name> = []
    /// Partitioned tables and materialized views, which have statistics and no rows in a dataset.
    var derived: [TableName] = []
    /// By the table, those whose rows must be in before its own.
    private(set) var loadedAfter: [TableName: Set<TableName>] = [:]
    /// What makes statistics objects, which a table's ANALYZE fills.
    var extendedStatistics: [TableName: [String]] = [:]
    private var names: Set<Name> = []

    init(_ request: LoadRequest) {
        switch request.onExisting {
        case .refuse, .replace:
            if let schema = request.trustedSchema {
                addTrusted(schema, request)
            } else {
                addBuilt(request)
            }
            if request.constraintsInitial {
                let initial = PostgresInitialKeys(self, request)
                loadedAfter = initial.loadedAfter
                warnings += initial.warnings
                items = initial.items
            }
        case .use, .truncate:
            // Tables that exist stay as they are; only what they count follows the source.
            if let schema = request.trustedSchema {
                addCounters(schema)
            } else {
                addBuiltCounters(request)
            }
        }
        for plan in request.tables {
            add(
                .statistics, "statistics of \(plan.table)", [plan.table],
                weight: plan.estimatedBytes, analysis(of: plan.table.qualified))
        }
        for name in derived {
            add(.statistics, "statistics of \(name)", [], analysis(of: name))
        }
    }

    private func analysis(of table: TableName) -> Work {
        .statements((extendedStatistics[table] ?? []) + ["ANALYZE \(table.quoted)"])
    }

    var steps: [LoadStep] { items.map(\.step) }

    /// Where each step is among the items.
    var places: [Name: Int] {
        let named = items.enumerated().map { (Name($0.element.step.name), $0.offset) }
        return Dictionary(named) { first, _ in first }
    }

    /// jsonb prints every value in one form only, so that what is jsonb in the source stays as it
    /// is.
    static func keepsJSON(_ field: Field, _ request: LoadRequest) -> Bool {
        request.sourceEngine == PostgresTarget.engineName && field.declared == "jsonb"
    }

    /// Adds a step under a name of its own.
    mutating func add(
        _ phase: LoadStep.Phase, _ name: String, _ tables: [TableName], weight: Int = 0,
        locking lockedTable: TableName? = nil, _ work: Work, drop: PostgresDrop? = nil
    ) {
        var unique = name
        var number = 2
        while !names.insert(Name(unique)).inserted {
            unique = "\(name) (\(number))"
            number += 1
        }
        let step = LoadStep(
            phase: phase, name: unique, tables: tables, weight: weight, lockedTable: lockedTable)
        items.append(Item(step: step, work: work, drop: drop))
    }

    mutating func addCounters(_ schema: SchemaText) {
        let counters = PostgresCounter.all(in: schema.settings)
        if !counters.isEmpty { add(.counters, "sequences", [], .counters(counters)) }
    }
}

/// What takes an object back.
struct PostgresDrop: Hashable, Sendable {
    /// As DROP names it: `MATERIALIZED VIEW`.
    let kind: String
    /// Quoted where it has to be: `public.f(integer)`.
    let identity: String

    static let largeObject = "LARGE OBJECT"

    var sql: String {
        guard kind == PostgresDrop.largeObject else { return "DROP \(kind) IF EXISTS \(identity)" }
        return PostgresDrop.unlinking + "\(identity))"
    }

    /// Large objects have no DROP; what stands between the brackets are their numbers.
    static let unlinking =
        "SELECT pg_catalog.lo_unlink(oid) FROM pg_catalog.pg_largeobject_metadata WHERE oid IN ("

    /// As messages show it.
    var description: String { "\(kind.lowercased()) \(identity)" }

    var isRelation: Bool {
        ["TABLE", "VIEW", "MATERIALIZED VIEW", "SEQUENCE", "FOREIGN TABLE"].contains(kind)
    }

    var isType: Bool { kind == "TYPE" || kind == "DOMAIN" }

    var isRoutine: Bool { ["FUNCTION", "PROCEDURE", "AGGREGATE"].contains(kind) }
}

/// What a sequence of the source has counted to.
struct PostgresCounter: Sendable {
    let sequence: TableName
    let sql: String

    /// As a snapshot's catalogue puts them into its settings.
    static func all(in settings: JSON) -> [PostgresCounter] {
        (settings["sequences"]?.elements ?? []).compactMap { counter in
            // Both come from a dataset; the number is put into a statement.
            guard let schema = counter["schema"]?.text, let name = counter["name"]?.text,
                let last = counter["last"]?.text.flatMap({ Int64($0) }),
                let isCalled = counter["called"]?.boolean
            else { return nil }
            let sequence = TableName(schema: Name(schema), Name(name))
            let literal = Name(sequence.quoted).literal
            return PostgresCounter(
                sequence: sequence,
                sql: "SELECT pg_catalog.setval(\(literal), \(last), \(isCalled))")
        }
    }
}

/// `ALTER TABLE ONLY t ADD CONSTRAINT c PRIMARY KEY (a, b)` in its two parts.
struct PostgresUniqueConstraint: Sendable {
    let table: TableName
    let name: Name
    /// As `pg_dump` has it: on a partitioned table nothing else is possible.
    let whole: String
    /// Nothing where the constraint has more to say than its columns.
    let parts: (index: String, constraint: String)?

    /// What is set before its index is made: a tablespace.
    let settings: [String]

    init(
        _ table: TableName, _ name: Name, whole: String, words: String, columns: String?,
        settings: [String] = []
    ) {
        self.settings = settings
        self.table = table
        self.name = name
        self.whole = whole
        parts = columns.map { columns in
            (
                "CREATE UNIQUE INDEX \(name.quoted) ON \(table.quoted) \(columns)",
                "ALTER TABLE \(table.quoted) ADD CONSTRAINT \(name.quoted) \(words)"
                    + " USING INDEX \(name.quoted)"
            )
        }
    }
}

/// A foreign key, and the tables at both of its ends.
struct PostgresForeignKey: Sendable {
    let table: TableName
    let other: TableName
    let name: Name
    let sql: String
    /// The source has not looked at the rows either.
    let isNotValid: Bool
}
