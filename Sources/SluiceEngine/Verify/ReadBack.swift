internal import SluiceCore
internal import SluiceRecords

/// A target's rows, read back slice by slice and summed up by table. Shared by lanes.
final class ReadBack: Sendable {
    /// A range of a table that one lane reads in one go.
    struct Slice: Sendable {
        let plan: TablePlan
        let chunk: Chunk
    }

    struct Sum: Sendable {
        var digest = Digest.empty
        var misfits = 0
    }

    private let run: Run
    private let sums = Monitor<[TableName: Sum]>([:])

    init(_ run: Run) {
        self.run = run
    }

    /// Nothing where no slice of it was read.
    subscript(table: TableName) -> Sum? { sums.read { $0[table] } }

    /// What the table is read in. Its rows are all there, and stay what they are.
    func slices(
        of plan: TablePlan, rowCount: Int, _ session: any TargetSession
    ) throws(Failure) -> [Slice] {
        // Small tables are not worth cutting.
        let count = rowCount > 10_000 ? 4 * max(1, run.settings.lanes) : 1
        return try during("verifying \(plan.table)") { () throws(Failure) in
            try session.slices(of: plan, atMost: count).map { Slice(plan: plan, chunk: $0) }
        }
    }

    func read(_ slice: Slice, _ session: any TargetSession) throws(Failure) {
        try during("verifying \(slice.plan.table)") { () throws(Failure) in
            // A step that needs two tables and a reader of one of them may wait for each other;
            // the server ends one.
            let sum = try Retry().run(
                stop: run.stop,
                onRetry: { failure, number in
                    run.log.info("\(failure.headline); reading the rows again (\(number))")
                }
            ) { () throws(Failure) in
                try self.sum(session.readBack(slice.chunk, of: slice.plan), of: slice.plan)
            }
            sums.change {
                $0[slice.plan.table, default: Sum()].digest += sum.digest
                $0[slice.plan.table, default: Sum()].misfits += sum.misfits
            }
        }
    }

    /// Records from wherever they come.
    func sum(_ records: any RecordSource, of plan: TablePlan) throws(Failure) -> Sum {
        var batch = Batch(fieldCount: plan.schema.fields.count, rowByteLimit: Int.max)
        var sum = Sum()
        var hasMore = true
        while hasMore {
            try run.stop.check()
            batch.removeAll()
            hasMore = try records.fill(&batch, byteGoal: ExportLanes.batchBytes)
            sum.digest += batch.digest
            sum.misfits += batch.misfits.count
            run.progress.add(.verify, rows: batch.rowCount, bytes: batch.bytes.count)
        }
        return sum
    }
}
