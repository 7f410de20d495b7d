internal import SluiceCore
internal import SluiceRecords
internal import SluiceStore

/// The lanes of a load: one prepares the target, all take shards and, when tables are complete,
/// schema steps, and tables to be read back.
final class LoadLanes: Sendable {
    let load: Load
    let work: LoadWork
    private let shards: any ShardSupply
    private let pool: ShardPool
    /// Nothing: the first row that is refused ends the load.
    private let quarantine: Quarantine?
    /// Nothing: tables are not read while others are loaded.
    private let readBack: ReadBack?
    private let newShards = Monitor(0)
    private let lanesLeft: Monitor<Int>

    init(
        _ load: Load, from shards: any ShardSupply, pool: ShardPool,
        settingAside quarantine: Quarantine? = nil, reading readBack: ReadBack? = nil
    ) {
        self.readBack = readBack
        self.quarantine = quarantine
        lanesLeft = Monitor(max(1, load.run.settings.lanes))
        self.load = load
        self.shards = shards
        self.pool = pool
        work = LoadWork(
            load.request.tables, steps: load.survey.steps.filter { $0.phase != .tables },
            loadedAfter: load.survey.loadedAfter,
            readBackTime: readBack == nil ? .afterLoading : load.target.readBackTime)
    }

    var run: Run { load.run }
    /// How many shards this run loaded; the others were in before.
    var newShardCount: Int { newShards.read { $0 } }

    /// All of them, to be run side by side with whatever else the command does.
    var lanes: [Lanes.Lane] {
        let first: Lanes.Lane = { () throws(Failure) in try self.work(preparing: true) }
        let other: Lanes.Lane = { () throws(Failure) in try self.work(preparing: false) }
        let watch: Lanes.Lane = { () throws(Failure) in self.watchSteps() }
        return [first, watch] + Array(repeating: other, count: max(0, run.settings.lanes - 1))
    }

    /// Asks now and then how far the steps are, until the other lanes have ended.
    private func watchSteps() {
        while lanesLeft.wait(atMost: .seconds(1), { $0 == 0 ? true : nil }) == nil,
            !work.isAbandoned
        {
            do throws(Failure) {
                for (step, detail) in try load.target.stepDetails(stop: run.stop) {
                    run.progress.tell(detail, of: step, in: .index)
                }
            } catch {
                // It is for showing only: what is wrong with the target, the others find out.
                run.log.debug("the progress of steps is not known: \(error.headline)")
                return
            }
        }
    }

    func abandon() {
        work.abandon()
    }

    private func work(preparing: Bool) throws(Failure) {
        defer { lanesLeft.change { $0 -= 1 } }
        let session = try load.target.openSession(load.request, stop: run.stop)
        defer { session.close() }
        if preparing {
            try during("preparing \(load.target.place)") { () throws(Failure) in
                try load.prepare(session)
            }
            work.startLoading()
        }
        while let task = try work.next() {
            try run.stop.check()
            switch task {
            case .load(let shard, let plan, let chunk, let ordinal):
                let place =
                    "loading shard \(DatasetKeys.padded(ordinal)) of chunk \(chunk) of \(plan.table)"
                try during(place) { () throws(Failure) in try load(shard, of: plan, session) }
                work.loaded(plan.table)
                // Steps and readers may go on for long.
                if work.isLoaded { run.progress.end(.load) }
            case .perform(let step):
                try perform(step, session)
            case .slice(let plan, let rowCount):
                run.progress.begin(
                    .verify, rowTotal: work.rowTotal, itemTotal: load.request.tables.count)
                work.sliced(
                    plan, try readBack?.slices(of: plan, rowCount: rowCount, session) ?? [])
            case .read(let slice):
                try readBack?.read(slice, session)
                work.read(slice.plan.table)
            }
        }
    }

    private func load(
        _ shard: Seal.Shard, of plan: TablePlan, _ session: any TargetSession
    ) throws(Failure) {
        defer {
            run.progress.add(
                .load, rows: shard.summary.digest.rowCount, bytes: shard.summary.recordBytes,
                items: 1)
        }
        if load.ledger[shard.key] != nil { return }
        let label = plan.table.description
        run.progress.start(label, in: .load)
        defer { run.progress.finish(label, in: .load) }
        let bytes = try pool.take()
        defer { pool.give(bytes) }
        let outcome = try Retry().run(
            stop: run.stop,
            onRetry: { failure, number in
                run.log.warning("\(failure.headline); loading the shard again (\(number))")
            }
        ) { () throws(Failure) in
            do throws(Failure) {
                return try load(shard, of: plan, in: bytes, session)
            } catch {
                guard let row = error.row else { throw error }
                let again = try shards.open(shard, of: plan.original, into: bytes)
                throw try named(error, row, of: plan, in: again)
            }
        }
        if outcome != .alreadyThere { newShards.change { $0 += 1 } }
    }

    /// Loads it whole, or, where rows are to be set aside, without those that are refused.
    private func load(
        _ shard: Seal.Shard, of plan: TablePlan, in bytes: ShardBytes,
        _ session: any TargetSession
    ) throws(Failure) -> LoadOutcome {
        let records = try shards.open(shard, of: plan.original, into: bytes)
        do throws(Failure) {
            return try session.load(
                shard.key, of: plan, from: records, expecting: shard.summary.digest)
        } catch {
            guard let quarantine, error.refusesRow else { throw error }
            let again = try shards.open(shard, of: plan.original, into: bytes)
            return try quarantine.load(shard, from: again, of: plan, session)
        }
    }

    /// The failure with the name of its row: a server that is sent many at once says which one it
    /// was, and by then it is gone.
    private func named(
        _ failure: Failure, _ row: Int, of plan: TablePlan, in records: any RecordSource
    ) throws(Failure) -> Failure {
        var name: String?
        if !run.settings.hidesKeys {
            let names = RowName(plan.original)
            try RecordWalk(records, plan.original).visit { ordinal, record throws(Failure) in
                guard ordinal == row else { return true }
                name = try names.text(of: record)
                return false
            }
        }
        return failure.at(row: nil).during(
            "loading row \(row)\(name.map { " (\($0))" } ?? "") of \(plan.table)")
    }

    private func perform(_ step: LoadStep, _ session: any TargetSession) throws(Failure) {
        run.progress.begin(.index, itemTotal: work.stepCount)
        run.progress.start(step.name, in: .index)
        try during("making \(step.name)") { () throws(Failure) in try session.perform(step) }
        run.progress.finish(step.name, in: .index)
        run.progress.add(.index, items: 1)
        work.performed(step)
    }
}

/// Where the records of a shard come from: a dataset, or files somebody else exported.
protocol ShardSupply: Sendable {
    /// The shard's records, its bytes already checked against what is known of them.
    func open(
        _ shard: Seal.Shard, of plan: TablePlan, into bytes: ShardBytes
    ) throws(Failure) -> any RecordSource
}

/// Shards of a dataset: their length and SHA-256 are proved before a record is looked at.
struct DatasetShards: ShardSupply {
    let dataset: Dataset

    func open(
        _ shard: Seal.Shard, of plan: TablePlan, into bytes: ShardBytes
    ) throws(Failure) -> any RecordSource {
        let options = dataset.header.options
        let isThere = try dataset.store.get(
            shard.key, into: &bytes.buffer, byteLimit: shard.summary.storedBytes
        ) { buffer throws(Failure) in
            guard buffer.count == shard.summary.storedBytes,
                SHA256.hash(buffer.bytes) == shard.summary.sha256
            else {
                throw Failure(
                    .refused, "\(shard.key) is not the object that was sealed",
                    hint: "Nothing of it was loaded. Restore the object or export again "
                        + "elsewhere.")
            }
        }
        guard isThere else {
            throw Failure(
                .refused, "\(shard.key) is missing from \(dataset.store.place)",
                hint: "Restore the object or export again elsewhere.")
        }
        let reader = ShardReader(
            schema: plan.schema, format: options.format, rowByteLimit: options.rowBytes)
        try reader.open(bytes)
        return reader
    }
}
