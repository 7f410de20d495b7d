public import SluiceCore

/// How the source is kept still while it is read (design §6).
public enum Consistency: String, Sendable, CaseIterable {
    case snapshot
    case locked
    case replica
}

/// A database that is read. Safe to use from several lanes.
public protocol Source: AnyObject, Sendable {
    /// `sqlite`, `postgres`, `mysql`.
    var engine: String { get }
    /// How messages name it; never with a secret.
    var place: String { get }
    var facts: SourceFacts { get }
    /// What tells this source from any other, for the dataset.
    func identity() throws(Failure) -> JSON
    /// Keeps the source still for as many lanes.
    func openSnapshot(
        _ options: SnapshotOptions, stop: StopSignal
    ) throws(Failure) -> any Snapshot
    /// Frees what a hold says that a run left behind on this source; nothing where it is gone.
    func release(_ hold: JSON) throws(Failure)
    /// What carries sluice's name on this source or stands still as it does for an export, whoever
    /// may still need it, and how it is freed.
    func held() throws(Failure) -> [Finding]
    /// What `doctor` looks at.
    ///
    /// - Parameter window: what export, load and catching up are expected to take.
    func examine(window: Duration) -> [Finding]
}

extension Source {
    /// Nothing outlasts the processes that read it.
    public func held() throws(Failure) -> [Finding] { [] }

    /// A snapshot with nothing else asked of it.
    public func openSnapshot(
        _ consistency: Consistency, lanes: Int, stop: StopSignal
    ) throws(Failure) -> any Snapshot {
        try openSnapshot(SnapshotOptions(consistency, lanes: lanes), stop: stop)
    }
}

/// How a snapshot is to be taken.
public struct SnapshotOptions: Sendable {
    public var consistency: Consistency
    public var lanes: Int
    /// What the slot is to be called that keeps the change log from the snapshot on (`--position
    /// slot`); nothing: none is made.
    public var slot: String?
    /// Which tables will be read. A user who may read these alone can export them.
    public var wants: @Sendable (SourceTable) -> Bool = { _ in true }
    /// What dead runs left behind on this source (`holds/`): to be taken over or freed before
    /// anything else.
    public var leftBehind: [JSON] = []
    /// Only a look: nothing is held beyond transactions, and nothing is made or stopped.
    public var isTrial = false
    /// Told what is about to be held beyond a read transaction, for `holds/`, before it is.
    public var announce: @Sendable (JSON) throws(Failure) -> Void = { _ throws(Failure) in }

    public init(_ consistency: Consistency, lanes: Int, isTrial: Bool = false) {
        self.consistency = consistency
        self.lanes = lanes
        self.isTrial = isTrial
    }
}

/// What a source can do, asked once.
public struct SourceFacts: Hashable, Sendable {
    /// It can keep its change log from the snapshot on, in a replication slot (`--position slot`).
    public var hasSlots: Bool
    /// Its catalogue's schema is already without what belongs to tables that are not wanted.
    public var limitsSchema: Bool

    public init(hasSlots: Bool, limitsSchema: Bool = false) {
        self.hasSlots = hasSlots
        self.limitsSchema = limitsSchema
    }
}

/// One consistent view of a source, shared by all lanes that read it. `close` must be called; it is
/// safe to call twice.
public protocol Snapshot: AnyObject, Sendable {
    /// The place in the change log that belongs to it.
    var position: Position { get }
    /// Two snapshots with equal stamps see the same rows, so that an export may be continued;
    /// nothing: never.
    var stamp: JSON? { get }
    /// What the source keeps of its change log from here on, as found by `close`; nothing where
    /// nothing is kept.
    var keptLog: KeptLog? { get }
    /// How many sessions it has to offer; never more than the lanes it was opened for, and at least
    /// one.
    var laneLimit: Int { get }
    func catalog() throws(Failure) -> Catalog
    /// A lane's own view of it; called on that lane.
    func openSession() throws(Failure) -> any SourceSession
    /// Releases everything but the slot; throws where the proof that it held to the end fails.
    func close() throws(Failure)
    /// Removes the slot, where one was made: the dataset did not come about. Only after `close`.
    func dropSlot() throws(Failure)
}

extension Snapshot {
    public var keptLog: KeptLog? { nil }
    public func dropSlot() throws(Failure) {}
}

/// The part of a change log that a slot keeps for whoever goes on from the position.
public struct KeptLog: Hashable, Sendable {
    public var slot: String
    public var byteCount: Int

    public init(slot: String, byteCount: Int) {
        self.slot = slot
        self.byteCount = byteCount
    }
}

/// The place in a source's change log that belongs to a snapshot.
public struct Position: Hashable, Sendable {
    /// Whether everything before it is in the snapshot and nothing behind it.
    public var isExact: Bool
    /// The engine's own members.
    public var details: JSON

    public init(isExact: Bool, details: JSON) {
        self.isExact = isExact
        self.details = details
    }
}

/// What shapes a table's plan beyond the table itself.
public struct PlanOptions: Hashable, Sendable {
    public var chunkBytes: Int
    /// More chunks than this are never made.
    public var chunkLimit: Int
    public var filter: String?

    public init(chunkBytes: Int, chunkLimit: Int = 10_000, filter: String? = nil) {
        self.chunkBytes = chunkBytes
        self.chunkLimit = chunkLimit
        self.filter = filter
    }
}

/// A lane's view of a snapshot. Belongs to the lane that opened it.
public protocol SourceSession: RecordSource {
    func plan(_ table: SourceTable, _ options: PlanOptions) throws(Failure) -> TablePlan
    /// From here on `fill` yields this chunk's records.
    ///
    /// - Parameter hidesKeys: a row at fault is named by its number in the chunk, not by its key.
    func open(_ chunk: Chunk, of plan: TablePlan, hidesKeys: Bool) throws(Failure)
    /// The server's own count of the chunk's rows, after its last record was read.
    func countRows(in chunk: Chunk, of plan: TablePlan) throws(Failure) -> Int
    /// One `count(*)` over the table (and its filter) under the snapshot.
    func countRows(of plan: TablePlan) throws(Failure) -> Int
    func close()
}

/// One thing `doctor` looked at.
public struct Finding: Hashable, Sendable {
    public enum Verdict: String, Sendable {
        case pass
        case warn
        case fail
    }

    public var verdict: Verdict
    /// What was looked at and found: `the file can be locked for writing`.
    public var what: String
    /// What to do about it; a sentence.
    public var remedy: String?

    public init(_ verdict: Verdict, _ what: String, remedy: String? = nil) {
        self.verdict = verdict
        self.what = what
        self.remedy = remedy
    }
}
