internal import CSQLite
internal import SluiceCore

/// One statement of a schema, checked and run.
enum SQLiteSchemaStatement {
    /// Runs the SQL of one object, which must be one statement that makes this object and does
    /// nothing else.
    static func run(
        _ sql: String, _ kind: SQLiteObjectKind, _ name: Name,
        on connection: SQLiteConnection
    ) throws(Failure) {
        let authorizer = SQLiteAuthorizer(.making(kind), on: connection)
        defer { authorizer.end() }
        let object = "\(kind.rawValue) \(name)"
        let statement = try compile(sql, object, authorizer, on: connection)
        let made = authorizer.made
        guard made.count == 1, made[0].kind == kind, made[0].name.folded == name.folded else {
            let found = made.first.map { "makes \($0.kind.rawValue) \($0.name)" } ?? "makes nothing"
            throw refusal(object, "is not what it says: its SQL \(found)")
        }
        // The module's own statements are not the dataset's; it is entered without running it.
        guard kind != .virtualTable else { return }
        try statement.run()
        try probe(kind, made[0], authorizer, on: connection)
    }

    private static func compile(
        _ sql: String, _ object: String, _ authorizer: SQLiteAuthorizer,
        on connection: SQLiteConnection
    ) throws(Failure) -> SQLiteStatement {
        guard !sql.utf8.contains(0) else { throw refusal(object, "has a NUL in its SQL") }
        let compiled: SQLiteStatement
        do {
            compiled = try connection.prepare(sql)
        } catch {
            if let refused = authorizer.refused { throw refusal(object, "may not \(refused)") }
            throw error
        }
        // The statement's own text ends where it does; only a semicolon and blanks may follow.
        guard let own = sqlite3_sql(compiled.handle) else {
            throw refusal(object, "has no SQL")
        }
        let rest = Array(sql.utf8).dropFirst(String(cString: own).utf8.count)
        guard rest.allSatisfy({ $0 == UInt8(ascii: ";") || $0 == 0x20 || (9...13).contains($0) })
        else { throw refusal(object, "holds more than one statement") }
        return compiled
    }

    /// Compiles, without running it, what the object does when it is used: SQLite looks at a
    /// default, a view's query or a trigger's body only then. That it does not compile is no reason
    /// to refuse it; that it may not do what it does is.
    private static func probe(
        _ kind: SQLiteObjectKind, _ made: SQLiteAuthorizer.Made,
        _ authorizer: SQLiteAuthorizer, on connection: SQLiteConnection
    ) throws(Failure) {
        authorizer.work = .using
        for use in uses(of: kind, made, on: connection) {
            do {
                _ = try connection.prepare(use)
            } catch {
                let object = "\(kind.rawValue) \(made.name)"
                if let refused = authorizer.refused {
                    throw refusal(object, "may not \(refused)")
                }
                // SQLite's own rule for functions that no schema may call, which it knows before it
                // asks.
                let unsafe = "unsafe use of "
                if error.message.hasPrefix(unsafe) {
                    throw refusal(object, "may not call \(error.message.dropFirst(unsafe.count))")
                }
            }
        }
    }

    private static func uses(
        of kind: SQLiteObjectKind, _ made: SQLiteAuthorizer.Made, on connection: SQLiteConnection
    ) -> [String] {
        switch kind {
        case .table: return ["INSERT INTO \(made.name.quoted) DEFAULT VALUES"]
        case .view: return ["SELECT * FROM \(made.name.quoted)"]
        case .index, .virtualTable: return []
        case .trigger:
            guard let table = made.table?.quoted else { return [] }
            var uses = ["INSERT INTO \(table) DEFAULT VALUES", "DELETE FROM \(table)"]
            if let rows = try? connection.prepare("SELECT * FROM \(table)") {
                let columns = (0..<rows.columnCount).compactMap { column -> String? in
                    guard let name = sqlite3_column_name(rows.handle, Int32(column)) else {
                        return nil
                    }
                    return Name(String(cString: name)).quoted
                }
                uses.append(
                    "UPDATE \(table) SET "
                        + columns.map { "\($0) = \($0)" }.joined(separator: ", "))
            }
            return uses
        }
    }

    static func refusal(_ object: String, _ what: String) -> Failure {
        Failure(
            .refused, "\(object) of the schema \(what)",
            hint:
                "Leave it out; sluice load without --trust-schema makes what the plans describe.")
    }
}
