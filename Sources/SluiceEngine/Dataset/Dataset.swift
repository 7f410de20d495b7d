internal import SluiceCore
internal import SluiceRecords
internal import SluiceStore

/// Reads and writes the objects of one dataset; knows their keys, hashes and belonging, and nothing
/// of databases.
final class Dataset: Sendable {
    /// No object but a shard is larger: a plan with 10,000 chunks is about 2 MB.
    private static let objectByteLimit = 256 << 20

    let store: any Store
    let header: DatasetHeader

    init(store: any Store, header: DatasetHeader) {
        self.store = store
        self.header = header
    }

    var id: String { header.id }

    /// The dataset below a store's prefix, finished or not; nothing where there is none.
    static func find(in store: any Store) throws(Failure) -> Dataset? {
        guard let object = try store.sealedObject(DatasetKeys.header) else { return nil }
        return Dataset(store: store, header: try DatasetHeader(object.reader))
    }

    /// The dataset that a command needs to be there.
    static func require(in store: any Store) throws(Failure) -> Dataset {
        guard let dataset = try find(in: store) else {
            throw Failure(
                .failed, "there is no dataset in \(store.place)",
                hint: "Is the store's URL right? sluice export makes a dataset.")
        }
        return dataset
    }

    /// Writes `dataset.json`; false when somebody else's is there.
    static func create(_ header: DatasetHeader, in store: any Store) throws(Failure) -> Bool {
        try store.create(SealedJSON.bytes(header.json), at: DatasetKeys.header)
    }

    // MARK: Plans and seals

    func plan(of table: TableName) throws(Failure) -> TablePlan? {
        let key = DatasetKeys.plan(KeySegment.make(from: table))
        guard let object = try store.sealedObject(key) else { return nil }
        let plan = try TablePlan(object.reader, dataset: id)
        guard plan.table == table else {
            throw SealedJSON.damaged(key, "it is the plan of another table")
        }
        return plan
    }

    /// Keeps the plan, or returns the one that somebody else has kept already.
    func keep(_ plan: TablePlan) throws(Failure) -> TablePlan {
        let key = DatasetKeys.plan(KeySegment.make(from: plan.table))
        if try store.create(SealedJSON.bytes(plan.json(dataset: id)), at: key) { return plan }
        guard let kept = try self.plan(of: plan.table) else {
            throw Failure(.unavailable, "\(key) appeared and vanished", isTransient: true)
        }
        return kept
    }

    /// The chunk's seal; nothing while it is not complete. A seal of another dataset is deleted and
    /// is none.
    func seal(of chunk: Chunk, in plan: TablePlan) throws(Failure) -> Seal? {
        try sealObject(of: chunk, in: plan)?.seal
    }

    func sealObject(
        of chunk: Chunk, in plan: TablePlan
    ) throws(Failure) -> (seal: Seal, bytes: [UInt8])? {
        let segment = KeySegment.make(from: plan.table)
        let key = DatasetKeys.seal(segment, chunk: chunk.number)
        guard let object = try store.sealedObject(key) else { return nil }
        guard object.reader.json["dataset"] == .string(id) else {
            try store.delete(key)
            return nil
        }
        let seal = try Seal(object.reader, of: plan, segment: segment)
        guard seal.chunk == chunk else {
            throw SealedJSON.damaged(key, "its bounds are not those of the plan")
        }
        return (seal, object.bytes)
    }

    /// Seals a chunk, or returns the seal that somebody else has written already.
    func keep(_ seal: Seal, in plan: TablePlan) throws(Failure) -> Seal {
        let key = DatasetKeys.seal(
            KeySegment.make(from: plan.table), chunk: seal.chunk.number)
        let bytes = SealedJSON.bytes(seal.json(fields: plan.schema.fields))
        // A second time for the case that the seal found there was another dataset's and is now
        // deleted.
        for _ in 0..<2 {
            if try store.create(bytes, at: key) { return seal }
            if let kept = try self.seal(of: seal.chunk, in: plan) { return kept }
        }
        throw Failure(.unavailable, "\(key) appeared and vanished", isTransient: true)
    }

    // MARK: Schema, manifest, reports

    func keep(_ schema: SchemaText) throws(Failure) {
        try store.put(SealedJSON.bytes(schema.json(dataset: id)), at: DatasetKeys.schemaObjects)
        try store.put(Array(schema.script.utf8), at: DatasetKeys.schemaScript)
    }

    func schema() throws(Failure) -> SchemaText {
        let object = try requireObject(DatasetKeys.schemaObjects)
        return try SchemaText(object.reader)
    }

    func manifest() throws(Failure) -> Manifest? {
        guard let object = try store.sealedObject(DatasetKeys.manifest) else { return nil }
        let manifest = try Manifest(object.reader)
        guard manifest.dataset.utf8.elementsEqual(id.utf8) else {
            throw SealedJSON.damaged(DatasetKeys.manifest, "it belongs to another dataset")
        }
        return manifest
    }

    /// The object, or the failure that it is missing from a dataset that must have it.
    func requireObject(_ key: String) throws(Failure) -> StoredJSON {
        guard let object = try store.sealedObject(key) else {
            throw Failure(
                .refused, "\(key) is missing from the dataset in \(store.place)",
                hint: "Restore the object or export again elsewhere.")
        }
        return object
    }

    /// SHA-256 of any object's bytes.
    func hash(of key: String) throws(Failure) -> String {
        if key.utf8.suffix(5).elementsEqual(".json".utf8) {
            return Hexadecimal.string(hash: try requireObject(key).bytes)
        }
        // Nothing in it tells whether it came as it is, but the same twice is no accident.
        var last: String?
        while true {
            guard let bytes = try store.bytes(of: key, byteLimit: Dataset.objectByteLimit) else {
                throw Failure(.refused, "\(key) is missing from the dataset in \(store.place)")
            }
            let hash = Hexadecimal.string(hash: bytes)
            if hash == last { return hash }
            last = hash
        }
    }
}

extension Hexadecimal {
    fileprivate static func string(hash bytes: [UInt8]) -> String {
        bytes.withUnsafeBytes { string(SHA256.hash($0)) }
    }
}

/// An object of a dataset that carries its own hash, opened.
struct StoredJSON: Sendable {
    let key: String
    let bytes: [UInt8]
    let json: JSON

    var reader: ObjectReader { ObjectReader(json: json, key: key) }
}

extension Store {
    /// The object opened and its hash checked; nothing where there is none.
    func sealedObject(_ key: String) throws(Failure) -> StoredJSON? {
        var buffer = ByteBuffer()
        var object: StoredJSON?
        let isThere = try get(key, into: &buffer, byteLimit: 256 << 20) { buffer throws(Failure) in
            let bytes = buffer.array()
            object = StoredJSON(key: key, bytes: bytes, json: try SealedJSON.open(bytes, key: key))
        }
        return isThere ? object : nil
    }

    /// Gets the object until `check` passes its bytes. What comes twice with the same wrong bytes
    /// is wrong in the store; before that, it may have been changed on its way.
    func get(
        _ key: String, into buffer: inout ByteBuffer, byteLimit: Int,
        check: (borrowing ByteBuffer) throws(Failure) -> Void
    ) throws(Failure) -> Bool {
        var wrongHash: [UInt8]?
        var attempt = 1
        while true {
            guard try get(key, into: &buffer, byteLimit: byteLimit) else { return false }
            do throws(Failure) {
                try check(buffer)
                return true
            } catch {
                let hash = SHA256.hash(buffer.bytes)
                guard hash != wrongHash, attempt < 5 else { throw error }
                wrongHash = hash
                attempt += 1
            }
        }
    }

    func bytes(of key: String, byteLimit: Int) throws(Failure) -> [UInt8]? {
        var buffer = ByteBuffer()
        guard try get(key, into: &buffer, byteLimit: byteLimit) else { return nil }
        return buffer.array()
    }

    func put(_ bytes: [UInt8], at key: String) throws(Failure) {
        try unsafeBytes(bytes) { raw throws(Failure) in try put(raw, at: key) }
    }

    func create(_ bytes: [UInt8], at key: String) throws(Failure) -> Bool {
        try unsafeBytes(bytes) { raw throws(Failure) in try create(raw, at: key) }
    }

    private func unsafeBytes<Result>(
        _ bytes: [UInt8], _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        var buffer = ByteBuffer(capacity: bytes.count)
        buffer.append(bytes)
        return try body(buffer.bytes)
    }
}
