internal import SluiceCore
internal import SluiceRecords

/// One column of a table, dropped ones left out.
struct PostgresColumn: Sendable {
    var name: Name
    var declared: String
    var value: PostgresColumnType
    var isNullable: Bool
    /// Computed from others, and not stored in records.
    var isGenerated: Bool
    var isIdentity: Bool
    /// The default as the server prints it.
    var defaultText: String?
    var comment: String?

    /// What stands for it in a select list.
    var selected: String { value.before + name.quoted + value.after }
}

/// One table with rows of its own.
struct PostgresTable: Sendable {
    var oid: Int
    var name: TableName
    var columns: [PostgresColumn] = []
    /// 8 KiB blocks of the table itself.
    var blockCount: Int
    /// With what is stored beside it, without indexes.
    var byteCount: Int
    var rowCount: Int
    /// Whether its rows can be read by ranges of blocks, and without reading the others.
    var hasBlockRanges: Bool
    /// Its rows are in no change log and on no standby.
    var isUnlogged: Bool
    /// Whether changes name the row they are about.
    var hasReplicaIdentity: Bool
    var primaryKey: [Name] = []
    var indexes: [TableDefinition.Index] = []
    var foreignKeys: [TableDefinition.ForeignKey] = []
    var omissions: [String] = []

    var storedColumns: [PostgresColumn] { columns.filter { !$0.isGenerated } }

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
                defaultLiteral: column.isGenerated
                    ? nil : column.defaultText.flatMap(PostgresDefault.literal),
                isGenerated: column.isGenerated, isIdentity: column.isIdentity,
                comment: column.comment)
        }
        return TableDefinition(
            columns: columns, primaryKey: primaryKey, indexes: indexes, foreignKeys: foreignKeys,
            omissions: omissions + defaultOmissions)
    }

    private var defaultOmissions: [String] {
        columns.compactMap { column in
            guard let text = column.defaultText, !column.isGenerated, !column.isIdentity,
                PostgresDefault.literal(text) == nil
            else { return nil }
            return "the default of \(column.name), an expression"
        }
    }
}

/// Defaults as the server prints them: `'a'::text`, `42`, `'-1'::integer`, `now()`.
enum PostgresDefault {
    /// The literal that every engine understands; nothing for expressions.
    static func literal(_ text: String) -> String? {
        var bytes = Array(text.utf8)
        switch text {
        case "true": return "1"
        case "false": return "0"
        default: break
        }
        if text.hasPrefix("NULL::") { return "NULL" }
        if isNumber(bytes) { return text }
        guard bytes.first == UInt8(ascii: "'") else { return nil }
        var end = 1
        while end < bytes.count {
            if bytes[end] == UInt8(ascii: "'") {
                guard end + 1 < bytes.count, bytes[end + 1] == UInt8(ascii: "'") else { break }
                end += 1
            }
            end += 1
        }
        guard end < bytes.count, bytes.count > end + 2, bytes[end + 1] == UInt8(ascii: ":"),
            bytes[end + 2] == UInt8(ascii: ":")
        else { return nil }
        let type = String(decoding: bytes[(end + 3)...], as: UTF8.self)
        bytes.removeSubrange((end + 1)...)
        let inner = bytes.dropFirst().dropLast()
        if numeric.contains(type) || type.hasPrefix("numeric(") {
            return isNumber(Array(inner)) ? String(decoding: inner, as: UTF8.self) : nil
        }
        let isText = textual.contains { type == $0 || type.hasPrefix("\($0)(") }
        return isText ? String(decoding: bytes, as: UTF8.self) : nil
    }

    private static let numeric: Set<String> = [
        "integer", "bigint", "smallint", "numeric", "real", "double precision",
    ]
    private static let textual = [
        "text", "character varying", "character", "bpchar", "date", "uuid", "json", "jsonb",
    ]

    private static func isNumber(_ bytes: [UInt8]) -> Bool {
        let digits = bytes.first == UInt8(ascii: "-") ? bytes.dropFirst() : bytes[...]
        guard let first = digits.first, (0x30...0x39).contains(first) else { return false }
        return digits.allSatisfy { (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") }
            && digits.count { $0 == UInt8(ascii: ".") } <= 1
    }
}
