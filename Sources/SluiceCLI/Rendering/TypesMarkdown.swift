internal import SluiceCore
internal import SluiceMySQL
internal import SluicePostgres
internal import SluiceRecords
internal import SluiceSQLite

/// `docs/types.md`, rendered from the drivers' own tables of types; a test fails when the file is
/// stale.
enum TypesMarkdown {
    private static let tables = [
        SQLiteTypeTable.table, PostgresTypeTable.table, MySQLTypeTable.table,
    ]

    static var text: String {
        var lines = [
            "# Types", "",
            "Rendered from the drivers' tables of types by `sluice help types-markdown`; do not edit.",
            "",
            "A column's values become a record type ([format.md](format.md)), and a record type becomes a "
                + "column. Both ways are exact: a value",
            "is stored as it is, or its row is refused by name. Between equal engines tables are made "
                + "by the source's own schema where it is",
            "trusted (`run`, `--trust-schema`), and all values survive.", "",
            "## Every pair", "",
            "What a column of a source is in a record, and what it is declared as where a table is made "
                + "for it. Columns that are part of a key",
            "have an end on MariaDB: `varchar(768)` instead of `longtext`, less where a key has more of them. "
                + "On MySQL, where it differs from",
            "MariaDB, JSON becomes `longtext`.", "",
        ]
        for source in tables { lines += pairs(of: source) }
        lines += [
            "## Columns that are there already", "",
            "With `--on-existing use` and `truncate` columns keep their declarations. What is not in these "
                + "tables is refused before anything is",
            "written. A text is taken into a column of another type where it is written exactly as the "
                + "column's values are printed, so that it",
            "comes back as it was: `2024-02-29`, not `2024-2-29`.", "",
        ]
        for target in tables { lines += columns(of: target) }
        lines += ["## Values that an engine does not have", ""]
        for target in tables {
            lines += ["\(target.title) refuses, each row by name:", ""]
            lines += target.refusals.map { "- \($0)" } + [""]
        }
        return lines.dropLast().joined(separator: "\n") + "\n"
    }

    private static func pairs(of source: TypeTable) -> [String] {
        var lines = ["### From \(source.title)", ""]
        lines.append("| \(source.title) | record | " + row(tables.map(\.title)))
        lines.append("| --- | --- |" + String(repeating: " --- |", count: tables.count))
        for origin in source.origins {
            let field = Field(
                name: "c", avroName: "c", type: origin.type, isNullable: true,
                declared: origin.declared)
            let made = tables.map { code($0.declaration(field, source.engine)) }
            let declared = origin.declared.isEmpty ? [] : [code(origin.declared)]
            let shown = (declared + [origin.remark].compactMap { $0 }).joined(separator: ", ")
            lines.append("| \(shown) | \(origin.type) | " + row(made))
        }
        return lines + [""]
    }

    private static func columns(of target: TypeTable) -> [String] {
        var lines = ["### In \(target.title)", ""]
        lines += ["| record | columns that take it |", "| --- | --- |"]
        for type in ColumnType.examples {
            let taking = target.columns.filter { $0.takes(type) }.map { code($0.declared) }
            lines.append("| \(type) | \(taking.isEmpty ? "–" : taking.joined(separator: "; ")) |")
        }
        return lines + [""]
    }

    private static func row(_ cells: [String]) -> String {
        cells.joined(separator: " | ") + " |"
    }

    private static func code(_ text: String) -> String {
        text.hasPrefix("(") ? text : "`\(text)`"
    }
}
