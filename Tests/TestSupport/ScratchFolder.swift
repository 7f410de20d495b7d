internal import Glibc

/// A fresh folder under /tmp that goes away with its owner.
public final class ScratchFolder: Sendable {
    public let path: String

    public init() throws {
        var template = Array("/tmp/sluice-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemError("no scratch folder") }
        path = template.withUnsafeBufferPointer { text in
            text.baseAddress.map { String(cString: $0) } ?? ""
        }
    }

    deinit { ScratchFolder.remove(path) }

    public func path(_ name: String) -> String { "\(path)/\(name)" }
    public func exists(_ name: String) -> Bool { access(path(name), F_OK) == 0 }

    /// Names of everything in the folder, hidden names included, sorted.
    public func names(in folder: String = "") -> [String] {
        ScratchFolder.names(inFolderAt: path(folder))
    }

    public static func names(inFolderAt path: String) -> [String] {
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

    public func makeFolder(_ name: String) throws {
        guard mkdir(path(name), 0o777) == 0 else { throw SystemError("cannot make \(name)") }
    }

    /// Says where the file is.
    @discardableResult
    public func write(_ text: String, to name: String) throws -> String {
        try write(Array(text.utf8), to: name)
    }

    @discardableResult
    public func write(_ bytes: [UInt8], to name: String) throws -> String {
        try FileBytes.write(bytes, to: path(name))
        return path(name)
    }

    public func read(_ name: String) throws -> [UInt8] { try FileBytes.read(path(name)) }

    private static func remove(_ path: String) {
        chmod(path, 0o777)
        if unlink(path) == 0 || errno == ENOENT { return }
        for name in names(inFolderAt: path) { remove("\(path)/\(name)") }
        rmdir(path)
    }
}
