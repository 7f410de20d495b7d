internal import CSQLite
internal import SluiceCore
internal import SluiceRecords

/// Decides what a statement of a dataset's schema may do: make the one object it says, and nothing
/// else.
///
/// SQLite asks it while it compiles. What is not on the list is refused, so that a new SQLite's new
/// abilities are too.
final class SQLiteAuthorizer {
    /// What is compiled at this moment.
    enum Work {
        /// A statement of the schema, which makes an object of this kind.
        case making(SQLiteObjectKind)
        /// A statement of our own, that compiles what the made object's SQL will do when somebody
        /// uses it.
        case using
    }

    struct Made: Equatable {
        var kind: SQLiteObjectKind
        var name: Name
        /// The table of an index or trigger.
        var table: Name?
    }

    var work: Work
    /// What the statements compiled so far make.
    private(set) var made: [Made] = []
    /// The first thing that was not allowed: `attach a database`.
    private(set) var refused: String?
    private let connection: SQLiteConnection

    /// From here until `end` the connection compiles nothing else than what `work` allows.
    init(_ work: Work, on connection: SQLiteConnection) {
        self.work = work
        self.connection = connection
        sqlite3_set_authorizer(
            connection.handle,
            { argument, action, first, second, database, _ in
                guard let argument else { return SQLITE_DENY }
                let authorizer = Unmanaged<SQLiteAuthorizer>.fromOpaque(argument)
                return authorizer.takeUnretainedValue().decide(
                    action, text(first), text(second), text(database))
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    /// Must be called before this goes.
    func end() {
        sqlite3_set_authorizer(connection.handle, nil, nil)
    }

    private func decide(
        _ action: Int32, _ first: String?, _ second: String?, _ database: String?
    ) -> Int32 {
        let isAllowed =
            switch work {
            case .making(let kind): mayMake(kind, action, first, second, database)
            case .using: mayUse(action, first, second)
            }
        if isAllowed { return SQLITE_OK }
        if refused == nil {
            refused = SQLiteAuthorizer.describe(action, first, second, database)
        }
        return SQLITE_DENY
    }

    private func mayMake(
        _ kind: SQLiteObjectKind, _ action: Int32, _ first: String?, _ second: String?,
        _ database: String?
    ) -> Bool {
        if action == SQLITE_FUNCTION { return SQLiteAuthorizer.isHarmless(function: second) }
        guard database == "main" else { return false }
        switch action {
        case SQLITE_CREATE_TABLE:
            // SQLite makes its own table of counters with the first AUTOINCREMENT table.
            if first == "sqlite_sequence", !made.isEmpty { return kind == .table }
            return note(.table, first, nil, wanted: kind)
        case SQLITE_CREATE_VTABLE: return note(.virtualTable, first, nil, wanted: kind)
        case SQLITE_CREATE_VIEW: return note(.view, first, nil, wanted: kind)
        case SQLITE_CREATE_TRIGGER: return note(.trigger, first, second, wanted: kind)
        case SQLITE_CREATE_INDEX:
            // Those behind a table's own PRIMARY KEY and UNIQUE.
            if kind == .table { return first?.hasPrefix("sqlite_autoindex_") == true }
            return note(.index, first, second, wanted: kind)
        case SQLITE_REINDEX: return kind == .index
        // A column that an index, a CHECK or a generated column names.
        case SQLITE_READ: return true
        // The entry in the schema itself; whether the text may say so on its own is SQLite's
        // business: it does not.
        case SQLITE_INSERT, SQLITE_UPDATE:
            return first == "sqlite_master" || first == "sqlite_schema"
        default: return false
        }
    }

    private func note(
        _ kind: SQLiteObjectKind, _ name: String?, _ table: String?, wanted: SQLiteObjectKind
    ) -> Bool {
        guard let name else { return false }
        made.append(Made(kind: kind, name: Name(name), table: table.map { Name($0) }))
        return kind == wanted && made.count == 1
    }

    private func mayUse(_ action: Int32, _ first: String?, _ second: String?) -> Bool {
        switch action {
        case SQLITE_FUNCTION: SQLiteAuthorizer.isHarmless(function: second)
        case SQLITE_SELECT, SQLITE_READ, SQLITE_INSERT, SQLITE_UPDATE, SQLITE_DELETE,
            SQLITE_RECURSIVE:
            true
        // FTS5 asks this of itself when a trigger writes to it.
        case SQLITE_PRAGMA: first == "data_version" && second == nil
        default: false
        }
    }

    /// Functions that reach beyond the database, or into the process.
    private static let harmful: Set<String> = [
        "load_extension", "fts3_tokenizer", "readfile", "writefile", "edit", "lsmode", "fsdir",
        "sqlite_attach", "sqlite_detach", "sqlite_rename_table", "sqlite_rename_column",
        "sqlite_drop_column", "sqlite_add_constraint", "eval", "shell_add_schema",
        "shell_module_schema", "shell_putsnl", "icu_load_collation", "zipfile",
    ]

    private static func isHarmless(function: String?) -> Bool {
        guard let function else { return false }
        return !harmful.contains(Name(function).folded.text)
    }

    /// What was refused, as the end of "may not …".
    private static func describe(
        _ action: Int32, _ first: String?, _ second: String?, _ database: String?
    ) -> String {
        let name = first ?? ""
        let place = database == "main" || database == nil ? "" : " in \(database ?? "")"
        return switch action {
        case SQLITE_ATTACH: "attach a database"
        case SQLITE_DETACH: "detach a database"
        case SQLITE_PRAGMA: "run PRAGMA \(name)"
        case SQLITE_FUNCTION: "call \(second ?? "")()"
        case SQLITE_SELECT: "read rows"
        case SQLITE_READ: "read table \(name)\(place)"
        case SQLITE_INSERT: "insert into table \(name)\(place)"
        case SQLITE_UPDATE: "update table \(name)\(place)"
        case SQLITE_DELETE: "delete from table \(name)\(place)"
        case SQLITE_CREATE_TABLE, SQLITE_CREATE_TEMP_TABLE: "make table \(name)\(place)"
        case SQLITE_CREATE_VTABLE: "make virtual table \(name)\(place)"
        case SQLITE_CREATE_INDEX, SQLITE_CREATE_TEMP_INDEX: "make index \(name)\(place)"
        case SQLITE_CREATE_VIEW, SQLITE_CREATE_TEMP_VIEW: "make view \(name)\(place)"
        case SQLITE_CREATE_TRIGGER, SQLITE_CREATE_TEMP_TRIGGER: "make trigger \(name)\(place)"
        case SQLITE_DROP_TABLE, SQLITE_DROP_VTABLE: "drop table \(name)"
        case SQLITE_DROP_INDEX: "drop index \(name)"
        case SQLITE_DROP_VIEW: "drop view \(name)"
        case SQLITE_DROP_TRIGGER: "drop trigger \(name)"
        case SQLITE_ALTER_TABLE: "alter table \(second ?? "")"
        case SQLITE_TRANSACTION: "run \(name)"
        case SQLITE_SAVEPOINT: "run SAVEPOINT"
        case SQLITE_ANALYZE: "run ANALYZE"
        case SQLITE_REINDEX: "run REINDEX"
        default: "do action \(action)"
        }
    }
}

private func text(_ pointer: UnsafePointer<CChar>?) -> String? {
    pointer.map { String(cString: $0) }
}
