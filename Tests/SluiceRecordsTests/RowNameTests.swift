import SluiceCore
import Testing

@testable import SluiceRecords

@Suite("The name of a row")
struct RowNameTests {
    private func plan(_ fields: [Field], key: [Name]) -> TablePlan {
        let table = TableName("t")
        return TablePlan(
            schema: RecordSchema(table: table, fields: fields),
            definition: TableDefinition(columns: [], primaryKey: key), chunks: [])
    }

    /// The name of a row whose key is one column of this type.
    private func name(
        _ type: ColumnType, isNullable: Bool = false, _ write: (inout ByteBuffer) -> Void
    ) throws -> String? {
        let field = Field(name: "k", avroName: "k", type: type, isNullable: isNullable)
        var record = ByteBuffer()
        write(&record)
        return try RowName(plan([field], key: ["k"])).text(of: record.bytes)
    }

    private func name(_ type: ColumnType, text: String) throws -> String? {
        try name(type) { $0.appendBytes(Array(text.utf8)) }
    }

    @Test("shows a key of every type as people write it")
    func types() throws {
        #expect(try name(.boolean) { $0.appendBoolean(true) } == "k = true")
        #expect(try name(.int32) { $0.appendLong(-7) } == "k = -7")
        #expect(try name(.int64, isNullable: true) { $0.appendNull() } == "k = NULL")
        #expect(try name(.float32) { $0.appendFloat(0.5) } == "k = 0.5")
        #expect(try name(.float64) { $0.appendDouble(-2) } == "k = -2.0")
        #expect(
            try name(.uint64) { $0.appendUnscaled(Int128(UInt64.max)) } == "k = \(UInt64.max)")
        let decimal = ColumnType.decimal(precision: 5, scale: 2)
        #expect(try name(decimal) { $0.appendUnscaled(-1230) } == "k = -12.30")
        #expect(try name(.bytes) { $0.appendBytes([0, 0xFF]) } == "k = x'00ff'")
        #expect(try name(.date) { $0.appendLong(-1) } == "k = 1969-12-31")
        #expect(try name(.time) { $0.appendLong(3_600_000_001) } == "k = 01:00:00.000001")
        #expect(try name(.timestamp) { $0.appendLong(1) } == "k = 1970-01-01 00:00:00.000001Z")
        #expect(try name(.localTimestamp) { $0.appendLong(0) } == "k = 1970-01-01 00:00:00")
        #expect(try name(.numberText, text: "1e99") == "k = 1e99")
        #expect(try name(.text, text: "it's\n") == "k = 'it''s\\u{a}'")
    }

    @Test("shows the values of a column that takes any")
    func any() throws {
        #expect(try name(.any) { $0.appendBranch(.null) } == "k = NULL")
        let long = try name(.any) {
            $0.appendBranch(.long)
            $0.appendLong(3)
        }
        #expect(long == "k = 3")
        let broken = try name(.any) {
            $0.appendBranch(.invalidText)
            $0.appendBytes([0x61, 0xFF])
        }
        #expect(broken == "k = 'a\u{FFFD}'")
    }

    @Test("cuts what is long")
    func long() throws {
        let text = String(repeating: "a", count: 64)
        #expect(try name(.text, text: text) == "k = '\(text)'")
        #expect(try name(.text, text: text + "a") == "k = '\(text)…'")
        let zeros = String(repeating: "00", count: 32)
        #expect(
            try name(.bytes) { $0.appendBytes([UInt8](repeating: 0, count: 33)) }
                == "k = x'\(zeros)…'")
    }

    @Test("is made of the whole key, wherever its columns are, or else of the rowid")
    func parts() throws {
        let a = Field(name: "a", avroName: "a", type: .int64, isNullable: false)
        let b = Field(name: "b", avroName: "b", type: .text, isNullable: true)
        let c = Field(name: "c", avroName: "c", type: .int64, isNullable: false)
        let rowid = Field(
            name: "rowid", avroName: "rowid", type: .int64, isNullable: false, isRowid: true)
        var record = ByteBuffer()
        record.appendLong(1)
        record.appendNull()
        record.appendLong(3)
        #expect(
            try RowName(plan([a, b, c], key: ["c", "a"])).text(of: record.bytes)
                == "a = 1, c = 3")
        #expect(try RowName(plan([rowid, b, c], key: [])).text(of: record.bytes) == "rowid = 1")
        #expect(try RowName(plan([rowid, b, c], key: ["c"])).text(of: record.bytes) == "c = 3")
        let nameless = RowName(plan([a, b, c], key: []))
        #expect(!nameless.isAvailable)
        #expect(try nameless.text(of: record.bytes) == nil)
    }
}

extension ByteBuffer {
    fileprivate mutating func appendBytes(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { appendBytes($0) }
    }
}
