internal import SluiceCore

/// Defaults as `information_schema.COLUMNS` prints them.
///
/// MariaDB prints an expression, in which texts are quoted; MySQL prints a text as it is, and says
/// elsewhere that something is an expression.
struct MySQLDefault: Hashable {
    /// A literal that every engine understands: a number, a text with doubled quotes, NULL.
    private(set) var literal: String?
    /// There is a default, and it is no such literal.
    private(set) var isOther = false

    /// - Parameter text: `COLUMN_DEFAULT`.
    /// - Parameter isExpression: MySQL says so in `EXTRA`.
    /// - Parameter type: `DATA_TYPE`.
    init(_ text: String?, isExpression: Bool, type: String, _ flavor: MySQLFlavor) {
        guard let text else { return }
        if flavor.isMariaDB {
            read(expression: Array(text.utf8))
        } else if isExpression || text.hasPrefix("b'") || text.hasPrefix("CURRENT_TIMESTAMP") {
            isOther = true
        } else if MySQLDefault.numeric.contains(type) {
            literal = text
        } else {
            literal = MySQLDefault.quoted(text)
        }
        // No other engine has such dates.
        if MySQLDefault.calendar.contains(type), literal?.contains("-00") == true {
            literal = nil
            isOther = true
        }
    }

    private static let numeric: Set<String> = [
        "tinyint", "smallint", "mediumint", "int", "bigint", "decimal", "float", "double", "year",
    ]
    private static let calendar: Set<String> = ["date", "datetime", "timestamp"]

    private mutating func read(expression: [UInt8]) {
        let text = String(decoding: expression, as: UTF8.self)
        if text == "NULL" || MySQLDefault.isNumber(expression[...]) {
            literal = text
        } else if let inner = MySQLDefault.unescaped(expression) {
            literal = MySQLDefault.quoted(inner)
        } else {
            isOther = true
        }
    }

    private static func isNumber(_ bytes: ArraySlice<UInt8>) -> Bool {
        let digits = bytes.first == UInt8(ascii: "-") ? bytes.dropFirst() : bytes
        guard let first = digits.first, (0x30...0x39).contains(first) else { return false }
        return digits.allSatisfy { (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") }
            && digits.count { $0 == UInt8(ascii: ".") } <= 1
    }

    /// The text that one string literal of the server's stands for; nothing for anything else.
    static func unescaped(_ literal: [UInt8]) -> String? {
        guard literal.count >= 2, literal.first == UInt8(ascii: "'"),
            literal.last == UInt8(ascii: "'")
        else { return nil }
        var output: [UInt8] = []
        var rest = literal.dropFirst().dropLast()
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "'"):
                guard rest.popFirst() == UInt8(ascii: "'") else { return nil }
                output.append(byte)
            case UInt8(ascii: "\\"):
                guard let next = rest.popFirst() else { return nil }
                output.append(escapes[next] ?? next)
            default: output.append(byte)
            }
        }
        return String(validating: output, as: UTF8.self)
    }

    private static let escapes: [UInt8: UInt8] = [
        UInt8(ascii: "0"): 0, UInt8(ascii: "n"): 10, UInt8(ascii: "r"): 13,
        UInt8(ascii: "t"): 9, UInt8(ascii: "b"): 8, UInt8(ascii: "Z"): 26,
    ]

    private static func quoted(_ text: String) -> String {
        var output = "'"
        for scalar in text.unicodeScalars {
            if scalar == "'" { output += "'" }
            output.unicodeScalars.append(scalar)
        }
        return output + "'"
    }
}
