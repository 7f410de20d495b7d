internal import SluiceCore
internal import SluiceRecords

/// What happens once before the first row: the ledger, and what `--on-existing` says.
struct PostgresTargetPreparation {
    private let steps: PostgresSchemaSteps
    private let connection: PostgresConnection

    init(_ steps: PostgresSchemaSteps, _ connection: PostgresConnection) {
        self.steps = steps
        self.connection = connection
    }

    private var request: LoadRequest { steps.request }

    func run() throws(Failure) {
        try connection.inTransaction { () throws(Failure) in
            // Somebody else may prepare the same target at this moment.
            try connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('sluice', 0))")
            let survey = try PostgresTargetSurvey(connection, request).result()
            // Somebody may have made something since the survey.
            if let conflict = survey.conflicts.first {
                throw Failure(
                    .refused, conflict,
                    hint: "Empty the target, or choose another --on-existing.")
            }
            try PostgresLedger.make(on: connection)
            switch request.onExisting {
            case .refuse, .use: break
            case .truncate:
                if !request.tables.isEmpty {
                    // All in one statement: foreign keys among them are none from outside.
                    let tables = try PostgresPartitions(connection)
                        .withParents(of: request.tables.map(\.table.qualified))
                    let names = tables.map(\.quoted).joined(separator: ", ")
                    try connection.execute("TRUNCATE \(names)")
                }
                try forgetOtherDatasets(survey.ledger)
            case .replace:
                try PostgresDropping(connection).drop(steps.plan.items.compactMap(\.drop))
                try forgetSteps(survey.ledger)
                try forgetOtherDatasets(survey.ledger)
            }
        }
    }

    /// An earlier attempt of this dataset may have made what was dropped now.
    private func forgetSteps(_ ledger: [LedgerEntry]) throws(Failure) {
        for entry in ledger
        where entry.dataset == request.dataset && entry.unit.hasPrefix(PostgresUnit.step("")) {
            try PostgresLedger.remove(entry.unit, of: entry.dataset, on: connection)
        }
    }

    /// A ledger of a dataset whose tables are all emptied or replaced now says nothing true any
    /// more.
    private func forgetOtherDatasets(_ ledger: [LedgerEntry]) throws(Failure) {
        let ours = Set(request.tables.map { Name(PostgresUnit.begin($0.table)) })
        for dataset in Set(ledger.map(\.dataset)) where dataset != request.dataset {
            let begun = ledger.filter {
                $0.dataset == dataset && $0.unit.hasPrefix("begin ")
            }
            guard begun.allSatisfy({ ours.contains(Name($0.unit)) }) else { continue }
            try PostgresLedger.remove(of: dataset, on: connection)
        }
    }
}
