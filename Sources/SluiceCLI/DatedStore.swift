internal import SluiceCore
internal import SluiceStore

/// A store seen through a URL with placeholders: only what an export to that URL can have written
/// is listed.
///
/// So that `prune` never sees a dataset of somebody else that lies beside ours.
final class DatedStore: Store {
    private let store: any Store
    private let pattern: [UInt8]

    /// - Parameter pattern: the rest of the URL behind its last slash without a placeholder:
    ///   `app-{date}`.
    init(_ store: any Store, pattern: String) {
        self.store = store
        self.pattern = Array(pattern.utf8) + [UInt8(ascii: "/")]
    }

    var place: String { store.place }
    var facts: StoreFacts { store.facts }
    var traffic: StoreTraffic { store.traffic }

    func put(_ bytes: UnsafeRawBufferPointer, at key: String) throws(Failure) {
        try store.put(bytes, at: key)
    }

    func create(_ bytes: UnsafeRawBufferPointer, at key: String) throws(Failure) -> Bool {
        try store.create(bytes, at: key)
    }

    func get(
        _ key: String, into buffer: inout ByteBuffer, byteLimit: Int
    ) throws(Failure) -> Bool {
        try store.get(key, into: &buffer, byteLimit: byteLimit)
    }

    func get(
        _ range: Range<Int>, of key: String, into buffer: inout ByteBuffer
    ) throws(Failure) -> Bool {
        try store.get(range, of: key, into: &buffer)
    }

    func list(
        _ prefix: String, _ visit: (StoredObject) throws(Failure) -> Bool
    ) throws(Failure) {
        try store.list(prefix) { object throws(Failure) in
            DatedStore.matches(Array(object.key.utf8), pattern) ? try visit(object) : true
        }
    }

    func delete(_ key: String) throws(Failure) { try store.delete(key) }

    /// Whether the key begins with the pattern, digits standing where the placeholders are.
    static func matches(_ key: [UInt8], _ pattern: [UInt8]) -> Bool {
        var rest = key[...]
        var wanted = pattern[...]
        while let next = wanted.first {
            if wanted.starts(with: "{date}".utf8) {
                guard take(&rest, digits: "0000-00-00") else { return false }
                wanted = wanted.dropFirst(6)
            } else if wanted.starts(with: "{time}".utf8) {
                guard take(&rest, digits: "000000") else { return false }
                wanted = wanted.dropFirst(6)
            } else {
                guard rest.popFirst() == next else { return false }
                wanted.removeFirst()
            }
        }
        return true
    }

    private static func take(_ rest: inout ArraySlice<UInt8>, digits form: StaticString) -> Bool {
        for index in 0..<form.utf8CodeUnitCount {
            let wanted = form.utf8Start[index]
            guard let byte = rest.popFirst() else { return false }
            let isDigit = (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            guard wanted == UInt8(ascii: "0") ? isDigit : byte == wanted else { return false }
        }
        return true
    }
}

extension StoreURL {
    /// The location up to the last slash before the first placeholder, and the rest; nothing
    /// without placeholders.
    func splitAtPlaceholder() -> (base: String, pattern: String)? {
        // What stands behind a question mark belongs to the whole URL; a folder's name may have
        // one.
        let query =
            service == .folder ? nil : location.utf8.firstIndex(of: UInt8(ascii: "?"))
        let path = location[..<(query ?? location.endIndex)]
        let items = location[path.endIndex...]
        guard hasPlaceholders, let brace = path.firstRange(of: "{") else { return nil }
        let before = path[..<brace.lowerBound]
        guard let slash = before.utf8.lastIndex(of: UInt8(ascii: "/")) else {
            return (base: ".", pattern: String(path))
        }
        let base = path[..<slash]
        var pattern = String(path[path.utf8.index(after: slash)...])
        while pattern.utf8.last == UInt8(ascii: "/") { pattern.removeLast() }
        return (base: (base.isEmpty ? "/" : String(base)) + String(items), pattern: pattern)
    }
}
