internal import SluiceCore

/// How a database stores its text; one for the whole file.
enum SQLiteEncoding: String {
    case utf8 = "UTF-8"
    case utf16le = "UTF-16le"
    case utf16be = "UTF-16be"
}

/// Whether text is what it says: SQLite stores any bytes as text.
enum SQLiteText {
    /// Whether the bytes are UTF-8: shortest forms, no surrogates, nothing above U+10FFFF.
    @inline(__always)
    static func isUTF8(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var place = 0
        let count = bytes.count
        while place &+ 8 <= count {
            let word = bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self)
            guard word & 0x8080_8080_8080_8080 == 0 else { return isUTF8(bytes, from: place) }
            place &+= 8
        }
        while place < count {
            guard bytes[place] < 0x80 else { return isUTF8(bytes, from: place) }
            place &+= 1
        }
        return true
    }

    /// The table of well-formed sequences of the Unicode standard, from a place between two characters.
    private static func isUTF8(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Bool {
        var place = start
        let count = bytes.count
        while place < count {
            let first = bytes[place]
            place &+= 1
            if first < 0x80 { continue }
            var more = 1
            var second: ClosedRange<UInt8> = 0x80...0xBF
            switch first {
            case 0xC2...0xDF: break
            case 0xE0: (more, second) = (2, 0xA0...0xBF)
            case 0xED: (more, second) = (2, 0x80...0x9F)
            case 0xE1...0xEF: more = 2
            case 0xF0: (more, second) = (3, 0x90...0xBF)
            case 0xF4: (more, second) = (3, 0x80...0x8F)
            case 0xF1...0xF3: more = 3
            default: return false
            }
            guard count &- place >= more, second.contains(bytes[place]) else { return false }
            for offset in 1..<max(more, 1) where bytes[place &+ offset] & 0xC0 != 0x80 {
                return false
            }
            place &+= more
        }
        return true
    }

    /// Whether the bytes are UTF-16 without lone surrogates, which SQLite would turn into other characters.
    static func isUTF16(_ bytes: UnsafeRawBufferPointer, isBigEndian: Bool) -> Bool {
        guard bytes.count.isMultiple(of: 2) else { return false }
        var place = 0
        var expectsLow = false
        while place < bytes.count {
            let high = bytes[isBigEndian ? place : place &+ 1]
            let isLow = high & 0xFC == 0xDC
            guard isLow == expectsLow else { return false }
            expectsLow = high & 0xFC == 0xD8
            place &+= 2
        }
        return !expectsLow
    }
}
