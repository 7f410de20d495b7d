internal import SluiceCore
internal import SluiceRecords
internal import Synchronization

/// Does the schema work of one request. Shared by its lanes.
///
/// No statement of a schema can be part of a transaction here: the ledger is told before an object
/// is made, and what is there already is what the catalogue shows.
final class MySQLSchemaSteps: Sendable {
    let request: LoadRequest
    let plan: MySQLSchemaPlan
    private let places: [Name: Int]
    /// What this process knows to be done.
    private let done = Mutex<Set<Int>>([])

    init(_ request: LoadRequest, _ flavor: MySQLFlavor) {
        self.request = request
        plan = MySQLSchemaPlan(request, flavor)
        places = plan.places
    }

    /// Does a step, or nothing where it is done.
    func perform(_ step: LoadStep, on connection: MySQLConnection) throws(Failure) {
        guard let place = places[Name(step.name)] else {
            throw Failure(.bug, "\(step.name) is no step of this request")
        }
        guard !done.withLock({ $0.contains(place) }) else { return }
        // Two lanes may each hold what the other waits for; the server ends one of them. And what a
        // process that was killed had sent may be done between a look and the statement.
        var attempts = 0
        while true {
            do throws(Failure) {
                try connection.alone(for: "step \(step.name)") { () throws(Failure) in
                    try performOnce(plan.items[place], on: connection)
                }
                break
            } catch {
                attempts += 1
                guard error.isPassing, attempts < 10 else { throw error }
                Clock.sleep(.milliseconds(100))
            }
        }
        done.withLock { _ = $0.insert(place) }
    }

    private func performOnce(
        _ item: MySQLSchemaPlan.Item, on connection: MySQLConnection
    ) throws(Failure) {
        switch item.work {
        case .database(let characterSet, let collation):
            let its = try connection.text("SELECT @@collation_database")
            guard its != collation else { return }
            try connection.execute(
                "ALTER DATABASE CHARACTER SET \(characterSet) COLLATE \(collation)")
        case .table(let name, let sql), .sequence(let name, let sql):
            try note(item, on: connection)
            guard try !MySQLObjects.hasRelation(name, on: connection) else { return }
            try connection.execute(sql)
        case .count(let name, let sql):
            // Of tables that were here before there may be no sequences.
            guard try MySQLObjects.hasRelation(name, on: connection) else { return }
            try connection.execute(sql)
        case .keys(let table, let keys): try make(keys, of: table, on: connection)
        case .foreignKey(let table, let key): try make(key, of: table, on: connection)
        case .views(let views): try make(views, on: connection)
        case .code(let code):
            try note(item, on: connection)
            guard try !MySQLObjects.has(code.drop, on: connection) else { return }
            try make(code, on: connection)
        case .statistics(let table):
            // What it says of a table that it cannot look at is no reason to stop.
            _ = try connection.query("ANALYZE TABLE \(table.table.quoted)")
        }
    }

    /// Writes the step's ledger row, where it is not there.
    private func note(
        _ item: MySQLSchemaPlan.Item, on connection: MySQLConnection
    ) throws(Failure) {
        for (unit, drop) in item.units {
            _ = try MySQLLedger.enter(
                unit, of: request.dataset, undoing: drop?.sql, on: connection)
        }
    }

    private func make(
        _ keys: [MySQLTableText.Key], of table: TableName, on connection: MySQLConnection
    ) throws(Failure) {
        let there = try MySQLObjects.keys(of: table, on: connection)
        let missing = keys.filter { !there.contains($0.name) }
        let plain = missing.filter { !$0.isFulltext }.map { "ADD \($0.sql)" }
        if !plain.isEmpty { try alter(table, plain.joined(separator: ", "), connection) }
        for key in missing where key.isFulltext { try alter(table, "ADD \(key.sql)", connection) }
    }

    /// Without a look at the rows, which would copy the table: `verify` searches for those that the
    /// key contradicts.
    private func make(
        _ key: MySQLTableText.ForeignKey, of table: TableName, on connection: MySQLConnection
    ) throws(Failure) {
        guard try !MySQLObjects.foreignKeys(of: table, on: connection).contains(key.name) else {
            return
        }
        try alter(table, "ADD \(key.sql)", connection)
    }

    private func alter(
        _ table: TableName, _ change: String, _ connection: MySQLConnection
    ) throws(Failure) {
        try connection.execute("ALTER TABLE \(table.table.quoted) \(change)")
    }

    /// A view that reads another one is made behind it.
    private func make(
        _ views: [MySQLCode], on connection: MySQLConnection
    ) throws(Failure) {
        var open = views
        while !open.isEmpty {
            var left: [MySQLCode] = []
            var problem: Failure?
            for view in open {
                _ = try MySQLLedger.enter(
                    MySQLUnit.step("view \(view.name)"), of: request.dataset,
                    undoing: view.drop.sql, on: connection)
                guard try !MySQLObjects.hasRelation(view.name, on: connection) else { continue }
                do throws(Failure) {
                    try make(view, on: connection)
                } catch {
                    guard error.code == "1146" || error.code == "1356" else {
                        throw error.during("making view \(view.name)")
                    }
                    problem = problem ?? error.during("making view \(view.name)")
                    left.append(view)
                }
            }
            if let problem, left.count == open.count { throw problem }
            open = left
        }
    }

    /// Under the settings that it was made with, which it keeps.
    private func make(_ code: MySQLCode, on connection: MySQLConnection) throws(Failure) {
        guard let settings = code.settings else {
            try connection.execute(code.sql)
            return
        }
        var statement = ByteBuffer()
        statement.append(try bytes(of: code, on: connection))
        try connection.execute(settings)
        var problem: Failure?
        do throws(Failure) {
            try connection.execute(statement.bytes)
        } catch {
            problem = error
        }
        if connection.isOpen {
            for statement in MySQLSettings.statements(connection.flavor) {
                try connection.execute(statement)
            }
            try MySQLTargetSettings.apply(to: connection)
        }
        if let problem { throw problem }
    }
}

extension MySQLSchemaSteps {
    /// The statement in the character set that the server will read it in.
    private func bytes(
        of code: MySQLCode, on connection: MySQLConnection
    ) throws(Failure) -> [UInt8] {
        let bytes = Array(code.sql.utf8)
        guard let characterSet = code.characterSet else { return bytes }
        let own = "CONVERT(x'\(Hexadecimal.string(bytes))' USING utf8mb4)"
        let found = try connection.query(
            """
            SELECT HEX(CONVERT(\(own) USING \(characterSet))),
                HEX(CONVERT(CONVERT(\(own) USING \(characterSet)) USING utf8mb4)) = HEX(\(own))
            """)
        guard found.integer(0, 1) == 1, let made = Hexadecimal.bytes(found.text(0, 0).lowercased())
        else {
            throw Failure(
                .refused,
                "\(code.drop.description) has characters that its own character set"
                    + " \(characterSet) does not have",
                hint: "Make it anew in the source with SET NAMES utf8mb4.")
        }
        return made
    }
}

extension Failure {
    /// A deadlock, or an object that was not there a moment ago: table, key, routine, trigger,
    /// event.
    fileprivate var isPassing: Bool {
        ["1213", "1050", "1061", "1304", "1359", "1537", "1826"].contains(code)
    }
}

extension MySQLSchemaPlan.Item {
    /// The ledger's units of a step, each with what takes its object back.
    var units: [(unit: String, drop: MySQLDrop?)] {
        guard case .views = work else { return [(MySQLUnit.step(step.name), drops.first)] }
        return drops.map { (MySQLUnit.step("view \($0.name)"), $0) }
    }
}
