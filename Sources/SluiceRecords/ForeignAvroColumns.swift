internal import SluiceCore

// What a foreign value is in a column of ours: the same value, or nothing.
extension ForeignAvroValue {
    /// Appends a value that is not NULL, without the branch of a column that may be NULL.
    func append(
        _ column: ForeignAvroColumn, to output: inout ByteBuffer
    ) throws(Failure) -> ForeignText.Outcome {
        switch column.type {
        case .text, .enumeration, .set, .serverText:
            return try appendText(to: &output)
        case .json: return try appendJSON(to: &output)
        case .numberText: return try appendNumberText(to: &output)
        case .bytes:
            guard let bytes = try bytes() else { return .invalid }
            output.appendBytes(bytes)
            return .plain
        case .any: return try appendAny(column, to: &output)
        default: break
        }
        // A string says it as every tool's CSV does.
        if case .string = node.base, let text = try bytes() {
            return ForeignText.append(text, isQuoted: true, column.type, .plain, to: &output)
        }
        switch column.type {
        case .boolean, .int32, .int64, .uint64, .float32, .float64:
            return try appendNumber(column.type, to: &output)
        case .decimal(let precision, let scale):
            return try appendDecimal(precision, scale, column, to: &output)
        case .date, .time, .timestamp, .localTimestamp:
            return try appendMoment(column, to: &output)
        case .uuid: return try appendUUID(to: &output)
        default: return .invalid
        }
    }

    private func appendNumber(
        _ type: ColumnType, to output: inout ByteBuffer
    ) throws(Failure) -> ForeignText.Outcome {
        switch type {
        case .boolean:
            guard let value = try boolean() else { return .invalid }
            output.appendBoolean(value)
        case .int32:
            guard let value = try whole(), let small = Int32(exactly: value) else {
                return .invalid
            }
            output.appendLong(Int64(small))
        case .int64:
            guard let value = try whole(), let small = Int64(exactly: value) else {
                return .invalid
            }
            output.appendLong(small)
        case .uint64:
            guard let value = try whole(), UInt64(exactly: value) != nil else { return .invalid }
            output.appendUnscaled(value)
        case .float32:
            guard let value = try real() else { return .invalid }
            let small = Float(value)
            guard Double(small) == value || value.isNaN else { return .invalid }
            output.appendFloat(small)
        default:
            guard let value = try real() else { return .invalid }
            output.appendDouble(value)
        }
        return .plain
    }

    private func whole() throws(Failure) -> Int128? {
        guard let (unscaled, scale) = try decimal() else { return nil }
        return ForeignAvroValue.rescale(unscaled, by: -scale)
    }

    private func real() throws(Failure) -> Double? {
        if let value = try double() { return value }
        guard node.logical == nil, let value = try long() else { return nil }
        return Double(exactly: value)
    }

    /// Times a power of ten, where that is exact.
    private static func rescale(_ value: Int128, by power: Int) -> Int128? {
        if value == 0 { return 0 }
        var value = value
        for _ in 0..<min(abs(power), 40) {
            if power > 0 {
                let (product, overflows) = value.multipliedReportingOverflow(by: 10)
                if overflows { return nil }
                value = product
            } else {
                guard value % 10 == 0 else { return nil }
                value /= 10
            }
        }
        return value
    }

    private func appendDecimal(
        _ precision: Int, _ scale: Int, _ column: ForeignAvroColumn, to output: inout ByteBuffer
    ) throws(Failure) -> ForeignText.Outcome {
        guard let (unscaled, ownScale) = try decimal() else { return .invalid }
        if column.isOurs, ownScale == scale,
            ReservedValues.specialDecimal(unscaled, precision: precision) != nil
        {
            output.appendUnscaled(unscaled)
            return .reserved
        }
        let end = ReservedValues.decimalEnd(precision: precision)
        guard let value = ForeignAvroValue.rescale(unscaled, by: scale - ownScale), value > -end,
            value < end
        else { return .invalid }
        output.appendUnscaled(value)
        return .plain
    }

    private func appendMoment(
        _ column: ForeignAvroColumn, to output: inout ByteBuffer
    ) throws(Failure) -> ForeignText.Outcome {
        guard let logical = node.logical, let number = try long() else { return .invalid }
        let value: Int64
        switch (column.type, logical) {
        case (.date, .date), (.time, .timeMicros), (.timestamp, .timestampMicros),
            (.timestamp, .localTimestampMicros), (.localTimestamp, .timestampMicros),
            (.localTimestamp, .localTimestampMicros):
            value = number
        case (.time, .timeMillis), (.timestamp, .timestampMillis),
            (.timestamp, .localTimestampMillis), (.localTimestamp, .timestampMillis),
            (.localTimestamp, .localTimestampMillis):
            let (product, overflows) = number.multipliedReportingOverflow(by: 1000)
            if overflows { return .invalid }
            value = product
        default: return .invalid
        }
        if column.type == .time, value.magnitude > UInt64(RecordValidator.timeLimit) {
            return .invalid
        }
        output.appendLong(value)
        guard ReservedValues.isReserved(column.type, value) else { return .plain }
        // Another tool does not know our codes: to it this is a moment that no database has.
        return column.isOurs ? .reserved : .invalid
    }

    private func appendUUID(to output: inout ByteBuffer) throws(Failure) -> ForeignText.Outcome {
        guard case .fixed(16) = node.base, let bytes = try bytes() else { return .invalid }
        var digits = ByteBuffer()
        CSVText.appendHexadecimal(bytes, to: &digits)
        return ForeignText.append(uuid: digits.bytes, to: &output)
    }

    private func appendText(to output: inout ByteBuffer) throws(Failure) -> ForeignText.Outcome {
        if let symbol = try symbol() {
            output.appendText(symbol)
            return .plain
        }
        if case .decimal = node.logical { return .invalid }
        guard let text = try bytes(), UTF8Text.isValid(text) else { return .invalid }
        output.appendBytes(text)
        return .plain
    }

    private func appendJSON(to output: inout ByteBuffer) throws(Failure) -> ForeignText.Outcome {
        if case .string = node.base { return try appendText(to: &output) }
        var json = ByteBuffer(capacity: 256)
        guard try writeJSON(to: &json) else { return .invalid }
        output.appendBytes(json.bytes)
        return .plain
    }

    private func appendNumberText(
        to output: inout ByteBuffer
    ) throws(Failure) -> ForeignText.Outcome {
        if case .string = node.base { return try appendText(to: &output) }
        var text = ByteBuffer()
        if let value = try double() {
            FloatText.append(value, to: &text)
        } else if let (unscaled, scale) = try decimal(), scale <= 38 {
            DecimalText.append(unscaled, scale: scale, to: &text)
        } else {
            return .invalid
        }
        output.appendBytes(text.bytes)
        return .plain
    }

    private func appendAny(
        _ column: ForeignAvroColumn, to output: inout ByteBuffer
    ) throws(Failure) -> ForeignText.Outcome {
        switch node.base {
        case .int, .long:
            output.appendBranch(.long)
            output.appendLong(try long() ?? 0)
        case .float, .double:
            output.appendBranch(.double)
            output.appendDouble(try double() ?? 0)
        case .bytes, .fixed:
            if case .decimal = node.logical { return .invalid }
            output.appendBranch(.bytes)
            output.appendBytes(try bytes() ?? UnsafeRawBufferPointer(start: nil, count: 0))
        case .string, .enumeration:
            output.appendBranch(.string)
            return try appendText(to: &output)
        case .record(let fields):
            // The one record that our own unions have.
            guard column.isOurs, fields.count == 1,
                let text = try child(0, fields[0].type).value.bytes(), !UTF8Text.isValid(text)
            else { return .invalid }
            output.appendBranch(.invalidText)
            output.appendBytes(text)
        default: return .invalid
        }
        return .plain
    }
}

extension ByteBuffer {
    /// A string value.
    fileprivate mutating func appendText(_ text: String) {
        var text = text
        text.withUTF8 { appendBytes(UnsafeRawBufferPointer($0)) }
    }
}
