internal import SluiceCore
internal import SluiceRecords

/// A key by whose ranges a table is read. The server makes the bounds and compares with them, in
/// its own collation; here they are nothing but text.
struct MySQLKey: Sendable {
    /// How a column's values are written into SQL.
    enum Writing: String, Sendable {
        /// As they are printed.
        case number
        /// ENUM, SET and BIT, which are in the order of their numbers.
        case ordinal
        /// Text in quotes: dates and times, addresses, UUIDs.
        case quoted
        case binary
        /// The bytes as they are stored, under their own character set and collation.
        case text
    }

    struct Part: Sendable {
        let name: Name
        let writing: Writing
        let characterSet: String
        let collation: String
        let isDescending: Bool
    }

    let index: Name
    let parts: [Part]

    var names: [Name] { parts.map(\.name) }

    /// The table's primary key, or another one without NULLs; nothing where it has none that rows
    /// can be told apart by.
    init?(of table: MySQLTable) {
        for index in table.indexes
        where index.isUnique && index.kind == "BTREE" && !index.isIgnored {
            guard let key = MySQLKey(index, of: table) else { continue }
            self = key
            return
        }
        return nil
    }

    /// The key that a plan names.
    init?(named name: Name, of table: MySQLTable) {
        guard let index = table.indexes.first(where: { $0.name == name }),
            let key = MySQLKey(index, of: table)
        else { return nil }
        self = key
    }

    private init?(_ index: MySQLIndex, of table: MySQLTable) {
        guard let names = index.plainColumns else { return nil }
        var parts: [Part] = []
        for (name, part) in zip(names, index.parts) {
            guard let column = table.column(name), !column.isNullable, !column.isGenerated,
                let writing = MySQLKey.writing(column)
            else { return nil }
            parts.append(
                Part(
                    name: name, writing: writing, characterSet: column.characterSet ?? "",
                    collation: column.collation ?? "", isDescending: part.isDescending))
        }
        self.index = index.name
        self.parts = parts
    }

    /// Nothing where values cannot be compared with what is printed of them.
    private static func writing(_ column: MySQLColumn) -> Writing? {
        let type = column.declared.prefix { ("a"..."z").contains($0) || ("0"..."9").contains($0) }
        switch type {
        case "tinyint", "smallint", "mediumint", "int", "bigint", "decimal", "year": return .number
        case "enum", "set", "bit": return .ordinal
        case "date", "time", "datetime", "timestamp", "uuid", "inet4", "inet6": return .quoted
        case "binary", "varbinary": return .binary
        case "char", "varchar":
            return column.characterSet == nil || column.collation == nil ? nil : .text
        default: return nil
        }
    }
}

extension MySQLKey.Part {
    /// What is selected of the column, for a bound.
    var selected: String {
        switch writing {
        case .number, .quoted: name.quoted
        case .ordinal: "\(name.quoted) + 0"
        case .binary, .text: "HEX(\(name.quoted))"
        }
    }

    /// The literal of a value that `selected` brought.
    func literal(_ value: String) -> String {
        switch writing {
        case .number, .ordinal: value
        case .quoted: MySQLQuoting.literal(value)
        case .binary: "x'\(value)'"
        case .text: "_\(characterSet) x'\(value)' COLLATE \(collation)"
        }
    }

    /// Whether a plan's text is such a literal: nothing else of a plan goes to the server.
    func isLiteral(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        switch writing {
        case .number, .ordinal:
            let digits = bytes.first == UInt8(ascii: "-") ? bytes.dropFirst() : bytes[...]
            return !digits.isEmpty && digits.count { $0 == UInt8(ascii: ".") } <= 1
                && digits.allSatisfy { (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") }
        case .quoted:
            guard bytes.count >= 2, bytes.first == UInt8(ascii: "'"), bytes.last == bytes.first
            else { return false }
            let allowed = Array("0123456789abcdefABCDEF-:. ".utf8)
            return bytes.dropFirst().dropLast().allSatisfy(allowed.contains)
        case .binary: return isHexadecimal(bytes[...])
        case .text:
            let start = Array("_\(characterSet) ".utf8)
            let end = Array(" COLLATE \(collation)".utf8)
            guard bytes.count > start.count + end.count, bytes.starts(with: start),
                bytes.suffix(end.count).elementsEqual(end)
            else { return false }
            return isHexadecimal(bytes[start.count..<(bytes.count - end.count)])
        }
    }

    private func isHexadecimal(_ bytes: ArraySlice<UInt8>) -> Bool {
        bytes.count >= 3 && bytes.count % 2 == 1 && bytes.starts(with: "x'".utf8)
            && bytes.last == UInt8(ascii: "'")
            && bytes.dropFirst(2).dropLast().allSatisfy { Hexadecimal.anyCaseValue($0) != nil }
    }
}

// MARK: Ranges

extension MySQLKey {
    /// The names of the key's columns, each with its direction, as ORDER BY has them.
    var order: String {
        parts.map { $0.name.quoted + ($0.isDescending ? " DESC" : "") }.joined(separator: ", ")
    }

    /// A condition that is true for the chunk's rows only; nothing where the chunk is everything.
    func condition(_ chunk: Chunk) throws(Failure) -> String? {
        var conditions: [String] = []
        if let lower = chunk.lower { conditions.append(try compared(lower, chunk, isLower: true)) }
        if let upper = chunk.upper {
            conditions.append(try compared(upper, chunk, isLower: false))
        }
        return conditions.isEmpty ? nil : conditions.joined(separator: " AND ")
    }

    private func compared(
        _ bound: [String], _ chunk: Chunk, isLower: Bool
    ) throws(Failure) -> String {
        guard bound.count == parts.count, zip(parts, bound).allSatisfy({ $0.isLiteral($1) }) else {
            throw Failure(
                .failed, "the bounds of chunk \(chunk.number) are no values of this table's key",
                hint: "The plan was made by another version or changed by somebody; export anew.")
        }
        return compared(bound, isLower: isLower, from: 0)
    }

    /// Rows behind `bound` in key order, or up to it. Column by column: not every server makes a
    /// range of the comparison of rows, and directions may differ.
    func compared(_ bound: [String], isLower: Bool, from place: Int) -> String {
        let (part, value) = (parts[place], bound[place])
        let sign = part.isDescending == isLower ? "<" : ">"
        guard place < parts.count - 1 else {
            return "\(part.name.quoted) \(sign)\(isLower ? "" : "=") \(value)"
        }
        let rest = compared(bound, isLower: isLower, from: place + 1)
        // The first comparison says nothing new; it is what the server can search by.
        return "(\(part.name.quoted) \(sign)= \(value) AND (\(part.name.quoted) \(sign) \(value) "
            + "OR \(rest)))"
    }
}
