internal import SluiceCore

/// The Avro schema of a table's shards: real logical types only, everything else in properties
/// that readers keep or ignore (docs/format.md).
extension RecordSchema {
    /// The name of the record that holds text which is not UTF-8, in `any` fields.
    static let invalidTextName = "invalid_text"

    /// The schema as JSON text; equal schemas give equal bytes.
    public var avro: String {
        var members: [JSON.Member] = [
            JSON.Member("type", "record"), JSON.Member("name", .string(avroRecordName)),
        ]
        if let schema = table.schema {
            members.append(JSON.Member("namespace", .string(AvroNames.legal(schema))))
        }
        if Name(avroRecordName) != table.table {
            members.append(JSON.Member("sluiceName", .string(table.table.text)))
        }
        if let schema = table.schema, Name(AvroNames.legal(schema)) != schema {
            members.append(JSON.Member("sluiceSchema", .string(schema.text)))
        }
        var definesInvalidText = true
        let fields = fields.map { field in
            let json = field.avro(definingInvalidText: definesInvalidText)
            if field.type == .any { definesInvalidText = false }
            return json
        }
        members.append(JSON.Member("fields", .array(fields)))
        return JSON.object(members).compact
    }

    /// Made from the table's name; never that of the record inside `any` fields.
    private var avroRecordName: String {
        AvroNames.make(for: [Name(RecordSchema.invalidTextName), table.table])[1]
    }
}

extension Field {
    fileprivate func avro(definingInvalidText defines: Bool) -> JSON {
        var members = [JSON.Member("name", .string(avroName))]
        // NULL is always a branch of `any`; its place in the union does not depend on the column.
        if type == .any {
            members.append(
                JSON.Member("type", .array(Field.anyBranches(definingInvalidText: defines))))
            members.append(JSON.Member("default", .null))
        } else if isNullable {
            members.append(JSON.Member("type", ["null", type.avro]))
            members.append(JSON.Member("default", .null))
        } else {
            members.append(JSON.Member("type", type.avro))
        }
        members.append(JSON.Member("sluiceType", .string(type.description)))
        if !declared.isEmpty { members.append(JSON.Member("sqlType", .string(declared))) }
        if Name(avroName) != name {
            members.append(JSON.Member("sluiceName", .string(name.text)))
        }
        if isRowid { members.append(JSON.Member("sluiceRowid", true)) }
        return .object(members)
    }

    private static func anyBranches(definingInvalidText defines: Bool) -> [JSON] {
        let name = JSON.string(RecordSchema.invalidTextName)
        let record: JSON = [
            "type": "record", "name": name, "fields": [["name": "bytes", "type": "bytes"]],
        ]
        return ["null", "long", "double", "string", "bytes", defines ? record : name]
    }
}

extension ColumnType {
    /// The Avro type of a value that is not NULL; `any` has no single one.
    fileprivate var avro: JSON {
        switch self {
        case .boolean: "boolean"
        case .int32: "int"
        case .int64: "long"
        case .uint64: ColumnType.avroDecimal(precision: 20, scale: 0)
        case .float32: "float"
        case .float64: "double"
        case .decimal(let precision, let scale):
            ColumnType.avroDecimal(precision: precision, scale: scale)
        case .bytes: "bytes"
        case .date: ["type": "int", "logicalType": "date"]
        case .time: ["type": "long", "logicalType": "time-micros"]
        case .timestamp: ["type": "long", "logicalType": "timestamp-micros"]
        case .localTimestamp: ["type": "long", "logicalType": "local-timestamp-micros"]
        case .uuid: ["type": "string", "logicalType": "uuid"]
        case .text, .numberText, .json, .enumeration, .set, .bitString, .serverText, .any: "string"
        }
    }

    private static func avroDecimal(precision: Int, scale: Int) -> JSON {
        [
            "type": "bytes", "logicalType": "decimal", "precision": .int(precision),
            "scale": .int(scale),
        ]
    }
}
