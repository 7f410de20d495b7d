internal import SluiceCore
internal import SluiceRecords

/// One column of a table.
struct MySQLColumn: Sendable {
    var name: Name
    /// `COLUMN_TYPE`.
    var declared: String
    var value: MySQLColumnType
    var isNullable: Bool
    /// Computed from others, or by the server for each version of a row; not stored in records.
    var isGenerated: Bool
    var isIdentity: Bool
    var isInvisible: Bool
    var characterSet: String?
    var collation: String?
    /// A literal that every engine understands.
    var defaultLiteral: String?
    /// There is a default, and it is no such literal.
    var hasOtherDefault: Bool
    var comment: String?

    /// What stands for it in a select list.
    var selected: String { value.selected(name) }
}

/// One part of an index.
struct MySQLIndexPart: Hashable, Sendable {
    /// Nothing: an expression.
    var column: Name?
    /// Only so many characters of the column's values are in the index.
    var prefix: Int?
    var isDescending: Bool
}

struct MySQLIndex: Hashable, Sendable {
    var name: Name
    var parts: [MySQLIndexPart]
    var isUnique: Bool
    /// `BTREE`, `HASH`, `FULLTEXT`, `SPATIAL`, `RTREE`.
    var kind: String
    /// The server was told to make no use of it.
    var isIgnored = false

    var isPrimary: Bool { name == "PRIMARY" }

    /// The columns, where it is of whole columns and kept in order.
    var plainColumns: [Name]? {
        guard kind == "BTREE" || kind == "HASH" else { return nil }
        let names = parts.compactMap { $0.prefix == nil ? $0.column : nil }
        return names.count == parts.count ? names : nil
    }
}

/// One table with rows of its own.
struct MySQLTable: Sendable {
    var name: TableName
    var engine: String
    /// Whether its rows are in snapshots.
    var isTransactional: Bool
    var isPartitioned: Bool
    /// It keeps the former versions of its rows.
    var isVersioned: Bool
    /// By the server's statistics, without indexes.
    var byteCount: Int
    var rowCount: Int
    var columns: [MySQLColumn] = []
    /// The primary key first, where there is one.
    var indexes: [MySQLIndex] = []
    var foreignKeys: [TableDefinition.ForeignKey] = []
    var omissions: [String] = []
    var comment: String?
    /// Of a versioned table: the columns that say from when to when a version was the row.
    var period: Period?

    struct Period: Hashable, Sendable {
        var start: Name
        var end: Name
    }

    /// The table with all versions of its rows, as FROM has it.
    var source: String {
        isVersioned ? "\(name.quoted) FOR SYSTEM_TIME ALL" : name.quoted
    }

    var storedColumns: [MySQLColumn] { columns.filter { !$0.isGenerated } }

    func column(_ name: Name) -> MySQLColumn? { columns.first { $0.name == name } }

    var primaryKey: [Name] {
        guard let index = indexes.first, index.isPrimary else { return [] }
        return unique(index.parts.compactMap(\.column))
    }

    /// Versions of one row differ in when they ended.
    private func unique(_ key: [Name]) -> [Name] {
        guard let period, !key.contains(period.end) else { return key }
        return key + [period.end]
    }

    /// The columns of records, in the table's order.
    var schema: RecordSchema {
        let stored = storedColumns
        let avroNames = AvroNames.make(for: stored.map(\.name))
        let fields = zip(stored, avroNames).map { column, avroName in
            Field(
                name: column.name, avroName: avroName, type: column.value.type,
                isNullable: column.isNullable, declared: column.declared)
        }
        return RecordSchema(table: name, fields: fields)
    }

    var definition: TableDefinition {
        let columns = columns.map { column in
            TableDefinition.Column(
                name: column.name, declared: column.declared, isNullable: column.isNullable,
                defaultLiteral: column.isGenerated ? nil : column.defaultLiteral,
                isGenerated: column.isGenerated, isIdentity: column.isIdentity,
                comment: column.comment)
        }
        var omissions = omissions
        var plain: [TableDefinition.Index] = []
        for index in indexes where !index.isPrimary {
            if let names = index.plainColumns {
                plain.append(
                    TableDefinition.Index(
                        name: index.name, columns: index.isUnique ? unique(names) : names,
                        isUnique: index.isUnique))
            } else {
                omissions.append("index \(index.name)")
            }
        }
        for column in self.columns where column.hasOtherDefault {
            omissions.append("the default of \(column.name), an expression")
        }
        return TableDefinition(
            columns: columns, primaryKey: primaryKey, indexes: plain, foreignKeys: foreignKeys,
            omissions: omissions)
    }
}
