internal import CSQLite
internal import SluiceCore
internal import SluiceRecords

/// What happens once before the first row: the ledger, and what `--on-existing` says.
struct SQLiteTargetPreparation {
    private let request: LoadRequest
    private let connection: SQLiteConnection

    init(_ request: LoadRequest, _ connection: SQLiteConnection) {
        self.request = request
        self.connection = connection
    }

    func run() throws(Failure) {
        try shapeFreshFile()
        try connection.inTransaction { () throws(Failure) in
            let found = try SQLiteSurvey(connection)
            let survey = try SQLiteTargetSurvey(found, connection, request).result()
            // Somebody may have made something since the survey.
            if let conflict = survey.conflicts.first {
                throw Failure(
                    .refused, conflict,
                    hint: "Empty the target, or choose another --on-existing.")
            }
            try SQLiteLedger.make(on: connection)
            switch request.onExisting {
            case .refuse, .use: break
            case .truncate:
                for table in request.tables {
                    try connection.execute("DELETE FROM \(table.table.table.quoted)")
                }
                try forgetOtherDatasets(found)
            case .replace:
                try SQLiteDropping(connection).drop(SQLiteSchemaPlan(request).objects)
                try forgetSteps(found)
                try forgetOtherDatasets(found)
            }
        }
    }

    /// A file without any page takes the source's shape; afterwards it is fixed.
    private func shapeFreshFile() throws(Failure) {
        guard let schema = request.trustedSchema, let settings = SQLiteSettings(schema.settings),
            try connection.integer("PRAGMA page_count") == 0
        else { return }
        try connection.execute(
            """
            PRAGMA page_size = \(settings.pageSize);
            PRAGMA encoding = '\(settings.encoding.rawValue)';
            PRAGMA auto_vacuum = \(settings.autoVacuum)
            """)
    }

    /// An earlier attempt of this dataset may have made what was dropped now.
    private func forgetSteps(_ found: SQLiteSurvey) throws(Failure) {
        for entry in found.ledger
        where entry.dataset == request.dataset && SQLiteUnit.made(entry.unit) != nil {
            try SQLiteLedger.remove(entry.unit, of: entry.dataset, on: connection)
        }
    }

    /// A ledger of a dataset whose tables are all emptied or replaced now says nothing true any
    /// more.
    private func forgetOtherDatasets(_ found: SQLiteSurvey) throws(Failure) {
        let ours = Set(request.tables.map { Name($0.table.description) })
        for dataset in Set(found.ledger.map(\.dataset)) where dataset != request.dataset {
            let begun = found.ledger.filter { $0.dataset == dataset }.compactMap {
                SQLiteUnit.begun($0.unit)
            }
            guard begun.allSatisfy(ours.contains) else { continue }
            try SQLiteLedger.remove(of: dataset, on: connection)
        }
    }
}

/// Drops objects, whatever they hang on.
struct SQLiteDropping {
    private let connection: SQLiteConnection

    init(_ connection: SQLiteConnection) {
        self.connection = connection
    }

    /// Triggers and views first, because nothing depends on them; what is not there is passed over.
    func drop(_ objects: [(kind: SQLiteObjectKind, name: Name)]) throws(Failure) {
        for kinds in [[SQLiteObjectKind.trigger], [.view], [.index], [.virtualTable], [.table]] {
            for object in objects.reversed() where kinds.contains(object.kind) {
                try drop(object.kind, object.name)
            }
        }
    }

    private func drop(_ kind: SQLiteObjectKind, _ name: Name) throws(Failure) {
        guard let entry = try SQLiteSchemaEntry.find(name, like: kind, on: connection),
            entry.kind == kind || entry.kind.isTable && kind.isTable
        else { return }
        switch entry.kind {
        case .table: try connection.execute("DROP TABLE \(entry.name.quoted)")
        case .index: try connection.execute("DROP INDEX \(entry.name.quoted)")
        case .view: try connection.execute("DROP VIEW \(entry.name.quoted)")
        case .trigger: try connection.execute("DROP TRIGGER \(entry.name.quoted)")
        case .virtualTable: try dropVirtual(entry.name)
        }
    }

    /// The module drops the tables behind it. Where it is not here, or cannot read them, the entry
    /// goes and the tables stay to be dropped as what they are.
    private func dropVirtual(_ name: Name) throws(Failure) {
        try connection.execute("SAVEPOINT sluice_drop")
        do throws(Failure) {
            try connection.execute("DROP TABLE \(name.quoted)")
        } catch {
            try connection.execute("ROLLBACK TO sluice_drop")
            try SQLiteSchemaSurgery(connection).removeVirtualTable(name)
        }
        try connection.execute("RELEASE sluice_drop")
    }
}
