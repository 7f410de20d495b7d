import SluiceCore
import SluiceRecords
import TestSupport
import Testing

@testable import SluiceEngine

@Suite("A quarantine") struct QuarantineTests {
    @Test("is refused with targets that cannot leave rows out, before anything is done")
    func capability() throws {
        let store = MemoryStore()
        let source = NumberSource(rowCount: 10, chunkRows: 10)
        let run = { ExportTests.run { $0.badRowLimit = 5 } }
        let expected = """
            --on-bad-row quarantine is not possible with a target of memory
            hint: Leave it out; a row that is refused then stops the load and is named.
            """
        let failures = [
            failure(of: { try run().run(from: source, through: store, into: LoadedTarget()) }),
            failure(of: { try run().plan(source, for: LoadedTarget()) }),
        ]
        #expect(store.keys == [])
        _ = try ExportTests.run().export(from: source, to: store)
        let load = failure(of: { try run().load(from: store, into: LoadedTarget()) })
        for failure in failures + [load] {
            #expect(failure?.description == expected)
            #expect(failure?.kind == .usage)
        }
    }

    @Test(
        "has keys that follow from the shard's, also where the table's name has its marks",
        arguments: [
            "data/t/00001-00002-0123456789abcdef.avro", "data/a-b.c%2Dd-/00001-00002-0.csv",
        ])
    func keys(_ origin: String) throws {
        let key = DatasetKeys.rejects(
            of: origin, sha256: [UInt8](repeating: 0xAB, count: 32),
            format: ShardFormat(.csv, .zstandard))
        let segment = String(origin.split(separator: "/")[1])
        #expect(key == "rejects/\(segment)/00001-00002-abababababababab.csv.zst")
        #expect(DatasetKeys.isRejects(key, of: segment))
        #expect(
            DatasetKeys.note(ofRejects: key)
                == "rejects/\(segment)/00001-00002-abababababababab.json")
    }

    @Test(
        "knows keys that are none",
        arguments: [
            "rejects/t/00001-00002-abababababababab.json", "rejects/t/x",
            "rejects/t/1-00002-abababababababab.avro",
            "rejects/t/00001-00002-ABABABABABABABAB.avro",
            "rejects/t/../00001-00002-abababababababab.avro",
            "rejects/u/00001-00002-abababababababab.avro",
            "data/t/00001-00002-abababababababab.avro",
        ])
    func foreignKeys(_ key: String) {
        #expect(!DatasetKeys.isRejects(key, of: "t"))
    }

    @Test("takes a part in what a plan says of memory")
    func memory() throws {
        var settings = Settings()
        settings.lanes = 2
        settings.badRowLimit = 10
        let lines = MemorySum(settings: settings, runsBoth: true).lines
        #expect(lines.contains("  128.0 MiB for 2 shards with refused rows, read whole"))
    }
}
