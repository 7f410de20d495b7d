public import SluiceCore
internal import SluiceRecords
public import SluiceStore

extension Run {
    /// `sluice inspect`: what is in a dataset, without a database.
    ///
    /// - Parameter shard: a shard's key; its first `head` rows are shown as CSV.
    public func inspect(
        _ store: any Store, table: String?, shard: String?, head: Int?
    ) throws(Failure) -> Outcome {
        let dataset = try Dataset.require(in: store)
        let manifest = try dataset.manifest()
        var outcome = Outcome(command: "inspect")
        outcome.dataset = dataset.id
        outcome.position = dataset.header.position.json
        if let shard {
            try show(shard, dataset, head: head ?? 10, &outcome)
        } else if let table {
            try show(table: table, dataset, head: head, &outcome)
        } else {
            try show(dataset, manifest, &outcome)
        }
        outcome.seconds = (Clock.now - startedAt).inSeconds
        return outcome
    }

    private func show(
        _ dataset: Dataset, _ manifest: Manifest?, _ outcome: inout Outcome
    ) throws(Failure) {
        let header = dataset.header
        outcome.lines = [
            "dataset \(dataset.id), begun \(header.createdAt) by sluice for \(header.engine)",
            "source: \(header.identity.compact)",
            "position: \(header.position.isExact ? "exact" : "not exact")",
            "options: \(header.options.json.compact)",
            manifest.map { "finished \($0.finishedAt)" } ?? "unfinished",
        ]
        var tables: [JSON] = []
        var rows = [["table", "rows", "shards", "bytes", ""]]
        for name in header.tables {
            guard let table = try dataset.table(name) else {
                rows.append([name.description, "-", "-", "-", "not planned yet"])
                continue
            }
            outcome.count(table)
            let sums = table.manifestTable(counted: nil)
            tables.append(sums.json)
            rows.append([
                name.description, TextTable.grouped(sums.digest.rowCount), String(sums.shards),
                ByteCount.text(sums.storedBytes), table.isComplete ? "" : "incomplete",
            ])
        }
        outcome.lines += TextTable.lines(rows)
        outcome.details += [
            .init("finished", .bool(manifest != nil)), .init("perTable", .array(tables)),
        ]
    }

    private func show(
        table wanted: String, _ dataset: Dataset, head: Int?, _ outcome: inout Outcome
    ) throws(Failure) {
        let names = dataset.header.tables
        guard let name = names.first(where: { Name($0.description) == Name(wanted) }) else {
            throw Failure(
                .usage, "the dataset has no table called '\(wanted)'",
                hint: Suggestion.hint(for: wanted, among: names.map(\.description))
                    ?? "sluice inspect lists the tables.")
        }
        guard let table = try dataset.table(name) else {
            throw Failure(.unfinished, "\(name) is not planned yet")
        }
        outcome.count(table)
        outcome.lines.append("\(name)")
        for field in table.plan.schema.fields {
            outcome.lines.append(
                "  \(field.name) \(field.type)\(field.isNullable ? "" : " not null")"
                    + (field.declared.isEmpty ? "" : " (\(field.declared))"))
        }
        for shard in table.shards {
            outcome.lines.append(
                "\(shard.key): \(TextTable.count(shard.summary.digest.rowCount, "row")), "
                    + ByteCount.text(shard.summary.storedBytes))
        }
        outcome.details.append(.init("plan", table.plan.json(dataset: dataset.id)))
        outcome.details.append(
            .init(
                "shardList",
                .array(table.shards.map { $0.json(fields: table.plan.schema.fields) })))
        if let head, let first = table.shards.first {
            outcome.lines += try rows(of: first, table.plan, dataset, head: head)
        }
    }

    private func show(
        _ key: String, _ dataset: Dataset, head: Int, _ outcome: inout Outcome
    ) throws(Failure) {
        if key.hasPrefix(DatasetKeys.rejects) {
            return try showRejects(key, dataset, head: head, &outcome)
        }
        for name in dataset.header.tables {
            let prefix = DatasetKeys.shards(KeySegment.make(from: name))
            guard key.hasPrefix(prefix), let table = try dataset.table(name),
                let shard = table.shards.first(where: { $0.key == key })
            else { continue }
            outcome.describe(shard, of: table.plan)
            outcome.lines = try rows(of: shard, table.plan, dataset, head: head)
            return
        }
        throw Failure(
            .usage, "no seal of the dataset names a shard '\(key)'",
            hint: "sluice inspect --table lists a table's shards.")
    }

    /// Rows that a target refused, and why it did.
    private func showRejects(
        _ key: String, _ dataset: Dataset, head: Int, _ outcome: inout Outcome
    ) throws(Failure) {
        guard let table = dataset.table(ofRejects: key), let plan = try dataset.plan(of: table),
            let note = try dataset.rejectsNote(beside: key, of: plan)
        else {
            throw Failure(
                .usage, "the dataset has no rejects '\(key)'",
                hint: "sluice status --target says where refused rows are.")
        }
        outcome.describe(note.shard, of: plan)
        outcome.details.append(.init("rejects", note.json(fields: plan.schema.fields)))
        outcome.lines = try rows(of: note.shard, plan, dataset, head: head)
        outcome.lines += note.rows.prefix(head).map {
            "row \($0.row) of \(note.origin): \($0.reason)"
        }
    }

    /// A header and the first rows as CSV lines.
    private func rows(
        of shard: Seal.Shard, _ plan: TablePlan, _ dataset: Dataset, head: Int
    ) throws(Failure) -> [String] {
        let bytes = ShardBytes()
        let records = try DatasetShards(dataset: dataset).open(shard, of: plan, into: bytes)
        let writer = ShardWriter(
            schema: plan.schema, format: ShardFormat(.csv, .none))
        let output = ShardBytes()
        try writer.begin(output)
        var batch = Batch(fieldCount: plan.schema.fields.count)
        var hasMore = true
        var left = head
        while hasMore, left > 0 {
            batch.removeAll()
            // One record at a time: only the first few are wanted.
            hasMore = try records.fill(&batch, byteGoal: 1)
            try writer.append(batch)
            left -= batch.rowCount
        }
        _ = try writer.finish()
        let text = String(decoding: output.buffer.bytes, as: UTF8.self)
        return text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
            .map(String.init)
    }
}

extension Outcome {
    fileprivate mutating func describe(_ shard: Seal.Shard, of plan: TablePlan) {
        tables = 1
        shards = 1
        rows = shard.summary.digest.rowCount
        bytes = shard.summary.storedBytes
        details.append(.init("shard", shard.json(fields: plan.schema.fields)))
    }

    fileprivate mutating func count(_ table: DatasetTable) {
        tables += 1
        rows += table.digest.rowCount
        shards += table.shards.count
        bytes += table.seals.reduce(0) { $0 &+ $1.storedBytes }
    }
}
