internal import SluiceCore
internal import SluiceRecords
internal import SluiceStore

/// The end of an export: what nobody sealed is deleted, what is sealed is proved complete, and the
/// manifest is written.
extension Export {
    /// Waits for the lanes, then finishes the dataset.
    func finish(_ work: ExportWork) throws(Failure) -> Manifest {
        let counted = try work.finish()
        try releaseSource()
        run.progress.end(.export)
        return try during("finishing the dataset") { () throws(Failure) in
            try finish(counted)
        }
    }

    private func finish(_ counted: [ExportWork.Table]) throws(Failure) -> Manifest {
        var tables: [Manifest.Table] = []
        for part in counted {
            guard let table = try dataset.table(part.plan.table) else {
                throw Failure(.refused, "the plan of \(part.plan.table) has vanished")
            }
            try prove(table, part)
            try deleteUnsealed(of: table)
            tables.append(table.manifestTable(counted: part.counted))
        }
        var objects: [JSON.Member] = []
        for key in [DatasetKeys.header, DatasetKeys.schemaObjects, DatasetKeys.schemaScript] {
            objects.append(.init(key, .string(try dataset.hash(of: key))))
        }
        let manifest = Manifest(
            dataset: dataset.id, finishedAt: Clock.timestamp(), position: dataset.header.position,
            objects: objects, tables: tables)
        try store.put(SealedJSON.bytes(handoff), at: DatasetKeys.handoff)
        // From here on a dead run may be found finished: its slot must not go.
        noteFinished()
        guard try store.create(SealedJSON.bytes(manifest.json), at: DatasetKeys.manifest) else {
            guard let other = try dataset.manifest() else {
                throw Failure(.unavailable, "the manifest appeared and vanished", isTransient: true)
            }
            return other
        }
        return manifest
    }

    /// The three proofs of design §4: bounds, the server's count of each chunk, and its count of
    /// the table.
    private func prove(_ table: DatasetTable, _ part: ExportWork.Table) throws(Failure) {
        guard table.plan == part.plan else {
            throw Failure(.refused, "the plan of \(table.name) is not the one that was carried out")
        }
        guard table.isComplete else {
            throw Failure(
                .unfinished,
                "\(table.plan.chunks.count - table.seals.count) chunks of \(table.name) "
                    + "are not sealed",
                hint: "Run the same command again to continue.")
        }
        for seal in table.seals where seal.counted != seal.digest.rowCount {
            throw Failure(
                .failed,
                "chunk \(seal.chunk.number) of \(table.name) has \(seal.digest.rowCount) "
                    + "records, and the source counted \(seal.counted)")
        }
        if let counted = part.counted, counted != table.digest.rowCount {
            throw Failure(
                .failed,
                "\(table.name) has \(counted) rows, and its seals have "
                    + "\(table.digest.rowCount)",
                hint: "The dataset was not finished. Is the source's file damaged?")
        }
    }

    /// After this `data/<table>/` is exactly the table, for every other reader too.
    private func deleteUnsealed(of table: DatasetTable) throws(Failure) {
        guard store.facts.canList else { return }
        let sealed = Set(table.shards.map { Name($0.key) })
        let prefix = DatasetKeys.shards(KeySegment.make(from: table.name))
        try store.deleteAll(below: prefix) { !sealed.contains(Name($0)) }
    }

    private var handoff: JSON {
        [
            "dataset": .string(dataset.id),
            "engine": .string(dataset.header.engine),
            "position": dataset.header.position.json,
            "next": .string(
                dataset.header.position.isExact
                    ? "sluice handoff prints what starts from this position"
                    : "the position is not exact; nothing can start from it"),
        ]
    }
}
