internal import CSQLite
internal import Glibc
internal import SluiceCore

/// What tells one state of a SQLite file from another without reading it.
enum SQLiteStamp {
    /// Inode, size and times of the file, the same of its WAL, and the counters in the file's
    /// header.
    static func read(_ connection: SQLiteConnection) throws(Failure) -> JSON {
        guard let file = facts(of: connection.path) else {
            throw Failure(
                .failed, "\(connection.path) was removed while it was being opened",
                hint: "Run the same command again when the file is there to stay.")
        }
        var header = [UInt8](repeating: 0, count: 100)
        // Shorter is an empty database, whose header is all zero.
        _ = sluice_sqlite3_read_header(connection.handle, &header, 100)
        return [
            "file": file, "wal": facts(ofWALof: connection.path) ?? .null,
            "change_counter": .int(number(header, at: 24)),
            "page_count": .int(number(header, at: 28)),
            "schema_cookie": .int(number(header, at: 40)),
        ]
    }

    private static func number(_ header: [UInt8], at place: Int) -> Int {
        header[place..<place + 4].reduce(0) { $0 << 8 | Int($1) }
    }

    private static func facts(of path: String) -> JSON? {
        var facts = stat()
        guard stat(path, &facts) == 0 else { return nil }
        return describe(facts).setting("ctime", to: .string(text(facts.st_ctim)))
    }

    private static func describe(_ facts: stat) -> JSON {
        [
            "inode": .string(String(facts.st_ino)), "size": .int(Int(facts.st_size)),
            "mtime": .string(text(facts.st_mtim)),
        ]
    }

    private static func text(_ time: timespec) -> String {
        let nanoseconds = String(time.tv_nsec)
        return "\(time.tv_sec)."
            + String(repeating: "0", count: 9 - nanoseconds.utf8.count) + nanoseconds
    }

    /// An empty WAL is none: opening a database makes one. Its first bytes tell a WAL that was
    /// begun anew, however quickly.
    ///
    /// Its ctime says nothing: opened by root, SQLite gives it the owner of the database, even
    /// where it has that already.
    private static func facts(ofWALof path: String) -> JSON? {
        let path = path + "-wal"
        var facts = stat()
        guard stat(path, &facts) == 0, facts.st_size > 0 else { return nil }
        return describe(facts).setting("header", to: .string(Hexadecimal.string(walHeader(path))))
    }

    /// How many bytes a file has; 0 where there is none.
    static func walByteCount(of path: String) -> Int {
        var facts = stat()
        return stat(path, &facts) == 0 ? Int(facts.st_size) : 0
    }

    /// SQLite's locks are on the database and its -shm, so that a descriptor of the WAL may come
    /// and go.
    private static func walHeader(_ path: String) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 32)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        return Array(bytes.prefix(max(count, 0)))
    }
}
