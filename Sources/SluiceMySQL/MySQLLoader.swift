internal import SluiceCore
internal import SluiceRecords

/// Puts records into one table of a target. Belongs to one lane.
final class MySQLLoader {
    /// How many bytes are made of records at a time.
    static let portion = 256 << 10

    let plan: TablePlan
    let isTransactional: Bool
    /// Nothing where messages must not show keys.
    private let names: RowName?
    let connection: MySQLConnection
    private let statement: MySQLLoadStatement
    private let writer: MySQLRowWriter
    let arrayWriter: MySQLRowWriter
    /// Where rows go in by arrays.
    let arrays: MySQLArrays?
    /// What the server takes as one statement.
    let packetBytes: Int
    private var output = ByteBuffer(capacity: 512 << 10)
    /// How many labels without a word were sent, each of which the server warns of.
    var wordless = 0

    init(
        _ plan: TablePlan, in request: LoadRequest, on connection: MySQLConnection,
        takesLines: Bool, takesArrays: Bool = true
    ) throws(Failure) {
        self.plan = plan
        names = request.hidesKeys ? nil : RowName(plan)
        self.connection = connection
        guard let table = try MySQLTargetTable.find(plan.table, on: connection), table.isTable
        else { throw Failure(.refused, "table \(plan.table) does not exist") }
        isTransactional = table.isTransactional
        if table.isVersioned { try MySQLLoader.checkHistory(of: plan, on: connection) }
        var columns: [MySQLTargetColumn] = []
        var fields: [MySQLFieldWriting] = []
        for field in plan.schema.fields {
            guard !field.isRowid else {
                fields.append(MySQLFieldWriting(field, in: .other))
                continue
            }
            guard let column = table.column(field.name) else {
                throw Failure(.refused, "table \(plan.table) has no column \(field.name)")
            }
            guard column.fits(field, request) else { throw column.misfit(field, plan.table) }
            columns.append(column)
            fields.append(MySQLFieldWriting(field, in: column.storage))
        }
        let isAllowed = try connection.integer("SELECT @@local_infile") == 1
        let usesLines = takesLines && isAllowed
        // Beside the statement a packet has a few bytes of its own.
        packetBytes = (try connection.integer("SELECT @@max_allowed_packet") ?? 1 << 20) - 1024
        statement = MySQLLoadStatement(
            plan.table, columns, fields.filter { $0.form != .nothing }.map(\.form),
            connection.flavor, usesLines: usesLines)
        writer = MySQLRowWriter(
            fields, as: usesLines ? .lines : .rows,
            sendsHexadecimal: !connection.flavor.takesBytesInLines)
        arrayWriter = MySQLRowWriter(fields, as: .values, sendsHexadecimal: false)
        // Without transactions rows of an array that failed would stay.
        let mayBind = takesArrays && !usesLines && isTransactional
        if mayBind, try connection.takesArrays {
            arrays = try statement.arrays(on: connection)
        } else {
            arrays = nil
        }
    }

    /// Former versions of rows are rows like others, where the server lets them in.
    private static func checkHistory(
        of plan: TablePlan, on connection: MySQLConnection
    ) throws(Failure) {
        guard plan.details["period"] != nil else { return }
        guard connection.flavor.takesHistory else {
            throw Failure(
                .refused,
                "table \(plan.table) has former versions of rows, which "
                    + "\(connection.flavor.product) \(connection.flavor.text) does not take",
                hint: "MariaDB 10.11 and newer do; or leave the table out.")
        }
    }

    /// Loads everything, within the open transaction.
    func load(
        _ records: any RecordSource, _ batch: inout Batch, stop: StopSignal
    ) throws(Failure) -> Digest {
        wordless = 0
        output.removeAll(keepingAtMost: 1 << 20)
        if let arrays { return try bind(records, &batch, to: arrays, stop) }
        return statement.usesLines
            ? try loadLines(records, &batch, stop) : try insert(records, &batch, stop)
    }

    /// Appends records until there are `limit` bytes or no more of them, and says how many.
    ///
    /// - Parameter row: the number of the first among those of the shard.
    fileprivate func write(
        _ batch: borrowing Batch, from cursor: inout RecordCursor, atMost count: Int, row: Int,
        to output: inout ByteBuffer, until limit: Int
    ) throws(Failure) -> Int {
        var written = 0
        while written < count, output.count < limit {
            let start = cursor.position
            if let problem = try writer.append(&cursor, to: &output, wordless: &wordless) {
                throw refusal(problem, row: row &+ written, from: start, in: batch)
            }
            written &+= 1
        }
        return written
    }

    func refusal(
        _ problem: (field: Int, refusal: MySQLRefusal), row: Int, from start: Int,
        in batch: borrowing Batch
    ) -> Failure {
        let column = plan.schema.fields[problem.field].name
        return problem.refusal.failure(in: column).refusing(row: row)
            .during(place(of: row, from: start, in: batch))
    }

    /// `loading row 17 (id = 7) of orders`.
    private func place(of row: Int, from start: Int, in batch: borrowing Batch) -> String {
        let record = UnsafeRawBufferPointer(rebasing: batch.bytes.bytes[start...])
        // What made the row fail may be that its record cannot be read.
        let name = try? names?.text(of: record)
        return "loading row \(row)\(name.map { " (\($0))" } ?? "") of \(plan.table)"
    }
}

// MARK: LOAD DATA

extension MySQLLoader {
    private func loadLines(
        _ records: any RecordSource, _ batch: inout Batch, _ stop: StopSignal
    ) throws(Failure) -> Digest {
        let lines = MySQLLines(records, self, fieldCount: plan.schema.fields.count, stop)
        let counts = try connection.load(statement.load, from: lines)
        let rowCount = lines.digest.rowCount
        if counts.records == rowCount, counts.skipped == 0, counts.deleted == 0,
            counts.warnings == wordless, try onlyWordless()
        {
            return lines.digest
        }
        if let refusal = try warned() { throw refusal }
        throw Failure(
            .failed,
            "the server took \(counts.records - counts.skipped) rows of \(rowCount) into"
                + " \(plan.table)")
    }

    /// Whether all that the server warned of are labels that are none.
    private func onlyWordless() throws(Failure) -> Bool {
        guard wordless > 0 else { return true }
        let labels = Set(statement.labels.map(\.text))
        let warnings = try connection.query("SHOW WARNINGS")
        for row in warnings.rows {
            guard warnings.integer(row, 1) == 1265,
                let column = MySQLFailure.column(warnings.text(row, 2)), labels.contains(column)
            else { return false }
        }
        return true
    }

    /// The first of the server's warnings that is about a value, with its row.
    private func warned() throws(Failure) -> Failure? {
        let labels = Set(statement.labels.map(\.text))
        let warnings = try connection.query("SHOW WARNINGS")
        for row in warnings.rows {
            let (number, message) = (warnings.integer(row, 1), warnings.text(row, 2))
            if number == 1265, wordless > 0,
                let column = MySQLFailure.column(message), labels.contains(column)
            {
                continue
            }
            var failure = MySQLFailure.make(
                number, message: message, place: connection.place, stop: nil)
            if failure.row == nil, connection.flavor.tellsRows {
                failure = failure.at(row: try rowOfCondition(row + 1))
            }
            return MySQLLoader.isRowRefused(number)
                ? failure.asKind(.refused).refusing(row: failure.row) : failure
        }
        return nil
    }

    /// Whether the number is about a row's values, so that others may be taken without it.
    static func isRowRefused(_ number: Int) -> Bool {
        switch number {
        // NULL, duplicates, CHECKs, and values that do not fit in one way or another.
        case 1048, 1062, 1216, 1452, 1586, 1859, 4025, 3819, 1264, 1265, 1292, 1366, 1300, 1406,
            1411, 1416,
            1367, 1690, 1526, 1748, 3140, 4078, 4079, 1118, 1301, 1644, 1364, 1263:
            true
        // What MariaDB's JSON functions say of a text that is none, or is nested too deep.
        case 4035...4040: true
        default: false
        }
    }

    private func rowOfCondition(_ number: Int) throws(Failure) -> Int? {
        try connection.execute("GET DIAGNOSTICS CONDITION \(number) @sluice_row = ROW_NUMBER")
        let row = try connection.integer("SELECT @sluice_row") ?? 0
        return row > 0 ? row : nil
    }
}

/// The lines of a `LOAD DATA` as libmariadb asks for them.
private final class MySQLLines: MySQLLocalData {
    private let records: any RecordSource
    private let loader: MySQLLoader
    private let stop: StopSignal
    private var batch: Batch
    private var output = ByteBuffer(capacity: 512 << 10)
    private var sent = 0
    private var hasMore = true
    private(set) var digest = Digest.empty

    init(
        _ records: any RecordSource, _ loader: MySQLLoader, fieldCount: Int, _ stop: StopSignal
    ) {
        self.records = records
        self.loader = loader
        self.stop = stop
        batch = Batch(fieldCount: fieldCount)
    }

    func read(into room: UnsafeMutableRawBufferPointer) throws(Failure) -> Int {
        while sent == output.count {
            guard hasMore else { return 0 }
            try stop.check()
            output.removeAll(keepingAtMost: 1 << 20)
            sent = 0
            batch.removeAll()
            hasMore = try records.fill(&batch, byteGoal: MySQLLoader.portion)
            var cursor = RecordCursor(batch.bytes.bytes)
            _ = try loader.write(
                batch, from: &cursor, atMost: batch.rowCount, row: digest.rowCount + 1,
                to: &output, until: Int.max)
            guard cursor.isAtEnd else { throw loader.overlong }
            digest += batch.digest
        }
        let count = min(room.count, output.count &- sent)
        room.copyMemory(
            from: UnsafeRawBufferPointer(rebasing: output.bytes[sent..<sent &+ count]))
        sent &+= count
        return count
    }
}

// MARK: INSERT

extension MySQLLoader {
    /// A statement has at most so many bytes, unless one row needs more.
    private static let statementBytes = 768 << 10

    private func insert(
        _ records: any RecordSource, _ batch: inout Batch, _ stop: StopSignal
    ) throws(Failure) -> Digest {
        var digest = Digest.empty
        var pending = 0
        var hasMore = true
        output.append(statement.insert)
        while hasMore {
            try stop.check()
            batch.removeAll()
            hasMore = try records.fill(&batch, byteGoal: MySQLLoader.portion)
            var cursor = RecordCursor(batch.bytes.bytes)
            var row = 0
            while row < batch.rowCount {
                let written = try write(
                    batch, from: &cursor, atMost: batch.rowCount - row,
                    row: digest.rowCount + row + 1, to: &output,
                    until: MySQLLoader.statementBytes)
                row += written
                pending += written
                guard output.count < packetBytes else {
                    throw overlarge(row: digest.rowCount + row)
                }
                if output.count >= MySQLLoader.statementBytes {
                    try send(pending, upTo: digest.rowCount + row)
                    pending = 0
                }
            }
            guard cursor.isAtEnd else { throw overlong }
            digest += batch.digest
        }
        if pending > 0 { try send(pending, upTo: digest.rowCount) }
        return digest
    }

    /// Sends so many rows of a batch by statements of their own.
    func insert(
        _ batch: borrowing Batch, from cursor: inout RecordCursor, _ count: Int, row first: Int
    ) throws(Failure) {
        output.removeAll()
        output.append(statement.insert)
        wordless = 0
        var done = 0
        var pending = 0
        while done < count {
            let written = try write(
                batch, from: &cursor, atMost: count - done, row: first + done, to: &output,
                until: MySQLLoader.statementBytes)
            done += written
            pending += written
            guard output.count < packetBytes else { throw overlarge(row: first + done - 1) }
            guard output.count >= MySQLLoader.statementBytes || done == count else { continue }
            try send(pending, upTo: first + done - 1)
            pending = 0
        }
    }

    private func overlarge(row: Int) -> Failure {
        Failure(
            .refused,
            "a row needs more than the \(packetBytes) bytes that the server takes at once",
            hint: "Raise max_allowed_packet or set local_infile=1 at the server."
        ).at(row: row).refusing(row: row)
    }

    var overlong: Failure {
        Failure(.bug, "a batch of \(plan.table) has not the rows that it says")
    }

    /// Sends the statement of so many rows and begins the next one.
    private func send(_ rowCount: Int, upTo last: Int) throws(Failure) {
        // The comma behind the last row.
        output.truncate(to: output.count - 1)
        // A label that is none is only taken where the mode is not strict.
        let isLenient = wordless > 0
        let mode = MySQLSettings.sqlMode
        defer { if isLenient { _ = try? connection.execute("SET SESSION sql_mode = '\(mode)'") } }
        do throws(Failure) {
            if isLenient {
                let lenient = mode.replacing("STRICT_ALL_TABLES,", with: "")
                try connection.execute("SET SESSION sql_mode = '\(lenient)'")
            }
            let changed = try connection.execute(output.bytes)
            guard changed == rowCount, connection.warningCount == wordless, try onlyWordless()
            else {
                if let refusal = try warned() { throw refusal }
                throw Failure(
                    .failed, "the server took \(changed) rows of \(rowCount) into \(plan.table)")
            }
        } catch {
            var row = error.row
            if row == nil, connection.isOpen, connection.flavor.tellsRows {
                row = try? rowOfCondition(1)
            }
            let number = error.code.flatMap { Int($0) } ?? 0
            guard MySQLLoader.isRowRefused(number) || error.refusesRow else { throw error }
            let place = row.map { last - rowCount + $0 }
            throw error.asKind(.refused).at(row: place).refusing(row: place)
        }
        wordless = 0
        output.removeAll()
        output.append(statement.insert)
    }
}

/// The statements that load a table.
struct MySQLLoadStatement {
    let usesLines: Bool
    let load: String
    /// Up to the first row.
    let insert: String
    /// With a parameter for each column, by arrays; nothing where a value may be of several types.
    private let bind: String?
    /// For each column, whether its values are no text.
    private let areBytes: [Bool]
    /// Columns that may hold a label that is none.
    let labels: [Name]

    /// - Parameter forms: one for each column.
    init(
        _ table: TableName, _ columns: [MySQLTargetColumn], _ forms: [MySQLFieldWriting.Form],
        _ flavor: MySQLFlavor, usesLines: Bool
    ) {
        self.usesLines = usesLines
        var list: [String] = []
        var changes: [String] = []
        var labels: [Name] = []
        for (place, column) in columns.enumerated() {
            let name = column.name.quoted
            switch forms[place] {
            case .bits:
                list.append("@v\(place)")
                changes.append("\(name) = CAST(@v\(place) AS UNSIGNED)")
            case .boolean where column.storage != .integer(bits: 8, isUnsigned: false):
                list.append("@v\(place)")
                changes.append("\(name) = CAST(@v\(place) AS UNSIGNED)")
            case .bytes where !flavor.takesBytesInLines:
                list.append("@v\(place)")
                changes.append("\(name) = UNHEX(@v\(place))")
            case .ordinal:
                list.append("@v\(place)")
                changes.append("\(name) = CAST(@v\(place) AS UNSIGNED)")
                labels.append(column.name)
            case .label:
                list.append(name)
                labels.append(column.name)
            default: list.append(name)
            }
        }
        self.labels = labels
        areBytes = forms.map {
            if case .bytes = $0 { return true }
            return false
        }
        let set = changes.isEmpty ? "" : " SET " + changes.joined(separator: ", ")
        load =
            "LOAD DATA LOCAL INFILE 'sluice' INTO TABLE \(table.table.quoted) CHARACTER SET utf8mb4"
            + " FIELDS TERMINATED BY '\\t' ESCAPED BY '\\\\' LINES TERMINATED BY '\\n'"
            + " (\(list.joined(separator: ", ")))\(set)"
        insert =
            "INSERT INTO \(table.table.quoted)"
            + " (\(columns.map(\.name.quoted).joined(separator: ", "))) VALUES "
        let parameters = zip(columns, forms).map { column, form in
            switch form {
            case .bits, .ordinal: "CAST(? AS UNSIGNED)"
            case .boolean where column.storage != .integer(bits: 8, isUnsigned: false):
                "CAST(? AS UNSIGNED)"
            default: "?"
            }
        }
        bind =
            forms.contains(.any) || forms.isEmpty
            ? nil : "\(insert)(\(parameters.joined(separator: ", ")))"
    }

    /// Nothing where the server does not prepare it, as what stands between may not.
    func arrays(on connection: MySQLConnection) throws(Failure) -> MySQLArrays? {
        guard let bind else { return nil }
        do throws(Failure) {
            return MySQLArrays(try connection.prepare(bind), areBytes: areBytes)
        } catch {
            guard connection.isOpen, error.kind == .failed else { throw error }
            return nil
        }
    }
}

extension MySQLTargetColumn {
    /// Whether it keeps every value of a field as it is, or says which it cannot.
    func fits(_ field: Field, _ request: LoadRequest) -> Bool {
        MySQLMapping.fit(
            field.type, in: storage,
            isSame: request.sourceEngine == MySQLTarget.engineName
                && field.declared.lowercased() == declared.lowercased()) == .exact
    }

    func misfit(_ field: Field, _ table: TableName) -> Failure {
        Failure(
            .refused,
            "column \(name) of table \(table) is declared \(declared), which would change values"
                + " of type \(field.type)")
    }
}
