internal import SluiceCore
internal import SluiceRecords

/// A schema in words every engine has.
extension PostgresSchemaPlan {
    mutating func addBuilt(_ request: LoadRequest) {
        let tables = Dictionary(request.tables.map { ($0.table, $0) }) { first, _ in first }
        var taken: Set<TableName> = []
        for plan in request.tables {
            if !taken.insert(plan.table.qualified).inserted {
                conflicts.append("table \(plan.table) has the name of another one")
            }
            conflicts += PostgresSchemaPlan.impossibleNames(plan)
            conflicts += plan.schema.fields.compactMap {
                PostgresUserType.problem(of: $0, in: plan, request)
            }
        }
        var schemas: Set<Name> = []
        for plan in request.tables {
            guard let schema = plan.table.schema, schema != "public",
                schemas.insert(schema).inserted
            else { continue }
            add(.tables, "schema \(schema)", [], .statements(["CREATE SCHEMA \(schema.quoted)"]))
        }
        for plan in request.tables {
            let builder = PostgresSchemaBuilder(plan, of: tables, in: request)
            let (statements, omissions) = builder.statements()
            warnings += omissions.map { "table \(plan.table): \($0)" }
            add(
                .tables, "table \(plan.table.qualified)", [], .statements(statements),
                drop: PostgresDrop(kind: "TABLE", identity: plan.table.qualified.quoted))
        }
        for plan in request.tables { addIndexes(plan, tables, request, &taken) }
        for plan in request.tables {
            for (key, other) in PostgresSchemaBuilder(plan, of: tables, in: request).foreignKeys() {
                add(
                    .foreignKeys, "foreign key \(key.name) of \(plan.table)",
                    Array(Set([plan.table, other])).sorted(), weight: plan.estimatedBytes,
                    locking: plan.table.qualified, .foreignKey(key))
            }
        }
        addBuiltCounters(request)
    }

    /// The server would cut longer names, which could then be one another's.
    private static func impossibleNames(_ plan: TablePlan) -> [String] {
        var problems: [String] = []
        func look(_ name: Name, _ what: String) {
            if name.utf8.isEmpty {
                problems.append("\(what) has an empty name, which PostgreSQL does not have")
            } else if name.utf8.count > 63 {
                problems.append("\(what) has a name of more than 63 bytes, which PostgreSQL cuts")
            }
        }
        if let schema = plan.table.schema { look(schema, "the schema of table \(plan.table)") }
        look(plan.table.table, "table \(plan.table)")
        var columns: Set<Name> = []
        for field in plan.schema.fields where !field.isRowid {
            look(field.name.asColumn, "column \(field.name) of table \(plan.table)")
            if !columns.insert(field.name.asColumn).inserted {
                problems.append("table \(plan.table) has two columns that would be called _")
            }
        }
        return problems
    }

    private mutating func addIndexes(
        _ plan: TablePlan, _ tables: [TableName: TablePlan], _ request: LoadRequest,
        _ taken: inout Set<TableName>
    ) {
        let builder = PostgresSchemaBuilder(plan, of: tables, in: request)
        if let key = builder.primaryKey({ name in
            PostgresSchemaPlan.free(name, of: plan.table, &taken)
        }) {
            add(
                .indexes, "\(builder.hasPrimaryKey ? "primary" : "unique") key of \(plan.table)",
                [plan.table],
                weight: plan.estimatedBytes, .unique(key))
        }
        for index in plan.definition.indexes {
            let name = PostgresSchemaPlan.free(index.name, of: plan.table, &taken)
            guard let sql = builder.index(index, named: name) else {
                warnings.append(
                    "table \(plan.table): index \(index.name) is left out with one of its columns")
                continue
            }
            let full = TableName(schema: plan.table.qualified.schema, name)
            add(
                .indexes, "index \(full)", [plan.table], weight: plan.estimatedBytes,
                .index(full, sql: [sql]))
        }
    }

    /// Columns that number themselves go on behind the largest number that was loaded.
    mutating func addBuiltCounters(_ request: LoadRequest) {
        for plan in request.tables {
            let table = plan.table.qualified
            for column in plan.definition.columns where column.isIdentity {
                let sequence =
                    "pg_catalog.pg_get_serial_sequence(\(Name(table.quoted).literal), "
                    + "\(column.name.asColumn.literal))"
                // Of a table that was here before the column may have no sequence.
                let sql =
                    "SELECT pg_catalog.setval(s, m, true) FROM (SELECT \(sequence)::regclass AS s, "
                    + "max(\(column.name.asColumn.quoted)) AS m FROM \(table.quoted)) AS c "
                    + "WHERE s IS NOT NULL AND m > 0"
                add(
                    .counters, "counter of \(plan.table)", [plan.table], .statements([sql]))
            }
        }
    }

    /// An index's name, which its schema shares with tables.
    private static func free(
        _ name: Name, of table: TableName, _ taken: inout Set<TableName>
    ) -> Name {
        let schema = table.qualified.schema
        let base = cut(name, to: 63)
        if taken.insert(TableName(schema: schema, base)).inserted { return base }
        var number = 2
        while true {
            let candidate = Name(cut(name, to: 56).text + "_\(number)")
            if taken.insert(TableName(schema: schema, candidate)).inserted { return candidate }
            number += 1
        }
    }

    /// Longer names would be cut by the server, and could be one another's.
    private static func cut(_ name: Name, to limit: Int) -> Name {
        guard name.utf8.count > limit else { return name }
        var bytes = Array(name.utf8.prefix(limit))
        while let last = bytes.last, last & 0xC0 == 0x80 { bytes.removeLast() }
        if let last = bytes.last, last >= 0xC0 { bytes.removeLast() }
        return Name(String(decoding: bytes, as: UTF8.self))
    }
}
