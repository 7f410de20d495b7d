/// Bytes that mean themselves in what is sent to servers: neither control characters nor single
/// quotes nor backslashes. Most texts have no others.
public enum PlainBytes {
    /// How many there are in front, in whole eights or all of them; some more may follow.
    @inlinable
    @inline(__always)
    public static func count(_ text: UnsafeRawBufferPointer) -> Int {
        var place = 0
        while place &+ 8 <= text.count {
            if mayBeSpecial(text.loadUnaligned(fromByteOffset: place, as: UInt64.self)) {
                return place
            }
            place &+= 8
        }
        guard place > 0, place < text.count else { return place }
        // The last eight overlap those before.
        let last = text.loadUnaligned(fromByteOffset: text.count &- 8, as: UInt64.self)
        return mayBeSpecial(last) ? place : text.count
    }

    /// Whether one of eight bytes is a control character, a single quote or a backslash.
    @inlinable
    @inline(__always)
    static func mayBeSpecial(_ bytes: UInt64) -> Bool {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let quotes = bytes ^ (ones &* 0x27)
        let slashes = bytes ^ (ones &* 0x5C)
        let found =
            (bytes &- ones &* 0x20) & ~bytes | (quotes &- ones) & ~quotes
            | (slashes &- ones) & ~slashes
        return found & (ones &* 0x80) != 0
    }
}
