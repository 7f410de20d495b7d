internal import SluiceCore
internal import SluiceRecords
internal import Synchronization

/// Does the schema work of one request. Shared by its lanes.
final class PostgresSchemaSteps: Sendable {
    /// How many steps are done in one transaction, so that its locks find room in the server.
    private static let groupLimit = 200

    let request: LoadRequest
    let plan: PostgresSchemaPlan
    private let places: [Name: Int]
    /// What this process knows to be done.
    private let done = Mutex<Set<Int>>([])
    /// What is being done, by the number of the server's process that does it.
    private let inWork = Mutex<[Int: Int]>([:])

    init(_ request: LoadRequest) {
        self.request = request
        plan = PostgresSchemaPlan(request)
        places = plan.places
    }

    /// Does a step, or nothing where it is done. Goes on with those behind it that belong to the
    /// same group: a commit costs more than a small table.
    func perform(_ step: LoadStep, on connection: PostgresConnection) throws(Failure) {
        guard let place = places[Name(step.name)] else {
            throw Failure(.bug, "\(step.name) is no step of this request")
        }
        guard !done.withLock({ $0.contains(place) }) else { return }
        let process = connection.processID
        inWork.withLock { $0[process] = place }
        defer { inWork.withLock { $0[process] = nil } }
        // Two lanes may each hold what the other waits for; the server ends one of them.
        var attempts = 0
        while true {
            do throws(Failure) {
                try performOnce(place, on: connection)
                return
            } catch {
                attempts += 1
                guard error.code == "40P01", attempts < 10 else { throw error }
            }
        }
    }

    var isAtWork: Bool { inWork.withLock { !$0.isEmpty } }

    /// How far the steps in work are, by the server's views of progress.
    func details(
        on connection: PostgresConnection
    ) throws(Failure) -> [(step: String, detail: String)] {
        let inWork = inWork.withLock { $0 }
        return try PostgresStepProgress.all(on: connection).compactMap { process, detail in
            inWork[process].map { (plan.items[$0].step.name, detail) }
        }
    }

    private func performOnce(
        _ place: Int, on connection: PostgresConnection
    ) throws(Failure) {
        let item = plan.items[place]
        switch item.work {
        case .statements where item.step.tables.isEmpty:
            try performGroup(from: place, on: connection)
            return
        case .statements(let statements):
            try enter(item, on: connection) { () throws(Failure) in
                try run(statements, on: connection)
            }
        case .unique(let constraint): try make(constraint, item, on: connection)
        case .foreignKey(let key): try make(key, item, on: connection)
        case .index(let index, let sql):
            try connection.inTransaction { () throws(Failure) in
                try lockOut(item, on: connection)
                guard try PostgresTargetTable.number(of: index, on: connection) == nil else {
                    return
                }
                try run(sql, on: connection)
            }
        case .counters(let counters): try count(counters, item, on: connection)
        }
        done.withLock { _ = $0.insert(place) }
    }

    /// Steps that name no tables and follow each other, in one transaction. Where one fails that
    /// nobody has asked for yet, those before it are done again without it.
    private func performGroup(
        from first: Int, on connection: PostgresConnection
    ) throws(Failure) {
        let phase = plan.items[first].step.phase
        var end = first
        while end < plan.items.count, end - first < PostgresSchemaSteps.groupLimit,
            plan.items[end].step.phase == phase, plan.items[end].isGroupable
        {
            end += 1
        }
        var failed = first
        do throws(Failure) {
            try connection.inTransaction { () throws(Failure) in
                for place in first..<end {
                    failed = place
                    try performWithin(place, on: connection)
                }
            }
        } catch {
            guard failed > first, connection.isOpen, connection.stop.reason == nil else {
                throw error
            }
            end = failed
            try connection.inTransaction { () throws(Failure) in
                for place in first..<end { try performWithin(place, on: connection) }
            }
        }
        let last = end
        done.withLock { $0.formUnion(first..<last) }
    }

    private func performWithin(
        _ place: Int, on connection: PostgresConnection
    ) throws(Failure) {
        let item = plan.items[place]
        guard case .statements(let statements) = item.work else { return }
        guard try note(item, on: connection) else { return }
        if case .schema(let name) = item.effect,
            try connection.boolean(
                "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)", [name])
        {
            try run(Array(statements.dropFirst()), on: connection)
        } else {
            try run(statements, on: connection)
        }
    }

    /// One step in a transaction of its own, which its ledger row is part of.
    private func enter(
        _ item: PostgresSchemaPlan.Item, on connection: PostgresConnection,
        _ body: () throws(Failure) -> Void
    ) throws(Failure) {
        try connection.inTransaction { () throws(Failure) in
            guard try note(item, on: connection) else { return }
            try body()
        }
    }

    /// Writes the step's ledger row; false where it is there already.
    private func note(
        _ item: PostgresSchemaPlan.Item, on connection: PostgresConnection
    ) throws(Failure) -> Bool {
        try PostgresLedger.enter(
            PostgresUnit.step(item.step.name), of: request.dataset, undoing: item.drop?.sql,
            on: connection)
    }

    private func run(
        _ statements: [String], on connection: PostgresConnection
    ) throws(Failure) {
        for sql in statements { try connection.execute(sql) }
    }
}

/// Work whose state is in the server's catalogue.
extension PostgresSchemaSteps {
    /// Another machine that does the same step waits until this one is through with it.
    private func lockOut(
        _ item: PostgresSchemaPlan.Item, on connection: PostgresConnection
    ) throws(Failure) {
        _ = try connection.query(
            "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))",
            ["sluice \(request.dataset) \(item.step.name)"])
    }

    private func make(
        _ constraint: PostgresUniqueConstraint, _ item: PostgresSchemaPlan.Item,
        on connection: PostgresConnection
    ) throws(Failure) {
        let index = TableName(schema: constraint.table.schema, constraint.name)
        guard try !has(constraint.name, of: constraint.table, on: connection) else { return }
        guard let parts = constraint.parts else {
            try connection.inTransaction { () throws(Failure) in
                try lockOut(item, on: connection)
                guard try !has(constraint.name, of: constraint.table, on: connection) else {
                    return
                }
                try run(constraint.settings + [constraint.whole], on: connection)
            }
            return
        }
        // In two transactions: the index is built beside others, the constraint needs the table to
        // itself for a moment, and whoever held the one and waited for the other would block.
        try connection.inTransaction { () throws(Failure) in
            try lockOut(item, on: connection)
            guard try PostgresTargetTable.number(of: index, on: connection) == nil else { return }
            try run(constraint.settings + [parts.index], on: connection)
        }
        try connection.inTransaction { () throws(Failure) in
            try lockOut(item, on: connection)
            guard try !has(constraint.name, of: constraint.table, on: connection) else { return }
            try run([parts.constraint], on: connection)
        }
    }

    private func make(
        _ key: PostgresForeignKey, _ item: PostgresSchemaPlan.Item,
        on connection: PostgresConnection
    ) throws(Failure) {
        let table = try PostgresTargetTable.find(key.table, on: connection)
        // The server does not know NOT VALID for partitioned tables; tables without rows have
        // nothing to validate.
        let isWhole =
            key.isNotValid || table?.isPartitioned == true || item.step.phase == .tables
        try connection.inTransaction { () throws(Failure) in
            try lockOut(item, on: connection)
            guard try !has(key.name, of: key.table, on: connection) else { return }
            try run([isWhole ? key.sql : key.sql + " NOT VALID"], on: connection)
        }
        guard !isWhole else { return }
        do throws(Failure) {
            try run(
                ["ALTER TABLE \(key.table.quoted) VALIDATE CONSTRAINT \(key.name.quoted)"],
                on: connection)
        } catch {
            // Another engine may not have looked at its own foreign keys. Such rows are kept as
            // they are, the constraint holds for new ones, and `verify` complains.
            guard error.code == "23503", request.trustedSchema == nil else { throw error }
        }
    }

    private func has(
        _ constraint: Name, of table: TableName, on connection: PostgresConnection
    ) throws(Failure) -> Bool {
        try connection.boolean(
            """
            SELECT EXISTS (SELECT FROM pg_constraint AS k JOIN pg_class AS c ON c.oid = k.conrelid
            JOIN pg_namespace AS n ON n.oid = c.relnamespace
            WHERE n.nspname = $1 AND c.relname = $2 AND k.conname = $3)
            """, [(table.schema ?? "public").text, table.table.text, constraint.text])
    }

    private func count(
        _ counters: [PostgresCounter], _ item: PostgresSchemaPlan.Item,
        on connection: PostgresConnection
    ) throws(Failure) {
        try connection.inTransaction { () throws(Failure) in
            for counter in counters {
                // Tables that were here before may number themselves in another way.
                let isHere = try connection.boolean(
                    "SELECT to_regclass($1) IS NOT NULL", [counter.sequence.quoted])
                if isHere { try run([counter.sql], on: connection) }
            }
        }
    }
}

extension PostgresSchemaPlan.Item {
    enum Effect {
        case schema(String)
        case other
    }

    /// A schema may be there already, `public` for one.
    var effect: Effect {
        guard case .statements(let statements) = work, let first = statements.first else {
            return .other
        }
        let statement = PostgresStatement(first)
        guard statement.begins(with: "CREATE", "SCHEMA"), let name = statement.plainName(at: 2)
        else { return .other }
        return .schema(name)
    }

    fileprivate var isGroupable: Bool {
        guard case .statements = work else { return false }
        return step.tables.isEmpty
    }
}
