internal import SluiceCore
internal import SluiceRecords

/// What a request finds in a target: what is in its way, and what it will make.
struct PostgresTargetSurvey {
    private let connection: PostgresConnection
    private let request: LoadRequest?
    private var ledger: [LedgerEntry] = []
    private var conflicts: [String] = []
    private var warnings: [String] = []
    private var emptyTables: Set<TableName> = []
    private var missingTables: Set<TableName> = []
    private var steps: [LoadStep] = []
    private var loadedAfter: [TableName: Set<TableName>] = [:]
    /// What this dataset has done here already.
    private var units: Set<Name> = []

    init(_ connection: PostgresConnection, _ request: LoadRequest?) throws(Failure) {
        self.connection = connection
        self.request = request
        switch try PostgresLedger.state(on: connection) {
        case .missing: break
        case .present: ledger = try PostgresLedger.rows(on: connection)
        case .foreign:
            conflicts.append(
                "table sluice.sluice_ledger exists already and is no ledger of sluice")
        }
        guard let request else { return }
        for entry in ledger where entry.dataset == request.dataset {
            units.insert(Name(entry.unit))
        }
        let plan = PostgresSchemaPlan(request)
        steps = plan.steps
        loadedAfter = plan.loadedAfter
        warnings = plan.warnings
        conflicts += plan.conflicts
        let found = try PostgresTargetObjects(connection)
        try lookForRoles(plan, found)
        switch request.onExisting {
        case .refuse: try lookForObjects(plan, found)
        case .replace: lookForOtherKinds(plan, found)
        case .use, .truncate: try lookAtTables(request, found)
        }
        try lookForLargeObjects(plan, request)
        for plan in request.tables where plan.table != PostgresCatalog.largeObjects {
            if found.relations[plan.table.qualified] == nil {
                missingTables.insert(plan.table)
            } else if try isEmpty(plan.table) {
                emptyTables.insert(plan.table)
            }
        }
        if request.constraintsInitial, [.use, .truncate].contains(request.onExisting) {
            conflicts.append(
                "--constraints initial is for tables that are made, and --on-existing"
                    + " \(request.onExisting.rawValue) takes them as they are")
        }
    }

    /// DROP TABLE drops no view: what has the name of an object that will be made and is of another
    /// kind is somebody's who did not think of this dataset.
    private mutating func lookForOtherKinds(
        _ plan: PostgresSchemaPlan, _ found: PostgresTargetObjects
    ) {
        for drop in plan.items.compactMap(\.drop) where drop.isRelation {
            guard let name = PostgresStatement.name(of: drop.identity),
                let kind = found.relations[name].map(PostgresTargetObjects.word),
                kind != drop.kind.lowercased()
            else { continue }
            conflicts.append(
                "\(kind) \(name) stands where a \(drop.kind.lowercased()) is to be made")
        }
    }

    func result() -> TargetSurvey {
        TargetSurvey(
            ledger: ledger, conflicts: conflicts, warnings: warnings, emptyTables: emptyTables,
            missingTables: missingTables, steps: steps, loadedAfter: loadedAfter)
    }

    /// Whether the table exists and has no row.
    private func isEmpty(_ name: TableName) throws(Failure) -> Bool {
        try !connection.boolean("SELECT EXISTS (SELECT FROM \(name.qualified.quoted))")
    }

    private mutating func lookForRoles(
        _ plan: PostgresSchemaPlan, _ found: PostgresTargetObjects
    ) throws(Failure) {
        for (role, count) in plan.roles.sorted(by: { $0.key < $1.key })
        where !found.roles.contains(role) {
            conflicts.append(
                "role \(role) does not exist in the target, and \(count) statements of the schema"
                    + " name it; make it, or use --owners skip")
        }
        for owner in plan.owners.sorted() where found.roles.contains(owner) {
            let isMember = "SELECT pg_catalog.pg_has_role($1::name, 'MEMBER')"
            guard try !connection.boolean(isMember, [owner.text]) else { continue }
            conflicts.append(
                "objects are to belong to role \(owner), which this user is no member of; grant it,"
                    + " or use --owners skip")
        }
    }

    /// `refuse`: the dataset's objects are made here.
    private mutating func lookForObjects(
        _ plan: PostgresSchemaPlan, _ found: PostgresTargetObjects
    ) throws(Failure) {
        for item in plan.items {
            guard let drop = item.drop, !units.contains(Name(PostgresUnit.step(item.step.name))),
                let obstacle = found.obstacle(to: drop)
            else { continue }
            if let name = PostgresStatement.name(of: drop.identity), drop.kind == "TABLE",
                ["r", "p"].contains(found.relations[name]), try !isEmpty(name)
            {
                conflicts.append("\(obstacle) exists already and has rows")
            } else {
                conflicts.append("\(obstacle) exists already")
            }
        }
    }
}

/// Large objects, whose content is a table of the server's own.
extension PostgresTargetSurvey {
    private mutating func lookForLargeObjects(
        _ plan: PostgresSchemaPlan, _ request: LoadRequest
    ) throws(Failure) {
        guard request.tables.contains(where: { $0.table == PostgresCatalog.largeObjects }) else {
            return
        }
        let remedy = "leave them out of the export with --exclude pg_catalog.pg_largeobject"
        guard plan.items.contains(where: { $0.drop?.kind == PostgresDrop.largeObject }) else {
            conflicts.append(
                "large objects are made by the source's own schema, which is not used here; \(remedy)"
            )
            return
        }
        if try !connection.boolean("SELECT current_setting('is_superuser')::boolean") {
            conflicts.append("large objects can only be loaded by a superuser; \(remedy)")
        }
        guard request.onExisting == .refuse else { return }
        for item in plan.items where item.drop?.kind == PostgresDrop.largeObject {
            guard let numbers = item.drop?.identity,
                !units.contains(Name(PostgresUnit.step(item.step.name)))
            else { continue }
            let taken = try connection.query(
                "SELECT oid FROM pg_largeobject_metadata WHERE oid IN (\(numbers)) ORDER BY oid")
            for row in taken.rows {
                conflicts.append("large object \(taken.text(row, 0)) exists already")
            }
        }
    }
}

/// `use` and `truncate`: the tables are here, and stay as they are.
extension PostgresTargetSurvey {
    private mutating func lookAtTables(
        _ request: LoadRequest, _ found: PostgresTargetObjects
    ) throws(Failure) {
        let isReplica = try PostgresTargetSettings.mayBeReplica(connection)
        for plan in request.tables where plan.table != PostgresCatalog.largeObjects {
            try look(at: plan, in: request, found)
        }
        if request.onExisting == .truncate { try lookForForeignKeys(to: request.tables) }
        guard !isReplica else { return }
        for plan in request.tables { try lookForTriggers(of: plan.table) }
    }

    private mutating func look(
        at plan: TablePlan, in request: LoadRequest, _ found: PostgresTargetObjects
    ) throws(Failure) {
        let name = plan.table.qualified
        guard let table = try PostgresTargetTable.find(name, on: connection) else {
            conflicts.append("table \(plan.table) does not exist")
            return
        }
        guard table.isTable else {
            conflicts.append(
                "\(plan.table) is not a table, but a \(PostgresTargetObjects.word(table.kind))")
            return
        }
        lookAtColumns(plan, table, request)
        guard request.onExisting == .use, !units.contains(Name(PostgresUnit.begin(plan.table)))
        else { return }
        if try !isEmpty(name) { conflicts.append("table \(plan.table) has rows") }
    }

    private mutating func lookAtColumns(
        _ plan: TablePlan, _ table: PostgresTargetTable, _ request: LoadRequest
    ) {
        var named: Set<Name> = []
        for field in plan.schema.fields where !field.isRowid {
            guard let column = table.column(field.name) else {
                conflicts.append("table \(plan.table) has no column \(field.name)")
                continue
            }
            named.insert(column.name)
            let keepsJSON = PostgresSchemaPlan.keepsJSON(field, request)
            if column.isGenerated {
                conflicts.append(
                    "column \(column.name) of table \(plan.table) is generated, and the dataset"
                        + " has values")
            } else if PostgresMapping.fit(field.type, in: column.storage, keepsJSON: keepsJSON)
                == .never
            {
                conflicts.append(PostgresLoader.misfit(column, field, plan.table).message)
            }
        }
        for column in table.columns
        where column.isNotNull && !column.hasDefault && !column.isGenerated
            && !named.contains(column.name)
        {
            conflicts.append(
                "column \(column.name) of table \(plan.table) is NOT NULL without a default,"
                    + " and the dataset does not have it")
        }
    }

    /// Rows of tables outside the dataset would point to nothing.
    private mutating func lookForForeignKeys(to tables: [TablePlan]) throws(Failure) {
        let partitions = try PostgresPartitions(connection)
        let ours = Set(partitions.withParents(of: tables.map(\.table.qualified)))
        let rows = try connection.query(
            """
            SELECT DISTINCT n.nspname, c.relname, m.nspname, o.relname FROM pg_constraint AS k
            JOIN pg_class AS c ON c.oid = k.conrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
            JOIN pg_class AS o ON o.oid = k.confrelid JOIN pg_namespace AS m ON m.oid = o.relnamespace
            WHERE k.contype = 'f' ORDER BY 1, 2, 3, 4
            """)
        for row in rows.rows {
            let table = TableName(schema: try rows.name(row, 0), try rows.name(row, 1))
            let other = TableName(schema: try rows.name(row, 2), try rows.name(row, 3))
            guard ours.contains(other), !ours.contains(table) else { continue }
            conflicts.append(
                "table \(table), which is not in the dataset, has a foreign key to table \(other)")
        }
    }

    /// Without the right to switch them off.
    private mutating func lookForTriggers(of table: TableName) throws(Failure) {
        let rows = try connection.query(
            """
            SELECT t.tgname, t.tgisinternal FROM pg_trigger AS t
            WHERE t.tgrelid = to_regclass($1) AND t.tgenabled IN ('O', 'A')
                AND (NOT t.tgisinternal OR t.tgconstraint <> 0) ORDER BY t.tgname
            """, [table.qualified.quoted])
        var hasForeignKey = false
        for row in rows.rows {
            guard !rows.boolean(row, 1) else {
                hasForeignKey = true
                continue
            }
            warnings.append(
                "trigger \(try rows.name(row, 0)) of table \(table) runs for each row that is"
                    + " loaded: the user may not set session_replication_role")
        }
        guard hasForeignKey else { return }
        conflicts.append(
            "table \(table) has foreign keys, which need all rows at once, and the user may not set"
                + " session_replication_role")
    }
}

extension TableName {
    /// With the schema that tables of engines without schemas are made in.
    var qualified: TableName { schema == nil ? TableName(schema: "public", table) : self }
}
