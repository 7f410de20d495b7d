import Glibc

/// The repository's own files, as the tidy tests read them.
struct TidyRepository: Sendable {
    struct Text: Sendable {
        /// From the top of the repository.
        let path: String
        let lines: [Substring]

        var isSource: Bool { path.hasPrefix("Sources/") && path.hasSuffix(".swift") }
        var isSwift: Bool { path.hasSuffix(".swift") }
        var isMarkdown: Bool { path.hasSuffix(".md") }
    }

    let texts: [Text]
    /// Every file and folder, for links.
    let paths: Set<String>

    /// Found from this file's own place, which is in Tests/JourneyTests.
    static let topPath = resolved("\(#filePath)/../../..")
    static let here = TidyRepository(top: topPath)

    private static let folders = ["Sources", "Tests", "docs", "scripts", "fixtures", ".ci"]
    private static let byteLimit = 1 << 20

    init(top: String) {
        var texts: [Text] = []
        var paths: Set<String> = []
        var waiting = TidyRepository.names(in: top)
            .filter { TidyRepository.folders.contains($0) || !$0.hasPrefix(".") }
        let skipped: Set<String> = ["demo", "Package.resolved"]
        waiting.removeAll { skipped.contains($0) }
        while let path = waiting.popLast() {
            paths.insert(path)
            let full = "\(top)/\(path)"
            let names = TidyRepository.names(in: full)
            waiting += names.map { "\(path)/\($0)" }
            if names.isEmpty, let lines = TidyRepository.lines(of: full) {
                texts.append(Text(path: path, lines: lines))
            }
        }
        self.texts = texts.sorted { $0.path < $1.path }
        self.paths = paths
    }

    /// Without `..`, of which the file's own name is not a folder.
    private static func resolved(_ path: String) -> String {
        var segments: [Substring] = []
        for segment in path.split(separator: "/") {
            if segment == ".." { segments.removeLast() } else { segments.append(segment) }
        }
        return "/" + segments.joined(separator: "/")
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
        return names
    }

    /// Nothing for what is no text, and for fixtures that are too large to be one.
    private static func lines(of path: String) -> [Substring]? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 1 << 16)
        while bytes.count <= byteLimit {
            let count = fread(&block, 1, block.count, file)
            if count == 0 { break }
            bytes += block[..<count]
        }
        guard bytes.count <= byteLimit, !bytes.contains(0),
            let text = String(validating: bytes, as: UTF8.self)
        else { return nil }
        return text.split(separator: "\n", omittingEmptySubsequences: false)
    }
}
