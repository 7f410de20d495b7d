internal import SluiceCore
internal import SluiceRecords

/// What a request finds in a target: what is in its way, and what it will make.
struct MySQLTargetSurvey {
    private let connection: MySQLConnection
    private var ledger: [LedgerEntry] = []
    private var conflicts: [String] = []
    private var warnings: [String] = []
    private var emptyTables: Set<TableName> = []
    private var missingTables: Set<TableName> = []
    private var steps: [LoadStep] = []
    private var loadedAfter: [TableName: Set<TableName>] = [:]
    /// What this dataset has done here already.
    private var units: Set<Name> = []

    init(_ connection: MySQLConnection, _ request: LoadRequest?) throws(Failure) {
        self.connection = connection
        switch try MySQLLedger.state(on: connection) {
        case .missing: break
        case .present:
            ledger = MySQLPlainTable.believable(try MySQLLedger.rows(on: connection))
        case .foreign:
            conflicts.append("table sluice_ledger exists already and is no ledger of sluice")
        }
        guard let request else { return }
        for entry in ledger where entry.dataset == request.dataset {
            units.insert(Name(entry.unit))
        }
        let plan = MySQLSchemaPlan(request, connection.flavor)
        steps = plan.steps
        loadedAfter = plan.loadedAfter
        warnings = plan.warnings
        conflicts += plan.conflicts
        let found = try MySQLObjects(connection)
        switch request.onExisting {
        case .refuse: try lookForObjects(plan, found)
        case .replace: lookForOtherKinds(plan, found)
        case .use, .truncate: try lookAtTables(request, found)
        }
        try lookForDefiners(plan)
        try lookForEvents(plan)
        try lookAtServer(request, found)
        for plan in request.tables {
            if found.relation(plan.table.table) == nil {
                missingTables.insert(plan.table)
            } else if try MySQLTargetTable.isEmpty(plan.table, on: connection) {
                emptyTables.insert(plan.table)
            }
        }
    }

    func result() -> TargetSurvey {
        TargetSurvey(
            ledger: ledger, conflicts: conflicts, warnings: warnings, emptyTables: emptyTables,
            missingTables: missingTables, steps: steps, loadedAfter: loadedAfter)
    }

    private mutating func lookAtServer(
        _ request: LoadRequest, _ found: MySQLObjects
    ) throws(Failure) {
        if request.constraintsInitial, [.use, .truncate].contains(request.onExisting) {
            conflicts.append(
                "--constraints initial is for tables that are made, and --on-existing"
                    + " \(request.onExisting.rawValue) takes them as they are")
        }
        if try connection.integer("SELECT @@local_infile") != 1 {
            warnings.append(
                "the server takes no LOAD DATA LOCAL, so that rows go in by INSERT, which is slower"
            )
        }
        guard found.foldsTables else { return }
        var names: [String: TableName] = [:]
        for plan in request.tables {
            if let other = names[plan.table.table.text.lowercased()], other != plan.table {
                conflicts.append("tables \(other) and \(plan.table) would have one name here")
            }
            names[plan.table.table.text.lowercased()] = plan.table
        }
    }

    /// Code runs as whom it names, who may not be here.
    private mutating func lookForDefiners(_ plan: MySQLSchemaPlan) throws(Failure) {
        for (definer, count) in plan.definers.sorted(by: { $0.key < $1.key }) {
            guard
                let found = try? connection.query(
                    "SELECT 1 FROM mysql.user WHERE CONCAT(User, '@', Host) = \(definer.literal)")
            else { return }
            guard found.rowCount == 0 else { continue }
            warnings.append(
                "user \(definer) does not exist in the target, and \(count) views, routines,"
                    + " triggers or events run as it; make it, or use --owners skip")
        }
    }

    private mutating func lookForEvents(_ plan: MySQLSchemaPlan) throws(Failure) {
        guard plan.items.contains(where: { $0.drops.contains { $0.kind == "EVENT" } }),
            try connection.text("SELECT @@event_scheduler") == "ON"
        else { return }
        warnings.append(
            "the target's event scheduler is on: events run as soon as they are made, and may change"
                + " rows before these are verified")
    }

    /// DROP TABLE drops no view: what has the name of an object that will be made and is of another
    /// kind is somebody's who did not think of this dataset.
    private mutating func lookForOtherKinds(_ plan: MySQLSchemaPlan, _ found: MySQLObjects) {
        for drop in plan.items.flatMap(\.drops) where drop.isRelation {
            guard let relation = found.relation(drop.name) else { continue }
            let kind = MySQLObjects.word(relation.kind)
            guard kind != drop.kind.lowercased() else { continue }
            conflicts.append(
                "\(kind) \(relation.name) stands where a \(drop.kind.lowercased()) is to be made")
        }
    }

    /// `refuse`: the dataset's objects are made here.
    private mutating func lookForObjects(
        _ plan: MySQLSchemaPlan, _ found: MySQLObjects
    ) throws(Failure) {
        for (unit, drop) in plan.items.flatMap(\.units) {
            guard let drop, !units.contains(Name(unit)), let obstacle = found.obstacle(to: drop)
            else { continue }
            if drop.kind == "TABLE", let relation = found.relation(drop.name),
                MySQLObjects.word(relation.kind) == "table",
                try !MySQLTargetTable.isEmpty(TableName(relation.name), on: connection)
            {
                conflicts.append("\(obstacle) exists already and has rows")
            } else {
                conflicts.append("\(obstacle) exists already")
            }
        }
    }
}

/// `use` and `truncate`: the tables are here, and stay as they are.
extension MySQLTargetSurvey {
    private mutating func lookAtTables(
        _ request: LoadRequest, _ found: MySQLObjects
    ) throws(Failure) {
        for plan in request.tables {
            try look(at: plan, in: request)
            for (trigger, table) in found.triggers.sorted(by: { $0.key < $1.key })
            where table == plan.table.table {
                conflicts.append(
                    "trigger \(trigger) of table \(plan.table) would run for each row that is"
                        + " loaded")
            }
        }
        if request.onExisting == .truncate { try lookForForeignKeys(to: request.tables) }
    }

    private mutating func look(
        at plan: TablePlan, in request: LoadRequest
    ) throws(Failure) {
        guard let table = try MySQLTargetTable.find(plan.table, on: connection) else {
            conflicts.append("table \(plan.table) does not exist")
            return
        }
        guard table.isTable else {
            conflicts.append(
                "\(plan.table) is not a table, but a \(MySQLObjects.word(table.kind))")
            return
        }
        lookAtColumns(plan, table, request)
        guard request.onExisting == .use, !units.contains(Name(MySQLUnit.begin(plan.table)))
        else { return }
        if try !MySQLTargetTable.isEmpty(plan.table, on: connection) {
            conflicts.append("table \(plan.table) has rows")
        }
    }

    private mutating func lookAtColumns(
        _ plan: TablePlan, _ table: MySQLTargetTable, _ request: LoadRequest
    ) {
        var named: Set<Name> = []
        for field in plan.schema.fields where !field.isRowid {
            guard let column = table.column(field.name) else {
                conflicts.append("table \(plan.table) has no column \(field.name)")
                continue
            }
            named.insert(column.name)
            if column.isGenerated {
                conflicts.append(
                    "column \(column.name) of table \(plan.table) is generated, and the dataset"
                        + " has values")
            } else if !column.fits(field, request) {
                conflicts.append(column.misfit(field, plan.table).message)
            }
        }
        for column in table.columns
        where column.isNotNull && !column.hasDefault && !column.isGenerated && !column.isCounted
            && !named.contains(column.name)
        {
            conflicts.append(
                "column \(column.name) of table \(plan.table) is NOT NULL without a default,"
                    + " and the dataset does not have it")
        }
    }

    /// Rows of tables outside the dataset would point to nothing.
    private mutating func lookForForeignKeys(to tables: [TablePlan]) throws(Failure) {
        let ours = Set(tables.map(\.table.table))
        let found = try connection.query(
            """
            SELECT DISTINCT TABLE_SCHEMA = DATABASE(), TABLE_SCHEMA, TABLE_NAME,
                REFERENCED_TABLE_NAME
            FROM information_schema.KEY_COLUMN_USAGE
            WHERE REFERENCED_TABLE_SCHEMA = DATABASE() ORDER BY 2, 3, 4
            """)
        for row in found.rows {
            let isHere = found.integer(row, 0) == 1
            let table = TableName(
                schema: isHere ? nil : try found.name(row, 1), try found.name(row, 2))
            let other = try found.name(row, 3)
            guard ours.contains(other), !(isHere && ours.contains(table.table)) else { continue }
            conflicts.append(
                "table \(table), which is not in the dataset, has a foreign key to table \(other)")
        }
    }
}
