import CSQLite
import SluiceCore
import SluiceRecords
import TestSupport
import Testing

@testable import SluiceSQLite

@Suite("A database in UTF-16 arrives unit for unit")
struct SQLiteUTF16Tests {
    /// Texts that SQLite's own way through UTF-8 changes, and some that it does not.
    static let texts: [[UInt16]] = [
        [], [0x41], [0xFFFF], [0xFFFE], [0xFFFE, 0x41], [0xFEFF], [0xFEFF, 0x41],
        [0xFEFF, 0xFFFF], [0xFFFE, 0xFEFF], [0xFEFF, 0xD800], [0xD800], [0xDFFF],
        [0xDC00, 0xD800], [0xD83D, 0x41], [0x61, 0xD83D, 0xD83D, 0xDE00, 0xDE00],
        [0xD83D, 0xDE00], [0xD83F, 0xDFFF], [0x0A], [0x41, 0, 0x42], [0x41, 0, 0xDC00, 0], [0xE9],
        [0x31], [0x31, 0xFFFF], [0xFDD0], [0xEFBF, 0xBEEF], [0x00EF, 0x00BF, 0x00BE], [0xFFFD],
    ]

    static let tables = """
        CREATE TABLE plain(id INTEGER PRIMARY KEY, x, y TEXT NOT NULL, z INT);
        CREATE TABLE keyed(x TEXT PRIMARY KEY, n INT);
        CREATE TABLE tree(x TEXT, y TEXT, n INT, PRIMARY KEY(x DESC, y)) WITHOUT ROWID;
        CREATE TABLE strict(x TEXT, a ANY) STRICT;
        """

    private let folder: ScratchFolder

    init() throws {
        folder = try ScratchFolder()
    }

    /// A database whose tables hold each text: as a value, as the key of a table with rowids and of
    /// one without, and where a table is STRICT.
    private func database(_ name: String, _ encoding: SQLiteEncoding) throws -> String {
        let path = folder.path(name)
        let connection = try SQLiteConnection(path, .create, stop: StopSignal())
        defer { connection.close() }
        try connection.execute(
            "PRAGMA encoding = '\(encoding.rawValue)';" + SQLiteUTF16Tests.tables
                + "CREATE INDEX by_x ON plain(x);")
        for sql in [
            "INSERT INTO plain(x, y, z) VALUES(?1, ?1, CASE WHEN ?1 GLOB '[0-9]' THEN 0 ELSE ?1 END)",
            "INSERT INTO keyed VALUES(?1, 1)",
            "INSERT INTO tree VALUES(?1, ?1, 2), (?1, 'other', 3)",
            "INSERT INTO strict VALUES(?1, ?1)",
        ] {
            let statement = try connection.prepare(sql)
            for text in SQLiteUTF16Tests.texts {
                // The mark in front is taken away by SQLite; the units are this machine's.
                let marked = [0xFEFF] + text
                let code = marked.withUnsafeBytes {
                    sqlite3_bind_text16(
                        statement.handle, 1, $0.baseAddress, Int32($0.count),
                        unsafeBitCast(-1, to: sqlite3_destructor_type.self))
                }
                try #require(code == SQLITE_OK)
                try statement.run()
            }
        }
        return path
    }

    /// Every value as the tool of SQLite's own sees it, in no order of texts.
    private func content(_ path: String) throws -> String {
        try ["plain", "keyed", "tree", "strict"].map { table in
            let columns =
                table == "plain" ? ["x", "y", "z"] : table == "strict" ? ["x", "a"] : ["x", "n"]
            let values = columns.map { "typeof(\($0)), hex(CAST(\($0) AS BLOB))" }
            return try Shell.sqlite(
                path, "SELECT \(values.joined(separator: ", ")) FROM \(table) ORDER BY 2, 4;")
        }.joined(separator: "--\n")
    }

    @Test(
        "the same values, keys and dump, read back as the same records",
        arguments: [SQLiteEncoding.utf16le, .utf16be], [1 << 30, 1])
    func exact(encoding: SQLiteEncoding, chunkBytes: Int) throws {
        let source = try database("a.db", encoding)
        let target = folder.path("b.db")
        try Migration(source: source, target: target, chunkBytes: chunkBytes).run()
        let found = try content(target)
        #expect(found == (try content(source)))
        // The source is what it is meant to be: units in its own order of bytes.
        let bigEndian = encoding == .utf16be
        #expect(
            found.contains(bigEndian ? "text|0061D83DD83DDE00DE00|" : "text|61003DD83DD800DE00DE|"))
        #expect(found.contains(bigEndian ? "text|FEFFFFFF|" : "text|FFFEFFFF|"))
        #expect(try Shell.dump(target) == Shell.dump(source))
        #expect(
            try Shell.sqlite(target, "PRAGMA encoding; PRAGMA integrity_check;")
                == "\(encoding.rawValue)\nok\n")
        #expect(
            try Exported(target).tables.mapValues(\.digest)
                == Exported(source).tables.mapValues(\.digest))
    }

    @Test("a target in UTF-8 holds each half of a character in three bytes, and gives it back")
    func intoUTF8() throws {
        let source = try database("a.db", .utf16le)
        let target = folder.path("b.db")
        try Shell.sqlite(target, SQLiteUTF16Tests.tables)
        try Migration(source: source, target: target, onExisting: .use).run()
        #expect(
            try Shell.sqlite(
                target,
                "SELECT hex(CAST(x AS BLOB)) FROM keyed WHERE hex(x) LIKE 'ED%' ORDER BY hex(x);")
                == "EDA080\nEDA0BD41\nEDB080EDA080\nEDBFBF\n")
        // And back again, into the other order of bytes.
        let back = folder.path("c.db")
        try Shell.sqlite(back, "PRAGMA encoding = 'UTF-16be';" + SQLiteUTF16Tests.tables)
        try Migration(source: target, target: back, onExisting: .use).run()
        let other = try database("d.db", .utf16be)
        #expect(try content(back) == content(other))
    }
}
