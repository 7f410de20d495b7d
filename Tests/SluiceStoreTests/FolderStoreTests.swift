import Glibc
import SluiceCore
import TestSupport
import Testing

@testable import SluiceStore

@Suite("A folder as a store")
struct FolderStoreTests {
    let scratch: ScratchFolder
    let store: FolderStore

    init() throws {
        scratch = try ScratchFolder()
        store = FolderStore(path: scratch.path("deep/out"))
    }

    @Test("is named by its URL")
    func place() {
        #expect(FolderStore(path: "out/a").place == "file:out/a")
        #expect(store.facts == StoreFacts(hasConditionalPut: true, canList: true))
    }

    @Test("is made by the first put, not by reading")
    func madeByPut() throws {
        #expect(try store.get("a") == nil)
        #expect(try store.keys() == [])
        try store.delete("a/b")
        #expect(scratch.names() == [])
        try store.put([1], at: "a/b")
        #expect(scratch.names() == ["deep"])
        #expect(scratch.names(in: "deep/out/a") == ["b"])
    }

    @Test("stays when the last object goes, without its inner folders")
    func prune() throws {
        try store.put([1], at: "data/t/1")
        try store.put([1], at: "data/u/1")
        try store.delete("data/t/1")
        #expect(scratch.names(in: "deep/out/data") == ["u"])
        try store.delete("data/u/1")
        #expect(scratch.names(in: "deep/out") == [])
        #expect(scratch.names(in: "deep") == ["out"])
    }

    @Test("takes puts while others remove the folder they go to", arguments: Publishing.allCases)
    func putWhilePruning(_ publishing: Publishing) throws {
        let store = FolderStore(path: scratch.path("race"), publishing: publishing)
        let lost = Monitor(0)
        var lanes: [Lanes.Lane] = []
        for lane in 0..<4 {
            let churn: Lanes.Lane = { () throws(Failure) in
                let count = try countLost(in: store, at: "a/b/\(lane)")
                lost.change { $0 += count }
            }
            lanes.append(churn)
        }
        try Lanes.run(lanes)
        #expect(lost.read { $0 } == 0)
        #expect(scratch.names(in: "race") == [])
    }

    private func countLost(in store: FolderStore, at key: String) throws(Failure) -> Int {
        var count = 0
        for round in 0..<100 {
            try store.put([UInt8(round)], at: key)
            if try store.get(key) != [UInt8(round)] { count += 1 }
            try store.delete(key)
        }
        return count
    }

    @Test("leaves nothing but objects behind", arguments: Publishing.allCases)
    func nothingHidden(_ publishing: Publishing) throws {
        let store = FolderStore(path: scratch.path("out"), publishing: publishing)
        try store.put([1], at: "lease.json")
        try store.put([2], at: "lease.json")
        #expect(try store.create([1], at: "dataset.json"))
        #expect(try !store.create([2], at: "dataset.json"))
        #expect(scratch.names(in: "out") == ["dataset.json", "lease.json"])
    }

    @Test("never shows hidden files, links, pipes and names that no key has")
    func foreignFiles() throws {
        try store.put([1], at: "data/1.avro")
        for name in [".hidden", ".sluice-0123456789abcdef", "back\\slash", "ünï", "line\nfeed"] {
            try scratch.write("x", to: "deep/out/data/\(name)")
        }
        #expect(symlink("1.avro", scratch.path("deep/out/data/2.avro")) == 0)
        #expect(symlink("/etc", scratch.path("deep/out/data/etc")) == 0)
        #expect(mkfifo(scratch.path("deep/out/data/pipe"), 0o666) == 0)
        #expect(try store.keys() == ["data/1.avro"])
    }

    @Test("follows no link below itself")
    func links() throws {
        try store.put([1], at: "a")
        try scratch.write("secret", to: "secret")
        #expect(symlink(scratch.path("secret"), scratch.path("deep/out/link")) == 0)
        #expect(symlink(scratch.path(""), scratch.path("deep/out/data")) == 0)
        let found = failure { () throws(Failure) in try store.get("link") }
        #expect(
            found?.description == """
                \(store.place)/link is not a regular file
                hint: A store neither follows links nor reads devices; put the file itself there.
                """)
        #expect(
            failure { () throws(Failure) in try store.create([2], at: "link") }?.message
                == "\(store.place)/link is not a regular file")
        #expect(try store.get("data/secret") == nil)
        try store.delete("data/secret")
        #expect(
            failure { () throws(Failure) in try store.put([2], at: "data/secret") }?.message
                == "\(store.place)/data is not a folder")
        // A put replaces the link, not what it points to.
        try store.put([2], at: "link")
        #expect(try store.get("link") == [2])
        #expect(try FolderStore(path: scratch.path).get("secret") == Array("secret".utf8))
    }

    @Test("is followed when it is a link itself")
    func linkedRoot() throws {
        try scratch.makeFolder("real")
        #expect(symlink(scratch.path("real"), scratch.path("alias")) == 0)
        try FolderStore(path: scratch.path("alias")).put([1], at: "a")
        #expect(scratch.names(in: "real") == ["a"])
    }

    @Test("does not wait for a pipe in an object's place")
    func pipe() throws {
        try store.put([1], at: "a")
        #expect(mkfifo(scratch.path("deep/out/pipe"), 0o666) == 0)
        #expect(
            failure { () throws(Failure) in try store.get("pipe") }?.message
                == "\(store.place)/pipe is not a regular file")
    }

    @Test("says so when its path is a file", arguments: ["out", "out/below"])
    func fileInsteadOfFolder(_ path: String) throws {
        try scratch.write("x", to: "out")
        let store = FolderStore(path: scratch.path(path))
        let failures = [
            failure { () throws(Failure) in try store.put([], at: "a") },
            failure { () throws(Failure) in try store.get("a") },
            failure { () throws(Failure) in try store.keys() },
            failure { () throws(Failure) in try store.delete("a") },
        ]
        for found in failures {
            #expect(
                found?.description == """
                    \(store.place) is not a folder
                    hint: A store needs a folder of its own; choose another path.
                    """)
        }
    }

    @Test("says so when an object is where a folder is needed, and the other way round")
    func objectInsteadOfFolder() throws {
        try store.put([1], at: "a")
        try store.put([1], at: "b/c")
        #expect(
            failure { () throws(Failure) in try store.put([1], at: "a/b") }?.message
                == "\(store.place)/a is not a folder")
        for _ in 0..<2 {
            #expect(
                failure { () throws(Failure) in try store.put([1], at: "b") }?.message
                    == "\(store.place)/b is not a regular file")
            #expect(
                failure { () throws(Failure) in try store.create([1], at: "b") }?.message
                    == "\(store.place)/b is not a regular file")
        }
        #expect(try store.get("a/b") == nil)
        #expect(try store.keys("a/") == [])
        #expect(try store.keys() == ["a", "b/c"])
    }

    @Test("says so when a name is too long")
    func longName() throws {
        let key = String(repeating: "x", count: 255)
        try store.put([1], at: key)
        #expect(try store.get(key) == [1])
        let found = failure { () throws(Failure) in try store.put([1], at: key + "x") }
        #expect(found?.message == "\"\(key)x\" cannot be a key of a store")
        let long = FolderStore(path: scratch.path(key + "x"))
        #expect(
            failure { () throws(Failure) in try long.put([1], at: "a") }?.message
                == "the name is too long for the filesystem of \(long.place)")
    }

    @Test("lists more names than it holds", arguments: [1, 64, 1000, 1 << 20])
    func boundedListing(_ nameByteLimit: Int) throws {
        try store.put([], at: "t/0")
        var expected = ["t/0"]
        for number in 1..<400 {
            try scratch.write("", to: "deep/out/t/\(number)")
            expected.append("t/\(number)")
        }
        expected.sort { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        let bounded = FolderStore(
            path: scratch.path("deep/out"), publishing: .anonymous, nameByteLimit: nameByteLimit)
        #expect(try bounded.keys() == expected)
        #expect(try bounded.keys("t/39") == expected.filter { $0.hasPrefix("t/39") })
    }
}

@Suite("A folder after a killed process")
struct FolderLeftoverTests {
    let scratch: ScratchFolder

    init() throws { scratch = try ScratchFolder() }

    /// Leaves a draft that was last changed some hours before the others.
    private func leave(_ name: String, hoursAgo: Int) throws {
        try scratch.write("half an obj", to: name)
        let times = timespec(tv_sec: time(nil) - hoursAgo * 3600, tv_nsec: 0)
        guard utimensat(AT_FDCWD, scratch.path(name), [times, times], 0) == 0 else {
            throw SystemError("cannot change times")
        }
    }

    @Test("loses drafts older than a day with the next put", arguments: Publishing.allCases)
    func sweep(_ publishing: Publishing) throws {
        try scratch.makeFolder("data")
        try leave("data/.sluice-old", hoursAgo: 25)
        try leave("data/.sluice-new", hoursAgo: 23)
        try leave("data/.other", hoursAgo: 25)
        try leave("data/kept.avro", hoursAgo: 25)
        let store = FolderStore(path: scratch.path, publishing: publishing)
        #expect(try store.keys() == ["data/kept.avro"])
        #expect(scratch.names(in: "data").count == 4)
        try store.put([1], at: "data/1.avro")
        #expect(scratch.names(in: "data") == [".other", ".sluice-new", "1.avro", "kept.avro"])
    }

    @Test("is removed with its last object when only old drafts are left in it")
    func pruneLeftovers() throws {
        try scratch.makeFolder("data")
        try scratch.makeFolder("seals")
        try leave("data/1.avro", hoursAgo: 25)
        try leave("data/.sluice-old", hoursAgo: 25)
        try leave("seals/1.json", hoursAgo: 25)
        try leave("seals/.sluice-new", hoursAgo: 1)
        let store = FolderStore(path: scratch.path)
        try store.delete("data/1.avro")
        try store.delete("seals/1.json")
        #expect(scratch.names() == ["seals"])
        #expect(scratch.names(in: "seals") == [".sluice-new"])
    }
}
