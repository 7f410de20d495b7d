internal import SluiceCore

/// A key that has passed the grammar every store shares, split where folders need it.
///
/// Segments are printable ASCII, not empty, and do not begin with a dot: no key leaves the store,
/// and what begins with a dot stays free for a store's own leftovers.
struct StoreKey {
    static let depthLimit = 16
    static let segmentByteLimit = 255

    let text: String
    /// The segments before the last one, outermost first.
    let folders: [String]
    let name: String

    init(_ text: String) throws(Failure) {
        var segments = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard segments.count <= StoreKey.depthLimit, segments.allSatisfy(StoreKey.isSegment),
            let name = segments.popLast()
        else { throw StoreKey.illegal(text) }
        self.text = text
        self.name = name
        folders = segments
    }

    static func illegal(_ text: String) -> Failure {
        Failure(
            .failed, "\(JSON.string(text).compact) cannot be a key of a store",
            hint: "Keys are up to 16 names of printable ASCII between slashes, none of which "
                + "begins with a dot.")
    }

    static func isSegment(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { isSegment(UnsafeRawBufferPointer($0)) }
    }

    static func isSegment(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard bytes.count <= segmentByteLimit, let first = bytes.first, first != UInt8(ascii: ".")
        else { return false }
        return bytes.allSatisfy(isSegmentByte)
    }

    /// Backslashes are left out because some filesystems and clients take them for slashes.
    static func isSegmentByte(_ byte: UInt8) -> Bool {
        (0x20...0x7E).contains(byte) && byte != UInt8(ascii: "/") && byte != UInt8(ascii: "\\")
    }
}

/// What a listing is asked for: whole folders, then the beginning of a name.
struct StorePrefix {
    let folders: [String]
    let nameStart: String

    init(_ text: String) throws(Failure) {
        var segments = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        nameStart = segments.popLast() ?? ""
        guard segments.count <= StoreKey.depthLimit, segments.allSatisfy(StoreKey.isSegment),
            nameStart.isEmpty || StoreKey.isSegment(nameStart)
        else { throw StoreKey.illegal(text) }
        folders = segments
    }
}
