internal import SluiceCore

/// Turns lines of CSV into records.
struct CSVRowReader: ~Copyable {
    private let types: [ColumnType]
    private let isNullable: [Bool]
    private let header: [UInt8]
    private let rowByteLimit: Int
    private var scanner: CSVScanner
    private var scratch = ByteBuffer(capacity: 1024)

    init(_ schema: RecordSchema, rowByteLimit: Int) {
        types = schema.fields.map(\.type)
        isNullable = schema.fields.map { $0.isNullable && $0.type != .any }
        header = CSVRowWriter.header(of: schema)
        self.rowByteLimit = rowByteLimit
        scanner = CSVScanner(CSVSyntax(), rowByteLimit: rowByteLimit)
        scanner.names = schema.fields.map(\.name)
    }

    mutating func open(
        _ bytes: UnsafeRawBufferPointer, _ compression: CSVInput.Compression
    ) throws(Failure) {
        try scanner.open(bytes, compression)
        try readHeader()
    }

    /// Field by field and not as a run of bytes, for the sake of the message.
    private mutating func readHeader() throws(Failure) {
        var text = ByteBuffer()
        for index in 0..<max(types.count, 1) {
            if index > 0 { text.append(CSVText.comma) }
            let field = try next(index)
            if field.isQuoted {
                text.append(CSVText.quote)
                CSVText.appendDoubling(field.bytes, to: &text)
                text.append(CSVText.quote)
            } else {
                text.append(field.bytes)
            }
            let isEqual = text.count < header.count && header.starts(with: text.bytes)
            let follower = index + 1 < types.count ? CSVText.comma : CSVText.lineFeed
            guard isEqual, header[text.count] == follower else {
                throw scanner.failure("another name in the header", line: field.line)
            }
        }
    }

    mutating func fill(_ batch: inout Batch, byteGoal: Int) throws(Failure) -> Bool {
        var isAnyThere = false
        while batch.bytes.count < byteGoal {
            if try scanner.isAtEnd() { return isAnyThere }
            try readRow(&batch)
            isAnyThere = true
        }
        return true
    }

    private mutating func readRow(_ batch: inout Batch) throws(Failure) {
        for index in types.indices {
            switch types[index] {
            case .numberText, .text, .uuid, .json, .enumeration, .set, .bitString, .serverText:
                try readString(index, into: &batch)
            case .bytes: try readBytes(index, into: &batch)
            case .any: try readAny(index, into: &batch)
            default: try readScalar(index, into: &batch)
            }
        }
        if types.isEmpty {
            let field = try next(0)
            guard field.bytes.isEmpty, !field.isQuoted else {
                throw scanner.failure("a value", line: field.line)
            }
        }
        // Each field was bounded by itself.
        guard batch.rowAdmits(0) else { throw scanner.tooLong(scanner.line - 1) }
        batch.endRecord()
    }

    /// The next field, gathered in the scratch buffer where it has to be.
    private mutating func next(_ index: Int) throws(Failure) -> CSVField {
        scratch.removeAll()
        scanner.column = index
        let field = try scanner.field(into: &scratch, limit: rowByteLimit)
        try checkEnd(of: field, index)
        return field
    }

    /// The next field, gathered at the batch's end where it has to be.
    private mutating func next(
        _ index: Int, into batch: inout Batch, limit: Int
    ) throws(Failure) -> CSVField {
        scanner.column = index
        let field = try scanner.field(into: &batch.bytes, limit: limit)
        try checkEnd(of: field, index)
        return field
    }

    private func checkEnd(of field: CSVField, _ index: Int) throws(Failure) {
        let isLast = index + 1 >= types.count
        switch field.end {
        case .delimiter where !isLast: return
        case .line where isLast: return
        case .delimiter:
            throw Failure(
                .failed, "too many columns in line \(scanner.line): more than \(types.count)")
        case .line:
            let line = scanner.line - 1
            throw Failure(
                .failed, "too few columns in line \(line): \(index + 1) instead of \(types.count)")
        case .input:
            throw Failure(.failed, "no line feed at the end of line \(scanner.line)")
        }
    }

    private func invalid(_ index: Int, _ field: CSVField) -> Failure {
        if !field.isQuoted, CSVText.isNull(field.bytes) {
            return scanner.failure("NULL, which the column does not take,", line: field.line)
        }
        return scanner.failure("invalid \(types[index])", line: field.line)
    }

    private func isNull(_ index: Int, _ field: CSVField) -> Bool {
        isNullable[index] && !field.isQuoted && CSVText.isNull(field.bytes)
    }

    private mutating func readString(_ index: Int, into batch: inout Batch) throws(Failure) {
        let start = batch.bytes.count
        let field = try next(
            index, into: &batch, limit: max(0, rowByteLimit - batch.currentRowByteCount))
        if isNull(index, field) {
            batch.bytes.truncate(to: start)
            batch.bytes.appendNull()
            return
        }
        // What is bare is ASCII.
        guard CSVText.isBare(field.bytes) != field.isQuoted,
            !field.isQuoted || UTF8Text.isValid(field.bytes), isFit(field.bytes, types[index])
        else { throw invalid(index, field) }
        if field.isInSink {
            batch.bytes.insertLength(at: start, isNotNull: isNullable[index])
        } else {
            if isNullable[index] { batch.bytes.appendNotNull() }
            batch.bytes.appendBytes(field.bytes)
        }
    }

    /// Whether a string may stand in a column of this type.
    private func isFit(_ text: UnsafeRawBufferPointer, _ type: ColumnType) -> Bool {
        switch type {
        case .uuid: RecordValidator.isUUID(text)
        case .bitString: RecordValidator.isBitString(text)
        default: true
        }
    }

    private mutating func readBytes(_ index: Int, into batch: inout Batch) throws(Failure) {
        let start = batch.bytes.count
        let field = try next(index, into: &batch, limit: hexadecimalLimit(batch))
        if isNull(index, field) {
            batch.bytes.truncate(to: start)
            batch.bytes.appendNull()
            return
        }
        guard !field.isQuoted, field.bytes.count >= 2, field.bytes[0] == CSVText.backslash,
            field.bytes[1] == UInt8(ascii: "x")
        else { throw invalid(index, field) }
        if isNullable[index], !field.isInSink { batch.bytes.appendNotNull() }
        guard
            append(
                hexadecimal: field, 2..<field.bytes.count, to: &batch, start,
                isNotNull: isNullable[index])
        else { throw invalid(index, field) }
    }

    private func hexadecimalLimit(_ batch: borrowing Batch) -> Int {
        2 * max(0, rowByteLimit - batch.currentRowByteCount) + 3
    }

    /// Decodes digits within a field; the branch is already there unless the field was gathered
    /// in the batch.
    private func append(
        hexadecimal field: CSVField, _ range: Range<Int>, to batch: inout Batch, _ start: Int,
        isNotNull: Bool
    ) -> Bool {
        let digits = UnsafeRawBufferPointer(rebasing: field.bytes[range])
        if field.isInSink {
            guard let room = batch.bytes.mutableBytes.baseAddress,
                CSVText.decodeHexadecimal(digits, to: room + start)
            else { return false }
            batch.bytes.truncate(to: start + digits.count / 2)
            batch.bytes.insertLength(at: start, isNotNull: isNotNull)
            return true
        }
        batch.bytes.appendLong(Int64(digits.count / 2))
        var isValid = false
        batch.bytes.append(upTo: digits.count / 2) { room in
            isValid = room.baseAddress.map { CSVText.decodeHexadecimal(digits, to: $0) } ?? false
            return digits.count / 2
        }
        return isValid
    }

    private mutating func readAny(_ index: Int, into batch: inout Batch) throws(Failure) {
        let start = batch.bytes.count
        let field = try next(index, into: &batch, limit: hexadecimalLimit(batch))
        let text = field.bytes
        if field.isQuoted {
            guard UTF8Text.isValid(text) else { throw invalid(index, field) }
            if field.isInSink {
                batch.bytes.insertLength(at: start, isNotNull: false)
                batch.bytes.insert(branch: .string, at: start)
            } else {
                batch.bytes.appendBranch(.string)
                batch.bytes.appendBytes(text)
            }
        } else if CSVText.isNull(text) {
            batch.bytes.truncate(to: start)
            batch.bytes.appendBranch(.null)
        } else if let value = CSVText.integer(text) {
            batch.bytes.truncate(to: start)
            batch.bytes.appendBranch(.long)
            batch.bytes.appendLong(value)
        } else if let value = FloatText.double(text) {
            batch.bytes.truncate(to: start)
            batch.bytes.appendBranch(.double)
            batch.bytes.appendDouble(value)
        } else {
            guard text.count >= 3, text[1] == UInt8(ascii: "'"),
                text[text.count - 1] == UInt8(ascii: "'"),
                text[0] == UInt8(ascii: "x") || text[0] == UInt8(ascii: "t")
            else { throw invalid(index, field) }
            let branch = text[0] == UInt8(ascii: "x") ? AnyBranch.bytes : .invalidText
            if !field.isInSink { batch.bytes.appendBranch(branch) }
            let byteCount = (text.count - 3) / 2
            guard
                append(
                    hexadecimal: field, 2..<text.count - 1, to: &batch, start, isNotNull: false)
            else { throw scanner.failure("invalid any", line: field.line) }
            if branch == .invalidText {
                // Text has one encoding: as a string wherever it can be one.
                let end = batch.bytes.count
                let content = UnsafeRawBufferPointer(
                    rebasing: batch.bytes.bytes[(end - byteCount)..<end])
                guard !UTF8Text.isValid(content) else {
                    throw scanner.failure("invalid any", line: field.line)
                }
            }
            if field.isInSink { batch.bytes.insert(branch: branch, at: start) }
        }
    }

    private mutating func readScalar(_ index: Int, into batch: inout Batch) throws(Failure) {
        let field = try next(index)
        if isNull(index, field) {
            batch.bytes.appendNull()
            return
        }
        if isNullable[index] { batch.bytes.appendNotNull() }
        guard !field.isQuoted, appendScalar(field.bytes, index, to: &batch) else {
            throw invalid(index, field)
        }
    }

    private func appendScalar(
        _ text: UnsafeRawBufferPointer, _ index: Int, to batch: inout Batch
    ) -> Bool {
        let type = types[index]
        switch type {
        case .boolean:
            let isTrue = CSVText.is(text, "true")
            guard isTrue || CSVText.is(text, "false") else { return false }
            batch.bytes.appendBoolean(isTrue)
        case .int32:
            guard let value = CSVText.integer(text), Int32(exactly: value) != nil else {
                return false
            }
            batch.bytes.appendLong(value)
        case .int64:
            guard let value = CSVText.integer(text) else { return false }
            batch.bytes.appendLong(value)
        case .float32:
            guard let value = FloatText.float(text) else { return false }
            batch.bytes.appendFloat(value)
        case .float64:
            guard let value = FloatText.double(text) else { return false }
            batch.bytes.appendDouble(value)
        case .uint64, .decimal:
            guard let value = CSVText.decimal(text, type) else { return false }
            batch.bytes.appendUnscaled(value)
        default:
            guard let value = CSVText.moment(text, type) else { return false }
            batch.bytes.appendLong(value)
        }
        if CSVText.isReserved(text) { batch.reserved[index] += 1 }
        return true
    }
}

extension ByteBuffer {
    /// Puts the length of the bytes from `start` on before them, behind the branch of a field
    /// that may be NULL.
    mutating func insertLength(at start: Int, isNotNull: Bool) {
        let end = count
        if isNotNull { appendNotNull() }
        appendLong(Int64(end - start))
        moveEnd(from: end, to: start)
    }

    mutating func insert(branch: AnyBranch, at start: Int) {
        let end = count
        appendBranch(branch)
        moveEnd(from: end, to: start)
    }

    /// Moves the few bytes from `end` on to `start`, and what is between behind them.
    private mutating func moveEnd(from end: Int, to start: Int) {
        let width = count - end
        guard width > 0, let base = mutableBytes.baseAddress else { return }
        withUnsafeTemporaryAllocation(byteCount: width, alignment: 1) { kept in
            guard let copy = kept.baseAddress else { return }
            copy.copyMemory(from: base + end, byteCount: width)
            (base + start + width).copyMemory(from: base + start, byteCount: end - start)
            (base + start).copyMemory(from: copy, byteCount: width)
        }
    }
}
