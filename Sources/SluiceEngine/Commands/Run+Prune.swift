public import SluiceCore
public import SluiceStore

extension Run {
    /// `sluice prune`: removes whole datasets below a store's prefix, but the newest `keep`
    /// finished ones.
    ///
    /// Unfinished ones older than the oldest that is kept go too, unless somebody is at work on
    /// them. With nothing finished, nothing is removed.
    public func prune(
        _ store: any Store, keep: Int, isDryRun: Bool
    ) throws(Failure) -> Outcome {
        guard keep >= 1 else {
            throw Failure(
                .usage, "--keep must be at least 1",
                hint: "The newest finished dataset is never removed.")
        }
        let found = try datasets(in: store)
        let finished = found.filter(\.isFinished).sorted { $0.createdAt > $1.createdAt }
        var outcome = Outcome(command: "prune")
        var removed: [JSON] = []
        guard let oldestKept = finished.prefix(keep).last else {
            outcome.status = .unchanged
            outcome.lines = ["nothing is finished below \(store.place); nothing was removed"]
            outcome.details = [
                .init("removed", []), .init("kept", .int(found.count)),
                .init("dryRun", .bool(isDryRun)),
            ]
            outcome.seconds = (Clock.now - startedAt).inSeconds
            return outcome
        }
        for dataset in found where dataset.createdAt < oldestKept.createdAt {
            try stop.check()
            guard try dataset.isFree() else {
                outcome.warnings.append("\(dataset.shown) is being worked on and stays")
                continue
            }
            if !isDryRun { try Removal.removeWhole(from: dataset.store) }
            removed.append(.string(dataset.shown))
            outcome.lines.append("\(isDryRun ? "would remove" : "removed") \(dataset.shown)")
        }
        outcome.status = removed.isEmpty ? .unchanged : .done
        outcome.details = [
            .init("removed", .array(removed)), .init("kept", .int(found.count - removed.count)),
            .init("dryRun", .bool(isDryRun)),
        ]
        outcome.seconds = (Clock.now - startedAt).inSeconds
        return outcome
    }

    private func datasets(in store: any Store) throws(Failure) -> [FoundDataset] {
        var prefixes: [String] = []
        try store.list("") { object throws(Failure) in
            if object.key == DatasetKeys.header || object.key.hasSuffix("/" + DatasetKeys.header) {
                prefixes.append(String(object.key.dropLast(DatasetKeys.header.utf8.count)))
            }
            return true
        }
        var found: [FoundDataset] = []
        for prefix in prefixes {
            let below = PrefixedStore(store, prefix: prefix)
            guard let dataset = try Dataset.find(in: below) else { continue }
            found.append(
                FoundDataset(
                    store: below, shown: prefix.isEmpty ? "." : String(prefix.dropLast()),
                    createdAt: dataset.header.createdAt,
                    isFinished: try dataset.manifest() != nil))
        }
        return found
    }
}

private struct FoundDataset {
    let store: any Store
    let shown: String
    let createdAt: String
    let isFinished: Bool

    /// A lease of a live process, or of another host whose life cannot be seen, protects a dataset.
    func isFree() throws(Failure) -> Bool {
        guard let holder = try Lease.current(in: store) else { return true }
        return holder.isAlive == false
    }
}

extension Removal {
    /// A dataset that nobody needs any more, with its reports, holds and lease.
    static func removeWhole(from store: any Store) throws(Failure) {
        try store.deleteAll(below: "holds/")
        try store.delete(DatasetKeys.lease)
        try remove(from: store)
    }
}

/// A store as seen from a prefix within it.
final class PrefixedStore: Store {
    let place: String
    let facts: StoreFacts
    var traffic: StoreTraffic { store.traffic }
    private let store: any Store
    private let prefix: String

    /// - Parameter prefix: empty, or with its closing slash.
    init(_ store: any Store, prefix: String) {
        self.store = store
        self.prefix = prefix
        place = prefix.isEmpty ? store.place : "\(store.place)/\(prefix.dropLast())"
        facts = store.facts
    }

    func put(_ bytes: UnsafeRawBufferPointer, at key: String) throws(Failure) {
        try store.put(bytes, at: prefix + key)
    }

    func create(_ bytes: UnsafeRawBufferPointer, at key: String) throws(Failure) -> Bool {
        try store.create(bytes, at: prefix + key)
    }

    func get(
        _ key: String, into buffer: inout ByteBuffer, byteLimit: Int
    ) throws(Failure) -> Bool {
        try store.get(prefix + key, into: &buffer, byteLimit: byteLimit)
    }

    func get(
        _ range: Range<Int>, of key: String, into buffer: inout ByteBuffer
    ) throws(Failure) -> Bool {
        try store.get(range, of: prefix + key, into: &buffer)
    }

    func list(
        _ prefix: String, _ visit: (StoredObject) throws(Failure) -> Bool
    ) throws(Failure) {
        let count = self.prefix.utf8.count
        try store.list(self.prefix + prefix) { object throws(Failure) in
            try visit(
                StoredObject(
                    key: String(decoding: object.key.utf8.dropFirst(count), as: UTF8.self),
                    byteCount: object.byteCount))
        }
    }

    func delete(_ key: String) throws(Failure) {
        try store.delete(prefix + key)
    }
}
