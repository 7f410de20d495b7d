internal import SluiceCore
internal import SluiceRecords

/// Ranges of a key as SQLite itself compares it: under each column's own collation, in the order
/// the key is stored in.
extension SQLiteKey {
    /// What `json` gives; nothing for anything else.
    init?(_ json: JSON) {
        guard let form = json["form"]?.text.flatMap(Form.init(rawValue:)),
            let parts = json["parts"]?.elements, let isHidden = json["hidden"]?.boolean
        else { return nil }
        self.form = form
        self.isHidden = isHidden
        index = json["index"]?.text.map { Name($0) }
        self.parts = []
        for part in parts {
            guard let column = part["column"]?.text,
                let isDescending = part["descending"]?.boolean
            else { return nil }
            self.parts.append(
                Part(
                    name: Name(column), collation: part["collation"]?.text.map { Name($0) },
                    isDescending: isDescending))
        }
    }

    /// `ORDER BY …` in the order of the key, which is that of the table's own tree.
    var order: String {
        guard !parts.isEmpty else { return "" }
        let terms = parts.map { $0.term + ($0.isDescending ? " DESC" : "") }
        return " ORDER BY " + terms.joined(separator: ", ")
    }

    /// A condition that is true for the chunk's rows only; nothing where the chunk is everything.
    func condition(_ chunk: Chunk) throws(Failure) -> String? {
        var conditions: [String] = []
        if let lower = chunk.lower {
            conditions.append(try condition(lower, chunk, isLower: true))
        }
        if let upper = chunk.upper {
            conditions.append(try condition(upper, chunk, isLower: false))
        }
        return conditions.isEmpty ? nil : conditions.joined(separator: " AND ")
    }

    private func condition(
        _ bound: [String], _ chunk: Chunk, isLower: Bool
    ) throws(Failure) -> String {
        guard bound.count == parts.count, !bound.isEmpty, bound.allSatisfy(SQLiteKey.isLiteral)
        else {
            throw Failure(
                .failed, "the bounds of chunk \(chunk.number) are no values of this table's key",
                hint: "The plan was made by another version or changed by somebody; export anew.")
        }
        let directions = Set(parts.map(\.isDescending))
        // A row value is a range of the key's tree only where nothing else is asked of its columns.
        guard directions.count == 1, parts.allSatisfy({ $0.collation == nil }) else {
            return expanded(bound, isLower: isLower, from: 0)
        }
        let comparison = parts[0].comparison(isLower: isLower)
        let terms = parts.map(\.term).joined(separator: ", ")
        let values = bound.joined(separator: ", ")
        return parts.count == 1
            ? "\(terms) \(comparison) \(values)" : "(\(terms)) \(comparison) (\(values))"
    }

    /// The comparison column by column: for columns that run in different directions, or under
    /// other collations.
    private func expanded(_ bound: [String], isLower: Bool, from place: Int) -> String {
        let (part, value) = (parts[place], bound[place])
        guard place < parts.count - 1 else {
            return "\(part.term) \(part.comparison(isLower: isLower)) \(value)"
        }
        let strictly = part.isDescending == isLower ? "<" : ">"
        let rest = expanded(bound, isLower: isLower, from: place + 1)
        // The first comparison says nothing new; it is what SQLite can search by.
        return
            "(\(part.term) \(strictly)= \(value) AND (\(part.term) \(strictly) \(value) OR "
            + "\(rest)))"
    }

    /// Whether the text is one literal of the kinds that plans have: nothing else of a plan goes to
    /// the source.
    static func isLiteral(_ text: String) -> Bool {
        let quotes = text.utf8.count { $0 == UInt8(ascii: "'") }
        guard quotes.isMultiple(of: 2) else { return false }
        // Written again, so that comments are none.
        let written: String
        let tokens = SQLiteTokens.all(of: text)
        switch (tokens.first, tokens.count) {
        case (.number(let number), 1): written = number
        case (.blob(let blob), 1): written = blob
        case (.string(let string), 1): written = string
        case (.symbol(UInt8(ascii: "-")), 2):
            guard case .number(let number) = tokens[1] else { return false }
            written = "-" + number
        case (.symbol(UInt8(ascii: "+")), 7):
            guard case .blob(let blob) = tokens[3] else { return false }
            written = "+CAST(\(blob) AS TEXT)"
        default: return false
        }
        return Name(written) == Name(text)
    }
}

extension SQLiteKey.Part {
    var term: String {
        collation.map { "\(name.quoted) COLLATE \($0.quoted)" } ?? name.quoted
    }

    /// Above the lower bound, or not above the upper one, in the direction of the key.
    func comparison(isLower: Bool) -> String {
        switch (isLower, isDescending) {
        case (true, false): ">"
        case (true, true): "<"
        case (false, false): "<="
        case (false, true): ">="
        }
    }
}
