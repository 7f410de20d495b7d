internal import SluiceCore
internal import SluiceRecords

/// A column's type as a user writes it for a table that is made (`overrides` in a job file): one
/// that comes with every server.
struct PostgresUserType {
    /// As the server prints it.
    let declared: String
    let storage: PostgresStorage
    /// As `atttypmod` has it.
    let modifier: Int

    private static let otherNames: [String: String] = [
        "varchar": "character varying", "char": "character", "int": "integer", "int4": "integer",
        "int2": "smallint", "int8": "bigint", "float4": "real", "float8": "double precision",
        "float": "double precision", "bool": "boolean", "decimal": "numeric",
        "timestamptz": "timestamp with time zone", "timestamp": "timestamp without time zone",
        "timetz": "time with time zone", "time": "time without time zone", "varbit": "bit varying",
    ]

    /// As the catalogue has those that are stored in a way of their own.
    private static let catalogNames: [String: String] = [
        "boolean": "bool", "smallint": "int2", "integer": "int4", "bigint": "int8", "oid": "oid",
        "real": "float4", "double precision": "float8", "numeric": "numeric", "text": "text",
        "character varying": "varchar", "character": "bpchar", "name": "name", "bytea": "bytea",
        "date": "date", "time without time zone": "time",
        "timestamp with time zone": "timestamptz", "timestamp without time zone": "timestamp",
        "uuid": "uuid", "json": "json", "jsonb": "jsonb", "bit": "bit", "bit varying": "varbit",
    ]

    /// Nothing where it is no type that comes with the server.
    init?(_ text: String) {
        var words = text.lowercased().split(separator: " ").joined(separator: " ")
        var numbers: [Int] = []
        if let open = words.firstIndex(of: "("), let close = words.firstIndex(of: ")"), open < close
        {
            let parts = words[words.index(after: open)..<close]
                .split(separator: ",", omittingEmptySubsequences: false)
                .map { Int(String($0.filter { $0 != " " })) }
            numbers = parts.compactMap { $0 }
            guard (1...2).contains(parts.count), numbers.count == parts.count else { return nil }
            words = String(words[..<open]) + String(words[words.index(after: close)...])
            words = words.split(separator: " ").joined(separator: " ")
        }
        let name = PostgresUserType.otherNames[words] ?? words
        let brackets = numbers.isEmpty ? "" : "(\(numbers.map(String.init).joined(separator: ",")))"
        let isMoment = name.hasSuffix(" time zone")
        // `timestamp(3) with time zone`
        let rest = isMoment ? name.drop { $0 != " " } : ""
        declared = name.dropLast(rest.count) + brackets + rest
        guard PostgresDeclaration.isBuiltIn(declared) else { return nil }
        guard numbers.isEmpty || PostgresUserType.isInRange(numbers, of: name) else { return nil }
        modifier = PostgresUserType.modifier(name, numbers)
        storage =
            PostgresUserType.catalogNames[name].map {
                PostgresStorage(builtIn: $0, modifier: PostgresUserType.modifier(name, numbers))
            } ?? .other
    }

    /// Only types whose numbers limit what is taken.
    private static func isInRange(_ numbers: [Int], of name: String) -> Bool {
        switch (name, numbers.count) {
        case ("numeric", _): (1...1000).contains(numbers[0]) && (numbers.last ?? 0) >= 0
        case ("character varying", 1), ("character", 1): (1...10_485_760).contains(numbers[0])
        case ("bit", 1), ("bit varying", 1): (1...83_886_080).contains(numbers[0])
        case ("timestamp without time zone", 1), ("timestamp with time zone", 1),
            ("time without time zone", 1):
            (0...6).contains(numbers[0])
        default: false
        }
    }

    private static func modifier(_ name: String, _ numbers: [Int]) -> Int {
        switch name {
        case "numeric" where !numbers.isEmpty:
            (numbers[0] << 16 | (numbers.count > 1 ? numbers[1] : 0)) + 4
        // Without a number it is one character.
        case "character": (numbers.first ?? 1) + 4
        case "character varying": numbers.first.map { $0 + 4 } ?? -1
        case "bit": numbers.first ?? 1
        default: numbers.first ?? -1
        }
    }

    /// Those whose values have no order, which the indexes that are made here go by.
    private static let unordered: Set<String> = [
        "box", "circle", "json", "jsonpath", "line", "lseg", "path", "point", "polygon", "xml",
    ]

    /// Why the user's type cannot be had; nothing where it can, or there is none.
    static func problem(
        of field: Field, in plan: TablePlan, _ request: LoadRequest
    ) -> String? {
        guard let wanted = field.targetDeclaration else { return nil }
        let start =
            "column \(field.name) of table \(plan.table) is to be declared \(wanted), which"
        guard let type = PostgresUserType(wanted) else {
            return "\(start) is no type that comes with PostgreSQL"
        }
        let keys = [plan.definition.primaryKey] + plan.definition.indexes.map(\.columns)
        guard
            !unordered.contains(type.declared) || !keys.contains(where: { $0.contains(field.name) })
        else { return "\(start) no key or index takes" }
        let keepsJSON = PostgresSchemaPlan.keepsJSON(field, request)
        guard PostgresMapping.fit(field.type, in: type.storage, keepsJSON: keepsJSON) == .never
        else { return nil }
        return "\(start) would change values of type \(field.type)"
    }
}

extension Field {
    /// What the user wants its column to be.
    var userType: PostgresUserType? { targetDeclaration.flatMap { PostgresUserType($0) } }

    /// What a default's literal must be for the column to take it; nothing where none is taken.
    var typeOfDefault: ColumnType? {
        guard let storage = userType?.storage else { return type }
        switch storage {
        case .boolean: return .boolean
        case .text: return type
        case .int16, .int32, .int64, .numeric, .float32, .float64:
            let isText = type == .text || type == .numberText
            return isText ? nil : type
        default: return nil
        }
    }

    /// Whether its column can number itself.
    var isWhole: Bool {
        guard let storage = userType?.storage else { return [.int32, .int64].contains(type) }
        return [.int16, .int32, .int64].contains(storage)
    }
}
