public import SluiceCore

/// Reads a CSV that somebody else exported as records of a given table: UTF-8, plain, gzip or
/// zstandard.
///
/// What a value may look like is in `ForeignText`; what does not fit its column is a failure with
/// line and column.
public final class ForeignCSVReader: RecordSource {
    private let file: ShardBytes
    private var rows: ForeignCSVRows

    /// Looks at the header; the bytes must stay as they are until all is read.
    public init(
        _ file: ShardBytes, schema: RecordSchema, options: ForeignCSVOptions = ForeignCSVOptions(),
        rowByteLimit: Int = 256 << 20
    ) throws(Failure) {
        self.file = file
        rows = ForeignCSVRows(schema, options, rowByteLimit: rowByteLimit)
        try rows.open(file.buffer.bytes)
    }

    public func fill(_ batch: inout Batch, byteGoal: Int) throws(Failure) -> Bool {
        try rows.fill(&batch, byteGoal: byteGoal)
    }
}

/// Gathers a row's cells, in the file's order, and writes the record, in the table's.
private struct ForeignCSVRows: ~Copyable {
    /// Where a field's text is in `row`.
    private struct Cell {
        var start = 0
        var end = 0
        var isQuoted = false
        var isEscapedNull = false
        var line = 0
    }

    private let schema: RecordSchema
    private let types: [ColumnType]
    private let isNullable: [Bool]
    private let options: ForeignCSVOptions
    private let nullText: [UInt8]
    private let rowByteLimit: Int
    private var scanner: CSVScanner
    private var row = ByteBuffer(capacity: 4096)
    private var cells: [Cell] = []
    /// For each field of the table its column in the file.
    private var columns: [Int] = []
    /// For each column of the file whether a field has it.
    private var isRead: [Bool] = []

    init(_ schema: RecordSchema, _ options: ForeignCSVOptions, rowByteLimit: Int) {
        self.schema = schema
        self.options = options
        self.rowByteLimit = rowByteLimit
        types = schema.fields.map(\.type)
        isNullable = schema.fields.map { $0.isNullable && $0.type != .any }
        nullText = options.nullText ?? []
        scanner = CSVScanner(
            CSVSyntax(
                delimiter: options.delimiter, quote: options.quote,
                hasBackslash: options.escape == .backslash, takesCarriageReturn: true),
            rowByteLimit: rowByteLimit)
    }

    mutating func open(_ bytes: UnsafeRawBufferPointer) throws(Failure) {
        try scanner.open(bytes, ForeignCSVRows.compression(of: bytes))
        _ = try scanner.peek()
        scanner.skip("\u{FEFF}")
        for _ in 0..<options.skippedLineCount { try scanner.skipLine() }
        var names = options.hasHeader ? try header() : schema.fields.map(\.name)
        if let given = options.columns { names = given }
        try match(names)
    }

    private static func compression(of bytes: UnsafeRawBufferPointer) -> CSVInput.Compression {
        guard bytes.count >= 4 else { return .none }
        if bytes[0] == 0x1F, bytes[1] == 0x8B { return .gzip }
        let magic = UInt32(littleEndian: bytes.loadUnaligned(as: UInt32.self))
        // A frame, or one of those that hold no data and may come first.
        return magic == 0xFD2F_B528 || magic & 0xFFFF_FFF0 == 0x184D_2A50 ? .zstandard : .none
    }

    private mutating func header() throws(Failure) -> [Name] {
        var names: [Name] = []
        if try scanner.isAtEnd() {
            throw Failure(.failed, "the CSV has no header: it is empty")
        }
        while true {
            row.removeAll()
            scanner.column = names.count
            let field = try scanner.field(into: &row, limit: rowByteLimit)
            guard let name = Name(utf8: field.bytes) else {
                throw scanner.failure("a name that is not UTF-8", line: field.line)
            }
            names.append(name)
            if field.end != .delimiter { return names }
        }
    }

    private mutating func match(_ names: [Name]) throws(Failure) {
        scanner.names = names
        cells = Array(repeating: Cell(), count: names.count)
        isRead = Array(repeating: false, count: names.count)
        for field in schema.fields {
            guard let column = names.firstIndex(of: field.name) else {
                throw Failure(
                    .failed, "the CSV has no column \(field.name)",
                    hint: "Its columns are \(names.map(\.text).joined(separator: ", ")).")
            }
            guard names.lastIndex(of: field.name) == column else {
                throw Failure(.failed, "the CSV has two columns \(field.name)")
            }
            columns.append(column)
            isRead[column] = true
        }
        if !options.ignoresOtherColumns, let other = isRead.firstIndex(of: false) {
            throw Failure(
                .failed, "the table has no column \(names[other]), which the CSV has",
                hint: "Say that other columns are to be ignored, if they are.")
        }
    }

    mutating func fill(_ batch: inout Batch, byteGoal: Int) throws(Failure) -> Bool {
        var isAnyThere = false
        while batch.bytes.count < byteGoal {
            if try scanner.isAtEnd() { return isAnyThere }
            guard try gatherRow() else { continue }
            try writeRecord(&batch)
            isAnyThere = true
        }
        return true
    }

    /// False for a blank line, which is no row where there is more than one column.
    private mutating func gatherRow() throws(Failure) -> Bool {
        row.removeAll(keepingAtMost: 1 << 20)
        for column in cells.indices {
            scanner.column = column
            let start = row.count
            let field = try scanner.field(into: &row, limit: rowByteLimit - start)
            if column == 0, cells.count > 1, field.end == .line, field.bytes.isEmpty,
                !field.isQuoted
            {
                return false
            }
            try checkEnd(of: field, column)
            if !isRead[column] {
                row.truncate(to: start)
                continue
            }
            if !field.isInSink {
                guard field.bytes.count <= rowByteLimit - start else {
                    throw scanner.tooLong(field.line)
                }
                row.append(field.bytes)
            }
            cells[column] = Cell(
                start: start, end: row.count, isQuoted: field.isQuoted,
                isEscapedNull: field.isEscapedNull, line: field.line)
        }
        return true
    }

    private func checkEnd(of field: CSVField, _ column: Int) throws(Failure) {
        let isLast = column + 1 == cells.count
        guard isLast == (field.end == .delimiter) else { return }
        if isLast {
            throw Failure(
                .failed, "too many columns in line \(scanner.line): more than \(cells.count)")
        }
        let line = field.end == .line ? scanner.line - 1 : scanner.line
        throw Failure(
            .failed, "too few columns in line \(line): \(column + 1) instead of \(cells.count)")
    }

    private func isNull(_ cell: Cell, _ text: UnsafeRawBufferPointer) -> Bool {
        guard options.nullText != nil, !cell.isQuoted || options.takesQuotedNull else {
            return false
        }
        // `\N` was taken apart where backslashes mean something.
        if cell.isEscapedNull { return CSVText.isNull(nullText) }
        guard text.count == nullText.count else { return false }
        for index in 0..<text.count where text[index] != nullText[index] { return false }
        return true
    }

    private mutating func writeRecord(_ batch: inout Batch) throws(Failure) {
        for index in types.indices {
            let cell = cells[columns[index]]
            let text = UnsafeRawBufferPointer(rebasing: row.bytes[cell.start..<cell.end])
            if isNull(cell, text) {
                if types[index] == .any || isNullable[index] {
                    batch.bytes.appendNull()
                    continue
                }
                scanner.column = columns[index]
                throw scanner.failure(
                    "NULL, which the column does not take,", line: cell.line
                ).hinting("Is this text NULL in this file? The job says what stands for NULL.")
            }
            if isNullable[index] { batch.bytes.appendNotNull() }
            let outcome = ForeignText.append(
                text, isQuoted: cell.isQuoted, types[index], options.bytesForm, to: &batch.bytes)
            if outcome == .invalid {
                scanner.column = columns[index]
                throw scanner.failure("invalid \(types[index])", line: cell.line)
            }
            if outcome == .reserved { batch.reserved[index] += 1 }
        }
        guard batch.rowAdmits(0) else { throw scanner.tooLong(scanner.line - 1) }
        batch.endRecord()
    }
}

extension CSVText {
    static func isNull(_ text: [UInt8]) -> Bool { text.withUnsafeBytes { isNull($0) } }
}
