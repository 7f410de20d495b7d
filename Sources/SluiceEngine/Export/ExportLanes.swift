internal import SluiceCore
internal import SluiceRecords
internal import SluiceStore

/// The lanes of an export: read lanes that plan, read and cut shards, put lanes that store them and
/// seal chunks.
final class ExportLanes: Sendable {
    /// Records are taken from the source in runs of this many bytes; one is a block of an Avro
    /// shard.
    static let batchBytes = 256 << 10

    let export: Export
    let work: ExportWork
    let pool: ShardPool
    private let queue: BoundedQueue<ShardToStore>
    private let readersLeft: Monitor<Int>
    private let onSeal: @Sendable (Seal, TablePlan) -> Void

    /// - Parameter onSeal: called for each complete chunk, those found complete included.
    init(
        _ export: Export, pool: ShardPool, onSeal: @escaping @Sendable (Seal, TablePlan) -> Void
    ) {
        self.export = export
        self.pool = pool
        self.onSeal = onSeal
        work = ExportWork(export.tables, counts: export.run.settings.countsExactly)
        queue = BoundedQueue(limit: ShardPool.count(lanes: export.run.settings.lanes))
        readersLeft = Monitor(export.laneCount)
    }

    var run: Run { export.run }

    /// All of them, to be run side by side with whatever else the command does.
    var lanes: [Lanes.Lane] {
        let reading: Lanes.Lane = { () throws(Failure) in try self.read() }
        let putting: Lanes.Lane = { () throws(Failure) in try self.put() }
        return Array(repeating: reading, count: export.laneCount)
            + Array(repeating: putting, count: run.settings.lanes)
    }

    func abandon() {
        work.abandon()
        queue.abandon()
    }

    // MARK: Reading

    private func read() throws(Failure) {
        defer {
            if readersLeft.change({
                $0 -= 1; return $0
            }) == 0 {
                queue.close()
            }
        }
        // A lane that comes late opens no session: without work left the snapshot may be closed
        // already.
        guard let first = try work.next() else { return }
        let session = try export.snapshot.openSession()
        defer { session.close() }
        var next: ExportWork.Task? = first
        while let task = next {
            try run.stop.check()
            switch task {
            case .plan(let table): try plan(table, session)
            case .read(let chunk, let plan):
                try during("reading chunk \(chunk.number) of \(plan.table)") { () throws(Failure) in
                    try read(chunk, of: plan, session)
                }
            case .count(let plan): try count(plan, session)
            }
            next = try work.next()
        }
    }

    private func plan(_ table: SourceTable, _ session: any SourceSession) throws(Failure) {
        run.progress.start(table.name.description, in: .plan)
        let plan = try during("planning \(table.name)") { () throws(Failure) in
            if let kept = try export.dataset.plan(of: table.name) { return kept }
            let plan = try session.plan(table, run.planOptions(of: table.name))
            guard Chunk.coverAll(plan.chunks) else {
                throw Failure(.bug, "the chunks planned for \(table.name) do not cover it")
            }
            return try export.dataset.keep(plan)
        }
        run.progress.finish(table.name.description, in: .plan)
        run.progress.add(.plan, items: 1)
        work.planned(plan)
    }

    private func read(
        _ chunk: Chunk, of plan: TablePlan, _ session: any SourceSession
    ) throws(Failure) {
        if let seal = try export.dataset.seal(of: chunk, in: plan) {
            run.progress.add(.export, rows: seal.digest.rowCount, bytes: seal.recordBytes)
            return finish(seal, plan)
        }
        let label = "\(plan.table)"
        run.progress.start(label, in: .export)
        defer { run.progress.finish(label, in: .export) }
        let seal = try Retry().run(
            stop: run.stop,
            onRetry: { failure, number in
                run.log.warning("\(failure.headline); reading the chunk again (\(number))")
            }
        ) { () throws(Failure) in
            try readOnce(chunk, of: plan, session)
        }
        if let seal { try keep(seal, plan) }
    }

    /// Reads the chunk from its start; the seal where its last shard was already stored.
    private func readOnce(
        _ chunk: Chunk, of plan: TablePlan, _ session: any SourceSession
    ) throws(Failure) -> Seal? {
        let inWork = ChunkInWork(chunk, of: plan)
        let cutter = ShardCutter(inWork, lanes: self)
        var shown = (rows: 0, bytes: 0)
        do throws(Failure) {
            try session.open(chunk, of: plan, hidesKeys: run.settings.hidesKeys)
            var batch = Batch(
                fieldCount: plan.schema.fields.count, rowByteLimit: run.settings.rowBytes)
            var hasMore = true
            while hasMore {
                try run.stop.check()
                batch.removeAll()
                hasMore = try session.fill(&batch, byteGoal: ExportLanes.batchBytes)
                try cutter.append(batch)
                run.progress.add(.export, rows: batch.rowCount, bytes: batch.bytes.count)
                shown.rows += batch.rowCount
                shown.bytes += batch.bytes.count
            }
            return try conclude(inWork, cutter, session)
        } catch {
            // The chunk is read again from its start, or not at all.
            run.progress.add(.export, rows: -shown.rows, bytes: -shown.bytes)
            throw error
        }
    }

    /// The source's own count of the chunk must be that of the records; then only the stores are
    /// waited for.
    private func conclude(
        _ inWork: ChunkInWork, _ cutter: ShardCutter, _ session: any SourceSession
    ) throws(Failure) -> Seal? {
        let counted = try session.countRows(in: inWork.chunk, of: inWork.plan)
        let rows = try cutter.finish()
        guard counted == rows else {
            throw Failure(
                .failed, "the source counts \(counted) rows there, and \(rows) were read",
                hint: "The chunk was not sealed. Is the source's file damaged?")
        }
        return inWork.read(
            shards: cutter.shardCount, counted: counted, dataset: export.dataset.id)
    }

    private func count(_ plan: TablePlan, _ session: any SourceSession) throws(Failure) {
        let counted = try during("counting \(plan.table)") { () throws(Failure) in
            try session.countRows(of: plan)
        }
        let rows = work.rows(of: plan.table)
        guard counted == rows else {
            throw Failure(
                .failed, "\(plan.table) has \(counted) rows, and its chunks have \(rows)",
                hint: "The dataset was not finished. Is the source's file damaged?")
        }
        work.counted(plan.table, counted)
    }

    // MARK: Storing

    func enqueue(_ shard: ShardToStore) throws(Failure) {
        guard queue.put(shard) else { throw Abandoned.failure }
    }

    private func put() throws(Failure) {
        while let shard = queue.take() {
            try during("storing \(shard.key)") { () throws(Failure) in
                try export.store.put(shard.bytes.buffer.bytes, at: shard.key)
            }
            pool.give(shard.bytes)
            let stored = Seal.Shard(key: shard.key, summary: shard.summary)
            let seal = shard.chunk.stored(
                stored, ordinal: shard.ordinal, dataset: export.dataset.id)
            if let seal { try keep(seal, shard.chunk.plan) }
        }
    }

    private func keep(_ seal: Seal, _ plan: TablePlan) throws(Failure) {
        let kept = try during("sealing chunk \(seal.chunk.number) of \(plan.table)") {
            () throws(Failure) in
            try export.dataset.keep(seal, in: plan)
        }
        finish(kept, plan)
    }

    private func finish(_ seal: Seal, _ plan: TablePlan) {
        onSeal(seal, plan)
        work.sealed(seal)
    }
}

/// Fills shards with one chunk's batches and hands each over when it is full.
private final class ShardCutter {
    private let chunk: ChunkInWork
    private let lanes: ExportLanes
    private let writer: ShardWriter
    private var shard: ShardBytes?
    private(set) var shardCount = 0
    private var rowCount = 0

    init(_ chunk: ChunkInWork, lanes: ExportLanes) {
        self.chunk = chunk
        self.lanes = lanes
        writer = ShardWriter(schema: chunk.plan.schema, format: lanes.run.settings.format)
    }

    deinit {
        if let shard { lanes.pool.give(shard) }
    }

    func append(_ batch: borrowing Batch) throws(Failure) {
        guard batch.rowCount > 0 else { return }
        if shard == nil { try begin() }
        try writer.append(batch)
        let limit = lanes.run.settings.shardBytes
        if writer.storedCount >= limit || writer.recordByteCount >= limit { try handOver() }
    }

    /// Hands the last shard over and returns the chunk's rows. A table without rows gets one shard
    /// without rows, so that every reader finds its schema.
    func finish() throws(Failure) -> Int {
        if shard == nil, shardCount == 0, chunk.plan.chunks.count == 1 { try begin() }
        if shard != nil { try handOver() }
        return rowCount
    }

    private func begin() throws(Failure) {
        let taken = try lanes.pool.take()
        shard = taken
        try writer.begin(taken)
    }

    private func handOver() throws(Failure) {
        guard let full = shard else { return }
        let summary = try writer.finish()
        shard = nil
        let key = DatasetKeys.shard(
            KeySegment.make(from: chunk.plan.table), chunk: chunk.chunk.number,
            ordinal: shardCount, sha256: summary.sha256, format: lanes.run.settings.format)
        rowCount += summary.digest.rowCount
        let ordinal = shardCount
        shardCount += 1
        try lanes.enqueue(
            ShardToStore(
                bytes: full, summary: summary, key: key, ordinal: ordinal, chunk: chunk))
    }
}
