internal import SluiceCore
internal import SluiceRecords

/// Asks the server about values that only it can judge: characters of its sets, JSON, CHECK
/// constraints, and what its collations make of texts. Queries alone, over literals.
struct MySQLRowJudge: ~Copyable {
    private let connection: MySQLConnection
    private let columns: [MySQLColumnTrial]
    /// Whose values are sent.
    private let sent: [Int]
    /// What the server takes as one statement.
    private let packetBytes: Int
    /// `(0,'a',1),(1,'b',2),`
    private var rows = ByteBuffer(capacity: 64 << 10)
    private var form = ByteBuffer()
    private(set) var rowCount = 0

    init(
        _ columns: [MySQLColumnTrial], sending sent: [Int], packetBytes: Int,
        on connection: MySQLConnection
    ) {
        self.columns = columns
        self.sent = sent
        self.connection = connection
        self.packetBytes = packetBytes
    }

    mutating func removeAll() {
        rows.removeAll(keepingAtMost: 1 << 20)
        rowCount = 0
    }

    /// Whether the rows should be looked at before others are added.
    var isFull: Bool { rows.count >= min(512 << 10, packetBytes / 2) }
    /// Whether the server would not take them.
    var isTooLarge: Bool { rows.count >= packetBytes - (64 << 10) }

    /// Adds a record's values as literals.
    mutating func append(_ record: UnsafeRawBufferPointer) throws(Failure) {
        var cursor = RecordCursor(record)
        var next = 0
        rows.append(connection.flavor.isMariaDB ? "(\(rowCount)" : "ROW(\(rowCount)")
        for index in columns.indices {
            form.removeAll()
            var wordless = 0
            _ = try columns[index].writer.append(&cursor, to: &form, wordless: &wordless)
            guard next < sent.count, sent[next] == index else { continue }
            // Without the brackets and the comma around it.
            rows.append(",")
            rows.append(UnsafeRawBufferPointer(rebasing: form.bytes.dropFirst().dropLast(2)))
            next += 1
        }
        rows.append("),")
        rowCount += 1
    }

    /// `WITH r(place, c0) AS (VALUES (0,'a')) SELECT … FROM r …`
    private func statement(_ selected: String, _ rest: String) -> ByteBuffer {
        let names = sent.indices.map { ", c\($0)" }.joined()
        var output = ByteBuffer(capacity: rows.count + 1024)
        output.append("WITH r(place\(names)) AS (VALUES ")
        output.append(UnsafeRawBufferPointer(rebasing: rows.bytes.dropLast()))
        output.append(") SELECT \(selected) FROM \(rest)")
        return output
    }

    /// Calls `refuse` with each row that the server does not take, and the column where it is one.
    func judge(
        _ checks: [MySQLCheck], refuse: (Int, Int?, MySQLCheck?) -> Void
    ) throws(Failure) {
        guard rowCount > 0 else { return }
        var conditions: [String] = []
        var judged: [Int] = []
        for (place, index) in sent.enumerated() {
            guard let condition = columns[index].condition("c\(place)") else { continue }
            conditions.append("(\(condition)) IS FALSE")
            judged.append(index)
        }
        if !conditions.isEmpty {
            let any = conditions.joined(separator: " OR ")
            let text = statement(
                (["place"] + conditions).joined(separator: ", "), "r WHERE \(any)")
            let found = try connection.query(text.bytes)
            for line in found.rows {
                for (place, column) in judged.enumerated() where found.integer(line, place + 1) == 1
                {
                    refuse(found.integer(line, 0), column, nil)
                }
            }
        }
        for check in checks {
            let text = statement("place", source(check) + " WHERE (\(check.condition)) IS FALSE")
            let found = try connection.query(text.bytes)
            for line in found.rows { refuse(found.integer(line, 0), nil, check) }
        }
    }

    /// The rows as the table would have them, for what a constraint looks at.
    private func source(_ check: MySQLCheck) -> String {
        var values = ["place"]
        for (place, index) in sent.enumerated() where check.columns.contains(index) {
            values.append(
                "\(columns[index].value("c\(place)") ?? "c\(place)") AS \(columns[index].name.quoted)"
            )
        }
        return "(SELECT \(values.joined(separator: ", ")) FROM r) AS t"
    }

    /// What expressions over the sent columns give, a row each.
    func values(of expressions: [String]) throws(Failure) -> MySQLResult {
        let text = statement(expressions.joined(separator: ", "), "r ORDER BY place")
        return try connection.query(text.bytes)
    }

    /// Whether the server can carry out a constraint in a query at all.
    func canCheck(_ check: MySQLCheck) -> Bool {
        let names = sent.indices.map { ", c\($0)" }.joined()
        let nulls = sent.map { _ in ",NULL" }.joined()
        let row = connection.flavor.isMariaDB ? "(0\(nulls))" : "ROW(0\(nulls))"
        let sql =
            "WITH r(place\(names)) AS (VALUES \(row)) SELECT place FROM \(source(check))"
            + " WHERE (\(check.condition)) IS FALSE"
        return (try? connection.query(sql)) != nil
    }
}

/// A CHECK constraint of a table that is there.
struct MySQLCheck: Sendable {
    let name: Name
    let condition: String
    /// Of the trial's columns, those that it may look at.
    let columns: Set<Int>

    static func all(
        of table: Name, _ columns: [MySQLColumnTrial], on connection: MySQLConnection
    ) throws(Failure) -> [MySQLCheck] {
        let sql =
            connection.flavor.isMariaDB
            ? """
            SELECT CONSTRAINT_NAME, CHECK_CLAUSE FROM information_schema.CHECK_CONSTRAINTS
            WHERE CONSTRAINT_SCHEMA = DATABASE() AND TABLE_NAME = \(table.literal)
            ORDER BY CONSTRAINT_NAME
            """
            : """
            SELECT c.CONSTRAINT_NAME, c.CHECK_CLAUSE FROM information_schema.CHECK_CONSTRAINTS AS c
            JOIN information_schema.TABLE_CONSTRAINTS AS t USING (CONSTRAINT_SCHEMA, CONSTRAINT_NAME)
            WHERE CONSTRAINT_SCHEMA = DATABASE() AND t.TABLE_NAME = \(table.literal)
                AND t.ENFORCED = 'YES' ORDER BY CONSTRAINT_NAME
            """
        let found = try connection.query(sql)
        var checks: [MySQLCheck] = []
        for row in found.rows {
            let condition = found.text(row, 1)
            let used = columns.indices.filter {
                columns[$0].isStored && condition.contains(columns[$0].name.quoted)
            }
            checks.append(
                MySQLCheck(
                    name: try found.name(row, 0), condition: condition, columns: Set(used)))
        }
        return checks
    }

    var failure: Failure {
        Failure(
            .refused, "constraint \(name) is not met",
            hint: "The target's constraint is stricter than the source; drop it, or correct the row"
                + " in the source.")
    }
}
