internal import Glibc
internal import SluiceCore

/// The files from which MySQL's and MariaDB's own clients take options: `my.cnf`.
///
/// Read by us and not by libmariadb, which lets a file beat what the URL says. Of the groups,
/// `client`, `client-server`, `client-mariadb` and `sluice` count.
enum MySQLOptionFile {
    struct Option: Hashable {
        /// In lower case, with dashes, without `loose-`.
        var name: String
        var value: String
        /// Where it stands, for messages.
        var path: String
    }

    private static let groups: Set<String> = [
        "client", "client-server", "client-mariadb", "sluice",
    ]
    /// Files may include others, which may include others.
    private static let depthLimit = 8
    private static let byteLimit = 1 << 20

    /// Where the clients look, in their order.
    static var usualPaths: [String] {
        var paths = ["/etc/my.cnf", "/etc/mysql/my.cnf"]
        if let folder = getenv("MYSQL_HOME") { paths.append("\(String(cString: folder))/my.cnf") }
        if let home = getenv("HOME") { paths.append("\(String(cString: home))/.my.cnf") }
        return paths
    }

    /// What counts of those files that are there, in order.
    static func options(in paths: [String]) throws(Failure) -> [Option] {
        var options: [Option] = []
        for path in paths where isReadable(path) { try read(path, 0, into: &options) }
        return options
    }

    private static func isReadable(_ path: String) -> Bool { access(path, R_OK) == 0 }

    private static func read(
        _ path: String, _ depth: Int, into options: inout [Option]
    ) throws(Failure) {
        // What anybody may write to, nobody should take a password or a host from.
        var facts = stat()
        guard depth < depthLimit, stat(path, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG,
            facts.st_mode & S_IWOTH == 0
        else { return }
        let text = try contents(path)
        var isOurs = false
        for line in text.split(separator: UInt8(ascii: "\n")) {
            let line = trimmed(line)
            guard let first = line.first, first != UInt8(ascii: "#"), first != UInt8(ascii: ";")
            else { continue }
            if first == UInt8(ascii: "[") {
                let name = line.dropFirst().prefix { $0 != UInt8(ascii: "]") }
                isOurs = groups.contains(String(decoding: trimmed(name), as: UTF8.self))
            } else if first == UInt8(ascii: "!") {
                try include(line, depth, into: &options)
            } else if isOurs {
                options.append(option(line, path))
            }
        }
    }

    private static func include(
        _ line: ArraySlice<UInt8>, _ depth: Int, into options: inout [Option]
    ) throws(Failure) {
        let words = line.split(maxSplits: 1) { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        guard words.count == 2 else { return }
        let path = String(decoding: trimmed(words[1]), as: UTF8.self)
        switch String(decoding: words[0], as: UTF8.self) {
        case "!include": try read(path, depth + 1, into: &options)
        case "!includedir":
            for name in names(in: path) { try read("\(path)/\(name)", depth + 1, into: &options) }
        default: return
        }
    }

    /// The option files in a folder, sorted as the clients sort them.
    private static func names(in path: String) -> [String] {
        guard let folder = opendir(path) else { return [] }
        defer { closedir(folder) }
        var names: [Name] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name.hasSuffix(".cnf") { names.append(Name(name)) }
        }
        return names.sorted().map(\.text)
    }

    private static func contents(_ path: String) throws(Failure) -> [UInt8] {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else {
            throw Failure(.usage, "cannot read \(path)", code: "errno \(errno)")
        }
        defer { close(file) }
        var buffer = ByteBuffer()
        var hasMore = true
        while hasMore, buffer.count < byteLimit {
            buffer.append(upTo: 16 << 10) { room in
                let count = max(Glibc.read(file, room.baseAddress, room.count), 0)
                hasMore = count > 0
                return count
            }
        }
        return buffer.array()
    }

    private static func option(_ line: ArraySlice<UInt8>, _ path: String) -> Option {
        let equals = line.firstIndex(of: UInt8(ascii: "=")) ?? line.endIndex
        var name = String(decoding: trimmed(line[..<equals]), as: UTF8.self).lowercased()
            .replacing("_", with: "-")
        if name.hasPrefix("loose-") { name.removeFirst("loose-".count) }
        return Option(name: name, value: value(trimmed(line[equals...].dropFirst())), path: path)
    }

    private static let escapes: [UInt8: UInt8] = [
        UInt8(ascii: "b"): 8, UInt8(ascii: "t"): 9, UInt8(ascii: "n"): 10, UInt8(ascii: "r"): 13,
        UInt8(ascii: "\\"): UInt8(ascii: "\\"), UInt8(ascii: "s"): UInt8(ascii: " "),
        UInt8(ascii: "'"): UInt8(ascii: "'"), UInt8(ascii: "\""): UInt8(ascii: "\""),
    ]

    /// Quotes around it are not of it, and neither is what stands behind ` #`.
    private static func value(_ text: ArraySlice<UInt8>) -> String {
        var text = text
        if let quote = text.first, quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\""),
            let end = text.dropFirst().lastIndex(of: quote)
        {
            text = text[..<end].dropFirst()
        } else if let mark = text.indices.dropFirst().first(where: {
            text[$0] == UInt8(ascii: "#") && isBlank(text[$0 - 1])
        }) {
            text = trimmed(text[..<mark])
        }
        var output: [UInt8] = []
        while let byte = text.popFirst() {
            guard byte == UInt8(ascii: "\\"), let next = text.first, let meant = escapes[next]
            else {
                output.append(byte)
                continue
            }
            text.removeFirst()
            output.append(meant)
        }
        return String(decoding: output, as: UTF8.self)
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r")
    }

    private static func trimmed(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var text = text.drop(while: isBlank)
        while let last = text.last, isBlank(last) { text.removeLast() }
        return text
    }
}
