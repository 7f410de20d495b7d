public import SluiceCore
public import SluiceRecords

/// Records out of a list of byte strings, or a failure at their end.
public final class ListedRecords: RecordSource {
    private let records: [[UInt8]]
    private let failure: Failure?
    private var place = 0

    public init(_ records: [[UInt8]], failingWith failure: Failure? = nil) {
        self.records = records
        self.failure = failure
    }

    public func fill(_ batch: inout Batch, byteGoal: Int) throws(Failure) -> Bool {
        while place < records.count, batch.bytes.count < byteGoal {
            batch.bytes.append(records[place])
            batch.endRecord()
            place += 1
        }
        if place == records.count, let failure { throw failure }
        return place < records.count
    }

    public static func digest(_ records: [[UInt8]]) -> Digest {
        var digest = Digest.empty
        for record in records { record.withUnsafeBytes { digest.add($0) } }
        return digest
    }
}

/// One record, field by field.
public func record(_ write: (inout ByteBuffer) -> Void) -> [UInt8] {
    var buffer = ByteBuffer()
    write(&buffer)
    return buffer.array()
}

public func text(_ text: String, into buffer: inout ByteBuffer) {
    bytes(Array(text.utf8), into: &buffer)
}

public func bytes(_ bytes: [UInt8], into buffer: inout ByteBuffer) {
    bytes.withUnsafeBytes { buffer.appendBytes($0) }
}

/// A target with one table that records are loaded into.
public protocol LoadingTable {
    var plan: TablePlan { get }
    var session: any TargetSession { get }
}

extension LoadingTable {
    @discardableResult
    public func load(
        _ records: [[UInt8]], as unit: String = "data/t/1"
    ) throws(Failure) -> LoadOutcome {
        try session.load(
            unit, of: plan, from: ListedRecords(records),
            expecting: ListedRecords.digest(records))
    }

    public func failure(_ records: [[UInt8]]) -> Failure? {
        TestSupport.failure(of: { () throws(Failure) in try load(records) })
    }

    /// What the table has, and what of it does not fit.
    public func readBack() throws(Failure) -> (digest: Digest, misfits: [String]) {
        var digest = Digest.empty
        var misfits: [String] = []
        for slice in try session.slices(of: plan, atMost: 2) {
            let records = try session.readBack(slice, of: plan)
            var batch = Batch(fieldCount: plan.schema.fields.count)
            var hasMore = true
            while hasMore {
                batch.removeAll()
                hasMore = try records.fill(&batch, byteGoal: 1 << 16)
                digest += batch.digest
                misfits += batch.misfits.map { "\($0.row): \($0.column) holds \($0.what)" }
            }
        }
        return (digest, misfits)
    }
}
