internal import Glibc
internal import SluiceCore

/// A database's path on disk, without opening it: a second descriptor of ours would drop SQLite's
/// locks when it is closed.
enum SQLiteFile {
    /// The path in a form that SQLite takes as a path: Debian's build would take `file:…` for a URI
    /// and `:memory:` for no file at all.
    static func plain(_ path: String) -> String {
        path.utf8.first == UInt8(ascii: "/") ? path : "./" + path
    }

    /// Throws a clear sentence for what SQLite would call "unable to open database file".
    static func check(_ path: String, mayBeMissing: Bool) throws(Failure) {
        guard !path.isEmpty, !path.utf8.contains(0) else {
            throw Failure(
                .usage, "a SQLite URL needs the path of a file",
                hint: "Write sqlite:PATH, for example sqlite:app.db.")
        }
        var facts = stat()
        guard stat(path, &facts) == 0 else {
            let code = errno
            if code == ENOENT, mayBeMissing { return try checkFolder(of: path) }
            throw unreachable(path, code)
        }
        guard facts.st_mode & S_IFMT == S_IFREG else {
            let isFolder = facts.st_mode & S_IFMT == S_IFDIR
            throw Failure(
                .usage, "\(path) is \(isFolder ? "a folder" : "no regular file")",
                hint: "Give the path of a SQLite database file.")
        }
    }

    private static func checkFolder(of path: String) throws(Failure) {
        let folder = folder(of: path)
        var facts = stat()
        guard stat(folder, &facts) == 0 else {
            throw Failure(
                .usage, "there is no folder \(folder) for the database \(path)",
                hint: "Make the folder, or check the path.")
        }
    }

    private static func unreachable(_ path: String, _ code: Int32) -> Failure {
        switch code {
        case ENOENT, ENOTDIR:
            Failure(
                .usage, "there is no database file \(path)",
                hint: "Check the path; everything behind sqlite: is taken as it is.")
        case EACCES:
            Failure(
                .failed, "no permission to look at \(path)",
                hint: "Run as a user who may read the file and enter its folders.")
        default:
            Failure(.failed, "\(path) cannot be reached: \(systemText(code))")
        }
    }

    /// The folder that holds the file, as a path.
    static func folder(of path: String) -> String {
        let bytes = Array(path.utf8)
        guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return "." }
        return slash == 0 ? "/" : String(decoding: bytes[..<slash], as: UTF8.self)
    }

    /// The one absolute path of the file, links resolved; nothing where there is none.
    static func realPath(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(validatingCString: resolved)
    }

    /// The system's words for an error number.
    static func systemText(_ code: Int32) -> String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard strerror_r(code, &buffer, buffer.count) == 0 else { return "error \(code)" }
        return buffer.withUnsafeBufferPointer { text in
            text.baseAddress.map { String(cString: $0) } ?? ""
        }
    }
}
