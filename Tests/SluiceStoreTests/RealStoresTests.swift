import SluiceCore
import TestSupport
import Testing

@testable import SluiceStore

/// What only servers of real size and over a real connection can show.
@Suite("Real object stores", .serialized)
struct RealStoresTests {
    @Test("list ten thousand small objects within seconds", arguments: RealServer.all)
    func manyObjects(_ server: RealServer) throws {
        let store = RetryingStore(
            try server.open(RealServer.newPrefix()), retry: Retry(), stop: StopSignal())
        // The emulator takes longer for each object that it has; it has to give some pages.
        let keys = (0..<(server.kind == .gcs ? 2500 : 10_000)).map { number in
            "data/t/\(String(100_000 + number).dropFirst())-0-0123456789abcdef.avro"
        }
        var lanes: [Lanes.Lane] = []
        for start in 0..<8 {
            let putter: Lanes.Lane = { () throws(Failure) in
                for number in stride(from: start, to: keys.count, by: 8) {
                    try store.put([UInt8(number & 0xFF)], at: keys[number])
                }
            }
            lanes.append(putter)
        }
        try Lanes.run(lanes)
        let start = Clock.now
        let found = try store.objects("data/")
        let seconds = (Clock.now - start).inSeconds
        #expect(found == keys.map { StoredObject(key: $0, byteCount: 1) })
        #expect(seconds < 10, "\(seconds) s")
        #expect(store.traffic.requests < keys.count + 50)
    }

    @Test("take one request for each shard", arguments: [RealServer.seaweedFS, .nginx, .gcs])
    func oneRequest(_ server: RealServer) throws {
        let proxy = try FlakyProxy(try server.address, oneIn: 0, seed: 0)
        let store = try server.open(RealServer.newPrefix(), at: proxy.url)
        try store.put([1], at: "data/t/0-0-0123456789abcdef.avro")
        let before = proxy.requests.count
        for number in 1...20 {
            try store.put(pattern(100_000), at: "data/t/\(number)-0-0123456789abcdef.avro")
        }
        #expect(proxy.requests.count == before + 20)
    }
}
