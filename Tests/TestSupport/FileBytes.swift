internal import Glibc

/// Whole files, wherever they are.
public enum FileBytes {
    public static func read(_ path: String) throws -> [UInt8] {
        let number = open(path, O_RDONLY | O_CLOEXEC)
        guard number >= 0 else { throw SystemError("cannot read \(path)") }
        defer { close(number) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = Glibc.read(number, &piece, piece.count)
            guard count >= 0 else { throw SystemError("cannot read \(path)") }
            if count == 0 { return bytes }
            bytes += piece[..<count]
        }
    }

    /// Replaces what is there.
    public static func write(_ bytes: [UInt8], to path: String) throws {
        let number = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        guard number >= 0 else { throw SystemError("cannot write \(path)") }
        defer { close(number) }
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { all in
                Glibc.write(number, all.baseAddress.map { $0 + done }, bytes.count - done)
            }
            guard count > 0 else { throw SystemError("cannot write \(path)") }
            done += count
        }
    }
}

/// What the system said when a test's own call failed.
public struct SystemError: Error, CustomStringConvertible {
    public let description: String

    public init(_ what: String) {
        description = "\(what): \(String(cString: strerror(errno)))"
    }
}
