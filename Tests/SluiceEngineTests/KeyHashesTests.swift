import SluiceCore
import SluiceRecords
import Testing

@testable import SluiceEngine

@Suite("Hashes of unique keys") struct KeyHashesTests {
    private static let table = TableName("t")

    /// Goes on until every hash has been looked at.
    private func search(_ hashes: [UInt128], limit: Int) -> (KeyHashes, passes: Int) {
        var found = KeyHashes(limit: limit)
        found.open(Self.table, [LooseKey(name: "k", remedy: "Do.")])
        var passes = 0
        while !found.openKeys(of: Self.table).isEmpty, passes < 1000 {
            for start in stride(from: 0, to: hashes.count, by: 7) {
                found.add(
                    Array(hashes[start..<min(start + 7, hashes.count)]), of: Self.table, key: 0)
            }
            found.endPass(of: Self.table)
            passes += 1
        }
        return (found, passes)
    }

    @Test("are found equal in as many passes as the memory asks for", arguments: [1000, 64, 17])
    func passes(_ limit: Int) throws {
        let hashes = (0..<500).map { number in
            var value = UInt64(number)
            return withUnsafeBytes(of: &value) { Digest.hash($0) }
        }
        let (found, passes) = search(hashes + [hashes[3], hashes[3], hashes[77]], limit: limit)
        let search = try #require(found.searches[Self.table]?.first)
        #expect(search.doubles == [hashes[3]: 3, hashes[77]: 2])
        #expect(search.rowCount == 5)
        #expect((passes == 1) == (limit == 1000))
    }

    @Test("may all be equal, and need no more memory for it")
    func equal() throws {
        let (found, passes) = search(Array(repeating: 42, count: 5000), limit: 32)
        let search = try #require(found.searches[Self.table]?.first)
        #expect(search.doubles == [42: 5000])
        #expect(search.rowCount == 5000)
        #expect(passes == 1)
    }

    @Test("are remembered for the first keys only, and counted for all")
    func many() throws {
        let hashes = (0..<300).map { UInt128($0) << 100 }
        let (found, _) = search(hashes + hashes, limit: 64)
        let search = try #require(found.searches[Self.table]?.first)
        #expect(search.doubles.count == KeyHashes.doubleLimit)
        #expect(search.doubles[0] == 2 && search.doubles[UInt128(99) << 100] == 2)
        #expect(search.rowCount == 600)
    }
}
