internal import SluiceCore
internal import SluiceRecords

/// How the text of a column's values becomes a field, decided once per column.
enum MySQLReading: Hashable, Sendable {
    /// Signed, up to 64 bits; zeros in front are nothing.
    case integer
    /// Up to 2^64 − 1.
    case unsigned
    case float32
    case float64
    case decimal(scale: Int)
    /// A decimal with more digits than a decimal field has.
    case number
    /// Bytes that the server has made UTF-8 itself.
    case text
    /// Bytes as they are stored, which should be UTF-8.
    case storedText
    /// A label, or the code of what is none beside a label ''.
    case label
    case bytes
    /// The last so many bits of as many bytes as they need.
    case bits(count: Int)
    case date
    case time
    /// DATETIME and TIMESTAMP.
    case dateTime
    /// Two digits mean 1970 to 2069.
    case year
}

/// What a column's values are in a record, and how they are asked for.
struct MySQLColumnType: Hashable, Sendable {
    var type: ColumnType
    var reading: MySQLReading
    /// What is around the column in the select list; `""` and `""`: nothing.
    var before = ""
    var after = ""
    /// What must be looked at beside the value, because its text does not tell.
    var guardian = MySQLGuard.none

    private init(_ type: ColumnType, _ reading: MySQLReading) {
        self.type = type
        self.reading = reading
    }

    /// As `information_schema.COLUMNS` describes a column.
    struct Description {
        /// `DATA_TYPE`: `int`.
        var name: String
        /// `COLUMN_TYPE`: `int(10) unsigned`.
        var declared: String
        var characterSet: String?
        var precision: Int
        /// Nothing for a FLOAT or DOUBLE without a declared number of decimal places.
        var scale: Int?
        /// A CHECK says that it is valid JSON, which is what MariaDB makes of JSON.
        var isJSON = false

        /// The declaration with what belongs to it; `json` where that is what was written.
        func shown(collation: String?) -> String {
            if isJSON { return "json" }
            guard let characterSet, let collation else { return declared }
            return "\(declared) CHARACTER SET \(characterSet) COLLATE \(collation)"
        }
    }

    /// Nothing for types that are not known (`known` refuses those by name).
    init?(_ column: Description) {
        let isUnsigned = column.declared.contains(" unsigned")
        switch column.name {
        case "tinyint", "smallint", "mediumint": self.init(.int32, .integer)
        case "int": self.init(isUnsigned ? .int64 : .int32, .integer)
        case "bigint":
            self.init(isUnsigned ? .uint64 : .int64, isUnsigned ? .unsigned : .integer)
        case "decimal":
            let scale = column.scale ?? 0
            self =
                column.precision <= 38
                ? MySQLColumnType(
                    .decimal(precision: column.precision, scale: scale), .decimal(scale: scale))
                : MySQLColumnType(.numberText, .number)
        case "float":
            // Its own text has six digits; the product is a double with the same value and sign.
            self.init(.float32, .float32)
            after = " * 1e0"
        case "double":
            self.init(.float64, .float64)
            // With declared decimal places its text has no more than those.
            if column.scale != nil { after = " * 1e0" }
        case "bit": self.init(.bitString, .bits(count: column.precision))
        case "date": self.init(.date, .date)
        case "time": self.init(.time, .time)
        case "datetime": self.init(.localTimestamp, .dateTime)
        case "timestamp": self.init(.timestamp, .dateTime)
        case "year": self.init(.int32, .year)
        case "char", "varchar", "tinytext", "text", "mediumtext", "longtext":
            self.init(column.isJSON ? .json : .text, .text)
            read(column.characterSet)
        case "enum", "set":
            self.init(column.name == "set" ? .set : .enumeration, .text)
            read(column.characterSet)
            guard MySQLStorage.hasEmptyLabel(column.declared) else { break }
            if column.name == "set" {
                guardian = .member
            } else {
                // What a label stands for in its own set, it also stands for in UTF-8.
                (reading, before, after, guardian) = (.label, "CONVERT(", " USING utf8mb4)", .none)
            }
        case "json": self.init(.json, .text)
        case "uuid": self.init(.uuid, .text)
        case "inet4", "inet6": self.init(.serverText, .text)
        case "binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob", "vector":
            self.init(.bytes, .bytes)
        case _ where MySQLColumnType.geometries.contains(column.name):
            // Four bytes of SRID, least significant first, and WKB.
            self.init(.bytes, .bytes)
        default: return nil
        }
    }

    /// The column as the select list has it.
    func selected(_ name: Name) -> String {
        let value = before + name.quoted + after
        guard reading == .label else { return value }
        // The number of what is no label is 0; its text is that of the label ''.
        let code = "x'\(Hexadecimal.string(ReservedValues.wrongLabel))'"
        return "IF(\(name.quoted) + 0 = 0, CONVERT(\(code) USING utf8mb4), \(value))"
    }

    static let geometries: Set<String> = [
        "geometry", "point", "linestring", "polygon", "multipoint", "multilinestring",
        "multipolygon", "geometrycollection", "geomcollection",
    ]

    /// UTF-8 of any kind is taken as it is stored, so that nothing is replaced on its way; what
    /// comes from other sets is UTF-8 in any case.
    private mutating func read(_ characterSet: String?) {
        switch characterSet {
        case "utf8mb4": reading = .storedText
        case "utf8mb3", "utf8", "ascii":
            reading = .storedText
            before = "CONVERT("
            after = " USING binary)"
        // The server has a character for each of latin1's bytes.
        case "latin1", nil: break
        case .some: guardian = .characters
        }
    }
}

extension MySQLColumnType.Description {
    /// What the values of a column are; refused where nobody here knows.
    func known(as name: Name, of table: some CustomStringConvertible) throws(Failure)
        -> MySQLColumnType
    {
        if let type = MySQLColumnType(self) { return type }
        throw Failure(
            .refused,
            "column \(name) of \(table) has the type \(declared), which sluice does not know",
            hint: "Leave the table out with --exclude \(table).")
    }
}

/// What a value's text does not tell, and the server is asked for beside it.
enum MySQLGuard: Hashable, Sendable {
    case none
    /// The character set has bytes that no character stands for; UTF-8 has a question mark then.
    case characters
    /// The empty text is a member, and also what the empty set is printed as.
    case member

    /// 0 where the column's value is not what its text says.
    func expression(_ column: String) -> String? {
        switch self {
        case .none: return nil
        case .characters:
            let text = "CONVERT(\(column) USING utf8mb4)"
            return "IF(INSTR(\(text), '?') = 0, 1, \(MySQLGuard.questions(text)) = "
                + "\(MySQLGuard.questions(column)))"
        case .member: return "NOT (\(column) = '' AND \(column) + 0 <> 0)"
        }
    }

    private static func questions(_ text: String) -> String {
        "CHAR_LENGTH(\(text)) - CHAR_LENGTH(REPLACE(\(text), '?', ''))"
    }
}
