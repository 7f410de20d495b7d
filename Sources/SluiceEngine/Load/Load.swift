internal import SluiceCore
internal import SluiceRecords
internal import SluiceStore

/// One load in work: what goes into which target, and what the target has of it already.
final class Load: Sendable {
    let run: Run
    let target: any Target
    let request: LoadRequest
    let survey: TargetSurvey
    /// What the ledger has of this dataset, by unit.
    let ledger: [String: LedgerEntry]

    /// Looks at the target and decides whether this can go on; writes nothing.
    init(_ run: Run, _ request: LoadRequest, into target: any Target) throws(Failure) {
        self.run = run
        self.target = target
        self.request = request
        var survey = try target.survey(request)
        survey.warnings = request.warnings + survey.warnings
        self.survey = survey
        var ledger: [String: LedgerEntry] = [:]
        for entry in survey.ledger where entry.dataset == request.dataset {
            ledger[entry.unit] = entry
        }
        self.ledger = ledger
        try refuseOtherDatasets()
        try request.refuseOtherOverrides(ledger.keys, in: target)
        try refuseConflicts()
        try refuseVanishedRows()
    }

    /// The ledger's unit that says a table's rows are ours.
    static func beginUnit(_ table: TableName) -> String { "begin \(table)" }
    static let verifiedUnit = "verified"

    var hasBegun: Bool { ledger.keys.contains { $0.hasPrefix("begin ") } }
    /// This very dataset was loaded and verified before.
    var isVerified: Bool { ledger[Load.verifiedUnit] != nil }

    private func refuseOtherDatasets() throws(Failure) {
        guard request.onExisting == .refuse || request.onExisting == .use,
            let other = survey.ledger.first(where: { $0.dataset != request.dataset })
        else { return }
        throw Failure(
            .refused, "\(target.place) holds rows of another dataset (\(other.dataset))",
            hint: "Load into an empty target, or replace what is there with "
                + "--on-existing truncate or --on-existing replace.")
    }

    private func refuseConflicts() throws(Failure) {
        guard let first = survey.conflicts.first else { return }
        for conflict in survey.conflicts.dropFirst().prefix(20) { run.log.warning(conflict) }
        let more = survey.conflicts.count - 1
        let rest = more > 0 ? ", and \(more) more" : ""
        throw Failure(
            .refused, first + rest,
            hint: request.onExisting == .refuse
                ? "The target was not touched. Empty it, or choose what happens with --on-existing."
                : "The target was not touched. Change it, or choose another --on-existing.")
    }

    /// Rows that the ledger says are in and that are gone: whoever emptied the table did not tell
    /// the ledger.
    private func refuseVanishedRows() throws(Failure) {
        for table in request.tables {
            let isMissing = survey.missingTables.contains(table.table)
            guard isMissing || survey.emptyTables.contains(table.table) else { continue }
            let prefix = DatasetKeys.shards(KeySegment.make(from: table.original.table))
            let rows = ledger.values.filter { $0.unit.hasPrefix(prefix) }
                .reduce(0) { $0 &+ $1.rowCount }
            guard rows > 0 else { continue }
            throw Failure(
                .refused,
                "\(table.table) is \(isMissing ? "not there" : "empty"), and the ledger says that "
                    + "\(rows) rows are in it",
                hint: "Somebody \(isMissing ? "dropped" : "emptied") it; drop the target's tables "
                    + "and sluice_ledger and load again."
            )
        }
    }

    /// Makes the ledger and the tables and begins every table; safe to repeat after a crash.
    func prepare(_ session: any TargetSession) throws(Failure) {
        if !hasBegun {
            try session.prepare()
            // Before anything that the overrides have a say in.
            if let unit = request.overridesUnit { try session.note(unit) }
        }
        for step in survey.steps where step.phase == .tables {
            try run.stop.check()
            try during("making \(step.name)") { () throws(Failure) in try session.perform(step) }
        }
        let new = request.tables.filter { ledger[Load.beginUnit($0.table)] == nil }
        guard !new.isEmpty else { return }
        try during("beginning the tables") { () throws(Failure) in try session.begin(new) }
    }
}
