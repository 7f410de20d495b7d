internal import SluiceCore

/// What a folder holds, read out of an answer to PROPFIND.
struct WebDAVFolder {
    struct Entry {
        /// Decoded, without slashes.
        var name: String
        var isFolder: Bool
        var byteCount: Int
        /// The name that was asked for, not one within it.
        var isItself: Bool
    }

    static let question = """
        <?xml version="1.0" encoding="utf-8"?>
        <D:propfind xmlns:D="DAV:"><D:prop><D:resourcetype/><D:getcontentlength/></D:prop>\
        </D:propfind>
        """

    private(set) var entries: [Entry] = []

    init(_ body: UnsafeRawBufferPointer, url: String) throws(Failure) {
        let path = WebDAVFolder.path(url) ?? ""
        var reader = XMLReader(body)
        guard try reader.next() == .start("multistatus") else { throw XMLReader.malformed }
        while let event = try reader.next() {
            guard event == .start("response") else { continue }
            if let entry = try WebDAVFolder.entry(&reader, below: path) { entries.append(entry) }
        }
    }

    private static func entry(
        _ reader: inout XMLReader, below path: String
    ) throws(Failure) -> Entry? {
        var href: String?
        var isFolder = false
        var byteCount = 0
        var depth = 0
        while let event = try reader.next() {
            switch event {
            case .start("href") where depth == 0: href = try reader.elementText()
            case .start("getcontentlength"): byteCount = Int(try reader.elementText()) ?? 0
            case .start(let name):
                if name == "collection" { isFolder = true }
                depth += 1
            case .text: break
            case .end:
                if depth > 0 {
                    depth -= 1
                    continue
                }
                guard let href, let found = self.path(href) else { return nil }
                let isItself = found == path
                let name = found.utf8.split(separator: UInt8(ascii: "/")).last ?? "".utf8[...]
                return Entry(
                    name: String(Substring(name)), isFolder: isFolder, byteCount: byteCount,
                    isItself: isItself)
            }
        }
        throw XMLReader.malformed
    }

    /// Of a URL or a path, decoded, without the slashes at its end.
    private static func path(_ text: String) -> String? {
        let whole = HTTPURL(text)?.path ?? text
        var path = Substring(whole.utf8.prefix { $0 != UInt8(ascii: "?") })
        while path.utf8.last == UInt8(ascii: "/") { path = path.dropLast() }
        return PercentText.decoded(path)
    }
}

extension WebDAVStore {
    func list(
        _ prefix: String, _ visit: (StoredObject) throws(Failure) -> Bool
    ) throws(Failure) {
        let prefix = try StorePrefix(prefix)
        _ = try list(prefix.folders, nameStart: prefix.nameStart, visit)
    }

    /// Folder by folder, each sorted in passes as `FolderListing` does. False when `visit` has
    /// ended it.
    private func list(
        _ folders: [String], nameStart: String,
        _ visit: (StoredObject) throws(Failure) -> Bool
    ) throws(Failure) -> Bool {
        guard folders.count < StoreKey.depthLimit else { return true }
        let path = folders.map { $0 + "/" }.joined()
        var names = SmallestNames(byteLimit: nameByteLimit)
        repeat {
            names.beginPass()
            try insertNames(of: path, nameStart, into: &names)
            for index in 0..<names.finishPass() {
                let (name, isFolder) = names.name(index)
                if isFolder {
                    guard try list(folders + [name], nameStart: "", visit) else { return false }
                    continue
                }
                let pieces = name.split(separator: "\0")
                guard let name = pieces.first, let byteCount = pieces.last.flatMap({ Int($0) })
                else { continue }
                let object = StoredObject(key: path + name, byteCount: byteCount)
                guard try visit(object) else { return false }
            }
        } while names.hasMore
        return true
    }

    private func insertNames(
        of path: String, _ nameStart: String, into names: inout SmallestNames
    ) throws(Failure) {
        var body = ByteBuffer()
        guard let folder = try properties(path, depth: 1, into: &body) else { return }
        for entry in folder.entries
        where !entry.isItself && StoreKey.isSegment(entry.name)
            && entry.name.utf8.starts(with: nameStart.utf8)
        {
            names.insert(entry.isFolder ? entry.name + "/" : "\(entry.name)\0\(entry.byteCount)")
        }
    }
}
