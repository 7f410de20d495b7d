internal import SluiceCore
internal import SluiceRecords

/// Tries records against the columns of a PostgreSQL table, as it is or as it would be made.
final class PostgresValueCheck: ValueCheck {
    private let request: LoadRequest
    private let connection: PostgresConnection
    private var columns: [PostgresColumnTrial] = []
    private var checks: [PostgresCheck] = []
    private var judge: PostgresRowJudge
    /// Of the rows that the judge has: their numbers and starts.
    private var judged: [(row: Int, start: Int)] = []
    private var isJudging = false
    private var keys: [PostgresLooseKey] = []
    private var output = ByteBuffer(capacity: 64 << 10)
    private(set) var omissions: [String] = []

    init(_ request: LoadRequest, on connection: PostgresConnection) throws(Failure) {
        self.request = request
        self.connection = connection
        judge = PostgresRowJudge([], names: [], sending: [], on: connection)
        try connection.execute(
            "SET search_path = ''; SET default_transaction_read_only = on")
    }

    var looseKeys: [LooseKey] { keys.map(\.key) }

    func open(_ plan: TablePlan) throws(Failure) {
        checks = []
        keys = []
        omissions = []
        // A database of another encoding may lack characters.
        let judgesText =
            try connection.text("SELECT pg_catalog.current_setting('server_encoding')") != "UTF8"
        let fields = plan.schema.fields
        numbers = fields.map { _ in 0 }
        switch request.onExisting {
        case .refuse, .replace:
            columns = fields.map {
                PostgresColumnTrial($0, made: plan.definition, request, judgesText: judgesText)
            }
        case .use, .truncate:
            try openExisting(plan, judgesText: judgesText)
        }
        let checked = Set(checks.flatMap(\.numbers))
        let numbers = numbers
        let sent = columns.indices.filter {
            columns[$0].isStored && (columns[$0].isJudged || checked.contains(numbers[$0]))
        }
        isJudging = !sent.isEmpty
        judge = PostgresRowJudge(
            columns, names: fields.map(\.name.asColumn), sending: sent, on: connection)
    }

    /// Of the columns, in the table that is there; 0 elsewhere.
    private var numbers: [Int] = []

    private func openExisting(_ plan: TablePlan, judgesText: Bool) throws(Failure) {
        guard let table = try PostgresTargetTable.find(plan.table.qualified, on: connection) else {
            throw Failure(.refused, "table \(plan.table) does not exist")
        }
        numbers = []
        columns = []
        for field in plan.schema.fields {
            guard !field.isRowid else {
                columns.append(
                    PostgresColumnTrial(
                        field, in: .int64, modifier: -1, type: "bigint", isNotNull: false,
                        isJudged: false))
                numbers.append(0)
                continue
            }
            guard let column = table.column(field.name) else {
                throw Failure(.refused, "table \(plan.table) has no column \(field.name)")
            }
            columns.append(
                PostgresColumnTrial(field, in: column, request, judgesText: judgesText))
            numbers.append(column.number)
        }
        if table.isPartitioned {
            omissions.append(
                "whether each row of table \(plan.table) has a partition is not looked at")
        }
        let known = Set(numbers)
        for check in try PostgresCheck.all(of: table, on: connection) {
            if check.numbers.isSubset(of: known) {
                checks.append(check)
            } else {
                omissions.append(
                    "constraint \(check.name) of table \(plan.table) is not looked at")
            }
        }
        let found = try PostgresLooseKey.all(
            of: table, plan, columns, numbers, request, on: connection)
        keys = found.keys
        omissions += found.omissions
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
        }
        guard isJudging, !judged.isEmpty else { return }
        try judge.judge(checks) { place, column, check throws(Failure) in
            let (row, start) = judged[place]
            if let check {
                report(ValueMisfit(row: row, start: start, field: nil, failure: check.failure))
            } else if let column {
                report(misfit(row, start, column, .type(columns[column].type)))
            } else {
                let failure = Failure(
                    .refused, "a constraint cannot be looked at",
                    hint: "Correct the row in the source, or drop the target's constraint.")
                report(ValueMisfit(row: row, start: start, field: nil, failure: failure))
            }
        }
    }

    private func misfit(
        _ row: Int, _ start: Int, _ column: Int, _ refusal: PostgresRefusal
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
