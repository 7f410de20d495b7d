internal import SluiceCore

/// What `SHOW CREATE TABLE` prints, taken apart: what a table is made of before its rows come in,
/// and what is added behind them.
struct MySQLTableText: Sendable {
    struct Key: Hashable, Sendable {
        let name: Name
        /// `UNIQUE KEY `x` (`a`)`.
        let sql: String
        /// Servers make one of them at a time.
        let isFulltext: Bool
    }

    struct ForeignKey: Hashable, Sendable {
        let name: Name
        let sql: String
        /// The table that it points to.
        let other: TableName
    }

    private(set) var keys: [Key] = []
    private(set) var foreignKeys: [ForeignKey] = []
    let name: Name
    /// As `ENGINE=` names it.
    let engine: String
    /// Without the keys and foreign keys above.
    private(set) var create = ""

    /// Nothing where the text is not one of a table.
    init?(_ sql: String) {
        let bytes = Array(sql.utf8)
        guard let open = MySQLTableText.bodyStart(bytes),
            let close = MySQLTokens.bracketEnd(bytes, open),
            let parts = MySQLTokens.parts(bytes[(open + 1)..<close])
        else { return nil }
        let head = MySQLTokens.words(Array(bytes[..<open]))
        guard head.count >= 3, head[0] == "CREATE", let name = head.last.flatMap(MySQLTokens.name)
        else { return nil }
        self.name = name
        let tail = Array(bytes[close...])
        engine = MySQLTableText.engine(tail)
        let split = MySQLTableText.split(parts, keepsKeys: engine.lowercased() != "innodb")
        keys = split.keys
        foreignKeys = split.foreignKeys
        let body = split.kept.map { "  " + $0 }.joined(separator: ",\n")
        create =
            String(decoding: bytes[...open], as: UTF8.self) + "\n\(body)\n"
            + String(decoding: tail, as: UTF8.self)
    }

    /// Without the name of the source's database, which stands in defaults that number rows by a
    /// sequence: ``nextval(`shop`.`numbers`)``.
    static func unbound(_ sql: String, from database: String) -> String {
        guard !database.isEmpty else { return sql }
        let bytes = Array(sql.utf8)
        let words = ["nextval(", "lastval(", "setval("].map {
            Array(($0 + Name(database).quoted + ".").utf8)
        }
        var output: [UInt8] = []
        var place = 0
        while place < bytes.count {
            if let word = words.first(where: { bytes[place...].starts(with: $0) }),
                let open = word.firstIndex(of: UInt8(ascii: "("))
            {
                output += word[...open]
                place += word.count
            } else if MySQLTokens.isQuote(bytes[place]) {
                let end = MySQLTokens.stringEnd(bytes, place) ?? bytes.count
                output += bytes[place..<end]
                place = end
            } else {
                output.append(bytes[place])
                place += 1
            }
        }
        return String(decoding: output, as: UTF8.self)
    }

    /// The bracket behind the table's name.
    private static func bodyStart(_ bytes: [UInt8]) -> Int? {
        var place = 0
        while place < bytes.count {
            if MySQLTokens.isQuote(bytes[place]) {
                guard let end = MySQLTokens.stringEnd(bytes, place) else { return nil }
                place = end
            } else if bytes[place] == UInt8(ascii: "(") {
                return place
            } else {
                place += 1
            }
        }
        return nil
    }

    private static func engine(_ tail: [UInt8]) -> String {
        let words = MySQLTokens.words(tail)
        guard let place = words.firstIndex(of: "ENGINE"), place + 2 < words.count else {
            return "InnoDB"
        }
        return words[place + 2]
    }

    private struct Split {
        var kept: [String] = []
        var keys: [Key] = []
        var foreignKeys: [ForeignKey] = []
    }

    /// What InnoDB arranges rows by stays, and so does what a column that counts needs.
    private static func split(_ parts: [[UInt8]], keepsKeys: Bool) -> Split {
        var split = Split()
        var columns: [Name: Bool] = [:]
        var counted: Name?
        var hasCluster = false
        for part in parts {
            let words = MySQLTokens.words(part)
            let text = String(decoding: part, as: UTF8.self)
            guard let first = words.first else { continue }
            if let column = MySQLTokens.name(first) {
                columns[column] = words.contains("NOT")
                if words.contains("AUTO_INCREMENT") { counted = column }
                split.kept.append(text)
            } else if let key = Key(words, text) {
                split.keys.append(key)
            } else if let key = ForeignKey(words, text) {
                split.foreignKeys.append(key)
            } else {
                if first == "PRIMARY" {
                    hasCluster = true
                    if let counting = counted, leadingColumns(words).first == counting {
                        counted = nil
                    }
                }
                split.kept.append(text)
            }
        }
        var keptCount = keepsKeys ? split.keys.count : 0
        if !hasCluster,
            let place = split.keys.firstIndex(where: { key in
                let words = MySQLTokens.words(Array(key.sql.utf8))
                return words.first == "UNIQUE"
                    && leadingColumns(words).allSatisfy { columns[$0] == true }
            })
        {
            keptCount = max(keptCount, place + 1)
        }
        if let counted,
            let place = split.keys.firstIndex(where: { key in
                leadingColumns(MySQLTokens.words(Array(key.sql.utf8))).first == counted
            })
        {
            keptCount = max(keptCount, place + 1)
        }
        split.kept += split.keys.prefix(keptCount).map(\.sql)
        split.keys.removeFirst(keptCount)
        return split
    }

    /// The columns in a key's brackets.
    private static func leadingColumns(_ words: [String]) -> [Name] {
        guard let list = words.first(where: { $0.hasPrefix("(") }) else { return [] }
        let inner = Array(list.utf8.dropFirst().dropLast())
        return (MySQLTokens.parts(inner[...]) ?? []).compactMap { part in
            MySQLTokens.words(part).first.flatMap(MySQLTokens.name)
        }
    }
}

extension MySQLTableText.Key {
    fileprivate init?(_ words: [String], _ text: String) {
        let isSpecial = ["UNIQUE", "FULLTEXT", "SPATIAL", "VECTOR"].contains(words[0])
        let place = isSpecial ? 2 : 1
        guard words[place - 1] == "KEY", words.count > place,
            let name = MySQLTokens.name(words[place])
        else { return nil }
        self.init(name: name, sql: text, isFulltext: words[0] == "FULLTEXT")
    }
}

extension MySQLTableText.ForeignKey {
    fileprivate init?(_ words: [String], _ text: String) {
        guard words[0] == "CONSTRAINT", words.count > 4, words[2] == "FOREIGN",
            let name = MySQLTokens.name(words[1]),
            let place = words.firstIndex(of: "REFERENCES"), words.count > place + 1,
            let first = MySQLTokens.name(words[place + 1])
        else { return nil }
        var other = TableName(first)
        if words.count > place + 3, words[place + 2] == ".",
            let table = MySQLTokens.name(words[place + 3])
        {
            other = TableName(schema: first, table)
        }
        self.init(name: name, sql: text, other: other)
    }
}
