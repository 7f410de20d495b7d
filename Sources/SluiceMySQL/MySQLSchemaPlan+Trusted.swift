internal import SluiceCore
internal import SluiceRecords

/// A schema that a server printed itself: every object by its own SQL.
extension MySQLSchemaPlan {
    mutating func addTrusted(_ schema: SchemaText, _ request: LoadRequest) {
        let weights = Dictionary(
            request.tables.map { ($0.table.table, $0.estimatedBytes) }
        ) { first, _ in first }
        let objects = schema.objects.filter { !$0.name.table.isSluice }
        let left = MySQLSchemaPlan.left(of: objects, where: weights)
        addDatabase(schema.settings)
        for object in objects where object.kind == "SEQUENCE" { addSequence(object) }
        var texts: [MySQLTableText] = []
        for object in objects where object.kind == "TABLE" && !left.contains(object.name.table) {
            let sql = MySQLTableText.unbound(
                object.sql, from: schema.settings["database"]?.text ?? "")
            guard let text = MySQLTableText(sql) else {
                conflicts.append("the schema of table \(object.name) cannot be understood")
                continue
            }
            texts.append(text)
            add(
                .tables, "table \(text.name)", [], .table(text.name, sql: text.create),
                drops: [MySQLDrop(kind: "TABLE", name: text.name)])
        }
        for text in texts where !text.keys.isEmpty {
            let table = TableName(text.name)
            add(
                .indexes, "indexes of \(text.name)", [table], weight: weights[text.name] ?? 0,
                .keys(table, text.keys))
        }
        for text in texts { addForeignKeys(of: text, weights) }
        addCounters(schema)
        addCode(objects, request, left)
    }

    /// The tables that are not wanted here. Tables without rows of their own are in no dataset;
    /// where all others are wanted, so are they.
    private static func left(
        of objects: [SchemaText.Object], where weights: [Name: Int]
    ) -> Set<Name> {
        let absent = objects.filter { $0.kind == "TABLE" && weights[$0.name.table] == nil }
        let isWhole = absent.allSatisfy { object in
            MySQLTableText(object.sql).map { MySQLCatalog.hollowEngines.contains($0.engine) }
                ?? false
        }
        return isWhole ? [] : Set(absent.map(\.name.table))
    }

    private mutating func addDatabase(_ settings: JSON) {
        // Both come from a dataset and are put into a statement.
        guard let characterSet = settings["charset"]?.text,
            let collation = settings["collation"]?.text,
            [characterSet, collation].allSatisfy({ text in
                !text.isEmpty
                    && text.utf8.allSatisfy { byte in
                        (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte)
                            || byte == UInt8(ascii: "_")
                    }
            })
        else { return }
        add(
            .tables, "character set of the database", [],
            .database(characterSet: characterSet, collation: collation))
    }

    private mutating func addSequence(_ object: SchemaText.Object) {
        guard flavor.hasSequences else {
            warnings.append("sequence \(object.name) is left out: MySQL has none")
            return
        }
        add(
            .tables, "sequence \(object.name)", [],
            .sequence(object.name.table, sql: object.sql),
            drops: [MySQLDrop(kind: "SEQUENCE", name: object.name.table)])
    }

    private mutating func addForeignKeys(of text: MySQLTableText, _ weights: [Name: Int]) {
        let table = TableName(text.name)
        for key in text.foreignKeys {
            let isOutside = key.other.schema != nil
            guard isOutside || weights[key.other.table] != nil else {
                warnings.append(
                    "table \(table): the foreign key to \(key.other) is left out with that table")
                continue
            }
            let tables = isOutside ? [table] : Array(Set([table, key.other])).sorted()
            add(
                .foreignKeys, "foreign key \(key.name) of \(table)", tables,
                weight: weights[text.name] ?? 0, .foreignKey(table, key))
        }
    }

    /// Routines, then views, which may call them, then triggers and events.
    private mutating func addCode(
        _ objects: [SchemaText.Object], _ request: LoadRequest, _ left: Set<Name>
    ) {
        for kind in ["FUNCTION", "PROCEDURE", "PACKAGE", "PACKAGE BODY"] {
            for object in objects where object.kind == kind { addCode(object, request) }
        }
        addViews(objects.filter { $0.kind == "VIEW" }, request, left)
        for object in objects where object.kind == "TRIGGER" {
            guard let table = object.table?.table, !left.contains(table) else { continue }
            addCode(object, request)
        }
        for object in objects where object.kind == "EVENT" { addCode(object, request) }
    }

    private mutating func addCode(_ object: SchemaText.Object, _ request: LoadRequest) {
        let code = MySQLCode(
            kind: object.kind, name: object.name.table, sql: object.sql,
            skipsOwners: request.skipsOwners)
        if let definer = code.definer { definers[definer, default: 0] += 1 }
        add(
            .code, "\(object.kind.lowercased()) \(object.name)", [], .code(code),
            drops: [code.drop])
    }

    /// A view that reads a table that is not loaded cannot be made.
    private mutating func addViews(
        _ objects: [SchemaText.Object], _ request: LoadRequest, _ left: Set<Name>
    ) {
        var missing = left
        var views = objects
        var hasChanged = true
        while hasChanged, !missing.isEmpty {
            hasChanged = false
            for (place, object) in views.enumerated().reversed() {
                let names = MySQLTokens.names(Array(object.sql.utf8))
                guard let table = missing.sorted().first(where: names.contains) else { continue }
                warnings.append(
                    "view \(object.name) is left out: it reads \(table), which is not loaded")
                missing.insert(object.name.table)
                views.remove(at: place)
                hasChanged = true
            }
        }
        guard !views.isEmpty else { return }
        let codes = views.map {
            MySQLCode(
                kind: "VIEW", name: $0.name.table, sql: $0.sql, skipsOwners: request.skipsOwners)
        }
        for definer in codes.compactMap(\.definer) { definers[definer, default: 0] += 1 }
        add(.code, "views", [], .views(codes), drops: codes.map(\.drop))
    }
}
