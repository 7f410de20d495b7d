internal import SluiceCore
internal import SluiceRecords

/// What overrides make of a table, as `plan` shows it.
struct OverrideText {
    private let plan: TablePlan

    /// Nothing where they make nothing of it.
    init?(_ plan: TablePlan) {
        guard plan.original != plan else { return nil }
        self.plan = plan
    }

    private var columns: [(old: Field, new: Field)] {
        zip(plan.original.schema.fields, plan.schema.fields).filter { $0 != $1 }
            .map { (old: $0, new: $1) }
    }

    var json: JSON {
        let to: JSON = .object(plan.table.members)
        return .object(
            plan.original.table.members + [
                .init("target", to),
                .init(
                    "columns",
                    .array(
                        columns.map { old, new in
                            [
                                "name": .string(old.name.text), "target": .string(new.name.text),
                                "type": JSON(new.targetDeclaration),
                                "nullable": .bool(new.isNullable),
                                "zeroDates": .string(new.nullsImpossibleDates ? "null" : "refuse"),
                            ]
                        })),
            ])
    }

    /// `orders: becomes public.purchases`, `orders.state: becomes status, varchar(20)`.
    var lines: [String] {
        let table = plan.original.table
        var lines: [String] = []
        if table != plan.table { lines.append("\(table): becomes \(plan.table)") }
        for (old, new) in columns {
            var parts: [String] = []
            if old.name != new.name { parts.append("becomes \(new.name)") }
            if let type = new.targetDeclaration { parts.append("is declared \(type)") }
            if new.nullsImpossibleDates { parts.append("dates that no calendar has are NULL") }
            lines.append("\(table).\(old.name): \(parts.joined(separator: ", "))")
        }
        return lines
    }
}
