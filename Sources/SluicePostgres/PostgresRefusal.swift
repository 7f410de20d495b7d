internal import SluiceCore
internal import SluiceRecords

/// Why a column cannot keep a value as it is.
enum PostgresRefusal: Hashable, Sendable {
    case nul
    case wrongLabel
    case length(limit: Int)
    case padding(limit: Int)
    case integer
    case float
    case number
    case scale
    case date
    case time
    case timestamp
    case fraction(digits: Int)
    case uuid
    case bits
    case bitCount(Int)
    /// By the server's own word.
    case type(String)
    case null
    case moment
    case boolean
    case bit
    case row

    private var what: String {
        switch self {
        case .nul: "a text with a NUL character"
        case .wrongLabel: "an ENUM's value that is none of its labels"
        case .length(let limit): "a text of more than \(limit) characters"
        case .padding(let limit): "a text that is not \(limit) characters long"
        case .integer: "an integer of this size"
        case .float: "a number of this size or precision"
        case .number: "a number that is written like this"
        case .scale: "a number with as many decimal places"
        case .date: "a date that PostgreSQL does not have"
        case .time: "a time that PostgreSQL does not have"
        case .timestamp: "a timestamp that PostgreSQL does not have"
        case .fraction(let digits): "a fraction of a second of more than \(digits) digits"
        case .uuid: "a text that is no UUID"
        case .bits: "a text that is no bit string"
        case .bitCount(let count): "a bit string that is not of \(count) bits"
        case .type(let name): "a value that its type, \(name), does not take"
        case .null: "NULL"
        case .moment: "a text that is no date or time, or is written otherwise"
        case .boolean: "an integer other than 0 and 1"
        case .bit: "a bit string of other than one bit"
        case .row: "a value of more than 1 GiB"
        }
    }

    private var remedy: String {
        switch self {
        case .nul: "PostgreSQL has no text with NUL; make the source's column a binary one."
        case .padding: "The target's column would add blanks; declare it varchar or text."
        case .length, .integer, .float, .scale, .fraction: "Declare the target's column wider."
        case .null: "Let the target's column be NULL, or correct the row in the source."
        case .number, .uuid, .bits, .bitCount, .moment, .type:
            "Declare the target's column as text."
        case .boolean: "Declare the target's column as an integer."
        case .bit: "Declare the target's column as bit varying."
        case .date, .time, .timestamp, .wrongLabel:
            "Correct the row in the source, or leave it out with --where."
        case .row: "Leave the row out with --where."
        }
    }

    /// The only label with NUL is the code of a value without a label.
    func of(_ type: ColumnType) -> PostgresRefusal {
        self == .nul && type == .enumeration ? .wrongLabel : self
    }

    func failure(in column: Name) -> Failure {
        Failure(.refused, "column \(column) cannot keep \(what)", hint: remedy)
    }
}
