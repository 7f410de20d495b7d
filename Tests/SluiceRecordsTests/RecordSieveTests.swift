import SluiceCore
import TestSupport
import Testing

@testable import SluiceRecords

@Suite("What a target refuses of a shard")
struct RecordSieveTests {
    private struct Found {
        var rows: [Int] = []
        var loaded: [Int] = []
        var attempts = 0
    }

    private final class Counter {
        var found = Found()
    }

    /// Sifts `count` records of which a server refuses those in `bad`.
    ///
    /// - Parameter isNamed: the server says which one it was.
    private func sift(_ count: Int, refusing bad: Set<Int>, isNamed: Bool) throws -> Found {
        let records = (0..<count).map { HeldTable.record("\($0)") }
        let counter = Counter()
        let refused = RefusedRecords(
            of: try HeldTable.held(records), admit: { _, _ in }, keep: { _ in "kept" })
        try RecordSieve.sift(refused) { rows throws(Failure) in
            counter.found.attempts += 1
            if let row = rows.first(where: bad.contains) {
                throw Failure(.failed, "no")
                    .refusing(row: isNamed ? row - rows.lowerBound + 1 : nil)
            }
            counter.found.loaded += rows
        }
        counter.found.rows = refused.refusals.map(\.row)
        #expect(refused.digest == expected(records, bad))
        #expect(try refused.keepAll() == (bad.isEmpty ? nil : "kept"))
        return counter.found
    }

    private func expected(_ records: [[UInt8]], _ bad: Set<Int>) -> Digest {
        var digest = Digest.empty
        for row in bad { records[row - 1].withUnsafeBytes { digest.add($0) } }
        return digest
    }

    @Test(
        "is found exactly, the others are loaded once, and the attempts are bounded",
        arguments: [true, false])
    func exact(_ isNamed: Bool) throws {
        var random = SeededRandom()
        for _ in 0..<20 {
            let count = Int.random(in: 0...20_000, using: &random)
            var bad: Set<Int> = []
            for _ in 0..<Int.random(in: 0...30, using: &random) where count > 0 {
                bad.insert(Int.random(in: 1...count, using: &random))
            }
            let found = try sift(count, refusing: bad, isNamed: isNamed)
            #expect(found.rows == bad.sorted(), "\(random)")
            let all = Set(found.loaded)
            #expect(all.count == found.loaded.count, "\(random)")
            #expect(all == Set(1..<count + 1).subtracting(bad), "\(random)")
            let each = isNamed ? 2 : 24
            #expect(found.attempts <= count / 4096 + 1 + each * bad.count, "\(random)")
        }
    }

    @Test("may be all of it", arguments: [true, false])
    func all(_ isNamed: Bool) throws {
        let found = try sift(100, refusing: Set(1...100), isNamed: isNamed)
        #expect(found.rows == Array(1...100))
        #expect(found.loaded == [])
    }

    @Test("may depend on what was loaded before: of two with one key the second is refused")
    func twice() throws {
        let keys = [1, 2, 3, 2, 4, 3]
        let refused = RefusedRecords(
            of: try HeldTable.held(keys.map { HeldTable.record("\($0)") }),
            admit: { _, _ in }, keep: { _ in "" })
        let counter = Counter()
        try RecordSieve.sift(refused) { rows throws(Failure) in
            let new = counter.found.loaded + rows.map { keys[$0 - 1] }
            guard Set(new).count == new.count else {
                throw Failure(.failed, "twice").refusing(row: nil)
            }
            counter.found.loaded = new
        }
        #expect(refused.refusals.map(\.row) == [4, 6])
        #expect(counter.found.loaded == [1, 2, 3, 4])
    }

    @Test("is not looked for where the failure is no refusal, and not beyond the limit")
    func others() throws {
        let held = try HeldTable.held((0..<10).map { HeldTable.record("\($0)") })
        let refused = RefusedRecords(of: held, admit: { _, _ in }, keep: { _ in "" })
        let lost = failure {
            try RecordSieve.sift(refused) { _ throws(Failure) in
                throw Failure(.unavailable, "gone", isTransient: true)
            }
        }
        #expect(lost?.message == "gone")
        #expect(refused.isEmpty)
        let limited = RefusedRecords(
            of: held,
            admit: { count, refusal throws(Failure) in
                if count > 2 { throw Failure(.failed, "row \(refusal.row) is too many") }
            }, keep: { _ in "" })
        let stopped = failure {
            try RecordSieve.sift(limited) { _ throws(Failure) in
                throw Failure(.failed, "no").refusing(row: 1)
            }
        }
        #expect(stopped?.message == "row 3 is too many")
    }
}
