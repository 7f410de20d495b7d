public import SluiceCore
public import SluiceRecords
public import SluiceStore

extension Run {
    /// `sluice run`: export, load and verify, overlapped.
    public func run(
        from source: any Source, through store: any Store, into target: any Target
    ) throws(Failure) -> Outcome {
        try refuseSame(source, target)
        try refuseQuarantine(in: target)
        var outcome = Outcome(command: "run")
        let readBack = target.readBackTime == .afterLoading ? nil : ReadBack(self)
        let start = try Export.begin(self, from: source, into: store) { old throws(Failure) in
            try self.undo(old, in: target)
        }
        let dataset: Dataset
        let manifest: Manifest
        let load: Load
        switch start {
        case .finished(let finished, let itsManifest):
            (dataset, manifest) = (finished, itsManifest)
            let stale = try StaleDataset.warning(dataset, source, self)
            outcome.warnings = stale.map { [$0] } ?? []
            load = try loadFinished(
                dataset, manifest, from: source, into: target, isStale: stale != nil,
                reading: readBack)
            if load.isVerified {
                outcome.status = .unchanged
                outcome.verified = true
                outcome.describe(dataset, manifest)
                outcome.lines = ["everything is there and was verified before; nothing was done"]
                outcome.conclude(
                    try SetAside(load.ledger.values, of: dataset), in: dataset,
                    hidesKeys: settings.hidesKeys)
                try target.close()
                return finish(outcome, in: store)
            }
        case .open(let export):
            defer { export.end() }
            (manifest, load) = try carryOut(export, into: target, reading: readBack)
            dataset = export.dataset
            outcome.warnings = export.warnings
            outcome.describe(export.snapshot.keptLog)
        }
        outcome.warnings += load.survey.warnings + manifest.reservedWarnings
        outcome.describe(dataset, manifest)
        // What was not read back meanwhile is read as it stays when the load has let go of it.
        try target.close()
        try verify(target, dataset, manifest, &outcome, reading: readBack)
        try target.close()
        return finish(outcome, in: store)
    }

    /// With `--on-existing replace` a database loaded into itself would be gone.
    func refuseSame(_ source: any Source, _ target: any Target) throws(Failure) {
        guard target.isSame(as: try source.identity()) else { return }
        throw Failure(
            .refused, "source and target are the same database, \(target.place)",
            hint: "Give the target another path.")
    }

    /// Before an unfinished dataset is deleted, what was loaded of it leaves the target.
    private func undo(_ old: String, in target: any Target) throws(Failure) {
        guard try target.survey(nil).ledger.contains(where: { $0.dataset == old }) else { return }
        let request = LoadRequest(
            dataset: old, tables: [], trustedSchema: nil, onExisting: settings.onExisting)
        let session = try target.openSession(request, stop: stop)
        let undoing = Result { () throws(Failure) in try session.undo(old) }
        session.close()
        // What follows opens the target for another dataset.
        try target.close()
        do throws(Failure) {
            try undoing.get()
        } catch {
            throw error.during("taking dataset \(old) out of \(target.place)")
        }
    }

    /// The export was finished before: only the load is left, if anything.
    private func loadFinished(
        _ dataset: Dataset, _ manifest: Manifest, from source: any Source, into target: any Target,
        isStale: Bool, reading readBack: ReadBack?
    ) throws(Failure) -> Load {
        try dataset.checkObjects(manifest)
        var tables: [DatasetTable] = []
        for table in manifest.tables { tables.append(try dataset.table(table)) }
        // This command read the source itself when it wrote the dataset, and the manifest proves
        // that nobody changed the schema since.
        let schema = source.engine == target.engine ? try dataset.schema() : nil
        let load = try Load(
            self, try loadRequest(dataset, tables.map(\.plan), trusting: schema, into: target),
            into: target)
        guard !load.isVerified else { return load }
        guard load.hasBegun || !isStale else { throw StaleDataset.refusal(dataset, source) }
        progress.begin(.load, rowTotal: manifest.rows, itemTotal: manifest.shards)
        let found = tables
        _ = try carryOut(
            load, from: DatasetShards(dataset: dataset), settingAside: quarantine(dataset, load),
            reading: readBack
        ) { work throws(Failure) in
            for table in found {
                for seal in table.seals { work.add(seal, of: table.plan) }
            }
        }
        return load
    }

    /// Export and load side by side: a chunk's shards are loaded as soon as it is sealed.
    private func carryOut(
        _ export: Export, into target: any Target, reading readBack: ReadBack?
    ) throws(Failure) -> (Manifest, Load) {
        warn(export.warnings)
        let pool = ShardPool(lanes: settings.lanes, shardBytes: settings.shardBytes)
        let feed = SealFeed()
        let exporting = ExportLanes(export, pool: pool) { seal, plan in feed.add(seal, plan) }
        let result = Monitor<(Manifest?, Load?)>((nil, nil))
        progress.begin(.plan, itemTotal: export.tables.count)
        // The load's lanes are inside one of the export's: what fails in them is known here before
        // it comes out there, and by then other lanes have stopped and said so.
        let cause = Monitor<Failure?>(nil)
        let abandon: @Sendable (Failure) -> Void = { failure in
            cause.change { $0 = $0 ?? failure }
            exporting.abandon()
            feed.abandon()
            pool.abandon()
        }
        let loading: Lanes.Lane = { () throws(Failure) in
            let plans = try exporting.work.allPlans()
            let load = try self.beginLoad(plans, export, target)
            result.change { $0.1 = load }
            self.beginReading(plans)
            exporting.work.startReading(joins: self.settings.joins)
            let loading = LoadLanes(
                load, from: DatasetShards(dataset: export.dataset), pool: pool,
                settingAside: self.quarantine(export.dataset, load), reading: readBack)
            feed.connect(to: loading.work)
            try Lanes.run(loading.lanes, onFailure: abandon)
            self.progress.end(.load)
            self.progress.end(.index)
        }
        let finishing: Lanes.Lane = { () throws(Failure) in
            let manifest = try export.finish(exporting.work)
            result.change { $0.0 = manifest }
        }
        do throws(Failure) {
            try Lanes.run(exporting.lanes + [loading, finishing], onFailure: abandon)
        } catch {
            let failure = cause.read { $0 } ?? error
            export.forget(after: failure)
            throw failure
        }
        guard case (let manifest?, let load?) = result.read({ $0 }) else {
            throw Failure(.bug, "the lanes ended without a result")
        }
        return (manifest, load)
    }

    /// The target is looked at before the first row is read: what is refused is refused early.
    private func beginLoad(
        _ plans: [TablePlan], _ export: Export, _ target: any Target
    ) throws(Failure) -> Load {
        let schema = export.source.engine == target.engine ? export.schema : nil
        let load = try Load(
            self, try loadRequest(export.dataset, plans, trusting: schema, into: target),
            into: target)
        warn(load.survey.warnings)
        progress.begin(.load, rowTotal: plans.reduce(0) { $0 &+ $1.estimatedRows })
        return load
    }
}

/// Seals on their way from an export to a load that may not have begun yet.
private final class SealFeed: Sendable {
    private struct State {
        var waiting: [(Seal, TablePlan)] = []
        var work: LoadWork?
        var isAbandoned = false
    }

    private let state = Monitor(State())

    func add(_ seal: Seal, _ plan: TablePlan) {
        state.change { state in
            if let work = state.work {
                work.add(seal, of: plan)
            } else {
                state.waiting.append((seal, plan))
            }
        }
    }

    func connect(to work: LoadWork) {
        state.change { state in
            for (seal, plan) in state.waiting { work.add(seal, of: plan) }
            state.waiting = []
            state.work = work
            if state.isAbandoned { work.abandon() }
        }
    }

    func abandon() {
        state.change { state in
            state.isAbandoned = true
            state.work?.abandon()
        }
    }
}
