internal import SluiceCore
internal import SluiceRecords

/// Tries records against the columns of a MySQL table, as it is or as it would be made.
final class MySQLValueCheck: ValueCheck {
    private let request: LoadRequest
    private let connection: MySQLConnection
    private let packetBytes: Int
    private let builders: [TableName: TablePlan]
    private var columns: [MySQLColumnTrial] = []
    private var checks: [MySQLCheck] = []
    private var judge: MySQLRowJudge
    private var isJudging = false
    /// Of the rows that the judge has: their numbers and starts.
    private var judged: [(row: Int, start: Int)] = []
    private var keys: [MySQLLooseKey] = []
    private var output = ByteBuffer(capacity: 64 << 10)
    private(set) var omissions: [String] = []
    private var table: TableName?

    init(_ request: LoadRequest, on connection: MySQLConnection) throws(Failure) {
        self.request = request
        self.connection = connection
        builders = Dictionary(request.tables.map { ($0.table, $0) }) { first, _ in first }
        packetBytes = try connection.integer("SELECT @@max_allowed_packet") ?? 1 << 20
        judge = MySQLRowJudge([], sending: [], packetBytes: packetBytes, on: connection)
        // A value that is not understood is what is looked for, and no error.
        let mode = MySQLSettings.sqlMode.replacing("STRICT_ALL_TABLES,", with: "")
        try connection.execute("SET SESSION sql_mode = '\(mode)'")
        try connection.execute("SET SESSION TRANSACTION READ ONLY")
    }

    var looseKeys: [LooseKey] { keys.map(\.key) }

    func open(_ plan: TablePlan) throws(Failure) {
        table = plan.table
        checks = []
        keys = []
        omissions = []
        switch request.onExisting {
        case .refuse, .replace: openMade(plan)
        case .use, .truncate: try openExisting(plan)
        }
        let checked = Set(checks.flatMap(\.columns))
        let sent = columns.indices.filter {
            columns[$0].isStored && (columns[$0].condition("c") != nil || checked.contains($0))
        }
        isJudging = !sent.isEmpty
        judge = MySQLRowJudge(columns, sending: sent, packetBytes: packetBytes, on: connection)
        for check in checks where !judge.canCheck(check) {
            omissions.append("constraint \(check.name) of table \(plan.table) is not looked at")
        }
        checks.removeAll { !judge.canCheck($0) }
    }

    private func openMade(_ plan: TablePlan) {
        let isMariaDB = connection.flavor.isMariaDB
        let isTrusted = request.trustedSchema != nil
        let made = MySQLSchemaBuilder(plan, of: builders, in: request, connection.flavor).columns()
        columns = plan.schema.fields.map { field in
            let column = made[field.name]
            return MySQLColumnTrial(
                field, declared: isTrusted ? field.declared : column?.declared ?? field.declared,
                isNotNull: column?.isRequired == true, isMariaDB: isMariaDB)
        }
    }

    private func openExisting(_ plan: TablePlan) throws(Failure) {
        guard let table = try MySQLTargetTable.find(plan.table, on: connection) else {
            throw Failure(.refused, "table \(plan.table) does not exist")
        }
        let isMariaDB = connection.flavor.isMariaDB
        columns = []
        for field in plan.schema.fields {
            guard !field.isRowid else {
                columns.append(
                    MySQLColumnTrial(
                        field, declared: "bigint", isNotNull: false, isMariaDB: isMariaDB))
                continue
            }
            guard let column = table.column(field.name) else {
                throw Failure(.refused, "table \(plan.table) has no column \(field.name)")
            }
            columns.append(MySQLColumnTrial(field, in: column, isMariaDB: isMariaDB))
        }
        checks = try MySQLCheck.all(of: table.name, columns, on: connection)
        let found = try MySQLLooseKey.all(
            of: table.name, plan, columns, packetBytes: packetBytes, on: connection)
        keys = found.keys
        omissions += found.omissions
        let parts = try connection.integer(
            """
            SELECT COUNT(*) FROM information_schema.PARTITIONS WHERE TABLE_SCHEMA = DATABASE()
            AND TABLE_NAME = \(table.name.literal) AND PARTITION_NAME IS NOT NULL
            """)
        if parts != 0 {
            omissions.append(
                "whether each row of table \(plan.table) has a partition is not looked at")
        }
    }

    func look(at batch: borrowing Batch, report: (ValueMisfit) -> Void) throws(Failure) {
        judge.removeAll()
        judged.removeAll(keepingCapacity: true)
        var cursor = RecordCursor(batch.bytes.bytes)
        for row in 0..<batch.rowCount {
            let start = cursor.position
            output.removeAll(keepingAtMost: 1 << 20)
            var isRefused = false
            for index in columns.indices {
                guard let refusal = try columns[index].refusal(&cursor, &output) else { continue }
                isRefused = true
                report(misfit(row, start, index, refusal))
            }
            guard isJudging, !isRefused else { continue }
            try judge.append(cursor.read(since: start))
            judged.append((row, start))
            if judge.isFull { try ask(report) }
        }
        if isJudging { try ask(report) }
    }

    private func ask(_ report: (ValueMisfit) -> Void) throws(Failure) {
        defer {
            judge.removeAll()
            judged.removeAll(keepingCapacity: true)
        }
        guard !judge.isTooLarge else {
            note(
                "rows of table \(table?.description ?? "") that are larger than the server's"
                    + " max_allowed_packet are not looked at by the server")
            return
        }
        try judge.judge(checks) { place, column, check in
            let (row, start) = judged[place]
            if let column {
                report(misfit(row, start, column, columns[column].judgement))
            } else if let check {
                report(ValueMisfit(row: row, start: start, field: nil, failure: check.failure))
            }
        }
    }

    private func note(_ line: String) {
        if !omissions.contains(where: { $0.utf8.elementsEqual(line.utf8) }) {
            omissions.append(line)
        }
    }

    private func misfit(
        _ row: Int, _ start: Int, _ column: Int, _ refusal: MySQLRefusal
    ) -> ValueMisfit {
        ValueMisfit(
            row: row, start: start, field: column,
            failure: refusal.failure(in: columns[column].field.name))
    }

    func fold(
        _ batch: borrowing Batch, by key: Int, into folds: inout KeyFolds
    ) throws(Failure) {
        try keys[key].fold(batch, into: &folds)
    }

    func close() {
        connection.close()
    }
}
