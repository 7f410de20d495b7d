public import SluiceCore
public import SluiceRecords
public import SluiceStore

extension Run {
    /// `sluice export`.
    public func export(
        from source: any Source, to store: any Store
    ) throws(Failure) -> Outcome {
        var outcome = Outcome(command: "export")
        let start = try Export.begin(self, from: source, into: store) { _ throws(Failure) in }
        switch start {
        case .finished(let dataset, let manifest):
            outcome.status = .unchanged
            outcome.warnings = [Run.unchangedWarning(store)]
            if let stale = try StaleDataset.warning(dataset, source, self) {
                outcome.warnings.append(stale)
            }
            outcome.describe(dataset, manifest)
        case .open(let export):
            defer { export.end() }
            let manifest = try carryOut(export)
            outcome.warnings = export.warnings + manifest.reservedWarnings
            outcome.describe(export.dataset, manifest)
            outcome.describe(export.snapshot.keptLog)
        }
        return finish(outcome, in: store)
    }

    static func unchangedWarning(_ store: any Store) -> String {
        "the dataset in \(store.place) is finished; nothing was exported"
    }

    private func carryOut(_ export: Export) throws(Failure) -> Manifest {
        warn(export.warnings)
        let pool = ShardPool(lanes: settings.lanes, shardBytes: settings.shardBytes)
        let lanes = ExportLanes(export, pool: pool) { _, _ in }
        let manifest = Monitor<Manifest?>(nil)
        progress.begin(.plan, itemTotal: export.tables.count)
        let control: Lanes.Lane = { () throws(Failure) in
            let plans = try lanes.work.allPlans()
            self.beginReading(plans)
            lanes.work.startReading(joins: self.settings.joins)
            let finished = try export.finish(lanes.work)
            manifest.change { $0 = finished }
        }
        do throws(Failure) {
            try Lanes.run(lanes.lanes + [control]) { _ in
                lanes.abandon()
                pool.abandon()
            }
        } catch {
            export.forget(after: error)
            throw error
        }
        return try Run.require(manifest)
    }

    /// Ends the planning phase; from here on the totals are known.
    func beginReading(_ plans: [TablePlan]) {
        progress.end(.plan)
        progress.begin(
            .export, rowTotal: plans.reduce(0) { $0 &+ $1.estimatedRows },
            itemTotal: plans.reduce(0) { $0 &+ $1.chunks.count })
    }

    /// What a lane left behind when all lanes have ended well.
    static func require<Value: Sendable>(
        _ result: Monitor<Value?>
    ) throws(Failure) -> Value {
        guard let value = result.read({ $0 }) else {
            throw Failure(.bug, "the lanes ended without a result")
        }
        return value
    }

    func warn(_ warnings: [String]) {
        for warning in warnings { log.warning(warning) }
    }

    /// Adds the time, keeps the outcome below `reports/`, and returns it.
    func finish(_ outcome: Outcome, in store: any Store) -> Outcome {
        var outcome = outcome
        outcome.seconds = (Clock.now - startedAt).inSeconds
        outcome.describe(store.traffic)
        // What was done is done, whether or not its report can be kept.
        do throws(Failure) {
            try store.put(SealedJSON.bytes(outcome.json), at: DatasetKeys.report(id))
        } catch {
            log.warning("the report could not be kept: \(error.headline)")
        }
        return outcome
    }
}

extension Outcome {
    /// What the store was asked, where it is a server.
    mutating func describe(_ traffic: StoreTraffic) {
        details.append(
            .init(
                "traffic",
                ["requests": .int(traffic.requests), "retries": .int(traffic.retries)]))
        if traffic.retries > 0 {
            lines.append("the store was asked again \(traffic.retries) times after a failure")
        }
    }

    /// What the source keeps, and will keep until somebody goes on from the position.
    mutating func describe(_ kept: KeptLog?) {
        guard let kept else { return }
        details.append(
            .init(
                "slot",
                ["name": .string(kept.slot), "retainedBytes": .int(kept.byteCount)]))
        lines.append(
            "the slot \(kept.slot) keeps \(ByteCount.text(kept.byteCount)) of the source's log, and "
                + "more until it is read")
    }

    /// The members that every command on a finished dataset has.
    mutating func describe(_ dataset: Dataset, _ manifest: Manifest) {
        self.dataset = dataset.id
        position = dataset.header.position.json
        tables = manifest.tables.count
        rows = manifest.rows
        shards = manifest.shards
        bytes = manifest.storedBytes
        details.append(.init("store", .string(dataset.store.place)))
    }
}

extension Manifest {
    /// Other readers see reserved values (design §5) as out-of-range ones.
    var reservedWarnings: [String] {
        tables.flatMap { table in
            table.reserved.map { member in
                let values = TextTable.count(member.value.integer ?? 0, "value")
                return "\(table.name).\(member.key) holds \(values) that only sluice reads rightly"
                    + " (reserved codes, docs/format.md)"
            }
        }
    }
}
