internal import SluiceCore

/// `ALTER TABLE [ONLY] t ADD CONSTRAINT c PRIMARY KEY (a, b) …`, taken apart.
struct PostgresConstraintText {
    let name: Name
    /// `PRIMARY KEY`, `UNIQUE`, `FOREIGN KEY`, `CHECK`, …
    let words: String
    /// With their brackets.
    let columns: String
    /// Nothing stands behind the columns.
    let isPlain: Bool

    init?(_ sql: String) {
        let text = Array(sql.utf8)
        let tokens = PostgresTokens.all(text)
        func word(_ place: Int) -> String {
            guard tokens.indices.contains(place) else { return "" }
            return String(decoding: text[tokens[place].range], as: UTF8.self)
        }
        guard let place = tokens.indices.first(where: { word($0) == "CONSTRAINT" }),
            word(place - 1) == "ADD", tokens.indices.contains(place + 2)
        else { return nil }
        let token = tokens[place + 1]
        let raw = word(place + 1)
        switch token.kind {
        case .word: name = Name(raw)
        case .quotedName:
            name = Name(
                PostgresStatement.unquoted(raw))
        default: return nil
        }
        var next = place + 2
        var words: [String] = []
        while next < tokens.count, tokens[next].kind == .word {
            words.append(word(next))
            next += 1
        }
        self.words = words.joined(separator: " ")
        guard next < tokens.count, word(next) == "(" else { return nil }
        let start = next
        var depth = 0
        while next < tokens.count {
            if word(next) == "(" { depth += 1 }
            if word(next) == ")" { depth -= 1 }
            next += 1
            if depth == 0 { break }
        }
        columns = String(
            decoding: text[tokens[start].range.lowerBound..<tokens[next - 1].range.upperBound],
            as: UTF8.self)
        isPlain = next == tokens.count
    }

    static func name(_ sql: String) -> Name? { PostgresConstraintText(sql)?.name }
}
