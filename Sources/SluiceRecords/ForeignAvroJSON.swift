internal import CAvro
internal import Glibc
internal import SluiceCore

// Arrays, maps and records as JSON text: numbers as numbers, decimals too; dates, times and UUIDs
// as ISO strings; bytes as Avro's own JSON has them, a character per byte; what is no JSON number
// as a string.
extension ForeignAvroValue {
    /// False where a value has no such text: a string that is not UTF-8.
    func writeJSON(to output: inout ByteBuffer) throws(Failure) -> Bool {
        if node.logical != nil, try writeLogical(to: &output) { return true }
        switch node.base {
        case .null: CSVText.append("null", to: &output)
        case .boolean: CSVText.append(try boolean() == true ? "true" : "false", to: &output)
        case .int, .long: DigitText.append(try long() ?? 0, to: &output)
        case .float, .double: try writeFloat(to: &output)
        case .bytes, .fixed:
            guard let bytes = try bytes() else { return false }
            output.append(UInt8(ascii: "\""))
            for byte in bytes { ForeignAvroValue.append(character: UInt32(byte), to: &output) }
            output.append(UInt8(ascii: "\""))
        case .string:
            guard let text = try bytes(), UTF8Text.isValid(text) else { return false }
            ForeignAvroValue.append(string: text, to: &output)
        case .enumeration:
            output.append(JSON.string(try symbol() ?? "").compact)
        case .record(let fields):
            for (index, field) in fields.enumerated() {
                output.append(UInt8(ascii: index == 0 ? "{" : ","))
                output.append(JSON.string(field.name).compact)
                output.append(UInt8(ascii: ":"))
                guard try child(index, field.type).value.writeJSON(to: &output) else {
                    return false
                }
            }
            CSVText.append(fields.isEmpty ? "{}" : "}", to: &output)
        case .array(let inner): return try writeElements(inner, to: &output)
        case .map(let inner): return try writeEntries(inner, to: &output)
        case .union: return false
        }
        return true
    }

    private func writeElements(
        _ inner: Int, to output: inout ByteBuffer
    ) throws(Failure) -> Bool {
        output.append(UInt8(ascii: "["))
        for index in 0..<(try elementCount()) {
            if index > 0 { output.append(UInt8(ascii: ",")) }
            guard try child(index, inner).value.writeJSON(to: &output) else { return false }
        }
        output.append(UInt8(ascii: "]"))
        return true
    }

    private func writeEntries(_ inner: Int, to output: inout ByteBuffer) throws(Failure) -> Bool {
        output.append(UInt8(ascii: "{"))
        for index in 0..<(try elementCount()) {
            if index > 0 { output.append(UInt8(ascii: ",")) }
            let (value, key) = try child(index, inner)
            guard let key else { return false }
            let name = UnsafeRawBufferPointer(start: key, count: strlen(key))
            guard UTF8Text.isValid(name) else { return false }
            ForeignAvroValue.append(string: name, to: &output)
            output.append(UInt8(ascii: ":"))
            guard try value.writeJSON(to: &output) else { return false }
        }
        output.append(UInt8(ascii: "}"))
        return true
    }

    private func writeFloat(to output: inout ByteBuffer) throws(Failure) {
        let value = try double() ?? 0
        if !value.isFinite {
            let word: StaticString =
                value.isNaN ? "\"NaN\"" : value < 0 ? "\"-Infinity\"" : "\"Infinity\""
            CSVText.append(word, to: &output)
            return
        }
        if case .float = node.base {
            FloatText.append(Float(value), to: &output)
        } else {
            FloatText.append(value, to: &output)
        }
    }

    /// False where the logical type has no text of its own for the value.
    private func writeLogical(to output: inout ByteBuffer) throws(Failure) -> Bool {
        switch node.logical {
        case .decimal:
            guard let (unscaled, scale) = try decimal(), scale <= 38 else { return false }
            DecimalText.append(unscaled, scale: scale, to: &output)
            return true
        case .uuid where node.base.isFixed:
            guard let bytes = try bytes() else { return false }
            var digits = ByteBuffer()
            var record = ByteBuffer()
            CSVText.appendHexadecimal(bytes, to: &digits)
            guard ForeignText.append(uuid: digits.bytes, to: &record) == .plain else {
                return false
            }
            var cursor = RecordCursor(record.bytes)
            ForeignAvroValue.append(string: try cursor.bytes(), to: &output)
            return true
        case .uuid, nil: return false
        default: return try writeMoment(to: &output)
        }
    }

    private func writeMoment(to output: inout ByteBuffer) throws(Failure) -> Bool {
        guard let number = try long() else { return false }
        let isMillis: Bool
        switch node.logical {
        case .timeMillis, .timestampMillis, .localTimestampMillis: isMillis = true
        default: isMillis = false
        }
        let (micros, overflows) = number.multipliedReportingOverflow(by: isMillis ? 1000 : 1)
        if overflows { return false }
        output.append(UInt8(ascii: "\""))
        switch node.logical {
        case .date:
            CalendarText.append(date: Int32(truncatingIfNeeded: number), to: &output)
        case .timeMillis, .timeMicros: CalendarText.append(time: micros, to: &output)
        case .timestampMillis, .timestampMicros:
            CalendarText.append(timestamp: micros, isUTC: true, to: &output)
        default: CalendarText.append(timestamp: micros, isUTC: false, to: &output)
        }
        output.append(UInt8(ascii: "\""))
        return true
    }

    private static func append(string: UnsafeRawBufferPointer, to output: inout ByteBuffer) {
        output.append(UInt8(ascii: "\""))
        for byte in string {
            if byte < 0x80 {
                append(character: UInt32(byte), to: &output)
            } else {
                output.append(byte)
            }
        }
        output.append(UInt8(ascii: "\""))
    }

    /// One character below U+0100 inside a JSON string.
    private static func append(character: UInt32, to output: inout ByteBuffer) {
        switch character {
        case 0x22, 0x5C:
            output.append(UInt8(ascii: "\\"))
            output.append(UInt8(character))
        case 0x20..<0x7F: output.append(UInt8(character))
        default:
            CSVText.append("\\u00", to: &output)
            withUnsafeBytes(of: UInt8(character)) { CSVText.appendHexadecimal($0, to: &output) }
        }
    }
}

extension ForeignAvroTypes.Form {
    fileprivate var isFixed: Bool {
        if case .fixed = self { return true }
        return false
    }
}
