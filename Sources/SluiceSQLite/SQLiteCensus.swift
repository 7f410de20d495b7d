internal import CSQLite
internal import SluiceCore
internal import SluiceRecords

/// One scan of a table, in which everything the plan needs is seen: what each column holds, how
/// many rows and bytes there are, and where chunks of the wanted size end.
final class SQLiteCensus {
    private let statement: SQLiteStatement
    private let encoding: SQLiteEncoding
    private let keyColumns: [Int]
    private let chunkLimit: Int
    private var chunkBytes: Int
    private let kinds: UnsafeMutableBufferPointer<UInt8>

    private(set) var rowCount = 0
    private(set) var byteCount = 0
    /// The last key of each chunk but the last, in key order.
    private(set) var bounds: [[String]] = []
    private var bytesInChunk = 0
    private var nextBound: [String]?

    /// - Parameter sql: a SELECT in key order; of all its columns the kinds are wanted.
    /// - Parameter keyColumns: which of them are the key; empty: there is one chunk.
    init(
        _ connection: SQLiteConnection, _ sql: String, keyColumns: [Int], _ options: PlanOptions
    ) throws(Failure) {
        encoding = try connection.encoding()
        statement = try connection.prepare(sql)
        self.keyColumns = keyColumns
        chunkLimit = max(options.chunkLimit, 1)
        chunkBytes = max(options.chunkBytes, 1)
        kinds = .allocate(capacity: statement.columnCount)
        kinds.initialize(repeating: 0)
    }

    deinit {
        kinds.deallocate()
    }

    /// What was seen in each column.
    var columnKinds: [SQLiteKinds] { kinds.map(SQLiteKinds.init(rawValue:)) }

    func run() throws(Failure) {
        while try statement.step() {
            if nextBound != nil { closeChunk() }
            let bytes = look()
            rowCount += 1
            byteCount += bytes
            bytesInChunk += bytes
            if bytesInChunk >= chunkBytes, !keyColumns.isEmpty {
                nextBound = keyColumns.map { statement.literal($0, in: encoding) }
            }
        }
    }

    /// Notes the kinds of the current row's values, and says about how long its record will be.
    @inline(__always)
    private func look() -> Int {
        let handle = statement.handle
        var bytes = 0
        var index = 0
        while index < kinds.count {
            let value = sqlite3_column_value(handle, Int32(truncatingIfNeeded: index))
            switch sqlite3_value_type(value) {
            case SQLITE_INTEGER:
                kinds[index] |= SQLiteKinds.integer.rawValue
                bytes &+= SQLiteCensus.varintLength(sqlite3_value_int64(value))
            case SQLITE_FLOAT:
                kinds[index] |= SQLiteKinds.real.rawValue
                bytes &+= 8
            case SQLITE3_TEXT:
                bytes &+= lookAtText(value, index)
            case SQLITE_BLOB:
                kinds[index] |= SQLiteKinds.blob.rawValue
                bytes &+= 2 &+ Int(sqlite3_value_bytes(value))
            default:
                kinds[index] |= SQLiteKinds.null.rawValue
                bytes &+= 1
            }
            index &+= 1
        }
        return bytes
    }

    /// Whether text is Unicode matters only as long as the column may still become a text field.
    @inline(__always)
    private func lookAtText(_ value: OpaquePointer?, _ index: Int) -> Int {
        guard encoding == .utf8 else { return lookAtUTF16(value, index) }
        let others: SQLiteKinds = [.integer, .real, .blob, .invalidText]
        if kinds[index] & others.rawValue != 0 {
            kinds[index] |= SQLiteKinds.text.rawValue
            return 2 &+ Int(sqlite3_value_bytes(value))
        }
        let text = SQLiteColumnReader.bytes(value)
        let isUTF8 = SQLiteText.isUTF8(text)
        kinds[index] |= isUTF8 ? SQLiteKinds.text.rawValue : SQLiteKinds.invalidText.rawValue
        return 2 &+ text.count
    }

    /// As it is stored: asking for UTF-8 would change the value that a bound is made of.
    @inline(never)
    private func lookAtUTF16(_ value: OpaquePointer?, _ index: Int) -> Int {
        let text = SQLiteColumnReader.storedUTF16(value)
        let isBigEndian = encoding == .utf16be
        let isUTF16 = SQLiteText.isUTF16(text, isBigEndian: isBigEndian)
        kinds[index] |= isUTF16 ? SQLiteKinds.text.rawValue : SQLiteKinds.invalidText.rawValue
        return 2 &+ SQLiteText.generalizedCount(text, isBigEndian: isBigEndian)
    }

    @inline(__always)
    private static func varintLength(_ value: Int64) -> Int {
        let zigzag = UInt64(bitPattern: (value &<< 1) ^ (value >> 63))
        return (70 &- (zigzag | 1).leadingZeroBitCount) / 7
    }

    /// A chunk ends only when a row follows it: there is no empty last one. When there are too
    /// many, every other bound goes and chunks become twice as long.
    private func closeChunk() {
        guard let bound = nextBound else { return }
        nextBound = nil
        bounds.append(bound)
        bytesInChunk = 0
        guard bounds.count >= chunkLimit else { return }
        if !bounds.count.isMultiple(of: 2) { bytesInChunk = chunkBytes }
        bounds = stride(from: 1, to: bounds.count, by: 2).map { bounds[$0] }
        chunkBytes = chunkBytes.multipliedReportingOverflow(by: 2).overflow ? .max : chunkBytes * 2
    }

    /// Adjacent and open at both ends.
    var chunks: [Chunk] {
        (0...bounds.count).map { number in
            Chunk(
                number: number, lower: number == 0 ? nil : bounds[number - 1],
                upper: number == bounds.count ? nil : bounds[number])
        }
    }
}
