internal import SluiceCore
internal import SluiceRecords
internal import SluiceStore

/// Files somebody else exported, seen as the tables of a dataset.
///
/// Every file is read twice: once to the end before anything is written, which finds whatever is
/// wrong in any of them and gives each its digest, and once to be loaded. Its name and SHA-256 are
/// its unit in the ledger.
struct Import: Sendable {
    /// Made from all units, so that the same files are the same load.
    let id: String
    let tables: [DatasetTable]
    let shards: ImportShards

    /// Finds, reads and checks the files that a job file names.
    static func examine(_ run: Run, in store: any Store) throws(Failure) -> Import {
        let pool = ShardPool(lanes: run.settings.lanes, shardBytes: run.settings.shardBytes)
        var shards = ImportShards(store: store, rowByteLimit: run.settings.rowBytes)
        var tables: [DatasetTable] = []
        for file in run.settings.imports {
            guard !tables.contains(where: { $0.name == file.table }) else {
                throw Failure(
                    .usage, "the job file imports \(file.table) twice",
                    hint: "List all its files in one entry.")
            }
            let keys = try keys(of: file, in: store)
            let plan = try plan(of: file, first: keys[0], shards, pool)
            let found = try FileExamination(run, file, plan, shards, pool).carryOut(keys)
            for (shard, key) in found { shards.files[shard.key] = ImportShards.File(key, file) }
            let seal = Seal(
                dataset: "", table: file.table, chunk: plan.chunks[0],
                counted: found.reduce(0) { $0 + $1.0.summary.digest.rowCount },
                shards: found.map(\.0))
            tables.append(DatasetTable(plan: plan, seals: [seal], planHash: "", sealsHash: ""))
        }
        let units = tables.flatMap(\.shards).map(\.key).joined(separator: "\n")
        let id = String(SHA256.text(of: Array(units.utf8)).prefix(32))
        return Import(id: id, tables: tables, shards: shards)
    }

    private static func keys(
        of file: ImportFile, in store: any Store
    ) throws(Failure) -> [String] {
        var globs: [Glob] = []
        for pattern in file.files { globs.append(try Glob(pattern)) }
        var keys: [String] = []
        try store.list("") { object throws(Failure) in
            if globs.contains(where: { $0.matches(TableName(Name(object.key))) }) {
                keys.append(object.key)
            }
            return true
        }
        guard !keys.isEmpty else {
            throw Failure(
                .usage,
                "no file in \(store.place) matches '\(file.files.joined(separator: ","))'",
                hint: "Patterns are matched against the whole name below the folder.")
        }
        return keys
    }

    private static func plan(
        of file: ImportFile, first key: String, _ shards: ImportShards, _ pool: ShardPool
    ) throws(Failure) -> TablePlan {
        let schema = try schema(of: file, first: key, shards, pool)
        let columns = schema.fields.map {
            TableDefinition.Column(name: $0.name, isNullable: $0.isNullable)
        }
        let definition = TableDefinition(
            columns: columns, primaryKey: file.columns.filter(\.isKey).map(\.name))
        return TablePlan(schema: schema, definition: definition, chunks: [Chunk(number: 0)])
    }

    private static func schema(
        of file: ImportFile, first key: String, _ shards: ImportShards, _ pool: ShardPool
    ) throws(Failure) -> RecordSchema {
        guard file.columns.isEmpty else {
            let names = AvroNames.make(for: file.columns.map(\.name))
            let fields = zip(file.columns, names).map { column, avroName in
                Field(
                    name: column.name, avroName: avroName, type: column.type,
                    isNullable: column.isNullable)
            }
            return RecordSchema(table: file.table, fields: fields)
        }
        guard file.rendering == .avro else {
            throw Failure(
                .usage, "the job file names no columns for \(file.table)",
                hint: "A CSV does not say what its columns hold; list them under 'columns'.")
        }
        let bytes = try pool.take()
        defer { pool.give(bytes) }
        try shards.fetch(key, into: bytes)
        return try during("reading the schema of \(key)") { () throws(Failure) in
            try ForeignAvro.inferSchema(table: file.table, bytes: bytes.buffer.bytes)
        }
    }
}

/// Gives the records of files that somebody else exported.
struct ImportShards: ShardSupply {
    /// Larger files do not fit the memory of a lane.
    static let fileByteLimit = 1 << 30

    struct File: Sendable {
        let key: String
        let description: ImportFile

        init(_ key: String, _ description: ImportFile) {
            self.key = key
            self.description = description
        }
    }

    let store: any Store
    let rowByteLimit: Int
    /// By unit.
    var files: [String: File] = [:]

    init(store: any Store, rowByteLimit: Int) {
        self.store = store
        self.rowByteLimit = rowByteLimit
    }

    func open(
        _ shard: Seal.Shard, of plan: TablePlan, into bytes: ShardBytes
    ) throws(Failure) -> any RecordSource {
        guard let file = files[shard.key] else {
            throw Failure(.bug, "\(shard.key) is no file of this import")
        }
        try fetch(file.key, into: bytes)
        guard SHA256.hash(bytes.buffer.bytes) == shard.summary.sha256 else {
            throw Failure(
                .refused, "\(file.key) has changed while it was loaded",
                hint: "Let whoever writes it finish, then run the same command again.")
        }
        return try records(bytes, file.description, plan)
    }

    func fetch(_ key: String, into bytes: ShardBytes) throws(Failure) {
        guard try store.get(key, into: &bytes.buffer, byteLimit: ImportShards.fileByteLimit)
        else { throw Failure(.failed, "\(key) has vanished from \(store.place)") }
    }

    func records(
        _ bytes: ShardBytes, _ file: ImportFile, _ plan: TablePlan
    ) throws(Failure) -> any RecordSource {
        switch file.rendering {
        case .avro:
            try ForeignAvroReader(
                bytes, schema: plan.schema,
                ignoresOtherFields: file.dialect.ignoresOtherColumns, rowByteLimit: rowByteLimit)
        case .csv:
            try ForeignCSVReader(
                bytes, schema: plan.schema, options: file.dialect, rowByteLimit: rowByteLimit)
        }
    }
}

/// Reads every file of a table to its end, in all lanes.
private final class FileExamination: Sendable {
    private let run: Run
    private let file: ImportFile
    private let plan: TablePlan
    private let shards: ImportShards
    private let pool: ShardPool

    init(
        _ run: Run, _ file: ImportFile, _ plan: TablePlan, _ shards: ImportShards,
        _ pool: ShardPool
    ) {
        self.run = run
        self.file = file
        self.plan = plan
        self.shards = shards
        self.pool = pool
    }

    /// The files as shards, in the order of their keys.
    func carryOut(_ keys: [String]) throws(Failure) -> [(Seal.Shard, key: String)] {
        let open = Monitor(keys)
        let found = Monitor<[String: Seal.Shard]>([:])
        let lane: Lanes.Lane = { () throws(Failure) in
            while let key = open.change({ $0.popLast() }) {
                let shard = try during("reading \(key)") { () throws(Failure) in
                    try self.examine(key)
                }
                found.change { $0[key] = shard }
            }
        }
        try Lanes.run(Array(repeating: lane, count: run.settings.lanes)) { _ in
            open.change { $0 = [] }
        }
        return found.read { found in keys.compactMap { key in found[key].map { ($0, key: key) } } }
    }

    private func examine(_ key: String) throws(Failure) -> Seal.Shard {
        let bytes = try pool.take()
        defer { pool.give(bytes) }
        try shards.fetch(key, into: bytes)
        let sha256 = SHA256.hash(bytes.buffer.bytes)
        let storedBytes = bytes.buffer.count
        let records = try shards.records(bytes, file, plan)
        var batch = Batch(
            fieldCount: plan.schema.fields.count, rowByteLimit: run.settings.rowBytes)
        var digest = Digest.empty
        var recordBytes = 0
        var hasMore = true
        while hasMore {
            try run.stop.check()
            batch.removeAll()
            hasMore = try records.fill(&batch, byteGoal: ExportLanes.batchBytes)
            digest += batch.digest
            recordBytes += batch.bytes.count
        }
        let hash = Hexadecimal.string(sha256.prefix(8))
        return Seal.Shard(
            key: DatasetKeys.shards(KeySegment.make(from: file.table)) + key + "-" + hash,
            summary: ShardSummary(
                digest: digest, recordBytes: recordBytes, storedBytes: storedBytes, sha256: sha256,
                crc32c: 0, reserved: []))
    }
}
