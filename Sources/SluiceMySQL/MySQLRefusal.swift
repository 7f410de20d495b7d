internal import SluiceCore
internal import SluiceRecords

/// Why a column cannot keep a value as it is.
enum MySQLRefusal: Hashable, Sendable {
    case length(limit: Int)
    case byteLength(limit: Int)
    case padding(limit: Int)
    case blanks
    case integer
    case float
    case notFinite
    case minusZero
    case number
    case scale(Int)
    case notNumber
    case date
    case time
    case timestamp
    case fraction(digits: Int)
    case year
    case bits(Int)
    case label
    case wrongLabel
    case form(String)
    case null
    case characters(String)
    /// By the server's own word.
    case type(String)

    private var what: String {
        switch self {
        case .length(let limit): "a text of more than \(limit) characters"
        case .byteLength(let limit): "a value of more than \(limit) bytes"
        case .padding(let limit): "a value that is not \(limit) bytes long"
        case .blanks: "a text that ends in a blank"
        case .integer: "an integer of this size"
        case .float: "a number of this size or precision"
        case .notFinite: "NaN or an infinity"
        case .minusZero: "the floating-point number -0"
        case .number: "a number that is written like this"
        case .scale(let scale): "a number without exactly \(scale) decimal places"
        case .notNumber: "a decimal that is NaN or infinite"
        case .date: "a date that MySQL does not have"
        case .time: "a time that MySQL does not have"
        case .timestamp: "a timestamp that its type does not have"
        case .fraction(let digits): "a fraction of a second of more than \(digits) digits"
        case .year: "a year that its type does not have"
        case .bits(let count): "a text that is no string of \(count) bits"
        case .label: "a label that is none of its own"
        case .wrongLabel: "an ENUM's value that is none of its labels"
        case .null: "NULL"
        case .characters(let set): "characters that \(set) does not have"
        case .type(let name): "a value that its type, \(name), does not take"
        case .form(let what): "a text that is not written as \(what) are printed"
        }
    }

    private var remedy: String {
        switch self {
        case .blanks: "The target's column would drop them; declare it varchar or text."
        case .padding: "The target's column would add bytes; declare it varbinary."
        case .label: "Give the target's column the source's list of labels, in its order."
        case .length, .byteLength, .integer, .float, .fraction:
            "Declare the target's column wider."
        case .null: "Let the target's column be NULL, or correct the row in the source."
        case .characters: "Declare the target's column with CHARACTER SET utf8mb4."
        case .number, .scale, .bits, .form, .type: "Declare the target's column as text."
        case .date, .time, .timestamp, .notFinite, .minusZero, .notNumber, .year,
            .wrongLabel:
            "Correct the row in the source, or leave it out with --where."
        }
    }

    func failure(in column: Name) -> Failure {
        Failure(.refused, "column \(column) cannot keep \(what)", hint: remedy)
    }
}
