internal import SluiceCore
internal import SluiceRecords

/// A schema that `pg_dump` wrote: every object by its own SQL, in its order as far as that matters.
extension PostgresSchemaPlan {
    /// Kinds that `pg_dump` prints behind the data.
    private static let afterData: Set<String> = [
        "INDEX", "INDEX ATTACH", "CONSTRAINT", "CHECK CONSTRAINT", "FK CONSTRAINT", "TRIGGER",
        "EVENT TRIGGER", "RULE", "POLICY", "ROW SECURITY", "STATISTICS", "PUBLICATION",
        "PUBLICATION TABLE", "PUBLICATION TABLES IN SCHEMA", "MATERIALIZED VIEW DATA",
        "DEFAULT ACL", "SUBSCRIPTION",
    ]

    mutating func addTrusted(_ schema: SchemaText, _ request: LoadRequest) {
        let shape = PostgresSchemaShape(schema, request)
        var isBehind = false
        for object in schema.objects where !PostgresSchemaPlan.isOurs(object) {
            isBehind = isBehind || PostgresSchemaPlan.afterData.contains(object.kind)
            let statements = statements(of: object, request)
            guard !statements.isEmpty else { continue }
            // What roles may do comes last, as `pg_dump` has it; it is for everything alike.
            let isEarly = !isBehind && object.kind != "ACL"
            if isEarly {
                add(
                    .tables, PostgresSchemaPlan.name(of: object), [], .statements(statements),
                    drop: PostgresSchemaPlan.drop(object, statements))
            } else {
                addBehind(object, statements, shape)
            }
        }
        addPartitionedIndexes(shape)
        derived =
            shape.partitionedTables
            + schema.objects.filter { $0.kind == "MATERIALIZED VIEW" }.map(\.name)
        addCounters(schema)
        items =
            items.filter { $0.step.phase < .counters || !$0.step.tables.isEmpty }
            + items.filter { $0.step.phase == .counters && $0.step.tables.isEmpty }
            + items.filter { $0.step.phase == .code && $0.step.tables.isEmpty }
    }

    private static func isOurs(_ object: SchemaText.Object) -> Bool {
        object.name.schema == "sluice" || object.table?.schema == "sluice"
    }

    /// `index public.orders_by_day`, as steps and messages name it.
    private static func name(of object: SchemaText.Object) -> String {
        "\(object.kind.lowercased()) \(object.name)"
    }

    /// Without owners and grants, where they are not wanted; the roles of all others are noted.
    private mutating func statements(
        of object: SchemaText.Object, _ request: LoadRequest
    ) -> [String] {
        let text = Array(object.sql.utf8)
        let found = (PostgresTokens.statements(in: text) ?? []).map {
            String(decoding: text[$0], as: UTF8.self)
        }
        var kept: [String] = []
        for sql in found {
            let statement = PostgresStatement(sql)
            if request.skipsOwners, statement.setsOwner || statement.grants { continue }
            for role in statement.roles { roles[Name(role), default: 0] += 1 }
            if statement.setsOwner { owners.formUnion(statement.roles.map { Name($0) }) }
            kept.append(sql)
        }
        return kept
    }

    private static let ownKinds: Set<String> = [
        "VIEW", "MATERIALIZED VIEW", "SEQUENCE", "FOREIGN TABLE",
    ]

    private static func drop(
        _ object: SchemaText.Object, _ statements: [String]
    ) -> PostgresDrop? {
        if object.kind == "TABLE", let table = object.table {
            return PostgresDrop(kind: "TABLE", identity: table.quoted)
        }
        if object.kind.hasPrefix("BLOB") {
            let numbers = statements.compactMap { PostgresStatement.createdLargeObject($0) }
            return PostgresDrop(
                kind: PostgresDrop.largeObject,
                identity: numbers.map(String.init).joined(separator: ", "))
        }
        if ownKinds.contains(object.kind) {
            return PostgresDrop(kind: object.kind, identity: object.name.quoted)
        }
        // Without its owner an object is found by the whole text, which still has it.
        let text = Array(object.sql.utf8)
        for range in PostgresTokens.statements(in: text) ?? [] {
            let sql = String(decoding: text[range], as: UTF8.self)
            guard let owned = PostgresStatement.owned(sql) ?? PostgresStatement.created(sql)
            else { continue }
            return PostgresDrop(kind: owned.kind, identity: owned.identity)
        }
        return nil
    }

    private mutating func addBehind(
        _ object: SchemaText.Object, _ statements: [String], _ shape: PostgresSchemaShape
    ) {
        let name = PostgresSchemaPlan.name(of: object)
        guard let table = object.table else {
            return add(
                .code, name, [], .statements(statements),
                drop: PostgresSchemaPlan.drop(object, statements))
        }
        switch object.kind {
        case "INDEX", "CONSTRAINT":
            guard !shape.isPartitioned(table) else { return }
            addIndex(object, table, statements, shape)
        case "INDEX ATTACH": break
        case "STATISTICS": extendedStatistics[table, default: []] += statements
        case "CHECK CONSTRAINT":
            add(.foreignKeys, name, shape.leaves(of: table), .statements(statements))
        case "FK CONSTRAINT": addForeignKey(object, table, statements, shape)
        default: add(.code, name, [], .statements(statements))
        }
    }

    private mutating func addIndex(
        _ object: SchemaText.Object, _ table: TableName, _ statements: [String],
        _ shape: PostgresSchemaShape
    ) {
        let name = PostgresSchemaPlan.name(of: object)
        let weight = shape.weight(of: table)
        // Its own transaction ends what is set for it.
        let settings = statements.filter { $0.hasPrefix("SET LOCAL ") }
        let own = statements.filter { !$0.hasPrefix("SET LOCAL ") }
        guard let first = own.first else { return }
        let before = Array(settings.prefix(settings.count / 2))
        if let unique = PostgresSchemaPlan.unique(first, table, before) {
            add(.indexes, name, [table], weight: weight, .unique(unique))
        } else if object.kind == "INDEX" {
            let index = TableName(schema: table.schema, object.name.table)
            add(.indexes, name, [table], weight: weight, .index(index, sql: before + [first]))
        } else {
            add(.indexes, name, [table], weight: weight, .statements(before + [first]))
        }
        // They take a lock on the table that would wait for its other indexes.
        let rest = Array(own.dropFirst())
        if !rest.isEmpty { add(.foreignKeys, "\(name), settings", [table], .statements(rest)) }
    }

    /// A primary key or a unique constraint on columns alone.
    private static func unique(
        _ sql: String, _ table: TableName, _ settings: [String]
    ) -> PostgresUniqueConstraint? {
        guard let constraint = PostgresConstraintText(sql),
            constraint.words == "PRIMARY KEY" || constraint.words == "UNIQUE"
        else { return nil }
        return PostgresUniqueConstraint(
            table, constraint.name, whole: sql, words: constraint.words,
            columns: constraint.isPlain ? constraint.columns : nil, settings: settings)
    }

    private mutating func addForeignKey(
        _ object: SchemaText.Object, _ table: TableName, _ statements: [String],
        _ shape: PostgresSchemaShape
    ) {
        let statement = PostgresStatement(statements[0])
        guard let other = statement.otherTable,
            let name = PostgresConstraintText.name(statements[0])
        else {
            return add(
                .counters, PostgresSchemaPlan.name(of: object), [table], .statements(statements))
        }
        guard shape.has(other) else {
            warnings.append(
                "the foreign key \(name) of \(table) is left out with table \(other)")
            return
        }
        let key = PostgresForeignKey(
            table: table, other: other, name: name, sql: statements[0],
            isNotValid: statement.endsWith("NOT", "VALID"))
        let isPartitioned = shape.isPartitioned(table) || shape.isPartitioned(other)
        let tables = Array(Set(shape.leaves(of: table) + shape.leaves(of: other))).sorted()
        // The unique index of a partitioned table is whole only when those of its parts are in it.
        add(
            isPartitioned ? .counters : .foreignKeys, PostgresSchemaPlan.name(of: object), tables,
            weight: shape.weight(of: table), locking: table, .foreignKey(key))
    }

    /// Of a partitioned table: its indexes are empty until those of its parts are attached.
    private mutating func addPartitionedIndexes(_ shape: PostgresSchemaShape) {
        guard !shape.partitionedIndexes.isEmpty else { return }
        for root in shape.roots {
            let sql = shape.partitionedIndexes.filter { shape.root(of: $0.table) == root }
                .flatMap(\.statements)
            guard !sql.isEmpty else { continue }
            add(
                .foreignKeys, "indexes of the parts of \(root)", shape.leaves(of: root),
                .statements(sql))
        }
    }
}

extension PostgresStatement {
    func endsWith(_ words: String...) -> Bool {
        words.enumerated().allSatisfy { isWord(pieceCount - words.count + $0.offset, $0.element) }
    }
}
