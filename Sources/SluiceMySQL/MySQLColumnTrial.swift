internal import SluiceCore
internal import SluiceRecords

/// One column as a table would have it, and whether it keeps a value: the way of writing that a
/// load has, then what the server would say to what is written.
struct MySQLColumnTrial {
    /// What the server looks at beyond the writer.
    private enum Rule {
        case none
        /// Digits before the point.
        case digits(Int)
        /// Characters of one byte, of three bytes of UTF-8 at most.
        case ascii
        case threeBytes
    }

    let field: Field
    /// As the target has it.
    let name: Name
    let writer: MySQLRowWriter
    let storage: MySQLStorage
    let declared: String
    let isNotNull: Bool
    let characterSet: String?
    let collation: String?
    private let octets: Int?
    private let rule: Rule
    private let isMariaDB: Bool

    /// - Parameter octets: how many bytes a text may have in its own character set.
    init(
        _ field: Field, named name: Name, in storage: MySQLStorage, declared: String,
        isNotNull: Bool, characterSet: String?, collation: String? = nil, octets: Int? = nil,
        isMariaDB: Bool
    ) {
        self.field = field
        self.name = name
        self.storage = storage
        self.declared = declared
        self.isNotNull = isNotNull
        self.characterSet = characterSet
        self.collation = collation
        self.octets = octets
        self.isMariaDB = isMariaDB
        writer = MySQLRowWriter(
            [MySQLFieldWriting(field, in: storage)], as: .rows, sendsHexadecimal: false)
        rule =
            switch (storage, characterSet) {
            case (.decimal(let precision, let scale), _): .digits(precision - scale)
            case (.text, "ascii"): .ascii
            case (.text, "utf8mb3"), (.text, "utf8"), (.text, "ucs2"): .threeBytes
            default: .none
            }
    }

    /// A column of a table that is there.
    init(_ field: Field, in column: MySQLTargetColumn, isMariaDB: Bool) {
        self.init(
            field, named: column.name, in: column.storage, declared: column.declared,
            isNotNull: column.isNotNull, characterSet: column.characterSet,
            collation: column.collation, octets: column.octets, isMariaDB: isMariaDB)
    }

    /// A column that would be made.
    init(_ field: Field, declared: String, isNotNull: Bool, isMariaDB: Bool) {
        let description = MySQLDeclared(declared, isMariaDB: isMariaDB)
        self.init(
            field, named: field.name, in: description.storage, declared: declared,
            isNotNull: isNotNull, characterSet: description.characterSet,
            octets: description.octets, isMariaDB: isMariaDB)
    }

    var isStored: Bool { !field.isRowid }

    /// Writes the value into `output`, and moves the cursor behind it.
    func refusal(
        _ cursor: inout RecordCursor, _ output: inout ByteBuffer
    ) throws(Failure) -> MySQLRefusal? {
        let before = cursor
        var wordless = 0
        if let problem = try writer.append(&cursor, to: &output, wordless: &wordless) {
            return problem.refusal
        }
        if case .none = rule, !isNotNull { return nil }
        return try refusalOfServer(before)
    }

    private func refusalOfServer(_ before: RecordCursor) throws(Failure) -> MySQLRefusal? {
        var cursor = before
        if field.type == .any {
            let branch = try cursor.anyBranch()
            return isNotNull && branch == .null ? .null : nil
        }
        if field.isNullable, try cursor.isNull() { return isNotNull ? .null : nil }
        switch rule {
        case .none: return nil
        case .digits(let count): return try keepsDigits(count, &cursor) ? nil : .float
        case .ascii:
            return try cursor.bytes().contains { $0 >= 0x80 } ? .characters("ascii") : nil
        case .threeBytes:
            let set = characterSet ?? ""
            return try cursor.bytes().contains { $0 >= 0xF0 } ? .characters(set) : nil
        }
    }

    /// Whether a number has no more digits before its point than the column has.
    private func keepsDigits(_ count: Int, _ cursor: inout RecordCursor) throws(Failure) -> Bool {
        switch field.type {
        case .int32, .int64: return MySQLColumnTrial.fits(Int128(try cursor.long()), count)
        case .uint64: return MySQLColumnTrial.fits(try cursor.unscaled(), count)
        case .decimal(_, let scale):
            return MySQLColumnTrial.fits(try cursor.unscaled(), count + scale)
        default:
            let whole = try cursor.bytes().drop { $0 == UInt8(ascii: "-") || $0 == 0x30 }
            return whole.prefix { $0 &- 0x30 < 10 }.count <= count
        }
    }

    private static func fits(_ value: Int128, _ digits: Int) -> Bool {
        guard digits < 38 else { return true }
        var limit: Int128 = 1
        for _ in 0..<max(digits, 0) { limit *= 10 }
        return value.magnitude < limit.magnitude
    }
}

/// What is asked of the server.
extension MySQLColumnTrial {
    /// Character sets whose characters and lengths are known without it.
    private static let known: Set<String> = ["utf8mb4", "utf8mb3", "utf8", "ascii"]

    /// A condition that a value under the name `c` meets where the server takes it; nothing where
    /// it takes all that was written.
    func condition(_ c: String) -> String? {
        switch storage {
        case .text where isJSON: return "JSON_VALID(\(c))"
        case .text:
            guard let set = characterSet, !MySQLColumnTrial.known.contains(set) else { return nil }
            let converted = "CONVERT(\(c) USING \(set))"
            let same = "BINARY CONVERT(\(converted) USING utf8mb4) = BINARY \(c)"
            guard let octets else { return same }
            return "\(same) AND OCTET_LENGTH(\(converted)) <= \(octets)"
        case .uuid where isMariaDB && field.declared != "uuid":
            return "CAST(\(c) AS UUID) IS NOT NULL"
        case .inet6 where field.type == .serverText && field.declared != "inet6":
            return "CAST(\(c) AS INET6) IS NOT NULL"
        case .inet4 where field.type == .serverText && field.declared != "inet4":
            return "CAST(\(c) AS INET4) IS NOT NULL"
        case .geometry: return "ST_GeomFromWKB(SUBSTR(\(c), 5)) IS NOT NULL"
        default: return nil
        }
    }

    /// MariaDB has JSON as text with a check.
    private var isJSON: Bool { declared == "json" && isMariaDB }

    /// What the condition that is not met means.
    var judgement: MySQLRefusal {
        if case .text = storage, !isJSON {
            return .characters(characterSet ?? "")
        }
        return .type(declared)
    }

    /// The value as the column would have it, for a constraint that looks at it; nothing where it
    /// cannot be made in a query.
    func value(_ c: String) -> String? {
        switch storage {
        case .integer, .bits, .year, .bytes: c
        case .decimal(let precision, let scale): "CAST(\(c) AS DECIMAL(\(precision),\(scale)))"
        case .float64: "CAST(\(c) AS DOUBLE)"
        case .date: "CAST(\(c) AS DATE)"
        case .time(let digits): "CAST(\(c) AS TIME(\(digits)))"
        case .timestamp(let digits), .dateTime(let digits): "CAST(\(c) AS DATETIME(\(digits)))"
        case .text, .label, .labels:
            collation.flatMap { collation in
                characterSet.map { "CONVERT(\(c) USING \($0)) COLLATE \(collation)" }
            }
        default: nil
        }
    }
}

/// A declaration in its parts.
struct MySQLDeclared {
    let storage: MySQLStorage
    let characterSet: String?
    let octets: Int?

    init(_ declared: String, isMariaDB: Bool) {
        let words = declared.lowercased()
        var name = String(words.prefix { $0.isLetter || $0.isNumber || $0 == "_" })
        // In MariaDB JSON is a text with a CHECK.
        if name == "json", isMariaDB { name = "longtext" }
        var numbers: [Int] = []
        if let open = words.firstIndex(of: "("), let close = words.firstIndex(of: ")"),
            open < close
        {
            numbers = words[words.index(after: open)..<close].split(separator: ",").compactMap {
                Int($0)
            }
        }
        let isText = ["char", "varchar", "tinytext", "text", "mediumtext", "longtext"].contains(
            name)
        var set = isText ? "utf8mb4" : nil
        let parts = words.split(separator: " ")
        if isText, let place = parts.firstIndex(of: "set"), place + 1 < parts.count {
            set = String(parts[place + 1])
        }
        let large = [
            "tinytext": 255, "text": 65_535, "mediumtext": 16_777_215, "longtext": 4_294_967_295,
            "tinyblob": 255, "blob": 65_535, "mediumblob": 16_777_215, "longblob": 4_294_967_295,
        ]
        characterSet = set
        octets = large[name]
        let isMoment = ["datetime", "timestamp", "time"].contains(name)
        storage = MySQLStorage(
            dataType: name, type: declared, length: large[name] ?? numbers.first ?? 1,
            precision: numbers.first, scale: numbers.count > 1 ? numbers[1] : nil,
            digits: isMoment ? numbers.first : nil, characterSet: set)
    }
}
