internal import SluiceCore
internal import SluiceRecords

/// What belongs to a SQLite file but is no object of its schema.
///
/// As `SchemaText.settings`:
///
///     {"page_size":4096, "encoding":"UTF-8", "auto_vacuum":0, "journal_mode":"wal",
///      "user_version":7, "application_id":0,
///      "system_rows":{"sqlite_sequence":[["orders",42]], "sqlite_stat1":[["orders","i","9 1"]]}}
///
/// `encoding` is `UTF-8`, `UTF-16le` or `UTF-16be`; `auto_vacuum` 0, 1 (full) or 2 (incremental).
/// `system_rows` has a member for each of SQLite's own tables that exists, even without rows, and
/// each row has all columns of that table in order, in the form of `SQLiteValue.json`. Rows about
/// our own tables are left out.
struct SQLiteSettings: Hashable, Sendable {
    var pageSize: Int
    var encoding: SQLiteEncoding
    var autoVacuum: Int
    var journalMode: String
    var userVersion: Int
    var applicationID: Int
    /// SQLite's own tables that carry something: AUTOINCREMENT counters and statistics.
    var systemRows: [SystemTable]

    struct SystemTable: Hashable, Sendable {
        var name: Name
        var rows: [[SQLiteValue]]
    }

    /// The tables whose rows are carried, in the order they are written.
    static let systemTables: [Name] = [
        "sqlite_sequence", "sqlite_stat1", "sqlite_stat3", "sqlite_stat4",
    ]

    init(reading connection: SQLiteConnection, names: Set<Name>) throws(Failure) {
        pageSize = try connection.integer("PRAGMA main.page_size") ?? 0
        let encoding = try connection.text("PRAGMA main.encoding") ?? ""
        self.encoding = SQLiteEncoding(rawValue: encoding) ?? .utf8
        autoVacuum = try connection.integer("PRAGMA main.auto_vacuum") ?? 0
        journalMode = try connection.text("PRAGMA main.journal_mode") ?? ""
        userVersion = try connection.integer("PRAGMA main.user_version") ?? 0
        applicationID = try connection.integer("PRAGMA main.application_id") ?? 0
        systemRows = []
        for name in SQLiteSettings.systemTables where names.contains(name) {
            let rows = try SQLiteSettings.rows(of: name, connection)
            systemRows.append(SystemTable(name: name, rows: rows))
        }
    }

    private static func rows(
        of table: Name, _ connection: SQLiteConnection
    ) throws(Failure) -> [[SQLiteValue]] {
        var rows: [[SQLiteValue]] = []
        let statement = try connection.prepare(
            "SELECT * FROM main.\(table.quoted) NOT INDEXED ORDER BY rowid")
        while try statement.step() {
            let row = (0..<statement.columnCount).map { statement.value($0) }
            if case .text(let bytes) = row[0], let text = String(validating: bytes, as: UTF8.self),
                Name(text).isSluice
            {
                continue
            }
            rows.append(row)
        }
        return rows
    }

    var json: JSON {
        let system = systemRows.map { table in
            JSON.Member(table.name.text, .array(table.rows.map { .array($0.map(\.json)) }))
        }
        return [
            "page_size": .int(pageSize), "encoding": .string(encoding.rawValue),
            "auto_vacuum": .int(autoVacuum), "journal_mode": .string(journalMode),
            "user_version": .int(userVersion), "application_id": .int(applicationID),
            "system_rows": .object(system),
        ]
    }

    /// What `json` gives; nothing where a member is missing or of another kind.
    init?(_ json: JSON) {
        guard let pageSize = json["page_size"]?.integer,
            let encoding = json["encoding"]?.text.flatMap(SQLiteEncoding.init(rawValue:)),
            let autoVacuum = json["auto_vacuum"]?.integer,
            let journalMode = json["journal_mode"]?.text,
            let userVersion = json["user_version"]?.integer,
            let applicationID = json["application_id"]?.integer,
            let system = json["system_rows"]?.members
        else { return nil }
        self.pageSize = pageSize
        self.encoding = encoding
        self.autoVacuum = autoVacuum
        self.journalMode = journalMode
        self.userVersion = userVersion
        self.applicationID = applicationID
        systemRows = []
        for member in system {
            let name = Name(member.key)
            guard SQLiteSettings.systemTables.contains(name), let rows = member.value.elements
            else { return nil }
            var parsed: [[SQLiteValue]] = []
            for row in rows {
                guard let values = row.elements?.map({ SQLiteValue($0) }),
                    !values.contains(where: { $0 == nil })
                else { return nil }
                parsed.append(values.compactMap { $0 })
            }
            systemRows.append(SystemTable(name: name, rows: parsed))
        }
    }
}

/// Rows and bytes of tables, guessed from statistics and the range of rowids; for order and
/// progress only.
struct SQLiteEstimates {
    private var guessed: [Name: Int] = [:]
    private var bytesPerRow = 0.0

    init(of tables: [SQLiteTable], _ settings: SQLiteSettings, _ connection: SQLiteConnection)
        throws(Failure)
    {
        let pages = try connection.integer("PRAGMA main.page_count") ?? 0
        let free = try connection.integer("PRAGMA main.freelist_count") ?? 0
        let fileBytes = max(pages - free, 1) * max(settings.pageSize, 1)
        // A row takes at least some bytes, however far apart the rowids are.
        let most = fileBytes / 6
        let counted = SQLiteEstimates.statistics(settings)
        for table in tables {
            var rows = counted[table.name]
            if rows == nil { rows = try SQLiteEstimates.span(table, connection) }
            guessed[table.name] = min(rows ?? 0, most)
        }
        let all = guessed.values.reduce(0) { $0.addingReportingOverflow($1).partialValue }
        bytesPerRow = Double(fileBytes) / Double(max(all, 1))
    }

    func rows(_ table: Name) -> Int { guessed[table] ?? 0 }
    func bytes(_ table: Name) -> Int { Int(Double(rows(table)) * bytesPerRow) }

    private static func statistics(_ settings: SQLiteSettings) -> [Name: Int] {
        var counted: [Name: Int] = [:]
        for row in settings.systemRows.first(where: { $0.name == "sqlite_stat1" })?.rows ?? [] {
            guard row.count >= 3, case .text(let name) = row[0], case .text(let text) = row[2],
                let table = String(validating: name, as: UTF8.self),
                let first = text.split(separator: 0x20).first,
                let rows = Int(String(decoding: first, as: UTF8.self)), rows >= 0
            else { continue }
            counted[Name(table)] = rows
        }
        return counted
    }

    private static func span(
        _ table: SQLiteTable, _ connection: SQLiteConnection
    ) throws(Failure) -> Int {
        guard table.key.form == .rowid else {
            return try connection.integer(
                "SELECT count(*) FROM (SELECT 1 FROM \(table.from) LIMIT 1000)")
                ?? 0
        }
        let name = table.key.parts[0].name.quoted
        let first = try connection.integer("SELECT min(\(name)) FROM \(table.from)")
        let last = try connection.integer("SELECT max(\(name)) FROM \(table.from)")
        guard let first, let last else { return 0 }
        let (span, overflows) = last.subtractingReportingOverflow(first)
        return overflows || span == .max ? .max : span + 1
    }
}
