internal import SluiceCore

/// Walks over SQL as PostgreSQL's own tools print it, with `standard_conforming_strings` on.
///
/// Knows what a quote, a dollar quote or a comment hides; knows nothing of grammar.
struct PostgresTokens {
    enum Kind {
        /// A keyword or a name without quotes.
        case word
        /// A name in double quotes.
        case quotedName
        /// A string in quotes of any kind.
        case string
        case comment
        /// One byte of anything else.
        case symbol
    }

    struct Token {
        let kind: Kind
        let range: Range<Int>
    }

    let text: [UInt8]
    private(set) var place: Int
    let end: Int
    /// A quote or a comment was not closed.
    private(set) var isBroken = false

    init(_ text: [UInt8], in range: Range<Int>? = nil) {
        self.text = text
        place = range?.lowerBound ?? 0
        end = range?.upperBound ?? text.count
    }

    /// The next token; nothing at the end.
    mutating func next() -> Token? {
        while place < end, PostgresTokens.isBlank(text[place]) { place += 1 }
        guard place < end else { return nil }
        let start = place
        let kind = take()
        return Token(kind: kind, range: start..<place)
    }

    private func byte(_ offset: Int) -> UInt8 {
        place + offset < end ? text[place + offset] : 0
    }

    private mutating func take() -> Kind {
        switch text[place] {
        case UInt8(ascii: "-") where byte(1) == UInt8(ascii: "-"):
            while place < end, text[place] != 0x0A { place += 1 }
            return .comment
        case UInt8(ascii: "/") where byte(1) == UInt8(ascii: "*"):
            takeBlockComment()
            return .comment
        case UInt8(ascii: "'"):
            takeQuoted(UInt8(ascii: "'"), hasEscapes: false)
            return .string
        case UInt8(ascii: "\""):
            takeQuoted(UInt8(ascii: "\""), hasEscapes: false)
            return .quotedName
        case UInt8(ascii: "e"), UInt8(ascii: "E"):
            guard byte(1) == UInt8(ascii: "'") else { return takeWord() }
            place += 1
            takeQuoted(UInt8(ascii: "'"), hasEscapes: true)
            return .string
        case UInt8(ascii: "$"):
            if takeDollarQuoted() { return .string }
            place += 1
            return .symbol
        case let first where PostgresTokens.beginsWord(first): return takeWord()
        default:
            place += 1
            return .symbol
        }
    }

    private mutating func takeWord() -> Kind {
        while place < end, PostgresTokens.continuesWord(text[place]) { place += 1 }
        return .word
    }

    private mutating func takeQuoted(_ quote: UInt8, hasEscapes: Bool) {
        place += 1
        while place < end {
            let current = text[place]
            if hasEscapes, current == UInt8(ascii: "\\") {
                place = min(place + 2, end)
            } else if current == quote {
                guard byte(1) == quote else {
                    place += 1
                    return
                }
                place += 2
            } else {
                place += 1
            }
        }
        isBroken = true
    }

    private mutating func takeBlockComment() {
        var depth = 0
        while place < end {
            if text[place] == UInt8(ascii: "/"), byte(1) == UInt8(ascii: "*") {
                depth += 1
                place += 2
            } else if text[place] == UInt8(ascii: "*"), byte(1) == UInt8(ascii: "/") {
                depth -= 1
                place += 2
                if depth == 0 { return }
            } else {
                place += 1
            }
        }
        isBroken = true
    }

    /// `$tag$…$tag$`; false where this is no such quote, and nothing is taken.
    private mutating func takeDollarQuoted() -> Bool {
        var tagEnd = place + 1
        if tagEnd < end, (0x30...0x39).contains(text[tagEnd]) { return false }
        while tagEnd < end, PostgresTokens.continuesWord(text[tagEnd]),
            text[tagEnd] != UInt8(ascii: "$")
        {
            tagEnd += 1
        }
        guard tagEnd < end, text[tagEnd] == UInt8(ascii: "$") else { return false }
        let tag = text[place...tagEnd]
        var candidate = tagEnd + 1
        while candidate + tag.count <= end {
            if text[candidate] == UInt8(ascii: "$"),
                text[candidate..<candidate + tag.count].elementsEqual(tag)
            {
                place = candidate + tag.count
                return true
            }
            candidate += 1
        }
        place = end
        isBroken = true
        return true
    }

    static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

    private static func beginsWord(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte | 0x20) || byte == UInt8(ascii: "_") || byte >= 0x80
    }

    private static func continuesWord(_ byte: UInt8) -> Bool {
        beginsWord(byte) || (0x30...0x39).contains(byte) || byte == UInt8(ascii: "$")
    }
}

extension PostgresTokens {
    /// Ranges of the statements in a text, comments before them left out, each without its
    /// semicolon; nothing where the text ends inside one.
    static func statements(in text: [UInt8]) -> [Range<Int>]? {
        var tokens = PostgresTokens(text)
        var statements: [Range<Int>] = []
        var shape = StatementShape()
        var start: Int?
        while let token = tokens.next() {
            if token.kind == .comment { continue }
            let isEnd =
                token.kind == .symbol && text[token.range.lowerBound] == UInt8(ascii: ";")
                && !shape.isOpen
            if isEnd {
                if let first = start { statements.append(first..<token.range.lowerBound) }
                start = nil
                shape = StatementShape()
            } else {
                start = start ?? token.range.lowerBound
                shape.add(token, of: text)
            }
        }
        return tokens.isBroken || start != nil ? nil : statements
    }

    /// Every word, name, string and symbol of a text.
    static func all(_ text: [UInt8]) -> [Token] {
        var tokens = PostgresTokens(text)
        var result: [Token] = []
        while let token = tokens.next() {
            if token.kind != .comment { result.append(token) }
        }
        return result
    }
}

/// Whether a semicolon ends a statement: not within brackets, nor within the body of a routine
/// that is written as SQL (`BEGIN ATOMIC … END`).
private struct StatementShape {
    private var brackets = 0
    private var blocks = 0
    private var words: [String] = []

    var isOpen: Bool { brackets > 0 || blocks > 0 }

    private var makesRoutine: Bool {
        guard words.first == "create" else { return false }
        let kind = words.dropFirst().first { $0 != "or" && $0 != "replace" }
        return kind == "function" || kind == "procedure"
    }

    mutating func add(_ token: PostgresTokens.Token, of text: [UInt8]) {
        switch token.kind {
        case .symbol:
            switch text[token.range.lowerBound] {
            case UInt8(ascii: "("): brackets += 1
            case UInt8(ascii: ")"): brackets -= 1
            default: break
            }
        case .word:
            let word = String(decoding: text[token.range], as: UTF8.self).lowercased()
            if words.count < 4 { words.append(word) }
            guard makesRoutine, brackets == 0 else { return }
            if word == "begin" || (word == "case" && blocks > 0) { blocks += 1 }
            if word == "end", blocks > 0 { blocks -= 1 }
        case .quotedName, .string, .comment: break
        }
    }
}
