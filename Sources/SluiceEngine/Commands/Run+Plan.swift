public import SluiceCore
public import SluiceRecords

extension Run {
    /// `sluice plan`: what would be done; writes nothing.
    public func plan(
        _ source: any Source, for target: (any Target)?
    ) throws(Failure) -> Outcome {
        try Export.refuseWhatIsMissing(self, source)
        if settings.checksValues, target == nil {
            throw Failure(
                .usage, "--check-values needs the target whose columns the values are to fit",
                hint: "Give --target.")
        }
        if let target {
            try refuseSame(source, target)
            try refuseQuarantine(in: target)
        }
        var options = SnapshotOptions(
            settings.consistency, lanes: settings.lanes, isTrial: true)
        options.wants = try TableSelection.wanted(settings)
        options.slot = settings.takesSlot ? "sluice_plan" : nil
        let snapshot = try source.openSnapshot(options, stop: stop)
        var outcome = Outcome(command: "plan")
        let sessions = ReadSessions(snapshot)
        do throws(Failure) {
            try describe(snapshot, sessions, source, target, &outcome)
        } catch {
            sessions.close()
            try? snapshot.close()
            throw error
        }
        sessions.close()
        try snapshot.close()
        outcome.seconds = (Clock.now - startedAt).inSeconds
        return outcome
    }

    private func describe(
        _ snapshot: any Snapshot, _ sessions: ReadSessions, _ source: any Source,
        _ target: (any Target)?,
        _ outcome: inout Outcome
    ) throws(Failure) {
        let whole = try snapshot.catalog()
        let tables = try TableSelection.choose(
            from: whole.tables, settings, place: source.place)
        let catalog = whole.limited(to: tables, source.facts)
        let plans = try planAll(tables, sessions)
        outcome.warnings = catalog.warnings
        outcome.position = snapshot.position.json
        outcome.tables = plans.count
        outcome.rows = plans.reduce(0) { $0 &+ $1.estimatedRows }
        outcome.bytes = plans.reduce(0) { $0 &+ $1.estimatedBytes }
        outcome.shards = plans.reduce(0) { $0 &+ $1.chunks.count }
        outcome.details.append(.init("plans", .array(plans.map(\.summary))))
        outcome.lines = TextTable.lines(
            [["table", "rows", "bytes", "chunks", ""]] + plans.map(\.cells))
        if let target {
            let request = try request(
                "", plans, from: LoadOrigin(engine: source.engine, identity: try source.identity()),
                trusting: source.engine == target.engine ? catalog.schema : nil, into: target)
            try describe(target, request, &outcome)
            if settings.checksValues { try check(target, request, sessions, &outcome) }
        }
        let memory = MemorySum(settings: settings, runsBoth: target != nil)
        outcome.details.append(.init("memory", memory.json))
        outcome.lines += memory.lines
    }

    private func planAll(
        _ tables: [SourceTable], _ sessions: ReadSessions
    ) throws(Failure) -> [TablePlan] {
        progress.begin(.plan, itemTotal: tables.count)
        let open = Monitor(tables.sorted { $0.estimatedBytes < $1.estimatedBytes })
        let made = Monitor<[TableName: TablePlan]>([:])
        let lane: Lanes.Lane = { () throws(Failure) in
            let session = try sessions.take()
            defer { sessions.give(session) }
            while let table = open.change({ $0.popLast() }) {
                try self.stop.check()
                let plan = try during("planning \(table.name)") { () throws(Failure) in
                    try session.plan(table, self.planOptions(of: table.name))
                }
                made.change { $0[table.name] = plan }
                self.progress.add(.plan, items: 1)
            }
        }
        let count = sessions.laneCount(settings.lanes)
        try Lanes.run(Array(repeating: lane, count: count)) { _ in open.change { $0 = [] } }
        progress.end(.plan)
        return made.read { made in tables.compactMap { made[$0.name] } }
    }

    /// What a plan of this table depends on beyond the table.
    func planOptions(of table: TableName) -> PlanOptions {
        PlanOptions(
            // A little less than a shard: what a plan takes a row for is not exactly its record.
            chunkBytes: settings.shardBytes - settings.shardBytes / 16,
            filter: settings.filters.first { Name($0.table) == Name(table.description) }?.sql)
    }

    private func describe(
        _ target: any Target, _ request: LoadRequest, _ outcome: inout Outcome
    ) throws(Failure) {
        let overridden = request.tables.compactMap { OverrideText($0) }
        let survey = try target.survey(request)
        var conflicts = survey.conflicts
        if let other = survey.ledger.first,
            settings.onExisting == .refuse || settings.onExisting == .use
        {
            conflicts.append("\(target.place) holds rows of dataset \(other.dataset)")
        }
        outcome.warnings += request.warnings + survey.warnings
        outcome.details.append(.init("overrides", .array(overridden.map(\.json))))
        outcome.lines += overridden.flatMap(\.lines)
        outcome.details.append(.init("conflicts", .array(conflicts.map(JSON.string))))
        outcome.details.append(
            .init("steps", .array(survey.steps.map { .string($0.name) })))
        outcome.lines += conflicts.map { "refused: \($0)" }
        if !conflicts.isEmpty {
            outcome.status = .failed
            outcome.exitKind = .refused
        }
    }

    /// `--check-values`: tries every row against the target's columns.
    private func check(
        _ target: any Target, _ request: LoadRequest, _ sessions: ReadSessions,
        _ outcome: inout Outcome
    ) throws(Failure) {
        guard outcome.exitKind == nil else {
            outcome.warnings.append(
                "values were not looked at, because the target is refused as it is")
            return
        }
        let scan = ValueScan(self, sessions, target, request)
        let found = try scan.carryOut()
        outcome.warnings += scan.omissions
        outcome.details += [
            .init("checked", .int(scan.rowCount)),
            .init("misfits", .array(found.flatMap { $1.json(of: $0) })),
        ]
        guard found.isEmpty else {
            outcome.lines += found.flatMap { $1.lines(of: $0) }
            outcome.status = .failed
            outcome.exitKind = .refused
            return
        }
        let rows = TextTable.count(scan.rowCount, "row")
        outcome.lines.append("every value fits: \(rows) looked at")
    }
}

extension TablePlan {
    fileprivate var summary: JSON {
        .object(
            table.members + [
                .init("rows", .int(estimatedRows)), .init("bytes", .int(estimatedBytes)),
                .init("chunks", .int(chunks.count)),
                .init(
                    "columns",
                    .array(
                        schema.fields.map { field in
                            [
                                "name": .string(field.name.text),
                                "type": .string(field.type.description),
                                "nullable": .bool(field.isNullable),
                                "declared": .string(field.declared),
                            ]
                        })),
                .init("omissions", .array(definition.omissions.map(JSON.string))),
            ])
    }

    fileprivate var cells: [String] {
        [
            table.description, TextTable.grouped(estimatedRows), ByteCount.text(estimatedBytes),
            String(chunks.count), mixedColumns,
        ]
    }

    /// Columns that hold more than one kind of value, which other engines have no column for.
    private var mixedColumns: String {
        let mixed = schema.fields.filter { $0.type == .any }.map(\.name.text)
        return mixed.isEmpty ? "" : "mixed values in \(mixed.joined(separator: ", "))"
    }
}

/// The most memory a command takes, as a sum of parts that each have a name (design §10).
struct MemorySum: Sendable {
    var parts: [(name: String, bytes: Int)]
    /// What one row of `--row-bytes` would add.
    var largestRow: Int

    init(settings: Settings, runsBoth: Bool) {
        let lanes = settings.lanes
        let shards = ShardPool.count(lanes: lanes)
        parts = [
            ("the program and its libraries", 24 << 20),
            ("\(shards) shards of --shard-bytes", shards * (settings.shardBytes + (2 << 20))),
            ("\(lanes) read lanes: batch, compressor, page cache", lanes * (12 << 20)),
        ]
        if runsBoth {
            parts.append(("\(lanes) load lanes: batches, decompressor", lanes * (8 << 20)))
            parts.append(("the target's page cache", 24 << 20))
            if settings.badRowLimit != nil {
                parts.append(
                    (
                        "\(lanes) shards with refused rows, read whole",
                        lanes * 2 * settings.shardBytes
                    )
                )
            }
        }
        if settings.checksValues {
            parts.append(("hashes of unique keys, for --check-values", KeyHashes.byteLimit))
        }
        largestRow = 3 * settings.rowBytes
    }

    var total: Int { parts.reduce(0) { $0 &+ $1.bytes } }

    var json: JSON {
        [
            "total": .int(total), "largestRow": .int(largestRow),
            "parts": .array(
                parts.map { ["name": .string($0.name), "bytes": .int($0.bytes)] }),
        ]
    }

    var lines: [String] {
        ["memory: at most \(ByteCount.text(total))"]
            + parts.map { "  \(ByteCount.text($0.bytes)) for \($0.name)" }
            + [
                "  and up to \(ByteCount.text(largestRow)) while a row as large as --row-bytes passes"
            ]
    }
}
