import SluiceCore
import TestSupport
import Testing

@testable import SluiceRecords

@Suite("Records as a target takes them")
struct MappedRecordsTests {
    private static let zero = CalendarParts(year: 0, month: 0, day: 0)
    private static let partial = CalendarParts(year: 2024, month: 0, day: 15)

    /// A hidden rowid, a text, a date and a timestamp that may not be NULL, a date that may, a
    /// number.
    private static func plan(_ mapsDates: Bool, hasRowid: Bool = false) -> TablePlan {
        func fields(isMapped: Bool) -> [Field] {
            func moment(_ name: Name, _ type: ColumnType, _ isNullable: Bool) -> Field {
                Field(
                    name: name, avroName: name.text, type: type,
                    isNullable: isNullable || isMapped, nullsImpossibleDates: isMapped)
            }
            let rowid = Field(
                name: "rowid", avroName: "rowid", type: .int64, isNullable: false, isRowid: true)
            let rest = [
                Field(name: "a", avroName: "a", type: .text, isNullable: true),
                moment("d", .date, false), moment("t", .localTimestamp, false),
                moment("e", .date, true),
                Field(name: "n", avroName: "n", type: .int64, isNullable: false),
            ]
            return (hasRowid ? [rowid] : []) + rest
        }
        let plan = TablePlan(
            schema: RecordSchema(table: TableName("t"), fields: fields(isMapped: false)),
            definition: TableDefinition(columns: [], primaryKey: []), chunks: [Chunk(number: 0)])
        guard mapsDates else { return plan }
        return plan.mapped(
            to: RecordSchema(table: TableName("u"), fields: fields(isMapped: true)),
            plan.definition)
    }

    private struct Row {
        var rowid: Int64?
        var a: String?
        var d: Int64?
        var t: Int64?
        var e: Int64?
        var n: Int64

        /// - Parameter isMapped: all dates may be NULL.
        func record(isMapped: Bool) -> [UInt8] {
            var buffer = ByteBuffer()
            func append(_ value: Int64?, mayBeNull: Bool) {
                guard let value else { return buffer.appendNull() }
                if mayBeNull { buffer.appendNotNull() }
                buffer.appendLong(value)
            }
            if let rowid { buffer.appendLong(rowid) }
            if let a {
                buffer.appendNotNull()
                Array(a.utf8).withUnsafeBytes { buffer.appendBytes($0) }
            } else {
                buffer.appendNull()
            }
            append(d, mayBeNull: isMapped)
            append(t, mayBeNull: isMapped)
            append(e, mayBeNull: true)
            buffer.appendLong(n)
            return buffer.array()
        }
    }

    private func map(_ rows: [Row], _ plan: TablePlan) throws -> (records: [UInt8], Digest, Digest)
    {
        let source = GivenRecords(rows.map { $0.record(isMapped: false) })
        let mapped = try #require(MappedRecords(source, of: plan))
        let found = try readAll(mapped, fieldCount: plan.schema.fields.count)
        return (found.records, found.digest, mapped.digest)
    }

    @Test("are the shard's own where nothing is mapped")
    func nothing() {
        #expect(MappedRecords(GivenRecords([]), of: MappedRecordsTests.plan(false)) == nil)
        let rowid = MappedRecordsTests.plan(false, hasRowid: true)
        #expect(MappedRecords(GivenRecords([]), of: rowid) != nil)
        #expect(MappedRecords(GivenRecords([]), of: rowid, keepsRowids: true) == nil)
    }

    @Test("have NULL for dates that no calendar has, and nothing else changed")
    func dates() throws {
        let zero = try #require(MappedRecordsTests.zero)
        let partial = try #require(MappedRecordsTests.partial)
        let february = try #require(CalendarParts(year: 2023, month: 2, day: 30))
        let zeroDate = Int64(ReservedValues.date(zero))
        let partialDate = Int64(ReservedValues.date(partial))
        let noon = ReservedValues.timestamp(february, microsOfDay: 43_200_000_000)
        let infinity = Int64(ReservedValues.date(fromPostgres: Int32.max))
        let given = [
            Row(a: "x", d: 19_000, t: 5, e: 3, n: 1), Row(a: nil, d: 0, t: 0, e: nil, n: -1),
            Row(a: "", d: zeroDate, t: noon, e: partialDate, n: 300),
            Row(a: "y", d: infinity, t: -7, e: zeroDate, n: 2),
        ]
        let wanted = [
            Row(a: "x", d: 19_000, t: 5, e: 3, n: 1), Row(a: nil, d: 0, t: 0, e: nil, n: -1),
            Row(a: "", d: nil, t: nil, e: nil, n: 300),
            Row(a: "y", d: infinity, t: -7, e: nil, n: 2),
        ]
        let (records, digest, raw) = try map(given, MappedRecordsTests.plan(true))
        #expect(records == wanted.flatMap { $0.record(isMapped: true) })
        #expect(digest == sum(wanted.map { $0.record(isMapped: true) }))
        #expect(raw == sum(given.map { $0.record(isMapped: false) }))
    }

    @Test("have rowids of SQLite's as 0 beside dates that are mapped")
    func rowids() throws {
        let zero = Int64(ReservedValues.date(try #require(MappedRecordsTests.zero)))
        let given = [Row(rowid: 900, a: "x", d: zero, t: 1, e: zero, n: 1)]
        let wanted = [Row(rowid: 0, a: "x", d: nil, t: 1, e: nil, n: 1)]
        let plan = MappedRecordsTests.plan(true, hasRowid: true)
        let (records, _, _) = try map(given, plan)
        #expect(records == wanted.flatMap { $0.record(isMapped: true) })
    }

    @Test("refuse a record that the shard's schema does not have")
    func damage() throws {
        let source = GivenRecords([[7, 1]])
        let mapped = try #require(MappedRecords(source, of: MappedRecordsTests.plan(true)))
        let failure = #expect(throws: Failure.self) {
            _ = try readAll(mapped, fieldCount: 5)
        }
        #expect(failure?.message == "a union has no such branch at byte 0")
    }

    private func sum(_ records: [[UInt8]]) -> Digest {
        var digest = Digest.empty
        for record in records { record.withUnsafeBytes { digest.add($0) } }
        return digest
    }
}
