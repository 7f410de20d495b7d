internal import SluiceCore
internal import SluiceRecords

/// Makes of a dataset's plans those that a target is loaded by.
struct OverrideMapping {
    /// The engine whose dates no calendar need have.
    private static let engineOfZeroDates = "mysql"

    private let overrides: Overrides
    private let names: OverrideNames
    private let booleanType: String?
    private let hasSchemas: Bool
    private let nullsZeroDates: Bool
    private let booleans: Set<Name>
    private let makesTables: Bool

    /// - Parameters:
    ///   - names: all tables of the dataset, whether planned yet or not.
    ///   - origin: what the tables come from.
    ///   - makesTables: those that are there stay as they are declared.
    init(
        _ overrides: Overrides, of names: [TableName], from origin: LoadOrigin,
        into target: any Target, makesTables: Bool
    ) throws(Failure) {
        self.makesTables = makesTables
        self.overrides = overrides
        self.names = try OverrideNames(
            overrides, of: names, identity: origin.identity, hasSchemas: target.hasSchemas,
            engine: target.engine)
        booleanType = target.booleanType
        hasSchemas = target.hasSchemas
        nullsZeroDates =
            overrides.nullsZeroDates && origin.engine == OverrideMapping.engineOfZeroDates
        booleans = Set(overrides.booleans.map { Name(OverrideMapping.folded($0)) })
    }

    /// The same tables with the names, types and records that the target is to have.
    func carryOut(_ plans: [TablePlan]) throws(Failure) -> [TablePlan] {
        var columns: [TableName: [Name: Name]] = [:]
        for plan in plans { columns[plan.table] = try names.columns(of: plan) }
        try names.refuseEqualNames(plans, hasSchemas: hasSchemas)
        return plans.map { map($0, columns) }
    }

    private func map(
        _ plan: TablePlan, _ columns: [TableName: [Name: Name]]
    ) -> TablePlan {
        let own = columns[plan.table] ?? [:]
        let fields = plan.schema.fields.map { field($0, of: plan, own) }
        let schema = RecordSchema(table: names.name(of: plan.table), fields: fields)
        var nullable: Set<Name> = []
        for (old, new) in zip(plan.schema.fields, fields) where new.isNullable && !old.isNullable {
            nullable.insert(old.name)
        }
        let definition = definition(of: plan, columns, nullable)
        guard schema != plan.schema || definition != plan.definition else { return plan }
        return plan.mapped(to: schema, definition)
    }

    private func field(_ field: Field, of plan: TablePlan, _ columns: [Name: Name]) -> Field {
        guard !field.isRowid else { return field }
        let entry = names.entries[plan.table]?.columns.first { $0.column == field.name }
        let isBoolean = booleans.contains(Name(OverrideMapping.folded(field.declared)))
        let isMoment =
            [.date, .timestamp, .localTimestamp].contains(field.type)
        // A key has no NULL: there such a date stays, and is refused where the target lacks it.
        let isNulled =
            nullsZeroDates && isMoment && !plan.definition.primaryKey.contains(field.name)
        return Field(
            name: columns[field.name] ?? field.name, avroName: field.avroName, type: field.type,
            isNullable: field.isNullable || isNulled, declared: field.declared,
            targetDeclaration: entry?.type ?? (isBoolean && makesTables ? booleanType : nil),
            nullsImpossibleDates: isNulled)
    }

    private func definition(
        of plan: TablePlan, _ columns: [TableName: [Name: Name]], _ nullable: Set<Name>
    ) -> TableDefinition {
        let own = columns[plan.table] ?? [:]
        var definition = plan.definition
        for index in definition.columns.indices {
            let name = definition.columns[index].name
            definition.columns[index].name = own[name] ?? name
            if nullable.contains(name) { definition.columns[index].isNullable = true }
        }
        func renamed(_ names: [Name], _ map: [Name: Name]) -> [Name] { names.map { map[$0] ?? $0 } }
        definition.primaryKey = renamed(definition.primaryKey, own)
        for index in definition.indexes.indices {
            definition.indexes[index].columns = renamed(definition.indexes[index].columns, own)
        }
        for index in definition.foreignKeys.indices {
            let key = definition.foreignKeys[index]
            definition.foreignKeys[index].columns = renamed(key.columns, own)
            // Keys to tables that are not moved are left out, whatever these are called.
            guard let other = columns[key.table] else { continue }
            definition.foreignKeys[index].table = names.name(of: key.table)
            definition.foreignKeys[index].otherColumns = renamed(key.otherColumns, other)
        }
        return definition
    }

    /// A declaration without blanks and capitals, in which people write the same in several ways.
    private static func folded(_ declared: String) -> String {
        String(declared.lowercased().filter { $0 != " " })
    }
}

extension OverrideMapping {
    /// What the ledger notes, so that nobody goes on with other overrides; nothing where none has
    /// any effect.
    var unit: String? {
        var parts: [JSON] = []
        for entry in overrides.schemas {
            parts.append(["schema": .string(entry.schema), "name": .string(entry.name.text)])
        }
        for entry in overrides.tables {
            let columns = entry.columns.sorted { $0.column < $1.column }.map { column -> JSON in
                [
                    "column": .string(column.column.text), "name": JSON(column.name?.text),
                    "type": JSON(column.type),
                ]
            }
            parts.append(
                [
                    "table": .string(entry.table), "name": JSON(entry.name?.text),
                    "columns": .array(columns),
                ])
        }
        if nullsZeroDates { parts.append("zero-dates") }
        if booleanType != nil {
            parts += booleans.sorted().map { ["boolean": .string($0.text)] }
        }
        guard !parts.isEmpty else { return nil }
        let text = parts.map(\.compact).sorted { Name($0) < Name($1) }.joined(separator: "\n")
        return OverrideMapping.unitStart + String(SHA256.text(of: Array(text.utf8)).prefix(16))
    }

    static let unitStart = "overrides "
}

/// Where the tables of a load come from.
struct LoadOrigin {
    /// As `Source.engine` says it; nothing for files somebody else exported.
    var engine: String?
    /// As `Source.identity` says it.
    var identity: JSON
}
