/// Whether bytes are UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF.
public enum UTF8Text {
    @inlinable
    public static func isValid(_ text: UnsafeRawBufferPointer) -> Bool {
        var place = 0
        while place < text.count {
            // Most text is ASCII: eight bytes at a time.
            if text.count &- place >= 8,
                text.loadUnaligned(fromByteOffset: place, as: UInt64.self) & 0x8080_8080_8080_8080
                    == 0
            {
                place &+= 8
                continue
            }
            if text[place] < 0x80 {
                place &+= 1
                continue
            }
            // Text of another script is seldom mixed: stay here until it ends.
            repeat {
                let length = sequenceLength(text, at: place)
                guard length > 0 else { return false }
                place &+= length
            } while place < text.count && text[place] >= 0x80
        }
        return true
    }

    /// How many bytes the character takes that begins here and is not ASCII; 0 where there is
    /// none.
    @inlinable
    static func sequenceLength(_ text: UnsafeRawBufferPointer, at place: Int) -> Int {
        let rest = text.count &- place
        let first = text[place]
        guard rest >= 2 else { return 0 }
        let second = text[place &+ 1]
        guard second & 0xC0 == 0x80 else { return 0 }
        switch first {
        case 0xC2...0xDF: return 2
        case 0xE0...0xEF:
            guard rest >= 3, text[place &+ 2] & 0xC0 == 0x80 else { return 0 }
            // E0 would be overlong below A0, ED a surrogate from A0 on.
            if first == 0xE0 { return second >= 0xA0 ? 3 : 0 }
            if first == 0xED { return second < 0xA0 ? 3 : 0 }
            return 3
        case 0xF0...0xF4:
            guard rest >= 4, text[place &+ 2] & 0xC0 == 0x80, text[place &+ 3] & 0xC0 == 0x80
            else { return 0 }
            if first == 0xF0 { return second >= 0x90 ? 4 : 0 }
            if first == 0xF4 { return second < 0x90 ? 4 : 0 }
            return 4
        default: return 0
        }
    }
}
