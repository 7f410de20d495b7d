/// What a column's values are in a record (design §5). Each has exactly one encoding of each value.
public enum ColumnType: Hashable, Sendable {
    case boolean
    case int32
    case int64
    case uint64
    case float32
    case float64
    /// 0 ≤ scale ≤ precision ≤ 38, precision ≥ 1.
    case decimal(precision: Int, scale: Int)
    case numberText
    case text
    case bytes
    case date
    case time
    case timestamp
    case localTimestamp
    case uuid
    case json
    case enumeration
    case set
    case bitString
    case any
    case serverText
}

extension ColumnType: CustomStringConvertible {
    /// The name in plans, job files and messages.
    public var description: String {
        switch self {
        case .boolean: "boolean"
        case .int32: "int32"
        case .int64: "int64"
        case .uint64: "uint64"
        case .float32: "float32"
        case .float64: "float64"
        case .decimal(let precision, let scale): "decimal(\(precision),\(scale))"
        case .numberText: "number text"
        case .text: "text"
        case .bytes: "bytes"
        case .date: "date"
        case .time: "time"
        case .timestamp: "timestamp"
        case .localTimestamp: "local timestamp"
        case .uuid: "uuid"
        case .json: "json"
        case .enumeration: "enum"
        case .set: "set"
        case .bitString: "bit string"
        case .any: "any"
        case .serverText: "server text"
        }
    }

    private static let plain: [ColumnType] = [
        .boolean, .int32, .int64, .uint64, .float32, .float64, .numberText, .text, .bytes, .date,
        .time, .timestamp, .localTimestamp, .uuid, .json, .enumeration, .set, .bitString, .any,
        .serverText,
    ]

    /// The type that `description` names, or nothing.
    public init?(_ name: String) {
        if let type = ColumnType.plain.first(where: { $0.description == name }) {
            self = type
            return
        }
        guard name.hasPrefix("decimal("), name.hasSuffix(")") else { return nil }
        let numbers = name.dropFirst(8).dropLast().split(
            separator: ",", omittingEmptySubsequences: false)
        guard numbers.count == 2, let precision = Int(numbers[0]), let scale = Int(numbers[1]),
            (1...38).contains(precision), (0...precision).contains(scale)
        else { return nil }
        let type = ColumnType.decimal(precision: precision, scale: scale)
        guard type.description == name else { return nil }
        self = type
    }
}
