internal import SluiceCore
internal import SluiceRecords

/// Takes back what the ledger says a dataset did: all of it in one transaction, or nothing.
struct PostgresTargetUndo {
    private let dataset: String
    private let connection: PostgresConnection

    init(_ dataset: String, _ connection: PostgresConnection) {
        self.dataset = dataset
        self.connection = connection
    }

    func run() throws(Failure) {
        guard try PostgresLedger.state(on: connection) == .present else { return }
        try connection.inTransaction { () throws(Failure) in
            let rows = try connection.query(
                "SELECT unit, mapped FROM sluice.sluice_ledger WHERE dataset = $1 AND mapped <> ''"
                    + " ORDER BY at, unit", [dataset])
            let units = rows.rows.map { (unit: rows.text($0, 0), sql: rows.text($0, 1)) }
            let drops = units.compactMap { PostgresDrop($0.sql) }
            try PostgresDropping(connection).drop(drops)
            try empty(units.map(\.sql))
            try PostgresLedger.remove(of: dataset, on: connection)
            let isLast = try !connection.boolean(
                "SELECT EXISTS (SELECT FROM sluice.sluice_ledger)")
            if isLast { try connection.execute("DROP TABLE sluice.sluice_ledger") }
        }
    }

    /// Tables that were there before: their rows are ours, they are not.
    private func empty(_ statements: [String]) throws(Failure) {
        let start = "TRUNCATE "
        var tables: [String] = []
        for sql in statements where sql.hasPrefix(start) {
            let table = String(sql.dropFirst(start.count))
            let isHere = try connection.boolean("SELECT to_regclass($1) IS NOT NULL", [table])
            if isHere { tables.append(table) }
        }
        guard !tables.isEmpty else { return }
        try connection.execute("TRUNCATE \(tables.joined(separator: ", "))")
    }
}

extension PostgresDrop {
    /// From what `sql` gives; nothing for any other text.
    init?(_ sql: String) {
        if sql.hasPrefix(PostgresDrop.unlinking), sql.hasSuffix(")") {
            let numbers = sql.dropFirst(PostgresDrop.unlinking.count).dropLast()
            guard
                numbers.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == 0x20 || $0 == 0x2C })
            else { return nil }
            self.init(kind: PostgresDrop.largeObject, identity: String(numbers))
            return
        }
        let text = Array(sql.utf8)
        let isOne = PostgresTokens.statements(in: text + [UInt8(ascii: ";")])?.count == 1
        let middle = " IF EXISTS "
        guard isOne, sql.hasPrefix("DROP "), let place = PostgresDrop.place(of: middle, in: sql)
        else { return nil }
        let kind = String(sql.utf8.prefix(place).dropFirst(5)) ?? ""
        let identity = String(sql.utf8.dropFirst(place + middle.utf8.count)) ?? ""
        guard kind.utf8.allSatisfy({ (0x41...0x5A).contains($0) || $0 == 0x20 }) else { return nil }
        self.init(kind: kind, identity: identity)
    }

    private static func place(of part: String, in text: String) -> Int? {
        let bytes = Array(text.utf8)
        let wanted = Array(part.utf8)
        guard bytes.count > wanted.count else { return nil }
        return (0..<bytes.count - wanted.count).first { place in
            bytes[place..<place + wanted.count].elementsEqual(wanted)
        }
    }
}
