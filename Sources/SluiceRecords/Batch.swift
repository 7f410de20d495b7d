public import SluiceCore

/// A run of records of one chunk, back to back in one reused buffer, with their digest.
public struct Batch: ~Copyable {
    /// The records; a driver appends fields here and ends each record with `endRecord`.
    public var bytes: ByteBuffer
    public private(set) var digest = Digest.empty
    /// How many reserved values (design §5) each field has; drivers count what they write.
    public var reserved: [Int]
    /// Rows read back from a target that do not fit the record schema, which no record can hold.
    public private(set) var misfits: [Misfit] = []
    private var recordStart = 0
    /// Larger rows are refused by name.
    public let rowByteLimit: Int

    public init(fieldCount: Int, rowByteLimit: Int = 256 << 20, capacity: Int = 320 << 10) {
        bytes = ByteBuffer(capacity: capacity)
        reserved = Array(repeating: 0, count: fieldCount)
        self.rowByteLimit = rowByteLimit
    }

    public var rowCount: Int { digest.rowCount }
    public var isEmpty: Bool { bytes.isEmpty && misfits.isEmpty }

    /// Whether `count` more bytes still fit the row that is being written.
    public func rowAdmits(_ count: Int) -> Bool {
        currentRowByteCount <= rowByteLimit - count
    }

    /// How many bytes the record that is being written has so far.
    public var currentRowByteCount: Int { bytes.count - recordStart }

    /// The record that began behind the previous one is complete.
    public mutating func endRecord() {
        digest.add(UnsafeRawBufferPointer(rebasing: bytes.bytes[recordStart...]))
        recordStart = bytes.count
    }

    /// The record that is being written cannot be: forget what was written of it.
    public mutating func dropRecord(_ misfit: Misfit) {
        bytes.truncate(to: recordStart)
        misfits.append(misfit)
    }

    /// Ready for the next run of records; memory beyond the usual is given back.
    public mutating func removeAll() {
        bytes.removeAll(keepingAtMost: 1 << 20)
        digest = .empty
        for index in reserved.indices { reserved[index] = 0 }
        misfits.removeAll()
        recordStart = 0
    }
}

/// A row of a target that its table's record schema has no encoding for.
public struct Misfit: Hashable, Sendable {
    /// The row's key, or the target's row locator.
    public let row: String
    public let column: Name
    /// What is there instead: `a text in an int64 column`.
    public let what: String

    public init(row: String, column: Name, what: String) {
        self.row = row
        self.column = column
        self.what = what
    }
}
