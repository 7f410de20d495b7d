extension JSON {
    /// Parses one JSON text, strictly: nothing behind it, no member twice, bounded depth.
    public init(parsing bytes: [UInt8]) throws(Failure) {
        var parser = JSONParser(bytes: bytes)
        self = try parser.document()
    }
}

private struct JSONParser {
    private static let depthLimit = 64

    let bytes: [UInt8]
    var place = 0

    init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    func failure(_ what: String) -> Failure {
        Failure(.failed, "\(what) at byte \(place) of the JSON text")
    }

    var next: UInt8? { place < bytes.count ? bytes[place] : nil }

    mutating func document() throws(Failure) -> JSON {
        let value = try value(depth: 0)
        skipSpace()
        guard place == bytes.count else { throw failure("unexpected text") }
        return value
    }

    mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
            place += 1
        }
    }

    mutating func accept(_ byte: UInt8) -> Bool {
        guard next == byte else { return false }
        place += 1
        return true
    }

    mutating func expect(_ byte: UInt8) throws(Failure) {
        guard accept(byte) else {
            throw failure("expected '\(Character(UnicodeScalar(byte)))'")
        }
    }

    mutating func word(_ word: StaticString, _ value: JSON) throws(Failure) -> JSON {
        for offset in 0..<word.utf8CodeUnitCount {
            guard accept(word.utf8Start[offset]) else { throw failure("unexpected text") }
        }
        return value
    }

    mutating func value(depth: Int) throws(Failure) -> JSON {
        guard depth < JSONParser.depthLimit else { throw failure("nesting too deep") }
        skipSpace()
        switch next {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case .some: return try number()
        case nil: throw failure("unexpected end")
        }
    }

    mutating func object(depth: Int) throws(Failure) -> JSON {
        place += 1
        var members: [JSON.Member] = []
        var keys: Set<Name> = []
        skipSpace()
        if accept(UInt8(ascii: "}")) { return .object([]) }
        repeat {
            skipSpace()
            let key = try string()
            guard keys.insert(Name(key)).inserted else { throw failure("repeated member") }
            skipSpace()
            try expect(UInt8(ascii: ":"))
            members.append(JSON.Member(key, try value(depth: depth + 1)))
            skipSpace()
        } while accept(UInt8(ascii: ","))
        try expect(UInt8(ascii: "}"))
        return .object(members)
    }

    mutating func array(depth: Int) throws(Failure) -> JSON {
        place += 1
        var elements: [JSON] = []
        skipSpace()
        if accept(UInt8(ascii: "]")) { return .array([]) }
        repeat {
            elements.append(try value(depth: depth + 1))
            skipSpace()
        } while accept(UInt8(ascii: ","))
        try expect(UInt8(ascii: "]"))
        return .array(elements)
    }

    /// JSON's own grammar: Swift's parsers also take `01`, `+1`, `1.`, `.5`, hexadecimal and "nan".
    mutating func number() throws(Failure) -> JSON {
        let start = place
        _ = accept(UInt8(ascii: "-"))
        if !accept(UInt8(ascii: "0")) { try digits() }
        var isWhole = true
        if accept(UInt8(ascii: ".")) {
            isWhole = false
            try digits()
        }
        if accept(UInt8(ascii: "e")) || accept(UInt8(ascii: "E")) {
            isWhole = false
            if !accept(UInt8(ascii: "+")) { _ = accept(UInt8(ascii: "-")) }
            try digits()
        }
        let text = String(decoding: bytes[start..<place], as: UTF8.self)
        if isWhole {
            guard let whole = Int(text) else { throw failure("number beyond 64 bits") }
            return .int(whole)
        }
        guard let real = Double(text), real.isFinite else {
            throw failure("number beyond 64 bits")
        }
        return .double(real)
    }

    /// One digit at least.
    mutating func digits() throws(Failure) {
        guard let first = next, isDigit(first) else { throw failure("unexpected text") }
        while let byte = next, isDigit(byte) { place += 1 }
    }

    func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    mutating func string() throws(Failure) -> String {
        try expect(UInt8(ascii: "\""))
        var output: [UInt8] = []
        while true {
            guard let byte = next else { throw failure("unexpected end") }
            place += 1
            if byte == UInt8(ascii: "\"") { break }
            guard byte >= 0x20 else { throw failure("control character in a string") }
            if byte == UInt8(ascii: "\\") {
                try escape(into: &output)
            } else {
                output.append(byte)
            }
        }
        guard let text = String(validating: output, as: UTF8.self) else {
            throw failure("string that is not UTF-8")
        }
        return text
    }

    mutating func escape(into output: inout [UInt8]) throws(Failure) {
        guard let byte = next else { throw failure("unexpected end") }
        place += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): output.append(byte)
        case UInt8(ascii: "b"): output.append(0x08)
        case UInt8(ascii: "f"): output.append(0x0C)
        case UInt8(ascii: "n"): output.append(0x0A)
        case UInt8(ascii: "r"): output.append(0x0D)
        case UInt8(ascii: "t"): output.append(0x09)
        case UInt8(ascii: "u"):
            let scalar = try unicodeScalar()
            output.append(contentsOf: Array(String(Character(scalar)).utf8))
        default: throw failure("unknown escape")
        }
    }

    mutating func unicodeScalar() throws(Failure) -> Unicode.Scalar {
        let high = try hexUnit()
        if let scalar = Unicode.Scalar(high) { return scalar }
        guard high < 0xDC00, accept(UInt8(ascii: "\\")), accept(UInt8(ascii: "u")) else {
            throw failure("half a surrogate pair")
        }
        let low = try hexUnit()
        guard (0xDC00...0xDFFF).contains(low),
            let scalar = Unicode.Scalar(0x10000 + (high - 0xD800) << 10 + (low - 0xDC00))
        else { throw failure("half a surrogate pair") }
        return scalar
    }

    mutating func hexUnit() throws(Failure) -> UInt32 {
        var unit: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = next, let digit = Character(UnicodeScalar(byte)).hexDigitValue else {
                throw failure("expected four hexadecimal digits")
            }
            place += 1
            unit = unit << 4 | UInt32(digit)
        }
        return unit
    }
}
