internal import Glibc

/// A fresh folder under /tmp that goes away with its owner.
public final class ScratchFolder: Sendable {
    public let path: String

    public init() throws {
        var template = Array("/tmp/sluice-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemError(code: errno) }
        path = template.withUnsafeBufferPointer { text in
            text.baseAddress.map { String(cString: $0) } ?? ""
        }
    }

    deinit { ScratchFolder.remove(path) }

    public func path(_ name: String) -> String { "\(path)/\(name)" }
    public func exists(_ name: String) -> Bool { access(path(name), F_OK) == 0 }

    /// Names of everything in the folder, hidden names included, sorted.
    public func names(in folder: String = "") -> [String] {
        ScratchFolder.names(in: path(folder))
    }

    public func makeFolder(_ name: String) throws {
        guard mkdir(path(name), 0o777) == 0 else { throw SystemError(code: errno) }
    }

    public func write(_ text: String, to name: String) throws {
        try write(Array(text.utf8), to: name)
    }

    public func write(_ bytes: [UInt8], to name: String) throws {
        let number = open(path(name), O_WRONLY | O_CREAT | O_TRUNC, 0o666)
        guard number >= 0 else { throw SystemError(code: errno) }
        defer { close(number) }
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { all in
                Glibc.write(number, all.baseAddress.map { $0 + done }, bytes.count - done)
            }
            guard count > 0 else { throw SystemError(code: errno) }
            done += count
        }
    }

    public func read(_ name: String) throws -> [UInt8] {
        let number = open(path(name), O_RDONLY)
        guard number >= 0 else { throw SystemError(code: errno) }
        defer { close(number) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = Glibc.read(number, &piece, piece.count)
            guard count >= 0 else { throw SystemError(code: errno) }
            if count == 0 { return bytes }
            bytes += piece[..<count]
        }
    }

    private static func names(in path: String) -> [String] {
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
        chmod(path, 0o777)
        if unlink(path) == 0 || errno == ENOENT { return }
        for name in names(in: path) { remove("\(path)/\(name)") }
        rmdir(path)
    }
}

/// What the system said when a test's own file operation failed.
public struct SystemError: Error, CustomStringConvertible {
    public let code: Int32

    public init(code: Int32) {
        self.code = code
    }

    public var description: String { String(cString: strerror(code)) }
}
