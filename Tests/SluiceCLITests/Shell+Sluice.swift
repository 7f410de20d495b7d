import Glibc
import TestSupport

extension Shell {
    /// Runs the `sluice` that was built with these tests.
    static func sluice(
        _ arguments: [String], environment: [String: String] = [:], in folder: ScratchFolder
    ) throws -> Result {
        let settings = environment.map { "\($0.key)=\(quoted($0.value)) " }.joined()
        let words = ([sluicePath] + arguments).map(quoted).joined(separator: " ")
        return try run("cd \(folder.path) && \(settings)\(words)")
    }

    /// It lies beside the bundle that holds these tests.
    static let sluicePath: String = {
        var path = [CChar](repeating: 0, count: 4096)
        let count = max(0, readlink("/proc/self/exe", &path, path.count))
        let bundle = String(decoding: path[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return bundle[..<(bundle.lastIndex(of: "/") ?? bundle.startIndex)] + "/sluice"
    }()
}
