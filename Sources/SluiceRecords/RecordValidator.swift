public import SluiceCore

/// Checks records against their schema: every field is the one encoding of a value that its type
/// can have.
///
/// Made once per schema. Finds where each record ends, and allocates nothing per record.
public struct RecordValidator: Sendable {
    /// The most that MySQL's TIME can be, 838:59:59.999999, either way; no engine has more.
    public static let timeLimit: Int64 = 3_020_399_999_999

    /// What a field must be, the type's parameters worked out.
    fileprivate enum Rule {
        case boolean
        case int32
        case int64
        case uint64
        case float
        case double
        /// Unscaled values beyond the bound are reserved codes or wrong.
        case decimal(bound: Int128)
        case text
        case label
        case bytes
        case date
        case time
        case timestamp
        case uuid
        case bitString
        case any
    }

    private struct Step {
        let rule: Rule
        let isNullable: Bool
    }

    private let steps: [Step]
    private let schema: RecordSchema

    public init(_ schema: RecordSchema) {
        self.schema = schema
        steps = schema.fields.map { field in
            // An `any` value has its own branch for NULL.
            Step(rule: Rule(field.type), isNullable: field.isNullable && field.type != .any)
        }
    }

    /// Checks the record that begins at the cursor and moves the cursor behind it.
    ///
    /// - Parameter reserved: gets one more for each field that holds a reserved value.
    public func check(
        _ cursor: inout RecordCursor, reserved: inout [Int]
    ) throws(Failure) {
        for index in steps.indices { try check(index, &cursor, reserved: &reserved) }
    }

    /// Checks the field of this number, which begins at the cursor, and moves the cursor behind it.
    @inline(__always)
    func check(
        _ index: Int, _ cursor: inout RecordCursor, reserved: inout [Int]
    ) throws(Failure) {
        do {
            let step = steps[index]
            if step.isNullable, try cursor.isNull() { return }
            if try step.rule.isReserved(&cursor) { reserved[index] += 1 }
        } catch {
            throw error.during("reading column \(schema.fields[index].name)")
        }
    }
}

extension RecordValidator.Rule {
    init(_ type: ColumnType) {
        self =
            switch type {
            case .boolean: .boolean
            case .int32: .int32
            case .int64: .int64
            case .uint64: .uint64
            case .float32: .float
            case .float64: .double
            case .decimal(let precision, _):
                .decimal(bound: ReservedValues.decimalEnd(precision: precision))
            case .bytes: .bytes
            case .date: .date
            case .time: .time
            case .timestamp, .localTimestamp: .timestamp
            case .uuid: .uuid
            case .bitString: .bitString
            case .any: .any
            case .enumeration: .label
            case .text, .numberText, .json, .set, .serverText: .text
            }
    }

    /// Checks one value that is not NULL and moves behind it; true where it is a reserved code.
    @inline(__always)
    func isReserved(_ cursor: inout RecordCursor) throws(Failure) -> Bool {
        let start = cursor.position
        var fault: RecordValidator.Fault?
        switch self {
        case .boolean: _ = try cursor.boolean()
        case .int32: if Int32(exactly: try cursor.long()) == nil { fault = .int32 }
        case .int64: _ = try cursor.long()
        case .uint64:
            if !(0...Int128(UInt64.max)).contains(try cursor.unscaled()) { fault = .uint64 }
        case .float: _ = try cursor.float()
        case .double: _ = try cursor.double()
        case .decimal(let bound):
            let value = try cursor.unscaled()
            guard value >= bound || value <= -bound else { return false }
            guard value == bound || value == bound + 1 || value == -(bound + 1) else {
                throw RecordValidator.failure(.decimal, at: start)
            }
            return true
        case .text: if !UTF8Text.isValid(try cursor.bytes()) { fault = .text }
        case .label:
            let text = try cursor.bytes()
            if ReservedValues.isWrongLabel(text) { return true }
            if !UTF8Text.isValid(text) { fault = .text }
        case .bytes: _ = try cursor.bytes()
        case .date:
            guard let days = Int32(exactly: try cursor.long()) else {
                throw RecordValidator.failure(.int32, at: start)
            }
            // Every code lies far below; most dates need one comparison.
            return days < -500_000_000 && ReservedValues.isReserved(.date, Int64(days))
        case .time:
            if try cursor.long().magnitude > UInt64(RecordValidator.timeLimit) { fault = .time }
        case .timestamp:
            let micros = try cursor.long()
            return micros < -2_000_000_000_000_000_000
                && ReservedValues.isReserved(.timestamp, micros)
        case .uuid: if !RecordValidator.isUUID(try cursor.bytes()) { fault = .uuid }
        case .bitString: if !RecordValidator.isBitString(try cursor.bytes()) { fault = .bitString }
        case .any: fault = try RecordValidator.anyFault(&cursor)
        }
        if let fault { throw RecordValidator.failure(fault, at: start) }
        return false
    }
}

extension RecordValidator {
    /// What can be wrong with a value whose bytes the cursor could read.
    fileprivate enum Fault {
        case int32
        case uint64
        case decimal
        case text
        case time
        case uuid
        case bitString
        case validText
    }

    @inline(never)
    fileprivate static func failure(_ fault: Fault, at place: Int) -> Failure {
        let what =
            switch fault {
            case .int32: "an integer has more than 32 bits"
            case .uint64: "an unsigned integer is out of its range"
            case .decimal: "a decimal has more digits than its precision"
            case .text: "a text is not UTF-8"
            case .time: "a time is beyond 838:59:59.999999"
            case .uuid: "a UUID is not in its canonical form"
            case .bitString: "a bit string has other characters than 0 and 1"
            case .validText: "a text is marked as invalid and is UTF-8"
            }
        return Failure(.failed, "\(what) at byte \(place)")
    }

    fileprivate static func anyFault(_ cursor: inout RecordCursor) throws(Failure) -> Fault? {
        switch try cursor.anyBranch() {
        case .null: return nil
        case .long: _ = try cursor.long()
        case .double: _ = try cursor.double()
        case .string: return UTF8Text.isValid(try cursor.bytes()) ? nil : .text
        case .bytes: _ = try cursor.bytes()
        // Text has one encoding: as a string wherever it can be one.
        case .invalidText: return UTF8Text.isValid(try cursor.bytes()) ? .validText : nil
        }
        return nil
    }

    /// `8-4-4-4-12` lower-case hexadecimal digits.
    public static func isUUID(_ text: UnsafeRawBufferPointer) -> Bool {
        guard text.count == 36 else { return false }
        for index in 0..<36 {
            switch (index, text[index]) {
            case (8, let byte), (13, let byte), (18, let byte), (23, let byte):
                if byte != UInt8(ascii: "-") { return false }
            case (_, UInt8(ascii: "0")...UInt8(ascii: "9")),
                (_, UInt8(ascii: "a")...UInt8(ascii: "f")):
                continue
            default: return false
            }
        }
        return true
    }

    static func isBitString(_ text: UnsafeRawBufferPointer) -> Bool {
        for byte in text where byte != UInt8(ascii: "0") && byte != UInt8(ascii: "1") {
            return false
        }
        return true
    }
}
