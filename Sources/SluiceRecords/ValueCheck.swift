public import SluiceCore

/// Tries records against the columns that they would go into, and writes nothing
/// (`plan --check-values`). Belongs to the lane that opened it.
///
/// What it refuses is what a load would be refused: the driver's own way of writing values judges,
/// then the rules of the server, then the server itself.
public protocol ValueCheck: AnyObject {
    /// From here on the records are this table's.
    func open(_ plan: TablePlan) throws(Failure)
    /// Unique keys of the table under which rows may be one that are two in the source; always in
    /// the same order.
    var looseKeys: [LooseKey] { get }
    /// What of the table's rules is not looked at, a line each.
    var omissions: [String] { get }
    /// Reports each value of these records that its column cannot keep.
    func look(at batch: borrowing Batch, report: (ValueMisfit) -> Void) throws(Failure)
    /// Gives what the target compares of each of these records by one of the loose keys, in their
    /// order: equal bytes, equal rows.
    func fold(
        _ batch: borrowing Batch, by key: Int, into folds: inout KeyFolds
    ) throws(Failure)
    func close()
}

/// A unique key of a target's table that takes more rows for equal than the source does.
public struct LooseKey: Hashable, Sendable {
    public var name: Name
    /// A sentence: what to do where rows are equal by it.
    public var remedy: String

    public init(name: Name, remedy: String) {
        self.name = name
        self.remedy = remedy
    }
}

/// A value that its column cannot keep.
public struct ValueMisfit: Sendable {
    /// Of the record in its batch, from 0.
    public var row: Int
    /// Where the record starts in its batch.
    public var start: Int
    /// The field's place in the record; nothing where it is the row as a whole that is refused.
    public var field: Int?
    /// `column v cannot keep …`, with the remedy as its hint.
    public var failure: Failure

    public init(row: Int, start: Int, field: Int?, failure: Failure) {
        self.row = row
        self.start = start
        self.field = field
        self.failure = failure
    }
}

/// What a target compares of records, one entry for each.
public struct KeyFolds: ~Copyable {
    private var bytes = ByteBuffer(capacity: 16 << 10)
    /// Where each entry ends.
    private var ends: [Int] = []
    private var isDistinct: [Bool] = []

    public init() {}

    public var count: Int { ends.count }

    public mutating func removeAll() {
        bytes.removeAll(keepingAtMost: 1 << 20)
        ends.removeAll(keepingCapacity: true)
        isDistinct.removeAll(keepingCapacity: true)
    }

    /// Adds to the entry that is being made, with its length, so that no two lists of parts are
    /// the same bytes.
    public mutating func append(_ part: UnsafeRawBufferPointer) {
        bytes.appendBytes(part)
    }

    /// The entry is complete.
    ///
    /// - Parameter isDistinct: the record is equal to no other, because it has a NULL there.
    public mutating func endRecord(isDistinct: Bool) {
        let start = ends.last ?? 0
        if isDistinct { bytes.truncate(to: start) }
        ends.append(bytes.count)
        self.isDistinct.append(isDistinct)
    }

    /// The bytes of an entry, valid until the next change; nothing where the record is equal to
    /// none.
    public subscript(row: Int) -> UnsafeRawBufferPointer? {
        guard !isDistinct[row] else { return nil }
        let start = row == 0 ? 0 : ends[row - 1]
        return UnsafeRawBufferPointer(rebasing: bytes.bytes[start..<ends[row]])
    }
}
