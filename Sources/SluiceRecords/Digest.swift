internal import CXXHash
public import SluiceCore

/// An order-independent sum of record hashes with a row count: equal for equal sets of rows
/// (design §5).
///
/// XXH3-128 of each record's bytes, summed modulo 2^128. Against accidents, not against forgers.
public struct Digest: Hashable, Sendable {
    public private(set) var sum: UInt128
    public private(set) var rowCount: Int

    public init(sum: UInt128 = 0, rowCount: Int = 0) {
        self.sum = sum
        self.rowCount = rowCount
    }

    public static let empty = Digest()

    /// The hash of one record.
    public static func hash(_ record: UnsafeRawBufferPointer) -> UInt128 {
        let hash = XXH3_128bits(record.baseAddress, record.count)
        return UInt128(hash.high64) << 64 | UInt128(hash.low64)
    }

    public mutating func add(_ record: UnsafeRawBufferPointer) {
        sum &+= Digest.hash(record)
        rowCount += 1
    }

    public static func + (left: Digest, right: Digest) -> Digest {
        // Wrapping: counts that a dataset claims may be anything until they are compared.
        Digest(sum: left.sum &+ right.sum, rowCount: left.rowCount &+ right.rowCount)
    }

    /// What is left of a sum when a part of it is taken away.
    public static func - (left: Digest, right: Digest) -> Digest {
        Digest(sum: left.sum &- right.sum, rowCount: left.rowCount &- right.rowCount)
    }

    public static func += (left: inout Digest, right: Digest) { left = left + right }

    /// The sum as 32 hexadecimal digits, most significant first.
    public var text: String {
        let digits = String(sum, radix: 16)
        return String(repeating: "0", count: 32 - digits.utf8.count) + digits
    }

    /// From what `text` gives; nothing for any other text.
    public init?(text: String, rowCount: Int) {
        guard text.utf8.count == 32, rowCount >= 0, let bytes = Hexadecimal.bytes(text) else {
            return nil
        }
        self.init(sum: bytes.reduce(0) { $0 << 8 | UInt128($1) }, rowCount: rowCount)
    }

    /// Throws where records of a shard are not those that its seal was made for: what every target
    /// asks before it commits them.
    public func requireSealed(_ sealed: Digest) throws(Failure) {
        guard rowCount == sealed.rowCount else {
            throw Failure(
                .failed, "the shard holds \(rowCount) rows, and its seal says \(sealed.rowCount)",
                hint: "The dataset is damaged; export it again.")
        }
        guard self == sealed else {
            throw Failure(
                .failed, "the shard's rows are not those that its seal was made for",
                hint: "The dataset is damaged; export it again.")
        }
    }
}
