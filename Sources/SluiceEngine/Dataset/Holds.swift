internal import SluiceCore
internal import SluiceStore

/// `holds/<run>.json`: what a run holds on a source at this moment (design §6).
struct Hold: Sendable {
    var run: String
    var holder: Lease.Holder
    var source: String
    var since: String
    /// The driver's own words of what is held.
    var details: JSON

    var json: JSON {
        [
            "run": .string(run), "holder": holder.json, "source": .string(source),
            "since": .string(since), "details": details,
        ]
    }

    init(_ details: JSON, on source: String, run: String) {
        self.run = run
        holder = .current(run: run)
        self.source = source
        since = Clock.timestamp()
        self.details = details
    }

    init(_ reader: ObjectReader) throws(Failure) {
        run = try reader.text("run")
        holder = try Lease.Holder(try reader.object("holder"))
        source = try reader.text("source")
        since = try reader.text("since")
        details = try reader.any("details")
    }

    func write(in store: any Store) throws(Failure) {
        try store.put(SealedJSON.bytes(json), at: DatasetKeys.hold(run))
    }

    func remove(from store: any Store) throws(Failure) {
        try store.delete(DatasetKeys.hold(run))
    }

    /// What runs that are gone held on this source.
    static func leftBehind(in store: any Store, on source: String) throws(Failure) -> [Hold] {
        try all(in: store).filter { hold in
            hold.holder.isAlive == false && Name(hold.source) == Name(source)
        }
    }

    /// Whether it went with its process, so that only the note of it is left.
    var endsWithProcess: Bool { details["ends_with_process"]?.boolean ?? false }

    /// What it is, in the driver's words.
    var what: String { details["what"]?.text ?? "something" }

    /// What is said to be held on sources of this dataset.
    static func all(in store: any Store) throws(Failure) -> [Hold] {
        // Such a store is for finished datasets and engines that hold nothing between runs.
        guard store.facts.canList else { return [] }
        var keys: [String] = []
        try store.list("holds/") { object throws(Failure) in
            keys.append(object.key)
            return keys.count < 1000
        }
        var holds: [Hold] = []
        for key in keys {
            guard let object = try store.sealedObject(key) else { continue }
            holds.append(try Hold(object.reader))
        }
        return holds
    }
}
