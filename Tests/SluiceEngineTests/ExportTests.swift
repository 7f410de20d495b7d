import SluiceCore
import SluiceRecords
import Testing

@testable import SluiceEngine

@Suite struct ExportTests {
    static func run(_ change: (inout Settings) -> Void = { _ in }) -> Run {
        var settings = Settings()
        settings.shardBytes = 2000
        change(&settings)
        return Run(
            settings: settings, stop: StopSignal(), log: .silent, progress: Progress())
    }

    @Test func aFinishedExportHasEveryRowInSealedShards() throws {
        let store = MemoryStore()
        let outcome = try Self.run().export(from: NumberSource(), to: store)
        #expect(outcome.status == .done)
        #expect(outcome.rows == 1000)
        #expect(outcome.exitCode == 0)
        let manifest = try #require(try Dataset.require(in: store).manifest())
        #expect(manifest.tables.map(\.digest.rowCount) == [1000])
        let shards = store.keys.filter { $0.hasPrefix("data/") }
        #expect(shards.count == outcome.shards)
        #expect(shards.count > 4)
    }

    @Test func theSameExportAgainDoesNothing() throws {
        let store = MemoryStore()
        _ = try Self.run().export(from: NumberSource(), to: store)
        let before = store.keys.filter { !$0.hasPrefix("reports/") }
        let outcome = try Self.run().export(from: NumberSource(), to: store)
        #expect(outcome.status == .unchanged)
        #expect(outcome.rows == 1000)
        #expect(
            outcome.warnings == ["the dataset in memory is finished; nothing was exported"])
        #expect(store.keys.filter { !$0.hasPrefix("reports/") } == before)
    }

    @Test func aFinishedDatasetWhoseSourceHasGoneOnIsSaidToBeOld() throws {
        let store = MemoryStore()
        _ = try Self.run().export(from: NumberSource(), to: store)
        let outcome = try Self.run().export(from: NumberSource(stamp: ["n": 2]), to: store)
        #expect(outcome.status == .unchanged)
        let created = try Dataset.require(in: store).header.createdAt
        #expect(
            outcome.warnings == [
                "the dataset in memory is finished; nothing was exported",
                "numbers:test may have changed since the dataset in memory was exported "
                    + "(\(created)); nothing of that is in it",
            ])
    }

    @Test func twoExportsOfTheSameRowsHaveTheSameShards() throws {
        let first = MemoryStore()
        let second = MemoryStore()
        _ = try Self.run().export(from: NumberSource(), to: first)
        _ = try Self.run { $0.lanes = 1 }.export(from: NumberSource(), to: second)
        let shards = { (store: MemoryStore) in store.keys.filter { $0.hasPrefix("data/") } }
        #expect(shards(first) == shards(second))
    }

    struct FaultCase: Sendable, CustomTestStringConvertible {
        let fault: NumberSource.Fault
        let message: String
        var testDescription: String { "\(fault)" }
    }

    @Test(
        arguments: [
            FaultCase(
                fault: .rowLeftOut, message: "the source counts 300 rows there, and 299 were read"),
            FaultCase(
                fault: .rowReadTwice,
                message: "the source counts 300 rows there, and 301 were read"),
            FaultCase(
                fault: .gapBetweenChunks,
                message: "the chunks planned for numbers do not cover it"),
            FaultCase(
                fault: .overlapOfChunks,
                message: "the chunks planned for numbers do not cover it"),
            FaultCase(
                fault: .closedEnd, message: "the chunks planned for numbers do not cover it"),
            FaultCase(
                fault: .readBeyondBound,
                message: "numbers has 1000 rows, and its chunks have 999"),
        ])
    func aChunkThatIsNotReadRightlyIsFoundBeforeTheManifest(_ example: FaultCase) throws {
        let store = MemoryStore()
        let failure = #expect(throws: Failure.self) {
            _ = try Self.run().export(from: NumberSource(fault: example.fault), to: store)
        }
        #expect(failure?.message == example.message)
        #expect(!store.keys.contains("manifest.json"))
    }

    @Test func aChunkWhoseReadingFailsForAMomentIsReadAgainFromItsStart() throws {
        let store = MemoryStore()
        let outcome = try Self.run().export(from: NumberSource(fault: .failsOnce), to: store)
        #expect(outcome.rows == 1000)
    }

    @Test func anInterruptedExportContinuesWhenTheSourceHasNotChanged() throws {
        let store = MemoryStore()
        _ = try Self.run().export(from: NumberSource(), to: store)
        let id = try Dataset.require(in: store).id
        // As a process leaves it that was killed before the last chunk was sealed.
        try store.delete("manifest.json")
        try store.delete("seals/numbers/00002.json")
        let outcome = try Self.run().export(from: NumberSource(), to: store)
        #expect(outcome.status == .done)
        #expect(outcome.dataset == id)
        #expect(outcome.rows == 1000)
    }

    @Test func anInterruptedExportStartsOverWhenTheSourceHasChanged() throws {
        let store = MemoryStore()
        _ = try Self.run().export(from: NumberSource(), to: store)
        let id = try Dataset.require(in: store).id
        try store.delete("manifest.json")
        let outcome = try Self.run().export(
            from: NumberSource(rowCount: 10, stamp: ["n": 2]), to: store)
        #expect(outcome.dataset != id)
        #expect(outcome.rows == 10)
        #expect(store.keys.filter { $0.hasPrefix("data/") }.count == 1)
    }

    @Test func shardsThatNoSealNamesAreGoneWhenTheExportIsFinished() throws {
        let store = MemoryStore()
        let stray = "data/numbers/00000-00000-0123456789abcdef.avro"
        try store.put([1, 2, 3], at: stray)
        _ = try Self.run().export(from: NumberSource(), to: store)
        #expect(!store.keys.contains(stray))
    }

    @Test func aSealOfAnotherDatasetIsDeletedAndItsChunkReadAgain() throws {
        let store = MemoryStore()
        _ = try Self.run().export(from: NumberSource(), to: store)
        let seal = try #require(
            try store.bytes(of: "seals/numbers/00001.json", byteLimit: 1 << 20))
        let other = MemoryStore()
        try other.put(seal, at: "seals/numbers/00001.json")
        let outcome = try Self.run().export(from: NumberSource(), to: other)
        #expect(outcome.rows == 1000)
    }

    @Test func otherOptionsThanTheDatasetsAreNamed() throws {
        let store = MemoryStore()
        _ = try Self.run().export(from: NumberSource(), to: store)
        let failure = #expect(throws: Failure.self) {
            _ = try Self.run { $0.format = ShardFormat(.avro, .snappy) }
                .export(from: NumberSource(), to: store)
        }
        #expect(failure?.kind == .usage)
        #expect(
            failure?.message
                == "the dataset in memory was begun with other options: "
                + "--codec is snappy here and zstandard in the dataset")
    }

    @Test func aTableThatTheSourceDoesNotHaveIsSuggested() throws {
        let failure = #expect(throws: Failure.self) {
            _ = try Self.run { $0.tables = ["nubmers"] }
                .export(from: NumberSource(), to: MemoryStore())
        }
        #expect(failure?.kind == .usage)
        #expect(
            failure?.message
                == "--tables names 'nubmers', and no table of numbers:test is called that")
        #expect(failure?.hint == "Did you mean 'numbers'?")
    }

    @Test func anEmptyTableHasOneShardSoThatReadersFindItsSchema() throws {
        let store = MemoryStore()
        let outcome = try Self.run().export(from: NumberSource(rowCount: 0), to: store)
        #expect(outcome.rows == 0)
        #expect(outcome.shards == 1)
    }

    @Test func aStopSignalEndsTheExportSoThatItCanBeContinued() throws {
        let store = MemoryStore()
        let stopped = Self.run()
        stopped.stop.raise(.timeLimit)
        let failure = #expect(throws: Failure.self) {
            _ = try stopped.export(from: NumberSource(), to: store)
        }
        #expect(failure?.kind == .unfinished)
        #expect(failure?.message == "the time limit was reached")
        let outcome = try Self.run().export(from: NumberSource(), to: store)
        #expect(outcome.rows == 1000)
    }
}
