internal import CSQLite
internal import SluiceCore
internal import SluiceRecords

/// The one table of record types and what SQLite keeps them as. Both directions are exact: a value
/// is stored as it is, or refused by name; so the digest of the records as mapped is always that of
/// the records (design §5).
enum SQLiteMapping {
    /// The storage class of a record type's values; `any` has all of them.
    enum Storage {
        case integer
        case real
        case text
        case blob
        case any
    }

    static func storage(of type: ColumnType) -> Storage {
        switch type {
        case .boolean, .int32, .int64: .integer
        case .float32, .float64: .real
        case .bytes: .blob
        case .any: .any
        case .uint64, .decimal, .numberText, .text, .date, .time, .timestamp, .localTimestamp,
            .uuid, .json, .enumeration, .set, .bitString, .serverText:
            .text
        }
    }

    /// Whether a column keeps the values of a record type as they are.
    enum Fit {
        case exact
        /// Some values would be converted: each is looked at before it is bound.
        case checked
        /// Every value would be converted.
        case never
    }

    static func fit(_ type: ColumnType, in affinity: SQLiteAffinity) -> Fit {
        switch (storage(of: type), affinity) {
        case (.blob, _), (_, .blob), (_, .none), (.integer, .integer), (.integer, .numeric),
            (.text, .text):
            .exact
        case (.integer, .real), (.integer, .text), (.real, .text): .never
        case (.text, _):
            // All of their texts are numbers, which the column would turn into numbers.
            switch type {
            case .uint64, .decimal: .never
            default: .checked
            }
        case (.real, _), (.any, _): .checked
        }
    }

    /// Whether a STRICT table's column, which takes one storage class only, takes the values of a
    /// record type.
    static func fit(_ type: ColumnType, inStrict declared: Name) -> Fit {
        switch (storage(of: type), declared.folded) {
        case (_, "any"), (.integer, "int"), (.integer, "integer"), (.text, "text"), (.blob, "blob"):
            .exact
        case (.any, _), (.real, "real"): .checked
        default: .never
        }
    }

    /// What a column is declared as where its table is built from its definition.
    ///
    /// - Parameter isSameEngine: the source's declaration is SQLite's, so its values keep in it.
    static func declaration(for field: Field, isSameEngine: Bool) -> String {
        if let wanted = field.targetDeclaration, isSafe(wanted) { return wanted }
        let affinity = SQLiteAffinity(declared: field.declared, isStrict: false)
        // In a STRICT table ANY keeps values as they come; elsewhere the same word makes numbers of
        // them.
        if isSafe(field.declared), Name(field.declared).folded != "any" {
            let fit = fit(field.type, in: affinity)
            if isSameEngine && fit != .never
                || !isSameEngine && fit == .exact && affinity != .blob && affinity != .none
            {
                return field.declared
            }
        }
        return switch storage(of: field.type) {
        case .integer: "INTEGER"
        case .real: "REAL"
        case .text: "TEXT"
        case .blob: "BLOB"
        // No declared type: nothing is converted.
        case .any: ""
        }
    }

    /// Why the type that the user wants cannot be had; nothing where it can, or there is none.
    static func problem(of field: Field, in table: TableName) -> String? {
        guard let wanted = field.targetDeclaration else { return nil }
        let start = "column \(field.name) of table \(table) is to be declared \(wanted), which"
        guard isSafe(wanted) else { return "\(start) is no type for SQLite" }
        let affinity = SQLiteAffinity(declared: wanted, isStrict: false)
        guard fit(field.type, in: affinity) == .never else { return nil }
        return "\(start) would change values of type \(field.type)"
    }

    /// Words, with one or two numbers in brackets behind them, and no word of SQLite's own: such a
    /// declaration cannot say anything but a type.
    static func isSafe(_ declared: String) -> Bool {
        var text = Substring(declared)
        guard declared.utf8.count <= 100, declared.utf8.allSatisfy({ $0 < 0x80 }) else {
            return false
        }
        if text.hasSuffix(")") {
            guard let open = text.firstIndex(of: "(") else { return false }
            let numbers = text[text.index(after: open)...].dropLast().split(
                separator: ",", omittingEmptySubsequences: false)
            guard numbers.count <= 2, numbers.allSatisfy(isNumber) else { return false }
            text = text[..<open]
        }
        let words = text.split(separator: " ", omittingEmptySubsequences: true)
        return !words.isEmpty && words.allSatisfy(isTypeWord)
    }

    private static func isNumber(_ text: Substring) -> Bool {
        let digits = text.drop { $0 == " " }
        return (1...9).contains(digits.utf8.count)
            && digits.utf8.allSatisfy { (0x30...0x39).contains($0) }
    }

    private static func isTypeWord(_ word: Substring) -> Bool {
        guard let first = word.utf8.first, isLetter(first),
            word.utf8.allSatisfy({ isLetter($0) || (0x30...0x39).contains($0) })
        else { return false }
        let text = String(word)
        return sqlite3_keyword_check(text, Int32(text.utf8.count)) == 0
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (0x41...0x5A).contains(byte & 0xDF) || byte == UInt8(ascii: "_")
    }
}

/// What a column's affinity turns into something else.
enum SQLiteConversion {
    /// A column of REAL affinity, which keeps whole numbers as integers inside, loses the sign of
    /// -0.0.
    @inline(__always)
    static func losesSign(_ value: Double) -> Bool {
        value == 0 && value.sign == .minus
    }

    /// SQLite keeps this as an integer in a column of INTEGER or NUMERIC affinity: `1.0` becomes 1,
    /// `-0.0` becomes 0.
    @inline(__always)
    static func makesInteger(_ value: Double) -> Bool {
        // The range is SQLite's own: beyond it doubles stay.
        value > -9_223_372_036_854_775_808.0 && value < 9_223_372_036_854_775_807.0
            && value.rounded(.towardZero) == value
    }

    /// SQLite keeps this text as a number in a column of INTEGER, NUMERIC or REAL affinity: blanks,
    /// a sign, digits with a point, an exponent, blanks.
    static func makesNumber(_ text: UnsafeRawBufferPointer) -> Bool {
        var place = 0
        let end = text.count
        func isDigit(_ index: Int) -> Bool { index < end && text[index] &- 0x30 < 10 }
        func isSign(_ index: Int) -> Bool {
            index < end && (text[index] == UInt8(ascii: "+") || text[index] == UInt8(ascii: "-"))
        }
        func isBlank(_ index: Int) -> Bool {
            index < end && (text[index] == 0x20 || (0x09...0x0D).contains(text[index]))
        }
        while isBlank(place) { place += 1 }
        if isSign(place) { place += 1 }
        var digits = 0
        while isDigit(place) {
            place += 1
            digits += 1
        }
        if place < end, text[place] == UInt8(ascii: ".") {
            place += 1
            while isDigit(place) {
                place += 1
                digits += 1
            }
        }
        guard digits > 0 else { return false }
        if place < end, text[place] | 0x20 == UInt8(ascii: "e") {
            place += isSign(place + 1) ? 2 : 1
            guard isDigit(place) else { return false }
            while isDigit(place) { place += 1 }
        }
        while isBlank(place) { place += 1 }
        return place == end
    }
}
