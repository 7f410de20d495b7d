import SluiceCore
import SluiceRecords
import Testing

@testable import SluiceEngine

@Suite struct SealedJSONTests {
    @Test func anObjectOpensAsItWasSealed() throws {
        let object: JSON = ["dataset": "d", "rows": 3, "sha256": "a member of another meaning"]
        let bytes = SealedJSON.bytes(["dataset": "d", "rows": 3])
        #expect(try SealedJSON.open(bytes, key: "k") == ["dataset": "d", "rows": 3])
        #expect(throws: Failure.self) {
            try SealedJSON.open(SealedJSON.bytes(object), key: "k")
        }
    }

    @Test func everyChangedBitIsFoundOrWithoutEffect() throws {
        let object: JSON = ["dataset": "d", "tables": ["orders", "Ünï"], "rows": 3, "end": nil]
        let bytes = SealedJSON.bytes(object)
        for place in bytes.indices {
            for bit in 0..<8 {
                var changed = bytes
                changed[place] ^= 1 << bit
                guard let opened = try? SealedJSON.open(changed, key: "k") else { continue }
                #expect(opened == object, "byte \(place), bit \(bit)")
            }
        }
    }

    @Test func aShortenedObjectIsDamaged() throws {
        let bytes = SealedJSON.bytes(["dataset": "d"])
        for count in 0..<bytes.count - 1 {
            #expect(throws: Failure.self) {
                try SealedJSON.open(Array(bytes.prefix(count)), key: "k")
            }
        }
    }

    @Test func theMessageNamesTheObject() throws {
        let failure = #expect(throws: Failure.self) {
            try SealedJSON.open(Array("{}".utf8), key: "dataset.json")
        }
        #expect(failure?.kind == .refused)
        #expect(failure?.message == "dataset.json is damaged: it carries no hash of itself")
    }
}

@Suite struct DatasetKeysTests {
    @Test(arguments: [
        ("orders", "orders"), ("Orders", "%4Frders"), ("a.b", "a%2Eb"), ("-x", "%2Dx"),
        ("x-y_1", "x-y_1"), ("a/b", "a%2Fb"), ("😀", "%F0%9F%98%80"), ("", ""),
        ("100%", "100%25"), ("a~b", "a%7Eb"),
    ])
    func aTableNameBecomesASegment(_ name: String, _ segment: String) {
        #expect(KeySegment.make(from: TableName(Name(name))) == segment)
    }

    @Test func onlySchemaAndTableAreParted() {
        #expect(KeySegment.make(from: TableName(schema: "public", "a.b")) == "public.a%2Eb")
    }

    @Test func aLongNameIsCutAndHashed() {
        let segment = KeySegment.make(from: TableName(Name(String(repeating: "ä", count: 60))))
        #expect(segment.utf8.count == 117)
        #expect(segment.contains("~"))
        #expect(KeySegment.isLegal(segment))
        let other = KeySegment.make(from: TableName(Name(String(repeating: "ä", count: 61))))
        #expect(segment != other)
    }

    @Test(arguments: [
        ("data/orders/00000-00000-0123456789abcdef.avro", true),
        ("data/orders/00000-00000-0123456789abcdef.csv.zst", true),
        ("data/orders/00000-00001-0123456789abcdef.avro", false),
        ("data/orders/00000-00000-0123456789ABCDEF.avro", false),
        ("data/orders/00000-00000-0123456789abcdef.avro/x", false),
        ("data/../00000-00000-0123456789abcdef.avro", false),
        ("", false),
    ])
    func aShardKeyHasOneForm(_ key: String, _ isShard: Bool) {
        #expect(DatasetKeys.isShard(key, of: "orders", chunk: 0, ordinal: 0) == isShard)
    }
}
