internal import SluiceCore
internal import SluiceRecords

/// What SQLite tries to turn a column's values into when they are stored (its documentation's
/// "affinity").
enum SQLiteAffinity {
    case integer
    case real
    case text
    /// Declared as BLOB: stored as they come.
    case blob
    /// Declared as nothing, or as ANY in a STRICT table: stored as they come.
    case none
    case numeric

    /// By SQLite's own rules, in their order.
    init(declared: String, isStrict: Bool) {
        let words = Name(declared).folded.text
        if isStrict, Name(words) == "any" || declared.utf8.isEmpty {
            self = .none
        } else if SQLiteAffinity.mentions(words, "int") {
            self = .integer
        } else if ["char", "clob", "text"].contains(where: { SQLiteAffinity.mentions(words, $0) }) {
            self = .text
        } else if SQLiteAffinity.mentions(words, "blob") {
            self = .blob
        } else if declared.utf8.isEmpty {
            self = .none
        } else if ["real", "floa", "doub"].contains(where: { SQLiteAffinity.mentions(words, $0) }) {
            self = .real
        } else {
            self = .numeric
        }
    }

    private static func mentions(_ words: String, _ word: String) -> Bool {
        let bytes = Array(words.utf8)
        let wanted = Array(word.utf8)
        guard bytes.count >= wanted.count else { return false }
        return (0...bytes.count - wanted.count).contains { bytes[$0...].starts(with: wanted) }
    }

    /// What a column of this affinity is declared to hold, where that is one thing.
    var type: ColumnType? {
        switch self {
        case .integer: .int64
        case .real: .float64
        case .text: .text
        case .blob: .bytes
        case .none, .numeric: nil
        }
    }
}

/// Which kinds of values were seen in a column.
struct SQLiteKinds: OptionSet, Hashable {
    let rawValue: UInt8

    static let null = SQLiteKinds(rawValue: 1)
    static let integer = SQLiteKinds(rawValue: 2)
    static let real = SQLiteKinds(rawValue: 4)
    static let text = SQLiteKinds(rawValue: 8)
    static let blob = SQLiteKinds(rawValue: 16)
    /// Text that is not Unicode in the database's encoding.
    static let invalidText = SQLiteKinds(rawValue: 32)

    /// The type that holds every value seen: the declared one where all conform, otherwise what is
    /// there, otherwise `any` (design §5).
    func columnType(_ affinity: SQLiteAffinity) -> ColumnType {
        let values = subtracting(.null)
        if values.isEmpty { return affinity.type ?? .any }
        switch values {
        case .integer: return .int64
        case .real: return .float64
        case .text: return .text
        case .blob: return .bytes
        default: return .any
        }
    }
}
