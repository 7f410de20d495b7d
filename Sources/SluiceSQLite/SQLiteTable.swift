internal import CSQLite
internal import SluiceCore
internal import SluiceRecords

/// One column as the file's own catalogue describes it.
struct SQLiteColumn: Hashable, Sendable {
    var name: Name
    var declared: String
    var isStrict: Bool
    var isNotNull: Bool
    /// The DEFAULT as written.
    var defaultText: String?
    /// Its place in the primary key, from 1; 0: not part of it.
    var keyPlace: Int
    var isGenerated: Bool
    /// Nothing where it is BINARY.
    var collation: Name?
    var isAutoincrement: Bool

    var affinity: SQLiteAffinity { SQLiteAffinity(declared: declared, isStrict: isStrict) }
}

/// By what the rows of a table are told apart and cut into chunks.
struct SQLiteKey: Hashable, Sendable {
    enum Form: String, Sendable {
        /// One integer, whatever name it goes by.
        case rowid
        /// The primary key of a WITHOUT ROWID table.
        case primary
        /// Columns hide every name of the rowid.
        case none
    }

    struct Part: Hashable, Sendable {
        var name: Name
        /// Only where it is not the column's own.
        var collation: Name?
        var isDescending: Bool
    }

    var form: Form
    var parts: [Part]
    /// The index that a WITHOUT ROWID table consists of.
    var index: Name?
    /// The rowid is no column of the table: it is carried as a hidden field.
    var isHidden: Bool
}

/// A table's columns and key, read from the connection.
struct SQLiteTable: Hashable, Sendable {
    var name: Name
    var columns: [SQLiteColumn]
    var key: SQLiteKey
    var isStrict: Bool
    var isWithoutRowid: Bool

    /// The columns that rows are stored in.
    var storedColumns: [SQLiteColumn] { columns.filter { !$0.isGenerated } }

    /// Reads what `name` is; the table must exist.
    init(_ name: Name, isWithoutRowid: Bool, isStrict: Bool, on connection: SQLiteConnection)
        throws(Failure)
    {
        self.name = name
        self.isWithoutRowid = isWithoutRowid
        self.isStrict = isStrict
        columns = []
        key = SQLiteKey(form: .none, parts: [], isHidden: false)
        let rows = try connection.prepare("PRAGMA main.table_xinfo(\(name.quoted))")
        while try rows.step() {
            let column = try rows.name(1, of: "a column of \(name)")
            guard let declared = rows.string(2) else {
                throw Failure(
                    .refused, "the type of column \(column) of \(name) is not UTF-8",
                    hint: "Leave the table out, or make it anew with a type in UTF-8.")
            }
            let extra = try SQLiteTable.metadata(of: column, in: name, on: connection)
            columns.append(
                SQLiteColumn(
                    name: column, declared: declared, isStrict: isStrict,
                    isNotNull: rows.integer(3) != 0,
                    defaultText: rows.kind(4) == .null ? nil : rows.string(4),
                    keyPlace: Int(rows.integer(5)), isGenerated: rows.integer(6) >= 2,
                    collation: extra.collation, isAutoincrement: extra.isAutoincrement))
        }
        key = try findKey(on: connection)
    }

    private static func metadata(
        of column: Name, in table: Name, on connection: SQLiteConnection
    ) throws(Failure) -> (collation: Name?, isAutoincrement: Bool) {
        var collation: UnsafePointer<CChar>?
        var autoincrement: Int32 = 0
        try connection.check(
            sqlite3_table_column_metadata(
                connection.handle, "main", table.text, column.text, nil, &collation, nil, nil,
                &autoincrement))
        let name = collation.flatMap { String(validatingCString: $0) }.map { Name($0) }
        return (name?.folded == "binary" ? nil : name, autoincrement != 0)
    }

    private func findKey(on connection: SQLiteConnection) throws(Failure) -> SQLiteKey {
        let index = try primaryIndex(on: connection)
        if isWithoutRowid {
            guard let index else { throw Failure(.bug, "\(name) has neither rowid nor key") }
            let parts = try primaryParts(index, on: connection)
            return SQLiteKey(form: .primary, parts: parts, index: index, isHidden: false)
        }
        // INTEGER PRIMARY KEY is the rowid itself, unless SQLite made an index for it (its DESC
        // quirk).
        let keyed = columns.filter { $0.keyPlace > 0 }
        if keyed.count == 1, index == nil, Name(keyed[0].declared).folded == "integer" {
            let part = SQLiteKey.Part(name: keyed[0].name, isDescending: false)
            return SQLiteKey(form: .rowid, parts: [part], isHidden: false)
        }
        let taken = Set(columns.map(\.name.folded))
        guard let alias = ["rowid", "_rowid_", "oid"].first(where: { !taken.contains($0) }) else {
            return SQLiteKey(form: .none, parts: [], isHidden: false)
        }
        let part = SQLiteKey.Part(name: alias, isDescending: false)
        return SQLiteKey(form: .rowid, parts: [part], isHidden: true)
    }

    private func primaryIndex(on connection: SQLiteConnection) throws(Failure) -> Name? {
        let rows = try connection.prepare("PRAGMA main.index_list(\(name.quoted))")
        while try rows.step() {
            if rows.string(3) == "pk" { return try rows.name(1, of: "an index of \(name)") }
        }
        return nil
    }

    private func primaryParts(
        _ index: Name, on connection: SQLiteConnection
    ) throws(Failure) -> [SQLiteKey.Part] {
        var parts: [SQLiteKey.Part] = []
        let rows = try connection.prepare("PRAGMA main.index_xinfo(\(index.quoted))")
        while try rows.step() {
            guard rows.integer(5) == 1 else { continue }
            let column = try rows.name(2, of: "a key column of \(name)")
            let collation = try rows.name(4, of: "a collation of \(name)").folded
            let own = columns.first { $0.name == column }?.collation?.folded ?? "binary"
            parts.append(
                SQLiteKey.Part(
                    name: column, collation: collation == own ? nil : collation,
                    isDescending: rows.integer(3) != 0))
        }
        return parts
    }

    /// `main."t"` with the words that make SQLite read the table itself and not some index, whose
    /// collation may be unknown here or whose content may be wrong.
    var from: String {
        let hint = key.index.map { "INDEXED BY \($0.quoted)" } ?? "NOT INDEXED"
        return "main.\(name.quoted) \(hint)"
    }
}

extension SQLiteKey {
    /// For the plan's details.
    var json: JSON {
        let parts: [JSON] = parts.map { part in
            [
                "column": .string(part.name.text), "collation": JSON(part.collation?.text),
                "descending": .bool(part.isDescending),
            ]
        }
        return [
            "form": .string(form.rawValue), "parts": .array(parts), "index": JSON(index?.text),
            "hidden": .bool(isHidden),
        ]
    }
}
