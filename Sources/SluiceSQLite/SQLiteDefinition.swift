internal import SluiceCore
internal import SluiceRecords

/// A table in words every engine has, from what the file's catalogue and its SQL say.
struct SQLiteDefinition {
    private let table: SQLiteTable
    private let catalog: SQLiteCatalog
    private let connection: SQLiteConnection
    private var omissions: [String] = []

    /// What `table` is; `catalog` knows the names its foreign keys mean.
    static func read(
        _ table: SQLiteTable, in catalog: SQLiteCatalog, on connection: SQLiteConnection
    ) throws(Failure) -> TableDefinition {
        var reader = SQLiteDefinition(table, catalog, connection)
        return try reader.read()
    }

    private init(
        _ table: SQLiteTable, _ catalog: SQLiteCatalog, _ connection: SQLiteConnection
    ) {
        self.table = table
        self.catalog = catalog
        self.connection = connection
    }

    private mutating func read() throws(Failure) -> TableDefinition {
        let columns = table.columns.map { describe($0) }
        let indexes = try indexes()
        let foreignKeys = try foreignKeys()
        noteWords()
        let key = table.columns.filter { $0.keyPlace > 0 }.sorted { $0.keyPlace < $1.keyPlace }
        return TableDefinition(
            columns: columns, primaryKey: key.map(\.name), indexes: indexes,
            foreignKeys: foreignKeys, omissions: omissions)
    }

    private mutating func describe(_ column: SQLiteColumn) -> TableDefinition.Column {
        let literal = column.defaultText.flatMap(SQLiteDefinition.literal)
        if column.defaultText != nil, literal == nil, !column.isGenerated {
            omissions.append("the default expression of column \(column.name)")
        }
        if column.isGenerated { omissions.append("the expression of column \(column.name)") }
        if let collation = column.collation {
            omissions.append("the collation \(collation) of column \(column.name)")
        }
        let isRowid =
            table.key.form == .rowid && !table.key.isHidden
            && column.name == table.key.parts[0].name
        return TableDefinition.Column(
            name: column.name, declared: column.declared,
            isNullable: !column.isNotNull && !isRowid, defaultLiteral: literal,
            isGenerated: column.isGenerated, isIdentity: column.isAutoincrement)
    }

    /// The DEFAULT as one literal; nothing where it is an expression.
    static func literal(_ text: String) -> String? {
        let tokens = SQLiteTokens.all(of: text)
        switch tokens.count {
        case 1:
            switch tokens[0] {
            case .number(let number): return number
            case .string(let string): return string
            case .blob(let blob): return blob
            // What SQLite reads as a string where no column of that name can be meant.
            case .quoted(let name): return name.literal
            case .word("NULL"): return "NULL"
            case .word("TRUE"): return "1"
            case .word("FALSE"): return "0"
            default: return nil
            }
        case 2:
            guard case .symbol(let sign) = tokens[0], case .number(let number) = tokens[1] else {
                return nil
            }
            if sign == UInt8(ascii: "-") { return "-" + number }
            return sign == UInt8(ascii: "+") ? number : nil
        default: return nil
        }
    }

    private mutating func indexes() throws(Failure) -> [TableDefinition.Index] {
        struct Listed {
            var name: Name
            var isUnique: Bool
            var isConstraint: Bool
            var isPartial: Bool
        }
        var listed: [Listed] = []
        let rows = try connection.prepare("PRAGMA main.index_list(\(table.name.quoted))")
        while try rows.step() {
            let origin = rows.string(3)
            let name = try rows.name(1, of: "an index of \(table.name)")
            if origin == "pk" || name.isSluice { continue }
            listed.append(
                Listed(
                    name: name, isUnique: rows.integer(2) != 0, isConstraint: origin == "u",
                    isPartial: rows.integer(4) != 0))
        }
        var indexes: [TableDefinition.Index] = []
        // SQLite lists the youngest first.
        for index in listed.reversed() {
            let name =
                index.isConstraint
                ? Name("\(table.name)_unique_\(indexes.count + 1)") : index.name
            if index.isPartial {
                omissions.append("the partial index \(name)")
            } else if let columns = try columns(of: index.name, shownAs: name) {
                indexes.append(
                    TableDefinition.Index(name: name, columns: columns, isUnique: index.isUnique))
            }
        }
        return indexes
    }

    /// The plain columns of an index; nothing, and an omission, where it is more than that.
    private mutating func columns(
        of index: Name, shownAs name: Name
    ) throws(Failure) -> [Name]? {
        var columns: [Name] = []
        var isDescending = false
        let rows = try connection.prepare("PRAGMA main.index_xinfo(\(index.quoted))")
        while try rows.step() {
            guard rows.integer(5) == 1 else { continue }
            guard rows.integer(1) >= 0 else {
                omissions.append("the index \(name) on an expression")
                return nil
            }
            let collation = try rows.name(4, of: "a collation of \(table.name)")
            guard collation.folded == "binary" else {
                omissions.append("the index \(name) with the collation \(collation)")
                return nil
            }
            columns.append(try rows.name(2, of: "a column of \(table.name)"))
            if rows.integer(3) != 0 { isDescending = true }
        }
        if isDescending { omissions.append("the descending order of the index \(name)") }
        return columns
    }

    private func foreignKeys() throws(Failure) -> [TableDefinition.ForeignKey] {
        var keys: [Int64: TableDefinition.ForeignKey] = [:]
        let rows = try connection.prepare("PRAGMA main.foreign_key_list(\(table.name.quoted))")
        while try rows.step() {
            let id = rows.integer(0)
            let written = try rows.name(2, of: "the table of a foreign key of \(table.name)")
            let other = catalog.tables[folded: written]
            var key =
                keys[id]
                ?? TableDefinition.ForeignKey(
                    columns: [], table: TableName(other?.name ?? written), otherColumns: [],
                    onDelete: rows.string(6) ?? "NO ACTION", onUpdate: rows.string(5) ?? "NO ACTION"
                )
            key.columns.append(try rows.name(3, of: "a foreign key of \(table.name)"))
            if rows.kind(4) != .null {
                let column = try rows.name(4, of: "a foreign key of \(table.name)")
                let actual = other?.columns.first { $0.name.folded == column.folded }
                key.otherColumns.append(actual?.name ?? column)
            }
            keys[id] = key
        }
        // SQLite lists the youngest first.
        return keys.sorted { $0.key > $1.key }.map(\.value)
    }

    /// What only the table's own SQL says.
    private mutating func noteWords() {
        guard let object = catalog.objects.first(where: { $0.name == table.name }) else { return }
        let tokens = SQLiteTokens.all(of: object.sql)
        let checks = tokens.count { $0 == .word("CHECK") }
        if checks > 0 {
            omissions.append(checks == 1 ? "a CHECK constraint" : "\(checks) CHECK constraints")
        }
        if tokens.contains(.word("DEFERRABLE")) {
            omissions.append("when deferred foreign keys are checked")
        }
        if tokens.contains(.word("CONFLICT")) {
            omissions.append("what happens on conflict")
        }
    }
}

extension Dictionary where Key == Name {
    /// The value under this name as SQLite compares names.
    subscript(folded name: Name) -> Value? {
        self[name] ?? first { $0.key.folded == name.folded }?.value
    }
}
