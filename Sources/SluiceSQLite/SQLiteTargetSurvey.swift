internal import SluiceCore
internal import SluiceRecords

/// What a request finds in a target: what is in its way, and what it will make.
struct SQLiteTargetSurvey {
    private let found: SQLiteSurvey
    /// Nothing where there is no file yet.
    private let connection: SQLiteConnection?
    private let request: LoadRequest?
    private var conflicts: [String] = []
    private var warnings: [String] = []
    private var emptyTables: Set<TableName> = []
    private var missingTables: Set<TableName> = []
    private var steps: [LoadStep] = []
    /// What this dataset has done here already.
    private var units: Set<Name> = []

    init(
        _ found: SQLiteSurvey, _ connection: SQLiteConnection?, _ request: LoadRequest?
    ) throws(Failure) {
        self.found = found
        self.connection = connection
        self.request = request
        if found.hasForeignLedger {
            conflicts.append("table sluice_ledger exists already and is no ledger of sluice")
        }
        guard let request else { return }
        units = found.units(of: request.dataset)
        let plan = SQLiteSchemaPlan(request)
        steps = plan.steps
        warnings = plan.warnings
        conflicts += plan.conflicts
        lookForEqualNames(request.tables)
        switch request.onExisting {
        case .refuse: try lookForObjects(plan)
        case .replace: lookForOtherKinds(plan)
        case .use, .truncate:
            for table in request.tables { try look(at: table, in: request) }
            if request.onExisting == .truncate { try lookForForeignKeys(to: request.tables) }
        }
        for table in request.tables {
            if found.entry(table.table.table, like: .table) == nil {
                missingTables.insert(table.table)
            } else if try isEmpty(table.table.table) {
                emptyTables.insert(table.table)
            }
        }
    }

    func result() -> TargetSurvey {
        TargetSurvey(
            ledger: found.ledger, conflicts: conflicts, warnings: warnings,
            emptyTables: emptyTables, missingTables: missingTables, steps: steps)
    }

    /// Columns that are different ones elsewhere; of tables the plan says so where it makes them.
    private mutating func lookForEqualNames(_ tables: [TablePlan]) {
        var taken: [Name: TableName] = [:]
        for plan in tables {
            if let other = taken.updateValue(plan.table, forKey: plan.table.table.folded),
                [.use, .truncate].contains(request?.onExisting)
            {
                conflicts.append("tables \(other) and \(plan.table) would be one in SQLite")
            }
            var columns: [Name: Name] = [:]
            for field in plan.schema.fields where !field.isRowid {
                guard let other = columns.updateValue(field.name, forKey: field.name.folded) else {
                    continue
                }
                conflicts.append(
                    "columns \(other) and \(field.name) of table \(plan.table) would be one in"
                        + " SQLite")
            }
        }
    }

    private func isOurs(_ kind: SQLiteObjectKind, _ name: Name) -> Bool {
        units.contains(Name(SQLiteUnit.step(kind, name)))
    }

    private func wasBegun(_ table: TableName) -> Bool {
        units.contains(Name(SQLiteUnit.begin(table)))
    }

    /// Whether the table exists and has no row.
    private func isEmpty(_ name: Name) throws(Failure) -> Bool {
        guard let connection, let entry = found.entry(name, like: .table), entry.kind == .table
        else { return false }
        return try connection.integer("SELECT 1 FROM \(name.quoted) LIMIT 1") == nil
    }
}

/// `refuse` and `replace`: the dataset's objects are made here.
extension SQLiteTargetSurvey {
    private mutating func lookForObjects(_ plan: SQLiteSchemaPlan) throws(Failure) {
        for (kind, name) in plan.objects {
            guard let entry = found.entry(name, like: kind), !isOurs(entry.kind, name) else {
                continue
            }
            if entry.kind != kind {
                conflicts.append(SQLiteTargetSurvey.inTheWay(entry, of: kind, name))
            } else if kind == .table, try !isEmpty(name) {
                conflicts.append("table \(entry.name) exists already and has rows")
            } else {
                conflicts.append("\(kind.rawValue) \(entry.name) exists already")
            }
        }
    }

    private mutating func lookForOtherKinds(_ plan: SQLiteSchemaPlan) {
        var replaced: Set<Name> = []
        var made: Set<Name> = []
        for (kind, name) in plan.objects {
            if kind.isTable { replaced.insert(name.folded) }
            if !kind.sharesNames || kind == .index { made.insert(name.folded) }
            guard let entry = found.entry(name, like: kind) else { continue }
            // A table may become a virtual one and the other way round.
            if entry.kind != kind, !(entry.kind.isTable && kind.isTable) {
                conflicts.append(SQLiteTargetSurvey.inTheWay(entry, of: kind, name))
            }
        }
        for entry in found.entries where entry.kind == .index || entry.kind == .trigger {
            guard replaced.contains(entry.table.folded), !made.contains(entry.name.folded) else {
                continue
            }
            warnings.append(
                "\(entry.kind.rawValue) \(entry.name) goes with table \(entry.table), which is"
                    + " replaced; the dataset does not make it again")
        }
    }

    private static func inTheWay(
        _ entry: SQLiteSchemaEntry, of kind: SQLiteObjectKind, _ name: Name
    ) -> String {
        "\(entry.kind.rawValue) \(entry.name) is in the way of \(kind.rawValue) \(name)"
    }
}

/// `use` and `truncate`: the tables are here, and stay as they are.
extension SQLiteTargetSurvey {
    private mutating func look(at plan: TablePlan, in request: LoadRequest) throws(Failure) {
        let name = plan.table.table
        guard let connection, let entry = found.entry(name, like: .table) else {
            conflicts.append("table \(name) does not exist")
            return
        }
        guard entry.kind == .table else {
            conflicts.append("\(name) is not a table, but \(entry.kind.article)")
            return
        }
        let facts = try SQLiteTableFacts(name, on: connection)
        lookAtColumns(plan, facts)
        for trigger in found.entries
        where trigger.kind == .trigger && trigger.table.folded == name.folded {
            warnings.append(
                "trigger \(trigger.name) of table \(name) does not run for the rows that are loaded"
            )
        }
        guard request.onExisting == .use, !wasBegun(plan.table) else { return }
        guard let owner = plan.owner?.table else {
            if try !isEmpty(name) { conflicts.append("table \(name) has rows") }
            return
        }
        try lookForRows(of: owner, connection)
    }

    /// Tables behind a virtual one have rows from the start; what counts is what the virtual one
    /// shows.
    private mutating func lookForRows(
        of owner: Name, _ connection: SQLiteConnection
    ) throws(Failure) {
        let line: String
        do {
            guard try connection.integer("SELECT 1 FROM \(owner.quoted) LIMIT 1") != nil else {
                return
            }
            line = "virtual table \(owner) has rows"
        } catch {
            line = "virtual table \(owner) does not tell whether it has rows (\(error.message))"
        }
        if !conflicts.contains(line) { conflicts.append(line) }
    }

    private mutating func lookAtColumns(_ plan: TablePlan, _ facts: SQLiteTableFacts) {
        let table = plan.table.table
        var named: Set<Name> = []
        for field in plan.schema.fields {
            if field.isRowid {
                if facts.rowidName == nil || facts.alias != nil {
                    conflicts.append(
                        "table \(table) has no rowid of its own to keep the dataset's in")
                }
                continue
            }
            guard let column = facts.column(field.name) else {
                conflicts.append("table \(table) has no column \(field.name)")
                continue
            }
            named.insert(column.name)
            if column.isGenerated {
                conflicts.append(
                    "column \(column.name) of table \(table) is generated, and the dataset has values"
                )
            } else if facts.fit(field.type, in: column) == .never {
                let declared = column.declared.isEmpty ? "nothing" : column.declared
                conflicts.append(
                    "column \(column.name) of table \(table) is declared \(declared),"
                        + " which would change values of type \(field.type)")
            }
        }
        for column in facts.columns where !named.contains(column.name) {
            if column.isNotNull, !column.hasDefault, !column.isGenerated {
                conflicts.append(
                    "column \(column.name) of table \(table) is NOT NULL without a default,"
                        + " and the dataset does not have it")
            }
        }
    }

    /// Rows of tables outside the dataset would point to nothing.
    private mutating func lookForForeignKeys(to tables: [TablePlan]) throws(Failure) {
        guard let connection else { return }
        let ours = Set(tables.map(\.table.table.folded))
        for entry in found.entries
        where entry.kind == .table && !ours.contains(entry.name.folded) && !entry.name.isSluice {
            let rows = try connection.prepare(
                "SELECT DISTINCT \"table\" FROM pragma_foreign_key_list(\(entry.name.literal))")
            while try rows.step() {
                let other = try rows.name(0, of: "a table")
                guard ours.contains(other.folded) else { continue }
                conflicts.append(
                    "table \(entry.name), which is not in the dataset, has a foreign key to"
                        + " table \(other)")
            }
        }
    }
}

extension SQLiteObjectKind {
    /// With its article, as messages say it.
    fileprivate var article: String { self == .index ? "an index" : "a \(rawValue)" }
}
