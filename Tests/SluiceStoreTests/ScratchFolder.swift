import Glibc

/// A fresh folder under /tmp that goes away with its owner.
final class ScratchFolder: Sendable {
    let path: String

    init() throws {
        var template = Array("/tmp/sluice-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemError(code: errno) }
        path = template.withUnsafeBufferPointer { text in
            text.baseAddress.map { String(cString: $0) } ?? ""
        }
    }

    deinit { ScratchFolder.remove(path) }

    func path(_ name: String) -> String { "\(path)/\(name)" }

    /// Names of everything in the folder, hidden names included, sorted.
    func names(in folder: String = "") -> [String] { ScratchFolder.names(in: path(folder)) }

    func write(_ text: String, to name: String) throws {
        let number = open(path(name), O_WRONLY | O_CREAT | O_TRUNC, 0o666)
        guard number >= 0 else { throw SystemError(code: errno) }
        defer { close(number) }
        let bytes = Array(text.utf8)
        guard Glibc.write(number, bytes, bytes.count) == bytes.count else {
            throw SystemError(code: errno)
        }
    }

    func makeFolder(_ name: String) throws {
        guard mkdir(path(name), 0o777) == 0 else { throw SystemError(code: errno) }
    }

    static func names(in path: String) -> [String] {
        guard let stream = opendir(path) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                String(cString: UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self))
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    private static func remove(_ path: String) {
        if unlink(path) == 0 || errno == ENOENT { return }
        for name in names(in: path) { remove("\(path)/\(name)") }
        rmdir(path)
    }
}

struct SystemError: Error, CustomStringConvertible {
    let code: Int32

    var description: String { String(cString: strerror(code)) }
}
