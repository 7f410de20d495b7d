import SluiceCore
import SluiceRecords
import TestSupport
import Testing

@testable import SluiceSQLite

@Suite("What AUTOINCREMENT counts in tables that were there before")
struct SQLiteCountersTests {
    private let folder: ScratchFolder
    private let source: String
    private let target: String

    init() throws {
        folder = try ScratchFolder()
        source = folder.path("a.db")
        target = folder.path("b.db")
        try Shell.sqlite(
            source,
            """
            CREATE TABLE used(id INTEGER PRIMARY KEY AUTOINCREMENT, x);
            CREATE TABLE fresh(id INTEGER PRIMARY KEY AUTOINCREMENT);
            CREATE TABLE reset(id INTEGER PRIMARY KEY AUTOINCREMENT);
            CREATE TABLE plain(id INTEGER PRIMARY KEY);
            CREATE TABLE bare(id INTEGER PRIMARY KEY);
            CREATE TABLE stopped(id INTEGER PRIMARY KEY AUTOINCREMENT);
            CREATE TABLE other(id INTEGER PRIMARY KEY AUTOINCREMENT);
            INSERT INTO stopped VALUES(9); INSERT INTO used VALUES(7, 'x'), (50, 'y');
            DELETE FROM used WHERE id = 50;
            INSERT INTO reset VALUES(3); DELETE FROM sqlite_sequence WHERE name = 'reset';
            INSERT INTO plain VALUES(4); INSERT INTO other VALUES(1000);
            """)
    }

    /// Yesterday's tables: other spelling, other rows, other counters; `stopped` does not count here.
    private static let yesterday = """
        CREATE TABLE mine(id INTEGER PRIMARY KEY AUTOINCREMENT); INSERT INTO mine VALUES(8);
        CREATE TABLE Used(id INTEGER PRIMARY KEY AUTOINCREMENT, x); INSERT INTO Used VALUES(900, 'x');
        CREATE TABLE fresh(id INTEGER PRIMARY KEY AUTOINCREMENT); INSERT INTO fresh VALUES(900);
        CREATE TABLE reset(id INTEGER PRIMARY KEY AUTOINCREMENT); INSERT INTO reset VALUES(900);
        CREATE TABLE plain(id INTEGER PRIMARY KEY AUTOINCREMENT); INSERT INTO plain VALUES(900);
        CREATE TABLE bare(id INTEGER PRIMARY KEY AUTOINCREMENT); INSERT INTO bare VALUES(900);
        CREATE TABLE stopped(id INTEGER PRIMARY KEY);
        CREATE TABLE other(id INTEGER PRIMARY KEY AUTOINCREMENT); INSERT INTO other VALUES(5);
        """
    private static let tables: [Name] = ["used", "fresh", "reset", "plain", "bare", "stopped"]

    private func counters() throws -> String {
        try Shell.sqlite(target, "SELECT name, seq FROM sqlite_sequence;")
    }

    @Test("truncate sets each table's counter to the source's, night after night")
    func truncate() throws {
        try Shell.sqlite(target, SQLiteCountersTests.yesterday)
        for night in 1...2 {
            try Migration(
                source: source, target: target, onExisting: .truncate, dataset: "d\(night)",
                only: SQLiteCountersTests.tables
            ).run()
            #expect(try counters() == "mine|8\nother|5\nUsed|50\nplain|4\n")
            // What the application adds by day.
            try Shell.sqlite(
                target, "INSERT INTO Used(x) VALUES('new'); INSERT INTO fresh VALUES(3);")
            #expect(
                try Shell.sqlite(target, "SELECT max(id) FROM Used; SELECT max(id) FROM fresh;")
                    == "51\n3\n")
        }
    }

    @Test("use does so, too, where the tables have been emptied")
    func use() throws {
        try Shell.sqlite(
            target,
            SQLiteCountersTests.yesterday + "DELETE FROM Used; DELETE FROM fresh;"
                + "DELETE FROM reset; DELETE FROM plain; DELETE FROM bare;")
        try Migration(
            source: source, target: target, onExisting: .use, only: SQLiteCountersTests.tables
        ).run()
        #expect(try counters() == "mine|8\nother|5\nUsed|50\nplain|4\n")
    }

    @Test("without the source's schema, and without a table that counts, nothing is set")
    func nothingToSet() throws {
        try Shell.sqlite(target, SQLiteCountersTests.yesterday)
        let survey = try Migration(
            source: source, target: target, onExisting: .truncate, isTrusted: false,
            only: ["used"]
        ).run()
        #expect(survey.steps == [])
        #expect(try counters().contains("Used|900\n"))
        let other = folder.path("c.db")
        try Shell.sqlite(other, "CREATE TABLE used(id INTEGER PRIMARY KEY, x);")
        try Migration(source: source, target: other, onExisting: .use, only: ["used"]).run()
        #expect(
            try Shell.sqlite(
                other, "SELECT count(*) FROM sqlite_schema WHERE name = 'sqlite_sequence';")
                == "0\n")
    }
}
