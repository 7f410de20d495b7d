internal import SluiceCore

/// The sections of a shared credentials or config file as the AWS tools write them.
///
/// Lines that begin with white space belong to the key above them; such nested settings are not
/// kept.
struct INIFile {
    private var sections: [Name: [Name: String]] = [:]

    /// - Parameter path: for messages, which never show a line's text.
    init(_ text: String, path: String) throws(Failure) {
        var section: Name?
        for (index, line) in text.utf8.split(
            separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false
        ).enumerated() {
            let isNested = line.first.map(INIFile.isSpace) ?? false
            let line = INIFile.trimmed(line)
            guard let first = line.first, first != UInt8(ascii: "#"), first != UInt8(ascii: ";")
            else { continue }
            if first == UInt8(ascii: "[") {
                guard let end = line.firstIndex(of: UInt8(ascii: "]")) else {
                    throw INIFile.failure("a '[' without its ']'", path, index)
                }
                let name = Name(INIFile.text(line[line.index(after: line.startIndex)..<end]))
                sections[name, default: [:]].merge([:]) { first, _ in first }
                section = name
                continue
            }
            if isNested, section != nil { continue }
            guard let equals = line.firstIndex(of: UInt8(ascii: "=")) else {
                throw INIFile.failure("neither a section nor a setting", path, index)
            }
            guard let section else {
                throw INIFile.failure("a setting before the first section", path, index)
            }
            let key = INIFile.text(line[..<equals]).lowercased()
            sections[section]?[Name(key)] = INIFile.text(line[line.index(after: equals)...])
        }
    }

    /// The settings of a section, with its keys in lower case.
    subscript(section: String) -> [Name: String]? { sections[Name(section)] }

    /// The settings of a profile as the config file names it: `[default]` or `[profile x]`.
    func profile(_ name: String) -> [Name: String]? {
        let found = sections.first { section, _ in
            guard section.utf8.starts(with: "profile".utf8) else { return false }
            let rest = section.utf8.dropFirst("profile".utf8.count)
            guard rest.first.map(INIFile.isSpace) == true else { return false }
            return INIFile.unquoted(INIFile.text(rest)).utf8.elementsEqual(name.utf8)
        }
        return found?.value ?? (name == "default" ? self["default"] : nil)
    }

    private static func unquoted(_ text: String) -> Substring {
        guard text.utf8.count >= 2, let quote = text.utf8.first, text.utf8.last == quote,
            quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'")
        else { return text[...] }
        return text.dropFirst().dropLast()
    }

    private static func failure(_ what: String, _ path: String, _ index: Int) -> Failure {
        Failure(.usage, "\(path):\(index + 1) has \(what)", hint: "Correct this line.")
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r")
    }

    private static func trimmed(_ text: Substring.UTF8View) -> Substring.UTF8View {
        var text = text.drop(while: isSpace)
        while let last = text.last, isSpace(last) { text.removeLast() }
        return text
    }

    private static func text(_ bytes: Substring.UTF8View) -> String {
        String(Substring(trimmed(bytes)))
    }
}
