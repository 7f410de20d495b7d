internal import SluiceCore
internal import SluiceRecords

extension Run {
    /// What is to be loaded of a dataset or of files, as the user wants it in this target.
    ///
    /// - Parameters:
    ///   - names: all tables there will be, whether planned yet or not.
    ///   - schema: the source's own DDL, where it may be executed; where overrides change what it
    ///     says, it is not.
    func request(
        _ dataset: String, _ plans: [TablePlan], of names: [TableName]? = nil,
        from origin: LoadOrigin, trusting schema: SchemaText?, into target: any Target
    ) throws(Failure) -> LoadRequest {
        let makesTables = settings.onExisting == .refuse || settings.onExisting == .replace
        let mapping = try OverrideMapping(
            settings.overrides, of: names ?? plans.map(\.table), from: origin, into: target,
            makesTables: makesTables)
        let tables = try mapping.carryOut(plans)
        let isOther = tables.contains(where: \.hasOtherDefinition)
        var warnings: [String] = []
        if schema != nil, isOther { warnings.append(LoadRequest.untrustedWarning) }
        if makesTables {
            warnings += tables.flatMap(\.nullableWarnings)
        } else {
            warnings += tables.flatMap(\.unusedTypeWarnings)
        }
        return LoadRequest(
            dataset: dataset, tables: tables, trustedSchema: isOther ? nil : schema,
            onExisting: settings.onExisting, constraintsInitial: settings.constraintsInitial,
            sourceEngine: origin.engine, hidesKeys: settings.hidesKeys,
            skipsOwners: settings.skipsOwners, overridesUnit: mapping.unit, warnings: warnings)
    }
}

extension LoadRequest {
    fileprivate static let untrustedWarning =
        "overrides change names, types or what may be NULL, which the source's own DDL does not"
        + " know: tables are made from the plan, without views, routines and triggers"

    /// Rows that were loaded under other overrides are other rows.
    ///
    /// - Parameter units: what the ledger has of this dataset.
    func refuseOtherOverrides(
        _ units: some Sequence<String>, in target: any Target
    ) throws(Failure) {
        let units = Array(units)
        let noted = units.filter { $0.hasPrefix(OverrideMapping.unitStart) }
        guard !units.isEmpty, noted != [overridesUnit].compactMap({ $0 }) else { return }
        throw Failure(
            .refused, "\(target.place) has been loaded with other overrides than these",
            hint: "Use those that the load began with, or drop the target's tables and"
                + " sluice_ledger and load again.")
    }

    /// How many dates became NULL in each column.
    ///
    /// - Parameter left: what was set aside.
    func nulledWarnings(_ manifest: Manifest, without left: SetAside) -> [String] {
        tables.flatMap { plan -> [String] in
            let table = plan.original.table
            guard let sums = manifest.tables.first(where: { $0.name == table }) else { return [] }
            let notes = left.notes.filter { $0.table == table }
            return plan.schema.fields.enumerated().compactMap { index, field in
                guard field.nullsImpossibleDates,
                    let found = sums.reserved.first(where: { $0.key == field.avroName })?
                        .value.integer
                else { return nil }
                let refused = notes.reduce(0) { $0 + $1.shard.summary.reserved[index] }
                let count = Int(found) - refused
                guard count > 0 else { return nil }
                return "column \(field.name) of table \(plan.table):"
                    + " \(TextTable.count(count, "date")) that no calendar has became NULL"
            }
        }
    }
}

extension TablePlan {
    /// Its table is not what the source's own DDL makes.
    fileprivate var hasOtherDefinition: Bool {
        table != original.table || definition != original.definition
            || schema.fields.contains { $0.targetDeclaration != nil }
    }

    fileprivate var nullableWarnings: [String] {
        zip(original.schema.fields, schema.fields).compactMap { old, new in
            guard new.isNullable, !old.isNullable else { return nil }
            return "column \(new.name) of table \(table) takes NULL, which dates that no calendar"
                + " has become"
        }
    }

    fileprivate var unusedTypeWarnings: [String] {
        schema.fields.compactMap { field in
            guard let type = field.targetDeclaration else { return nil }
            return "column \(field.name) of table \(table) stays as it is declared, whatever the"
                + " overrides say (\(type))"
        }
    }
}
