internal import SluiceCore
internal import SluiceRecords

/// The SQL of a table and its indexes, made from what the dataset's plan says of them.
struct SQLiteSchemaBuilder {
    private let plan: TablePlan
    private let isSameEngine: Bool
    /// The request's tables, as foreign keys may name them.
    private let tables: Set<TableName>
    private let hasRowid: Bool

    init(_ plan: TablePlan, of tables: Set<TableName>, in request: LoadRequest) {
        self.plan = plan
        self.tables = tables
        isSameEngine = request.sourceEngine == SQLiteTarget.engineName
        hasRowid = plan.schema.fields.contains { $0.isRowid }
    }

    private var definition: TableDefinition { plan.definition }

    /// The statement, and what of the source's table it leaves out.
    func table() -> (sql: String, omissions: [String]) {
        var omissions = definition.omissions
        var lines: [String] = []
        for column in definition.columns {
            if column.isGenerated {
                omissions.append("generated column \(column.name) is left out")
                continue
            }
            guard let field = field(column.name) else { continue }
            lines.append(line(column, field, &omissions))
        }
        if aliasColumn == nil, !definition.primaryKey.isEmpty {
            if definition.primaryKey.allSatisfy({ field($0) != nil }) {
                lines.append("PRIMARY KEY (\(list(definition.primaryKey)))")
            } else {
                omissions.append("the primary key is left out with one of its columns")
            }
        }
        for key in definition.foreignKeys {
            if tables.contains(key.table) {
                lines.append(line(key))
            } else {
                omissions.append("the foreign key to \(key.table) is left out with that table")
            }
        }
        let body = lines.map { "  \($0)" }.joined(separator: ",\n")
        let tail = isWithoutRowid ? " WITHOUT ROWID" : ""
        return ("CREATE TABLE \(plan.table.table.quoted) (\n\(body)\n)\(tail)", omissions)
    }

    /// Nothing where the table here lacks one of its columns, for whose name SQLite would take a
    /// text.
    func index(_ index: TableDefinition.Index, named name: Name) -> String? {
        guard index.columns.allSatisfy({ field($0) != nil }) else { return nil }
        return "CREATE \(index.isUnique ? "UNIQUE " : "")INDEX \(name.quoted)"
            + " ON \(plan.table.table.quoted) (\(list(index.columns)))"
    }

    private func field(_ name: Name) -> Field? {
        plan.schema.fields.first { !$0.isRowid && $0.name == name }
    }

    private func list(_ names: [Name]) -> String {
        names.map(\.quoted).joined(separator: ", ")
    }

    /// The column that is the rowid under another name: the only integer column of the primary key,
    /// unless the dataset has rowids beside it.
    private var aliasColumn: Name? {
        guard !hasRowid, definition.primaryKey.count == 1,
            let field = field(definition.primaryKey[0]), !field.isNullable
        else { return nil }
        switch field.type {
        case .int32, .int64: break
        default: return nil
        }
        // In SQLite only a column declared INTEGER is one; another one keeps its own index and
        // rowid.
        if let wanted = field.targetDeclaration, Name(wanted).folded != "integer" { return nil }
        if isSameEngine, Name(field.declared).folded != "integer" { return nil }
        return field.name
    }

    /// A table of SQLite's own whose dataset has neither rowids nor a column for them has none.
    private var isWithoutRowid: Bool {
        isSameEngine && !hasRowid && aliasColumn == nil && !definition.primaryKey.isEmpty
    }

    private func line(
        _ column: TableDefinition.Column, _ field: Field, _ omissions: inout [String]
    ) -> String {
        if aliasColumn == column.name {
            return "\(column.name.quoted) INTEGER PRIMARY KEY"
                + (column.isIdentity ? " AUTOINCREMENT" : "")
        }
        var declared = SQLiteMapping.declaration(for: field, isSameEngine: isSameEngine)
        // Beside rowids of the dataset a single INTEGER PRIMARY KEY would be the rowid itself.
        if definition.primaryKey == [column.name], Name(declared).folded == "integer" {
            declared = "INT"
        }
        var line = column.name.quoted
        if !declared.isEmpty { line += " \(declared)" }
        if !column.isNullable { line += " NOT NULL" }
        if let literal = column.defaultLiteral {
            if SQLiteLiteral.isSafe(literal) {
                line += " DEFAULT \(literal)"
            } else {
                omissions.append("the default of column \(column.name) is left out")
            }
        }
        return line
    }

    private func line(_ key: TableDefinition.ForeignKey) -> String {
        var line = key.name.map { "CONSTRAINT \($0.quoted) " } ?? ""
        line += "FOREIGN KEY (\(list(key.columns))) REFERENCES \(key.table.table.quoted)"
        if !key.otherColumns.isEmpty { line += " (\(list(key.otherColumns)))" }
        let deletion = SQLiteSchemaBuilder.action(key.onDelete)
        let update = SQLiteSchemaBuilder.action(key.onUpdate)
        if deletion != "NO ACTION" { line += " ON DELETE \(deletion)" }
        if update != "NO ACTION" { line += " ON UPDATE \(update)" }
        return line
    }

    private static func action(_ text: String) -> String {
        ["CASCADE", "SET NULL", "SET DEFAULT", "RESTRICT"].contains(text) ? text : "NO ACTION"
    }
}

/// A default's literal, which comes from the dataset and must not say anything but a value.
enum SQLiteLiteral {
    /// A number, a string, a blob, NULL, TRUE or FALSE, as SQLite writes them.
    static func isSafe(_ literal: String) -> Bool {
        let bytes = Array(literal.utf8)
        guard let first = bytes.first else { return false }
        switch first {
        case UInt8(ascii: "'"): return isString(bytes[...])
        case UInt8(ascii: "x"), UInt8(ascii: "X"):
            return isString(bytes.dropFirst()) && bytes.count.isMultiple(of: 2) == false
                && bytes.dropFirst(2).dropLast().allSatisfy {
                    Hexadecimal.anyCaseValue($0) != nil
                }
        default:
            if ["null", "true", "false"].contains(Name(literal).folded) { return true }
            return isNumber(bytes)
        }
    }

    private static func isString(_ bytes: ArraySlice<UInt8>) -> Bool {
        let quote = UInt8(ascii: "'")
        guard bytes.count >= 2, bytes.first == quote, bytes.last == quote, !bytes.contains(0)
        else { return false }
        var isOpen = false
        for byte in bytes.dropFirst().dropLast() {
            if byte == quote { isOpen.toggle() } else if isOpen { return false }
        }
        return !isOpen
    }

    private static func isNumber(_ bytes: [UInt8]) -> Bool {
        guard let last = bytes.last, let first = bytes.first, bytes.count <= 100,
            last != 0x20, first != 0x20, !(0x09...0x0D).contains(last),
            !(0x09...0x0D).contains(first)
        else { return false }
        return bytes.withUnsafeBytes { SQLiteConversion.makesNumber($0) }
    }
}
