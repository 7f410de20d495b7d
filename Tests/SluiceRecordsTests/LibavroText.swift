import CAvro
import SluiceCore
import TestSupport

@testable import SluiceRecords

/// A container as libavro sees it, through its value interface, which is a table of functions.
enum LibavroText {
    struct Refusal: Error, CustomStringConvertible {
        let description = String(cString: avro_strerror())
    }

    /// A line per row, as `PhysicalText` has them.
    static func lines(_ path: String) throws -> [String] {
        var reader: avro_file_reader_t?
        guard avro_file_reader(path, &reader) == 0 else { throw Refusal() }
        defer { avro_file_reader_close(reader) }
        guard let schema = avro_file_reader_get_writer_schema(reader),
            let interface = avro_generic_class_from_schema(schema)
        else { throw Refusal() }
        var row = avro_value_t()
        guard avro_generic_value_new(interface, &row) == 0 else { throw Refusal() }
        defer { avro_value_decref(&row) }
        let decimals = try decimalFields(ofShardAt: path)
        var lines: [String] = []
        while true {
            let code = avro_file_reader_read_value(reader, &row)
            // Its word for the end of the file; whether all rows came is for the counts to tell.
            guard code == 0 else { return lines }
            var values: [String] = []
            for index in 0..<avro_schema_record_size(schema) {
                values.append(
                    try text(try child(row, index), isDecimal: decimals.contains(index)))
            }
            lines.append(values.joined(separator: "|"))
        }
    }

    /// libavro knows no decimals; their fields are those whose bytes are numbers.
    private static func decimalFields(ofShardAt path: String) throws -> Set<Int> {
        let bytes = try FileBytes.read(path)
        let schema = try bytes.withUnsafeBytes { raw in
            try AvroContainer(raw, rowLimit: 1 << 20).value(of: "avro.schema").map { [UInt8]($0) }
        }
        let fields = try JSON(parsing: schema ?? [])["fields"]?.elements ?? []
        return Set(
            fields.indices.filter { index in
                let type = fields[index]["sluiceType"]?.text ?? ""
                return type == "uint64" || type.hasPrefix("decimal(")
            })
    }

    private static func check(_ code: Int32?) throws {
        guard code == 0 else { throw Refusal() }
    }

    private static func child(_ value: avro_value_t, _ index: Int) throws -> avro_value_t {
        var child = avro_value_t()
        try check(value.iface.pointee.get_by_index?(value.iface, value.`self`, index, &child, nil))
        return child
    }

    private static func text(_ value: avro_value_t, isDecimal: Bool) throws -> String {
        let table = value.iface.pointee
        switch table.get_type?(value.iface, value.`self`) {
        case AVRO_UNION:
            var branch = avro_value_t()
            try check(table.get_current_branch?(value.iface, value.`self`, &branch))
            return try text(branch, isDecimal: isDecimal)
        case AVRO_NULL: return "null"
        case AVRO_BOOLEAN:
            var number: Int32 = 0
            try check(table.get_boolean?(value.iface, value.`self`, &number))
            return number == 0 ? "false" : "true"
        case AVRO_INT32:
            var number: Int32 = 0
            try check(table.get_int?(value.iface, value.`self`, &number))
            return "\(number)"
        case AVRO_INT64:
            var number: Int64 = 0
            try check(table.get_long?(value.iface, value.`self`, &number))
            return "\(number)"
        case AVRO_FLOAT:
            var number: Float = 0
            try check(table.get_float?(value.iface, value.`self`, &number))
            return PhysicalText.float(number)
        case AVRO_DOUBLE:
            var number: Double = 0
            try check(table.get_double?(value.iface, value.`self`, &number))
            return PhysicalText.double(number)
        case AVRO_STRING:
            var start: UnsafePointer<CChar>?
            var count = 0
            try check(table.get_string?(value.iface, value.`self`, &start, &count))
            // The count includes a NUL at the end.
            return "s" + Hexadecimal.string(UnsafeRawBufferPointer(start: start, count: count - 1))
        case AVRO_BYTES:
            let bytes = try bytes(value)
            guard isDecimal else { return "b" + Hexadecimal.string(bytes) }
            let sign: Int128 = (bytes.first ?? 0) < 0x80 ? 0 : -1
            return "\(bytes.reduce(sign) { $0 << 8 | Int128($1) })"
        case AVRO_RECORD: return "i" + Hexadecimal.string(try bytes(try child(value, 0)))
        default: throw Refusal()
        }
    }

    private static func bytes(_ value: avro_value_t) throws -> [UInt8] {
        var start: UnsafeRawPointer?
        var count = 0
        try check(value.iface.pointee.get_bytes?(value.iface, value.`self`, &start, &count))
        return [UInt8](UnsafeRawBufferPointer(start: start, count: count))
    }

    static func writeLongs(_ values: Range<Int64>, codec: String, to path: String) throws {
        let schema = avro_schema_long()
        defer { avro_schema_decref(schema) }
        var writer: avro_file_writer_t?
        guard avro_file_writer_create_with_codec(path, schema, &writer, codec, 0) == 0 else {
            throw Refusal()
        }
        defer { avro_file_writer_close(writer) }
        for value in values {
            let datum = avro_int64(value)
            defer { avro_datum_decref(datum) }
            guard avro_file_writer_append(writer, datum) == 0 else { throw Refusal() }
        }
    }
}
