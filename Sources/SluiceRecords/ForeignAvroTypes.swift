internal import SluiceCore

/// The types of a foreign Avro schema, by number; references are numbers too, so that a type may
/// hold itself.
///
/// libavro knows nothing of logical types, and takes whatever memory a schema asks for: both are
/// seen to here.
struct ForeignAvroTypes {
    enum Form {
        case null, boolean, int, long, float, double, bytes, string
        case enumeration([String])
        case fixed(Int)
        case record([Field])
        case array(Int)
        case map(Int)
        case union([Int])
    }

    enum Logical: Equatable {
        case decimal(scale: Int, precision: Int)
        case date
        case timeMillis, timeMicros
        case timestampMillis, timestampMicros
        case localTimestampMillis, localTimestampMicros
        case uuid
    }

    struct Node {
        var base: Form
        var logical: Logical?
    }

    struct Field {
        let name: String
        let type: Int
        /// The whole member of the schema, for properties.
        let json: JSON
    }

    /// How many values and bytes of fixed size one record may have by its schema alone.
    static let sizeLimit = 1 << 20

    private(set) var nodes: [Node] = []
    private var named: [Name: Int] = [:]
    /// The fields of the file's records.
    private(set) var fields: [Field] = []
    private(set) var root = 0

    init(_ schema: JSON) throws(Failure) {
        root = try add(schema, namespace: nil)
        guard case .record(let fields) = nodes[root].base else {
            throw Failure(.failed, "the Avro file holds no records, only single values")
        }
        self.fields = fields
        var extents: [Int: Extent] = [:]
        for number in nodes.indices { _ = try extent(of: number, depth: 0, &extents) }
    }

    private static func problem(_ what: String) -> Failure {
        Failure(.failed, "the Avro schema is wrong: \(what)")
    }

    private mutating func append(_ base: Form, _ logical: Logical? = nil) -> Int {
        nodes.append(Node(base: base, logical: logical))
        return nodes.count - 1
    }

    private mutating func add(_ json: JSON, namespace: String?) throws(Failure) -> Int {
        switch json {
        case .string(let name): return try reference(name, namespace)
        case .array(let branches):
            let number = append(.null)
            var types: [Int] = []
            for branch in branches { types.append(try add(branch, namespace: namespace)) }
            nodes[number].base = .union(types)
            return number
        case .object: return try addObject(json, namespace: namespace)
        default: throw ForeignAvroTypes.problem("a type is neither a name nor an object")
        }
    }

    private mutating func reference(_ name: String, _ namespace: String?) throws(Failure) -> Int {
        if let base = ForeignAvroTypes.primitive(name) { return append(base) }
        if let namespace, let number = named[Name("\(namespace).\(name)")] { return number }
        if let number = named[Name(name)] { return number }
        throw ForeignAvroTypes.problem("no type has the name \(name)")
    }

    private static func primitive(_ name: String) -> Form? {
        switch name {
        case "null": .null
        case "boolean": .boolean
        case "int": .int
        case "long": .long
        case "float": .float
        case "double": .double
        case "bytes": .bytes
        case "string": .string
        default: nil
        }
    }

    private mutating func addObject(_ json: JSON, namespace: String?) throws(Failure) -> Int {
        guard let type = json["type"] else { throw ForeignAvroTypes.problem("a type is missing") }
        guard let name = type.text else { return try add(type, namespace: namespace) }
        switch name {
        case "record", "error": return try addRecord(json, namespace: namespace)
        case "enum":
            let symbols = json["symbols"]?.elements?.compactMap(\.text) ?? []
            return try register(json, namespace, append(.enumeration(symbols))).number
        case "fixed":
            guard let size = json["size"]?.integer, (0...ForeignAvroTypes.sizeLimit).contains(size)
            else { throw ForeignAvroTypes.problem("a fixed has no size, or one above 1048576") }
            let base = Form.fixed(size)
            let number = append(base, ForeignAvroTypes.logical(json, base))
            return try register(json, namespace, number).number
        case "array", "map":
            guard let content = json[name == "array" ? "items" : "values"] else {
                throw ForeignAvroTypes.problem("an array or a map does not say of what")
            }
            let number = append(.null)
            let inner = try add(content, namespace: namespace)
            nodes[number].base = name == "array" ? .array(inner) : .map(inner)
            return number
        default:
            guard let base = ForeignAvroTypes.primitive(name) else {
                return try reference(name, namespace)
            }
            return append(base, ForeignAvroTypes.logical(json, base))
        }
    }

    private mutating func addRecord(_ json: JSON, namespace: String?) throws(Failure) -> Int {
        // Known before its fields are: they may name it.
        let (number, inner) = try register(json, namespace, append(.record([])))
        var fields: [Field] = []
        for field in json["fields"]?.elements ?? [] {
            guard let name = field["name"]?.text, let type = field["type"] else {
                throw ForeignAvroTypes.problem("a field has no name or no type")
            }
            fields.append(
                Field(name: name, type: try add(type, namespace: inner), json: field))
        }
        nodes[number].base = .record(fields)
        return number
    }

    /// Makes a named type known, and gives the namespace inside it.
    private mutating func register(
        _ json: JSON, _ namespace: String?, _ number: Int
    ) throws(Failure) -> (number: Int, namespace: String?) {
        guard let name = json["name"]?.text else {
            throw ForeignAvroTypes.problem("a record, enum or fixed has no name")
        }
        var full = name
        var inner = namespace
        if let dot = name.utf8.lastIndex(of: UInt8(ascii: ".")) {
            inner = String(name[..<dot])
        } else {
            if let own = json["namespace"]?.text { inner = own.isEmpty ? nil : own }
            if let inner { full = "\(inner).\(name)" }
        }
        guard named.updateValue(number, forKey: Name(full)) == nil else {
            throw ForeignAvroTypes.problem("two types have the name \(full)")
        }
        return (number, inner)
    }

    /// A logical type that does not fit the type below it is none, as the specification has it.
    private static func logical(_ json: JSON, _ base: Form) -> Logical? {
        guard let name = json["logicalType"]?.text else { return nil }
        switch (base, name) {
        case (.int, "date"): return .date
        case (.int, "time-millis"): return .timeMillis
        case (.long, "time-micros"): return .timeMicros
        case (.long, "timestamp-millis"): return .timestampMillis
        case (.long, "timestamp-micros"): return .timestampMicros
        case (.long, "local-timestamp-millis"): return .localTimestampMillis
        case (.long, "local-timestamp-micros"): return .localTimestampMicros
        case (.string, "uuid"), (.fixed(16), "uuid"): return .uuid
        case (.bytes, "decimal"), (.fixed, "decimal"):
            let scale = json["scale"]?.integer ?? 0
            guard let precision = json["precision"]?.integer, precision > 0,
                (0...precision).contains(scale)
            else { return nil }
            return .decimal(scale: scale, precision: precision)
        default: return nil
        }
    }

    /// How large and how deep a value is before anything is read; what is in unions, arrays and
    /// maps comes with the data.
    private struct Extent {
        var size = 1
        var height = 1
        var isKnown = false
    }

    private func extent(
        of number: Int, depth: Int, _ extents: inout [Int: Extent]
    ) throws(Failure) -> Extent {
        if let known = extents[number] {
            guard known.isKnown else {
                throw ForeignAvroTypes.problem("a record holds itself without an end")
            }
            return known
        }
        var extent = Extent()
        extents[number] = extent
        switch nodes[number].base {
        case .fixed(let size): extent.size += size
        case .record(let fields):
            for field in fields {
                guard depth < ForeignAvroWalk.depthLimit else { break }
                let inner = try self.extent(of: field.type, depth: depth + 1, &extents)
                extent.size += inner.size
                extent.height = max(extent.height, inner.height + 1)
            }
        default: break
        }
        guard depth < ForeignAvroWalk.depthLimit, extent.height <= ForeignAvroWalk.depthLimit else {
            throw ForeignAvroTypes.problem("records are nested more than 64 deep")
        }
        guard extent.size <= ForeignAvroTypes.sizeLimit else {
            throw ForeignAvroTypes.problem("a record is larger than 1048576 values and bytes")
        }
        extent.isKnown = true
        extents[number] = extent
        return extent
    }
}
