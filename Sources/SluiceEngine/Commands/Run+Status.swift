public import SluiceCore
public import SluiceRecords
public import SluiceStore

extension Run {
    /// `sluice status`: how far a dataset and its load are, and what is held on a source.
    ///
    /// `sluice status` without a store: what is held on a source, by whomever.
    public func status(of source: any Source) throws(Failure) -> Outcome {
        var outcome = Outcome(command: "status")
        let found = try source.held()
        if found.isEmpty { outcome.lines = ["nothing is held on \(source.place)"] }
        for finding in found {
            outcome.lines.append("on \(source.place) \(finding.what)")
            if let remedy = finding.remedy { outcome.lines.append("  \(remedy)") }
        }
        outcome.details.append(.init("held", .array(found.map { .string($0.what) })))
        outcome.seconds = (Clock.now - startedAt).inSeconds
        return outcome
    }

    /// - Parameter releases: frees what dead runs still hold (`--release`).
    public func status(
        of store: any Store, source: (any Source)?, target: (any Target)?, releases: Bool
    ) throws(Failure) -> Outcome {
        let dataset = try Dataset.require(in: store)
        let manifest = try dataset.manifest()
        var outcome = Outcome(command: "status")
        outcome.dataset = dataset.id
        outcome.position = dataset.header.position.json
        if let source { try compare(source, dataset) }
        var seals: [(plan: TablePlan, seals: [Seal])] = []
        for name in dataset.header.tables {
            guard let table = try dataset.table(name) else { continue }
            seals.append((table.plan, table.seals))
        }
        outcome.describeExport(dataset, manifest, seals)
        try describeHolds(store, source, releases: releases, &outcome)
        let setAside: SetAside
        if let target {
            let ledger = try target.survey(nil).ledger.filter { $0.dataset == dataset.id }
            outcome.describeLoad(ledger)
            setAside = try SetAside(ledger, of: dataset)
        } else {
            setAside = try SetAside(in: dataset)
        }
        outcome.describe(setAside, in: dataset, hidesKeys: settings.hidesKeys)
        outcome.seconds = (Clock.now - startedAt).inSeconds
        return outcome
    }

    private func compare(_ source: any Source, _ dataset: Dataset) throws(Failure) {
        guard try source.identity() != dataset.header.identity else { return }
        throw Failure(
            .refused, "\(dataset.store.place) holds a dataset of another source",
            hint: "sluice inspect shows which source it is of.")
    }

    private func describeHolds(
        _ store: any Store, _ source: (any Source)?, releases: Bool, _ outcome: inout Outcome
    ) throws(Failure) {
        if let holder = try Lease.current(in: store) {
            let life = holder.isAlive.map { $0 ? "at work" : "gone" } ?? "of another host"
            outcome.lines.append("lease: \(holder.shown), \(life)")
            outcome.details.append(.init("lease", holder.json))
        }
        var objects: [JSON] = []
        for hold in try Hold.all(in: store) {
            let isDead = hold.holder.isAlive == false
            objects.append(hold.json)
            outcome.lines.append(
                "held on \(hold.source) since \(hold.since) by \(hold.holder.shown)"
                    + (isDead ? ", which is gone" : ""))
            outcome.lines.append("  \(hold.what)")
            guard isDead else { continue }
            guard releases else {
                outcome.lines.append("  sluice status --release with --source frees it")
                continue
            }
            if !hold.endsWithProcess {
                guard let source, Name(source.place) == Name(hold.source) else {
                    throw Failure(
                        .usage, "what is held on \(hold.source) can only be released there",
                        hint: "Give --source \(hold.source) as well.")
                }
                try source.release(hold.details)
            }
            try hold.remove(from: store)
            outcome.lines.append("  released")
        }
        outcome.details.append(.init("holds", .array(objects)))
    }
}

extension Outcome {
    fileprivate mutating func describeExport(
        _ dataset: Dataset, _ manifest: Manifest?, _ tables: [(plan: TablePlan, seals: [Seal])]
    ) {
        self.tables = dataset.header.tables.count
        rows = tables.reduce(0) { $0 &+ $1.seals.reduce(0) { $0 &+ $1.digest.rowCount } }
        shards = tables.reduce(0) { $0 &+ $1.seals.reduce(0) { $0 &+ $1.shards.count } }
        bytes = tables.reduce(0) { $0 &+ $1.seals.reduce(0) { $0 &+ $1.storedBytes } }
        let chunks = tables.reduce(0) { $0 &+ $1.plan.chunks.count }
        let sealed = tables.reduce(0) { $0 &+ $1.seals.count }
        lines.append("dataset \(dataset.id), begun \(dataset.header.createdAt)")
        if let manifest {
            lines.append("export: finished \(manifest.finishedAt)")
        } else {
            status = .unfinished
            exitKind = .unfinished
            lines.append(
                "export: unfinished; \(tables.count) of \(self.tables) tables planned, "
                    + "\(sealed) of \(chunks) chunks sealed")
        }
        lines.append(
            "\(TextTable.count(rows, "row")) in \(TextTable.count(shards, "shard")), "
                + "\(ByteCount.text(bytes)) stored")
        details += [
            .init("finished", .bool(manifest != nil)), .init("chunks", .int(chunks)),
            .init("sealed", .int(sealed)),
        ]
    }

    /// Of the load only what the ledger says is told; whether it is right is the matter of
    /// `verify`.
    fileprivate mutating func describeLoad(_ ledger: [LedgerEntry]) {
        let loaded = ledger.filter { $0.unit.hasPrefix("data/") }
        let loadedRows = loaded.reduce(0) { $0 &+ $1.rowCount }
        let isVerified = ledger.contains { $0.unit == Load.verifiedUnit }
        verified = isVerified
        details += [
            .init("loadedShards", .int(loaded.count)), .init("loadedRows", .int(loadedRows)),
        ]
        lines.append(
            "load: \(loadedRows) of \(rows) rows, \(loaded.count) of \(shards) shards"
                + (isVerified ? ", verified" : ""))
        if loaded.count < shards || !isVerified {
            status = .unfinished
            exitKind = .unfinished
        }
    }
}
