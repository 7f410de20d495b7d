import SluiceCore
import TestSupport
import Testing

@testable import SluiceStore

/// What the dataset relies on, whatever the store is. A new store passes by joining
/// `StoreUnderTest.all`.
@Suite("Every store")
struct StoreContractTests {
    @Test("gives back what was put, from nothing to 32 MiB", arguments: StoreUnderTest.all)
    func roundTrip(_ tested: StoreUnderTest) throws {
        let opened = try tested.open()
        let store = opened.store
        for count in [0, 1, 4095, 4096, 65_537, 32 << 20] {
            let bytes = pattern(count)
            try store.put(bytes, at: "data/orders/\(count).avro")
            let read = try store.get("data/orders/\(count).avro")
            #expect(read == bytes, "\(count) bytes")
        }
    }

    @Test("finds nothing where nothing was put", arguments: StoreUnderTest.all)
    func nothing(_ tested: StoreUnderTest) throws {
        let opened = try tested.open()
        let store = opened.store
        #expect(try store.get("manifest.json") == nil)
        #expect(try store.get("seals/orders/1.json") == nil)
        #expect(try store.keys() == [])
        #expect(try store.keys("seals/orders/") == [])
        try store.delete("manifest.json")
        try store.delete("seals/orders/1.json")
        #expect(try store.keys() == [])
    }

    @Test("replaces the whole object by a shorter or longer one", arguments: StoreUnderTest.all)
    func overwrite(_ tested: StoreUnderTest) throws {
        let opened = try tested.open()
        let store = opened.store
        for count in [100, 7, 0, 5000] {
            let bytes = pattern(count)
            try store.put(bytes, at: "lease.json")
            #expect(try store.get("lease.json") == bytes)
        }
        #expect(try store.objects() == [StoredObject(key: "lease.json", byteCount: 5000)])
    }

    @Test("creates only where the key is free", arguments: StoreUnderTest.all)
    func createOnly(_ tested: StoreUnderTest) throws {
        let opened = try tested.open()
        let store = opened.store
        #expect(try store.create([1], at: "seals/orders/1.json"))
        #expect(try !store.create([2], at: "seals/orders/1.json"))
        #expect(try store.get("seals/orders/1.json") == [1])
        try store.put([3], at: "seals/orders/2.json")
        #expect(try !store.create([2], at: "seals/orders/2.json"))
        try store.delete("seals/orders/1.json")
        #expect(try store.create([2], at: "seals/orders/1.json"))
    }

    @Test("lets exactly one of sixteen creators win", arguments: StoreUnderTest.all)
    func oneCreatorWins(_ tested: StoreUnderTest) throws {
        let opened = try tested.open()
        let store = opened.store
        // What the store can do is known after the first.
        #expect(try store.create([], at: "dataset.json"))
        // Without conditions there is one writer only.
        guard store.facts.hasConditionalPut else { return }
        for round in 0..<20 {
            let winners = Monitor<[UInt8]>([])
            var lanes: [Lanes.Lane] = []
            for lane in 0..<16 {
                let number = UInt8(lane)
                let creator: Lanes.Lane = { () throws(Failure) in
                    let isWinner = try store.create([number, 0], at: "seals/t/\(round).json")
                    if isWinner { winners.change { $0.append(number) } }
                }
                lanes.append(creator)
            }
            try Lanes.run(lanes)
            let won = winners.read { $0 }
            #expect(won.count == 1)
            #expect(try store.get("seals/t/\(round).json") == won + [0])
        }
    }

    @Test(
        "never shows a part of an object while it is replaced",
        arguments: StoreUnderTest.all.filter(\.replacesWhole))
    func replacingIsAtomic(_ tested: StoreUnderTest) throws {
        let opened = try tested.open()
        let store = opened.store
        let versions = (1...8).map { [UInt8](repeating: UInt8($0), count: $0 * 10_000) }
        try store.put(versions[0], at: "lease.json")
        let mixed = Monitor(0)
        let writer: Lanes.Lane = { () throws(Failure) in
            for round in 0..<40 { try store.put(versions[round % 8], at: "lease.json") }
        }
        let reader: Lanes.Lane = { () throws(Failure) in
            for _ in 0..<80 {
                let read = try store.get("lease.json") ?? []
                if !versions.contains(read) { mixed.change { $0 += 1 } }
            }
        }
        try Lanes.run([writer, writer, reader, reader])
        #expect(mixed.read { $0 } == 0)
    }

    @Test("refuses an object above the limit without reading it", arguments: StoreUnderTest.all)
    func limit(_ tested: StoreUnderTest) throws {
        let opened = try tested.open()
        let store = opened.store
        try store.put(pattern(50), at: "manifest.json")
        #expect(try store.get("manifest.json", byteLimit: 50) == pattern(50))
        let found = failure { () throws(Failure) in
            try store.get("manifest.json", byteLimit: 49)
        }
        #expect(
            found?.description == """
                \(store.place)/manifest.json has 50 bytes, more than the 49 expected
                hint: Did something else write into this store?
                """)
        #expect(found?.kind == .failed)
    }

    @Test("gives the part of an object that is asked for", arguments: StoreUnderTest.all)
    func part(_ tested: StoreUnderTest) throws {
        let opened = try tested.open()
        try opened.store.put(pattern(1000), at: "a")
        var buffer = ByteBuffer()
        for range in [0..<1, 7..<42, 999..<1000, 0..<1000] {
            #expect(try opened.store.get(range, of: "a", into: &buffer))
            #expect(buffer.array() == Array(pattern(1000)[range]))
        }
        #expect(try !opened.store.get(0..<1, of: "b", into: &buffer))
        #expect(buffer.array() == [])
    }

    @Test("empties the buffer it is given", arguments: StoreUnderTest.all)
    func bufferIsReplaced(_ tested: StoreUnderTest) throws {
        let opened = try tested.open()
        try opened.store.put([7], at: "a")
        var buffer = ByteBuffer()
        buffer.append([1, 2, 3])
        #expect(try opened.store.get("a", into: &buffer, byteLimit: 10))
        #expect(buffer.array() == [7])
        #expect(try !opened.store.get("b", into: &buffer, byteLimit: 10))
        #expect(buffer.array() == [])
    }

    @Test("lists in byte order of whole keys", arguments: StoreUnderTest.all)
    func order(_ tested: StoreUnderTest) throws {
        let opened = try tested.open()
        let store = opened.store
        // A slash sorts behind `-` and `.` and before digits and letters.
        let keys = [
            "data/a%41/1", "data/a-b/1", "data/a.b/1", "data/a/1", "data/a/1-0-ff.avro",
            "data/a/10", "data/a/2", "data/a0/1", "data/a_/1", "data/a~b", "data/b", "data0",
            "data~/1",
        ]
        for (index, key) in keys.reversed().enumerated() { try store.put(pattern(index), at: key) }
        #expect(try store.keys() == keys)
        #expect(try store.objects().map(\.byteCount) == Array((0..<keys.count).reversed()))
    }

    @Test("lists what begins with the prefix, whole names or not", arguments: StoreUnderTest.all)
    func prefix(_ tested: StoreUnderTest) throws {
        let opened = try tested.open()
        let store = opened.store
        for key in ["data/ab/1", "data/ab/2", "data/a/1", "data/abc", "dataset.json", "b"] {
            try store.put([1], at: key)
        }
        #expect(try store.keys("data/") == ["data/a/1", "data/ab/1", "data/ab/2", "data/abc"])
        #expect(try store.keys("data/ab") == ["data/ab/1", "data/ab/2", "data/abc"])
        #expect(try store.keys("data/ab/") == ["data/ab/1", "data/ab/2"])
        #expect(try store.keys("data/ab/2") == ["data/ab/2"])
        #expect(
            try store.keys("data") == [
                "data/a/1", "data/ab/1", "data/ab/2", "data/abc", "dataset.json",
            ])
        #expect(try store.keys("data/x") == [])
        #expect(try store.keys("b/") == [])
    }

    @Test("ends a listing when told to, and passes on a failure", arguments: StoreUnderTest.all)
    func earlyStop(_ tested: StoreUnderTest) throws {
        let opened = try tested.open()
        let store = opened.store
        for number in 0..<30 { try store.put([], at: "data/t\(number % 3)/\(number)") }
        var seen = 0
        try store.list("") { _ throws(Failure) in
            seen += 1
            return seen < 5
        }
        #expect(seen == 5)
        let ended = failure { () throws(Failure) in
            try store.list("data/") { object throws(Failure) in
                throw Failure(.differs, "no more", isTransient: true).during(object.key)
            }
        }
        #expect(ended?.places == ["data/t0/0"])
    }

    @Test("lists ten thousand keys once each", arguments: StoreUnderTest.large)
    func manyKeys(_ tested: StoreUnderTest) throws {
        let opened = try tested.open()
        let store = opened.store
        var keys: [String] = []
        for number in 0..<10_000 {
            // Scattered, so that they are not made in the order they are listed in.
            let key = "data/t/\(number * 7919 % 10_000)-0-0123456789abcdef.avro"
            keys.append(key)
            try store.put([], at: key)
        }
        keys.sort { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        #expect(try store.keys("data/") == keys)
    }

    @Test("takes objects away while they are listed", arguments: StoreUnderTest.all)
    func deleteWhileListing(_ tested: StoreUnderTest) throws {
        let opened = try tested.open()
        let store = opened.store
        for number in 0..<200 { try store.put([1], at: "data/t\(number % 4)/\(number)") }
        var count = 0
        try store.list("") { object throws(Failure) in
            try store.delete(object.key)
            count += 1
            return true
        }
        #expect(count == 200)
        #expect(try store.keys() == [])
    }

    @Test("deletes an object once and again", arguments: StoreUnderTest.all)
    func delete(_ tested: StoreUnderTest) throws {
        let opened = try tested.open()
        let store = opened.store
        try store.put([1], at: "holds/1.json")
        try store.put([2], at: "holds/2.json")
        try store.delete("holds/1.json")
        try store.delete("holds/1.json")
        #expect(try store.get("holds/1.json") == nil)
        #expect(try store.keys() == ["holds/2.json"])
        // A part of a key is no object. rclone serves a folder, and fails on its name.
        guard tested.testDescription != RealServer.rcloneS3.description else { return }
        try store.delete("holds")
        #expect(try store.get("holds") == nil)
        #expect(try store.keys() == ["holds/2.json"])
    }

    @Test("keeps every character that a key may have", arguments: StoreUnderTest.all)
    func keyCharacters(_ tested: StoreUnderTest) throws {
        let opened = try tested.open()
        let store = opened.store
        let characters = "abcdefghijklmnopqrstuvwxyz0123456789_-%~ABCDEF"
        var keys = characters.map { "data/\($0)/\($0).avro" }
        keys.append("data/\(characters).\(characters)/" + String(repeating: "x", count: 200))
        for key in keys { try store.put(Array(key.utf8), at: key) }
        for key in keys { #expect(try store.get(key) == Array(key.utf8)) }
        keys.sort { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        #expect(try store.keys() == keys)
    }

    @Test("refuses a key that could lead out of it", arguments: StoreUnderTest.all)
    func illegalKeys(_ tested: StoreUnderTest) throws {
        let opened = try tested.open()
        let store = opened.store
        let hint =
            "Keys are up to 16 names of printable ASCII between slashes, none of which "
            + "begins with a dot."
        for key in ["", "/", "/etc/passwd", "a//b", "a/", "..", "../a", "a/../b", "a/.b", "."] {
            let failures = [
                failure { () throws(Failure) in try store.put([], at: key) },
                failure { () throws(Failure) in try store.create([], at: key) },
                failure { () throws(Failure) in try store.get(key) },
                failure { () throws(Failure) in try store.delete(key) },
            ]
            for found in failures {
                #expect(found?.message == "\"\(key)\" cannot be a key of a store")
                #expect(found?.hint == hint)
            }
        }
        #expect(failure { () throws(Failure) in try store.keys("../") }?.hint == hint)
    }
}

/// Bytes that differ along the object, so that a missing block shows.
func pattern(_ count: Int) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: count) { room, filled in
        var state: UInt32 = 2_463_534_242
        for index in 0..<count {
            state ^= state << 13
            state ^= state >> 17
            state ^= state << 5
            room[index] = UInt8(truncatingIfNeeded: state)
        }
        filled = count
    }
}
