internal import SluiceCore
internal import SluiceEngine

/// The `overrides` section of a job file: what names and types are in the target.
struct OverridesSection: JobFileSection {
    let name: String

    func overrides(_ node: YAMLNode) throws(Failure) -> Overrides {
        var overrides = Overrides()
        let found = try mapping(node, "'overrides'", known: ["schemas", "tables"])
        if let schemas = found["schemas"] {
            for entry in try entries(schemas, "'schemas'") {
                overrides.schemas.append(
                    Overrides.Schema(
                        entry.key, name: try newName(entry.value, entry.key),
                        place: place(entry.mark)))
            }
        }
        if let tables = found["tables"] {
            for entry in try entries(tables, "'tables'") {
                overrides.tables.append(try table(entry))
            }
        }
        return overrides
    }

    private func table(_ entry: YAMLNode.Entry) throws(Failure) -> Overrides.Table {
        let found = try described(entry, known: ["name", "columns"])
        var table = Overrides.Table(entry.key, place: place(entry.mark))
        if let name = found["name"] { table.name = try newName(name, "name") }
        if let columns = found["columns"] {
            for entry in try entries(columns, "'columns'") {
                table.columns.append(try column(entry))
            }
        }
        return table
    }

    private func column(_ entry: YAMLNode.Entry) throws(Failure) -> Overrides.Column {
        let found = try described(entry, known: ["name", "type"])
        var column = Overrides.Column(Name(entry.key), place: place(entry.mark))
        if let name = found["name"] { column.name = try newName(name, "name") }
        if let type = found["type"] { column.type = try text(type, "type") }
        return column
    }

    /// What is said of a table or column, which is something.
    private func described(
        _ entry: YAMLNode.Entry, known: [String]
    ) throws(Failure) -> [String: YAMLNode] {
        let shown = "'\(Redaction.shown(entry.key))'"
        let found = try mapping(entry.value, shown, known: known)
        guard !found.isEmpty else {
            throw failure(
                "\(shown) is empty", entry.mark, hint: "Say \(ValueSyntax.list(known, "or")).")
        }
        return found
    }

    private func newName(_ node: YAMLNode, _ key: String) throws(Failure) -> Name {
        let text = try text(node, key)
        guard !text.utf8.contains(0) else {
            throw failure("'\(Redaction.shown(key))' holds a NUL", node.mark)
        }
        return Name(text)
    }

    private func place(_ mark: Mark) -> String { "in \(name), \(mark)" }
}
