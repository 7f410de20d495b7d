internal import SluiceCore
internal import SluiceRecords

/// The SQL of a table and what belongs to it, made from what the dataset's plan says of it.
struct MySQLSchemaBuilder {
    /// What an entry of an index may have in bytes; a character of text counts as four.
    private static let keyBytes = 3072
    /// How much of a text an index that need not be exact looks at.
    private static let prefixLength = 191
    /// A row may have so many bytes beside its large texts; some are left for all the others.
    private static let rowBytes = 48_000

    private let plan: TablePlan
    private let flavor: MySQLFlavor
    private let declarations: MySQLDeclarations
    /// The request's tables, as foreign keys may name them.
    private let tables: [TableName: TablePlan]
    /// How long texts and bytes of unique keys and foreign keys may be, in characters or bytes.
    private let lengths: [Name: Int]

    init(
        _ plan: TablePlan, of tables: [TableName: TablePlan], in request: LoadRequest,
        _ flavor: MySQLFlavor
    ) {
        self.plan = plan
        self.flavor = flavor
        self.tables = tables
        declarations = MySQLDeclarations(flavor: flavor, sourceEngine: request.sourceEngine)
        lengths = MySQLSchemaBuilder.lengths(plan, tables)
    }

    private var definition: TableDefinition { plan.definition }
    private var name: Name { plan.table.table }

    private func field(_ name: Name) -> Field? {
        plan.schema.fields.first { !$0.isRowid && $0.name == name }
    }

    /// Whether values of a type go into columns that have no end unless they are given one.
    private static func isLong(_ field: Field) -> Bool {
        switch field.type {
        case .text, .json, .enumeration, .set, .numberText, .serverText, .any, .bitString, .bytes:
            true
        default: false
        }
    }

    /// The columns that must be compared as a whole share what a key may have.
    private static func lengths(
        _ plan: TablePlan, _ tables: [TableName: TablePlan]
    ) -> [Name: Int] {
        let long = Dictionary(
            plan.schema.fields.filter { !$0.isRowid && isLong($0) }.map {
                ($0.name, $0.type == .bytes ? 1 : 4)
            }
        ) { first, _ in first }
        var groups = [plan.definition.primaryKey]
        groups += plan.definition.indexes.filter(\.isUnique).map(\.columns)
        groups += plan.definition.foreignKeys.map(\.columns)
        for other in tables.values {
            for key in other.definition.foreignKeys where key.table == plan.table {
                groups.append(
                    key.otherColumns.isEmpty ? plan.definition.primaryKey : key.otherColumns)
            }
        }
        var lengths: [Name: Int] = [:]
        for group in groups {
            let own = group.filter { long[$0] != nil }
            guard !own.isEmpty else { continue }
            let rest = keyBytes - 20 * (group.count - own.count)
            for column in own {
                let length = max(1, rest / own.count / (long[column] ?? 4))
                lengths[column] = min(lengths[column] ?? length, length)
            }
        }
        return lengths
    }

    /// The statement, and what of the source's table it leaves out.
    func table() -> (sql: String, omissions: [String]) {
        var omissions = definition.omissions
        let kept = keptCollations()
        omissions.removeAll { kept.contains($0) }
        if let owner = plan.owner {
            omissions.append("it is made as a plain table, without the virtual table \(owner)")
        }
        var lines: [String] = []
        var room = MySQLSchemaBuilder.rowBytes
        for column in definition.columns {
            if column.isGenerated {
                omissions.append("generated column \(column.name) is left out")
                continue
            }
            guard let field = field(column.name) else { continue }
            lines.append("  " + line(column, field, &room, &omissions))
        }
        let key = definition.primaryKey
        if !key.isEmpty, key.allSatisfy({ field($0) != nil }) {
            if hasPrimaryKey {
                lines.append("  PRIMARY KEY (\(list(key)))")
            } else {
                lines.append("  UNIQUE KEY \(Name("sluice_key").quoted) (\(list(key)))")
                omissions.append("the primary key becomes a unique one, because it may hold NULL")
            }
        }
        for key in definition.foreignKeys {
            if let problem = problem(of: key) {
                omissions.append("the foreign key to \(key.table) is left out\(problem)")
            }
        }
        let sql =
            "CREATE TABLE \(name.quoted) (\n\(lines.joined(separator: ",\n"))\n)"
            + " \(declarations.tableOptions)"
        return (sql, omissions)
    }

    /// What the source says of collations that the columns are declared with.
    private func keptCollations() -> [String] {
        let fields = plan.schema.fields.filter { field in
            field.type == .text && declarations.declaration(for: field) == field.declared
        }
        return MySQLCollations.omissions(
            fields.map { ($0.name, MySQLCollations.collation(in: $0.declared)) })
    }

    private func list(_ names: [Name]) -> String {
        names.map(\.quoted).joined(separator: ", ")
    }

    /// - Parameter room: what the row may still have beside its large texts.
    private func declaration(of field: Field, _ room: inout Int) -> String {
        let declared = declarations.declaration(for: field, length: lengths[field.name])
        guard declared.hasPrefix("varchar("), lengths[field.name] == nil,
            field.targetDeclaration == nil, let count = Int(declared.dropFirst(8).dropLast())
        else { return declared }
        room -= 4 * count
        return room < 0 ? "longtext" : declared
    }

    private func isRequired(_ column: TableDefinition.Column, _ field: Field) -> Bool {
        !column.isNullable || (definition.primaryKey.contains(column.name) && !field.isNullable)
    }

    /// The table's columns by the names of their fields: what they are declared as, and whether
    /// they refuse NULL.
    func columns() -> [Name: (declared: String, isRequired: Bool)] {
        var columns: [Name: (declared: String, isRequired: Bool)] = [:]
        var room = MySQLSchemaBuilder.rowBytes
        for column in definition.columns where !column.isGenerated {
            guard let field = field(column.name) else { continue }
            columns[column.name] = (declaration(of: field, &room), isRequired(column, field))
        }
        return columns
    }

    private func line(
        _ column: TableDefinition.Column, _ field: Field, _ room: inout Int,
        _ omissions: inout [String]
    ) -> String {
        let declared = declaration(of: field, &room)
        note(column, field, declared, &omissions)
        var line = "\(column.name.quoted) \(declared)"
        // A TIMESTAMP that is not told takes NULL for the time of day.
        line += isRequired(column, field) ? " NOT NULL" : " NULL"
        if isCounted(column) {
            line += " AUTO_INCREMENT"
        } else if column.isIdentity {
            omissions.append("column \(column.name) does not number itself")
        } else if let literal = column.defaultLiteral {
            let type = userType(field)
            if type?.takesDefault(of: field.type) ?? true,
                let text = MySQLLiteral.text(literal, for: field.type, declared, flavor)
            {
                line += " DEFAULT \(text)"
            } else {
                omissions.append("the default of column \(column.name) is left out")
            }
        }
        if let comment = column.comment { line += " COMMENT \(MySQLQuoting.literal(comment))" }
        return line
    }

    private func note(
        _ column: TableDefinition.Column, _ field: Field, _ declared: String,
        _ omissions: inout [String]
    ) {
        guard !(declarations.isSameEngine && declared == field.declared),
            field.targetDeclaration == nil
        else { return }
        switch field.type {
        case .any:
            omissions.append(
                "column \(column.name) holds more than one kind of value and becomes JSON")
        case .enumeration, .set:
            omissions.append("column \(column.name) becomes text, without its list of labels")
        case .serverText:
            omissions.append("column \(column.name) (\(field.declared)) becomes text")
        case .numberText:
            omissions.append("column \(column.name) becomes text, because its numbers have no end")
        case .timestamp:
            omissions.append("column \(column.name) becomes a datetime in UTC")
        case .json where flavor.hasJSONType:
            omissions.append(
                "column \(column.name) becomes text, because JSON would be written anew")
        default: break
        }
        // What the source itself ends there or earlier loses nothing.
        if let length = lengths[field.name], declared.hasSuffix("(\(length))"),
            declarations.declaration(for: field) != declared
        {
            let unit = field.type == .bytes ? "bytes" : "characters"
            omissions.append(
                "column \(column.name) is part of a key and takes at most \(length) \(unit)")
        }
    }

    private func userType(_ field: Field) -> MySQLUserType? {
        field.targetDeclaration.flatMap { MySQLUserType($0, flavor) }
    }

    /// A column numbers itself where a key begins with it.
    private func isCounted(_ column: TableDefinition.Column) -> Bool {
        guard column.isIdentity, let field = field(column.name),
            [.int32, .int64, .uint64].contains(field.type)
        else { return false }
        if let type = userType(field) {
            guard case .integer = type.storage else { return false }
        }
        return hasPrimaryKey && definition.primaryKey.first == column.name
            && definition.columns.first(where: \.isIdentity)?.name == column.name
    }

    /// A key whose columns may be NULL is none here.
    var hasPrimaryKey: Bool {
        !definition.primaryKey.isEmpty
            && definition.primaryKey.allSatisfy { field($0)?.isNullable == false }
    }
}

/// What is made behind the rows.
extension MySQLSchemaBuilder {
    /// The keys that can be made, and the names of those that cannot.
    func keys() -> (keys: [MySQLTableText.Key], left: [Name]) {
        var taken: Set<Name> = ["primary", "sluice_key"]
        var keys: [MySQLTableText.Key] = []
        var left: [Name] = []
        for index in definition.indexes {
            guard index.columns.allSatisfy({ field($0) != nil }) else {
                left.append(index.name)
                continue
            }
            let name = MySQLNames.free(index.name, &taken)
            let columns = index.columns.map { column in
                column.quoted + prefix(of: column, in: index)
            }
            let word = index.isUnique ? "UNIQUE KEY" : "KEY"
            keys.append(
                MySQLTableText.Key(
                    name: name,
                    sql: "\(word) \(name.quoted) (\(columns.joined(separator: ", ")))",
                    isFulltext: false))
        }
        return (keys, left)
    }

    private func prefix(of column: Name, in index: TableDefinition.Index) -> String {
        guard !index.isUnique, lengths[column] == nil, let field = field(column),
            MySQLSchemaBuilder.isLong(field)
        else { return "" }
        let declared = declarations.declaration(for: field)
        guard declared.hasSuffix("text") || declared.hasSuffix("blob") || declared == "json"
        else { return "" }
        return "(\(max(1, MySQLSchemaBuilder.prefixLength / index.columns.count)))"
    }

    /// - Parameter taken: the names of the database's foreign keys.
    func foreignKeys(_ taken: inout Set<Name>) -> [(MySQLTableText.ForeignKey, TableName)] {
        var number = 0
        return definition.foreignKeys.compactMap { key in
            guard problem(of: key) == nil else { return nil }
            number += 1
            let own = MySQLNames.free(key.name ?? Name("\(name)_fk\(number)"), &taken)
            var sql =
                "CONSTRAINT \(own.quoted) FOREIGN KEY (\(list(key.columns)))"
                + " REFERENCES \(key.table.table.quoted) (\(list(otherColumns(of: key))))"
            let deletion = MySQLSchemaBuilder.action(key.onDelete)
            let update = MySQLSchemaBuilder.action(key.onUpdate)
            if deletion != "NO ACTION" { sql += " ON DELETE \(deletion)" }
            if update != "NO ACTION" { sql += " ON UPDATE \(update)" }
            let made = MySQLTableText.ForeignKey(name: own, sql: sql, other: key.table)
            return (made, key.table)
        }
    }

    private func otherColumns(of key: TableDefinition.ForeignKey) -> [Name] {
        key.otherColumns.isEmpty
            ? tables[key.table]?.definition.primaryKey ?? [] : key.otherColumns
    }

    /// Why a foreign key cannot be made here; nothing where it can.
    private func problem(of key: TableDefinition.ForeignKey) -> String? {
        guard let other = tables[key.table] else { return " with that table" }
        let columns = otherColumns(of: key)
        let isUnique =
            other.definition.primaryKey == columns
            || other.definition.indexes.contains { $0.isUnique && $0.columns == columns }
        guard isUnique, columns.count == key.columns.count else {
            return ": the columns it points to are not unique"
        }
        for (own, its) in zip(key.columns, columns) {
            let match = other.schema.fields.first { !$0.isRowid && $0.name == its }
            guard let mine = field(own), let match, isAlike(mine, match) else {
                return ": column \(own) has another type than the one it points to"
            }
        }
        guard ![key.onDelete, key.onUpdate].contains("SET DEFAULT") else {
            return ": InnoDB has no SET DEFAULT"
        }
        return nil
    }

    /// Whether the server lets one point to the other.
    private func isAlike(_ left: Field, _ right: Field) -> Bool {
        guard left.targetDeclaration == nil, right.targetDeclaration == nil else {
            return declarations.declaration(for: left) == declarations.declaration(for: right)
        }
        return left.type == right.type
            && (!declarations.isSameEngine || left.declared == right.declared)
    }

    private static func action(_ text: String) -> String {
        ["CASCADE", "SET NULL", "RESTRICT"].contains(text) ? text : "NO ACTION"
    }
}

/// Names as MySQL has them: without case, of at most 64 characters of the first plane.
enum MySQLNames {
    static func free(_ name: Name, _ taken: inout Set<Name>) -> Name {
        var base = cut(name, to: 64)
        if base.utf8.isEmpty { base = "key" }
        if taken.insert(Name(base.text.lowercased())).inserted { return base }
        var number = 2
        while true {
            let candidate = Name(cut(base, to: 56).text + "_\(number)")
            if taken.insert(Name(candidate.text.lowercased())).inserted { return candidate }
            number += 1
        }
    }

    private static func cut(_ name: Name, to limit: Int) -> Name {
        var text = String.UnicodeScalarView()
        for scalar in name.text.unicodeScalars.prefix(limit) {
            text.append(scalar.value > 0xFFFF || scalar.value == 0 ? "_" : scalar)
        }
        while text.last == " " { text.removeLast() }
        return Name(String(text))
    }

    /// Why a table or column cannot be called so; nothing where it can.
    static func problem(_ name: Name) -> String? {
        if name.utf8.isEmpty { return "an empty name" }
        let scalars = name.text.unicodeScalars
        if scalars.count > 64 { return "a name of more than 64 characters" }
        if scalars.last == " " { return "a name that ends in a blank" }
        if scalars.contains(where: { $0.value > 0xFFFF || $0.value == 0 }) {
            return "a name with characters that MySQL has not in names"
        }
        return nil
    }
}

/// A default's literal, which comes from the dataset and must not say anything but a value.
enum MySQLLiteral {
    /// The literal as MySQL writes it; nothing where it is none, or not one of the type.
    ///
    /// - Parameter literal: as standard SQL has it, in which a backslash is no escape.
    static func text(
        _ literal: String, for type: ColumnType, _ declared: String, _ flavor: MySQLFlavor
    ) -> String? {
        let bytes = Array(literal.utf8)
        guard let first = bytes.first, !bytes.contains(0) else { return nil }
        let lower = literal.lowercased()
        if lower == "null" { return "NULL" }
        let isLong =
            declared.hasSuffix("text") || declared.hasSuffix("blob") || declared == "json"
        switch type {
        case .boolean:
            if ["1", "true"].contains(lower) { return "1" }
            return ["0", "false"].contains(lower) ? "0" : nil
        case .int32, .int64, .uint64, .float32, .float64, .decimal:
            return isNumber(bytes) ? literal : nil
        case .bytes:
            guard first | 0x20 == UInt8(ascii: "x"), isString(bytes.dropFirst()),
                Hexadecimal.bytes(String(literal.dropFirst(2).dropLast()).lowercased()) != nil
            else { return nil }
            return expression("x\(literal.dropFirst())", isLong, flavor)
        case .text, .enumeration, .set, .serverText, .numberText:
            var text = literal
            if isNumber(bytes) {
                text = "'\(literal)'"
            } else {
                guard isString(bytes[...]) else { return nil }
            }
            return expression(text.replacing("\\", with: "\\\\"), isLong, flavor)
        case .date, .time, .localTimestamp, .uuid:
            return isString(bytes[...]) && isForm(bytes, of: type) ? literal : nil
        default: return nil
        }
    }

    /// Whether a string is a value as it is printed.
    private static func isForm(_ literal: [UInt8], of type: ColumnType) -> Bool {
        Array(literal.dropFirst().dropLast()).withUnsafeBytes { text in
            switch type {
            case .date:
                CalendarText.parseDate(text).map { (-719_528...2_932_896).contains($0) } ?? false
            case .time:
                CalendarText.parseTime(text).map { abs($0) <= RecordValidator.timeLimit } ?? false
            case .localTimestamp:
                CalendarText.parseTimestamp(text, isUTC: false).map {
                    (-62_167_219_200_000_000..<253_402_300_800_000_000).contains($0)
                } ?? false
            default: RecordValidator.isUUID(text)
            }
        }
    }

    /// MySQL has defaults of large texts only as expressions.
    private static func expression(
        _ text: String, _ isLong: Bool, _ flavor: MySQLFlavor
    ) -> String {
        isLong && !flavor.isMariaDB ? "(\(text))" : text
    }

    private static func isString(_ bytes: ArraySlice<UInt8>) -> Bool {
        let quote = UInt8(ascii: "'")
        guard bytes.count >= 2, bytes.first == quote, bytes.last == quote else { return false }
        var isOpen = false
        for byte in bytes.dropFirst().dropLast() {
            if byte == quote { isOpen.toggle() } else if isOpen { return false }
        }
        return !isOpen
    }

    private static func isNumber(_ bytes: [UInt8]) -> Bool {
        let digits = bytes.first == UInt8(ascii: "-") ? bytes.dropFirst() : bytes[...]
        guard let first = digits.first, let last = digits.last, isDigit(first), isDigit(last),
            digits.count <= 60
        else { return false }
        return digits.allSatisfy { isDigit($0) || $0 == UInt8(ascii: ".") }
            && digits.count { $0 == UInt8(ascii: ".") } <= 1
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
}
