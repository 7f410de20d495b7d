internal import SluiceCore
internal import SluiceRecords

/// Asks the server about values that only it can judge: whether its types take them, its domains
/// and CHECK constraints, and what its keys make of them. Queries alone, in a session that may not
/// write.
struct PostgresRowJudge: ~Copyable {
    private let connection: PostgresConnection
    private let columns: [PostgresColumnTrial]
    /// Whose values are sent.
    private let sent: [Int]
    private let names: [Name]
    private var texts = ByteBuffer(capacity: 64 << 10)
    private var form = ByteBuffer()
    /// By sent column and row, where its text ends.
    private var ends: [[Int]]
    /// By row and sent column, where its text begins.
    private var starts: [Int] = []

    /// - Parameter names: of the columns, as the target has them.
    init(
        _ columns: [PostgresColumnTrial], names: [Name], sending sent: [Int],
        on connection: PostgresConnection
    ) {
        self.connection = connection
        self.columns = columns
        self.names = names
        self.sent = sent
        ends = sent.map { _ in [] }
    }

    var rowCount: Int { ends.first?.count ?? 0 }

    mutating func removeAll() {
        texts.removeAll(keepingAtMost: 1 << 20)
        for place in ends.indices { ends[place].removeAll(keepingCapacity: true) }
        starts.removeAll(keepingCapacity: true)
    }

    /// Adds a record's values as elements of arrays.
    mutating func append(_ record: UnsafeRawBufferPointer) throws(Failure) {
        var cursor = RecordCursor(record)
        var next = 0
        for index in columns.indices {
            form.removeAll()
            _ = try columns[index].text.append(&cursor, to: &form)
            guard next < sent.count, sent[next] == index else { continue }
            starts.append(texts.count)
            PostgresRowJudge.append(element: form.bytes, to: &texts)
            ends[next].append(texts.count)
            next += 1
        }
    }

    /// A line of a text COPY as an element of an array's literal.
    private static func append(
        element line: UnsafeRawBufferPointer, to output: inout ByteBuffer
    ) {
        // Without its line feed.
        let text = UnsafeRawBufferPointer(rebasing: line.dropLast())
        if text.elementsEqual([UInt8(ascii: "\\"), UInt8(ascii: "N")]) {
            output.append("NULL")
            return
        }
        let quote = UInt8(ascii: "\"")
        output.append(quote)
        var place = 0
        while place < text.count {
            let byte = text[place]
            place += 1
            switch byte {
            case UInt8(ascii: "\\"):
                let next = text[place]
                place += 1
                switch next {
                case UInt8(ascii: "t"): output.append(0x09)
                case UInt8(ascii: "n"): output.append(0x0A)
                case UInt8(ascii: "r"): output.append(0x0D)
                default:
                    output.append(byte)
                    output.append(next)
                }
            case quote:
                output.append(UInt8(ascii: "\\"))
                output.append(quote)
            default: output.append(byte)
            }
        }
        output.append(quote)
    }

    /// The rows' values of one sent column as an array's literal.
    private func literal(_ column: Int, _ rows: Range<Int>) -> String {
        var output = ByteBuffer(capacity: 1 << 10)
        output.append(UInt8(ascii: "{"))
        for row in rows {
            if row > rows.lowerBound { output.append(UInt8(ascii: ",")) }
            let start = starts[row * sent.count + column]
            output.append(
                UnsafeRawBufferPointer(rebasing: texts.bytes[start..<ends[column][row]]))
        }
        output.append(UInt8(ascii: "}"))
        return String(decoding: output.bytes, as: UTF8.self)
    }

    private func parameters(_ rows: Range<Int>) -> [String?] {
        sent.indices.map { literal($0, rows) }
    }

    /// `unnest($1::text[], $2::text[]) WITH ORDINALITY AS r(c0, c1, place)`.
    private var arrays: String {
        let parameters = sent.indices.map { "$\($0 + 1)::text[]" }.joined(separator: ", ")
        let names = sent.indices.map { "c\($0), " }.joined()
        return "unnest(\(parameters)) WITH ORDINALITY AS r(\(names)place)"
    }

    /// The rows as the table would have them.
    private var rows: String {
        let values = sent.indices.map { place in
            "c\(place)::\(columns[sent[place]].type) AS \(names[sent[place]].quoted)"
        }
        return "(SELECT \((values + ["place"]).joined(separator: ", ")) FROM \(arrays)) AS r"
    }
}

/// What is asked.
extension PostgresRowJudge {
    /// Calls `refuse` with each row that the server does not take, and the column where it is one.
    func judge(
        _ checks: [PostgresCheck], refuse: (Int, Int?, PostgresCheck?) throws(Failure) -> Void
    ) throws(Failure) {
        var open = [0..<rowCount]
        let counted = sent.indices.map { "count(c\($0)::\(columns[sent[$0]].type))" }
        let types = "SELECT \(counted.joined(separator: ", ")) FROM \(arrays)"
        let all = checks.map { "(\($0.condition)) IS FALSE" }
        let broken = "SELECT place, \(all.joined(separator: ", ")) FROM \(rows)"
        while let rows = open.popLast() {
            guard !rows.isEmpty else { continue }
            do throws(Failure) {
                // By itself: what a constraint does not look at, the server would not make.
                _ = try connection.query(types, parameters(rows))
                guard !checks.isEmpty else { continue }
                let found = try connection.query(
                    broken + " WHERE " + all.joined(separator: " OR "), parameters(rows))
                for line in found.rows {
                    let row = rows.lowerBound + found.integer(line, 0) - 1
                    let place = checks.indices.first { found.boolean(line, $0 + 1) } ?? 0
                    try refuse(row, nil, checks[place])
                }
            } catch {
                guard PostgresRowJudge.isAboutValues(error) else { throw error }
                guard rows.count == 1 else {
                    let middle = rows.lowerBound + rows.count / 2
                    open += [middle..<rows.upperBound, rows.lowerBound..<middle]
                    continue
                }
                try refuse(rows.lowerBound, try column(of: rows), nil)
            }
        }
    }

    private static func isAboutValues(_ failure: Failure) -> Bool {
        guard let code = failure.code else { return false }
        return code.hasPrefix("22") || code.hasPrefix("23") || code == "54000"
    }

    /// The first column whose type does not take this row's value.
    private func column(of rows: Range<Int>) throws(Failure) -> Int? {
        for place in sent.indices {
            do throws(Failure) {
                _ = try connection.query(
                    "SELECT v::\(columns[sent[place]].type) FROM unnest($1::text[]) AS v",
                    [literal(place, rows)])
            } catch {
                guard PostgresRowJudge.isAboutValues(error) else { throw error }
                return sent[place]
            }
        }
        return nil
    }

    /// The texts of these expressions for each row; nothing for rows that a condition leaves out.
    func texts(
        of expressions: [String], where condition: String?
    ) throws(Failure) -> [[String?]?] {
        var found = [[String?]?](repeating: nil, count: rowCount)
        let filter = condition.map { " WHERE \($0)" } ?? ""
        let sql = "SELECT place, \(expressions.joined(separator: ", ")) FROM \(rows)\(filter)"
        var open = [0..<rowCount]
        while let rows = open.popLast() {
            guard !rows.isEmpty else { continue }
            do throws(Failure) {
                let result = try connection.query(sql, parameters(rows))
                for line in result.rows {
                    found[rows.lowerBound + result.integer(line, 0) - 1] =
                        expressions.indices.map { result.optionalText(line, $0 + 1) }
                }
            } catch {
                // A value that is refused is none of the key; it is reported elsewhere.
                guard PostgresRowJudge.isAboutValues(error) else { throw error }
                let middle = rows.lowerBound + rows.count / 2
                if rows.count > 1 {
                    open += [middle..<rows.upperBound, rows.lowerBound..<middle]
                }
            }
        }
        return found
    }
}

/// A CHECK constraint of a table that is there.
struct PostgresCheck: Sendable {
    let name: Name
    /// Over the table's columns, by their names.
    let condition: String
    /// Of the columns it looks at.
    let numbers: Set<Int>

    /// Those that are looked at when a row comes in.
    static func all(
        of table: PostgresTargetTable, on connection: PostgresConnection
    ) throws(Failure) -> [PostgresCheck] {
        let rows = try connection.query(
            """
            SELECT conname, pg_get_expr(conbin, conrelid), array_to_string(conkey, ',')
            FROM pg_constraint WHERE conrelid = $1::oid AND contype = 'c' ORDER BY conname
            """, [String(table.number)])
        var checks: [PostgresCheck] = []
        for row in rows.rows {
            let numbers = rows.text(row, 2).split(separator: ",").compactMap { Int($0) }
            checks.append(
                PostgresCheck(
                    name: try rows.name(row, 0), condition: rows.text(row, 1),
                    numbers: Set(numbers)))
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
