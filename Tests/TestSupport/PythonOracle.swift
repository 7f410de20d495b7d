internal import Glibc

/// Python with libraries that nobody here wrote, and the scripts of `fixtures/` for it.
public enum PythonOracle {
    public struct Missing: Error, CustomStringConvertible {
        public let description = "SLUICE_TEST_PYTHON names no Python; scripts/test sets it"
    }

    public static var path: String {
        get throws {
            guard let python = getenv("SLUICE_TEST_PYTHON") else { throw Missing() }
            return String(cString: python)
        }
    }

    /// What a script prints; a test that needs it fails where there is no Python or the script
    /// fails.
    ///
    /// - Parameter script: below `fixtures/`.
    /// - Parameter folder: where the script runs, finds files and leaves its own.
    @discardableResult
    public static func run(
        _ script: String, _ arguments: [String] = [], in folder: ScratchFolder
    ) throws -> String {
        let words = [try path, Repository.fixture(script)] + arguments
        let command = words.map(Shell.quoted).joined(separator: " ")
        return try Shell.output(of: "cd \(Shell.quoted(folder.path)) && \(command)")
    }
}
