internal import SluiceCore
internal import SluiceRecords

/// What tables and columns are called in a target.
struct OverrideNames {
    /// The schema that tables without one are in, as overrides may name it.
    private let database: String?
    private let overrides: Overrides
    /// What is said of each table, by its name in the source.
    private(set) var entries: [TableName: Overrides.Table] = [:]

    /// - Parameter names: all tables of the dataset, whether planned yet or not.
    init(
        _ overrides: Overrides, of names: [TableName], identity: JSON, hasSchemas: Bool,
        engine: String
    ) throws(Failure) {
        self.overrides = overrides
        database = identity["database"]?.text ?? (identity["path"] == nil ? nil : "main")
        for entry in overrides.tables {
            let table = try OverrideNames.table(entry, among: names)
            guard entries.updateValue(entry, forKey: table) == nil else {
                throw Failure(
                    .usage, "the table \(table) is overridden twice \(entry.place)",
                    hint: "Join the two entries.")
            }
        }
        guard let first = overrides.schemas.first else { return }
        guard hasSchemas else {
            throw Failure(
                .usage,
                "'schemas' does not go with a target of \(engine), whose tables are in no schema,"
                    + " \(first.place)",
                hint: "Leave it out; the target's URL says which database it is.")
        }
        try refuseUnknownSchemas(names)
    }

    private static func table(
        _ entry: Overrides.Table, among names: [TableName]
    ) throws(Failure) -> TableName {
        let wanted = Name(entry.table)
        if let whole = names.first(where: { Name($0.description) == wanted }) { return whole }
        let found = names.filter { $0.table == wanted }
        if found.count == 1 { return found[0] }
        guard found.isEmpty else {
            throw Failure(
                .usage, "'\(entry.table)' is the name of several tables \(entry.place)",
                hint: "Write one of \(found.map(\.description).joined(separator: ", ")).")
        }
        throw Failure(
            .usage, "unknown table '\(entry.table)' \(entry.place)",
            hint: Suggestion.hint(
                for: entry.table,
                among: names.map(\.description) + names.map(\.table.text))
                ?? "Overrides are for tables that are moved, by their names in the source.")
    }

    private func refuseUnknownSchemas(_ names: [TableName]) throws(Failure) {
        var known = Set(names.compactMap(\.schema))
        if names.contains(where: { $0.schema == nil }) {
            known.insert("")
            if let database { known.insert(Name(database)) }
        }
        var seen: Set<Name> = []
        for entry in overrides.schemas {
            guard known.contains(Name(entry.schema)) else {
                throw Failure(
                    .usage, "unknown schema '\(entry.schema)' \(entry.place)",
                    hint: Suggestion.hint(for: entry.schema, among: known.map(\.text))
                        ?? "No table that is moved is in a schema of this name.")
            }
            // Tables without a schema have two names for where they are.
            let isNone = !names.contains { $0.schema == Name(entry.schema) }
            guard seen.insert(isNone ? "" : Name(entry.schema)).inserted else {
                throw Failure(
                    .usage, "the schema '\(entry.schema)' is overridden twice \(entry.place)",
                    hint: "Leave one of the two out.")
            }
        }
    }

    /// The table's name in the target.
    func name(of table: TableName) -> TableName {
        let entry = overrides.schemas.first { entry in
            let schema = Name(entry.schema)
            guard let own = table.schema else {
                return schema == "" || schema == database.map { Name($0) }
            }
            return schema == own
        }
        return TableName(schema: entry?.name ?? table.schema, entries[table]?.name ?? table.table)
    }

    /// The names of a table's columns in the target, by those in the source; of those only that
    /// become other ones.
    func columns(of plan: TablePlan) throws(Failure) -> [Name: Name] {
        guard let entry = entries[plan.table] else { return [:] }
        let stored = plan.schema.fields.filter { !$0.isRowid }.map(\.name)
        var renamed: [Name: Name] = [:]
        for column in entry.columns {
            guard stored.contains(column.column) else {
                let isGenerated = plan.definition.columns.contains { $0.name == column.column }
                throw Failure(
                    .usage,
                    isGenerated
                        ? "column '\(column.column)' of table \(plan.table) is generated, and is"
                            + " not moved, \(column.place)"
                        : "unknown column '\(column.column)' of table \(plan.table) \(column.place)",
                    hint: isGenerated
                        ? "Leave it out."
                        : Suggestion.hint(
                            for: column.column.text, among: stored.map(\.text)))
            }
            if let name = column.name, name != column.column { renamed[column.column] = name }
        }
        var taken: [Name: Name] = [:]
        for column in plan.definition.columns.map(\.name) + stored where taken[column] != column {
            let name = renamed[column] ?? column
            if let other = taken[name], other != column, !renamed.isEmpty {
                throw Failure(
                    .usage,
                    "columns \(other) and \(column) of table \(plan.table) would both be called"
                        + " \(name) \(entry.place)",
                    hint: "Give one of them another name.")
            }
            taken[name] = column
        }
        return renamed
    }

    /// Two tables that would be one, where the user gave one of them its name.
    func refuseEqualNames(_ plans: [TablePlan], hasSchemas: Bool) throws(Failure) {
        var taken: [TableName: TableName] = [:]
        for plan in plans {
            let whole = name(of: plan.table)
            let name = hasSchemas ? whole : TableName(whole.table)
            if let other = taken[name],
                let entry = entries[plan.table] ?? entries[other]
            {
                throw Failure(
                    .usage,
                    "tables \(other) and \(plan.table) would both be called \(name) \(entry.place)",
                    hint: "Give one of them another name.")
            }
            taken[name] = plan.table
        }
    }
}
