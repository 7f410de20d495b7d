import TestSupport
import Testing

/// An account of the test's own, with the password `secret`.
final class MySQLAccount {
    let name = RealServer.newPrefix().replacing("-", with: "_")

    init() throws {
        try MariaDBServer.primary.sql("CREATE USER \(name) IDENTIFIED BY 'secret'")
    }

    deinit { _ = try? MariaDBServer.primary.sql("DROP USER \(name)") }

    func grant(_ privileges: String) throws {
        try MariaDBServer.primary.sql("GRANT \(privileges) TO \(name)")
    }

    func url(_ database: MariaDBDatabase) throws -> String {
        try database.server.url(database.name, user: "\(name):secret")
    }
}

/// What an account that may little does, and what it says of what it cannot see.
@Suite("An account of MariaDB with few privileges")
struct MySQLPrivilegeTests {
    private static let sequences =
        "warning: sequences are in no snapshot; their values are those of the moment\n"

    @Test("is told what may be there without being seen, and nothing once it sees all")
    func visibility() throws {
        let place = try MySQLPlace("every-object.sql")
        let account = try MySQLAccount()
        // A database's name is a pattern in a grant, and a backslash takes that back.
        let database = "`\(place.source.name.replacing("_", with: "\\_"))`"
        try account.grant("SELECT, LOCK TABLES, SHOW VIEW ON \(database).*")
        func export(_ store: String) throws -> String {
            let result = try place.place.run(
                "export", "--source", account.url(place.source), "--store", "file:\(store)",
                "--quiet")
            #expect(result.code == 0, "\(result.errorText)")
            #expect(!result.errorText.contains("secret"))
            return result.errorText
        }
        #expect(
            try export("a") == Self.sequences + """
                warning: this user may not see all triggers, events, routines; those that it does not see are left out \
                (it lacks TRIGGER, EVENT, SELECT ON mysql.proc)

                """)
        try account.grant("EVENT, TRIGGER ON \(database).*")
        try account.grant("SELECT ON mysql.proc")
        #expect(try export("b") == Self.sequences)
        try place.succeed("load", "--trust-schema", store: "file:b")
        try place.expectEqual()
    }

    @Test("is told that tables may be missing where it sees some alone")
    func tables() throws {
        let place = try MySQLPlace()
        try place.source.sql(
            "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY)")
        let account = try MySQLAccount()
        try account.grant("SELECT ON \(place.source.name).a")
        try account.grant("TRIGGER, EVENT, LOCK TABLES ON \(place.source.name).*")
        try account.grant("SELECT ON mysql.proc")
        let result = try place.place.run(
            "export", "--source", account.url(place.source), "--store", "file:out", "--lanes", "1",
            "--quiet", "--tables", "a")
        #expect(result.code == 0, "\(result.errorText)")
        #expect(
            result.errorText == """
                warning: this user may not see all tables; those that it does not see are left out (it lacks SELECT)

                """)
    }
}
