internal import SluiceCore
internal import SluiceRecords

/// One statement of a schema, and what can be said of it without knowing SQL's grammar.
struct PostgresStatement {
    /// A keyword in lower case, a name as it is, or anything else.
    private enum Piece: Equatable {
        case word(String)
        case name(String)
        case other(String)
    }

    private let pieces: [Piece]

    init(_ sql: String) {
        let text = Array(sql.utf8)
        pieces = PostgresTokens.all(text).map { token in
            let part = String(decoding: text[token.range], as: UTF8.self)
            return switch token.kind {
            case .word: .word(part)
            case .quotedName: .name(PostgresStatement.unquoted(part))
            case .string, .symbol, .comment: .other(part)
            }
        }
    }

    static func unquoted(_ quoted: String) -> String {
        var result: [UInt8] = []
        var isOpen = false
        for byte in quoted.utf8.dropFirst().dropLast() {
            if byte == UInt8(ascii: "\"") {
                isOpen.toggle()
                if isOpen { continue }
            }
            result.append(byte)
        }
        return String(decoding: result, as: UTF8.self)
    }

    func isWord(_ place: Int, _ word: String) -> Bool {
        guard pieces.indices.contains(place), case .word(let text) = pieces[place] else {
            return false
        }
        return text.utf8.elementsEqual(word.utf8)
            || text.uppercased().utf8.elementsEqual(word.utf8)
    }

    func begins(with words: String...) -> Bool {
        words.enumerated().allSatisfy { isWord($0.offset, $0.element) }
    }

    var pieceCount: Int { pieces.count }

    func plainName(at place: Int) -> String? { name(at: place) }

    func qualifiedName(at place: Int) -> TableName? { table(at: place) }

    /// Whether two words follow each other outside of all brackets.
    func hasOutsideBrackets(_ first: String, _ second: String) -> Bool {
        var depth = 0
        for place in pieces.indices {
            if pieces[place] == .other("(") { depth += 1 }
            if pieces[place] == .other(")") { depth -= 1 }
            if depth == 0, isWord(place, first), isWord(place + 1, second) { return true }
        }
        return false
    }

    private func firstPlace(of word: String, from start: Int = 0) -> Int? {
        (start..<max(start, pieces.count)).first { isWord($0, word) }
    }

    private func name(at place: Int) -> String? {
        guard pieces.indices.contains(place) else { return nil }
        switch pieces[place] {
        case .word(let text), .name(let text): return text
        case .other: return nil
        }
    }

    /// `schema.name`, perhaps with more behind it, and the place behind.
    private func names(at place: Int) -> (names: [String], end: Int)? {
        guard let first = name(at: place) else { return nil }
        var names = [first]
        var end = place + 1
        while end + 1 < pieces.count, pieces[end] == .other("."), let next = name(at: end + 1) {
            names.append(next)
            end += 2
        }
        return (names, end)
    }

    private func table(at place: Int, droppingLast isColumn: Bool = false) -> TableName? {
        let start = isWord(place, "ONLY") ? place + 1 : place
        guard var found = names(at: start)?.names else { return nil }
        if isColumn { found.removeLast() }
        guard found.count == 2 else { return nil }
        return TableName(schema: Name(found[0]), Name(found[1]))
    }

    /// The table that the statement is about.
    var table: TableName? {
        if begins(with: "ALTER", "TABLE") { return table(at: 2) }
        if begins(with: "COMMENT", "ON") { return commentedTable }
        if begins(with: "ALTER", "SEQUENCE") {
            return firstPlace(of: "OWNED").flatMap { table(at: $0 + 2, droppingLast: true) }
        }
        if begins(with: "GRANT") || begins(with: "REVOKE") {
            guard let place = firstPlace(of: "ON"), isWord(place + 1, "TABLE") else { return nil }
            return table(at: place + 2)
        }
        guard begins(with: "CREATE") else { return nil }
        switch createdKind {
        case "TABLE": return createdName.flatMap { table(at: $0) }
        case "INDEX", "TRIGGER", "POLICY":
            return firstPlace(of: "ON").flatMap { table(at: $0 + 1) }
        case "STATISTICS": return firstPlace(of: "FROM").flatMap { table(at: $0 + 1) }
        case "RULE": return firstPlace(of: "TO").flatMap { table(at: $0 + 1) }
        default: return nil
        }
    }

    private var commentedTable: TableName? {
        if isWord(2, "TABLE") { return table(at: 3) }
        if isWord(2, "COLUMN") { return table(at: 3, droppingLast: true) }
        guard ["CONSTRAINT", "TRIGGER", "RULE", "POLICY"].contains(where: { isWord(2, $0) }) else {
            return nil
        }
        // A domain has constraints, too.
        guard let place = firstPlace(of: "ON", from: 4), !isWord(place + 1, "DOMAIN") else {
            return nil
        }
        return table(at: place + 1)
    }

    private static let kinds = ["TABLE", "INDEX", "TRIGGER", "POLICY", "STATISTICS", "RULE"]
    private static let adjectives = ["UNLOGGED", "UNIQUE", "CONSTRAINT", "FOREIGN"]

    private var kindPlace: Int? {
        var place = 1
        while PostgresStatement.adjectives.contains(where: { isWord(place, $0) }) { place += 1 }
        return PostgresStatement.kinds.contains { isWord(place, $0) } ? place : nil
    }

    private var createdKind: String? {
        guard let place = kindPlace else { return nil }
        return PostgresStatement.kinds.first { isWord(place, $0) }
    }

    private var createdName: Int? { kindPlace.map { $0 + 1 } }

    /// The other table of `FOREIGN KEY … REFERENCES`, or of an attached partition.
    var otherTable: TableName? {
        guard begins(with: "ALTER", "TABLE") else { return nil }
        if let place = firstPlace(of: "REFERENCES") { return table(at: place + 1) }
        guard let place = firstPlace(of: "ATTACH"), isWord(place + 1, "PARTITION") else {
            return nil
        }
        return table(at: place + 2)
    }
}

/// Objects that have an owner: the statement that gives it names the object as DROP wants it.
extension PostgresStatement {
    private static let ownable = [
        "TABLE", "VIEW", "MATERIALIZED VIEW", "SEQUENCE", "FOREIGN TABLE", "SCHEMA", "TYPE",
        "DOMAIN", "FUNCTION", "PROCEDURE", "AGGREGATE", "OPERATOR CLASS", "OPERATOR FAMILY",
        "OPERATOR", "COLLATION", "CONVERSION", "STATISTICS", "SERVER", "FOREIGN DATA WRAPPER",
        "PUBLICATION", "TEXT SEARCH DICTIONARY", "TEXT SEARCH CONFIGURATION", "EVENT TRIGGER",
        "PROCEDURAL LANGUAGE", "LANGUAGE",
    ]

    /// `FUNCTION` and `public.f(integer)` of `ALTER FUNCTION public.f(integer) OWNER TO shop`.
    static func owned(_ sql: String) -> (kind: String, identity: String)? {
        guard PostgresStatement(sql).setsOwner else { return nil }
        let text = Array(sql.utf8)
        let tokens = PostgresTokens.all(text)
        guard tokens.count > 4 else { return nil }
        for kind in ownable where sql.hasPrefix("ALTER \(kind) ") {
            let start = "ALTER \(kind) ".utf8.count
            let end = tokens[tokens.count - 3].range.lowerBound
            guard start < end else { return nil }
            let identity = text[start..<end].reversed().drop { PostgresTokens.isBlank($0) }
            return (kind, String(decoding: identity.reversed(), as: UTF8.self))
        }
        return nil
    }

    /// 20001 of `SELECT pg_catalog.lo_create('20001')`.
    static func createdLargeObject(_ sql: String) -> Int? {
        let start = "SELECT pg_catalog.lo_create('"
        guard sql.hasPrefix(start), sql.hasSuffix("')") else { return nil }
        return Int(sql.dropFirst(start.count).dropLast(2))
    }

    /// The same for objects without an owner: `CAST` and `(a AS b)` of `CREATE CAST (a AS b) …`.
    static func created(_ sql: String) -> (kind: String, identity: String)? {
        let text = Array(sql.utf8)
        let tokens = PostgresTokens.all(text)
        func words(_ places: Range<Int>) -> String {
            guard places.upperBound <= tokens.count, let last = places.last else { return "" }
            let range =
                tokens[places.lowerBound].range.lowerBound..<tokens[last].range.upperBound
            return String(decoding: text[range], as: UTF8.self)
        }
        func place(of word: String) -> Int? {
            tokens.indices.first { words($0..<$0 + 1) == word }
        }
        if words(0..<2) == "CREATE CAST" {
            return place(of: ")").map { ("CAST", words(2..<$0 + 1)) }
        }
        if words(0..<2) == "CREATE TRANSFORM", let language = place(of: "LANGUAGE") {
            return ("TRANSFORM", words(2..<language + 2))
        }
        if words(0..<3) == "CREATE ACCESS METHOD" {
            return ("ACCESS METHOD", words(3..<4))
        }
        if words(0..<3) == "CREATE USER MAPPING", let server = place(of: "SERVER") {
            return ("USER MAPPING", words(3..<server + 2))
        }
        for kind in ["TEXT SEARCH PARSER", "TEXT SEARCH TEMPLATE"]
        where words(0..<4) == "CREATE \(kind)" {
            return place(of: "(").map { (kind, words(4..<$0)) }
        }
        return nil
    }

    /// The schema and the name that an object's identity begins with.
    static func name(of identity: String) -> TableName? {
        let statement = PostgresStatement(identity)
        guard let names = statement.names(at: 0)?.names else { return nil }
        switch names.count {
        case 1: return TableName(Name(names[0]))
        case 2: return TableName(schema: Name(names[0]), Name(names[1]))
        default: return nil
        }
    }
}

/// Roles, which a target may lack.
extension PostgresStatement {
    /// Whether the statement only says who owns something.
    var setsOwner: Bool {
        guard begins(with: "ALTER"), pieces.count >= 4 else { return false }
        return isWord(pieces.count - 3, "OWNER") && isWord(pieces.count - 2, "TO")
    }

    /// Whether it is about what roles may do.
    var grants: Bool {
        begins(with: "GRANT") || begins(with: "REVOKE")
            || begins(with: "ALTER", "DEFAULT", "PRIVILEGES")
            || begins(with: "SET", "SESSION", "AUTHORIZATION")
            || begins(with: "RESET", "SESSION", "AUTHORIZATION")
    }

    /// The roles it names.
    var roles: [String] {
        if setsOwner { return name(at: pieces.count - 1).map { [$0] } ?? [] }
        if begins(with: "SET", "SESSION", "AUTHORIZATION") { return list(at: 3) }
        var found: [String] = []
        if begins(with: "ALTER", "DEFAULT", "PRIVILEGES"), isWord(3, "FOR") {
            found += list(at: 5)
        }
        if begins(with: "CREATE", "USER", "MAPPING") { found += list(at: 4) }
        if begins(with: "CREATE", "POLICY") {
            // `TO` comes before the conditions, which are in brackets.
            let end = pieces.firstIndex(of: .other("(")) ?? pieces.count
            if let place = firstPlace(of: "TO"), place < end { found += list(at: place + 1) }
        }
        if grants {
            let last = pieces.indices.last { isWord($0, "TO") || isWord($0, "FROM") }
            if let last { found += list(at: last + 1) }
        }
        let everybody = ["public", "current_user", "session_user", "current_role"]
        return found.filter { !everybody.contains($0.lowercased()) }
    }

    /// `a, b, c`, also with `GROUP` before a name.
    private func list(at start: Int) -> [String] {
        var place = start
        var result: [String] = []
        while true {
            if isWord(place, "GROUP") { place += 1 }
            guard let name = name(at: place) else { return result }
            // A string in its place would be no name; a quoted name may be PUBLIC itself.
            result.append(name)
            guard pieces.indices.contains(place + 1), pieces[place + 1] == .other(",") else {
                return result
            }
            place += 2
        }
    }
}
