internal import SluiceCore
internal import SluiceRecords

/// `seals/<table>/<chunk>.json`: this chunk is complete, and these are its shards.
struct Seal: Sendable {
    struct Shard: Sendable {
        var key: String
        var summary: ShardSummary
    }

    var dataset: String
    var table: TableName
    /// With its bounds exactly as they were sent to the source.
    var chunk: Chunk
    /// The server's own count of the chunk's rows.
    var counted: Int
    var shards: [Shard]

    var digest: Digest { shards.reduce(.empty) { $0 + $1.summary.digest } }
    var recordBytes: Int { shards.reduce(0) { $0 &+ $1.summary.recordBytes } }
    var storedBytes: Int { shards.reduce(0) { $0 &+ $1.summary.storedBytes } }

    func json(fields: [Field]) -> JSON {
        var members: [JSON.Member] = [.init("dataset", .string(dataset))]
        members += table.members
        members += chunk.json.members ?? []
        members += [
            .init("rows", .int(digest.rowCount)),
            .init("counted", .int(counted)),
            .init("digest", .string(digest.text)),
            .init("shards", .array(shards.map { $0.json(fields: fields) })),
        ]
        return .object(members)
    }

    init(dataset: String, table: TableName, chunk: Chunk, counted: Int, shards: [Shard]) {
        self.dataset = dataset
        self.table = table
        self.chunk = chunk
        self.counted = counted
        self.shards = shards
    }

    init(_ reader: ObjectReader, of plan: TablePlan, segment: String) throws(Failure) {
        dataset = try reader.text("dataset")
        table = try reader.tableName()
        chunk = try Chunk(reader)
        counted = try reader.count("counted")
        shards = []
        for (ordinal, shard) in try reader.objects("shards").enumerated() {
            let shard = try Shard(shard, fields: plan.schema.fields)
            guard DatasetKeys.isShard(shard.key, of: segment, chunk: chunk.number, ordinal: ordinal)
            else { throw SealedJSON.damaged(reader.key, "it names a key that no shard has") }
            shards.append(shard)
        }
        let rows = try reader.count("rows")
        guard digest == (try reader.digest(rows: rows)), table == plan.table else {
            throw SealedJSON.damaged(reader.key, "its sums are not those of its shards")
        }
    }
}

extension Seal.Shard {
    func json(fields: [Field]) -> JSON {
        var reserved: [JSON.Member] = []
        for (field, count) in zip(fields, summary.reserved) where count > 0 {
            reserved.append(.init(field.avroName, .int(count)))
        }
        return [
            "key": .string(key),
            "rows": .int(summary.digest.rowCount),
            "recordBytes": .int(summary.recordBytes),
            "storedBytes": .int(summary.storedBytes),
            "sha256": .string(Hexadecimal.string(summary.sha256)),
            "crc32c": .string(crc32cText),
            "digest": .string(summary.digest.text),
            "reserved": .object(reserved),
        ]
    }

    private var crc32cText: String {
        Hexadecimal.string(
            (0..<4).map { UInt8(truncatingIfNeeded: summary.crc32c >> (24 - 8 * $0)) })
    }

    init(_ reader: ObjectReader, fields: [Field]) throws(Failure) {
        let rows = try reader.count("rows")
        guard let sha256 = Hexadecimal.bytes(try reader.text("sha256")), sha256.count == 32,
            let crc = Hexadecimal.bytes(try reader.text("crc32c")), crc.count == 4
        else { throw SealedJSON.damaged(reader.key, "a checksum has not the form of one") }
        let reserved = try reader.object("reserved")
        var counts: [Int] = []
        for field in fields {
            counts.append(
                reserved.json[field.avroName] == nil ? 0 : try reserved.count(field.avroName))
        }
        self.init(
            key: try reader.text("key"),
            summary: ShardSummary(
                digest: try reader.digest(rows: rows),
                recordBytes: try reader.count("recordBytes"),
                storedBytes: try reader.count("storedBytes"), sha256: sha256,
                crc32c: crc.reduce(0) { $0 << 8 | UInt32($1) }, reserved: counts))
        guard key.contains("-" + Hexadecimal.string(sha256.prefix(8)) + ".") else {
            throw SealedJSON.damaged(reader.key, "a shard's key does not end in its hash")
        }
    }
}
