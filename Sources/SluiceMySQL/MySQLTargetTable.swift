internal import SluiceCore
internal import SluiceRecords

/// A column of a table in a target.
struct MySQLTargetColumn: Sendable {
    let name: Name
    /// As the server prints its type.
    let declared: String
    let storage: MySQLStorage
    /// How its values are asked for, and what they are when they come.
    let selected: String
    let reading: MySQLReading
    let isNotNull: Bool
    let hasDefault: Bool
    let isGenerated: Bool
    let isCounted: Bool
}

/// A table of a target as its catalogue shows it.
struct MySQLTargetTable: Sendable {
    let name: Name
    /// `BASE TABLE`, `VIEW`, `SEQUENCE`, `SYSTEM VERSIONED`.
    let kind: String
    /// Nothing where the table cannot be opened.
    let engine: String?
    let isTransactional: Bool
    let columns: [MySQLTargetColumn]

    var isTable: Bool { kind == "BASE TABLE" || kind == "SYSTEM VERSIONED" }

    func column(_ name: Name) -> MySQLTargetColumn? {
        // The server's own way with the names of columns: without case.
        columns.first { $0.name == name }
            ?? columns.first { $0.name.text.lowercased() == name.text.lowercased() }
    }

    /// Nothing where there is no table, view or sequence of that name.
    static func find(
        _ name: TableName, on connection: MySQLConnection
    ) throws(Failure) -> MySQLTargetTable? {
        let found = try connection.query(
            """
            SELECT t.TABLE_NAME, t.TABLE_TYPE, t.ENGINE, e.TRANSACTIONS
            FROM information_schema.TABLES AS t
            LEFT JOIN information_schema.ENGINES AS e ON e.ENGINE = t.ENGINE
            WHERE t.TABLE_SCHEMA = DATABASE() AND t.TABLE_NAME = \(name.table.literal)
            """)
        guard let row = found.rows.first else { return nil }
        return MySQLTargetTable(
            name: try found.name(row, 0), kind: found.text(row, 1),
            engine: found.optionalText(row, 2), isTransactional: found.text(row, 3) == "YES",
            columns: try columns(of: name, on: connection))
    }

    private static func columns(
        of name: TableName, on connection: MySQLConnection
    ) throws(Failure) -> [MySQLTargetColumn] {
        let found = try connection.query(
            """
            SELECT COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, CHARACTER_MAXIMUM_LENGTH,
                NUMERIC_PRECISION, NUMERIC_SCALE, DATETIME_PRECISION, CHARACTER_SET_NAME,
                COLLATION_NAME, IS_NULLABLE, COLUMN_DEFAULT IS NOT NULL, EXTRA,
                COALESCE(GENERATION_EXPRESSION, '') <> ''
            FROM information_schema.COLUMNS
            WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = \(name.table.literal)
            ORDER BY ORDINAL_POSITION
            """)
        var columns: [MySQLTargetColumn] = []
        for row in found.rows {
            let extra = found.text(row, 11).uppercased()
            let type = found.text(row, 2)
            let storage = MySQLStorage(
                dataType: found.text(row, 1).lowercased(), type: type,
                length: found.optionalText(row, 3).flatMap { Int($0) },
                precision: found.optionalText(row, 4).flatMap { Int($0) },
                scale: found.optionalText(row, 5).flatMap { Int($0) },
                digits: found.optionalText(row, 6).flatMap { Int($0) },
                characterSet: found.optionalText(row, 7))
            let name = try found.name(row, 0)
            let value = MySQLColumnType(
                MySQLColumnType.Description(
                    name: found.text(row, 1).lowercased(), declared: type,
                    characterSet: found.optionalText(row, 7), precision: found.integer(row, 4),
                    scale: found.isNull(row, 5) ? nil : found.integer(row, 5)))
            columns.append(
                MySQLTargetColumn(
                    name: name, declared: type, storage: storage,
                    selected: (value?.before ?? "") + name.quoted + (value?.after ?? ""),
                    reading: value?.reading ?? .text,
                    isNotNull: found.text(row, 9) == "NO", hasDefault: found.integer(row, 10) == 1,
                    isGenerated: found.integer(row, 12) == 1
                        && !extra.contains("DEFAULT_GENERATED"),
                    isCounted: extra.contains("AUTO_INCREMENT")))
        }
        return columns
    }

    /// Whether it has no row.
    static func isEmpty(
        _ name: TableName, on connection: MySQLConnection
    ) throws(Failure) -> Bool {
        try connection.query("SELECT 1 FROM \(name.table.quoted) LIMIT 1").rowCount == 0
    }
}

extension MySQLStorage {
    /// From what `information_schema` says of a column.
    init(
        dataType: String, type: String, length: Int?, precision: Int?, scale: Int?, digits: Int?,
        characterSet: String?
    ) {
        let words = type.lowercased()
        let isUnsigned = words.contains("unsigned")
        switch dataType {
        case "tinyint": self = .integer(bits: 8, isUnsigned: isUnsigned)
        case "smallint": self = .integer(bits: 16, isUnsigned: isUnsigned)
        case "mediumint": self = .integer(bits: 24, isUnsigned: isUnsigned)
        case "int": self = .integer(bits: 32, isUnsigned: isUnsigned)
        case "bigint": self = .integer(bits: 64, isUnsigned: isUnsigned)
        case "float": self = .float32(isFixed: words.contains("("))
        case "double": self = .float64(isFixed: words.contains("("))
        case "decimal": self = .decimal(precision: precision ?? 10, scale: scale ?? 0)
        case "bit": self = .bits(precision ?? 1)
        case "year": self = .year
        case "date": self = .date
        case "time": self = .time(digits: digits ?? 0)
        case "timestamp": self = .timestamp(digits: digits ?? 0)
        case "datetime": self = .dateTime(digits: digits ?? 0)
        case "char": self = .text(characters: length, bytes: nil, isPadded: true)
        case "varchar": self = .text(characters: length, bytes: nil, isPadded: false)
        case "tinytext", "text", "mediumtext", "longtext":
            // Its limit counts bytes in the column's own character set.
            let isUTF8 = characterSet?.hasPrefix("utf8") ?? false
            self = .text(characters: nil, bytes: isUTF8 ? length : nil, isPadded: false)
        case "binary": self = .bytes(limit: length, isPadded: true)
        case "varbinary", "tinyblob", "blob", "mediumblob", "longblob":
            self = .bytes(limit: length, isPadded: false)
        case "enum": self = .label(MySQLLabels(type))
        case "set": self = .labels(MySQLLabels(type))
        case "json": self = .json
        case "uuid": self = .uuid
        case "inet4": self = .inet4
        case "inet6": self = .inet6
        case "geometry", "point", "linestring", "polygon", "multipoint", "multilinestring",
            "multipolygon", "geometrycollection", "geomcollection":
            self = .geometry
        default: self = .other
        }
    }
}
