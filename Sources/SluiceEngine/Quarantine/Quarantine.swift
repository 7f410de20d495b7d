internal import SluiceCore
internal import SluiceRecords
internal import SluiceStore

/// Sets aside what a target refuses while a load goes on (`--on-bad-row quarantine`). Shared by the
/// load's lanes.
///
/// The refused records of a shard are stored below `rejects/` before the transaction with the
/// others is committed, and that transaction says in the ledger where they are. So whoever is
/// killed leaves at most objects that no ledger names.
final class Quarantine: Sendable {
    private static let batchBytes = 256 << 10

    private let run: Run
    private let dataset: Dataset
    private let limit: Int
    /// How many are set aside, by the shard they are from; before this run, by the ledger's unit.
    private let counts: Monitor<[String: Int]>

    /// - Parameter ledger: what the target has of the dataset, by unit.
    init(_ run: Run, _ dataset: Dataset, limit: Int, ledger: [String: LedgerEntry]) {
        self.run = run
        self.dataset = dataset
        self.limit = limit
        let before = ledger.values.filter { $0.unit.hasPrefix(DatasetKeys.rejects) }
        counts = Monitor(
            Dictionary(before.map { ($0.unit, $0.rowCount) }, uniquingKeysWith: { $1 }))
    }

    /// Loads a shard that has records which the target refuses.
    ///
    /// - Parameter records: all of the shard's, as it has them; so are those that are set aside.
    func load(
        _ shard: Seal.Shard, from records: any RecordSource, of plan: TablePlan,
        _ session: any TargetSession
    ) throws(Failure) -> LoadOutcome {
        let raw = plan.original
        let held = try HeldRecords(records, of: raw, stop: run.stop)
        try held.digest.requireSealed(shard.summary.digest)
        let refused = RefusedRecords(
            of: held,
            admit: { count, refusal throws(Failure) in
                try self.admit(count, refusal, from: shard.key)
            },
            keep: { refused throws(Failure) in try self.keep(refused, of: shard, raw) })
        let outcome = try session.load(shard.key, of: plan, without: refused)
        if outcome != .alreadyThere, !refused.isEmpty {
            let rows = TextTable.count(refused.digest.rowCount, "row")
            run.log.warning("\(rows) of \(plan.table) refused and set aside")
        }
        return outcome
    }

    /// A repeated attempt counts its shard's again from 1.
    private func admit(
        _ count: Int, _ refusal: RefusedRecords.Refusal, from shard: String
    ) throws(Failure) {
        let total = counts.change { counts in
            counts[shard] = count
            return counts.values.reduce(0, +)
        }
        guard total > limit else { return }
        let failure = refusal.failure
        throw Failure(
            .failed,
            "more than \(TextTable.count(limit, "row")) refused (--bad-row-limit), the last one: "
                + failure.message, code: failure.code,
            hint: "Change the target, or raise the limit; the same command goes on from here."
        ).at(row: refusal.row)
    }

    /// The key of the shard that holds them now.
    private func keep(
        _ refused: RefusedRecords, of shard: Seal.Shard, _ plan: TablePlan
    ) throws(Failure) -> String {
        let format = dataset.header.options.format
        let bytes = ShardBytes()
        let summary = try write(refused, plan, format, into: bytes)
        let key = DatasetKeys.rejects(of: shard.key, sha256: summary.sha256, format: format)
        let note = RejectsNote(
            dataset: dataset.id, table: plan.table, origin: shard.key,
            shard: Seal.Shard(key: key, summary: summary), rows: try rows(of: refused, plan))
        return try during("storing \(key)") { () throws(Failure) in
            // Equal keys mean equal bytes, and for the note the same records: both may be put
            // again.
            try dataset.store.put(bytes.buffer.bytes, at: key)
            try dataset.store.put(
                SealedJSON.bytes(note.json(fields: plan.schema.fields)),
                at: DatasetKeys.note(ofRejects: key))
            return key
        }
    }

    private func write(
        _ refused: RefusedRecords, _ plan: TablePlan, _ format: ShardFormat,
        into bytes: ShardBytes
    ) throws(Failure) -> ShardSummary {
        let writer = ShardWriter(schema: plan.schema, format: format)
        try writer.begin(bytes)
        var batch = Batch(
            fieldCount: plan.schema.fields.count, rowByteLimit: dataset.header.options.rowBytes)
        for refusal in refused.refusals {
            let record = try refused.shard.records(refusal.row..<refusal.row + 1)
            _ = try record.fill(&batch, byteGoal: Int.max)
            if batch.bytes.count >= Quarantine.batchBytes {
                try writer.append(batch)
                batch.removeAll()
            }
        }
        if batch.rowCount > 0 { try writer.append(batch) }
        return try writer.finish()
    }

    private func rows(
        of refused: RefusedRecords, _ plan: TablePlan
    ) throws(Failure) -> [RejectsNote.Row] {
        let names = run.settings.hidesKeys ? nil : RowName(plan)
        var rows: [RejectsNote.Row] = []
        for refusal in refused.refusals {
            rows.append(
                RejectsNote.Row(
                    row: refusal.row, key: try names?.text(of: refused.shard.record(refusal.row)),
                    code: refusal.failure.code, message: refusal.failure.message))
        }
        return rows
    }
}

extension Run {
    /// What sets refused rows aside during this load, where the user wants that.
    func quarantine(_ dataset: Dataset, _ load: Load) -> Quarantine? {
        settings.badRowLimit.map {
            Quarantine(self, dataset, limit: $0, ledger: load.ledger)
        }
    }

    /// Before anything is done.
    func refuseQuarantine(in target: any Target) throws(Failure) {
        guard settings.badRowLimit != nil, !target.canLeaveOut else { return }
        throw Failure(
            .usage, "--on-bad-row quarantine is not possible with a target of \(target.engine)",
            hint: "Leave it out; a row that is refused then stops the load and is named.")
    }
}
