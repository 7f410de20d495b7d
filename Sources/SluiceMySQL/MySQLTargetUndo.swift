internal import SluiceCore
internal import SluiceRecords

/// Takes back what the ledger says a dataset did.
///
/// The server ends a transaction at every statement of a schema, so that this cannot be all or
/// nothing: the ledger goes last, and the same call again does what is left.
struct MySQLTargetUndo {
    private let dataset: String
    private let connection: MySQLConnection

    init(_ dataset: String, _ connection: MySQLConnection) {
        self.dataset = dataset
        self.connection = connection
    }

    func run() throws(Failure) {
        guard try MySQLLedger.state(on: connection) == .present else { return }
        let entries = try MySQLLedger.rows(on: connection)
            .filter { $0.dataset == dataset && !$0.mapped.isEmpty }
        let drops = entries.filter { $0.unit.hasPrefix(MySQLUnit.step("")) }
            .compactMap { MySQLDrop($0.mapped) }
        // What reads tables goes before them.
        for drop in drops.sorted(by: { $0.place > $1.place }) {
            // Somebody may have put another kind of thing there, which is not ours.
            guard try MySQLObjects.isOurs(drop, on: connection) else { continue }
            try drop.perform(on: connection)
        }
        for entry in entries where entry.unit.hasPrefix(MySQLUnit.beginPrefix) {
            guard let table = MySQLTargetUndo.truncated(entry.mapped),
                try MySQLObjects.isOurs(MySQLDrop(kind: "TABLE", name: table), on: connection)
            else { continue }
            try MySQLTargetTable.empty(table, on: connection)
        }
        try MySQLLedger.remove(of: dataset, on: connection)
    }

    /// The table in what `begin` wrote down; the ledger is a table that others may write to.
    private static func truncated(_ sql: String) -> Name? {
        let word = "TRUNCATE TABLE "
        guard sql.hasPrefix(word) else { return nil }
        let rest = String(sql.dropFirst(word.count))
        guard let name = MySQLTokens.name(rest), name.quoted == rest else { return nil }
        return name
    }
}

extension MySQLDrop {
    /// Later kinds are made of earlier ones.
    fileprivate var place: Int { MySQLDrop.kinds.firstIndex(of: kind) ?? 0 }
}

extension MySQLObjects {
    /// Whether an object of this kind and name is there.
    static func isOurs(_ drop: MySQLDrop, on connection: MySQLConnection) throws(Failure) -> Bool {
        guard drop.isRelation else { return try has(drop, on: connection) }
        let kind = try connection.text(
            """
            SELECT TABLE_TYPE FROM information_schema.TABLES
            WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = \(drop.name.literal)
            """)
        return kind.map { word($0) == drop.kind.lowercased() } ?? false
    }
}
