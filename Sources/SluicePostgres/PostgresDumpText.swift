internal import SluiceCore
internal import SluiceRecords

/// What `pg_dump` prints, cut at its entry headers into objects.
///
/// ```
/// --
/// -- Name: orders; Type: TABLE; Schema: public; Owner: shop
/// --
/// ```
///
/// A header counts only outside of quotes. The settings that `pg_dump` makes before its first entry
/// are those of our sessions and are left out; those between entries become part of the entry that
/// they are for. No other command of psql's may occur: the text is sent over libpq.
struct PostgresDumpText {
    private let text: [UInt8]
    private var objects: [SchemaText.Object] = []
    private var settings = PostgresDumpSettings()

    /// The objects, in the order in which they are to be made.
    static func objects(in text: [UInt8]) throws(Failure) -> [SchemaText.Object] {
        var cutter = PostgresDumpText(text)
        try cutter.cut()
        return cutter.objects
    }

    private init(_ text: [UInt8]) {
        self.text = text
    }

    private static let damaged = Failure(
        .failed, "pg_dump's text ends inside a statement",
        hint: "Run pg_dump by itself to see why; is its disk or memory full?")

    private mutating func cut() throws(Failure) {
        var tokens = PostgresTokens(text)
        var header: PostgresDumpHeader?
        var start = 0
        while let token = tokens.next() {
            switch token.kind {
            case .comment:
                guard let next = PostgresDumpHeader(text[token.range]) else { continue }
                try finish(header, start..<token.range.lowerBound)
                header = next
                start = token.range.upperBound
            case .symbol where text[token.range.lowerBound] == UInt8(ascii: "\\"):
                let line = lineEnd(from: token.range.lowerBound)
                try checkCommand(text[token.range.lowerBound..<line])
                // The command is no SQL; what is before it ends here.
                try finish(header, start..<token.range.lowerBound)
                header = nil
                start = line
                tokens = PostgresTokens(text, in: line..<text.count)
            default: break
            }
        }
        guard !tokens.isBroken else { throw PostgresDumpText.damaged }
        try finish(header, start..<text.count)
    }

    private func lineEnd(from place: Int) -> Int {
        text[place...].firstIndex(of: 0x0A) ?? text.count
    }

    /// `\restrict` and `\unrestrict` guard psql against a dump, and say nothing about the database.
    private func checkCommand(_ line: ArraySlice<UInt8>) throws(Failure) {
        let words = line.split(separator: 0x20)
        let command = words.first.map { String(decoding: $0, as: UTF8.self) } ?? ""
        guard words.count == 2, command == "\\restrict" || command == "\\unrestrict" else {
            throw Failure(
                .refused, "pg_dump wrote a command for psql that sluice does not know (\(command))",
                hint: "Is pg_dump newer than this build of sluice?")
        }
    }

    /// The entry that begins with a header, or what stands before the first.
    private mutating func finish(
        _ header: PostgresDumpHeader?, _ range: Range<Int>
    ) throws(Failure) {
        let body = Array(text[range])
        guard let found = PostgresTokens.statements(in: body) else {
            throw PostgresDumpText.damaged
        }
        let inUse = settings
        var statements: [String] = []
        for statement in found {
            let sql = String(decoding: body[statement], as: UTF8.self)
            guard String(validating: body[statement], as: UTF8.self) != nil else {
                throw Failure(.failed, "pg_dump's text is not UTF-8")
            }
            if settings.take(sql) { continue }
            statements.append(sql)
        }
        guard let header else {
            guard statements.allSatisfy(PostgresDumpSettings.isPreamble) else {
                throw Failure(
                    .refused, "pg_dump wrote statements that belong to no entry",
                    hint: "Is pg_dump newer than this build of sluice?")
            }
            return
        }
        guard !statements.isEmpty else { return }
        let table = PostgresStatement(statements[0]).table
        let sql = (inUse.statements + statements + inUse.ends).map { $0 + ";" }.joined(
            separator: "\n")
        objects.append(
            SchemaText.Object(
                kind: header.kind,
                name: TableName(schema: header.schema.map { Name($0) }, Name(header.name)),
                table: table, sql: sql))
    }
}

/// `-- Name: …; Type: …; Schema: …; Owner: …`; names in it have no line ends, whatever they are.
struct PostgresDumpHeader {
    let name: String
    let kind: String
    let schema: String?

    init?(_ comment: ArraySlice<UInt8>) {
        let line = String(decoding: comment, as: UTF8.self)
        guard line.utf8.starts(with: "-- Name: ".utf8) else { return nil }
        let rest = line.dropFirst("-- Name: ".count)
        guard let owner = PostgresDumpHeader.last("; Owner: ", in: rest),
            let schema = PostgresDumpHeader.last("; Schema: ", in: owner.before),
            let kind = PostgresDumpHeader.last("; Type: ", in: schema.before),
            kind.behind.utf8.allSatisfy({ (0x41...0x5A).contains($0) || $0 == 0x20 })
        else { return nil }
        name = String(kind.before)
        self.kind = String(kind.behind)
        self.schema = schema.behind == "-" ? nil : String(schema.behind)
    }

    private static func last(
        _ separator: String, in text: Substring
    ) -> (before: Substring, behind: Substring)? {
        let bytes = Array(text.utf8)
        let wanted = Array(separator.utf8)
        guard bytes.count >= wanted.count else { return nil }
        var place = bytes.count - wanted.count
        while place >= 0 {
            if bytes[place..<place + wanted.count].elementsEqual(wanted) {
                let middle = text.utf8.index(text.startIndex, offsetBy: place)
                let end = text.utf8.index(middle, offsetBy: wanted.count)
                return (text[..<middle], text[end...])
            }
            place -= 1
        }
        return nil
    }
}

/// What `pg_dump` sets between entries: it holds until it is set again, also for entries that
/// another session makes.
private struct PostgresDumpSettings {
    private var tablespace = "''"
    private var accessMethod = "heap"

    /// What an entry needs that the sessions' own settings do not give.
    var statements: [String] {
        var result: [String] = []
        if tablespace != "''" { result.append("SET LOCAL default_tablespace = \(tablespace)") }
        if accessMethod != "heap" {
            result.append("SET LOCAL default_table_access_method = \(accessMethod)")
        }
        return result
    }

    /// Behind the entry, because others are made in the same transaction.
    var ends: [String] {
        var result: [String] = []
        if tablespace != "''" { result.append("SET LOCAL default_tablespace = ''") }
        if accessMethod != "heap" {
            result.append("SET LOCAL default_table_access_method = heap")
        }
        return result
    }

    /// Whether the statement was one of these.
    mutating func take(_ sql: String) -> Bool {
        if let value = PostgresDumpSettings.value(of: "default_tablespace", in: sql) {
            tablespace = value
            return true
        }
        if let value = PostgresDumpSettings.value(of: "default_table_access_method", in: sql) {
            accessMethod = value
            return true
        }
        return false
    }

    private static func value(of name: String, in sql: String) -> String? {
        let start = "SET \(name) = "
        return sql.hasPrefix(start) ? String(sql.dropFirst(start.count)) : nil
    }

    static func isPreamble(_ sql: String) -> Bool {
        sql.hasPrefix("SET ") || sql.hasPrefix("SELECT pg_catalog.set_config(")
    }
}
