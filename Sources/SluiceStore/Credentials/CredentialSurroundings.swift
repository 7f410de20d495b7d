internal import Glibc
internal import SluiceCore

/// Where credentials are looked for: the environment, files, the clock.
struct CredentialSurroundings: Sendable {
    /// An empty variable is how a shell says "not set".
    var variable: @Sendable (String) -> String?
    /// Nothing where the user has none.
    var homeFolder: String?
    /// Seconds since 1970, UTC.
    var now: @Sendable () -> Int = { Clock.wallSeconds }
    var commandTimeLimit: Duration = .seconds(60)

    /// Those of this process.
    static let process = CredentialSurroundings(
        variable: { name in
            guard let value = getenv(name) else { return nil }
            let text = String(cString: value)
            return text.isEmpty ? nil : text
        },
        homeFolder: getenv("HOME").map { String(cString: $0) } ?? accountFolder())

    /// Where the account has its home: cron and services may run without the variable.
    static func accountFolder() -> String? {
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 16 << 10) { words in
            guard let start = words.baseAddress,
                getpwuid_r(geteuid(), &entry, start, words.count, &found) == 0, found != nil,
                let folder = entry.pw_dir
            else { return nil }
            return String(cString: folder)
        }
    }

    /// The path with the home folder in the place of `~`.
    func expanded(_ path: String) -> String {
        guard path.utf8.starts(with: "~/".utf8), let homeFolder else { return path }
        return homeFolder + path.dropFirst()
    }
}

/// Files with secrets, read whole.
enum CredentialFile {
    static let byteLimit = 1 << 20

    /// Nothing when there is no such file.
    static func read(_ path: String) throws(Failure) -> [UInt8]? {
        // Without O_NONBLOCK a pipe of that name would wait for a writer.
        let number = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard number >= 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw failure(errno, path)
        }
        defer { close(number) }
        var facts = stat()
        guard fstat(number, &facts) == 0 else { throw failure(errno, path) }
        guard facts.st_mode & S_IFMT == S_IFREG else {
            throw Failure(
                .usage, "\(path) is not a regular file",
                hint: "Credentials are read from files only; correct the path.")
        }
        var bytes = ByteBuffer(capacity: 4096)
        while bytes.count <= byteLimit {
            let before = bytes.count
            try bytes.append(upTo: 4096) { room throws(Failure) in
                let count = uninterrupted { Glibc.read(number, room.baseAddress, room.count) }
                guard count >= 0 else { throw failure(errno, path) }
                return count
            }
            if bytes.count == before { return bytes.array() }
        }
        throw Failure(
            .usage, "\(path) is longer than \(byteLimit) bytes",
            hint: "This is no file with credentials; correct the path.")
    }

    /// The file as text; nothing when there is none.
    static func text(_ path: String) throws(Failure) -> String? {
        guard let bytes = try read(path) else { return nil }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw Failure(
                .usage, "\(path) is not valid UTF-8", hint: "Save the file again as UTF-8.")
        }
        return text
    }

    private static func failure(_ code: Int32, _ path: String) -> Failure {
        if code == EACCES || code == EPERM {
            return Failure(
                .usage, "permission denied to read \(path)",
                hint: "Does the user that runs sluice own this file?")
        }
        return Failure(.failed, "cannot read \(path)", code: "errno \(code)")
    }
}
