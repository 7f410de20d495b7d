internal import SluiceCore

/// The words of a piece of SQLite's SQL, as its own tokenizer cuts them: enough to see what a
/// declaration says without being fooled by comments, strings or quoted names.
struct SQLiteTokens {
    enum Token: Hashable {
        /// A bare word, in capitals.
        case word(String)
        /// A name in double quotes, backticks or brackets, without them.
        case quoted(Name)
        /// A string with its quotes, as written.
        case string(String)
        /// A blob literal, as written.
        case blob(String)
        case number(String)
        case symbol(UInt8)
    }

    private let bytes: [UInt8]
    private var place = 0

    /// All tokens of `sql`, in order; what is left open at the end ends there.
    static func all(of sql: String) -> [Token] {
        var tokens = SQLiteTokens(bytes: Array(sql.utf8))
        var output: [Token] = []
        while let token = tokens.next() { output.append(token) }
        return output
    }

    private init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    private func byte(_ offset: Int = 0) -> UInt8? {
        place + offset < bytes.count ? bytes[place + offset] : nil
    }

    private mutating func next() -> Token? {
        skipSpaceAndComments()
        guard let first = byte() else { return nil }
        switch first {
        case UInt8(ascii: "'"):
            return .string(text(quotedBy: first))
        case UInt8(ascii: "\""), UInt8(ascii: "`"):
            return .quoted(Name(SQLiteTokens.unquote(text(quotedBy: first), first)))
        case UInt8(ascii: "["):
            return .quoted(bracketed())
        case UInt8(ascii: "x"), UInt8(ascii: "X"):
            if byte(1) == UInt8(ascii: "'") {
                place += 1
                return .blob("x" + text(quotedBy: UInt8(ascii: "'")))
            }
            return .word(word())
        case UInt8(ascii: "0")...UInt8(ascii: "9"):
            return .number(number())
        case UInt8(ascii: "."):
            if let digit = byte(1), SQLiteTokens.isDigit(digit) { return .number(number()) }
        default:
            if SQLiteTokens.isWord(first) { return .word(word()) }
        }
        place += 1
        return .symbol(first)
    }

    private mutating func skipSpaceAndComments() {
        while let first = byte() {
            if [0x20, 0x09, 0x0A, 0x0C, 0x0D].contains(first) {
                place += 1
            } else if first == UInt8(ascii: "-"), byte(1) == UInt8(ascii: "-") {
                while let byte = byte(), byte != 0x0A { place += 1 }
            } else if first == UInt8(ascii: "/"), byte(1) == UInt8(ascii: "*") {
                place += 2
                while byte() != nil,
                    !(byte() == UInt8(ascii: "*") && byte(1) == UInt8(ascii: "/"))
                {
                    place += 1
                }
                place = min(place + 2, bytes.count)
            } else {
                return
            }
        }
    }

    /// With its quotes; a doubled quote is part of it.
    private mutating func text(quotedBy quote: UInt8) -> String {
        let start = place
        place += 1
        while let byte = byte() {
            place += 1
            guard byte == quote else { continue }
            if self.byte() == quote { place += 1 } else { break }
        }
        return String(decoding: bytes[start..<place], as: UTF8.self)
    }

    private mutating func bracketed() -> Name {
        let start = place + 1
        while let byte = byte(), byte != UInt8(ascii: "]") { place += 1 }
        let name = String(decoding: bytes[min(start, place)..<place], as: UTF8.self)
        place = min(place + 1, bytes.count)
        return Name(name)
    }

    private mutating func word() -> String {
        let start = place
        while let byte = byte(), SQLiteTokens.isWord(byte) || SQLiteTokens.isDigit(byte) {
            place += 1
        }
        let capitals = bytes[start..<place].map {
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) ? $0 - 0x20 : $0
        }
        return String(decoding: capitals, as: UTF8.self)
    }

    private mutating func number() -> String {
        let start = place
        var last: UInt8 = 0
        let isHexadecimal =
            byte() == UInt8(ascii: "0") && (byte(1) ?? 0) | 0x20 == UInt8(ascii: "x")
        while let byte = byte() {
            let isSign = byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-")
            let followsExponent = !isHexadecimal && last | 0x20 == UInt8(ascii: "e")
            guard
                SQLiteTokens.isWord(byte) || SQLiteTokens.isDigit(byte)
                    || byte == UInt8(ascii: ".") || isSign && followsExponent
            else { break }
            last = byte
            place += 1
        }
        return String(decoding: bytes[start..<place], as: UTF8.self)
    }

    /// What stands between the quotes, doubled ones made single.
    static func unquote(_ text: String, _ quote: UInt8) -> String {
        var output: [UInt8] = []
        var isSecond = false
        for byte in text.utf8.dropFirst() {
            if byte == quote, !isSecond {
                isSecond = true
                continue
            }
            isSecond = false
            output.append(byte)
        }
        return String(decoding: output, as: UTF8.self)
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "_"), UInt8(ascii: "$"), 0x80...:
            true
        default: false
        }
    }
}
