internal import SluiceCore

/// The words of SQL as the server prints it: quotes, brackets and comments are looked at, nothing
/// else is understood.
enum MySQLTokens {
    /// The place behind the string or quoted name that begins at `start`; nothing where it does not
    /// end.
    static func stringEnd(_ bytes: [UInt8], _ start: Int) -> Int? {
        let quote = bytes[start]
        var place = start + 1
        while place < bytes.count {
            if bytes[place] == UInt8(ascii: "\\"), quote != UInt8(ascii: "`") {
                place += 2
            } else if bytes[place] == quote {
                guard place + 1 < bytes.count, bytes[place + 1] == quote else { return place + 1 }
                place += 2
            } else {
                place += 1
            }
        }
        return nil
    }

    static func isQuote(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "`")
    }

    /// The place of the bracket that closes the one at `start`.
    static func bracketEnd(_ bytes: [UInt8], _ start: Int) -> Int? {
        var depth = 0
        var place = start
        while place < bytes.count {
            let byte = bytes[place]
            if isQuote(byte) {
                guard let end = stringEnd(bytes, place) else { return nil }
                place = end
                continue
            }
            if byte == UInt8(ascii: "(") { depth += 1 }
            if byte == UInt8(ascii: ")") {
                depth -= 1
                if depth == 0 { return place }
            }
            place += 1
        }
        return nil
    }

    /// The parts between commas that stand in no brackets or quotes, without blanks around them.
    static func parts(_ bytes: ArraySlice<UInt8>) -> [[UInt8]]? {
        let bytes = Array(bytes)
        var parts: [[UInt8]] = []
        var start = 0
        var place = 0
        while place < bytes.count {
            let byte = bytes[place]
            if isQuote(byte) {
                guard let end = stringEnd(bytes, place) else { return nil }
                place = end
            } else if byte == UInt8(ascii: "(") {
                guard let end = bracketEnd(bytes, place) else { return nil }
                place = end + 1
            } else if byte == UInt8(ascii: ",") {
                parts.append(trimmed(bytes[start..<place]))
                place += 1
                start = place
            } else {
                place += 1
            }
        }
        parts.append(trimmed(bytes[start...]))
        return parts
    }

    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        let isBlank: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x0A || $0 == 0x0D || $0 == 0x09 }
        var bytes = bytes.drop(while: isBlank)
        while let last = bytes.last, isBlank(last) { bytes.removeLast() }
        return Array(bytes)
    }

    /// Words, quoted names, strings and brackets with what is in them, in their order.
    static func words(_ bytes: [UInt8]) -> [String] {
        var words: [String] = []
        var place = 0
        while place < bytes.count {
            let byte = bytes[place]
            if byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
                place += 1
                continue
            }
            let start = place
            if isQuote(byte) {
                place = stringEnd(bytes, place) ?? bytes.count
            } else if byte == UInt8(ascii: "(") {
                place = bracketEnd(bytes, place).map { $0 + 1 } ?? bytes.count
            } else if isWordByte(byte) {
                while place < bytes.count, isWordByte(bytes[place]) { place += 1 }
            } else {
                place += 1
            }
            words.append(String(decoding: bytes[start..<place], as: UTF8.self))
        }
        return words
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte & 0xDF) || byte >= 0x80
            || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "$")
    }

    /// All names in backquotes, in brackets, too.
    static func names(_ bytes: [UInt8]) -> Set<Name> {
        var names: Set<Name> = []
        var place = 0
        while place < bytes.count {
            guard isQuote(bytes[place]) else {
                place += 1
                continue
            }
            let end = stringEnd(bytes, place) ?? bytes.count
            if let name = name(String(decoding: bytes[place..<end], as: UTF8.self)) {
                names.insert(name)
            }
            place = end
        }
        return names
    }

    /// The name that a quoted word is.
    static func name(_ word: String) -> Name? {
        let bytes = Array(word.utf8)
        guard bytes.first == UInt8(ascii: "`"), bytes.count > 1, bytes.last == UInt8(ascii: "`")
        else { return nil }
        var name: [UInt8] = []
        var place = 1
        while place < bytes.count - 1 {
            name.append(bytes[place])
            place += bytes[place] == UInt8(ascii: "`") ? 2 : 1
        }
        return Name(String(decoding: name, as: UTF8.self))
    }
}
