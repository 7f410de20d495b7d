import SluiceCore

@testable import SluiceRecords

extension ShardBytes {
    convenience init(_ bytes: [UInt8]) {
        self.init()
        buffer.append(bytes)
    }
}

/// All records of a source, and their digest.
func readAll(
    _ source: some RecordSource, fieldCount: Int
) throws(Failure) -> (records: [UInt8], digest: Digest, reserved: [Int]) {
    var batch = Batch(fieldCount: fieldCount)
    var records: [UInt8] = []
    var digest = Digest.empty
    var reserved = Array(repeating: 0, count: fieldCount)
    var goesOn = true
    while goesOn {
        goesOn = try source.fill(&batch, byteGoal: 4096)
        records += batch.bytes.array()
        digest += batch.digest
        for index in reserved.indices { reserved[index] += batch.reserved[index] }
        batch.removeAll()
    }
    return (records, digest, reserved)
}
