import Glibc
import SluiceCore
import SluiceRecords
import Testing

@testable import SluiceEngine

/// A changed dataset is found before a row of the changed shard is loaded, or the change is without effect.
@Suite struct TamperTests {
    private static let isLong = getenv("SLUICE_TEST_LONG") != nil

    private let store = MemoryStore()
    private let objects: [String: [UInt8]]
    private let rows: [[UInt8]]

    init() throws {
        _ = try ExportTests.run { $0.shardBytes = 1000 }.export(
            from: NumberSource(rowCount: 120, chunkRows: 50), to: store)
        objects = store.objects.read { $0 }
        let target = LoadedTarget()
        _ = try ExportTests.run().load(from: store, into: target)
        rows = target.rows
        #expect(rows.count == 120)
    }

    /// Loads and verifies what is in the store now; nothing where it went well.
    private func loadAndVerify(_ store: MemoryStore, _ target: LoadedTarget) -> Failure? {
        do throws(Failure) {
            let outcome = try ExportTests.run().load(from: store, into: target)
            if outcome.exitCode != 0 { return Failure(.unfinished, "the load is unfinished") }
            let verdict = try ExportTests.run().verify(target, against: store)
            return verdict.verified == true ? nil : Failure(.differs, "the target differs")
        } catch {
            return error
        }
    }

    /// What comes of a store with these objects in place of those that were exported.
    ///
    /// - Parameter shard: nothing of it may be loaded.
    private func check(
        _ changed: [String: [UInt8]], shard: String? = nil, _ what: @autoclosure () -> String,
        mustFail: Bool = false, sourceLocation: SourceLocation = #_sourceLocation
    ) -> Failure? {
        let store = MemoryStore()
        store.objects.change { $0 = changed }
        let target = LoadedTarget()
        let failure = loadAndVerify(store, target)
        if let failure {
            #expect(failure.kind != .bug, "\(what()): \(failure)", sourceLocation: sourceLocation)
            #expect(failure.kind.exitCode != 0, sourceLocation: sourceLocation)
        } else {
            #expect(!mustFail, "\(what()) was not found", sourceLocation: sourceLocation)
            #expect(target.rows == rows, "\(what())", sourceLocation: sourceLocation)
        }
        if failure != nil, let shard {
            #expect(!target.units.contains(shard), "\(what())", sourceLocation: sourceLocation)
        }
        // Whatever was loaded before it was found is as it was sealed.
        let all = Set(rows)
        #expect(target.rows.allSatisfy(all.contains), "\(what())", sourceLocation: sourceLocation)
        return failure
    }

    private var keys: [String] { objects.keys.sorted() }
    private var shards: [String] { keys.filter { $0.hasPrefix("data/") } }

    /// What the proof of a dataset rests on.
    private func isProven(_ key: String) -> Bool {
        !key.hasPrefix("reports/") && key != "handoff.json"
    }

    @Test func everyByteOfEveryJSONObjectChangedOnce() throws {
        var generator = SystemRandomNumberGenerator()
        let seed = generator.next()
        for key in keys where key.hasSuffix(".json") || key.hasSuffix(".sql") {
            let bytes = try #require(objects[key])
            for place in bytes.indices {
                var changed = objects
                changed[key]?[place] ^= 1 << UInt8((UInt64(place) &+ seed) % 8)
                _ = check(
                    changed, "byte \(place) of \(key), seed \(seed)",
                    mustFail: isProven(key) && !isLooseEnd(bytes, place))
            }
        }
    }

    /// The line feed behind the last brace and the marks around the hash are not hashed themselves.
    private func isLooseEnd(_ bytes: [UInt8], _ place: Int) -> Bool {
        place >= bytes.count - 80
    }

    @Test func randomBitsOfEverything() throws {
        var places: [(key: String, bit: Int)] = []
        for key in keys {
            for bit in 0..<(objects[key]?.count ?? 0) * 8 { places.append((key, bit)) }
        }
        if !Self.isLong { places = (0..<500).compactMap { _ in places.randomElement() } }
        for (key, bit) in places {
            var changed = objects
            changed[key]?[bit / 8] ^= 1 << UInt8(bit % 8)
            _ = check(
                changed, shard: key.hasPrefix("data/") ? key : nil, "bit \(bit) of \(key)",
                mustFail: key.hasPrefix("data/"))
        }
    }

    @Test func aMissingObjectIsNamed() throws {
        for key in keys where isProven(key) && key != "manifest.json" {
            var changed = objects
            changed[key] = nil
            let failure = check(changed, shard: key, "\(key) is missing", mustFail: true)
            if key != "dataset.json" {
                #expect(failure?.kind == .refused, "\(key)")
            }
        }
        // Without its manifest a dataset is an unfinished one.
        var changed = objects
        changed["manifest.json"] = nil
        #expect(check(changed, "no manifest")?.kind == .unfinished)
    }

    @Test func aShardThatIsNotTheSealedOneIsNamed() throws {
        let other = MemoryStore()
        _ = try ExportTests.run { $0.shardBytes = 1000 }.export(
            from: NumberSource(rowCount: 90, chunkRows: 40), to: other)
        let foreign = try #require(
            other.objects.read { all in all.first { $0.key.hasPrefix("data/") }?.value })
        for (index, key) in shards.enumerated() {
            let bytes = try #require(objects[key])
            let swapped = try #require(objects[shards[(index + 1) % shards.count]])
            let versions = [
                [], Array(bytes.dropLast()), Array(bytes.prefix(bytes.count / 2)), bytes + [0],
                bytes + bytes, swapped, foreign,
            ]
            for (number, version) in versions.enumerated() {
                var changed = objects
                changed[key] = version
                let failure = check(
                    changed, shard: key, "version \(number) of \(key)", mustFail: true)
                #expect(failure?.kind == .refused)
                let isLonger = version.count > bytes.count
                #expect(
                    failure?.message
                        == (isLonger
                            ? "\(key) is longer than \(bytes.count) bytes"
                            : "\(key) is not the object that was sealed"))
            }
        }
    }

    @Test func twoSealsSwapped() throws {
        var changed = objects
        changed["seals/numbers/00000.json"] = objects["seals/numbers/00001.json"]
        changed["seals/numbers/00001.json"] = objects["seals/numbers/00000.json"]
        #expect(check(changed, "seals", mustFail: true)?.kind == .refused)
    }

    @Test func theManifestOfAnotherDataset() throws {
        let other = MemoryStore()
        _ = try ExportTests.run { $0.shardBytes = 1000 }.export(
            from: NumberSource(rowCount: 120, chunkRows: 50), to: other)
        for key in ["manifest.json", "dataset.json", "plan/numbers.json", "schema/objects.json"] {
            var changed = objects
            changed[key] = other.objects.read { $0[key] }
            #expect(check(changed, key, mustFail: true)?.kind == .refused)
        }
    }

    // MARK: Whoever can compute hashes

    @Test(arguments: [
        ("format", "2", "is of format 2"), ("features", "[\"columnar\"]", "needs columnar"),
        ("transform", "{\"mask\":\"x\"}", "needs transform"),
        ("profile", "\"google\"", "needs profile"), ("encryption", "\"aes\"", "needs encryption"),
    ])
    func aDatasetOfANewerSluiceIsRefused(_ member: String, _ value: String, _ what: String) throws {
        let value = try JSON(parsing: Array(value.utf8))
        var forgery = Forgery(objects)
        try forgery.change("dataset.json") { $0.setting(member, to: value) }
        let failure = check(forgery.objects, member, mustFail: true)
        #expect(failure?.kind == .refused)
        #expect(failure?.message == "dataset.json \(what), and this sluice knows formats up to 1")
        #expect(failure?.hint == "Use the version of sluice that wrote it, or a newer one.")
    }

    @Test func aManifestOfANewerFormatIsRefused() throws {
        var forgery = Forgery(objects)
        try forgery.change("manifest.json") { $0.setting("format", to: 2) }
        let failure = check(forgery.objects, "format", mustFail: true)
        #expect(failure?.kind == .refused)
        #expect(
            failure?.message
                == "manifest.json is of format 2, and this sluice knows formats up to 1")
    }

    @Test(arguments: [
        ("data/../../etc/", ""), ("../data/numbers/", ""), ("data/numbers/", "/.."), ("/etc/", ""),
        ("data/other/", ""), ("data/numbers/", ".sh"), ("data/numbers/0", ""), ("", ""),
    ])
    func aKeyOutsideTheGrammarIsRefused(_ start: String, _ end: String) throws {
        let name = try #require(shards.first).dropFirst("data/numbers/".count)
        let key = start + name + end
        var forgery = Forgery(objects)
        try forgery.changeShard { $0.setting("key", to: .string(key)) }
        let failure = check(forgery.objects, key, mustFail: true)
        #expect(failure?.kind == .refused)
        #expect(
            failure?.message
                == "seals/numbers/00000.json is damaged: it names a key that no shard has")
    }

    @Test(arguments: [
        "rows", "recordBytes", "storedBytes", "counted", "chunk", "shards",
    ])
    func numbersThatAreNoneAreRefused(_ member: String) throws {
        for value: JSON in [.int(-1), .int(.max), .int(.min), .double(1e300), .string("1"), .null] {
            for key in ["seals/numbers/00000.json", "manifest.json", "plan/numbers.json"] {
                var forgery = Forgery(objects)
                try forgery.change(key) { $0.setting(member, to: value) }
                _ = check(forgery.objects, "\(member) of \(key) is \(value.compact)")
            }
            var forgery = Forgery(objects)
            try forgery.changeShard { $0.setting(member, to: value) }
            _ = check(forgery.objects, "\(member) of a shard is \(value.compact)")
        }
    }

    @Test(arguments: [
        ShardFormat(.avro, .zstandard), ShardFormat(.avro, .deflate), ShardFormat(.avro, .snappy),
        ShardFormat(.csv, .zstandard),
    ])
    func aBombIsRefusedBeforeItGrows(_ format: ShardFormat) throws {
        // Every hash is right, and one row is far longer than the dataset's rows may be.
        let store = MemoryStore()
        _ = try ExportTests.run {
            $0.shardBytes = 1000
            $0.rowBytes = 1 << 20
            $0.format = format
        }.export(from: NumberSource(rowCount: 120, chunkRows: 50), to: store)
        var forgery = Forgery(store.objects.read { $0 })
        try forgery.replaceFirstShard(format, wordBytes: 64 << 20)
        let changed = MemoryStore()
        changed.objects.change { $0 = forgery.objects }
        let target = LoadedTarget()
        let failure = loadAndVerify(changed, target)
        #expect(failure != nil)
        #expect(
            failure?.kind != .bug && failure?.kind != .differs, "\(String(describing: failure))")
        #expect(target.rows.allSatisfy { $0.count < 100 })
    }
}

/// A dataset changed by somebody who computes every hash anew.
struct Forgery {
    var objects: [String: [UInt8]]

    init(_ objects: [String: [UInt8]]) {
        self.objects = objects
    }

    mutating func change(_ key: String, _ change: (JSON) -> JSON) throws {
        let json = try SealedJSON.open(objects[key] ?? [], key: key)
        objects[key] = SealedJSON.bytes(change(json))
        if key != "manifest.json" { try sealManifest() }
    }

    /// Changes the first shard's entry in its seal.
    mutating func changeShard(_ change: (JSON) -> JSON) throws {
        try self.change("seals/numbers/00000.json") { seal in
            var shards = seal["shards"]?.elements ?? []
            if !shards.isEmpty { shards[0] = change(shards[0]) }
            return seal.setting("shards", to: .array(shards))
        }
    }

    private mutating func sealManifest() throws {
        let key = "manifest.json"
        let manifest = try SealedJSON.open(objects[key] ?? [], key: key)
        let named = (manifest["objects"]?.members ?? []).map { JSON.Member($0.key, hash($0.key)) }
        let seals = objects.keys.sorted().filter { $0.hasPrefix("seals/numbers/") }
        let all = seals.flatMap { objects[$0] ?? [] }
        var table = manifest["tables"]?.elements?.first ?? .null
        table = table.setting("plan", to: hash("plan/numbers.json"))
        table = table.setting("seals", to: .string(Self.hash(all)))
        var digest = Digest.empty
        var shards = 0
        for key in seals {
            let seal = try SealedJSON.open(objects[key] ?? [], key: key)
            guard let rows = seal["rows"]?.integer, let text = seal["digest"]?.text,
                let sum = Digest(text: text, rowCount: rows)
            else { continue }
            digest += sum
            shards += seal["shards"]?.elements?.count ?? 0
        }
        table = table.setting("shards", to: .int(shards))
        table = table.setting("rows", to: .int(digest.rowCount))
        table = table.setting("digest", to: .string(digest.text))
        let changed = manifest.setting("objects", to: .object(named))
            .setting("tables", to: .array([table])).setting("rows", to: .int(digest.rowCount))
            .setting("shards", to: .int(shards))
        objects[key] = SealedJSON.bytes(changed)
    }

    private func hash(_ key: String) -> JSON { .string(Self.hash(objects[key] ?? [])) }

    private static func hash(_ bytes: [UInt8]) -> String {
        bytes.withUnsafeBytes { Hexadecimal.string(SHA256.hash($0)) }
    }

    /// One row with a word of so many zeros in place of the first shard, its seal true to the byte.
    mutating func replaceFirstShard(_ format: ShardFormat, wordBytes: Int) throws {
        let schema = RecordSchema(
            table: TableName("numbers"),
            fields: [
                Field(name: "n", avroName: "n", type: .int64, isNullable: false),
                Field(name: "word", avroName: "word", type: .text, isNullable: true),
            ])
        var batch = Batch(fieldCount: 2)
        batch.bytes.appendLong(0)
        batch.bytes.appendNotNull()
        let word = [UInt8](repeating: UInt8(ascii: "0"), count: wordBytes)
        word.withUnsafeBytes { batch.bytes.appendBytes($0) }
        batch.endRecord()
        let bytes = ShardBytes()
        let writer = ShardWriter(schema: schema, format: format)
        try writer.begin(bytes)
        try writer.append(batch)
        let summary = try writer.finish()
        let key = DatasetKeys.shard(
            "numbers", chunk: 0, ordinal: 0, sha256: summary.sha256, format: format)
        objects[key] = bytes.buffer.array()
        let shard = Seal.Shard(key: key, summary: summary).json(fields: schema.fields)
        try change("seals/numbers/00000.json") { seal in
            seal.setting("shards", to: [shard]).setting("rows", to: 1).setting("counted", to: 1)
                .setting("digest", to: .string(summary.digest.text))
        }
    }
}
