internal import SluiceCore
internal import SluiceRecords

/// What a column of a target keeps its values as.
enum MySQLStorage: Hashable, Sendable {
    case integer(bits: Int, isUnsigned: Bool)
    /// Rounded to a number of decimal places, where one is declared.
    case float32(places: Int?)
    case float64(places: Int?)
    case decimal(precision: Int, scale: Int)
    case bits(Int)
    case year
    case date
    /// Digits are those of the fraction.
    case time(digits: Int)
    case timestamp(digits: Int)
    case dateTime(digits: Int)
    /// Nothing: characters, or UTF-8 bytes, are not counted here. A column that pads gives its
    /// values back without blanks at their end.
    case text(characters: Int?, bytes: Int?, isPadded: Bool)
    /// A column that pads has all values as long as it.
    case bytes(limit: Int?, isPadded: Bool)
    case label(MySQLLabels)
    case labels(MySQLLabels)
    /// JSON in the server's own form.
    case json
    case uuid
    case geometry
    case inet4
    case inet6
    /// Only the server knows its form: by its text.
    case other
}

/// The one table of record types and what MySQL and MariaDB keep them as. Both directions are
/// exact: a value is stored as it is or refused by name, so that the records read back are those
/// that were loaded (design §5).
enum MySQLMapping {
    /// How a record type gets into a column.
    enum Fit: Hashable, Sendable {
        case exact
        /// Every value would be changed.
        case never
    }

    /// - Parameter isSame: the source's column has the same declaration on the same engine, so that
    ///   what the column makes of a value was made of it already.
    static func fit(_ type: ColumnType, in storage: MySQLStorage, isSame: Bool) -> Fit {
        if case .text = storage, isText(type) { return .exact }
        return switch (type, storage) {
        case (.boolean, .integer), (.boolean, .bits(1)),
            (.int32, .integer), (.int64, .integer), (.uint64, .integer),
            (.int32, .year), (.int64, .year), (.decimal(_, 0), .integer),
            (.date, .date), (.time, .time), (.timestamp, .timestamp), (.timestamp, .dateTime),
            (.localTimestamp, .dateTime), (.uuid, .uuid), (.bytes, .bytes), (.bytes, .geometry),
            (.enumeration, .label), (.set, .labels), (.bitString, .bits),
            (.serverText, .inet4), (.serverText, .inet6), (.numberText, .decimal),
            (.float32, .float32), (.float32, .float64), (.float64, .float32), (.float64, .float64):
            .exact
        // A text goes into another column in the one form that its values are printed in.
        case (.text, .integer), (.text, .decimal), (.text, .date), (.text, .time),
            (.text, .timestamp), (.text, .dateTime), (.text, .uuid), (.text, .label),
            (.text, .labels), (.text, .bits), (.text, .inet4), (.text, .inet6),
            (.enumeration, .labels), (.set, .label), (.serverText, .label):
            .exact
        case (.int32, .decimal(_, let scale)), (.int64, .decimal(_, let scale)),
            (.uint64, .decimal(_, let scale)):
            // Beyond that a whole number would not be one of 128 bits.
            scale <= 18 ? .exact : .never
        case (.decimal(_, let its), .decimal(_, let scale)): scale >= its ? .exact : .never
        case (.json, .json), (.serverText, .other): isSame ? .exact : .never
        default: .never
        }
    }

    /// Types whose values are a text in the record, or become one without loss.
    static func isText(_ type: ColumnType) -> Bool {
        switch type {
        case .text, .uuid, .json, .enumeration, .set, .bitString, .numberText, .serverText, .any:
            true
        default: false
        }
    }
}

/// What a column is declared as where its table is built from its definition.
struct MySQLDeclarations: Sendable {
    let flavor: MySQLFlavor
    /// As `Source.engine` says it.
    let sourceEngine: String?

    /// Longer columns of text are made without a limit.
    private static let characterLimit = 4096

    var isSameEngine: Bool { sourceEngine == MySQLTarget.engineName }

    /// - Parameter length: how many characters or bytes a column may have that is part of a key or
    ///   index, whose entries have an end.
    func declaration(for field: Field, length: Int? = nil) -> String {
        if let wanted = field.targetDeclaration, let type = MySQLUserType(wanted, flavor) {
            return type.declared
        }
        if isSameEngine, MySQLDeclaration.isBuiltIn(field.declared) { return field.declared }
        return switch field.type {
        case .boolean: "tinyint(1)"
        case .int32: "int"
        case .int64: "bigint"
        case .uint64: "bigint unsigned"
        case .float32: "float"
        case .float64: "double"
        case .decimal(let precision, let scale) where scale <= flavor.decimalScaleLimit:
            "decimal(\(precision),\(scale))"
        case .date: "date"
        case .time: "time(6)"
        case .timestamp, .localTimestamp: "datetime(6)"
        case .bytes: length.map { "varbinary(\($0))" } ?? "longblob"
        // MariaDB's own type does not take all of them: 'ffffffff-ffff-ffff-0000-000000000000'.
        case .uuid: "char(36) CHARACTER SET ascii COLLATE ascii_bin"
        case .json where length == nil && !flavor.hasJSONType: "json"
        case .bitString: bits(field.declared) ?? text(field, length)
        case .decimal, .numberText, .text, .json, .enumeration, .set, .any, .serverText:
            text(field, length)
        }
    }

    /// What a column is declared as with text that is not Unicode's alone: the same everywhere, so
    /// that foreign keys meet.
    private func text(_ field: Field, _ length: Int?) -> String {
        let own = sourceEngine == "postgres" ? MySQLDeclarations.characters(field.declared) : nil
        if let length { return "varchar(\(own.map { min($0, length) } ?? length))" }
        if let own, own <= MySQLDeclarations.characterLimit { return "varchar(\(own))" }
        return "longtext"
    }

    /// The 20 of `character varying(20)`; a column that pads gives back all its blanks, so that it
    /// is none of ours that pads.
    private static func characters(_ declared: String) -> Int? {
        for word in ["character varying(", "character("] where declared.hasPrefix(word) {
            guard declared.hasSuffix(")") else { return nil }
            return Int(declared.dropFirst(word.utf8.count).dropLast()).flatMap { $0 > 0 ? $0 : nil }
        }
        return nil
    }

    private func bits(_ declared: String) -> String? {
        guard declared.hasPrefix("bit("), declared.hasSuffix(")"),
            let count = Int(declared.dropFirst(4).dropLast()), (1...64).contains(count)
        else { return nil }
        return "bit(\(count))"
    }

    /// What text of tables that are built here is compared by: as the other engines do, byte by
    /// byte and with blanks at its end.
    var tableOptions: String {
        "ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=\(flavor.exactCollation)"
    }
}

/// A column's declaration as the server prints it; from a dataset it may say anything.
enum MySQLDeclaration {
    private static let names: Set<String> = [
        "tinyint", "smallint", "mediumint", "int", "bigint", "decimal", "float", "double", "bit",
        "char", "varchar", "binary", "varbinary", "tinytext", "text", "mediumtext", "longtext",
        "tinyblob", "blob", "mediumblob", "longblob", "enum", "set", "date", "time", "datetime",
        "timestamp", "year", "json", "uuid", "inet4", "inet6", "geometry", "point", "linestring",
        "polygon", "multipoint", "multilinestring", "multipolygon", "geometrycollection",
        "geomcollection",
    ]

    /// A type of the server's own: its name, numbers or labels in brackets, `unsigned`, `zerofill`,
    /// and for text the character set and collation.
    static func isBuiltIn(_ declared: String) -> Bool {
        let bytes = Array(declared.utf8)
        guard bytes.count <= 1 << 17, !bytes.contains(0) else { return false }
        let name = bytes.prefix { isWordByte($0) }
        guard names.contains(String(decoding: name, as: UTF8.self).lowercased()) else {
            return false
        }
        var place = name.count
        if place < bytes.count, bytes[place] == UInt8(ascii: "(") {
            guard let end = bracketEnd(bytes, place) else { return false }
            place = end
        }
        let rest = String(decoding: bytes[place...], as: UTF8.self).lowercased()
            .split(separator: " ", omittingEmptySubsequences: true)
        return isTail(rest[...])
    }

    private static func isTail(_ words: ArraySlice<Substring>) -> Bool {
        var words = words
        while let word = words.popFirst() {
            switch word {
            case "unsigned", "zerofill": continue
            case "character":
                guard words.popFirst() == "set", isName(words.popFirst()) else { return false }
            case "collate": guard isName(words.popFirst()) else { return false }
            default: return false
            }
        }
        return true
    }

    private static func isName(_ word: Substring?) -> Bool {
        word.map { !$0.isEmpty && $0.utf8.allSatisfy(isWordByte) } ?? false
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte & 0xDF)
            || byte == UInt8(ascii: "_")
    }

    /// The place behind brackets that hold numbers and strings, with commas between them.
    private static func bracketEnd(_ bytes: [UInt8], _ start: Int) -> Int? {
        var place = start + 1
        while place < bytes.count {
            switch bytes[place] {
            case UInt8(ascii: ")"): return place + 1
            case UInt8(ascii: "'"):
                guard let end = MySQLTokens.stringEnd(bytes, place) else { return nil }
                place = end
            case UInt8(ascii: ","), UInt8(ascii: " "), 0x30...0x39: place += 1
            default: return nil
            }
        }
        return nil
    }
}
