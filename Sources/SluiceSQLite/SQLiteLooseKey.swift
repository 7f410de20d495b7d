internal import SluiceCore
internal import SluiceRecords

/// A unique key of a table that is there already, and what SQLite compares of a record by it.
struct SQLiteLooseKey {
    /// SQLite's own ways of comparing text.
    private enum Collation: String {
        case binary
        case nocase
        case rtrim
    }

    let key: LooseKey
    /// By field, how it is compared; nothing where it is not part of the key.
    private let parts: [Collation?]
    private let fields: [Field]

    /// Those under which rows may be one that are two in the source, and why some are not looked
    /// at.
    static func all(
        of plan: TablePlan, on file: SQLiteConnection
    ) throws(Failure) -> (keys: [SQLiteLooseKey], omissions: [String]) {
        let table = plan.table.table
        var keys: [SQLiteLooseKey] = []
        var omissions: [String] = []
        let indexes = try file.prepare(
            "SELECT name, partial, origin FROM pragma_index_list(\(table.literal))"
                + " WHERE \"unique\" ORDER BY name")
        while try indexes.step() {
            let name = try indexes.name(0, of: "an index of \(table)")
            guard let columns = try columns(of: name, on: file), indexes.integer(1) == 0 else {
                omissions.append("unique index \(name) of table \(table) is not looked at")
                continue
            }
            let label = indexes.string(2) == "c" ? name : Name("(\(list(columns.map(\.0))))")
            if let key = SQLiteLooseKey(label, columns, plan) { keys.append(key) }
        }
        if let alias = try SQLiteTableFacts(table, on: file).alias,
            let key = SQLiteLooseKey(Name("(\(alias))"), [(alias, .binary)], plan)
        {
            keys.append(key)
        }
        return (keys, omissions)
    }

    private static func list(_ names: [Name]) -> String {
        names.map(\.text).joined(separator: ", ")
    }

    /// Nothing where it is over an expression, or by a way of comparing that SQLite has not itself.
    private static func columns(
        of index: Name, on file: SQLiteConnection
    ) throws(Failure) -> [(Name, Collation)]? {
        let rows = try file.prepare(
            "SELECT name, coll, cid FROM pragma_index_xinfo(\(index.literal)) WHERE key ORDER BY seqno"
        )
        var columns: [(Name, Collation)] = []
        while try rows.step() {
            guard rows.integer(2) >= 0,
                let collation = Collation(rawValue: Name(rows.string(1) ?? "").folded.text)
            else { return nil }
            columns.append((try rows.name(0, of: "a column of \(index)"), collation))
        }
        return columns
    }

    /// Nothing where the source keeps its rows apart by it already.
    private init?(_ name: Name, _ columns: [(Name, Collation)], _ plan: TablePlan) {
        fields = plan.schema.fields
        var parts = [Collation?](repeating: nil, count: fields.count)
        for (column, collation) in columns {
            // A key over a column that is not loaded has its default in all rows.
            guard
                let field = fields.firstIndex(where: {
                    !$0.isRowid && $0.name.folded == column.folded
                })
            else { return nil }
            parts[field] = collation
        }
        self.parts = parts
        let isExact = columns.allSatisfy { $0.1 == .binary }
        if isExact, plan.definition.keepsApart(columns.map(\.0.folded), by: { $0.folded }) {
            return nil
        }
        key = LooseKey(
            name: name,
            remedy: "Drop or change the target's key, or change one of the rows in the source.")
    }

    func fold(_ batch: borrowing Batch, into folds: inout KeyFolds) throws(Failure) {
        var cursor = RecordCursor(batch.bytes.bytes)
        var text = ByteBuffer()
        for _ in 0..<batch.rowCount {
            var isDistinct = false
            for (field, collation) in zip(fields, parts) {
                text.removeAll()
                let isNull = try SQLiteLooseKey.append(
                    &cursor, field, collation ?? .binary, to: &text)
                guard collation != nil else { continue }
                if isNull { isDistinct = true }
                folds.append(text.bytes)
            }
            folds.endRecord(isDistinct: isDistinct)
        }
    }

    /// Appends what is compared of a field; true where it is NULL.
    private static func append(
        _ cursor: inout RecordCursor, _ field: Field, _ collation: Collation,
        to output: inout ByteBuffer
    ) throws(Failure) -> Bool {
        if field.type == .any { return try appendAny(&cursor, collation, to: &output) }
        if field.isNullable, try cursor.isNull() { return true }
        switch field.type {
        case .boolean: output.appendLong(try cursor.boolean() ? 1 : 0)
        case .int32, .int64, .date, .time, .timestamp, .localTimestamp:
            output.appendLong(try cursor.long())
        case .float32: appendReal(Double(try cursor.float()), to: &output)
        case .float64: appendReal(try cursor.double(), to: &output)
        case .uint64, .decimal: output.appendUnscaled(try cursor.unscaled())
        case .bytes: output.append(try cursor.bytes())
        case .numberText, .text, .uuid, .json, .enumeration, .set, .bitString, .serverText, .any:
            append(text: try cursor.bytes(), collation, to: &output)
        }
        return false
    }

    /// Values of different kinds differ, but for numbers.
    private static func appendAny(
        _ cursor: inout RecordCursor, _ collation: Collation, to output: inout ByteBuffer
    ) throws(Failure) -> Bool {
        switch try cursor.anyBranch() {
        case .null: return true
        case .long:
            output.append(UInt8(ascii: "i"))
            output.appendLong(try cursor.long())
        case .double:
            let value = try cursor.double()
            if let whole = Int64(exactly: value) {
                output.append(UInt8(ascii: "i"))
                output.appendLong(whole)
            } else {
                output.append(UInt8(ascii: "r"))
                output.appendDouble(value)
            }
        case .string, .invalidText:
            output.append(UInt8(ascii: "t"))
            append(text: try cursor.bytes(), collation, to: &output)
        case .bytes:
            output.append(UInt8(ascii: "b"))
            output.append(try cursor.bytes())
        }
        return false
    }

    /// Zero has no sign when it is compared.
    private static func appendReal(_ value: Double, to output: inout ByteBuffer) {
        output.appendDouble(value == 0 ? 0 : value)
    }

    private static func append(
        text: UnsafeRawBufferPointer, _ collation: Collation, to output: inout ByteBuffer
    ) {
        switch collation {
        case .binary: output.append(text)
        case .nocase:
            for byte in text { output.append((0x41...0x5A).contains(byte) ? byte | 0x20 : byte) }
        case .rtrim:
            var end = text.count
            while end > 0, text[end - 1] == 0x20 { end -= 1 }
            output.append(UnsafeRawBufferPointer(rebasing: text[..<end]))
        }
    }
}
