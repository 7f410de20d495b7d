internal import SluiceCore
internal import SluiceRecords

/// `manifest.json`: written last, create-only; what is complete, with the hashes of everything that
/// says so.
struct Manifest: Sendable {
    struct Table: Sendable {
        var name: TableName
        var digest: Digest
        var recordBytes: Int
        var storedBytes: Int
        var shards: Int
        var chunks: Int
        /// What one `count(*)` under the same snapshot gave; nothing under `--count none`.
        var counted: Int?
        /// SHA-256 of the plan object's bytes.
        var plan: String
        /// SHA-256 over the bytes of the table's seals in chunk order.
        var seals: String
        /// Reserved values per field that has any.
        var reserved: [JSON.Member]
    }

    var dataset: String
    var finishedAt: String
    var position: Position
    /// SHA-256 of `dataset.json` and the objects below `schema/`, by key.
    var objects: [JSON.Member]
    var tables: [Table]

    var rows: Int { tables.reduce(0) { $0 &+ $1.digest.rowCount } }
    var shards: Int { tables.reduce(0) { $0 &+ $1.shards } }
    var recordBytes: Int { tables.reduce(0) { $0 &+ $1.recordBytes } }
    var storedBytes: Int { tables.reduce(0) { $0 &+ $1.storedBytes } }

    var json: JSON {
        [
            "format": .int(DatasetHeader.formatVersion),
            "dataset": .string(dataset),
            "finished": .string(finishedAt),
            "position": position.json,
            "rows": .int(rows),
            "shards": .int(shards),
            "recordBytes": .int(recordBytes),
            "storedBytes": .int(storedBytes),
            "objects": .object(objects),
            "tables": .array(tables.map(\.json)),
        ]
    }

    init(
        dataset: String, finishedAt: String, position: Position, objects: [JSON.Member],
        tables: [Table]
    ) {
        self.dataset = dataset
        self.finishedAt = finishedAt
        self.position = position
        self.objects = objects
        self.tables = tables
    }

    init(_ reader: ObjectReader) throws(Failure) {
        let format = try reader.count("format")
        guard format <= DatasetHeader.formatVersion else {
            throw DatasetHeader.tooNew(reader.key, format: format, features: [])
        }
        dataset = try reader.text("dataset")
        finishedAt = try reader.text("finished")
        let place = try reader.object("position")
        position = Position(isExact: try place.flag("exact"), details: try place.any("details"))
        objects = try reader.any("objects").members ?? []
        tables = []
        for table in try reader.objects("tables") { tables.append(try Table(table)) }
        guard rows == (try reader.count("rows")), shards == (try reader.count("shards")) else {
            throw SealedJSON.damaged(reader.key, "its totals are not those of its tables")
        }
    }
}

extension Manifest.Table {
    var json: JSON {
        .object(
            name.members + [
                .init("rows", .int(digest.rowCount)),
                .init("digest", .string(digest.text)),
                .init("recordBytes", .int(recordBytes)),
                .init("storedBytes", .int(storedBytes)),
                .init("shards", .int(shards)),
                .init("chunks", .int(chunks)),
                .init("counted", counted.map(JSON.int) ?? .null),
                .init("plan", .string(plan)),
                .init("seals", .string(seals)),
                .init("reserved", .object(reserved)),
            ])
    }

    init(_ reader: ObjectReader) throws(Failure) {
        name = try reader.tableName()
        digest = try reader.digest(rows: try reader.count("rows"))
        recordBytes = try reader.count("recordBytes")
        storedBytes = try reader.count("storedBytes")
        shards = try reader.count("shards")
        chunks = try reader.count("chunks")
        counted = reader.json["counted"] == .null ? nil : try reader.count("counted")
        plan = try reader.text("plan")
        seals = try reader.text("seals")
        reserved = try reader.any("reserved").members ?? []
    }
}
