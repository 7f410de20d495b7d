internal import SluiceCore
internal import SluiceRecords
internal import SluiceStore

/// One export in work: the snapshot it reads, the dataset it fills, and what it holds meanwhile.
final class Export: Sendable {
    let run: Run
    let source: any Source
    let snapshot: any Snapshot
    let dataset: Dataset
    let tables: [SourceTable]
    let schema: SchemaText
    let warnings: [String]
    /// The dataset is this run's own, and nobody else's work is in it.
    private let isNew: Bool
    private let lease: Lease?
    private let hold: Monitor<Hold?>
    private let isReleased = Monitor(false)
    private let isFinished = Monitor(false)

    init(
        run: Run, source: any Source, snapshot: any Snapshot, dataset: Dataset,
        isNew: Bool, tables: [SourceTable], catalog: Catalog, lease: Lease?, hold: Monitor<Hold?>
    ) {
        self.run = run
        self.source = source
        self.snapshot = snapshot
        self.dataset = dataset
        self.isNew = isNew
        self.tables = tables
        schema = catalog.schema
        warnings = catalog.warnings
        self.lease = lease
        self.hold = hold
    }

    var store: any Store { dataset.store }

    /// How many lanes read side by side.
    var laneCount: Int { max(1, min(run.settings.lanes, snapshot.laneLimit)) }

    /// Releases what is held on the source; throws where the proof that it held to the end fails.
    /// May be called twice.
    func releaseSource() throws(Failure) {
        let isFirst = isReleased.change { released in
            defer { released = true }
            return !released
        }
        guard isFirst else { return }
        let closing = Result { () throws(Failure) in try snapshot.close() }
        // A slot stays: whoever goes on from the position needs it.
        if !run.settings.takesSlot { removeHold() }
        try closing.get()
    }

    private func removeHold() {
        try? hold.read { $0 }?.remove(from: store)
    }

    /// The manifest is written: what the position needs stays on the source.
    func noteFinished() {
        isFinished.change { $0 = true }
    }

    /// Deletes a dataset that was begun with a mistaken option: once that is corrected it would be
    /// in the way.
    ///
    /// Mistakes are found while planning, before anything is sealed.
    func forget(after failure: Failure) {
        guard failure.kind == .usage, isNew else { return }
        try? Removal.remove(from: store)
    }

    /// Releases everything, whatever became of the export.
    func end() {
        try? releaseSource()
        if run.settings.takesSlot, !isFinished.read({ $0 }) {
            do throws(Failure) {
                try snapshot.dropSlot()
                removeHold()
            } catch {
                run.log.warning("the slot on \(source.place) is still there: \(error.headline)")
            }
        }
        lease?.release()
    }
}

/// What an export finds when it begins.
enum ExportStart {
    case finished(Dataset, Manifest)
    case open(Export)
}

extension Export {
    /// Opens the snapshot and the dataset: a new one, an unfinished one to be continued, or a
    /// finished one.
    ///
    /// - Parameter undo: called with the id of an unfinished dataset before it is deleted, so that
    ///   what was loaded of it goes first; then nothing is ever in a target that no store knows.
    static func begin(
        _ run: Run, from source: any Source, into store: any Store,
        undo: (String) throws(Failure) -> Void
    ) throws(Failure) -> ExportStart {
        try refuseWhatIsMissing(run, source)
        let identity = try source.identity()
        if let (dataset, manifest) = try finished(in: store, run, source, identity) {
            try Lease.clear(in: store)
            return .finished(dataset, manifest)
        }
        let existing = try Dataset.find(in: store)
        let joins = run.settings.joins && existing != nil
        let lease = joins ? nil : try Lease.take(in: store, for: run)
        do throws(Failure) {
            // Whoever held the lease may have finished while we waited for it.
            if let (dataset, manifest) = try finished(in: store, run, source, identity) {
                lease?.release()
                return .finished(dataset, manifest)
            }
            return .open(
                try open(run, source, identity, store, lease: lease, joins: joins, undo: undo))
        } catch {
            lease?.release()
            throw error
        }
    }

    /// What is asked for and this source has not.
    static func refuseWhatIsMissing(_ run: Run, _ source: any Source) throws(Failure) {
        if run.settings.takesSlot, !source.facts.hasSlots {
            throw Failure(
                .usage, "\(source.place) has no replication slots",
                hint: "Leave --position slot out.")
        }
    }

    /// A finished dataset of this source and these options; throws where there is one of others.
    private static func finished(
        in store: any Store, _ run: Run, _ source: any Source, _ identity: JSON
    ) throws(Failure) -> (Dataset, Manifest)? {
        guard let dataset = try Dataset.find(in: store) else { return nil }
        guard dataset.header.identity == identity else {
            throw Failure(
                .refused, "\(store.place) holds a dataset of another source",
                hint: "Export into another prefix; sluice inspect shows what is there.")
        }
        let options = ExportOptions(run.settings)
        if let difference = options.firstDifference(from: dataset.header.options) {
            throw Failure(
                .usage, "the dataset in \(store.place) was begun with other options: \(difference)",
                hint: "Give the same options, or export into another prefix.")
        }
        guard let manifest = try dataset.manifest() else { return nil }
        return (dataset, manifest)
    }

    private static func open(
        _ run: Run, _ source: any Source, _ identity: JSON, _ store: any Store, lease: Lease?,
        joins: Bool, undo: (String) throws(Failure) -> Void
    ) throws(Failure) -> Export {
        let id = RandomID.make()
        let left = try Hold.leftBehind(in: store, on: source.place)
        let hold = Monitor<Hold?>(nil)
        var options = SnapshotOptions(run.settings.consistency, lanes: run.settings.lanes)
        options.slot = run.settings.takesSlot ? "sluice_\(id)" : nil
        options.wants = try TableSelection.wanted(run.settings)
        options.leftBehind = left.map(\.details)
        options.announce = { details throws(Failure) in
            let announced = Hold(details, on: source.place, run: run.id)
            try announced.write(in: store)
            hold.change { $0 = announced }
        }
        let opening = Result { () throws(Failure) in
            try source.openSnapshot(options, stop: run.stop)
        }
        if case .failure = opening { try? hold.read { $0 }?.remove(from: store) }
        let snapshot = try opening.get()
        do throws(Failure) {
            for old in left { try old.remove(from: store) }
            let whole = try snapshot.catalog()
            let tables = try TableSelection.choose(
                from: whole.tables, run.settings, place: source.place)
            let catalog = whole.limited(to: tables, source.facts)
            try refuseEqualKeys(tables)
            let header = DatasetHeader(
                id: id, createdAt: Clock.timestamp(), identity: identity,
                engine: source.engine, position: snapshot.position, stamp: snapshot.stamp,
                options: ExportOptions(run.settings), tables: tables.map(\.name))
            let dataset = try dataset(header, in: store, run, joins: joins, undo: undo)
            try dataset.keep(catalog.schema)
            return Export(
                run: run, source: source, snapshot: snapshot, dataset: dataset,
                isNew: dataset.id == header.id, tables: tables, catalog: catalog, lease: lease,
                hold: hold)
        } catch {
            try? snapshot.close()
            do throws(Failure) {
                try snapshot.dropSlot()
                try hold.read { $0 }?.remove(from: store)
            } catch let kept {
                run.log.warning("\(source.place) still holds what it held: \(kept.headline)")
            }
            throw error
        }
    }

    /// The unfinished dataset where it may be continued, else a new one.
    private static func dataset(
        _ header: DatasetHeader, in store: any Store, _ run: Run, joins: Bool,
        undo: (String) throws(Failure) -> Void
    ) throws(Failure) -> Dataset {
        if let old = try Dataset.find(in: store) {
            if let stamp = old.header.stamp, stamp == header.stamp {
                run.log.info("continuing dataset \(old.id): the source has not changed since")
                return old
            }
            guard !joins else {
                throw Failure(
                    .refused, "the export in \(store.place) reads another state of the source",
                    hint: "Only what reads the same snapshot can be joined.")
            }
            run.log.warning(
                "starting over: the source may have changed since dataset \(old.id) was begun")
            try undo(old.id)
            try Removal.remove(from: store)
        }
        guard try Dataset.create(header, in: store) else {
            throw Failure(
                .refused, "another export began in \(store.place) at the same moment",
                hint: "Wait for it, or share its work with --join.")
        }
        return Dataset(store: store, header: header)
    }

    /// Two names that are cut and hashed to one key would write into each other.
    private static func refuseEqualKeys(_ tables: [SourceTable]) throws(Failure) {
        var names: [String: TableName] = [:]
        for table in tables {
            let segment = KeySegment.make(from: table.name)
            if let other = names.updateValue(table.name, forKey: segment) {
                throw Failure(
                    .refused, "\(other) and \(table.name) would have the same key \(segment)",
                    hint: "Leave one of them out with --exclude.")
            }
        }
    }
}

/// Takes a dataset's objects out of a store.
enum Removal {
    /// Everything of the dataset, `dataset.json` last, so that a half-removed one is still known
    /// for one.
    static func remove(from store: any Store) throws(Failure) {
        try store.delete(DatasetKeys.manifest)
        try store.delete(DatasetKeys.handoff)
        for folder in DatasetKeys.folders where folder != "holds/" {
            try store.deleteAll(below: folder)
        }
        try store.delete(DatasetKeys.header)
    }
}

extension Store {
    /// Removes every object below a prefix, some at a time.
    func deleteAll(
        below prefix: String, where isUnwanted: (String) -> Bool = { _ in true }
    ) throws(Failure) {
        let limit = 1000
        while true {
            var keys: [String] = []
            try list(prefix) { object throws(Failure) in
                if isUnwanted(object.key) { keys.append(object.key) }
                return keys.count < limit
            }
            for key in keys { try delete(key) }
            if keys.count < limit { return }
        }
    }
}
