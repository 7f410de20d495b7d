internal import SluiceCore

/// What an account may do in a database, and see of it: `information_schema` leaves out whatever it
/// may not, and no statement says so.
struct MySQLGrants {
    private struct Grant {
        let privileges: Set<String>
        /// `*.*`, `` `shop`.* `` or `` `shop`.`orders` ``.
        let object: String
    }

    private let grants: [Grant]
    /// It has roles of which the server does not tell what they may.
    private let hasUnknownRoles: Bool
    private let connection: MySQLConnection

    init(_ connection: MySQLConnection) throws(Failure) {
        self.connection = connection
        let rows = try connection.query("SHOW GRANTS")
        let lines = rows.rows.map { rows.text($0, 0) }
        grants = lines.compactMap(MySQLGrants.grant)
        // MariaDB shows what the role in force may, beside what the account may.
        hasUnknownRoles = !connection.flavor.isMariaDB && lines.contains { !$0.contains(" ON ") }
    }

    /// One sentence for all kinds of objects that may be there without being seen.
    func warnings() throws(Failure) -> [String] {
        let database = connection.address.database
        var hidden: [(kind: String, privilege: String)] = []
        for (kind, privilege) in [
            ("tables", "SELECT"), ("triggers", "TRIGGER"), ("events", "EVENT"),
        ] where try !has(privilege, on: database) {
            hidden.append((kind, privilege))
        }
        if try !seesRoutines(database) {
            hidden.append(
                (
                    "routines",
                    connection.flavor.isMariaDB ? "SELECT ON mysql.proc" : "SHOW_ROUTINE ON *.*"
                ))
        }
        guard !hidden.isEmpty else { return [] }
        let kinds = hidden.map(\.kind).joined(separator: ", ")
        let privileges = hidden.map(\.privilege).joined(separator: ", ")
        return [
            "this user may not see all \(kinds); those that it does not see are left out "
                + "(it lacks \(privileges))"
        ]
    }

    /// Those of these privileges that it does not have on every table of the database, as far as
    /// the server tells.
    func lacking(_ privileges: [String]) throws(Failure) -> [String] {
        guard !hasUnknownRoles else { return [] }
        var lacking: [String] = []
        for privilege in privileges
        where try !has(privilege, on: connection.address.database) {
            lacking.append(privilege)
        }
        return lacking
    }

    private func seesRoutines(_ database: String) throws(Failure) -> Bool {
        if try has("SHOW_ROUTINE", on: database) { return true }
        if try has("SHOW CREATE ROUTINE", on: database) { return true }
        guard connection.flavor.isMariaDB else {
            return grants.contains { $0.object == "*.*" && $0.privileges.contains("SELECT") }
        }
        if try has("SELECT", on: "mysql") { return true }
        return grants.contains {
            $0.object == "`mysql`.`proc`" && $0.privileges.contains("SELECT")
        }
    }

    /// On every table of a database.
    private func has(_ privilege: String, on database: String) throws(Failure) -> Bool {
        for grant in grants
        where grant.privileges.contains(privilege) || grant.privileges.contains("ALL PRIVILEGES") {
            if grant.object == "*.*" { return true }
            guard grant.object.hasSuffix(".*"),
                let pattern = MySQLTokens.name(String(grant.object.dropLast(2)))
            else { continue }
            // The name is a pattern, as of LIKE.
            let isMatch = try connection.integer(
                "SELECT \(MySQLQuoting.literal(database)) LIKE \(MySQLQuoting.literal(pattern.text))"
            )
            if isMatch == 1 { return true }
        }
        return false
    }

    /// Nothing for grants of roles, and for those on routines.
    private static func grant(_ text: String) -> Grant? {
        guard text.hasPrefix("GRANT "), let on = text.firstRange(of: " ON ") else { return nil }
        let rest = text[on.upperBound...]
        guard let to = rest.firstRange(of: " TO ") else { return nil }
        let words = text[..<on.lowerBound].dropFirst("GRANT ".count).split(separator: ",")
        return Grant(
            privileges: Set(words.map { String($0.drop { $0 == " " }) }),
            object: String(rest[..<to.lowerBound]))
    }
}
