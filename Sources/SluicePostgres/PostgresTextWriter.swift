internal import SluiceCore
internal import SluiceRecords

/// Records as the lines of a text COPY: for tables with a column whose binary form only the server
/// knows. Belongs to one lane.
struct PostgresTextWriter {
    private let fields: [PostgresFieldWriting]

    init(_ fields: [PostgresFieldWriting]) {
        self.fields = fields
    }

    /// Appends one record; what is wrong with which field where its column cannot keep a value.
    func append(
        _ cursor: inout RecordCursor, to output: inout ByteBuffer
    ) throws(Failure) -> (field: Int, refusal: PostgresRefusal)? {
        var isFirst = true
        for index in fields.indices {
            guard fields[index].form != .nothing else {
                _ = try cursor.long()
                continue
            }
            if !isFirst { output.append(0x09) }
            isFirst = false
            if fields[index].isNullable, try cursor.isNull() {
                PostgresTextWriter.append("\\N", to: &output)
                continue
            }
            if let refusal = try append(fields[index], &cursor, to: &output) {
                return (index, refusal)
            }
        }
        output.append(0x0A)
        return nil
    }

    private func append(
        _ field: PostgresFieldWriting, _ cursor: inout RecordCursor, to output: inout ByteBuffer
    ) throws(Failure) -> PostgresRefusal? {
        switch field.form {
        case .boolean: output.append(try cursor.boolean() ? UInt8(ascii: "t") : UInt8(ascii: "f"))
        case .int16, .int32, .int64, .uint32, .longAsNumeric:
            let value = try cursor.long()
            guard PostgresTextWriter.fits(value, field.form) else { return .integer }
            DecimalText.append(Int128(value), scale: 0, to: &output)
        case .uint64AsInt64, .uint64AsNumeric:
            let value = try cursor.unscaled()
            guard field.form == .uint64AsNumeric || Int64(exactly: value) != nil else {
                return .integer
            }
            DecimalText.append(value, scale: 0, to: &output)
        case .float32, .float32AsFloat64: FloatText.append(try cursor.float(), to: &output)
        case .float64: FloatText.append(try cursor.double(), to: &output)
        case .float64AsFloat32:
            let value = try cursor.double()
            guard Double(Float(value)) == value || value.isNaN else { return .float }
            FloatText.append(Float(value), to: &output)
        case .decimal(let precision, let scale):
            PostgresTextWriter.append(
                try cursor.unscaled(), precision: precision, scale: scale, to: &output)
        case .number(let scale): return try appendNumber(&cursor, scale: scale, to: &output)
        case .text(let limit, let isPadded):
            let text = try cursor.bytes()
            if let refusal = PostgresText.refusal(text, limit: limit, isPadded: isPadded) {
                return refusal
            }
            PostgresTextWriter.append(escaping: text, to: &output)
        case .uuid, .bits:
            return PostgresTextWriter.append(checked: try cursor.bytes(), field.form, to: &output)
        case .plainText, .jsonb:
            let text = try cursor.bytes()
            if PostgresText.hasNUL(text) { return .nul }
            PostgresTextWriter.append(escaping: text, to: &output)
        case .bytes:
            PostgresTextWriter.append("\\\\x", to: &output)
            for byte in try cursor.bytes() { output.append(hexadecimal: byte) }
        case .date, .time, .timestamp:
            let value = try cursor.long()
            guard field.form == .date || field.keeps(value) else { return field.roundingRefusal }
            return PostgresTextWriter.append(value, field.form, to: &output)
        case .textAsDate, .textAsTime, .textAsTimestamp:
            let value = PostgresText.moment(try cursor.bytes(), field.form)
            guard let value else { return .moment }
            let isKept = field.form == .textAsDate || field.keeps(value)
            guard isKept else { return field.roundingRefusal }
            return PostgresTextWriter.append(value, field.form, to: &output)
        case .longAsBoolean, .bitAsBoolean:
            guard let isSet = try field.flag(&cursor) else { return field.flagRefusal }
            output.append(isSet ? UInt8(ascii: "t") : UInt8(ascii: "f"))
        case .any: try appendAny(&cursor, to: &output)
        case .nothing: break
        }
        return nil
    }

    private static func append(
        _ value: Int128, precision: Int, scale: Int, to output: inout ByteBuffer
    ) {
        if let special = ReservedValues.specialDecimal(value, precision: precision) {
            append(special, to: &output)
        } else {
            DecimalText.append(value, scale: scale, to: &output)
        }
    }

    /// The same values as by the binary form, whose writer knows what is one.
    private static func append(
        checked text: UnsafeRawBufferPointer, _ form: PostgresFieldWriting.Form,
        to output: inout ByteBuffer
    ) -> PostgresRefusal? {
        var binary = ByteBuffer()
        let refusal =
            form == .uuid
            ? PostgresBinaryWriter.appendUUID(text, to: &binary)
            : PostgresBinaryWriter.appendBits(text, to: &binary)
        if refusal == nil { output.append(text) }
        return refusal
    }

    private static func fits(_ value: Int64, _ form: PostgresFieldWriting.Form) -> Bool {
        switch form {
        case .int16: Int16(exactly: value) != nil
        case .int32: Int32(exactly: value) != nil
        case .uint32: UInt32(exactly: value) != nil
        default: true
        }
    }

    private static func append(_ special: SpecialDecimal, to output: inout ByteBuffer) {
        switch special {
        case .nan: append("NaN", to: &output)
        case .infinity: append("Infinity", to: &output)
        case .minusInfinity: append("-Infinity", to: &output)
        }
    }

    private func appendNumber(
        _ cursor: inout RecordCursor, scale: Int?, to output: inout ByteBuffer
    ) throws(Failure) -> PostgresRefusal? {
        let text = try cursor.bytes()
        var form = ByteBuffer()
        guard PostgresNumeric.append(text: text, to: &form) else { return .number }
        let its = Int(form.bytes[10]) << 8 | Int(form.bytes[11])
        let isSpecial = form.bytes[8] >= UInt8(PostgresNumeric.nan >> 8)
        if let scale, its != scale, !isSpecial { return .scale }
        output.append(text)
        return nil
    }

    private func appendAny(
        _ cursor: inout RecordCursor, to output: inout ByteBuffer
    ) throws(Failure) {
        let branch = try cursor.anyBranch()
        guard branch != .null else { return PostgresTextWriter.append("\\N", to: &output) }
        var json = ByteBuffer()
        try AnyJSON.append(branch, &cursor, to: &json)
        PostgresTextWriter.append(escaping: json.bytes, to: &output)
    }

    private static func append(_ text: StaticString, to output: inout ByteBuffer) {
        output.append(
            UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    private static func append(
        escaping text: UnsafeRawBufferPointer, to output: inout ByteBuffer
    ) {
        let plain = PlainBytes.count(text)
        output.append(UnsafeRawBufferPointer(rebasing: text[..<plain]))
        for byte in text[plain...] {
            switch byte {
            case 0x09: append("\\t", to: &output)
            case 0x0A: append("\\n", to: &output)
            case 0x0D: append("\\r", to: &output)
            case UInt8(ascii: "\\"): append("\\\\", to: &output)
            default: output.append(byte)
            }
        }
    }
}

/// Dates and timestamps as the server reads them: years before the first with `BC` behind.
extension PostgresTextWriter {
    private static let microsPerDay: Int64 = 86_400_000_000
    private static let daysOf400Years: Int32 = 146_097

    private static func append(
        _ value: Int64, _ form: PostgresFieldWriting.Form, to output: inout ByteBuffer
    ) -> PostgresRefusal? {
        switch form {
        case .time, .textAsTime:
            guard (0...PostgresTextWriter.microsPerDay).contains(value) else { return .time }
            CalendarText.append(time: value, to: &output)
        case .date, .textAsDate:
            guard let days = ReservedValues.postgresDate(Int32(truncatingIfNeeded: value)) else {
                return .date
            }
            if PostgresTextWriter.appendInfinity(
                days == Int32.max, days == Int32.min, to: &output)
            {
                return nil
            }
            let isBC = PostgresTextWriter.append(
                days: days &+ ReservedValues.postgresDateShift, to: &output)
            if isBC { PostgresTextWriter.append(" BC", to: &output) }
        default:
            guard let micros = ReservedValues.postgresTimestamp(value) else { return .timestamp }
            if PostgresTextWriter.appendInfinity(
                micros == Int64.max, micros == Int64.min, to: &output)
            {
                return nil
            }
            var (days, time) = micros.quotientAndRemainder(
                dividingBy: PostgresTextWriter.microsPerDay)
            if time < 0 {
                days -= 1
                time += PostgresTextWriter.microsPerDay
            }
            let isBC = PostgresTextWriter.append(
                days: Int32(truncatingIfNeeded: days) &+ ReservedValues.postgresDateShift,
                to: &output)
            output.append(0x20)
            CalendarText.append(time: time, to: &output)
            // A column without time zone does not look at it.
            PostgresTextWriter.append("+00", to: &output)
            if isBC { PostgresTextWriter.append(" BC", to: &output) }
        }
        return nil
    }

    private static func appendInfinity(
        _ isLast: Bool, _ isFirst: Bool, to output: inout ByteBuffer
    ) -> Bool {
        if isLast { append("infinity", to: &output) }
        if isFirst { append("-infinity", to: &output) }
        return isLast || isFirst
    }

    /// Appends a day and says whether its year is one before the first.
    private static func append(days: Int32, to output: inout ByteBuffer) -> Bool {
        // 0000-12-31 is the day before the year 1.
        guard days < -719_162 else {
            CalendarText.append(date: days, to: &output)
            return false
        }
        // The calendar repeats itself every 400 years; of the server's first year that is 13 times.
        var text = ByteBuffer()
        CalendarText.append(date: days &+ 13 &* daysOf400Years, to: &text)
        var year = 0
        for digit in text.bytes.prefix(4) { year = year &* 10 &+ Int(digit &- 0x30) }
        let before = 1 &- (year &- 5200)
        for divisor in [1000, 100, 10, 1] {
            output.append(0x30 &+ UInt8(before / divisor % 10))
        }
        output.append(UnsafeRawBufferPointer(rebasing: text.bytes[4...]))
        return true
    }
}
