internal import SluiceCore
internal import SluiceRecords
internal import SluiceStore

/// Reads a target back and compares it with a dataset's digests (design §5).
final class Verification: Sendable {
    /// What became of one table.
    struct Result: Sendable {
        var table: TableName
        var rows: Int
        /// Nothing where the table is equal.
        var difference: Difference?
    }

    struct Findings: Sendable {
        var tables: [Result]
        /// What is as in the dataset and wrong all the same.
        var foreignKeyComplaints: [String]
    }

    let run: Run
    let target: any Target
    let request: LoadRequest
    private let tables: [DatasetTable]
    /// What they are in the target, by their names in the dataset.
    private let plans: [TableName: TablePlan]
    private let shards: any ShardSupply
    private let ledger: [String: LedgerEntry]
    /// What of the target has been read.
    private let readBack: ReadBack
    /// By the shards that they were refused from.
    private let setAside: [Name: RejectsNote]

    /// - Parameters:
    ///   - setAside: what the ledger says was left out.
    ///   - readBack: tables that it has were read while others were loaded and are not read again.
    init(
        _ run: Run, _ tables: [DatasetTable], from shards: any ShardSupply, in target: any Target,
        request: LoadRequest, without setAside: SetAside = SetAside(),
        reading readBack: ReadBack? = nil
    ) throws(Failure) {
        self.readBack = readBack ?? ReadBack(run)
        self.setAside = setAside.byOrigin
        self.run = run
        self.target = target
        self.request = request
        self.tables = tables
        plans = Dictionary(request.tables.map { ($0.original.table, $0) }) { first, _ in first }
        self.shards = shards
        var ledger: [String: LedgerEntry] = [:]
        for entry in try target.survey(nil).ledger where entry.dataset == request.dataset {
            ledger[entry.unit] = entry
        }
        self.ledger = ledger
        try request.refuseOtherOverrides(ledger.keys, in: target)
    }

    /// Every table, compared; where nothing differs the ledger is told.
    func carryOut() throws(Failure) -> Findings {
        run.progress.begin(
            .verify, rowTotal: tables.reduce(0) { $0 &+ $1.digest.rowCount },
            itemTotal: tables.count)
        let session = try target.openSession(request, stop: run.stop)
        defer { session.close() }
        try readRest(session)
        var results: [Result] = []
        for table in tables {
            try run.stop.check()
            let sum = readBack[plan(of: table).table] ?? ReadBack.Sum()
            let difference = try during("verifying \(table.name)") { () throws(Failure) in
                try compare(table, sum, session)
            }
            results.append(
                Result(table: table.name, rows: sum.digest.rowCount, difference: difference))
            run.progress.add(.verify, items: 1)
        }
        if results.allSatisfy({ $0.difference == nil }) { try session.note(Load.verifiedUnit) }
        let complaints = try session.foreignKeyComplaints()
        run.progress.end(.verify)
        return Findings(tables: results, foreignKeyComplaints: complaints)
    }

    /// As it is in the target.
    private func plan(of table: DatasetTable) -> TablePlan { plans[table.name] ?? table.plan }

    /// The tables that nobody has read yet, in all lanes.
    private func readRest(_ session: any TargetSession) throws(Failure) {
        var slices: [ReadBack.Slice] = []
        for table in tables where readBack[plan(of: table).table] == nil {
            slices += try readBack.slices(
                of: plan(of: table), rowCount: table.digest.rowCount, session)
        }
        guard !slices.isEmpty else { return }
        slices.reverse()
        let open = Monitor(slices)
        let lane: Lanes.Lane = { () throws(Failure) in
            let session = try self.target.openSession(self.request, stop: self.run.stop)
            defer { session.close() }
            while let slice = open.change({ $0.popLast() }) {
                try self.readBack.read(slice, session)
            }
        }
        let count = max(1, run.settings.lanes)
        try Lanes.run(Array(repeating: lane, count: count)) { _ in open.change { $0 = [] } }
    }

    /// Nothing where the table is equal.
    private func compare(
        _ table: DatasetTable, _ found: ReadBack.Sum, _ session: any TargetSession
    ) throws(Failure) -> Difference? {
        let expected = try expectedDigest(of: table, session)
        if expected == found.digest, found.misfits == 0 { return nil }
        run.log.warning("\(table.name) differs; looking for the rows")
        return try DifferenceSearch(
            table, as: plan(of: table), shards: shards, without: setAside, session: session,
            run: run
        ).carryOut()
    }

    /// What the target's rows must sum up to: what the loaders wrote down, or, without a ledger,
    /// the shards once more.
    private func expectedDigest(
        of table: DatasetTable, _ session: any TargetSession
    ) throws(Failure) -> Digest {
        var mapped = Digest.empty
        var hasAll = true
        for shard in table.shards {
            guard let entry = ledger[shard.key] else {
                hasAll = false
                continue
            }
            let left = shard.summary.digest - (try digestSetAside(from: shard, of: table))
            guard entry.digest == left.text, entry.rowCount == left.rowCount,
                let digest = Digest(text: entry.mapped, rowCount: entry.rowCount)
            else {
                throw Failure(
                    .differs, "the ledger holds another digest of \(shard.key) than its seal",
                    hint:
                        "Somebody changed the ledger or the dataset; load again into an empty target."
                )
            }
            mapped += digest
        }
        return hasAll ? mapped : try digestOfShards(table, session)
    }

    private func digestOfShards(
        _ table: DatasetTable, _ session: any TargetSession
    ) throws(Failure) -> Digest {
        let bytes = ShardBytes()
        let plan = plan(of: table)
        var digest = Digest.empty
        for shard in table.shards {
            let raw = try shards.open(shard, of: table.plan, into: bytes)
            digest += try readBack.sum(session.mapped(raw, of: plan), of: plan).digest
            guard let note = setAside[Name(shard.key)] else { continue }
            let refused = try shards.open(note.shard, of: table.plan, into: bytes)
            let mapped = try readBack.sum(session.mapped(refused, of: plan), of: plan)
            digest = digest - mapped.digest
        }
        return digest
    }

    /// What of a shard is in quarantine, proved to be there.
    private func digestSetAside(
        from shard: Seal.Shard, of table: DatasetTable
    ) throws(Failure) -> Digest {
        guard let note = setAside[Name(shard.key)] else { return .empty }
        let records = try shards.open(note.shard, of: table.plan, into: ShardBytes())
        guard try readBack.sum(records, of: table.plan).digest == note.digest else {
            throw Failure(
                .refused, "\(note.shard.key) holds other rows than the note beside it says",
                hint: "Restore the object, or load again into an empty target.")
        }
        return note.digest
    }
}
