internal import SluiceCore
internal import SluiceRecords

/// A unique key of a table that is there already, and what the server compares of a record by it.
struct MySQLLooseKey {
    let key: LooseKey
    private let columns: [MySQLColumnTrial]
    /// By column, how it is compared; nothing where it is not part of the key.
    private let parts: [MySQLKeyPart?]
    /// Those whose weights the server is asked for.
    private let weighed: [Int]
    private let packetBytes: Int
    private let connection: MySQLConnection

    /// Those under which rows may be one that are two in the source, and why some are not looked
    /// at.
    static func all(
        of table: Name, _ plan: TablePlan, _ columns: [MySQLColumnTrial], packetBytes: Int,
        on connection: MySQLConnection
    ) throws(Failure) -> (keys: [MySQLLooseKey], omissions: [String]) {
        let found = try connection.query(
            """
            SELECT INDEX_NAME, COLUMN_NAME, SUB_PART FROM information_schema.STATISTICS
            WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = \(table.literal) AND NON_UNIQUE = 0
            ORDER BY INDEX_NAME, SEQ_IN_INDEX
            """)
        var indexes: [(name: Name, parts: [(column: Int?, prefix: Int?)])] = []
        for row in found.rows {
            let name = try found.name(row, 0)
            let column = try found.isNull(row, 1) ? nil : found.name(row, 1)
            let place = column.flatMap { column in columns.firstIndex { $0.name == column } }
            if indexes.last?.name != name { indexes.append((name, [])) }
            indexes[indexes.count - 1].parts.append(
                (place, found.optionalText(row, 2).flatMap { Int($0) }))
        }
        var keys: [MySQLLooseKey] = []
        var omissions: [String] = []
        for index in indexes {
            var parts = [MySQLKeyPart?](repeating: nil, count: columns.count)
            var isWhole = true
            for (column, prefix) in index.parts {
                guard let column,
                    let part = try MySQLKeyPart(columns[column], prefix: prefix, on: connection)
                else {
                    isWhole = false
                    continue
                }
                parts[column] = part
            }
            guard isWhole else {
                omissions.append("unique index \(index.name) of table \(table) is not looked at")
                continue
            }
            let isExact = parts.allSatisfy { $0?.isExact ?? true }
            let names = index.parts.compactMap { $0.column.map { columns[$0].field.name } }
            if isExact, plan.definition.keepsApart(names) { continue }
            keys.append(MySQLLooseKey(index.name, columns, parts, packetBytes, connection))
        }
        return (keys, omissions)
    }

    private init(
        _ name: Name, _ columns: [MySQLColumnTrial], _ parts: [MySQLKeyPart?],
        _ packetBytes: Int, _ connection: MySQLConnection
    ) {
        key = LooseKey(
            name: name,
            remedy:
                "Give the key's columns a collation that tells the texts apart, or change one of"
                + " the rows in the source.")
        self.columns = columns
        self.parts = parts
        self.packetBytes = packetBytes
        self.connection = connection
        weighed = parts.indices.filter { parts[$0]?.asksServer == true }
    }

    func fold(_ batch: borrowing Batch, into folds: inout KeyFolds) throws(Failure) {
        var cursor = RecordCursor(batch.bytes.bytes)
        var judge = MySQLRowJudge(
            columns, sending: weighed, packetBytes: packetBytes, on: connection)
        var waiting: [UnsafeRawBufferPointer] = []
        var form = ByteBuffer()
        for _ in 0..<batch.rowCount {
            let start = cursor.position
            for column in columns {
                form.removeAll()
                _ = try column.refusal(&cursor, &form)
            }
            let record = cursor.read(since: start)
            waiting.append(record)
            if !weighed.isEmpty { try judge.append(record) }
            if judge.isFull || waiting.count >= 4096 {
                try fold(waiting, judge, into: &folds)
                waiting.removeAll(keepingCapacity: true)
                judge.removeAll()
            }
        }
        try fold(waiting, judge, into: &folds)
    }

    private func fold(
        _ records: [UnsafeRawBufferPointer], _ judge: borrowing MySQLRowJudge,
        into folds: inout KeyFolds
    ) throws(Failure) {
        guard !records.isEmpty else { return }
        var weights: MySQLResult?
        if !weighed.isEmpty {
            weights = try judge.values(
                of: weighed.enumerated().map { parts[$1]?.weight("c\($0)") ?? "NULL" })
        }
        var form = ByteBuffer()
        for (row, record) in records.enumerated() {
            var cursor = RecordCursor(record)
            var isDistinct = false
            for (index, column) in columns.enumerated() {
                let start = cursor.position
                form.removeAll()
                let refusal = try column.refusal(&cursor, &form)
                guard let part = parts[index] else { continue }
                // What is refused is no value of the key.
                guard refusal == nil, !column.isNull(cursor.read(since: start)) else {
                    isDistinct = true
                    continue
                }
                guard let place = weighed.firstIndex(of: index), let weights else {
                    part.append(form.bytes, to: &folds)
                    continue
                }
                part.append(weight: weights.bytes(row, place), to: &folds)
            }
            folds.endRecord(isDistinct: isDistinct)
        }
    }
}

extension MySQLColumnTrial {
    fileprivate func isNull(_ value: UnsafeRawBufferPointer) -> Bool {
        (field.isNullable || field.type == .any) && value.first == 0
    }
}

/// How one column of a unique key is compared.
struct MySQLKeyPart {
    private enum Way {
        /// By the bytes that are written for it.
        case bytes
        /// By the weights of a collation, blanks at the end aside where it pads.
        case weights(blank: [UInt8])
        /// By weights on several levels, padded to so many characters.
        case levels(Int)
    }

    private let way: Way
    private let prefix: Int?
    private let collation: String
    private let characterSet: String
    /// Whether different values are always different by it.
    let isExact: Bool

    /// Nothing where it cannot be said how values compare.
    init?(
        _ column: MySQLColumnTrial, prefix: Int?, on connection: MySQLConnection
    ) throws(Failure) {
        self.prefix = prefix
        guard case .text = column.storage else {
            collation = ""
            characterSet = ""
            way = .bytes
            isExact = prefix == nil
            // A prefix counts bytes there, and the literal has two digits for each.
            guard column.isStored else { return nil }
            return
        }
        guard let collation = column.collation, let characterSet = column.characterSet else {
            return nil
        }
        self.collation = collation
        self.characterSet = characterSet
        let isNoPad = collation.contains("_nopad_") || collation.hasPrefix("utf8mb4_0900_")
        isExact =
            prefix == nil && (collation.hasSuffix("_nopad_bin") || collation == "utf8mb4_0900_bin")
        // What these do with levels is known to nobody else.
        if collation.hasSuffix("czech_cs") { return nil }
        let hasLevels =
            collation.contains("uca1400")
            && (collation.hasSuffix("_as_ci") || collation.hasSuffix("_cs"))
        if hasLevels, !isNoPad {
            guard case .text(let characters, _, _) = column.storage,
                let length = prefix ?? characters
            else { return nil }
            // One character has at most 18 weights.
            way = .levels(length * 18)
            return
        }
        let blank = try connection.query(
            "SELECT WEIGHT_STRING(CONVERT(' ' USING \(characterSet)) COLLATE \(collation))")
        way = .weights(blank: isNoPad ? [] : blank.bytes(0, 0))
    }

    var asksServer: Bool {
        if case .bytes = way { return false }
        return true
    }

    /// What the server is asked for a value under this name.
    func weight(_ c: String) -> String {
        let text = "CONVERT(\(c) USING \(characterSet)) COLLATE \(collation)"
        let part = prefix.map { "LEFT(\(text), \($0))" } ?? text
        if case .levels(let count) = way {
            return "UNHEX(SHA2(WEIGHT_STRING(\(part) AS CHAR(\(count))), 256))"
        }
        return "WEIGHT_STRING(\(part))"
    }

    func append(weight: [UInt8], to folds: inout KeyFolds) {
        var end = weight.count
        if case .weights(let blank) = way, !blank.isEmpty {
            while end >= blank.count,
                weight[(end - blank.count)..<end].elementsEqual(blank)
            {
                end -= blank.count
            }
        }
        weight.withUnsafeBytes { folds.append(UnsafeRawBufferPointer(rebasing: $0[..<end])) }
    }

    /// - Parameter literal: what is written for it: `(x'6100'),`.
    func append(_ literal: UnsafeRawBufferPointer, to folds: inout KeyFolds) {
        guard let prefix else { return folds.append(literal) }
        let digits = UnsafeRawBufferPointer(rebasing: literal.dropFirst(3).dropLast(3))
        folds.append(UnsafeRawBufferPointer(rebasing: digits.prefix(2 * prefix)))
    }
}
