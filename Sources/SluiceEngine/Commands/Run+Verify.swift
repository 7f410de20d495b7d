public import SluiceCore
public import SluiceRecords
public import SluiceStore

extension Run {
    /// `sluice verify`.
    public func verify(
        _ target: any Target, against store: any Store
    ) throws(Failure) -> Outcome {
        guard settings.imports.isEmpty else { return try verifyImport(target, from: store) }
        let dataset = try Dataset.require(in: store)
        guard let manifest = try dataset.manifest() else {
            throw Failure(
                .unfinished, "the dataset in \(store.place) is unfinished",
                hint: "Finish its export first; only a whole dataset can be compared.")
        }
        try dataset.checkObjects(manifest)
        var outcome = Outcome(command: "verify")
        outcome.describe(dataset, manifest)
        try verify(target, dataset, manifest, &outcome)
        try target.close()
        return finish(outcome, in: store)
    }

    /// Against files somebody else exported, as the job file describes them.
    private func verifyImport(
        _ target: any Target, from store: any Store
    ) throws(Failure) -> Outcome {
        let files = try Import.examine(self, in: store)
        var outcome = Outcome(command: "verify")
        outcome.dataset = files.id
        outcome.tables = files.tables.count
        outcome.rows = files.tables.reduce(0) { $0 + $1.digest.rowCount }
        outcome.shards = files.tables.reduce(0) { $0 + $1.shards.count }
        let verification = try Verification(
            self, files.tables, from: files.shards, in: target,
            request: loadRequest(files, into: target))
        outcome.conclude(try verification.carryOut())
        try target.close()
        outcome.seconds = (Clock.now - startedAt).inSeconds
        return outcome
    }

    /// Compares every table and puts the verdict into the outcome.
    func verify(
        _ target: any Target, _ dataset: Dataset, _ manifest: Manifest, _ outcome: inout Outcome,
        reading readBack: ReadBack? = nil
    ) throws(Failure) {
        var tables: [DatasetTable] = []
        for table in manifest.tables { tables.append(try dataset.table(table)) }
        let request = try loadRequest(dataset, tables.map(\.plan), trusting: nil, into: target)
        let setAside = try SetAside(try target.survey(nil).ledger, of: dataset)
        let verification = try Verification(
            self, tables, from: DatasetShards(dataset: dataset), in: target, request: request,
            without: setAside, reading: readBack)
        outcome.conclude(try verification.carryOut())
        outcome.warnings += request.nulledWarnings(manifest, without: setAside)
        outcome.conclude(setAside, in: dataset, hidesKeys: settings.hidesKeys)
    }
}

extension Outcome {
    mutating func conclude(_ findings: Verification.Findings) {
        warnings += findings.foreignKeyComplaints
        let differing = findings.tables.filter { $0.difference != nil }
        verified = differing.isEmpty
        var objects: [JSON] = []
        for result in differing {
            guard let difference = result.difference else { continue }
            let summary =
                difference.isEmpty ? "no row, but the ledger's sums" : difference.summary
            lines.append("\(result.table) differs: \(summary)")
            lines += difference.lines(of: result.table)
            let members = result.table.members + (difference.json.members ?? [])
            objects.append(.object(members))
        }
        details.append(.init("differences", .array(objects)))
        if !differing.isEmpty {
            status = .differs
            exitKind = .differs
        }
    }
}
