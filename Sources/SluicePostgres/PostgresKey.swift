internal import SluiceCore
internal import SluiceRecords

/// Ranges of a key, for tables whose blocks cannot be asked for by range: those of other access
/// methods, and all of servers before 14.
///
/// The server makes the bounds and compares with them, under the columns' own types and
/// collations.
struct PostgresKey {
    private struct Part {
        let name: Name
        let declared: String
        /// The column's value as text, by its own output function.
        let text: String
    }

    private let parts: [Part]

    var names: [Name] { parts.map(\.name) }

    /// The table's primary key, or another one without NULLs; nothing where it has none.
    init?(of table: PostgresTable) {
        let unique = table.indexes.filter(\.isUnique).map(\.columns)
        let keys = [table.primaryKey] + unique
        let key = keys.first { names in
            !names.isEmpty
                && names.allSatisfy { name in
                    table.columns.contains { $0.name == name && !$0.isNullable && !$0.isGenerated }
                }
        }
        guard let key else { return nil }
        self.init(key, of: table)
    }

    /// The key of these columns, as a plan has them.
    init?(_ names: [Name], of table: PostgresTable) {
        var parts: [Part] = []
        for name in names {
            guard let column = table.columns.first(where: { $0.name == name && !$0.isNullable })
            else { return nil }
            parts.append(
                Part(name: name, declared: column.declared, text: "format('%L', \(name.quoted))"))
        }
        guard !parts.isEmpty else { return nil }
        self.parts = parts
    }

    /// A SELECT of the last key of each run of so many rows, in key order.
    func boundsStatement(of table: PostgresTable, step: Int, where filter: String?) -> String {
        let columns = parts.map(\.name.quoted).joined(separator: ", ")
        let texts = parts.map(\.text).joined(separator: ", ")
        let condition = filter.map { " WHERE (\n\($0)\n)" } ?? ""
        return
            "SELECT \(texts) FROM (SELECT \(columns), row_number() OVER (ORDER BY \(columns)) AS "
            + "sluice_number FROM ONLY \(table.name.quoted)\(condition)) AS sluice_keys "
            + "WHERE sluice_number % \(step) = 0 ORDER BY sluice_number"
    }

    /// A condition that is true for the chunk's rows only; nothing where the chunk is everything.
    func condition(_ chunk: Chunk) throws(Failure) -> String? {
        var conditions: [String] = []
        if let lower = chunk.lower { conditions.append(try compared(">", lower, chunk)) }
        if let upper = chunk.upper { conditions.append(try compared("<=", upper, chunk)) }
        return conditions.isEmpty ? nil : conditions.joined(separator: " AND ")
    }

    private func compared(
        _ comparison: String, _ bound: [String], _ chunk: Chunk
    ) throws(Failure) -> String {
        guard bound.count == parts.count, bound.allSatisfy(PostgresKey.isLiteral) else {
            throw Failure(
                .failed, "the bounds of chunk \(chunk.number) are no values of this table's key",
                hint: "The plan was made by another version or changed by somebody; export anew.")
        }
        let columns = parts.map(\.name.quoted).joined(separator: ", ")
        let values = zip(bound, parts).map { "\($0)::\($1.declared)" }.joined(separator: ", ")
        return "(\(columns)) \(comparison) (\(values))"
    }

    /// Whether the text is one string literal: nothing else of a plan goes to the server.
    private static func isLiteral(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        var tokens = PostgresTokens(bytes)
        guard let token = tokens.next(), token.kind == .string,
            token.range == 0..<bytes.count, !tokens.isBroken
        else { return false }
        return [UInt8(ascii: "'"), UInt8(ascii: "E")].contains(bytes[0])
    }
}
