internal import SluiceCore

/// Reads XML in one pass, as far as stores speak it: elements by their local names, text, no
/// attributes, no document types.
///
/// Names and depth are bounded; the text is, because it lies in a bounded answer.
struct XMLReader {
    enum Event: Equatable {
        case start(String)
        case text(String)
        case end(String)
    }

    static let depthLimit = 32
    private static let nameByteLimit = 256

    /// Lent by whoever holds the answer.
    private let bytes: UnsafeRawBufferPointer
    private var place = 0
    private var open: [String] = []
    /// An element without content has an end all the same.
    private var pendingEnd: String?

    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    static let malformed = Failure(.failed, "the answer is no well-formed XML")

    /// What comes next; nothing behind the end of the outermost element.
    mutating func next() throws(Failure) -> Event? {
        if let name = pendingEnd {
            pendingEnd = nil
            return .end(name)
        }
        while place < bytes.count {
            guard bytes[place] == UInt8(ascii: "<") else {
                let text = try text()
                // Between the outermost elements there is only white space.
                if open.isEmpty || text.isEmpty { continue }
                return .text(text)
            }
            if try skip("<?", to: "?>") { continue }
            if try skip("<!--", to: "-->") { continue }
            if starts(with: "<![CDATA[") {
                let start = place + 9
                _ = try skip("<![CDATA[", to: "]]>")
                return .text(try validated(Array(bytes[start..<place - 3])))
            }
            if starts(with: "<!") { throw XMLReader.malformed }
            return try tag()
        }
        guard open.isEmpty else { throw XMLReader.malformed }
        return nil
    }

    /// The text up to the end of the element that has just begun; elements inside are left out.
    mutating func elementText() throws(Failure) -> String {
        let depth = open.count
        if pendingEnd != nil {
            pendingEnd = nil
            return ""
        }
        var text = ""
        while let event = try next() {
            switch event {
            case .text(let piece) where open.count == depth: text += piece
            case .end where open.count < depth: return text
            default: break
            }
        }
        throw XMLReader.malformed
    }

    /// Goes to the end of the element that has just begun.
    mutating func skipElement() throws(Failure) { _ = try elementText() }

    private mutating func tag() throws(Failure) -> Event {
        let isEnd = place + 1 < bytes.count && bytes[place + 1] == UInt8(ascii: "/")
        place += isEnd ? 2 : 1
        let name = try name()
        let isEmpty = try skipAttributes()
        if isEnd {
            guard !isEmpty, open.popLast() == name else { throw XMLReader.malformed }
            return .end(name)
        }
        if isEmpty {
            pendingEnd = name
        } else {
            guard open.count < XMLReader.depthLimit else { throw XMLReader.malformed }
            open.append(name)
        }
        return .start(name)
    }

    /// Without the prefix of its namespace.
    private mutating func name() throws(Failure) -> String {
        var start = place
        while place < bytes.count, !Array(" \t\r\n/>".utf8).contains(bytes[place]) {
            if bytes[place] == UInt8(ascii: ":") { start = place + 1 }
            place += 1
        }
        guard place > start, place - start <= XMLReader.nameByteLimit else {
            throw XMLReader.malformed
        }
        return try validated(Array(bytes[start..<place]))
    }

    /// Whether the element ends with its tag.
    private mutating func skipAttributes() throws(Failure) -> Bool {
        var quote: UInt8?
        while place < bytes.count {
            let byte = bytes[place]
            place += 1
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "'"):
                quote = quote == nil ? byte : (quote == byte ? nil : quote)
            case UInt8(ascii: ">") where quote == nil:
                return bytes[place - 2] == UInt8(ascii: "/")
            default: break
            }
        }
        throw XMLReader.malformed
    }

    private mutating func text() throws(Failure) -> String {
        var output: [UInt8] = []
        while place < bytes.count, bytes[place] != UInt8(ascii: "<") {
            if bytes[place] == UInt8(ascii: "&") {
                output += try reference()
            } else {
                output.append(bytes[place])
                place += 1
            }
        }
        return try validated(output)
    }

    private mutating func reference() throws(Failure) -> String.UTF8View {
        let end = min(bytes.count, place + 12)
        guard let semicolon = bytes[place..<end].firstIndex(of: UInt8(ascii: ";")) else {
            throw XMLReader.malformed
        }
        let name = String(decoding: bytes[place + 1..<semicolon], as: UTF8.self)
        place = semicolon + 1
        switch name {
        case "amp": return "&".utf8
        case "lt": return "<".utf8
        case "gt": return ">".utf8
        case "quot": return "\"".utf8
        case "apos": return "'".utf8
        default:
            let number =
                name.hasPrefix("#x")
                ? UInt32(name.dropFirst(2), radix: 16)
                : name.hasPrefix("#") ? UInt32(name.dropFirst()) : nil
            guard let scalar = number.flatMap(Unicode.Scalar.init) else {
                throw XMLReader.malformed
            }
            return String(scalar).utf8
        }
    }

    private func validated(_ bytes: [UInt8]) throws(Failure) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw XMLReader.malformed
        }
        return text
    }

    private func starts(with mark: StaticString) -> Bool {
        place + mark.utf8CodeUnitCount <= bytes.count
            && mark.withUTF8Buffer { bytes[place..<place + $0.count].elementsEqual($0) }
    }

    private mutating func skip(
        _ begin: StaticString, to end: StaticString
    ) throws(Failure) -> Bool {
        guard starts(with: begin) else { return false }
        place += begin.utf8CodeUnitCount
        while place < bytes.count {
            if starts(with: end) {
                place += end.utf8CodeUnitCount
                return true
            }
            place += 1
        }
        throw XMLReader.malformed
    }
}
