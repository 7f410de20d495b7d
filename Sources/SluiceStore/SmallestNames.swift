internal import Glibc
internal import SluiceCore

/// The smallest names of a folder behind those already visited, as many as fit into a limit.
struct SmallestNames: ~Copyable {
    /// Where a name lies in `bytes`: the offset above, the length below.
    private struct Place {
        let packed: UInt64

        init(offset: Int, count: Int) { packed = UInt64(offset) << 16 | UInt64(count) }

        var offset: Int { Int(packed >> 16) }
        var count: Int { Int(packed & 0xFFFF) }
    }

    private let byteLimit: Int
    private var bytes = ByteBuffer()
    private var places: [Place] = []
    /// The last name that has been visited; the pass is after larger ones.
    private var floor = ByteBuffer()
    private var hasFloor = false
    /// The largest name that still fits, once names have been dropped.
    private var ceiling = ByteBuffer()
    /// Whether names were left for another pass.
    private(set) var hasMore = false

    /// - Parameter byteLimit: of names kept; twice that is held meanwhile.
    init(byteLimit: Int) {
        self.byteLimit = byteLimit
    }

    mutating func beginPass() {
        if let last = places.last {
            floor.removeAll()
            floor.append(name(at: last))
            hasFloor = true
        }
        bytes.removeAll()
        places.removeAll(keepingCapacity: true)
        hasMore = false
    }

    mutating func insert(_ name: UnsafeRawBufferPointer, isFolder: Bool) {
        let offset = bytes.count
        bytes.append(name)
        if isFolder { bytes.append(UInt8(ascii: "/")) }
        let place = Place(offset: offset, count: bytes.count - offset)
        let candidate = self.name(at: place)
        if hasFloor, SmallestNames.order(candidate, floor.bytes) <= 0 {
            bytes.truncate(to: offset)
            return
        }
        if hasMore, SmallestNames.order(candidate, ceiling.bytes) > 0 {
            bytes.truncate(to: offset)
            return
        }
        places.append(place)
        if bytes.count > 2 * byteLimit { cut() }
    }

    mutating func insert(_ name: String) {
        var name = name
        name.withUTF8 { insert(UnsafeRawBufferPointer($0), isFolder: false) }
    }

    /// Sorts what was kept; how many names there are.
    mutating func finishPass() -> Int {
        sort()
        if bytes.count > byteLimit { cut() }
        return places.count
    }

    func name(_ index: Int) -> (name: String, isFolder: Bool) {
        let bytes = name(at: places[index])
        let isFolder = bytes.last == UInt8(ascii: "/")
        let name = isFolder ? bytes.dropLast() : bytes[...]
        return (String(decoding: name, as: UTF8.self), isFolder)
    }

    /// Keeps the smallest names that fit into the limit, one at least.
    private mutating func cut() {
        sort()
        var kept = ByteBuffer(capacity: byteLimit)
        var keptPlaces: [Place] = []
        keptPlaces.reserveCapacity(places.count)
        for place in places {
            guard kept.isEmpty || kept.count + place.count <= byteLimit else { break }
            keptPlaces.append(Place(offset: kept.count, count: place.count))
            kept.append(name(at: place))
        }
        hasMore = hasMore || keptPlaces.count < places.count
        swap(&bytes, &kept)
        places = keptPlaces
        ceiling.removeAll()
        if let last = places.last { ceiling.append(name(at: last)) }
    }

    private mutating func sort() {
        let bytes = bytes.bytes
        places.sort { left, right in
            let leftName = UnsafeRawBufferPointer(
                rebasing: bytes[left.offset..<left.offset + left.count])
            let rightName = UnsafeRawBufferPointer(
                rebasing: bytes[right.offset..<right.offset + right.count])
            return SmallestNames.order(leftName, rightName) < 0
        }
    }

    private func name(at place: Place) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(
            rebasing: bytes.bytes[place.offset..<place.offset + place.count])
    }

    /// Negative, zero or positive, as the bytes compare.
    private static func order(
        _ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer
    ) -> Int {
        let shared = min(left.count, right.count)
        if shared > 0, let leftStart = left.baseAddress, let rightStart = right.baseAddress {
            let order = memcmp(leftStart, rightStart, shared)
            if order != 0 { return Int(order) }
        }
        return left.count - right.count
    }
}
