import SluiceCore
import TestSupport
import Testing

@testable import SluiceStore

/// One way to open an empty store, for the contract that all of them keep.
struct StoreUnderTest: Sendable, CustomTestStringConvertible {
    /// An empty store and what has to live as long as it.
    struct Opened {
        let store: any Store
        let owner: AnyObject?
    }

    let testDescription: String
    let open: @Sendable () throws -> Opened

    static let all = local + real

    static let local = [
        folder("a folder", .anonymous),
        folder("a folder without unnamed files", .named),
        folder("a folder without hard links", .renamed),
        folder(manyPasses, .anonymous, nameByteLimit: 100),
        StoreUnderTest(testDescription: "memory") { Opened(store: MemoryStore(), owner: nil) },
        StoreUnderTest(testDescription: "a store behind retries that fails every third call") {
            let faulty = FaultyStore(MemoryStore()) { request in
                switch request.number % 6 {
                case 2: .before(FaultyStore.noAnswer)
                case 5: .after(FaultyStore.noAnswer)
                default: nil
                }
            }
            let retry = Retry(
                attemptLimit: 10, firstPause: .microseconds(10), pauseLimit: .microseconds(10))
            return Opened(
                store: RetryingStore(faulty, retry: retry, stop: StopSignal()), owner: nil)
        },
        StoreUnderTest(testDescription: "a store behind limits") {
            let limited = LimitedStore(
                MemoryStore(), uploadLimit: 1 << 40, downloadLimit: 1 << 40, stop: StopSignal())
            return Opened(store: limited, owner: nil)
        },
        StoreUnderTest(testDescription: "Google Cloud Storage as its documentation has it") {
            Opened(store: try gcsStore(FakeGCS(pageLength: 90)), owner: nil)
        },
        StoreUnderTest(testDescription: "an emulator of it that ignores conditions") {
            let sender = FakeGCS(token: nil, keepsConditions: false)
            let store = try gcsStore(sender, "gs://bucket?endpoint=http://localhost:1")
            return Opened(store: store, owner: nil)
        },
    ]

    /// Those that are quick enough with thousands of keys; real ones have a test of their own.
    static let large = local.filter { $0.testDescription != manyPasses }

    private static let manyPasses = "a folder listed a few names at a time"

    private static func folder(
        _ name: String, _ publishing: Publishing, nameByteLimit: Int = 4 << 20
    ) -> StoreUnderTest {
        StoreUnderTest(testDescription: name) {
            let scratch = try ScratchFolder()
            let store = FolderStore(
                path: scratch.path("out"), publishing: publishing, nameByteLimit: nameByteLimit)
            return Opened(store: store, owner: scratch)
        }
    }
}

extension Store {
    func put(_ bytes: [UInt8], at key: String) throws(Failure) {
        try withBytes(bytes) { bytes throws(Failure) in try put(bytes, at: key) }
    }

    func create(_ bytes: [UInt8], at key: String) throws(Failure) -> Bool {
        try withBytes(bytes) { bytes throws(Failure) in try create(bytes, at: key) }
    }

    func get(_ key: String, byteLimit: Int = 1 << 30) throws(Failure) -> [UInt8]? {
        var buffer = ByteBuffer()
        guard try get(key, into: &buffer, byteLimit: byteLimit) else { return nil }
        return buffer.array()
    }

    func objects(_ prefix: String = "") throws(Failure) -> [StoredObject] {
        var objects: [StoredObject] = []
        try list(prefix) { object throws(Failure) in
            objects.append(object)
            return true
        }
        return objects
    }

    func keys(_ prefix: String = "") throws(Failure) -> [String] {
        try objects(prefix).map(\.key)
    }

    private func withBytes<Result>(
        _ bytes: [UInt8], _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        var buffer = ByteBuffer(capacity: bytes.count)
        buffer.append(bytes)
        return try body(buffer.bytes)
    }
}
