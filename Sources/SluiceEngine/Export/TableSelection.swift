internal import SluiceCore
internal import SluiceRecords

/// Which tables of a source `--tables`, `--exclude` and `--where` mean.
enum TableSelection {
    /// The chosen tables in the catalogue's order. Tables that store a virtual table's content
    /// follow their owner.
    static func choose(
        from tables: [SourceTable], _ settings: Settings, place: String
    ) throws(Failure) -> [SourceTable] {
        let wanted = try globs(settings.tables)
        let unwanted = try globs(settings.exclude)
        for glob in wanted where !tables.contains(where: { matches(glob, $0) }) {
            throw unknown("--tables", glob.pattern, among: tables, place: place)
        }
        for glob in unwanted where !tables.contains(where: { matches(glob, $0) }) {
            throw unknown("--exclude", glob.pattern, among: tables, place: place)
        }
        let chosen = tables.filter { table in
            (wanted.isEmpty || wanted.contains { matches($0, table) })
                && !unwanted.contains { matches($0, table) }
        }
        for filter in settings.filters {
            guard chosen.contains(where: { Name($0.name.description) == Name(filter.table) }) else {
                throw unknown("--where", filter.table, among: tables, place: place)
            }
        }
        return chosen
    }

    /// Whether a table may be among the chosen ones, before anything is known of the source.
    static func wanted(
        _ settings: Settings
    ) throws(Failure) -> @Sendable (SourceTable) -> Bool {
        let wanted = try globs(settings.tables)
        let unwanted = try globs(settings.exclude)
        return { table in
            (wanted.isEmpty || wanted.contains { matches($0, table) })
                && !unwanted.contains { matches($0, table) }
        }
    }

    private static func globs(_ patterns: [String]) throws(Failure) -> [Glob] {
        var globs: [Glob] = []
        for pattern in patterns { globs.append(try Glob(pattern)) }
        return globs
    }

    private static func matches(_ glob: Glob, _ table: SourceTable) -> Bool {
        glob.matches(table.name) || table.owner.map(glob.matches) ?? false
            || table.wholes.contains(where: glob.matches)
    }

    private static func unknown(
        _ option: String, _ pattern: String, among tables: [SourceTable], place: String
    ) -> Failure {
        let names = tables.map(\.name.description)
        let hint =
            Suggestion.nearest(to: pattern, among: names).map { "Did you mean '\($0)'?" }
            ?? "sluice plan --source lists the tables."
        return Failure(
            .usage, "\(option) names '\(pattern)', and no table of \(place) is called that",
            hint: hint)
    }
}

extension Catalog {
    /// The catalogue of only these tables: their schema, and a warning for each object that is left
    /// out with the others.
    func limited(to tables: [SourceTable], _ facts: SourceFacts) -> Catalog {
        guard tables.count < self.tables.count else { return self }
        if facts.limitsSchema {
            return Catalog(tables: tables, schema: schema, warnings: warnings)
        }
        var kept = Set(tables.map(\.name))
        // A virtual table comes with the tables that store its content.
        kept.formUnion(tables.compactMap(\.owner))
        var limited = self
        limited.tables = tables
        limited.schema.objects = schema.objects.filter { object in
            object.table.map(kept.contains) ?? false
        }
        for object in schema.objects where object.table == nil || object.kind == "view" {
            limited.warnings.append(
                "\(object.kind) \(object.name) is left out: only some tables were chosen")
        }
        return limited
    }
}
