internal import SluiceCore
internal import SluiceRecords

/// What a column of a target keeps its values as.
enum PostgresStorage: Hashable, Sendable {
    case boolean
    case int16
    case int32
    case int64
    /// An OID: 32 bits without a sign.
    case uint32
    case float32
    case float64
    /// Nothing declared: any precision and any scale.
    case numeric(precision: Int?, scale: Int?)
    /// A limit counts characters; a column that pads has all values as long as it.
    case text(limit: Int?, isPadded: Bool)
    case label
    case bytes
    case date
    case time
    case timestamp
    case localTimestamp
    case uuid
    case json
    case jsonb
    case bits
    /// Only the server knows its form: by its text.
    case other

    /// - Parameter name: of a type in `pg_catalog`.
    init(builtIn name: String, modifier: Int) {
        self =
            switch name {
            case "bool": .boolean
            case "int2": .int16
            case "int4": .int32
            case "int8": .int64
            case "oid": .uint32
            case "float4": .float32
            case "float8": .float64
            case "numeric": PostgresStorage.numeric(modifier)
            case "text": .text(limit: nil, isPadded: false)
            case "varchar": .text(limit: modifier >= 4 ? modifier - 4 : nil, isPadded: false)
            case "bpchar": .text(limit: modifier >= 4 ? modifier - 4 : nil, isPadded: modifier >= 4)
            case "name": .text(limit: nil, isPadded: false)
            case "bytea": .bytes
            case "date": .date
            case "time": .time
            case "timestamptz": .timestamp
            case "timestamp": .localTimestamp
            case "uuid": .uuid
            case "json": .json
            case "jsonb": .jsonb
            case "bit", "varbit": .bits
            default: .other
            }
    }

    private static func numeric(_ modifier: Int) -> PostgresStorage {
        guard modifier >= 4 else { return .numeric(precision: nil, scale: nil) }
        return .numeric(
            precision: (modifier - 4) >> 16 & 0xFFFF,
            scale: ((modifier - 4) & 0x7FF ^ 1024) - 1024)
    }
}

/// The one table of record types and what PostgreSQL keeps them as. Both directions are exact: a
/// value is stored as it is or refused by name, so that the records read back are those that were
/// loaded (design §5).
enum PostgresMapping {
    /// How a record type gets into a column.
    enum Fit: Hashable, Sendable {
        /// By the binary form of a COPY.
        case binary
        /// By text, and with it all columns of the table.
        case text
        /// Values would be changed.
        case never
    }

    static func fit(
        _ type: ColumnType, in storage: PostgresStorage, keepsJSON: Bool
    ) -> Fit {
        switch (type, storage) {
        case (.boolean, .boolean), (.bytes, .bytes), (.date, .date), (.time, .time),
            (.timestamp, .timestamp), (.localTimestamp, .localTimestamp), (.uuid, .uuid),
            (.json, .json), (.enumeration, .label), (.text, .label), (.bitString, .bits),
            (.float32, .float32), (.float32, .float64), (.float64, .float64),
            (.float64, .float32), (.any, .jsonb):
            .binary
        case (.int32, .int16), (.int32, .int32), (.int32, .int64), (.int32, .uint32),
            (.int64, .int16), (.int64, .int32), (.int64, .int64), (.int64, .uint32),
            (.uint64, .int64):
            .binary
        case (.int32, .numeric(_, let scale)), (.int64, .numeric(_, let scale)),
            (.uint64, .numeric(_, let scale)):
            scale ?? 0 >= 0 ? .binary : .never
        case (.decimal(_, let its), .numeric(_, let scale)): scale ?? its >= its ? .binary : .never
        case (.numberText, .numeric): .binary
        case (.json, .jsonb): keepsJSON ? .binary : .never
        case (.text, .text), (.uuid, .text), (.json, .text), (.enumeration, .text),
            (.set, .text), (.bitString, .text), (.numberText, .text), (.serverText, .text):
            .binary
        case (.serverText, .other): .text
        // Where other engines have fewer types: on the way back into the type it came from.
        case (.int32, .boolean), (.int64, .boolean), (.bitString, .boolean),
            (.timestamp, .localTimestamp),
            (.localTimestamp, .timestamp), (.text, .date), (.text, .time), (.text, .timestamp),
            (.text, .localTimestamp), (.text, .uuid), (.text, .numeric), (.text, .json),
            (.text, .bits):
            .binary
        default: .never
        }
    }

    /// What a column is declared as where its table is built from its definition.
    ///
    /// - Parameter isSameEngine: the source's declaration is PostgreSQL's; where its type comes
    ///   with every server it stays.
    static func declaration(for field: Field, isSameEngine: Bool = false) -> String {
        if let type = field.userType { return type.declared }
        if isSameEngine, PostgresDeclaration.isBuiltIn(field.declared) { return field.declared }
        return switch field.type {
        case .boolean: "boolean"
        case .int32: "integer"
        case .int64: "bigint"
        case .uint64: "numeric(20,0)"
        case .float32: "real"
        case .float64: "double precision"
        case .decimal(let precision, let scale): "numeric(\(precision),\(scale))"
        case .numberText: "numeric"
        case .text, .enumeration, .set, .serverText: "text"
        case .bytes: "bytea"
        case .date: "date"
        case .time: "time without time zone"
        case .timestamp: "timestamp with time zone"
        case .localTimestamp: "timestamp without time zone"
        case .uuid: "uuid"
        case .json: "json"
        case .bitString: "bit varying"
        case .any: "jsonb"
        }
    }
}

/// A column's declaration as the server prints it; from a dataset it may say anything.
enum PostgresDeclaration {
    private static let names: Set<String> = [
        "bigint", "bit", "bit varying", "boolean", "box", "bytea", "\"char\"", "character",
        "character varying", "cidr", "circle", "date", "datemultirange", "daterange",
        "double precision", "inet", "int4multirange", "int4range", "int8multirange", "int8range",
        "integer", "interval", "json", "jsonb", "jsonpath", "line", "lseg", "macaddr", "macaddr8",
        "money", "name", "numeric", "nummultirange", "numrange", "oid", "path", "pg_lsn", "point",
        "polygon", "real", "smallint", "text", "tid", "time with time zone",
        "time without time zone", "timestamp with time zone", "timestamp without time zone",
        "tsmultirange", "tsquery", "tsrange", "tstzmultirange", "tstzrange", "tsvector",
        "txid_snapshot", "uuid", "xid", "xid8", "xml",
    ]

    /// A type of the server's own, with numbers in brackets where it has them, or arrays of one.
    static func isBuiltIn(_ declared: String) -> Bool {
        var text = Substring(declared)
        while text.hasSuffix("[]") { text = text.dropLast(2) }
        guard let open = text.firstIndex(of: "(") else { return names.contains(String(text)) }
        // `timestamp(3) without time zone`: the numbers stand behind the first word.
        guard let close = text.firstIndex(of: ")"), open < close else { return false }
        let numbers = text[text.index(after: open)..<close]
        let isPlain = numbers.utf8.allSatisfy {
            (0x30...0x39).contains($0) || $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: "-")
        }
        return isPlain && !numbers.isEmpty && numbers.utf8.count <= 12
            && names.contains(String(text[..<open] + text[text.index(after: close)...]))
    }
}
