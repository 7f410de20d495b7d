internal import Glibc
internal import SluiceCore

/// An Avro container in memory, whoever wrote it: its metadata, then its blocks as they are
/// stored.
///
/// Looks at nothing inside the blocks and takes no memory for them. The bytes must outlive it.
struct AvroContainer {
    static let magic: [UInt8] = [0x4F, 0x62, 0x6A, 0x01]
    static let syncByteCount = 16

    struct Metadatum {
        let key: UnsafeRawBufferPointer
        let value: UnsafeRawBufferPointer
    }

    /// One block as it is stored; `BlockDecompressor` unpacks it.
    struct Block {
        let rowCount: Int
        let bytes: UnsafeRawBufferPointer
    }

    let metadata: [Metadatum]
    private let bytes: UnsafeRawBufferPointer
    private let sync: UnsafeRawBufferPointer
    private let rowLimit: Int
    /// Where the next block begins.
    private var place: Int
    /// How many blocks have been read.
    private(set) var blockCount = 0

    /// Reads the header.
    ///
    /// - Parameter rowLimit: a block that claims more rows is a failure.
    init(_ bytes: UnsafeRawBufferPointer, rowLimit: Int) throws(Failure) {
        guard bytes.count >= 4, bytes[..<4].elementsEqual(AvroContainer.magic) else {
            throw Failure(.failed, "this is no Avro container: it does not begin with Obj")
        }
        do {
            var reader = AvroHeaderReader(bytes)
            metadata = try reader.metadata()
            sync = try reader.sync()
            place = AvroContainer.magic.count + reader.cursor.position + AvroContainer.syncByteCount
        } catch {
            throw error.during("reading the header of an Avro container")
        }
        self.bytes = bytes
        self.rowLimit = rowLimit
    }

    /// Of a container whose header is known and ends in its sync marker at `headerByteCount`.
    init(_ bytes: UnsafeRawBufferPointer, behindHeader headerByteCount: Int, rowLimit: Int) {
        metadata = []
        self.bytes = bytes
        sync = UnsafeRawBufferPointer(
            rebasing: bytes[(headerByteCount - AvroContainer.syncByteCount)..<headerByteCount])
        self.rowLimit = rowLimit
        place = headerByteCount
    }

    func value(of key: StaticString) -> UnsafeRawBufferPointer? {
        let wanted = UnsafeRawBufferPointer(
            start: key.utf8Start, count: key.utf8CodeUnitCount)
        return metadata.first { $0.key.hasSameBytes(as: wanted) }?.value
    }

    /// The codec of the blocks; a container that names none has none.
    func codec() throws(Failure) -> ShardFormat.Codec {
        guard let name = value(of: "avro.codec") else { return .none }
        let text = String(decoding: name.prefix(40), as: UTF8.self)
        guard let codec = ShardFormat.Codec(avroName: text) else {
            throw Failure(
                .failed, "the Avro codec \(text) is not one that sluice reads",
                hint: "Write it again with null, deflate, snappy or zstandard.")
        }
        return codec
    }

    /// The next block, or nothing when the last one was read.
    mutating func nextBlock() throws(Failure) -> Block? {
        guard place < bytes.count else { return nil }
        do {
            let block = try readBlock()
            blockCount += 1
            return block
        } catch {
            throw error.during("reading block \(blockCount + 1), at byte \(place)")
        }
    }

    private mutating func readBlock() throws(Failure) -> Block {
        var cursor = RecordCursor(UnsafeRawBufferPointer(rebasing: bytes[place...]))
        let rowCount = try cursor.long()
        guard rowCount >= 0, rowCount <= rowLimit else {
            throw Failure(.failed, "a block claims \(rowCount) rows, the limit is \(rowLimit)")
        }
        let content = try cursor.bytes()
        let end = place + cursor.position
        guard bytes.count - end >= AvroContainer.syncByteCount else {
            throw Failure(.failed, "the container ends inside a block")
        }
        let marker = UnsafeRawBufferPointer(
            rebasing: bytes[end..<(end + AvroContainer.syncByteCount)])
        guard marker.hasSameBytes(as: sync) else {
            throw Failure(.failed, "a block does not end in the container's sync marker")
        }
        place = end + AvroContainer.syncByteCount
        return Block(rowCount: Int(rowCount), bytes: content)
    }
}

/// The map of metadata and the sync marker.
private struct AvroHeaderReader {
    private static let entryLimit = 10_000

    let bytes: UnsafeRawBufferPointer
    var cursor: RecordCursor

    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = UnsafeRawBufferPointer(rebasing: bytes[AvroContainer.magic.count...])
        cursor = RecordCursor(self.bytes)
    }

    /// A map is written in runs of entries; a negative count is followed by the run's size in
    /// bytes.
    mutating func metadata() throws(Failure) -> [AvroContainer.Metadatum] {
        var entries: [AvroContainer.Metadatum] = []
        while true {
            var count = try cursor.long()
            if count == 0 { return entries }
            if count < 0 {
                _ = try cursor.long()
                count = 0 &- count
            }
            guard count > 0 else { throw Failure(.failed, "a count is out of range") }
            for _ in 0..<count {
                guard entries.count < AvroHeaderReader.entryLimit else {
                    throw Failure(.failed, "a header has more than 10000 entries")
                }
                entries.append(
                    AvroContainer.Metadatum(key: try cursor.bytes(), value: try cursor.bytes()))
            }
        }
    }

    func sync() throws(Failure) -> UnsafeRawBufferPointer {
        let start = cursor.position
        guard bytes.count - start >= AvroContainer.syncByteCount else {
            throw Failure(.failed, "the container ends inside its header")
        }
        return UnsafeRawBufferPointer(
            rebasing: bytes[start..<(start + AvroContainer.syncByteCount)])
    }
}

extension ShardFormat.Codec {
    /// The name in a container's header.
    var avroName: String { self == .none ? "null" : rawValue }

    init?(avroName: String) {
        guard let codec = ShardFormat.Codec.allCases.first(where: { $0.avroName == avroName })
        else { return nil }
        self = codec
    }
}

extension UnsafeRawBufferPointer {
    func hasSameBytes(as other: UnsafeRawBufferPointer) -> Bool {
        guard count == other.count else { return false }
        guard let baseAddress, let start = other.baseAddress else { return true }
        return memcmp(baseAddress, start, count) == 0
    }
}
