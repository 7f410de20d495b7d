internal import CSQLite
internal import SluiceCore
internal import SluiceRecords

/// Does the schema work of one request. Belongs to the writer.
final class SQLiteSchemaSteps {
    private let request: LoadRequest
    private let plan: SQLiteSchemaPlan
    private let places: [Name: Int]
    private let settings: SQLiteSettings?
    /// What this process knows to be done.
    private var done: Set<Int> = []
    /// No step before this one is left.
    private var firstOpen = 0
    /// How long steps are done in one transaction that nobody has asked for yet.
    private static let moment = Duration.milliseconds(200)

    init(_ request: LoadRequest) {
        self.request = request
        plan = SQLiteSchemaPlan(request)
        places = plan.places
        settings = request.trustedSchema.flatMap { SQLiteSettings($0.settings) }
    }

    /// Does a step, after those of its phase that come before it: the order in which objects are
    /// made is the order in which `.dump` prints them, whatever lane is first.
    ///
    /// Goes on with the rest of its phase for a moment where that is free: a commit costs more than
    /// a small table or index.
    func perform(_ step: LoadStep, on connection: SQLiteConnection) throws(Failure) {
        guard let wanted = places[Name(step.name)] else {
            throw Failure(.bug, "\(step.name) is no step of this request")
        }
        guard !done.contains(wanted) else { return }
        let isOrdered = plan.isTrusted
        // Steps that name no tables all become free at once.
        let isGroup = isOrdered || step.phase == .tables
        var next = isOrdered ? firstOpen : wanted
        while !done.contains(wanted) {
            next = try performSome(from: next, to: wanted, isGroup: isGroup, on: connection)
        }
        while done.contains(firstOpen) { firstOpen += 1 }
    }

    /// Does steps in one transaction, those up to `wanted` and, where they are a group, behind it;
    /// says where to go on.
    private func performSome(
        from first: Int, to wanted: Int, isGroup: Bool, on connection: SQLiteConnection
    ) throws(Failure) -> Int {
        let phase = plan.items[wanted].step.phase
        let end = isGroup ? plan.items.count : wanted + 1
        let began = Clock.now
        var performed: [Int] = []
        var next = first
        try connection.inTransaction { () throws(Failure) in
            while next < end, performed.isEmpty || Clock.now - began < SQLiteSchemaSteps.moment {
                defer { next += 1 }
                guard plan.items[next].step.phase == phase, !done.contains(next) else { continue }
                guard try perform(next, wanted: wanted, on: connection) else { return }
                performed.append(next)
            }
        }
        done.formUnion(performed)
        for index in performed { try setJournal(plan.items[index], on: connection) }
        return next
    }

    /// One step within a transaction. False where it fails and nobody has asked for it yet: then
    /// nothing of it is left.
    private func perform(
        _ index: Int, wanted: Int, on connection: SQLiteConnection
    ) throws(Failure) -> Bool {
        let item = plan.items[index]
        guard index > wanted else {
            do throws(Failure) {
                try perform(item, on: connection)
            } catch {
                // Whoever asked names the step that was asked for.
                throw index == wanted ? error : error.during("making \(item.step.name)")
            }
            return true
        }
        try connection.execute("SAVEPOINT sluice_step")
        do throws(Failure) {
            try perform(item, on: connection)
        } catch {
            try connection.execute("ROLLBACK TO sluice_step; RELEASE sluice_step")
            return false
        }
        try connection.execute("RELEASE sluice_step")
        return true
    }

    private func perform(
        _ item: SQLiteSchemaPlan.Item, on connection: SQLiteConnection
    ) throws(Failure) {
        switch item.action {
        case .make(let kind, let name, let sql):
            try make(kind, name, sql, on: connection)
        case .makeOwn(let name): try makeOwn(name, on: connection)
        case .counters: try putRows(of: ["sqlite_sequence"], on: connection)
        case .countersOfUsed:
            let rows = settings?.systemRows.first { $0.name.folded == "sqlite_sequence" }?.rows
            try SQLiteCounters(request, connection).put(rows ?? [])
        case .statistics:
            try putRows(of: ["sqlite_stat1", "sqlite_stat3", "sqlite_stat4"], on: connection)
        case .settings: try putSettings(on: connection)
        }
    }

    /// The journal cannot be changed within a transaction.
    private func setJournal(
        _ item: SQLiteSchemaPlan.Item, on connection: SQLiteConnection
    ) throws(Failure) {
        guard case .settings = item.action, settings?.journalMode == "wal",
            try ownsFile(SQLiteSurvey(connection))
        else { return }
        try connection.execute("PRAGMA journal_mode = WAL")
    }

    private func make(
        _ kind: SQLiteObjectKind, _ name: Name, _ sql: String, on connection: SQLiteConnection
    ) throws(Failure) {
        let unit = SQLiteUnit.step(kind, name)
        if let entry = try SQLiteSchemaEntry.find(name, like: kind, on: connection) {
            let isOurs = try SQLiteLedger.has(unit, of: request.dataset, on: connection)
            guard entry.kind == kind, isOurs || entry.sql.utf8.elementsEqual(sql.utf8) else {
                throw Failure(
                    .refused, "\(entry.kind.rawValue) \(entry.name) exists with another definition",
                    hint: "Drop it, or use --on-existing replace.")
            }
            return
        }
        // What was built here runs under the same rules: names and literals in it come from the
        // dataset.
        try SQLiteSchemaStatement.run(sql, kind, name, on: connection)
        if kind == .virtualTable {
            try SQLiteSchemaSurgery(connection).addVirtualTable(name, sql: sql)
        }
        _ = try SQLiteLedger.enter(unit, of: request.dataset, on: connection)
    }

    private func makeOwn(_ name: Name, on connection: SQLiteConnection) throws(Failure) {
        guard try SQLiteSchemaEntry.find(name, like: .table, on: connection) == nil else { return }
        try SQLiteSchemaSurgery(connection).addOwnTable(name)
        let unit = SQLiteUnit.step(.table, name)
        _ = try SQLiteLedger.enter(unit, of: request.dataset, on: connection)
    }
}

/// What is no object: rows of SQLite's own tables, and the file's header.
extension SQLiteSchemaSteps {
    /// Whether all that is in the file was made by this dataset.
    private func ownsFile(_ found: SQLiteSurvey) -> Bool {
        let units = found.units(of: request.dataset)
        return found.entries.allSatisfy { entry in
            entry.name.isSluice || entry.name.folded.utf8.starts(with: "sqlite_".utf8)
                || units.contains(Name(SQLiteUnit.step(entry.kind, entry.name)))
        }
    }

    /// Replaces the rows by the source's, in their order; of a file that others use, too, only
    /// those about our tables.
    private func putRows(
        of tables: [Name], on connection: SQLiteConnection
    ) throws(Failure) {
        guard let settings else { return }
        let found = try SQLiteSurvey(connection)
        let isAlone = ownsFile(found)
        for system in settings.systemRows where tables.contains(system.name.folded) {
            guard found.entry(system.name, like: .table) != nil else { continue }
            let name = system.name.quoted
            let count = try SQLiteTableFacts(system.name, on: connection).columns.count
            let rows = system.rows.filter { $0.count == count && plan.keeps(rowAbout: $0[0]) }
            if isAlone {
                try connection.execute("DELETE FROM \(name)")
            } else {
                let column = system.name.folded == "sqlite_sequence" ? "name" : "tbl"
                let old = try connection.prepare("DELETE FROM \(name) WHERE \(column) IS ?1")
                for row in rows {
                    try old.bind(row[0], at: 1)
                    try old.run()
                }
            }
            let places = (1...max(count, 1)).map { "?\($0)" }.joined(separator: ", ")
            let new = try connection.prepare("INSERT INTO \(name) VALUES(\(places))")
            for row in rows {
                for (index, value) in row.enumerated() { try new.bind(value, at: index + 1) }
                try new.run()
            }
        }
    }

    private func putSettings(on connection: SQLiteConnection) throws(Failure) {
        guard let settings, ownsFile(try SQLiteSurvey(connection)) else { return }
        try connection.execute(
            """
            PRAGMA application_id = \(settings.applicationID);
            PRAGMA user_version = \(settings.userVersion)
            """)
    }
}
