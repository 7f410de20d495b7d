import SluiceCore
import SluiceRecords
import Testing

@testable import SluiceEngine

/// What lanes are given, and in which order.
@Suite("The work of a load")
struct LoadWorkTests {
    private static func plan(_ name: Name) -> TablePlan {
        TablePlan(
            schema: RecordSchema(table: TableName(name), fields: []),
            definition: TableDefinition(columns: []), chunks: [Chunk(number: 0)])
    }

    private static func seal(_ plan: TablePlan, rowCount: Int = 5) -> Seal {
        let summary = ShardSummary(
            digest: Digest(sum: 1, rowCount: rowCount), recordBytes: 1, storedBytes: 1, sha256: [],
            crc32c: 0, reserved: [])
        return Seal(
            dataset: "d", table: plan.table, chunk: plan.chunks[0], counted: rowCount,
            shards: [Seal.Shard(key: "data/\(plan.table)/0-0-0.avro", summary: summary)])
    }

    private static func step(
        _ phase: LoadStep.Phase, _ name: String, _ plans: TablePlan..., locking: TablePlan? = nil
    ) -> LoadStep {
        LoadStep(
            phase: phase, name: name, tables: plans.map(\.table), lockedTable: locking?.table)
    }

    /// The next piece of work in a word, and what is to be said when it is done.
    private func take(_ work: LoadWork) throws -> (word: String, done: () -> Void)? {
        switch try work.next() {
        case nil: nil
        case .load(_, of: let plan, _, _):
            ("load \(plan.table)", { work.loaded(plan.table) })
        case .perform(let step): (step.name, { work.performed(step) })
        case .slice(let plan, let rowCount):
            (
                "slice \(plan.table), \(rowCount) rows",
                {
                    work.sliced(
                        plan, plan.chunks.map { ReadBack.Slice(plan: plan, chunk: $0) })
                }
            )
        case .read(let slice):
            ("read \(slice.plan.table)", { work.read(slice.plan.table) })
        }
    }

    private func all(_ work: LoadWork) throws -> [String] {
        var words: [String] = []
        while let (word, done) = try take(work) {
            words.append(word)
            done()
        }
        return words
    }

    @Test("tables are read back when nothing else is left for the moment, the largest first")
    func readingComesLast() throws {
        let plans = [Self.plan("a"), Self.plan("b")]
        let work = LoadWork(
            plans,
            steps: [
                Self.step(.indexes, "index of a", plans[0]),
                Self.step(.foreignKeys, "key of a", plans[0], plans[1]),
                Self.step(.code, "view"),
            ], readBackTime: .besideSteps)
        #expect(work.rowTotal == 0)
        work.startLoading()
        work.add(Self.seal(plans[0]), of: plans[0])
        work.add(Self.seal(plans[1], rowCount: 7), of: plans[1])
        work.endFeed()
        #expect(work.rowTotal == 12)
        #expect(!work.isLoaded)
        #expect(
            try all(work) == [
                "load a", "load b", "index of a", "key of a", "view", "slice b, 7 rows", "read b",
                "slice a, 5 rows", "read a",
            ])
        #expect(work.isFinished)
    }

    @Test("a lane that would wait for another's foreign key reads a table back instead")
    func lockedTables() throws {
        let plan = Self.plan("a")
        let work = LoadWork(
            [plan],
            steps: [
                Self.step(.foreignKeys, "first", plan, locking: plan),
                Self.step(.foreignKeys, "second", plan, locking: plan),
            ], readBackTime: .besideSteps)
        work.startLoading()
        work.add(Self.seal(plan), of: plan)
        work.endFeed()
        try #require(try take(work)).done()
        let first = try #require(try take(work))
        #expect(first.word == "first")
        let other = try #require(try take(work))
        #expect(other.word == "slice a, 5 rows")
        other.done()
        first.done()
        #expect(try all(work) == ["second", "read a"])
        #expect(work.isFinished)
    }

    @Test(
        "where steps would wait for readers, tables are read before others are loaded, and steps wait"
    )
    func readingComesFirst() throws {
        let plans = [Self.plan("a"), Self.plan("b")]
        let work = LoadWork(
            plans,
            steps: [
                Self.step(.indexes, "index of a", plans[0]),
                Self.step(.indexes, "index of b", plans[1]),
                Self.step(.foreignKeys, "key of a", plans[0], plans[1]),
                Self.step(.code, "trigger"),
            ], readBackTime: .beforeSteps)
        work.startLoading()
        work.add(Self.seal(plans[0]), of: plans[0])
        work.add(Self.seal(plans[1]), of: plans[1])
        work.endFeed()
        let loads = [try #require(try take(work)), try #require(try take(work))]
        #expect(loads.map(\.word) == ["load a", "load b"])
        loads[0].done()
        let cut = try #require(try take(work))
        #expect(cut.word == "slice a, 5 rows")
        // Of b nothing can be done yet, and a is being read.
        loads[1].done()
        let other = try #require(try take(work))
        #expect(other.word == "slice b, 5 rows")
        cut.done()
        let read = try #require(try take(work))
        #expect(read.word == "read a")
        read.done()
        let index = try #require(try take(work))
        #expect(index.word == "index of a")
        other.done()
        #expect(try #require(try take(work)).word == "read b")
        index.done()
        work.read(plans[1].table)
        #expect(try all(work) == ["index of b", "key of a", "trigger"])
        #expect(work.isFinished)
    }

    @Test("code waits for readers where steps would wait for them")
    func codeWaits() throws {
        let plans = [Self.plan("a"), Self.plan("b")]
        let work = LoadWork(
            plans, steps: [Self.step(.code, "trigger")], readBackTime: .beforeSteps)
        work.startLoading()
        for plan in plans { work.add(Self.seal(plan), of: plan) }
        work.endFeed()
        try #require(try take(work)).done()
        try #require(try take(work)).done()
        let slow = try #require(try take(work))
        #expect(slow.word == "read a")
        try #require(try take(work)).done()
        let last = try #require(try take(work))
        #expect(last.word == "slice b, 5 rows")
        last.done()
        try #require(try take(work)).done()
        // Another lane would be given the trigger here, if it were free.
        let lane = Monitor<String?>(nil)
        let thread = SluiceCore.Thread {
            let word = (try? self.take(work))??.word
            lane.change { $0 = word }
        }
        #expect(lane.wait(atMost: .milliseconds(100), { $0 }) == nil)
        slow.done()
        #expect(lane.wait(atMost: .seconds(10), { $0 }) == "trigger")
        thread.join()
    }

    @Test("without reading back a load is finished with its last step")
    func withoutReading() throws {
        let plan = Self.plan("a")
        let work = LoadWork([plan], steps: [Self.step(.indexes, "index", plan)])
        work.startLoading()
        work.add(Self.seal(plan), of: plan)
        work.endFeed()
        #expect(try all(work) == ["load a", "index"])
        #expect(work.isFinished)
    }
}
