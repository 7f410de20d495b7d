internal import SluiceCore
internal import SluiceRecords

/// One column as a table would have it, and whether it keeps a value: the way of writing that a
/// load has, then what the server would say to what is written.
struct PostgresColumnTrial {
    /// What the server looks at beyond the writer.
    private enum Rule {
        case none
        /// Digits before the point; a column with an end has no infinities.
        case digits(Int)
        case bits(Int, isExact: Bool)
    }

    let field: Field
    let writer: PostgresBinaryWriter
    /// For what the server itself is asked.
    let text: PostgresTextWriter
    /// As a cast names it.
    let type: String
    /// Only the server knows what its type takes.
    let isJudged: Bool
    let isNotNull: Bool
    let isStored: Bool
    let storage: PostgresStorage
    private let rule: Rule

    init(
        _ field: Field, in storage: PostgresStorage, modifier: Int, type: String, isNotNull: Bool,
        isJudged: Bool
    ) {
        let writing = PostgresFieldWriting(
            field, in: storage, digits: PostgresTargetColumn.digits(storage, modifier))
        self.field = field
        self.storage = storage
        self.type = type
        self.isJudged = isJudged
        self.isNotNull = isNotNull
        isStored = !field.isRowid
        writer = PostgresBinaryWriter([writing])
        text = PostgresTextWriter([writing])
        rule = PostgresColumnTrial.rule(field, storage, modifier, type)
    }

    /// A column of a table that is there.
    init(_ field: Field, in column: PostgresTargetColumn, _ request: LoadRequest, judgesText: Bool)
    {
        let isSame =
            request.sourceEngine == PostgresTarget.engineName
            && field.declared.utf8.elementsEqual(column.declared.utf8)
        let isForeign =
            switch column.storage {
            case .json, .label, .other: true
            case .jsonb: field.type != .any
            default: false
            }
        self.init(
            field, in: column.storage, modifier: column.modifier, type: column.declared,
            isNotNull: column.isNotNull,
            isJudged: column.isDomain || isForeign && !isSame
                || judgesText && PostgresColumnTrial.hasText(field, column.storage))
    }

    /// A column that would be made from what the source's table is.
    init(
        _ field: Field, made definition: TableDefinition, _ request: LoadRequest, judgesText: Bool
    ) {
        let isSame = request.sourceEngine == PostgresTarget.engineName
        let isKey = definition.primaryKey.contains(field.name)
        let column = definition.columns.first { $0.name == field.name }
        let wanted = field.userType
        let storage = wanted?.storage ?? PostgresStorage(madeFor: field, isSameEngine: isSame)
        self.init(
            field, in: storage, modifier: wanted?.modifier ?? -1,
            type: PostgresMapping.declaration(for: field, isSameEngine: isSame),
            isNotNull: column?.isNullable == false || isKey && !field.isNullable,
            isJudged: storage == .json && !isSame
                || judgesText && PostgresColumnTrial.hasText(field, storage))
    }

    /// Characters that the database may not have.
    private static func hasText(_ field: Field, _ storage: PostgresStorage) -> Bool {
        switch storage {
        case .text, .label, .json, .jsonb, .other: true
        default: false
        }
    }

    private static func rule(
        _ field: Field, _ storage: PostgresStorage, _ modifier: Int, _ type: String
    ) -> Rule {
        switch storage {
        case .numeric(let precision?, let scale): .digits(precision - (scale ?? 0))
        case .bits where modifier > 0: .bits(modifier, isExact: type.hasPrefix("bit("))
        default: .none
        }
    }

    /// Writes the value into `output`, and moves the cursor behind it.
    func refusal(
        _ cursor: inout RecordCursor, _ output: inout ByteBuffer
    ) throws(Failure) -> PostgresRefusal? {
        let before = cursor
        if let problem = try writer.append(&cursor, to: &output) { return problem.refusal }
        guard isNotNull || !isPlain else { return nil }
        return try refusalOfServer(before)
    }

    private var isPlain: Bool {
        if case .none = rule { return true }
        return false
    }

    private func refusalOfServer(_ before: RecordCursor) throws(Failure) -> PostgresRefusal? {
        var cursor = before
        if field.type == .any {
            let branch = try cursor.anyBranch()
            return isNotNull && branch == .null ? .null : nil
        }
        if field.isNullable, try cursor.isNull() { return isNotNull ? .null : nil }
        switch rule {
        case .none: return nil
        case .digits(let count): return try keepsDigits(count, &cursor) ? nil : .float
        case .bits(let count, let isExact):
            let length = try cursor.bytes().count
            return (isExact ? length == count : length <= count) ? nil : .bitCount(count)
        }
    }

    /// Whether a number has no more digits before its point than the column has.
    private func keepsDigits(_ count: Int, _ cursor: inout RecordCursor) throws(Failure) -> Bool {
        switch field.type {
        case .int32, .int64: return PostgresColumnTrial.fits(Int128(try cursor.long()), count)
        case .uint64: return PostgresColumnTrial.fits(try cursor.unscaled(), count)
        case .decimal(let precision, let scale):
            let value = try cursor.unscaled()
            if let special = ReservedValues.specialDecimal(value, precision: precision) {
                return special == .nan
            }
            return PostgresColumnTrial.fits(value, count + scale)
        default:
            let text = try cursor.bytes()
            guard let first = text.first, first != UInt8(ascii: "N") else { return true }
            if text.contains(UInt8(ascii: "I")) { return false }
            let whole = text.drop { $0 == UInt8(ascii: "-") || $0 == 0x30 }
            return whole.prefix { $0 &- 0x30 < 10 }.count <= count
        }
    }

    private static func fits(_ value: Int128, _ digits: Int) -> Bool {
        guard digits < 38 else { return true }
        guard digits > 0 else { return value == 0 }
        var limit: Int128 = 1
        for _ in 0..<digits { limit *= 10 }
        return value.magnitude < limit.magnitude
    }
}

extension PostgresStorage {
    /// What `PostgresMapping.declaration` makes of a field.
    init(madeFor field: Field, isSameEngine: Bool) {
        self =
            switch field.type {
            case .boolean: .boolean
            case .int32: .int32
            case .int64: .int64
            case .uint64: .numeric(precision: 20, scale: 0)
            case .float32: .float32
            case .float64: .float64
            case .decimal(let precision, let scale):
                isSameEngine
                    ? .numeric(precision: nil, scale: nil)
                    : .numeric(precision: precision, scale: scale)
            case .numberText: .numeric(precision: nil, scale: nil)
            case .bytes: .bytes
            case .date: .date
            case .time: .time
            case .timestamp: .timestamp
            case .localTimestamp: .localTimestamp
            case .uuid: .uuid
            case .json: isSameEngine && field.declared == "jsonb" ? .jsonb : .json
            case .bitString: .bits
            case .any: .jsonb
            case .enumeration where isSameEngine: .label
            case .serverText where isSameEngine: .other
            case .text, .enumeration, .set, .serverText: .text(limit: nil, isPadded: false)
            }
    }
}
