internal import SluiceCore

/// A view, routine, trigger or event, with the surroundings that it was made in.
struct MySQLCode: Hashable, Sendable {
    let kind: String
    let name: Name
    /// `SET sql_mode = …`; nothing: none are kept.
    let settings: String?
    let sql: String

    /// - Parameter sql: a line with the settings, if any, and the statement.
    /// - Parameter skipsOwners: whoever makes it owns it.
    init(kind: String, name: Name, sql: String, skipsOwners: Bool) {
        self.kind = kind
        self.name = name
        var statement = sql[...]
        var settings: String?
        if sql.hasPrefix("SET "), let line = sql.firstIndex(of: "\n") {
            settings = String(sql[..<line].drop { $0 == ";" })
            statement = sql[sql.index(after: line)...]
        }
        if settings?.hasSuffix(";") == true { settings?.removeLast() }
        self.settings = settings
        self.sql = skipsOwners ? MySQLCode.withoutDefiner(String(statement)) : String(statement)
    }

    /// `app@%` of ``DEFINER=`app`@`%` ``.
    var definer: Name? {
        let words = MySQLTokens.words(Array(sql.utf8.prefix(2048)))
        guard let place = words.firstIndex(of: "DEFINER"), place + 4 < words.count,
            words[place + 1] == "=", let user = MySQLTokens.name(words[place + 2]),
            words[place + 3] == "@", let host = MySQLTokens.name(words[place + 4])
        else { return nil }
        return Name("\(user)@\(host)")
    }

    private static func withoutDefiner(_ sql: String) -> String {
        let bytes = Array(sql.utf8)
        let word = Array("DEFINER=`".utf8)
        guard let start = bytes.prefix(256).firstRange(of: word)?.lowerBound,
            let user = MySQLTokens.stringEnd(bytes, start + word.count - 1),
            user + 1 < bytes.count, bytes[user] == UInt8(ascii: "@"),
            bytes[user + 1] == UInt8(ascii: "`"),
            let host = MySQLTokens.stringEnd(bytes, user + 1)
        else { return sql }
        let rest = bytes[host...].drop { $0 == 0x20 }
        return String(decoding: bytes[..<start] + rest, as: UTF8.self)
    }

    /// The character set that the server is to read the statement in; nothing: Unicode.
    var characterSet: String? {
        guard let settings, !sql.utf8.allSatisfy({ $0 < 0x80 }) else { return nil }
        let words = MySQLTokens.words(Array(settings.utf8))
        guard let place = words.firstIndex(of: "character_set_client"), place + 2 < words.count,
            !words[place + 2].hasPrefix("utf8")
        else { return nil }
        return words[place + 2]
    }

    var drop: MySQLDrop { MySQLDrop(kind: kind, name: name) }
}
