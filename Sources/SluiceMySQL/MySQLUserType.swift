internal import SluiceCore
internal import SluiceRecords

/// A column's type as a user writes it for a table that is made (`overrides` in a job file): one of
/// the server's own.
struct MySQLUserType {
    /// As it is put into SQL.
    let declared: String
    let storage: MySQLStorage

    private static let otherNames: [String: String] = [
        "boolean": "tinyint(1)", "bool": "tinyint(1)", "integer": "int", "numeric": "decimal",
        "dec": "decimal", "real": "double", "double precision": "double",
    ]

    /// What texts and bytes without a number take.
    private static let limits: [String: Int] = [
        "tinytext": 255, "text": 65_535, "mediumtext": 16_777_215, "longtext": 4_294_967_295,
        "tinyblob": 255, "blob": 65_535, "mediumblob": 16_777_215, "longblob": 4_294_967_295,
        "char": 1, "binary": 1, "json": 4_294_967_295,
    ]

    /// Nothing where it is none of the server's own.
    init?(_ text: String, _ flavor: MySQLFlavor) {
        let text = text.split(separator: " ").joined(separator: " ")
        let open = text.firstIndex(of: "(") ?? text.endIndex
        let start = String(text[..<open]).lowercased()
        let named = MySQLUserType.otherNames[start].map { $0 + text[open...] } ?? text
        guard MySQLDeclaration.isBuiltIn(named) else { return nil }
        declared = named
        let name = String(named.lowercased().prefix { $0 != "(" && $0 != " " })
        let numbers = MySQLUserType.numbers(named)
        let length = numbers.first ?? MySQLUserType.limits[name]
        switch name {
        case "varchar", "varbinary": guard length != nil else { return nil }
        // With one number it is that of bits, which may make a FLOAT a DOUBLE.
        case "float", "double": guard numbers.count != 1 else { return nil }
        default: break
        }
        let set = named.lowercased().split(separator: " ").drop { $0 != "set" }.dropFirst().first
        storage = MySQLStorage(
            // In MariaDB JSON is a text with a CHECK.
            dataType: name == "json" && !flavor.hasJSONType ? "longtext" : name,
            type: named, length: length, precision: numbers.first,
            scale: numbers.count > 1 ? numbers[1] : nil, digits: numbers.first,
            characterSet: set.map(String.init) ?? "utf8mb4")
    }

    /// Those in brackets; of labels none.
    private static func numbers(_ declared: String) -> [Int] {
        guard let open = declared.firstIndex(of: "("), let close = declared.firstIndex(of: ")"),
            open < close
        else { return [] }
        let parts = declared[declared.index(after: open)..<close].split(separator: ",")
        return parts.compactMap { Int(String($0.filter { $0 != " " })) }
    }

    /// Why the user's type cannot be had; nothing where it can, or there is none.
    static func problem(
        of field: Field, in plan: TablePlan, _ flavor: MySQLFlavor
    ) -> String? {
        guard let wanted = field.targetDeclaration else { return nil }
        let start =
            "column \(field.name) of table \(plan.table) is to be declared \(wanted), which"
        guard let type = MySQLUserType(wanted, flavor) else {
            return "\(start) is no type of MySQL's own"
        }
        let definition = plan.definition
        let keys =
            [definition.primaryKey] + definition.foreignKeys.map(\.columns)
            + definition.indexes.filter(\.isUnique).map(\.columns)
        if !type.isForKeys, keys.contains(where: { $0.contains(field.name) }) {
            return "\(start) is too long for a key"
        }
        guard MySQLMapping.fit(field.type, in: type.storage, isSame: false) == .never else {
            return nil
        }
        return "\(start) would change values of type \(field.type)"
    }

    /// Whether an index can have all of a value: what is in it ends at 3072 bytes, four for each
    /// character.
    private var isForKeys: Bool {
        switch storage {
        case .text(let characters, _, _): characters.map { $0 <= 768 } ?? false
        case .bytes(let limit, _): limit.map { $0 <= 3072 } ?? false
        case .json, .geometry, .other: false
        default: true
        }
    }

    /// Whether a default that is a literal of this record type is one of the column, too.
    func takesDefault(of type: ColumnType) -> Bool {
        switch storage {
        case .text: return MySQLMapping.isText(type)
        case .integer, .decimal, .float32, .float64: return !MySQLMapping.isText(type)
        default: return false
        }
    }
}
