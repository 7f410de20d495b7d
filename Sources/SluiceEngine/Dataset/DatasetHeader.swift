public import SluiceCore
public import SluiceRecords

/// `dataset.json`: what a dataset is, written first, create-only.
struct DatasetHeader: Sendable {
    static let formatVersion = 1
    /// What a reader must know to read what this version writes; a dataset that names more is
    /// refused.
    static let knownFeatures: Set<String> = []

    var id: String
    var createdAt: String
    var identity: JSON
    var engine: String
    var position: Position
    /// Equal stamps: an unfinished export may be continued.
    var stamp: JSON?
    var options: ExportOptions
    var tables: [TableName]

    var json: JSON {
        [
            "format": .int(DatasetHeader.formatVersion),
            "features": [],
            "dataset": .string(id),
            "created": .string(createdAt),
            "sluice": .string(Version.text),
            "engine": .string(engine),
            "source": identity,
            "position": position.json,
            "stamp": stamp ?? .null,
            "options": options.json,
            "tables": .array(tables.map { .object($0.members) }),
        ]
    }

    init(
        id: String, createdAt: String, identity: JSON, engine: String, position: Position,
        stamp: JSON?, options: ExportOptions, tables: [TableName]
    ) {
        self.id = id
        self.createdAt = createdAt
        self.identity = identity
        self.engine = engine
        self.position = position
        self.stamp = stamp
        self.options = options
        self.tables = tables
    }

    init(_ reader: ObjectReader) throws(Failure) {
        let format = try reader.count("format")
        let features = try reader.texts("features")
        let unknown = features.filter { !DatasetHeader.knownFeatures.contains($0) }
        guard format <= DatasetHeader.formatVersion, unknown.isEmpty else {
            throw DatasetHeader.tooNew(reader.key, format: format, features: unknown)
        }
        for reserved in ["transform", "profile", "encryption"] where reader.json[reserved] != nil {
            throw DatasetHeader.tooNew(reader.key, format: format, features: [reserved])
        }
        id = try reader.text("dataset")
        guard id.utf8.count == 32, Hexadecimal.bytes(id) != nil else {
            throw SealedJSON.damaged(reader.key, "its id has not the form of one")
        }
        createdAt = try reader.text("created")
        identity = try reader.any("source")
        engine = try reader.text("engine")
        let place = try reader.object("position")
        position = Position(
            isExact: try place.flag("exact"), details: try place.any("details"))
        let stamp = try reader.any("stamp")
        self.stamp = stamp == .null ? nil : stamp
        options = try ExportOptions(try reader.object("options"))
        tables = []
        for table in try reader.objects("tables") { tables.append(try table.tableName()) }
    }

    static func tooNew(_ key: String, format: Int, features: [String]) -> Failure {
        let what =
            features.isEmpty
            ? "is of format \(format)" : "needs \(features.joined(separator: ", "))"
        return Failure(
            .refused,
            "\(key) \(what), and this sluice knows formats up to \(DatasetHeader.formatVersion)",
            hint: "Use the version of sluice that wrote it, or a newer one.")
    }
}

extension Position {
    /// As `dataset.json`, `handoff.json` and results show it.
    public var json: JSON { ["exact": .bool(isExact), "details": details] }
}

/// The options that shape a dataset's data; kept in `dataset.json` and compared when an export is
/// continued.
struct ExportOptions: Sendable, Equatable {
    var tables: [String]
    var exclude: [String]
    var filters: [Settings.Filter]
    var format: ShardFormat
    var shardBytes: Int
    var rowBytes: Int
    var consistency: Consistency
    var takesSlot: Bool
    var countsExactly: Bool

    init(_ settings: Settings) {
        tables = settings.tables
        exclude = settings.exclude
        filters = settings.filters
        format = settings.format
        shardBytes = settings.shardBytes
        rowBytes = settings.rowBytes
        consistency = settings.consistency
        takesSlot = settings.takesSlot
        countsExactly = settings.countsExactly
    }

    /// Each option by its name on the command line, in the form the user would write.
    private var values: [(name: String, value: JSON)] {
        [
            ("tables", .array(tables.map(JSON.string))),
            ("exclude", .array(exclude.map(JSON.string))),
            ("where", .array(filters.map { .string("\($0.table)=\($0.sql)") })),
            ("format", .string(format.rendering.rawValue)),
            ("codec", .string(format.codec.rawValue)),
            ("shard-bytes", .int(shardBytes)),
            ("row-bytes", .int(rowBytes)),
            ("consistency", .string(consistency.rawValue)),
            ("position", .string(takesSlot ? "slot" : "none")),
            ("count", .string(countsExactly ? "exact" : "none")),
        ]
    }

    var json: JSON { .object(values.map { JSON.Member($0.name, $0.value) }) }

    init(_ reader: ObjectReader) throws(Failure) {
        tables = try reader.texts("tables")
        exclude = try reader.texts("exclude")
        filters = []
        for text in try reader.texts("where") {
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else {
                throw SealedJSON.damaged(reader.key, "its option \"where\" has no \"=\"")
            }
            filters.append(Settings.Filter(table: String(parts[0]), sql: String(parts[1])))
        }
        guard let rendering = ShardFormat.Rendering(rawValue: try reader.text("format")),
            let codec = ShardFormat.Codec(rawValue: try reader.text("codec")),
            let consistency = Consistency(rawValue: try reader.text("consistency")),
            rendering == .avro || codec == .zstandard || codec == .none
        else { throw SealedJSON.damaged(reader.key, "it names an unknown option value") }
        format = ShardFormat(rendering, codec)
        self.consistency = consistency
        shardBytes = try reader.count("shard-bytes")
        rowBytes = try reader.count("row-bytes")
        takesSlot = try reader.text("position") == "slot"
        countsExactly = try reader.text("count") == "exact"
    }

    /// The first option that differs, as `--codec is snappy here and zstandard in the dataset`;
    /// nothing when all are equal.
    func firstDifference(from dataset: ExportOptions) -> String? {
        for (mine, theirs) in zip(values, dataset.values) where mine.value != theirs.value {
            return
                "--\(mine.name) is \(ExportOptions.shown(mine.value)) here and "
                + "\(ExportOptions.shown(theirs.value)) in the dataset"
        }
        return nil
    }

    private static func shown(_ value: JSON) -> String {
        switch value {
        case .string(let text): text
        case .int(let number): String(number)
        case .array([]): "not given"
        case .array(let elements): elements.compactMap(\.text).joined(separator: ",")
        default: value.compact
        }
    }
}
