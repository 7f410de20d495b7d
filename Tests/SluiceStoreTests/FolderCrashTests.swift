import Glibc
import SluiceCore
import TestSupport
import Testing

@testable import SluiceStore

/// Real processes killed in the middle of real puts.
@Suite("A folder whose writer is killed")
struct FolderCrashTests {
    @Test("holds whole objects and nothing else", arguments: Publishing.allCases, 1...6)
    func kill(_ publishing: Publishing, _ round: Int) async throws {
        let scratch = try ScratchFolder()
        let path = scratch.path
        let way = publishing.rawValue
        await #expect(processExitsWith: .signal(SIGKILL)) {
            [path = path as String, way = way as Int, round = round as Int] in
            try FolderCrashTests.putUntilKilled(path, way, afterMilliseconds: round * 17)
        }
        let store = FolderStore(path: path, publishing: publishing)
        let objects = try store.objects()
        #expect(!objects.isEmpty, "the writer was killed before its first put")
        for object in objects {
            let bytes = try #require(try store.get(object.key))
            #expect(bytes.count >= 1000 && bytes.allSatisfy { $0 == bytes[0] }, "\(object.key)")
            #expect(bytes.count == 1000 * (Int(bytes[0]) + 1), "\(object.key)")
        }
        // Whoever comes next is not in anybody's way.
        try store.put([1], at: "lease.json")
        #expect(try store.create([1], at: "seals/new.json"))
        for object in try store.objects() { try store.delete(object.key) }
        let drafts = ["data", "seals", ""].flatMap { scratch.names(in: $0) }
            .filter { $0.hasPrefix(FolderDraft.hiddenStart) }
        #expect(drafts.count <= 4, "no more than one draft per lane is left behind")
        if publishing == .anonymous { #expect(scratch.names(in: "data") == []) }
    }

    /// Four lanes put, replace and create until the process is killed at some moment.
    private static func putUntilKilled(
        _ path: String, _ way: Int, afterMilliseconds: Int
    ) throws(Failure) {
        let store = FolderStore(
            path: path, publishing: Publishing(rawValue: way) ?? .anonymous)
        try store.put(object(0), at: "lease.json")
        var lanes: [Lanes.Lane] = []
        for lane in 0..<4 {
            let putter: Lanes.Lane = { () throws(Failure) in
                var round = lane
                while true {
                    try store.put(object(round), at: "data/\(lane)-\(round)")
                    try store.put(object(round), at: "lease.json")
                    _ = try store.create(object(round), at: "seals/\(round).json")
                    round += 1
                }
            }
            lanes.append(putter)
        }
        let killer: Lanes.Lane = { () throws(Failure) in
            Clock.sleep(.milliseconds(afterMilliseconds))
            Glibc.kill(getpid(), SIGKILL)
        }
        try Lanes.run(lanes + [killer])
    }

    /// Each byte tells how long the whole object is.
    private static func object(_ number: Int) -> [UInt8] {
        let byte = number % 200
        return [UInt8](repeating: UInt8(byte), count: 1000 * (byte + 1))
    }
}
