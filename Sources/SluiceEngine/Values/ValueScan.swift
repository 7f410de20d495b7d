internal import SluiceCore
internal import SluiceRecords

/// Reads every row under the plan's snapshot, in lanes, and asks the target's own rules whether it
/// would be kept (`plan --check-values`). Writes nothing.
///
/// One scan finds what would not fit; tables with unique keys that are looser in the target are
/// read again where their hashes do not fit into memory at once, and once more to name the rows.
final class ValueScan: Sendable {
    private let run: Run
    private let sessions: ReadSessions
    private let target: any Target
    private let request: LoadRequest
    private let misfits = Monitor<[TableName: ValueMisfits]>([:])
    private let hashes: Monitor<KeyHashes>
    private let twins = Monitor<[TableName: KeyTwins]>([:])
    private let rows = Monitor(0)
    private let notes = Monitor<[TableName: [String]]>([:])

    init(
        _ run: Run, _ sessions: ReadSessions, _ target: any Target, _ request: LoadRequest,
        hashLimit: Int = KeyHashes.hashLimit
    ) {
        self.run = run
        self.sessions = sessions
        self.target = target
        self.request = request
        hashes = Monitor(KeyHashes(limit: hashLimit))
    }

    /// How many rows were looked at.
    var rowCount: Int { rows.read { $0 } }

    /// By table, in the order in which the tables were made.
    func carryOut() throws(Failure) -> [(TableName, ValueMisfits)] {
        let plans = request.tables
        run.progress.begin(
            .check, rowTotal: plans.reduce(0) { $0 &+ $1.estimatedRows }, itemTotal: plans.count)
        try scan(plans, for: .everything)
        while true {
            let open = plans.filter { plan in hashes.read { !$0.openKeys(of: plan.table).isEmpty } }
            guard !open.isEmpty else { break }
            try scan(open, for: .hashes)
        }
        try nameTwins(of: plans)
        run.progress.end(.check)
        let found = misfits.read { $0 }
        return plans.compactMap { plan in found[plan.table].map { (plan.original.table, $0) } }
    }

    /// What of the target's rules was not looked at.
    var omissions: [String] {
        let notes = notes.read { $0 }
        return request.tables.flatMap { notes[$0.table] ?? [] }
    }

    private enum Purpose {
        case everything
        case hashes
        case twins
    }

    private struct Work: Sendable {
        var chunks: [(plan: TablePlan, chunk: Chunk)]
        /// By table, how many of its chunks are not read to their end.
        var open: [TableName: Int]
        var next = 0

        init(_ plans: [TablePlan]) {
            // The largest first, so that the longest is not the last.
            let sorted = plans.sorted { $0.estimatedBytes > $1.estimatedBytes }
            chunks = sorted.flatMap { plan in plan.chunks.map { (plan, $0) } }
            open = Dictionary(plans.map { ($0.table, $0.chunks.count) }) { first, _ in first }
        }

        mutating func take() -> (plan: TablePlan, chunk: Chunk)? {
            guard next < chunks.count else { return nil }
            defer { next += 1 }
            return chunks[next]
        }
    }

    private func scan(_ plans: [TablePlan], for purpose: Purpose) throws(Failure) {
        let work = Monitor(Work(plans))
        let lane: Lanes.Lane = { () throws(Failure) in
            // A lane that comes late opens no session.
            guard var task = work.change({ $0.take() }) else { return }
            let session = try self.sessions.take()
            defer { self.sessions.give(session) }
            let check = try self.target.openValueCheck(self.request, stop: self.run.stop)
            defer { check.close() }
            var table: TableName?
            while true {
                if table != task.plan.table {
                    try check.open(task.plan)
                    table = task.plan.table
                    self.notes.change { $0[task.plan.table] = check.omissions }
                }
                let place = "checking chunk \(task.chunk.number) of \(task.plan.table)"
                try during(place) { () throws(Failure) in
                    try self.read(task.chunk, of: task.plan, session, check, for: purpose)
                }
                self.endChunk(of: task.plan.table, work, purpose)
                guard let next = work.change({ $0.take() }) else { return }
                task = next
            }
        }
        let count = sessions.laneCount(run.settings.lanes)
        try Lanes.run(Array(repeating: lane, count: count)) { _ in
            work.change { $0.next = $0.chunks.count }
        }
    }

    private func endChunk(of table: TableName, _ work: Monitor<Work>, _ purpose: Purpose) {
        let isLast = work.change { work in
            work.open[table, default: 0] -= 1
            return work.open[table] == 0
        }
        guard isLast else { return }
        switch purpose {
        case .everything:
            run.progress.add(.check, items: 1)
            hashes.change { $0.endPass(of: table) }
        case .hashes: hashes.change { $0.endPass(of: table) }
        case .twins: break
        }
    }

    private func read(
        _ chunk: Chunk, of plan: TablePlan, _ session: any SourceSession, _ check: any ValueCheck,
        for purpose: Purpose
    ) throws(Failure) {
        run.progress.start(plan.table.description, in: .check)
        defer { run.progress.finish(plan.table.description, in: .check) }
        hashes.change { $0.open(plan.table, check.looseKeys) }
        let keys =
            purpose == .twins
            ? [] : hashes.read { $0.openKeys(of: plan.table) }
        let reader = ChunkCheck(plan, chunk, check, hidesKeys: run.settings.hidesKeys)
        try session.open(chunk, of: plan.original, hidesKeys: run.settings.hidesKeys)
        var records: any RecordSource = session
        // Rowids stay, because they name rows.
        if let mapped = MappedRecords(session, of: plan, keepsRowids: true) { records = mapped }
        var batch = Batch(
            fieldCount: plan.schema.fields.count, rowByteLimit: run.settings.rowBytes)
        var hasMore = true
        while hasMore {
            try run.stop.check()
            batch.removeAll()
            hasMore = try records.fill(&batch, byteGoal: ExportLanes.batchBytes)
            if purpose == .everything {
                try reader.look(at: batch, misfits)
                run.progress.add(.check, rows: batch.rowCount, bytes: batch.bytes.count)
                rows.change { $0 += batch.rowCount }
            }
            for key in keys {
                let found = try reader.hashes(of: batch, by: key)
                hashes.change { $0.add(found, of: plan.table, key: key) }
            }
            if purpose == .twins { try reader.collect(batch, twins) }
            reader.pass(batch.rowCount)
        }
    }

    /// Reads the tables once more in which rows have the same hash.
    private func nameTwins(of plans: [TablePlan]) throws(Failure) {
        let searches = hashes.read { $0.searches }
        var open: [TablePlan] = []
        for plan in plans {
            guard let found = searches[plan.table], found.contains(where: { !$0.doubles.isEmpty })
            else { continue }
            open.append(plan)
            twins.change { $0[plan.table] = KeyTwins(found) }
        }
        guard !open.isEmpty else { return }
        try scan(open, for: .twins)
        for plan in open {
            guard let found = twins.read({ $0[plan.table] }) else { continue }
            misfits.change { misfits in
                found.report(to: &misfits[plan.table, default: ValueMisfits()])
                if misfits[plan.table]?.isEmpty == true { misfits[plan.table] = nil }
            }
        }
    }
}
