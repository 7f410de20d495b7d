internal import SluiceCore

/// Turns records into lines of CSV.
struct CSVRowWriter {
    private let types: [ColumnType]
    private let isNullable: [Bool]
    private let header: [UInt8]

    init(_ schema: RecordSchema) {
        types = schema.fields.map(\.type)
        // An `any` value has its NULL among its own branches.
        isNullable = schema.fields.map { $0.isNullable && $0.type != .any }
        header = CSVRowWriter.header(of: schema)
    }

    /// The first line, with its line feed.
    static func header(of schema: RecordSchema) -> [UInt8] {
        var line = ByteBuffer()
        for (index, field) in schema.fields.enumerated() {
            if index > 0 { line.append(CSVText.comma) }
            Array(field.name.utf8).withUnsafeBytes { CSVText.appendString($0, to: &line) }
        }
        line.append(CSVText.lineFeed)
        return line.array()
    }

    func appendHeader(to sink: inout CSVSink) {
        sink.text.append(header)
    }

    func append(
        _ batch: borrowing Batch, through sink: inout CSVSink, to output: inout ByteBuffer
    ) throws(Failure) {
        var cursor = RecordCursor(batch.bytes.bytes)
        for _ in 0..<batch.rowCount {
            for index in types.indices {
                if index > 0 { sink.text.append(CSVText.comma) }
                if isNullable[index], try cursor.isNull() {
                    CSVText.appendNull(to: &sink.text)
                    continue
                }
                try append(types[index], from: &cursor, through: &sink, to: &output)
            }
            sink.text.append(CSVText.lineFeed)
            try sink.drainIfFull(to: &output)
        }
        guard cursor.isAtEnd else {
            throw Failure(.bug, "a batch goes on behind its last record")
        }
    }

    private func append(
        _ type: ColumnType, from cursor: inout RecordCursor, through sink: inout CSVSink,
        to output: inout ByteBuffer
    ) throws(Failure) {
        switch type {
        case .boolean:
            CSVText.append(try cursor.boolean() ? "true" : "false", to: &sink.text)
        case .int32, .int64:
            DigitText.append(try cursor.long(), to: &sink.text)
        case .uint64, .decimal:
            CSVText.append(decimal: try cursor.unscaled(), type, to: &sink.text)
        case .float32:
            FloatText.append(try cursor.float(), to: &sink.text)
        case .float64:
            FloatText.append(try cursor.double(), to: &sink.text)
        case .date, .time, .timestamp, .localTimestamp:
            CSVText.append(moment: try cursor.long(), type, to: &sink.text)
        case .bytes:
            CSVText.append("\\x", to: &sink.text)
            try appendHexadecimal(try cursor.bytes(), through: &sink, to: &output)
        case .numberText, .text, .uuid, .json, .enumeration, .set, .bitString, .serverText:
            let text = try cursor.bytes()
            if !CSVText.isBare(text) {
                try appendQuoted(text, through: &sink, to: &output)
            } else if text.count < CSVSink.drainByteCount {
                sink.text.append(text)
            } else {
                try appendLong(text, through: &sink, to: &output)
            }
        case .any:
            try appendAny(from: &cursor, through: &sink, to: &output)
        }
    }

    private func appendAny(
        from cursor: inout RecordCursor, through sink: inout CSVSink, to output: inout ByteBuffer
    ) throws(Failure) {
        switch try cursor.anyBranch() {
        case .null: CSVText.appendNull(to: &sink.text)
        case .long: DigitText.append(try cursor.long(), to: &sink.text)
        case .double: FloatText.append(try cursor.double(), to: &sink.text)
        case .string: try appendQuoted(try cursor.bytes(), through: &sink, to: &output)
        case .bytes:
            CSVText.append("x'", to: &sink.text)
            try appendHexadecimal(try cursor.bytes(), through: &sink, to: &output)
            sink.text.append(UInt8(ascii: "'"))
        case .invalidText:
            CSVText.append("t'", to: &sink.text)
            try appendHexadecimal(try cursor.bytes(), through: &sink, to: &output)
            sink.text.append(UInt8(ascii: "'"))
        }
    }

    /// In pieces, so that a large value does not make the sink as large.
    private func appendLong(
        _ text: UnsafeRawBufferPointer, through sink: inout CSVSink, to output: inout ByteBuffer
    ) throws(Failure) {
        var place = 0
        while place < text.count {
            let end = min(place + CSVSink.drainByteCount, text.count)
            sink.text.append(UnsafeRawBufferPointer(rebasing: text[place..<end]))
            place = end
            try sink.drainIfFull(to: &output)
        }
    }

    private func appendQuoted(
        _ text: UnsafeRawBufferPointer, through sink: inout CSVSink, to output: inout ByteBuffer
    ) throws(Failure) {
        sink.text.append(CSVText.quote)
        var place = 0
        while place < text.count {
            let end = min(place + CSVSink.drainByteCount, text.count)
            CSVText.appendDoubling(
                UnsafeRawBufferPointer(rebasing: text[place..<end]), to: &sink.text)
            place = end
            try sink.drainIfFull(to: &output)
        }
        sink.text.append(CSVText.quote)
    }

    private func appendHexadecimal(
        _ bytes: UnsafeRawBufferPointer, through sink: inout CSVSink, to output: inout ByteBuffer
    ) throws(Failure) {
        var place = 0
        while place < bytes.count {
            let end = min(place + CSVSink.drainByteCount / 2, bytes.count)
            CSVText.appendHexadecimal(
                UnsafeRawBufferPointer(rebasing: bytes[place..<end]), to: &sink.text)
            place = end
            try sink.drainIfFull(to: &output)
        }
    }
}
