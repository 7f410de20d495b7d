import CSQLite
import Glibc
import SluiceCore
import SluiceRecords
import TestSupport
import Testing

@testable import SluiceSQLite

@Suite("What goes wrong with a file is said in one clear sentence")
struct SQLiteFailureTests {
    private func export(_ path: String) -> Failure? { failure { _ = try Exported(path) } }

    @Test("a missing file is named and not made")
    func missing() throws {
        let folder = try ScratchFolder()
        let failed = export(folder.path("no.db"))
        #expect(failed?.kind == .usage)
        #expect(
            failed?.description == """
                there is no database file \(folder.path)/no.db
                hint: Check the path; everything behind sqlite: is taken as it is.
                """)
        #expect(!folder.exists("no.db"))
        #expect(failure { _ = try SQLiteSource(path: folder.path("no.db")).identity() } != nil)
        try folder.write([], to: "file")
        #expect(
            export(folder.path("file/x"))?.message
                == "there is no database file \(folder.path)/file/x")
    }

    @Test("a path that is no file is told from one that is missing")
    func noFile() throws {
        let folder = try ScratchFolder()
        #expect(
            export(folder.path)?.description == """
                \(folder.path) is a folder
                hint: Give the path of a SQLite database file.
                """)
        mkfifo(folder.path("pipe"), 0o600)
        #expect(export(folder.path("pipe"))?.message == "\(folder.path)/pipe is no regular file")
        #expect(
            export("")?.description == """
                a SQLite URL needs the path of a file
                hint: Write sqlite:PATH, for example sqlite:app.db.
                """)
        let failed = failure {
            _ = try SQLiteConnection(folder.path("no/b.db"), .create, stop: StopSignal())
        }
        #expect(
            failed?.description == """
                there is no folder \(folder.path)/no for the database \(folder.path)/no/b.db
                hint: Make the folder, or check the path.
                """)
    }

    @Test("a file that is no database is told so")
    func notADatabase() throws {
        let folder = try ScratchFolder()
        try folder.write(Array(repeating: 0x41, count: 5000), to: "a.txt")
        let failed = export(folder.path("a.txt"))
        #expect(failed?.kind == .usage)
        #expect(
            failed?.description == """
                \(folder.path)/a.txt is not a SQLite database, or it is encrypted [SQLITE_NOTADB]
                hint: Check the path.
                """)
    }

    @Test("an empty file is a database without tables")
    func empty() throws {
        let folder = try ScratchFolder()
        try folder.write([], to: "a.db")
        #expect(try Exported(folder.path("a.db")).catalog.tables == [])
    }

    @Test("damaged pages end the export with the way to save the rest")
    func corrupt() throws {
        let folder = try ScratchFolder()
        let path = try folder.database(
            """
            CREATE TABLE t(id INTEGER PRIMARY KEY, v);
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 5000)
                INSERT INTO t SELECT i, hex(i) FROM n;
            """)
        var bytes = try folder.read("a.db")
        for place in 8192..<20000 { bytes[place] = 0xA5 }
        try folder.write(bytes, to: "a.db")
        let failed = export(path)
        #expect(failed?.kind == .failed)
        #expect(failed?.code?.hasPrefix("SQLITE_CORRUPT") == true)
        #expect(failed?.message == "\(path) is damaged: database disk image is malformed")
        #expect(
            failed?.hint
                == "Look at it with sqlite3 and PRAGMA integrity_check; .recover saves what can "
                + "be read."
        )
    }

    @Test("a file or folder without permission is named")
    func permission() throws {
        let folder = try ScratchFolder()
        let path = try folder.database("CREATE TABLE t(v);")
        chmod(folder.path, 0o755)
        chmod(path, 0o000)
        let seen = Monitor<[Failure?]>([])
        withoutRights {
            let first = failure { _ = try Exported(path) }
            seen.change { $0.append(first) }
        }
        chmod(folder.path, 0o700)
        withoutRights {
            let second = failure { _ = try Exported(path) }
            seen.change { $0.append(second) }
        }
        let failures = seen.read { $0 }
        #expect(
            failures[0]?.description == """
                no permission to open \(path) [SQLITE_CANTOPEN]
                hint: Run as a user who may read and write the file and its folder.
                """)
        #expect(
            failures[1]?.description == """
                no permission to look at \(path)
                hint: Run as a user who may read the file and enter its folders.
                """)
    }

    @Test("a WAL that cannot be set up for want of permission is explained")
    func walWithoutFolder() throws {
        let folder = try ScratchFolder()
        let path = try folder.database("PRAGMA journal_mode = wal; CREATE TABLE t(v);")
        chmod(path, 0o444)
        chmod(folder.path, 0o555)
        let seen = Monitor<Failure?>(nil)
        withoutRights {
            let failed = failure { _ = try Exported(path) }
            seen.change { $0 = failed }
        }
        let failed = seen.read { $0 }
        #expect(
            failed?.description == """
                no permission to write into the folder of \(path) [SQLITE_READONLY 1544]
                hint: SQLite keeps its journal there; run as a user who may write the folder.
                """)
    }

    @Test("a full database file is told as missing space")
    func full() throws {
        let folder = try ScratchFolder()
        let path = try folder.database("PRAGMA page_size = 512; CREATE TABLE t(v);")
        let connection = try SQLiteConnection(path, .write, stop: StopSignal())
        let failed = failure {
            try connection.execute(
                "PRAGMA max_page_count = 4; INSERT INTO t VALUES (zeroblob(9999))")
        }
        #expect(
            failed?.description == """
                no space left for \(path) [SQLITE_FULL]
                hint: Make room where the file is, then run the same command again.
                """)
    }

    @Test(
        "every code becomes the kind and the words that fit it",
        arguments: [
            (SQLITE_BUSY, Failure.Kind.unavailable, "a.db is locked by another connection"),
            (SQLITE_LOCKED, .unavailable, "a.db is locked by another connection"),
            (SQLITE_NOTADB, .usage, "a.db is not a SQLite database, or it is encrypted"),
            (SQLITE_CORRUPT, .failed, "a.db is damaged: said"),
            (SQLITE_FULL, .failed, "no space left for a.db"),
            (SQLITE_PERM, .failed, "no permission to open a.db"),
            (SQLITE_CANTOPEN, .failed, "a.db or one of its companions cannot be opened"),
            (SQLITE_READONLY, .failed, "a.db cannot be written"),
            (
                776, .failed,
                "a.db was left unfinished by a crash and cannot be recovered without writing"
            ),
            (1544, .failed, "no permission to write into the folder of a.db"),
            (SQLITE_IOERR, .failed, "the disk or file system failed under a.db"),
            (SQLITE_INTERRUPT, .interrupted, "a statement on a.db was interrupted"),
            (SQLITE_SCHEMA, .failed, "the schema of a.db was changed by another program"),
            (SQLITE_NOMEM, .failed, "no memory for SQLite"),
            (SQLITE_TOOBIG, .failed, "a row or a value is longer than SQLite takes"),
            (SQLITE_MISUSE, .bug, "SQLite was called in the wrong order: said"),
            (SQLITE_CONSTRAINT, .failed, "said"),
        ])
    func codes(code: Int32, kind: Failure.Kind, message: String) {
        let failed = SQLiteFailure.make(
            code, message: "said", path: "a.db", systemError: 0, stop: StopSignal())
        #expect(failed.kind == kind)
        #expect(failed.message == message)
        #expect(failed.isTransient == [SQLITE_BUSY, SQLITE_LOCKED, SQLITE_SCHEMA].contains(code))
    }

    @Test("the system's own error is passed on, and a full disk is one whatever SQLite calls it")
    func systemErrors() {
        func make(_ code: Int32, _ systemError: Int32) -> Failure {
            SQLiteFailure.make(
                code, message: "", path: "a.db", systemError: systemError, stop: StopSignal())
        }
        #expect(
            make(778, EIO).headline
                == "the disk or file system failed under a.db: Input/output error [SQLITE_IOERR "
                + "778]"
        )
        #expect(make(778, ENOSPC).message == "no space left for a.db")
        #expect(
            make(SQLITE_CANTOPEN, EMFILE).message
                == "a.db or one of its companions cannot be opened: Too many open files")
        #expect(make(SQLITE_CANTOPEN, EACCES).message == "no permission to open a.db")
    }

    @Test("names and definitions that are not UTF-8 are refused, with their bytes")
    func names() throws {
        func refused(_ update: String) throws -> Failure? {
            let folder = try ScratchFolder()
            let path = try folder.database(
                """
                CREATE TABLE t(a); CREATE VIEW v AS SELECT 1; PRAGMA writable_schema = 1;
                \(update)
                """)
            return export(path)
        }
        let view = try refused(
            "UPDATE sqlite_schema SET name = CAST(x'76ff' AS TEXT), tbl_name = CAST(x'76ff' AS "
                + "TEXT), "
                + "sql = CAST(x'43524541544520564945572022' || x'76ff' || x'22204153' || ' "
                + "SELECT 1' AS TEXT) "
                + "WHERE name = 'v';")
        #expect(view?.kind == .refused)
        #expect(
            view?.description == """
                the name of a table is not UTF-8: x'76ff'
                hint: Rename it, or leave it out.
                """)
        let definition = try refused(
            "UPDATE sqlite_schema SET sql = sql || CAST(x'202d2dff' AS TEXT) WHERE name = 't';")
        #expect(
            definition?.description == """
                the definition of table t is not UTF-8
                hint: Make it anew in UTF-8, or drop it.
                """)
    }
}
