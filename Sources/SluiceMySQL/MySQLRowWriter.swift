internal import SluiceCore
internal import SluiceRecords

/// Records as the lines of a `LOAD DATA`, or as the rows of an `INSERT` with a comma behind each.
/// Belongs to one lane.
///
/// Escapes are those that both understand under the `sql_mode` of `MySQLSettings`.
struct MySQLRowWriter {
    enum Rendering {
        case lines
        case rows
        /// Values as they are, for a parameter each.
        case values
    }

    private let fields: [MySQLFieldWriting]
    private let steps: [Step]
    private let rendering: Rendering
    /// Bytes go as hexadecimal digits: the server reads lines as UTF-8 and takes no others.
    private let sendsHexadecimal: Bool

    init(_ fields: [MySQLFieldWriting], as rendering: Rendering, sendsHexadecimal: Bool) {
        self.fields = fields
        steps = fields.map(Step.init)
        self.rendering = rendering
        self.sendsHexadecimal = sendsHexadecimal
    }

    /// Appends one record; what is wrong with which field where its column cannot keep a value.
    ///
    /// - Parameter wordless: gets one more for each label that its column has no word for.
    func append(
        _ cursor: inout RecordCursor, to output: inout ByteBuffer, wordless: inout Int
    ) throws(Failure) -> (field: Int, refusal: MySQLRefusal)? {
        var isFirst = true
        if rendering == .rows { output.append(UInt8(ascii: "(")) }
        for index in steps.indices {
            let step = steps[index]
            guard step.kind != .nothing else {
                _ = try cursor.long()
                continue
            }
            if !isFirst { output.append(rendering == .lines ? 0x09 : UInt8(ascii: ",")) }
            isFirst = false
            if step.isNullable, try cursor.isNull() {
                appendNull(to: &output)
                continue
            }
            if let refusal = try append(step, of: index, &cursor, to: &output, &wordless) {
                return (index, refusal)
            }
        }
        if rendering == .lines {
            output.append(0x0A)
        } else {
            MySQLRowWriter.append("),", to: &output)
        }
        return nil
    }

    /// Adds one record to arrays; what is wrong with which field where its column cannot keep a
    /// value.
    func append(
        _ cursor: inout RecordCursor, to arrays: MySQLArrays, wordless: inout Int
    ) throws(Failure) -> (field: Int, refusal: MySQLRefusal)? {
        var column = 0
        for index in steps.indices {
            let step = steps[index]
            guard step.kind != .nothing else {
                _ = try cursor.long()
                continue
            }
            if step.isNullable, try cursor.isNull() {
                arrays.endNull(column)
            } else {
                let start = arrays.bytes.count
                if let refusal = try append(
                    step, of: index, &cursor, to: &arrays.bytes, &wordless)
                {
                    return (index, refusal)
                }
                arrays.endValue(column, from: start)
            }
            column &+= 1
        }
        arrays.endRow()
        return nil
    }

    @inline(__always)
    private func appendNull(to output: inout ByteBuffer) {
        if rendering == .lines {
            output.append(UInt8(ascii: "\\"))
            output.append(UInt8(ascii: "N"))
        } else {
            MySQLRowWriter.append("NULL", to: &output)
        }
    }

    @inline(__always)
    private func append(
        _ step: Step, of index: Int, _ cursor: inout RecordCursor, to output: inout ByteBuffer,
        _ wordless: inout Int
    ) throws(Failure) -> MySQLRefusal? {
        switch step.kind {
        case .long:
            let value = try cursor.long()
            guard value >= step.lower, value <= step.upper else { return .integer }
            DigitText.append(value, to: &output)
        case .text:
            let text = try cursor.bytes()
            if let refusal = MySQLLimits.refusal(
                text, characters: step.characterLimit, bytes: step.byteLimit,
                isPadded: step.isPadded)
            {
                return refusal
            }
            appendQuoted(text, to: &output)
        case .decimal:
            let value = try cursor.unscaled()
            let limit = Int128(step.upper)
            if value > limit || value < -limit,
                ReservedValues.specialDecimal(value, precision: step.precision) != nil
            {
                return .notNumber
            }
            DecimalText.append(value, scale: step.scale, to: &output)
        case .date: return appendMoment(.date, try cursor.long(), to: &output)
        case .nothing, .other:
            return try appendSeldom(fields[index], &cursor, to: &output, &wordless)
        }
        return nil
    }

    private func appendSeldom(
        _ field: MySQLFieldWriting, _ cursor: inout RecordCursor, to output: inout ByteBuffer,
        _ wordless: inout Int
    ) throws(Failure) -> MySQLRefusal? {
        switch field.form {
        case .longAsUnsigned:
            let value = try cursor.long()
            guard value >= 0 else { return .integer }
            DigitText.append(value, to: &output)
        case .time, .timestamp, .dateTime:
            return appendMoment(field.form, try cursor.long(), to: &output)
        case .float32(let places):
            let value = Double(try cursor.float())
            let kept = MySQLLimits.rounded(value, places: places)
            guard Float(kept) == Float(value) || !value.isFinite else { return .float }
            return appendFloat(value, to: &output)
        case .float64(let places):
            let value = try cursor.double()
            guard MySQLLimits.rounded(value, places: places) == value || !value.isFinite else {
                return .float
            }
            return appendFloat(value, to: &output)
        case .bytes(let limit, let isPadded):
            let bytes = try cursor.bytes()
            if bytes.count > limit { return .byteLength(limit: limit) }
            if isPadded, bytes.count < limit { return .padding(limit: limit) }
            appendBytes(bytes, to: &output)
        case .plainText: appendQuoted(try cursor.bytes(), to: &output)
        default: return try appendOther(field, &cursor, to: &output, &wordless)
        }
        return nil
    }

    private func appendOther(
        _ field: MySQLFieldWriting, _ cursor: inout RecordCursor, to output: inout ByteBuffer,
        _ wordless: inout Int
    ) throws(Failure) -> MySQLRefusal? {
        switch field.form {
        case .boolean: output.append(try cursor.boolean() ? 0x31 : 0x30)
        case .uint64(let upper):
            let value = try cursor.unscaled()
            guard value >= 0, value <= Int128(upper) else { return .integer }
            DigitText.append(UInt64(truncatingIfNeeded: value), to: &output)
        case .wholeDecimal(let lower, let upper):
            let value = try cursor.unscaled()
            guard value >= lower, value <= upper else { return .integer }
            DecimalText.append(value, scale: 0, to: &output)
        case .float32AsFloat64(let places):
            let value = Double(try cursor.float())
            guard MySQLLimits.rounded(value, places: places) == value || !value.isFinite else {
                return .float
            }
            return appendFloat(value, to: &output)
        case .float64AsFloat32(let places):
            let value = try cursor.double()
            let kept = Float(MySQLLimits.rounded(value, places: places))
            guard Double(kept) == value || !value.isFinite else { return .float }
            return appendFloat(value, to: &output)
        case .year:
            let value = try cursor.long()
            guard value == 0 || (1901...2155).contains(value) else { return .year }
            // Fewer digits would be a year of this or the last century.
            if value == 0 { MySQLRowWriter.append("000", to: &output) }
            DigitText.append(value, to: &output)
        case .label, .ordinal, .labelText:
            return appendLabel(field, try cursor.bytes(), to: &output, &wordless)
        case .any:
            let branch = try cursor.anyBranch()
            guard branch != .null else {
                appendNull(to: &output)
                return nil
            }
            var json = ByteBuffer()
            try AnyJSON.append(branch, &cursor, to: &json)
            appendQuoted(json.bytes, to: &output)
        default: return appendForm(field, try cursor.bytes(), to: &output)
        }
        return nil
    }

    /// A label of an ENUM, or what is none.
    private func appendLabel(
        _ field: MySQLFieldWriting, _ text: UnsafeRawBufferPointer, to output: inout ByteBuffer,
        _ wordless: inout Int
    ) -> MySQLRefusal? {
        let isWrong = ReservedValues.isWrongLabel(text)
        switch field.form {
        case .ordinal(let labels):
            let ordinal = labels.ordinal(of: text)
            if ordinal == nil {
                guard isWrong else { return .label }
                wordless &+= 1
            }
            DigitText.append(Int64(ordinal ?? 0), to: &output)
            return nil
        case .label(let labels):
            if !labels.contain(text) {
                guard text.isEmpty else { return isWrong ? .wrongLabel : .label }
                wordless &+= 1
            }
        case .labelText(let characters, let bytes, let isPadded):
            if isWrong { return .wrongLabel }
            if let refusal = MySQLLimits.refusal(
                text, characters: characters, bytes: bytes, isPadded: isPadded)
            {
                return refusal
            }
        default: break
        }
        appendQuoted(text, to: &output)
        return nil
    }

    /// A text in the one form that its column's values are printed in.
    private func appendForm(
        _ field: MySQLFieldWriting, _ text: UnsafeRawBufferPointer, to output: inout ByteBuffer
    ) -> MySQLRefusal? {
        switch field.form {
        case .number(let scale):
            if let refusal = MySQLLimits.numberRefusal(text, scale: scale) { return refusal }
            output.append(text)
        case .labels(let labels):
            guard labels.areSome(text) else {
                return ReservedValues.isWrongLabel(text) ? .wrongLabel : .label
            }
            appendQuoted(text, to: &output)
        case .uuid: appendQuoted(text, to: &output)
        case .bits(let count):
            guard let value = MySQLRowWriter.bits(text, count) else { return .bits(count) }
            DigitText.append(value, to: &output)
        case .integerText(let lower, let upper):
            guard let value = DecimalText.parse(text, scale: 0), value >= lower, value <= upper
            else { return .form("whole numbers") }
            output.append(text)
        case .dateText:
            guard let days = CalendarText.parseDate(text) else { return .form("dates") }
            return appendMoment(.date, Int64(days), to: &output)
        case .timeText(let digits):
            guard let micros = CalendarText.parseTime(text) else { return .form("times") }
            return appendMoment(.time(digits: digits), micros, to: &output)
        case .timestampText(let digits):
            guard let micros = CalendarText.parseTimestamp(text, isUTC: true) else {
                return .form("timestamps in UTC")
            }
            return appendMoment(.timestamp(digits: digits), micros, to: &output)
        case .dateTimeText(let digits):
            guard let micros = CalendarText.parseTimestamp(text, isUTC: false) else {
                return .form("timestamps")
            }
            return appendMoment(.dateTime(digits: digits), micros, to: &output)
        case .uuidText:
            guard RecordValidator.isUUID(text) else { return .form("UUIDs") }
            appendQuoted(text, to: &output)
        case .inetText(let isSix):
            guard MySQLLimits.isInet(text, isSix: isSix) else { return .form("addresses") }
            appendQuoted(text, to: &output)
        default: preconditionFailure("a form of a column that nothing writes")
        }
        return nil
    }

    private func appendFloat(_ value: Double, to output: inout ByteBuffer) -> MySQLRefusal? {
        guard value.isFinite else { return .notFinite }
        // A column stores it without its sign.
        if value == 0, value.sign == .minus { return .minusZero }
        FloatText.append(value, to: &output)
        return nil
    }
}

extension MySQLRowWriter {
    /// What the frequent forms need to know of a column, in a few words; the others look it up
    /// among the fields.
    private struct Step {
        enum Kind {
            case long
            case text
            case decimal
            case date
            case nothing
            case other
        }

        let kind: Kind
        let isNullable: Bool
        /// A number's bounds; above the upper one a decimal may be a code.
        private(set) var lower: Int64 = 0
        private(set) var upper: Int64 = 0
        private(set) var precision = 0
        private(set) var scale = 0
        private(set) var characterLimit = 0
        private(set) var byteLimit = 0
        private(set) var isPadded = false

        init(_ field: MySQLFieldWriting) {
            isNullable = field.isNullable
            switch field.form {
            case .long(let lower, let upper):
                kind = .long
                (self.lower, self.upper) = (lower, upper)
            case .text(let characters, let bytes, let isPadded):
                kind = .text
                (characterLimit, byteLimit) = (characters, bytes)
                self.isPadded = isPadded
            case .decimal(let precision, let scale):
                kind = .decimal
                (self.precision, self.scale) = (precision, scale)
                upper = Int64(clamping: ReservedValues.decimalEnd(precision: precision) - 1)
            case .date: kind = .date
            case .nothing: kind = .nothing
            default: kind = .other
            }
        }
    }
}

/// Texts, bytes and moments.
extension MySQLRowWriter {
    @inline(__always)
    private func appendQuoted(_ text: UnsafeRawBufferPointer, to output: inout ByteBuffer) {
        switch rendering {
        case .lines: MySQLRowWriter.append(escaping: text, to: &output)
        case .values: output.append(text)
        case .rows:
            output.append(UInt8(ascii: "'"))
            MySQLRowWriter.append(escaping: text, to: &output)
            output.append(UInt8(ascii: "'"))
        }
    }

    private func appendBytes(_ bytes: UnsafeRawBufferPointer, to output: inout ByteBuffer) {
        switch rendering {
        case .lines where !sendsHexadecimal:
            MySQLRowWriter.append(escaping: bytes, to: &output)
            return
        case .values:
            output.append(bytes)
            return
        case .lines: break
        case .rows:
            output.append(UInt8(ascii: "x"))
            output.append(UInt8(ascii: "'"))
        }
        for byte in bytes { output.append(hexadecimal: byte) }
        if rendering == .rows { output.append(UInt8(ascii: "'")) }
    }

    /// Copies runs of bytes that mean themselves.
    @inline(__always)
    static func append(escaping text: UnsafeRawBufferPointer, to output: inout ByteBuffer) {
        var start = 0
        var place = PlainBytes.count(text)
        while place < text.count {
            let byte = text[place]
            guard byte <= UInt8(ascii: "\\"), let word = escape(byte) else {
                place &+= 1
                continue
            }
            output.append(UnsafeRawBufferPointer(rebasing: text[start..<place]))
            output.append(UInt8(ascii: "\\"))
            output.append(word)
            place &+= 1
            start = place
        }
        output.append(UnsafeRawBufferPointer(rebasing: text[start...]))
    }

    @inline(__always)
    private static func escape(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0: UInt8(ascii: "0")
        case 0x09: UInt8(ascii: "t")
        case 0x0A: UInt8(ascii: "n")
        case 0x0D: UInt8(ascii: "r")
        case 0x1A: UInt8(ascii: "Z")
        case UInt8(ascii: "'"), UInt8(ascii: "\\"): byte
        default: nil
        }
    }

    static func append(_ text: StaticString, to output: inout ByteBuffer) {
        output.append(
            UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    private func appendMoment(
        _ form: MySQLFieldWriting.Form, _ value: Int64, to output: inout ByteBuffer
    ) -> MySQLRefusal? {
        let start = output.count
        if rendering == .rows { output.append(UInt8(ascii: "'")) }
        let refusal = MySQLMoment.append(form, value, to: &output)
        if refusal != nil { output.truncate(to: start) }
        if rendering == .rows { output.append(UInt8(ascii: "'")) }
        return refusal
    }

    /// The number that so many bits are, the first being the highest.
    private static func bits(_ text: UnsafeRawBufferPointer, _ count: Int) -> UInt64? {
        guard text.count == count else { return nil }
        var value: UInt64 = 0
        for byte in text {
            guard byte &- 0x30 < 2 else { return nil }
            value = value &<< 1 | UInt64(byte &- 0x30)
        }
        return value
    }
}
