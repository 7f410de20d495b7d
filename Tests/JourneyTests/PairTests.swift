import TestSupport
import Testing

/// A database of one engine, for a test that goes from any to any.
enum AnyDatabase {
    case sqlite(String, Workspace)
    case postgres(PostgresDatabase)
    case mariadb(MariaDBDatabase)

    /// - Parameter name: of a file, where the engine keeps its databases in files.
    init(_ engine: Engine, _ name: String, in place: Workspace) throws {
        self =
            switch engine {
            case .sqlite: .sqlite("\(name).db", place)
            case .postgres: .postgres(try PostgresDatabase())
            case .mariadb: .mariadb(try MariaDBDatabase())
            }
    }

    enum Engine: String, CaseIterable, Sendable {
        case sqlite
        case postgres
        case mariadb
    }

    var url: String {
        switch self {
        case .sqlite(let name, let place): "sqlite:\(place[name])"
        case .postgres(let database): database.url
        case .mariadb(let database): database.url
        }
    }

    /// The engine's own client, which takes SQL on its standard input.
    private var client: String {
        get throws {
            switch self {
            case .sqlite(let name, let place): "sqlite3 -bail \(Shell.quoted(place[name]))"
            case .postgres(let database):
                try database.command("psql", "-Xq", "-v", "ON_ERROR_STOP=1") + " > /dev/null"
            case .mariadb(let database): try database.command("mariadb", "--binary-mode")
            }
        }
    }

    private var engine: Engine {
        switch self {
        case .sqlite: .sqlite
        case .postgres: .postgres
        case .mariadb: .mariadb
        }
    }

    func makeTables() throws {
        let schema = Shell.quoted(Repository.fixture("pairs/\(engine.rawValue)-schema.sql"))
        try Shell.output(of: "\(client) < \(schema)")
    }

    func fill() throws {
        let rows = Shell.quoted(Repository.fixture("pairs/rows.py"))
        let python = Shell.quoted(try PythonOracle.path)
        let result = try Shell.run(
            "set -o pipefail; \(python) \(rows) \(engine.rawValue) | \(client)", with: "/bin/bash")
        guard result.code == 0 else { throw Program.Problem(result.errors) }
    }

    /// What it holds, in one form for all engines, a line for each row.
    func contents() throws -> [Substring] {
        let script = Shell.quoted(Repository.fixture("pairs/contents.py"))
        let python = Shell.quoted(try PythonOracle.path)
        return try Shell.output(of: "\(python) \(script) \(Shell.quoted(url))").split(
            separator: "\n")
    }

    @discardableResult
    func sql(_ text: String) throws -> String {
        switch self {
        case .sqlite(let name, let place): try place.sql(name, text)
        case .postgres(let database): try database.sql(text)
        case .mariadb(let database): try database.sql(text)
        }
    }
}

/// Every engine into every other: what both can hold arrives as it was, and comes back as it was.
@Suite("A migration from any engine to any other")
struct PairTests {
    private func expectEqual(
        _ found: [Substring], _ expected: [Substring],
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let missing = Set(expected).subtracting(found).map { $0.prefix(400) }
        let extra = Set(found).subtracting(expected).map { $0.prefix(400) }
        #expect(missing.sorted() == [], sourceLocation: sourceLocation)
        #expect(extra.sorted() == [], sourceLocation: sourceLocation)
        #expect(found.count == expected.count, sourceLocation: sourceLocation)
    }

    @Test(
        "brings every value there, and back into the tables it came from",
        arguments: AnyDatabase.Engine.allCases, AnyDatabase.Engine.allCases)
    func thereAndBack(_ from: AnyDatabase.Engine, _ to: AnyDatabase.Engine) throws {
        let place = try Workspace()
        let source = try AnyDatabase(from, "source", in: place)
        try source.makeTables()
        try source.fill()
        let contents = try source.contents()
        #expect(contents.count == 3047)
        let target = try AnyDatabase(to, "target", in: place)
        let there = try place.succeed(
            "run", "--source", source.url, "--store", "file:out", "--target", target.url, "--lanes",
            "2", "--shard-bytes", "16KiB")
        #expect(
            there.text.hasSuffix("verified: the target holds exactly the rows of the snapshot\n"))
        expectEqual(try target.contents(), contents)
        let back = try AnyDatabase(from, "back", in: place)
        try back.makeTables()
        try place.succeed(
            "run", "--source", target.url, "--store", "file:back", "--target", back.url,
            "--on-existing", "use", "--format", "csv")
        expectEqual(try back.contents(), contents)
    }

    private static let differing: [(AnyDatabase.Engine, AnyDatabase.Engine, [String])] = [
        (
            .postgres, .mariadb,
            [
                "column tz becomes a datetime in UTC",
                "column e becomes text, without its list of labels",
            ]
        ),
        (.mariadb, .postgres, ["column e becomes text, without its list of labels"]),
        (.mariadb, .sqlite, ["collation utf8mb4_nopad_bin of k"]),
    ]

    @Test("names in the plan what will differ, and writes nothing", arguments: differing)
    func plan(
        _ from: AnyDatabase.Engine, _ to: AnyDatabase.Engine, _ expected: [String]
    ) throws {
        let place = try Workspace()
        let source = try AnyDatabase(from, "source", in: place)
        try source.makeTables()
        let target = try AnyDatabase(to, "target", in: place)
        let plan = try place.succeed("plan", "--source", source.url, "--target", target.url)
        for line in expected {
            #expect((plan.text + plan.errorText).contains(line), "\(plan.text)\(plan.errorText)")
        }
    }

    /// What a value is that one engine has and the other has not, and what is said of it.
    struct Refused: Sendable, CustomStringConvertible {
        let from: AnyDatabase.Engine
        let to: AnyDatabase.Engine
        let sql: String
        let said: String
        var description: String { "\(from) to \(to): \(said)" }
    }

    private static let refused: [Refused] = [
        Refused(
            from: .mariadb, to: .postgres,
            sql: """
                SET sql_mode = ''; CREATE TABLE t (id int PRIMARY KEY, v date);
                INSERT INTO t VALUES (1, '2024-01-01'), (2, '0000-00-00')
                """, said: "column v cannot keep a date that PostgreSQL does not have"),
        Refused(
            from: .mariadb, to: .sqlite,
            sql: """
                SET sql_mode = ''; CREATE TABLE t (id int PRIMARY KEY, v datetime);
                INSERT INTO t VALUES (1, '2024-01-01'), (2, '2024-02-00')
                """, said: "column v cannot keep a value that its type has no word for"),
        Refused(
            from: .mariadb, to: .postgres,
            sql: """
                CREATE TABLE t (id int PRIMARY KEY, v time);
                INSERT INTO t VALUES (1, '23:00'), (2, '838:59:59')
                """, said: "column v cannot keep a time that PostgreSQL does not have"),
        Refused(
            from: .mariadb, to: .postgres,
            sql: """
                SET sql_mode = ''; CREATE TABLE t (id int PRIMARY KEY, v enum('x', ''));
                INSERT INTO t VALUES (1, ''), (2, 'none of them')
                """,
            said: "column v cannot keep an ENUM's value that is none of its labels"),
        Refused(
            from: .mariadb, to: .sqlite,
            sql: """
                SET sql_mode = ''; CREATE TABLE t (id int PRIMARY KEY, v enum('x', ''));
                INSERT INTO t VALUES (1, ''), (2, 'none of them')
                """, said: "column v cannot keep a value that its type has no word for"),
        Refused(
            from: .mariadb, to: .postgres,
            sql: """
                CREATE TABLE t (id int PRIMARY KEY, v text);
                INSERT INTO t VALUES (1, 'x'), (2, concat('a', char(0)))
                """, said: "column v cannot keep a text with a NUL character"),
        Refused(
            from: .postgres, to: .mariadb,
            sql: """
                CREATE TABLE t (id integer PRIMARY KEY, v date);
                INSERT INTO t VALUES (1, '2024-01-01'), (2, 'infinity')
                """, said: "column v cannot keep "),
        Refused(
            from: .postgres, to: .mariadb,
            sql: """
                CREATE TABLE t (id integer PRIMARY KEY, v timestamptz);
                INSERT INTO t VALUES (1, '2024-01-01'), (2, '0044-03-15 BC')
                """, said: "column v cannot keep "),
        Refused(
            from: .postgres, to: .mariadb,
            sql: """
                CREATE TABLE t (id integer PRIMARY KEY, v double precision);
                INSERT INTO t VALUES (1, 1.5), (2, 'NaN')
                """, said: "column v cannot keep "),
        Refused(
            from: .sqlite, to: .mariadb,
            sql: """
                CREATE TABLE t (id INTEGER PRIMARY KEY, v REAL); INSERT INTO t VALUES (1, 1.5), (2, 9e999)
                """, said: "column v cannot keep "),
    ]

    @Test("refuses by row and column what the other engine has no word for", arguments: refused)
    func refusal(_ value: Refused) throws {
        let place = try Workspace()
        let source = try AnyDatabase(value.from, "source", in: place)
        try source.sql(value.sql)
        let target = try AnyDatabase(value.to, "target", in: place)
        let result = try place.run(
            "run", "--source", source.url, "--store", "file:out", "--target", target.url, "--quiet")
        #expect(result.code == 6, "\(result.errorText)")
        #expect(result.errorText.contains(value.said), "\(result.errorText)")
        #expect(
            result.errorText.contains("while loading row 2 (id = 2) of "), "\(result.errorText)")
        #expect(try target.sql("SELECT count(*) FROM t") == "0\n")
    }
}
