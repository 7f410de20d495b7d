public import SluiceCore

/// A shard's stored bytes in memory, handed from lane to lane; a few are reused for a whole run.
///
/// Unchecked because it has one owner at a time: whoever took it from the pool or the queue.
public final class ShardBytes: @unchecked Sendable {
    public var buffer: ByteBuffer

    public init(capacity: Int = 1 << 16) {
        buffer = ByteBuffer(capacity: capacity)
    }
}

/// What is known of a shard when its last byte is written.
public struct ShardSummary: Hashable, Sendable {
    public var digest: Digest
    /// Bytes of records before rendering and compression.
    public var recordBytes: Int
    public var storedBytes: Int
    public var sha256: [UInt8]
    public var crc32c: UInt32
    /// Reserved values per field.
    public var reserved: [Int]

    public init(
        digest: Digest, recordBytes: Int, storedBytes: Int, sha256: [UInt8], crc32c: UInt32,
        reserved: [Int]
    ) {
        self.digest = digest
        self.recordBytes = recordBytes
        self.storedBytes = storedBytes
        self.sha256 = sha256
        self.crc32c = crc32c
        self.reserved = reserved
    }
}
