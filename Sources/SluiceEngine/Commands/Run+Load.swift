public import SluiceCore
public import SluiceRecords
public import SluiceStore

extension Run {
    /// `sluice load`.
    public func load(
        from store: any Store, into target: any Target
    ) throws(Failure) -> Outcome {
        let dataset = try Dataset.require(in: store)
        let manifest = try dataset.manifest()
        if let manifest { try dataset.checkObjects(manifest) }
        let plans = try plans(of: dataset, manifest)
        let request = try loadRequest(
            dataset, plans, trusting: settings.trustsSchema ? try dataset.schema() : nil)
        let load = try Load(self, request, into: target)
        warn(load.survey.warnings)
        var outcome = Outcome(command: "load")
        outcome.warnings = load.survey.warnings
        outcome.dataset = dataset.id
        outcome.position = dataset.header.position.json
        let lanes = try carryOut(load, dataset, manifest)
        try target.close()
        outcome.count(plans, try target.survey(nil).ledger, dataset.id)
        if manifest == nil || !lanes.work.isFinished {
            outcome.status = .unfinished
            outcome.exitKind = .unfinished
            outcome.warnings.append(
                "the dataset is unfinished: what is sealed was loaded, and no constraint was made")
        } else if load.hasBegun, lanes.newShardCount == 0 {
            outcome.status = .unchanged
        }
        return finish(outcome, in: store)
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

    func loadRequest(
        _ dataset: Dataset, _ plans: [TablePlan], trusting schema: SchemaText?
    ) throws(Failure) -> LoadRequest {
        LoadRequest(
            dataset: dataset.id, tables: plans, trustedSchema: schema,
            onExisting: settings.onExisting, constraintsInitial: settings.constraintsInitial,
            sourceEngine: dataset.header.engine, hidesKeys: settings.hidesKeys)
    }

    /// Feeds what the store has to the load's lanes and waits for them.
    private func carryOut(
        _ load: Load, _ dataset: Dataset, _ manifest: Manifest?
    ) throws(Failure) -> LoadLanes {
        let pool = ShardPool(lanes: settings.lanes, shardBytes: settings.shardBytes)
        let lanes = LoadLanes(load, from: DatasetShards(dataset: dataset), pool: pool)
        progress.begin(
            .load, rowTotal: manifest?.rows ?? 0, itemTotal: manifest?.shards ?? 0)
        let feeding: Lanes.Lane = { () throws(Failure) in
            try self.feed(lanes.work, load.request.tables, dataset, manifest)
        }
        try Lanes.run(lanes.lanes + [feeding]) { _ in
            lanes.abandon()
            pool.abandon()
        }
        progress.end(.load)
        progress.end(.index)
        return lanes
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
        work.endFeed()
    }
}

extension Outcome {
    /// The sums of what the ledger has of a dataset.
    mutating func count(_ plans: [TablePlan], _ ledger: [LedgerEntry], _ dataset: String) {
        tables = plans.count
        for entry in ledger where entry.dataset == dataset && entry.unit.hasPrefix("data/") {
            rows += entry.rowCount
            shards += 1
        }
    }
}
