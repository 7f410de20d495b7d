internal import SluiceCore
internal import SluiceRecords

/// Which tables of a schema are parts of which, and how large they are.
struct PostgresSchemaShape {
    private var parents: [TableName: TableName] = [:]
    private var children: [TableName: [TableName]] = [:]
    private var partitioned: Set<TableName> = []
    private var tables: Set<TableName> = []
    private var weights: [TableName: Int] = [:]
    private(set) var partitionedIndexes: [(table: TableName, statements: [String])] = []

    init(_ schema: SchemaText, _ request: LoadRequest) {
        for plan in request.tables { weights[plan.table] = plan.estimatedBytes }
        for object in schema.objects {
            guard let table = object.table else { continue }
            switch object.kind {
            case "TABLE":
                tables.insert(table)
                if PostgresSchemaShape.isPartitioned(object.sql) { partitioned.insert(table) }
            case "TABLE ATTACH":
                guard let part = PostgresStatement(object.sql).otherTable else { continue }
                parents[part] = table
                children[table, default: []].append(part)
            default: break
            }
        }
        let attached = Dictionary(
            grouping: schema.objects.filter { $0.kind == "INDEX ATTACH" }, by: \.kind)
        for object in schema.objects where ["INDEX", "CONSTRAINT"].contains(object.kind) {
            guard let table = object.table, partitioned.contains(table) else { continue }
            partitionedIndexes.append((table, PostgresSchemaShape.statements(object.sql)))
        }
        // In the order in which they were made, behind all that they attach to.
        let owners = PostgresSchemaShape.indexOwners(schema)
        for object in attached["INDEX ATTACH"] ?? [] {
            guard let index = PostgresStatement(object.sql).alteredIndex,
                let table = owners[index]
            else { continue }
            partitionedIndexes.append((table, PostgresSchemaShape.statements(object.sql)))
        }
    }

    private static func statements(_ sql: String) -> [String] {
        let text = Array(sql.utf8)
        return (PostgresTokens.statements(in: text) ?? []).map {
            String(decoding: text[$0], as: UTF8.self)
        }
    }

    /// `PARTITION BY` behind the columns.
    private static func isPartitioned(_ sql: String) -> Bool {
        guard let first = statements(sql).first(where: { $0.hasPrefix("CREATE ") }) else {
            return false
        }
        return PostgresStatement(first).hasOutsideBrackets("PARTITION", "BY")
    }

    /// The tables of indexes and of the indexes behind constraints, by the indexes' names.
    private static func indexOwners(_ schema: SchemaText) -> [TableName: TableName] {
        var owners: [TableName: TableName] = [:]
        for object in schema.objects {
            guard let table = object.table, let first = statements(object.sql).first else {
                continue
            }
            switch object.kind {
            case "INDEX":
                if let name = PostgresStatement(first).createdIndex {
                    owners[TableName(schema: table.schema, name)] = table
                }
            case "CONSTRAINT":
                if let name = PostgresConstraintText.name(first) {
                    owners[TableName(schema: table.schema, name)] = table
                }
            default: break
            }
        }
        return owners
    }

    func has(_ table: TableName) -> Bool { tables.contains(table) || weights[table] != nil }

    func isPartitioned(_ table: TableName) -> Bool { partitioned.contains(table) }

    func weight(of table: TableName) -> Int { weights[table] ?? 0 }

    func root(of table: TableName) -> TableName {
        var table = table
        while let parent = parents[table] { table = parent }
        return table
    }

    /// In the order of their names.
    var partitionedTables: [TableName] { partitioned.sorted() }

    /// Partitioned tables that are no part of another, in the order of their names.
    var roots: [TableName] { partitioned.filter { parents[$0] == nil }.sorted() }

    /// The tables that hold the rows of a table.
    func leaves(of table: TableName) -> [TableName] {
        guard isPartitioned(table) else { return [table] }
        // It may be read as a whole, or part by part.
        let own = weights[table] == nil ? [] : [table]
        return own + (children[table] ?? []).flatMap { leaves(of: $0) }
    }
}

extension PostgresStatement {
    /// `public.p_pkey` of `ALTER INDEX public.p_pkey ATTACH PARTITION public.p1_pkey`.
    var alteredIndex: TableName? {
        begins(with: "ALTER", "INDEX") ? qualifiedName(at: 2) : nil
    }

    /// The name in `CREATE [UNIQUE] INDEX name ON …`.
    var createdIndex: Name? {
        guard begins(with: "CREATE") else { return nil }
        let place = isWord(1, "UNIQUE") ? 3 : 2
        return plainName(at: place).map { Name($0) }
    }
}
