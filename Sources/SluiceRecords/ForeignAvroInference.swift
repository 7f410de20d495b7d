public import SluiceCore

/// What an Avro file of another tool holds.
public enum ForeignAvro {
    /// A table for the file's records, where none is given: a column per field, of the type that
    /// has the same values; arrays, maps and records become JSON.
    public static func inferSchema(
        table: TableName, bytes: UnsafeRawBufferPointer
    ) throws(Failure) -> RecordSchema {
        let container = try AvroContainer(bytes, rowLimit: 1 << 24)
        let types = try types(schemaText(container))
        let avroNames = AvroNames.make(for: types.fields.map { Name($0.name) })
        var fields: [Field] = []
        for (field, avroName) in zip(types.fields, avroNames) {
            let (type, isNullable) = columnType(field.type, types)
            // A file of ours says what it was.
            let ours = field.json["sluiceType"]?.text.flatMap { ColumnType($0) }
            fields.append(
                Field(
                    name: name(of: field), avroName: avroName, type: ours ?? type,
                    isNullable: isNullable, declared: field.json["sqlType"]?.text ?? ""))
        }
        return RecordSchema(table: table, fields: fields)
    }

    static func schemaText(_ container: AvroContainer) throws(Failure) -> UnsafeRawBufferPointer {
        guard let text = container.value(of: "avro.schema") else {
            throw Failure(.failed, "the Avro file has no schema")
        }
        guard text.count <= 16 << 20 else {
            throw Failure(.failed, "the Avro file's schema is larger than 16 MiB")
        }
        return text
    }

    static func types(_ text: UnsafeRawBufferPointer) throws(Failure) -> ForeignAvroTypes {
        try during("reading an Avro file's schema") { () throws(Failure) in
            try ForeignAvroTypes(try JSON(parsing: [UInt8](text)))
        }
    }

    /// The column's name: the one it had in its source, where sluice wrote the file.
    static func name(of field: ForeignAvroTypes.Field) -> Name {
        Name(field.json["sluiceName"]?.text ?? field.name)
    }

    private static func columnType(
        _ number: Int, _ types: ForeignAvroTypes
    ) -> (type: ColumnType, isNullable: Bool) {
        guard case .union(let branches) = types.nodes[number].base else {
            if case .null = types.nodes[number].base { return (.text, true) }
            return (plainType(types.nodes[number]), false)
        }
        var kinds: [ColumnType] = []
        var isNullable = false
        for branch in branches {
            if case .null = types.nodes[branch].base {
                isNullable = true
            } else {
                kinds.append(plainType(types.nodes[branch]))
            }
        }
        guard let first = kinds.first else { return (.text, true) }
        if kinds.count == 1 { return (first, isNullable) }
        if kinds.allSatisfy({ $0 == .int32 || $0 == .int64 }) { return (.int64, isNullable) }
        if kinds.allSatisfy({ $0 == .float32 || $0 == .float64 }) { return (.float64, isNullable) }
        let fitAny: Set<ColumnType> = [
            .int32, .int64, .float32, .float64, .text, .bytes, .enumeration,
        ]
        return (kinds.allSatisfy(fitAny.contains) ? .any : .json, isNullable)
    }

    private static func plainType(_ node: ForeignAvroTypes.Node) -> ColumnType {
        if let logical = node.logical {
            switch logical {
            case .decimal(let scale, let precision):
                return precision <= 38
                    ? .decimal(precision: precision, scale: scale) : .numberText
            case .date: return .date
            case .timeMillis, .timeMicros: return .time
            case .timestampMillis, .timestampMicros: return .timestamp
            case .localTimestampMillis, .localTimestampMicros: return .localTimestamp
            case .uuid: return .uuid
            }
        }
        return switch node.base {
        case .boolean: .boolean
        case .int: .int32
        case .long: .int64
        case .float: .float32
        case .double: .float64
        case .bytes, .fixed: .bytes
        case .string, .null: .text
        case .enumeration: .enumeration
        case .record, .array, .map, .union: .json
        }
    }
}
