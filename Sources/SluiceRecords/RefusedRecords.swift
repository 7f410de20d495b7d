public import SluiceCore

/// The records of one shard that a target refuses: found while the others are loaded, and kept
/// elsewhere before the others are committed. Belongs to one lane.
public final class RefusedRecords {
    /// One of them, by its number in the shard, and why.
    public struct Refusal: Sendable {
        public let row: Int
        public let failure: Failure
    }

    /// All records of the shard.
    public let shard: HeldRecords
    private var found: [Refusal] = []
    /// Of the refused ones.
    public private(set) var digest = Digest.empty
    private let admit: (Int, Refusal) throws(Failure) -> Void
    private let keep: (RefusedRecords) throws(Failure) -> String

    /// - Parameter admit: is told how many there are with each new one; throws where that is too
    ///   many.
    /// - Parameter keep: stores them and says under which unit the ledger has them.
    public init(
        of shard: HeldRecords, admit: @escaping (Int, Refusal) throws(Failure) -> Void,
        keep: @escaping (RefusedRecords) throws(Failure) -> String
    ) {
        self.shard = shard
        self.admit = admit
        self.keep = keep
    }

    /// In the order of their numbers.
    public var refusals: [Refusal] { found.sorted { $0.row < $1.row } }
    /// Of the shard's records that were not refused.
    public var digestOfOthers: Digest { shard.digest - digest }
    public var isEmpty: Bool { found.isEmpty }

    /// The target refuses this record.
    public func add(_ row: Int, _ failure: Failure) throws(Failure) {
        digest.add(try shard.record(row))
        let refusal = Refusal(row: row, failure: failure)
        found.append(refusal)
        try admit(found.count, refusal)
    }

    /// Stores them; called once, when all are known and the transaction that has the others is
    /// still open. May be repeated when that transaction came to nothing.
    ///
    /// - Returns: the ledger's unit for them; nothing where none was refused.
    public func keepAll() throws(Failure) -> String? {
        isEmpty ? nil : try keep(self)
    }
}

/// Finds what a target refuses: loads a shard a portion at a time, and where one is refused, less
/// and less of it, until the record at fault is alone.
///
/// With `k` records refused of `n` it takes at most `n / 4096 + 1 + 2 k` attempts where the server
/// says which record it was, and `n / 4096 + 1 + 24 k` where it does not.
public enum RecordSieve {
    /// Records that are tried at once. A refused one costs no more than trying these again.
    static let portion = 4096

    /// - Parameter load: keeps all records with these numbers, or none and throws; a refusal counts
    ///   its row from the first of them.
    public static func sift(
        _ refused: RefusedRecords, load: (Range<Int>) throws(Failure) -> Void
    ) throws(Failure) {
        let end = refused.shard.rows.upperBound
        for start in stride(from: 1, to: end, by: portion) {
            var open = [start..<min(start + portion, end)]
            while let rows = open.popLast() {
                guard !rows.isEmpty else { continue }
                do throws(Failure) {
                    try load(rows)
                } catch {
                    guard error.refusesRow else { throw error }
                    open += try parts(of: rows, error, refused)
                }
            }
        }
    }

    /// What is left to try of records that were refused together, the first of them last.
    private static func parts(
        of rows: Range<Int>, _ failure: Failure, _ refused: RefusedRecords
    ) throws(Failure) -> [Range<Int>] {
        let named = failure.refusedRow.map { rows.lowerBound + $0 - 1 }
        if let row = rows.count == 1 ? rows.lowerBound : named, rows.contains(row) {
            try refused.add(row, failure)
            return [row + 1..<rows.upperBound, rows.lowerBound..<row]
        }
        let middle = rows.lowerBound + rows.count / 2
        return [middle..<rows.upperBound, rows.lowerBound..<middle]
    }
}
