import SluiceCore
import TestSupport
import Testing

@testable import SluiceRecords

/// Records out of memory, a few at a time.
final class GivenRecords: RecordSource {
    private let records: [[UInt8]]
    private var place = 0

    init(_ records: [[UInt8]]) {
        self.records = records
    }

    func fill(_ batch: inout Batch, byteGoal: Int) throws(Failure) -> Bool {
        let end = min(place + 100, records.count)
        for record in records[place..<end] {
            batch.bytes.append(record)
            batch.endRecord()
        }
        place = end
        return place < records.count
    }
}

/// A table of one text column, or of none.
enum HeldTable {
    static func plan(fieldCount: Int = 1) -> TablePlan {
        let fields = (0..<fieldCount).map {
            Field(name: Name("c\($0)"), avroName: "c\($0)", type: .text, isNullable: false)
        }
        return TablePlan(
            schema: RecordSchema(table: TableName("t"), fields: fields),
            definition: TableDefinition(columns: [], primaryKey: []), chunks: [Chunk(number: 0)])
    }

    static func record(_ text: String) -> [UInt8] {
        var buffer = ByteBuffer()
        Array(text.utf8).withUnsafeBytes { buffer.appendBytes($0) }
        return buffer.array()
    }

    static func held(_ records: [[UInt8]], fieldCount: Int = 1) throws(Failure) -> HeldRecords {
        try HeldRecords(
            GivenRecords(records), of: plan(fieldCount: fieldCount), stop: StopSignal())
    }
}

@Suite("Records that are held")
struct HeldRecordsTests {
    private let records = (1...1000).map { number in
        HeldTable.record(String(repeating: "x", count: number % 200) + "\(number)")
    }

    @Test("are had again from any of them to any other")
    func ranges() throws {
        let held = try HeldTable.held(records)
        #expect(held.count == 1000)
        #expect(held.rows == 1..<1001)
        var random = SeededRandom()
        for _ in 0..<200 {
            let first = Int.random(in: 1...1001, using: &random)
            let end = Int.random(in: first...1001, using: &random)
            let found = try readAll(AnyRecords(held.records(first..<end)), fieldCount: 1)
            let expected = records[first - 1..<end - 1]
            #expect(found.records == Array(expected.joined()), "\(random): \(first)..<\(end)")
            #expect(found.digest.rowCount == end - first)
        }
        let whole = try readAll(AnyRecords(held.records(held.rows)), fieldCount: 1)
        #expect(whole.digest == held.digest)
    }

    @Test("are had one by one")
    func single() throws {
        let held = try HeldTable.held(records)
        for row in [1, 2, 63, 64, 65, 128, 999, 1000] {
            #expect(try Array(held.record(row)) == records[row - 1], "\(row)")
        }
    }

    @Test("may have no bytes, and may be none")
    func empty() throws {
        let held = try HeldTable.held([[], [], []], fieldCount: 0)
        #expect(held.count == 3)
        let found = try readAll(AnyRecords(held.records(2..<4)), fieldCount: 0)
        #expect(found.digest.rowCount == 2)
        let none = try HeldTable.held([])
        #expect(none.rows.isEmpty)
        #expect(try readAll(AnyRecords(none.records(1..<1)), fieldCount: 1).digest == .empty)
    }
}

/// `readAll` takes sources by their type.
private final class AnyRecords: RecordSource {
    private let records: any RecordSource

    init(_ records: any RecordSource) {
        self.records = records
    }

    func fill(_ batch: inout Batch, byteGoal: Int) throws(Failure) -> Bool {
        try records.fill(&batch, byteGoal: byteGoal)
    }
}
