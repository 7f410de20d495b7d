import SluiceCore
import Synchronization
import TestSupport
import Testing

@testable import SluiceStore

@Suite("A store behind retries")
struct RetryingStoreTests {
    let memory = MemoryStore()

    /// Faults by the number of the call.
    private func store(
        _ faults: [Int: FaultyStore.Fault], attemptLimit: Int = 3, stop: StopSignal = StopSignal(),
        onRetry: @escaping @Sendable (Failure, Int) -> Void = { _, _ in }
    ) -> RetryingStore {
        let faulty = FaultyStore(memory) { faults[$0.number] }
        let retry = Retry(
            attemptLimit: attemptLimit, firstPause: .microseconds(10), pauseLimit: .microseconds(20)
        )
        return RetryingStore(faulty, retry: retry, stop: stop, onRetry: onRetry)
    }

    @Test("tries again what may succeed, and counts it")
    func counts() throws {
        let told = Monitor<[String]>([])
        let store = store([1: .before(FaultyStore.noAnswer), 2: .after(FaultyStore.noAnswer)]) {
            failure, number in
            told.change { $0.append("\(number): \(failure.message)") }
        }
        try store.put([1], at: "a")
        #expect(try store.get("a") == [1])
        #expect(store.traffic.retries == 2)
        #expect(
            told.read { $0 } == ["1: the store does not answer", "2: the store does not answer"])
    }

    @Test("gives up after the last attempt with that failure")
    func givesUp() {
        let always = FaultyStore.Fault.before(FaultyStore.noAnswer)
        let store = store([1: always, 2: always, 3: always])
        let found = failure { () throws(Failure) in try store.put([1], at: "a") }
        #expect(found?.message == "the store does not answer")
        #expect(found?.kind == .unavailable)
        #expect(store.traffic.retries == 2)
    }

    @Test("does not try again what cannot succeed")
    func permanent() {
        let store = store([1: .before(Failure(.failed, "no such bucket"))])
        #expect(failure { () throws(Failure) in try store.get("a") }?.message == "no such bucket")
        #expect(store.traffic.retries == 0)
    }

    @Test("stops trying when the work should end")
    func stops() {
        let stop = StopSignal()
        let always = FaultyStore.Fault.before(FaultyStore.noAnswer)
        let store = store([1: always, 2: always], stop: stop) { _, _ in stop.raise(.timeLimit) }
        let found = failure { () throws(Failure) in try store.delete("a") }
        #expect(found?.message == "the time limit was reached")
        #expect(store.traffic.retries == 1)
    }

    @Test("knows its own object when the answer to creating it was lost")
    func ambiguousCreate() throws {
        let store = store([1: .after(FaultyStore.noAnswer)])
        #expect(try store.create([1, 2], at: "seals/1.json"))
        #expect(try memory.get("seals/1.json") == [1, 2])
    }

    @Test(
        "takes nobody else's object for its own",
        arguments: [[9], [1, 9], [1, 2, 3]] as [[UInt8]])
    func ambiguousCreateOfOthers(_ theirs: [UInt8]) throws {
        try memory.put(theirs, at: "seals/1.json")
        let store = store([1: .before(FaultyStore.noAnswer)])
        #expect(try !store.create([1, 2], at: "seals/1.json"))
        #expect(try memory.get("seals/1.json") == theirs)
    }

    @Test("goes on with a listing behind the last object it gave")
    func listing() throws {
        let keys = (0..<10).map { "data/\($0)" }
        for key in keys { try memory.put([], at: key) }
        let store = store([1: .after(FaultyStore.noAnswer), 2: .after(FaultyStore.noAnswer)])
        #expect(try store.keys() == keys)
        #expect(store.traffic.retries == 2)
    }

    @Test("does not repeat a listing that its visitor failed")
    func visitorFails() throws {
        try memory.put([], at: "a")
        let store = store([:])
        let found = failure { () throws(Failure) in
            try store.list("") { _ throws(Failure) in throw FaultyStore.noAnswer }
        }
        #expect(found?.message == "the store does not answer")
        #expect(store.traffic.retries == 0)
    }

    @Test("replaces what a failed read left in the buffer")
    func readAgain() throws {
        try memory.put([1, 2, 3], at: "a")
        let store = store([1: .after(FaultyStore.noAnswer)])
        #expect(try store.get("a") == [1, 2, 3])
    }
}

@Suite("A store that fails on purpose")
struct FaultyStoreTests {
    @Test("cuts and flips what is read, where it is told to")
    func damage() throws {
        let memory = MemoryStore()
        try memory.put([1, 2, 3, 4], at: "a")
        let store = FaultyStore(memory) { request in
            switch request.number {
            case 1: .cut(byteCount: 3)
            case 2: .flip(bit: 17)
            case 3: .cut(byteCount: 9)
            default: nil
            }
        }
        #expect(try store.get("a") == [1, 2, 3])
        #expect(try store.get("a") == [1, 2, 1, 4])
        #expect(try store.get("a") == [1, 2, 3, 4])
        #expect(try store.get("a") == [1, 2, 3, 4])
        #expect(store.requestCount == 4)
    }

    @Test("fails before or after the store has done it")
    func beforeAndAfter() throws {
        let memory = MemoryStore()
        let store = FaultyStore(memory) { request in
            guard request.operation == .put else { return nil }
            return request.key == "before"
                ? .before(FaultyStore.noAnswer) : .after(FaultyStore.noAnswer)
        }
        for key in ["before", "after"] {
            let found = failure { () throws(Failure) in try store.put([1], at: key) }
            #expect(found?.message == "the store does not answer")
        }
        #expect(try store.keys() == ["after"])
    }
}

@Suite("A store behind limits")
struct LimitedStoreTests {
    @Test("sends no faster than it may, over all lanes together")
    func upload() throws {
        let store = LimitedStore(
            MemoryStore(), uploadLimit: 1_000_000, downloadLimit: nil, stop: StopSignal())
        let begin = Clock.now
        var lanes: [Lanes.Lane] = []
        for lane in 0..<4 {
            let putter: Lanes.Lane = { () throws(Failure) in
                for number in 0..<5 { try store.put(pattern(20_000), at: "\(lane)/\(number)") }
            }
            lanes.append(putter)
        }
        try Lanes.run(lanes)
        // Twenty objects take a fiftieth of a second each; the last one's pause is nobody's to wait
        // for.
        #expect(Clock.now - begin >= .milliseconds(380))
        #expect(try store.objects().count == 20)
    }

    @Test("receives no faster than it may")
    func download() throws {
        let memory = MemoryStore()
        try memory.put(pattern(20_000), at: "a")
        let store = LimitedStore(
            memory, uploadLimit: nil, downloadLimit: 1_000_000, stop: StopSignal())
        let begin = Clock.now
        for _ in 0..<11 { #expect(try store.get("a")?.count == 20_000) }
        #expect(Clock.now - begin >= .milliseconds(200))
    }

    @Test("ends its pause when the work should end")
    func stops() throws {
        let stop = StopSignal()
        let store = LimitedStore(MemoryStore(), uploadLimit: 1, downloadLimit: 1, stop: stop)
        try store.put(pattern(1_000_000), at: "a")
        stop.raise(.signal)
        let found = failure { () throws(Failure) in try store.put([1], at: "b") }
        #expect(found?.message == "interrupted")
        #expect(try store.keys() == ["a"])
    }
}
