internal import Glibc
internal import SluiceCore
internal import SluiceRecords

/// How a database stores its text; one for the whole file.
enum SQLiteEncoding: String {
    case utf8 = "UTF-8"
    case utf16le = "UTF-16le"
    case utf16be = "UTF-16be"
}

/// Whether text is what it says: SQLite stores any bytes as text.
///
/// A UTF-16 database may hold lone surrogates, which SQLite itself turns into other characters when
/// asked for UTF-8. Records hold such text as `invalid_text` in generalized UTF-8: each lone
/// surrogate in three bytes, as if it were a character. That is one to one, and never valid UTF-8.
enum SQLiteText {
    /// Whether SQLite turns these bytes into the UTF-16 they stand for: it knows no characters
    /// U+FFFE and U+FFFF, nor halves of one.
    static func survivesUTF16(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard UTF8Text.isValid(bytes) else { return false }
        var rest = bytes
        while let start = rest.baseAddress, let found = memchr(start, 0xEF, rest.count) {
            let place = UnsafeRawPointer(found) - start
            if rest.count &- place > 2, rest[place &+ 1] == 0xBF, rest[place &+ 2] >= 0xBE {
                return false
            }
            rest = UnsafeRawBufferPointer(rebasing: rest[(place &+ 1)...])
        }
        return true
    }

    @inline(__always)
    static func isUTF8(_ bytes: UnsafeRawBufferPointer) -> Bool { UTF8Text.isValid(bytes) }

    /// Whether the bytes are UTF-16 without lone surrogates.
    static func isUTF16(_ bytes: UnsafeRawBufferPointer, isBigEndian: Bool) -> Bool {
        var place = 0
        var expectsLow = false
        while place &+ 1 < bytes.count {
            let high = bytes[isBigEndian ? place : place &+ 1]
            let isLow = high & 0xFC == 0xDC
            guard isLow == expectsLow else { return false }
            expectsLow = high & 0xFC == 0xD8
            place &+= 2
        }
        return !expectsLow
    }

    /// Any UTF-16 as generalized UTF-8. A last single byte, which SQLite never keeps, is left out.
    static func generalizedUTF8(
        _ bytes: UnsafeRawBufferPointer, isBigEndian: Bool
    ) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count * 3 / 2)
        var place = 0
        while place + 1 < bytes.count {
            var scalar = unit(bytes, place, isBigEndian)
            place += 2
            if scalar & 0xFC00 == 0xD800, place + 1 < bytes.count {
                let low = unit(bytes, place, isBigEndian)
                if low & 0xFC00 == 0xDC00 {
                    scalar = 0x10000 + (scalar & 0x3FF) << 10 + low & 0x3FF
                    place += 2
                }
            }
            append(scalar, to: &output)
        }
        return output
    }

    /// How many bytes `generalizedUTF8` gives, as long as surrogates stand in pairs.
    static func generalizedCount(_ bytes: UnsafeRawBufferPointer, isBigEndian: Bool) -> Int {
        var count = 0
        var place = 0
        while place &+ 1 < bytes.count {
            switch unit(bytes, place, isBigEndian) {
            case ..<0x80: count &+= 1
            case ..<0x800, 0xD800..<0xE000: count &+= 2
            default: count &+= 3
            }
            place &+= 2
        }
        return count
    }

    @inline(__always)
    private static func unit(
        _ bytes: UnsafeRawBufferPointer, _ place: Int, _ isBigEndian: Bool
    ) -> UInt32 {
        let (first, second) = (UInt32(bytes[place]), UInt32(bytes[place + 1]))
        return isBigEndian ? first << 8 | second : second << 8 | first
    }

    private static func append(_ scalar: UInt32, to output: inout [UInt8]) {
        func more(_ shift: UInt32) -> UInt8 { 0x80 | UInt8(scalar >> shift & 0x3F) }
        switch scalar {
        case ..<0x80: output.append(UInt8(scalar))
        case ..<0x800: output += [0xC0 | UInt8(scalar >> 6), more(0)]
        case ..<0x10000: output += [0xE0 | UInt8(scalar >> 12), more(6), more(0)]
        default: output += [0xF0 | UInt8(scalar >> 18), more(12), more(6), more(0)]
        }
    }

    /// The UTF-16 that `generalizedUTF8` gives these bytes for; nothing where there is none.
    ///
    /// - Parameter isMarked: with a byte order mark in front, which SQLite takes away again.
    static func utf16(
        generalizedUTF8 bytes: UnsafeRawBufferPointer, isBigEndian: Bool, isMarked: Bool = false
    ) -> [UInt8]? {
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count * 2 + 2)
        if isMarked { append(unit: 0xFEFF, isBigEndian, to: &output) }
        let start = output.count
        var place = 0
        while place < bytes.count {
            guard let (scalar, length) = scalar(bytes, place) else { return nil }
            place += length
            if scalar < 0x10000 {
                append(unit: scalar, isBigEndian, to: &output)
            } else {
                append(unit: 0xD800 + (scalar - 0x10000) >> 10, isBigEndian, to: &output)
                append(unit: 0xDC00 + (scalar - 0x10000) & 0x3FF, isBigEndian, to: &output)
            }
        }
        // Two halves of one character side by side would have been that character.
        let isShortest = output.withUnsafeBytes {
            generalizedUTF8(
                UnsafeRawBufferPointer(rebasing: $0[start...]), isBigEndian: isBigEndian
            )
            .elementsEqual(bytes)
        }
        return isShortest ? output : nil
    }

    private static func append(unit: UInt32, _ isBigEndian: Bool, to output: inout [UInt8]) {
        let (high, low) = (UInt8(unit >> 8), UInt8(unit & 0xFF))
        output.append(isBigEndian ? high : low)
        output.append(isBigEndian ? low : high)
    }

    /// One sequence, surrogates admitted; overlong forms are found by writing it again.
    private static func scalar(
        _ bytes: UnsafeRawBufferPointer, _ place: Int
    ) -> (UInt32, length: Int)? {
        let first = UInt32(bytes[place])
        var (scalar, length): (UInt32, Int)
        switch first {
        case ..<0x80: (scalar, length) = (first, 1)
        case 0xC2..<0xE0: (scalar, length) = (first & 0x1F, 2)
        case 0xE0..<0xF0: (scalar, length) = (first & 0x0F, 3)
        case 0xF0..<0xF5: (scalar, length) = (first & 0x07, 4)
        default: return nil
        }
        guard bytes.count - place >= length else { return nil }
        for offset in 1..<max(length, 1) {
            let next = UInt32(bytes[place + offset])
            guard next & 0xC0 == 0x80 else { return nil }
            scalar = scalar << 6 | next & 0x3F
        }
        return scalar <= 0x10FFFF ? (scalar, length) : nil
    }
}
