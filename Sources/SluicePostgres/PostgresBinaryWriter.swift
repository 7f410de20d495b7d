internal import SluiceCore
internal import SluiceRecords

/// Records as the rows of a binary COPY. Belongs to one lane.
struct PostgresBinaryWriter {
    private let fields: [PostgresFieldWriting]
    private let columnCount: UInt16

    /// What stands before the first row and behind the last.
    static let start: [UInt8] =
        Array("PGCOPY\n".utf8) + [0xFF, 0x0D, 0x0A, 0] + [0, 0, 0, 0] + [0, 0, 0, 0]
    static let end: [UInt8] = [0xFF, 0xFF]

    init(_ fields: [PostgresFieldWriting]) {
        self.fields = fields
        columnCount = UInt16(truncatingIfNeeded: fields.count { $0.form != .nothing })
    }

    /// Appends one record; what is wrong with which field where its column cannot keep a value.
    @inline(__always)
    func append(
        _ cursor: inout RecordCursor, to output: inout ByteBuffer
    ) throws(Failure) -> (field: Int, refusal: PostgresRefusal)? {
        output.appendWord(columnCount)
        for index in fields.indices {
            if let refusal = try append(fields[index], &cursor, to: &output) {
                return (index, refusal)
            }
        }
        return nil
    }

    @inline(__always)
    private func append(
        _ field: PostgresFieldWriting, _ cursor: inout RecordCursor, to output: inout ByteBuffer
    ) throws(Failure) -> PostgresRefusal? {
        if field.isNullable, try cursor.isNull() {
            if field.form != .nothing { output.appendInt32(-1) }
            return nil
        }
        switch field.form {
        case .boolean:
            output.appendInt32(1)
            output.appendBoolean(try cursor.boolean())
        case .int16:
            guard let value = Int16(exactly: try cursor.long()) else { return .integer }
            output.appendInt32(2)
            output.appendWord(UInt16(bitPattern: value))
        case .int32:
            guard let value = Int32(exactly: try cursor.long()) else { return .integer }
            output.appendInt32(4)
            output.appendInt32(value)
        case .uint32:
            guard let value = UInt32(exactly: try cursor.long()) else { return .integer }
            output.appendInt32(4)
            output.appendInt32(Int32(bitPattern: value))
        case .int64:
            output.appendInt32(8)
            output.appendInt64(try cursor.long())
        case .float32:
            output.appendInt32(4)
            output.appendInt32(Int32(bitPattern: try cursor.float().bitPattern))
        case .float64:
            output.appendInt32(8)
            output.appendInt64(Int64(bitPattern: try cursor.double().bitPattern))
        case .decimal(let precision, let scale):
            PostgresNumeric.append(
                try cursor.unscaled(), precision: precision, scale: scale, to: &output)
        case .text(let limit, let isPadded):
            let text = try cursor.bytes()
            if let refusal = PostgresText.refusal(text, limit: limit, isPadded: isPadded) {
                return refusal
            }
            output.appendField(text)
        case .bytes: return output.appendLargeField(try cursor.bytes())
        case .date:
            return PostgresBinaryWriter.append(date: try cursor.long(), to: &output)
        case .timestamp:
            let value = try cursor.long()
            guard field.keeps(value) else { return field.roundingRefusal }
            return PostgresBinaryWriter.append(timestamp: value, to: &output)
        default: return try appendOther(field, &cursor, to: &output)
        }
        return nil
    }

    /// What is rarer, or costs more than a call.
    @inline(never)
    private func appendOther(
        _ field: PostgresFieldWriting, _ cursor: inout RecordCursor, to output: inout ByteBuffer
    ) throws(Failure) -> PostgresRefusal? {
        switch field.form {
        case .uint64AsInt64:
            guard let value = Int64(exactly: try cursor.unscaled()) else { return .integer }
            output.appendInt32(8)
            output.appendInt64(value)
        case .longAsNumeric:
            PostgresNumeric.append(Int128(try cursor.long()), scale: 0, to: &output)
        case .uint64AsNumeric:
            PostgresNumeric.append(try cursor.unscaled(), scale: 0, to: &output)
        case .float32AsFloat64:
            output.appendInt32(8)
            output.appendInt64(Int64(bitPattern: Double(try cursor.float()).bitPattern))
        case .float64AsFloat32:
            let value = try cursor.double()
            guard Double(Float(value)) == value || value.isNaN else { return .float }
            output.appendInt32(4)
            output.appendInt32(Int32(bitPattern: Float(value).bitPattern))
        case .number(let scale):
            return PostgresBinaryWriter.appendNumber(
                try cursor.bytes(), scale: scale, to: &output)
        case .plainText:
            let text = try cursor.bytes()
            if PostgresText.hasNUL(text) { return .nul }
            output.appendField(text)
        case .jsonb:
            let text = try cursor.bytes()
            output.appendInt32(Int32(clamping: text.count &+ 1))
            output.append(1)
            output.append(text)
        case .time:
            let value = try cursor.long()
            guard field.keeps(value) else { return field.roundingRefusal }
            return PostgresBinaryWriter.append(time: value, to: &output)
        case .textAsDate, .textAsTime, .textAsTimestamp:
            return PostgresBinaryWriter.append(momentIn: try cursor.bytes(), field, to: &output)
        case .longAsBoolean, .bitAsBoolean:
            guard let isSet = try field.flag(&cursor) else { return field.flagRefusal }
            output.appendInt32(1)
            output.appendBoolean(isSet)
        case .uuid: return PostgresBinaryWriter.appendUUID(try cursor.bytes(), to: &output)
        case .bits: return PostgresBinaryWriter.appendBits(try cursor.bytes(), to: &output)
        case .any: return try PostgresAny.appendField(&cursor, to: &output)
        case .nothing: _ = try cursor.long()
        default: throw Failure(.bug, "a form of writing is not known to the binary COPY")
        }
        return nil
    }

    private static func append(
        momentIn text: UnsafeRawBufferPointer, _ field: PostgresFieldWriting,
        to output: inout ByteBuffer
    ) -> PostgresRefusal? {
        guard let value = PostgresText.moment(text, field.form) else { return .moment }
        guard field.form == .textAsDate || field.keeps(value) else { return field.roundingRefusal }
        return switch field.form {
        case .textAsDate: append(date: value, to: &output)
        case .textAsTime: append(time: value, to: &output)
        default: append(timestamp: value, to: &output)
        }
    }

    @inline(__always)
    private static func append(date: Int64, to output: inout ByteBuffer) -> PostgresRefusal? {
        guard let days = ReservedValues.postgresDate(Int32(truncatingIfNeeded: date)) else {
            return .date
        }
        output.appendInt32(4)
        output.appendInt32(days)
        return nil
    }

    @inline(__always)
    private static func append(
        timestamp: Int64, to output: inout ByteBuffer
    ) -> PostgresRefusal? {
        guard let micros = ReservedValues.postgresTimestamp(timestamp) else { return .timestamp }
        output.appendInt32(8)
        output.appendInt64(micros)
        return nil
    }

    private static func append(time micros: Int64, to output: inout ByteBuffer) -> PostgresRefusal?
    {
        guard (0...86_400_000_000).contains(micros) else { return .time }
        output.appendInt32(8)
        output.appendInt64(micros)
        return nil
    }

    private static func appendNumber(
        _ text: UnsafeRawBufferPointer, scale: Int?, to output: inout ByteBuffer
    ) -> PostgresRefusal? {
        let place = output.count
        guard PostgresNumeric.append(text: text, to: &output) else { return .number }
        guard let scale else { return nil }
        // The server would round to the column's scale, or add zeros.
        let bytes = output.bytes
        let sign = UInt16(bytes[place &+ 8]) << 8 | UInt16(bytes[place &+ 9])
        let its = Int(bytes[place &+ 10]) << 8 | Int(bytes[place &+ 11])
        return its == scale || sign >= PostgresNumeric.nan ? nil : .scale
    }

    static func appendUUID(
        _ text: UnsafeRawBufferPointer, to output: inout ByteBuffer
    ) -> PostgresRefusal? {
        guard text.count == 36 else { return .uuid }
        output.appendInt32(16)
        var place = 0
        for part in 0..<16 {
            if part == 4 || part == 6 || part == 8 || part == 10 {
                guard text[place] == UInt8(ascii: "-") else { return .uuid }
                place &+= 1
            }
            let high = PostgresText.hexadecimal(text[place])
            let low = PostgresText.hexadecimal(text[place &+ 1])
            // Capitals would come back as small letters.
            guard high < 16, low < 16, text[place] &- 0x41 > 5, text[place &+ 1] &- 0x41 > 5 else {
                return .uuid
            }
            output.append(high << 4 | low)
            place &+= 2
        }
        return nil
    }

    static func appendBits(
        _ text: UnsafeRawBufferPointer, to output: inout ByteBuffer
    ) -> PostgresRefusal? {
        output.appendInt32(Int32(clamping: 4 &+ (text.count &+ 7) / 8))
        output.appendInt32(Int32(clamping: text.count))
        var byte: UInt8 = 0
        for index in 0..<text.count {
            guard text[index] & 0xFE == 0x30 else { return .bits }
            byte |= (text[index] & 1) << UInt8(7 &- index & 7)
            if index & 7 == 7 {
                output.append(byte)
                byte = 0
            }
        }
        if text.count & 7 != 0 { output.append(byte) }
        return nil
    }
}

extension ByteBuffer {
    @inline(__always)
    fileprivate mutating func appendField(_ value: UnsafeRawBufferPointer) {
        appendInt32(Int32(truncatingIfNeeded: value.count))
        append(value)
    }

    /// Values that may be beyond what the server's messages can hold.
    @inline(__always)
    fileprivate mutating func appendLargeField(
        _ value: UnsafeRawBufferPointer
    ) -> PostgresRefusal? {
        guard value.count < 1 << 30 else { return .row }
        appendField(value)
        return nil
    }
}
