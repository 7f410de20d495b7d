public import SluiceCore
public import SluiceRecords
public import SluiceStore

extension Run {
    /// `sluice load`.
    public func load(
        from store: any Store, into target: any Target
    ) throws(Failure) -> Outcome {
        guard settings.imports.isEmpty else { return try loadImport(from: store, into: target) }
        try refuseQuarantine(in: target)
        let dataset = try Dataset.require(in: store)
        let manifest = try dataset.manifest()
        if let manifest { try dataset.checkObjects(manifest) }
        let plans = try plans(of: dataset, manifest)
        let request = try loadRequest(
            dataset, plans, trusting: settings.trustsSchema ? try dataset.schema() : nil,
            into: target)
        let load = try Load(self, request, into: target)
        progress.begin(.load, rowTotal: manifest?.rows ?? 0, itemTotal: manifest?.shards ?? 0)
        let lanes = try carryOut(
            load, from: DatasetShards(dataset: dataset), settingAside: quarantine(dataset, load)
        ) { work throws(Failure) in
            try self.feed(work, plans, dataset, manifest)
        }
        var outcome = Outcome(command: "load")
        outcome.position = dataset.header.position.json
        let ledger = try conclude(&outcome, lanes)
        let setAside = try SetAside(ledger, of: dataset)
        outcome.conclude(setAside, in: dataset, hidesKeys: settings.hidesKeys)
        if let manifest {
            outcome.warnings += request.nulledWarnings(manifest, without: setAside)
        } else {
            outcome.status = .unfinished
            outcome.exitKind = .unfinished
            outcome.warnings.append(
                "the dataset is unfinished: what is sealed was loaded, and no constraint was made")
        }
        return finish(outcome, in: store)
    }

    /// Files somebody else exported, as the job file describes them.
    private func loadImport(
        from store: any Store, into target: any Target
    ) throws(Failure) -> Outcome {
        let files = try Import.examine(self, in: store)
        let load = try Load(self, loadRequest(files, into: target), into: target)
        progress.begin(
            .load, rowTotal: files.tables.reduce(0) { $0 + $1.digest.rowCount },
            itemTotal: files.tables.reduce(0) { $0 + $1.shards.count })
        let lanes = try carryOut(load, from: files.shards) { work throws(Failure) in
            for table in files.tables {
                for seal in table.seals { work.add(seal, of: table.plan) }
            }
        }
        var outcome = Outcome(command: "load")
        _ = try conclude(&outcome, lanes)
        outcome.seconds = (Clock.now - startedAt).inSeconds
        return outcome
    }

    func loadRequest(_ files: Import, into target: any Target) throws(Failure) -> LoadRequest {
        try request(
            files.id, files.tables.map(\.plan), from: LoadOrigin(engine: nil, identity: .null),
            trusting: nil, into: target)
    }

    func loadRequest(
        _ dataset: Dataset, _ plans: [TablePlan], trusting schema: SchemaText?,
        into target: any Target
    ) throws(Failure) -> LoadRequest {
        try request(
            dataset.id, plans, of: dataset.header.tables,
            from: LoadOrigin(engine: dataset.header.engine, identity: dataset.header.identity),
            trusting: schema, into: target)
    }

    /// Runs a load's lanes beside whatever feeds them, and waits for all.
    func carryOut(
        _ load: Load, from shards: any ShardSupply, settingAside quarantine: Quarantine? = nil,
        reading readBack: ReadBack? = nil,
        _ feed: @escaping @Sendable (LoadWork) throws(Failure) -> Void
    ) throws(Failure) -> LoadLanes {
        warn(load.survey.warnings)
        let pool = ShardPool(lanes: settings.lanes, shardBytes: settings.shardBytes)
        let lanes = LoadLanes(
            load, from: shards, pool: pool, settingAside: quarantine, reading: readBack)
        let feeding: Lanes.Lane = { () throws(Failure) in
            try feed(lanes.work)
            lanes.work.endFeed()
        }
        try Lanes.run(lanes.lanes + [feeding]) { _ in
            lanes.abandon()
            pool.abandon()
        }
        progress.end(.load)
        progress.end(.index)
        return lanes
    }

    /// Closes the target and puts what its ledger has of the dataset into the outcome.
    ///
    /// - Returns: what the ledger has of the dataset now.
    private func conclude(
        _ outcome: inout Outcome, _ lanes: LoadLanes
    ) throws(Failure) -> [LedgerEntry] {
        let load = lanes.load
        try load.target.close()
        outcome.dataset = load.request.dataset
        outcome.tables = load.request.tables.count
        outcome.warnings = load.survey.warnings
        let ledger = try load.target.survey(nil).ledger.filter {
            $0.dataset == load.request.dataset
        }
        for entry in ledger where entry.unit.hasPrefix("data/") {
            outcome.rows += entry.rowCount
            outcome.shards += 1
        }
        if load.hasBegun, lanes.newShardCount == 0 { outcome.status = .unchanged }
        return ledger
    }

    /// The plans there are; of a finished dataset all of them.
    private func plans(
        of dataset: Dataset, _ manifest: Manifest?
    ) throws(Failure) -> [TablePlan] {
        var plans: [TablePlan] = []
        for name in dataset.header.tables {
            if let plan = try dataset.plan(of: name) {
                plans.append(plan)
            } else if manifest != nil {
                _ = try dataset.requireObject(DatasetKeys.plan(KeySegment.make(from: name)))
            }
        }
        return plans
    }

    private func feed(
        _ work: LoadWork, _ plans: [TablePlan], _ dataset: Dataset, _ manifest: Manifest?
    ) throws(Failure) {
        for plan in plans {
            try stop.check()
            let table: DatasetTable?
            if let expected = manifest?.tables.first(where: { $0.name == plan.table }) {
                table = try dataset.table(expected)
            } else {
                table = try dataset.table(plan.table)
            }
            for seal in table?.seals ?? [] { work.add(seal, of: plan) }
        }
    }
}
