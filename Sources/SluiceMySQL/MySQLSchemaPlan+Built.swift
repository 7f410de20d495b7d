internal import SluiceCore
internal import SluiceRecords

/// A schema in words every engine has.
extension MySQLSchemaPlan {
    mutating func addBuilt(_ request: LoadRequest) {
        let tables = Dictionary(request.tables.map { ($0.table, $0) }) { first, _ in first }
        var taken: [Name: TableName] = [:]
        for plan in request.tables {
            let folded = Name(plan.table.table.text.lowercased())
            if let other = taken[folded] {
                conflicts.append("tables \(other) and \(plan.table) would have one name in MySQL")
            }
            taken[folded] = plan.table
            conflicts += MySQLSchemaPlan.impossibleNames(plan)
            let flavor = flavor
            conflicts += plan.schema.fields.compactMap {
                MySQLUserType.problem(of: $0, in: plan, flavor)
            }
        }
        let builders = request.tables.map {
            MySQLSchemaBuilder($0, of: tables, in: request, flavor)
        }
        for (plan, builder) in zip(request.tables, builders) {
            let (sql, omissions) = builder.table()
            warnings += omissions.map { "table \(plan.table): \($0)" }
            add(
                .tables, "table \(plan.table)", [], .table(plan.table.table, sql: sql),
                drops: [MySQLDrop(kind: "TABLE", name: plan.table.table)])
        }
        for (plan, builder) in zip(request.tables, builders) {
            let (keys, left) = builder.keys()
            for index in left {
                warnings.append(
                    "table \(plan.table): index \(index) is left out with one of its columns")
            }
            guard !keys.isEmpty else { continue }
            add(
                .indexes, "indexes of \(plan.table)", [plan.table], weight: plan.estimatedBytes,
                .keys(plan.table, keys))
        }
        var names: Set<Name> = []
        for (plan, builder) in zip(request.tables, builders) {
            for (key, other) in builder.foreignKeys(&names) {
                add(
                    .foreignKeys, "foreign key \(key.name) of \(plan.table)",
                    Array(Set([plan.table, other])).sorted(), weight: plan.estimatedBytes,
                    .foreignKey(plan.table, key))
            }
        }
    }

    private static func impossibleNames(_ plan: TablePlan) -> [String] {
        var problems: [String] = []
        if let problem = MySQLNames.problem(plan.table.table) {
            problems.append("table \(plan.table) has \(problem)")
        }
        if plan.schema.fields.allSatisfy(\.isRowid) {
            problems.append("table \(plan.table) has no columns, and MySQL has no such tables")
        }
        var columns: [Name: Name] = [:]
        for field in plan.schema.fields where !field.isRowid {
            if let problem = MySQLNames.problem(field.name) {
                problems.append("column \(field.name) of table \(plan.table) has \(problem)")
            }
            let folded = Name(field.name.text.lowercased())
            if let other = columns[folded] {
                problems.append(
                    "columns \(other) and \(field.name) of table \(plan.table) would be one in"
                        + " MySQL")
            }
            columns[folded] = field.name
        }
        return problems
    }
}
