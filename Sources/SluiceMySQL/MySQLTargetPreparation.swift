internal import SluiceCore
internal import SluiceRecords

/// What happens once before the first row: the ledger, and what `--on-existing` says.
struct MySQLTargetPreparation {
    private let steps: MySQLSchemaSteps
    private let connection: MySQLConnection

    init(_ steps: MySQLSchemaSteps, _ connection: MySQLConnection) {
        self.steps = steps
        self.connection = connection
    }

    private var request: LoadRequest { steps.request }

    func run() throws(Failure) {
        // Somebody else may prepare the same target at this moment.
        try connection.alone(for: "preparation") { () throws(Failure) in
            let survey = try MySQLTargetSurvey(connection, request).result()
            // Somebody may have made something since the survey.
            if let conflict = survey.conflicts.first {
                throw Failure(
                    .refused, conflict,
                    hint: "Empty the target, or choose another --on-existing.")
            }
            try MySQLLedger.make(on: connection)
            switch request.onExisting {
            case .refuse, .use: break
            case .truncate:
                for plan in request.tables {
                    try MySQLTargetTable.empty(plan.table.table, on: connection)
                }
                try forgetOtherDatasets(survey.ledger)
            case .replace:
                try drop()
                try forgetSteps(survey.ledger)
                try forgetOtherDatasets(survey.ledger)
            }
        }
    }

    /// What hangs on tables goes with them.
    private func drop() throws(Failure) {
        for drop in steps.plan.items.flatMap(\.drops).reversed() {
            try drop.perform(on: connection)
        }
    }

    /// An earlier attempt of this dataset may have made what was dropped now.
    private func forgetSteps(_ ledger: [LedgerEntry]) throws(Failure) {
        for entry in ledger
        where entry.dataset == request.dataset && entry.unit.hasPrefix(MySQLUnit.step("")) {
            try MySQLLedger.remove(entry.unit, of: entry.dataset, on: connection)
        }
    }

    /// A ledger of a dataset whose tables are all emptied or replaced now says nothing true any
    /// more.
    private func forgetOtherDatasets(_ ledger: [LedgerEntry]) throws(Failure) {
        let ours = Set(request.tables.map { Name(MySQLUnit.begin($0.table)) })
        for dataset in Set(ledger.map(\.dataset)) where dataset != request.dataset {
            let begun = ledger.filter {
                $0.dataset == dataset && $0.unit.hasPrefix(MySQLUnit.beginPrefix)
            }
            guard begun.allSatisfy({ ours.contains(Name($0.unit)) }) else { continue }
            try MySQLLedger.remove(of: dataset, on: connection)
        }
    }
}
