import SluiceCore
import SluiceRecords
import TestSupport
import Testing

@testable import SluiceEngine

@Suite("The order of a load") struct LoadOrderTests {
    private func plan(_ name: String, chunks: Int = 1) -> TablePlan {
        TablePlan(
            schema: RecordSchema(table: TableName(Name(name)), fields: []),
            definition: TableDefinition(columns: [], primaryKey: []),
            chunks: (0..<chunks).map { Chunk(number: $0) })
    }

    private func seal(_ plan: TablePlan, _ chunk: Int = 0, shards: Int = 1) -> Seal {
        let summary = ShardSummary(
            digest: .empty, recordBytes: 0, storedBytes: 0, sha256: [], crc32c: 0, reserved: [])
        return Seal(
            dataset: "d", table: plan.table, chunk: plan.chunks[chunk], counted: 0,
            shards: (0..<shards).map {
                Seal.Shard(key: "\(plan.table) \(chunk) \($0)", summary: summary)
            })
    }

    private func key(_ task: LoadWork.Task?) -> String? {
        guard case .load(let shard, _, _, _) = task else { return nil }
        return shard.key
    }

    private let parent: TableName = TableName("parent")
    private let child: TableName = TableName("child")

    @Test("hands out a table's shards when those of its parents are in, whatever came first")
    func parentsFirst() throws {
        let plans = [plan("child"), plan("parent", chunks: 2), plan("other")]
        let work = LoadWork(
            plans, steps: [], loadedAfter: [child: [parent, TableName("other")]])
        work.startLoading()
        work.add(seal(plans[0], shards: 2), of: plans[0])
        work.add(seal(plans[1], 1), of: plans[1])
        #expect(try key(work.next()) == "parent 1 0")
        work.loaded(parent)
        work.add(seal(plans[2]), of: plans[2])
        #expect(try key(work.next()) == "other 0 0")
        work.loaded(TableName("other"))
        work.add(seal(plans[1], 0, shards: 1), of: plans[1])
        #expect(try key(work.next()) == "parent 0 0")
        work.loaded(parent)
        #expect(try key(work.next()) == "child 0 0")
        #expect(try key(work.next()) == "child 0 1")
        work.loaded(child)
        work.loaded(child)
        #expect(try work.next() == nil)
        #expect(work.isFinished)
    }

    @Test("counts parents as complete that have nothing, or nothing more")
    func emptyParents() throws {
        let plans = [plan("child"), plan("parent", chunks: 0), plan("other")]
        let work = LoadWork(
            plans, steps: [], loadedAfter: [child: [parent, TableName("other"), TableName("gone")]])
        work.startLoading()
        work.add(seal(plans[0]), of: plans[0])
        work.add(seal(plans[2], shards: 0), of: plans[2])
        #expect(try key(work.next()) == "child 0 0")
    }

    @Test("shows how far a step is while it is done")
    func details() throws {
        let store = MemoryStore()
        _ = try ExportTests.run().export(from: NumberSource(rowCount: 10, chunkRows: 10), to: store)
        let run = ExportTests.run()
        let shown = Monitor("")
        let step = LoadStep(phase: .indexes, name: "index numbers", tables: [])
        let target = LoadedTarget(steps: [step]) {
            // Until it is shown, the step is not done.
            while shown.read({ $0.isEmpty }) {
                let index = run.progress.snapshot.first { $0.phase == .index }
                guard let item = index?.figures.active.first else { return }
                shown.change { $0 = item.detail }
            }
        }
        #expect(try run.load(from: store, into: target).exitCode == 0)
        #expect(shown.read { $0 } == "half of it")
        let index = try #require(run.progress.snapshot.first { $0.phase == .index })
        #expect(index.figures.items == 1 && index.figures.itemTotal == 1)
        #expect(index.figures.active.isEmpty)
    }

    @Test("reads rows back again where the server ended one of two that waited for each other")
    func readingAgain() throws {
        let store = MemoryStore()
        let source = NumberSource(rowCount: 10, chunkRows: 10)
        _ = try ExportTests.run().export(from: source, to: store)
        let target = LoadedTarget()
        _ = try ExportTests.run().load(from: store, into: target)
        let deadlock = Failure(.failed, "deadlock detected", code: "40P01", isTransient: true)
        target.readFailures.change { $0 = [deadlock, deadlock] }
        #expect(try ExportTests.run().verify(target, against: store).verified == true)
        target.readFailures.change { $0 = [Failure(.failed, "no")] }
        let lasting = failure(of: { try ExportTests.run().verify(target, against: store) })
        #expect(lasting?.message == "no")
    }

    @Test("ends where an unfinished dataset lacks a parent's rows")
    func unfinished() throws {
        let plans = [plan("child"), plan("parent", chunks: 2)]
        let work = LoadWork(plans, steps: [], loadedAfter: [child: [parent]])
        work.startLoading()
        work.add(seal(plans[0]), of: plans[0])
        work.add(seal(plans[1]), of: plans[1])
        work.endFeed()
        #expect(try key(work.next()) == "parent 0 0")
        work.loaded(parent)
        #expect(try work.next() == nil)
        #expect(!work.isFinished)
    }
}
