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
    /// It says from when or to when a version was the row.
    let isPeriod: Bool
    /// Of text; nothing elsewhere.
    var characterSet: String?
    var collation: String?
    /// How many bytes a text may have in its own character set.
    var octets: Int?
}

extension MySQLTargetColumn {
    /// A column of a versioned table that is there and nowhere listed.
    init(ofHiddenPeriod name: Name) {
        self.init(
            name: name, declared: "timestamp(6)", storage: .timestamp(digits: 6),
            selected: name.quoted, reading: .dateTime, isNotNull: true, hasDefault: true,
            isGenerated: false, isCounted: false, isPeriod: true)
    }
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
    var isVersioned: Bool { kind == "SYSTEM VERSIONED" }

    /// The table with all versions of its rows, as FROM has it.
    var source: String { isVersioned ? "\(name.quoted) FOR SYSTEM_TIME ALL" : name.quoted }

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
        var columns = try columns(of: name, on: connection)
        if found.text(row, 1) == "SYSTEM VERSIONED", !columns.contains(where: \.isPeriod) {
            columns += ["row_start", "row_end"].map(MySQLTargetColumn.init(ofHiddenPeriod:))
        }
        return MySQLTargetTable(
            name: try found.name(row, 0), kind: found.text(row, 1),
            engine: found.optionalText(row, 2), isTransactional: found.text(row, 3) == "YES",
            columns: columns)
    }

    private static func columns(
        of name: TableName, on connection: MySQLConnection
    ) throws(Failure) -> [MySQLTargetColumn] {
        let found = try connection.query(
            """
            SELECT COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, CHARACTER_MAXIMUM_LENGTH,
                NUMERIC_PRECISION, NUMERIC_SCALE, DATETIME_PRECISION, CHARACTER_SET_NAME,
                COLLATION_NAME, IS_NULLABLE, COLUMN_DEFAULT IS NOT NULL, EXTRA,
                COALESCE(GENERATION_EXPRESSION, '') <> '',
                COALESCE(GENERATION_EXPRESSION, '') IN ('ROW START', 'ROW END'),
                CHARACTER_OCTET_LENGTH
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
                    selected: value?.selected(name) ?? name.quoted,
                    reading: value?.reading ?? .text,
                    isNotNull: found.text(row, 9) == "NO", hasDefault: found.integer(row, 10) == 1,
                    isGenerated: found.integer(row, 12) == 1 && found.integer(row, 13) == 0
                        && !extra.contains("DEFAULT_GENERATED"),
                    isCounted: extra.contains("AUTO_INCREMENT"),
                    isPeriod: found.integer(row, 13) == 1,
                    characterSet: found.optionalText(row, 7),
                    collation: found.optionalText(row, 8),
                    octets: found.optionalText(row, 14).flatMap { Int($0) }))
        }
        return columns
    }

    /// Whether it has no row.
    static func isEmpty(
        _ name: TableName, on connection: MySQLConnection
    ) throws(Failure) -> Bool {
        let isVersioned =
            try connection.integer(
                """
                SELECT TABLE_TYPE = 'SYSTEM VERSIONED' FROM information_schema.TABLES
                WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = \(name.table.literal)
                """) == 1
        let source = name.table.quoted + (isVersioned ? " FOR SYSTEM_TIME ALL" : "")
        return try connection.query("SELECT 1 FROM \(source) LIMIT 1").rowCount == 0
    }

    /// Takes all rows out, former versions included.
    static func empty(_ name: Name, on connection: MySQLConnection) throws(Failure) {
        do throws(Failure) {
            try connection.execute("TRUNCATE TABLE \(name.quoted)")
        } catch  where error.code == "4137" {
            try connection.execute("DELETE FROM \(name.quoted)")
            try connection.execute("DELETE HISTORY FROM \(name.quoted)")
        }
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
        case "float": self = .float32(places: words.contains("(") ? scale : nil)
        case "double": self = .float64(places: words.contains("(") ? scale : nil)
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

    /// Whether one of an ENUM's or SET's labels is the empty one.
    static func hasEmptyLabel(_ type: String) -> Bool {
        let bytes = Array(type.utf8)
        var place = bytes.firstIndex(of: UInt8(ascii: "(")) ?? bytes.count
        while place < bytes.count {
            guard bytes[place] == UInt8(ascii: "'") else {
                place += 1
                continue
            }
            guard let end = MySQLTokens.stringEnd(bytes, place) else { return false }
            if end == place + 2 { return true }
            place = end
        }
        return false
    }
}
