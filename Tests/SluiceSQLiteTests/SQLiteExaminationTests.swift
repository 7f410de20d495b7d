import Glibc
import SluiceCore
import SluiceRecords
import TestSupport
import Testing

@testable import SluiceSQLite

@Suite("doctor looks at a file without changing it")
struct SQLiteExaminationTests {
    private func lines(_ path: String) -> [String] {
        SQLiteSource(path: path).examine().map { "\($0.verdict.rawValue): \($0.what)" }
    }

    @Test("a healthy file in WAL mode passes everything")
    func healthy() throws {
        let folder = try ScratchFolder()
        let path = try folder.database("PRAGMA journal_mode = wal; CREATE TABLE t(a);")
        #expect(
            lines(path) == [
                "pass: \(path) is a SQLite database of 2 pages of 4096 bytes in UTF-8",
                "pass: the file can be locked for writing, so that several lanes share a snapshot",
                "pass: in journal mode wal other programs can write while the file is read",
                "pass: the file's pages are in order",
            ])
        #expect(!folder.exists("a.db-wal"))
    }

    @Test("what may hinder an export is said with a remedy")
    func hindrances() throws {
        let folder = try ScratchFolder()
        let path = try folder.database(
            """
            CREATE TABLE p(id INTEGER PRIMARY KEY);
            CREATE TABLE t(a REFERENCES p); INSERT INTO t VALUES (1), (2), (NULL);
            CREATE TABLE sluice_x(a);
            """)
        let writer = try SQLiteConnection(path, .write, stop: StopSignal())
        try writer.execute("BEGIN IMMEDIATE")
        let findings = SQLiteSource(path: path).examine()
        #expect(
            findings.dropFirst().map { "\($0.verdict.rawValue): \($0.what)" } == [
                "warn: another program is writing to the file",
                "warn: in journal mode delete other programs cannot commit while the file is read",
                "warn: table sluice_x is left out: names that begin with sluice are taken for "
                    + "sluice's own",
                "pass: the file's pages are in order",
                "warn: 2 rows refer to rows that are not there",
            ])
        #expect(
            findings[2].remedy
                == "Stop them for the time of the export, or switch to PRAGMA journal_mode = wal.")
        #expect(
            findings[5].remedy
                == "PRAGMA foreign_key_check lists them; a target that enforces foreign keys "
                + "refuses them."
        )
    }

    @Test("a file that is missing, no database or damaged fails")
    func failures() throws {
        let folder = try ScratchFolder()
        #expect(lines(folder.path("x")) == ["fail: there is no database file \(folder.path)/x"])
        try folder.write(Array(repeating: 0x41, count: 5000), to: "text")
        #expect(
            lines(folder.path("text")) == [
                "fail: \(folder.path)/text is not a SQLite database, or it is encrypted "
                    + "[SQLITE_NOTADB]"
            ])
        let path = try folder.database(
            """
            CREATE TABLE t(id INTEGER PRIMARY KEY, v);
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 5000)
                INSERT INTO t SELECT i, hex(i) FROM n;
            """)
        var bytes = try folder.read("a.db")
        for place in 8192..<8292 { bytes[place] = 0xA5 }
        try folder.write(bytes, to: "a.db")
        #expect(lines(path).last?.hasPrefix("fail: the file is damaged: ") == true)
    }

    @Test("a file that may not be written is read by one lane, and doctor says so")
    func readOnly() throws {
        let folder = try ScratchFolder()
        let path = try folder.database("CREATE TABLE t(v);")
        chmod(folder.path, 0o755)
        chmod(path, 0o444)
        let seen = Monitor<[Finding]>([])
        withoutRights {
            let findings = SQLiteSource(path: path).examine()
            seen.change { $0 = findings }
        }
        #expect(
            seen.read { $0 }[1]
                == Finding(
                    .warn, "the file cannot be locked for writing, so that one lane reads it alone",
                    remedy: "Run as a user who may write the file and its folder."))
    }
}
