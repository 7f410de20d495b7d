import Glibc
import SluiceCore
import SluiceRecords

@testable import SluiceSQLite

/// A fresh folder under /tmp that goes away with its owner.
final class ScratchFolder: Sendable {
    let path: String

    init() throws {
        var template = Array("/tmp/sluice-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Failure(.bug, "no scratch folder") }
        path = template.withUnsafeBufferPointer { text in
            text.baseAddress.map { String(cString: $0) } ?? ""
        }
    }

    deinit { ScratchFolder.remove(path) }

    func path(_ name: String) -> String { "\(path)/\(name)" }

    /// Makes a database of these statements and closes it; says where it is.
    @discardableResult
    func database(_ sql: String, name: String = "a.db") throws -> String {
        let connection = try SQLiteConnection(path(name), .create, stop: StopSignal())
        try connection.execute(sql)
        connection.close()
        return path(name)
    }

    func write(_ bytes: [UInt8], to name: String) throws {
        let number = open(path(name), O_WRONLY | O_CREAT | O_TRUNC, 0o666)
        guard number >= 0 else { throw Failure(.bug, "no scratch file") }
        defer { close(number) }
        guard Glibc.write(number, bytes, bytes.count) == bytes.count else {
            throw Failure(.bug, "a scratch file was not written")
        }
    }

    func read(_ name: String) throws -> [UInt8] {
        let number = open(path(name), O_RDONLY)
        guard number >= 0 else { throw Failure(.bug, "no scratch file to read") }
        defer { close(number) }
        var facts = stat()
        fstat(number, &facts)
        var bytes = [UInt8](repeating: 0, count: Int(facts.st_size))
        guard Glibc.read(number, &bytes, bytes.count) == bytes.count else {
            throw Failure(.bug, "a scratch file was not read")
        }
        return bytes
    }

    func exists(_ name: String) -> Bool { access(path(name), F_OK) == 0 }

    private static func remove(_ path: String) {
        chmod(path, 0o777)
        if unlink(path) == 0 || errno == ENOENT { return }
        if let stream = opendir(path) {
            var names: [String] = []
            while let entry = readdir(stream) {
                let name = withUnsafePointer(to: &entry.pointee.d_name) {
                    String(cString: UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self))
                }
                if name != ".", name != ".." { names.append(name) }
            }
            closedir(stream)
            for name in names { remove("\(path)/\(name)") }
        }
        rmdir(path)
    }
}

/// Runs `body` and gives the failure that comes out of it.
func failure(_ body: () throws -> Void) -> Failure? {
    do {
        try body()
        return nil
    } catch {
        return error as? Failure
    }
}

/// Runs `body` as a user without rights, where this process has them all; on a thread of its own,
/// whose user it is.
func withoutRights(_ body: @escaping @Sendable () -> Void) {
    let thread = SluiceCore.Thread {
        if geteuid() == 0 { _ = setfsuid(65534) }
        body()
    }
    thread.join()
}

// Glibc's module leaves <sys/fsuid.h> out.
@_silgen_name("setfsuid") private func setfsuid(_ user: UInt32) -> Int32
