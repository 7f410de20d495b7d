public import SluiceCore

/// What may be in a target already (design §7).
public enum OnExisting: String, Sendable, CaseIterable {
    case refuse
    case use
    case truncate
    case replace
}

/// What is to be loaded, as a target sees it.
public struct LoadRequest: Sendable {
    /// The dataset's id; the ledger's first key column.
    public var dataset: String
    /// In the order they were made in the source.
    public var tables: [TablePlan]
    /// The dataset's DDL, where it may be executed: same engine, and trusted. Otherwise the target
    /// builds what the table definitions say.
    public var trustedSchema: SchemaText?
    public var onExisting: OnExisting
    /// Foreign keys with the tables, parents first, where the engine leaves the choice.
    public var constraintsInitial: Bool
    /// The engine that the dataset comes from, as `Source.engine` says it; nothing where it is not
    /// known. A target of the same engine takes declarations as they are.
    public var sourceEngine: String?
    /// Messages name a row at fault by shard and ordinal, not by its key (design §9).
    public var hidesKeys: Bool
    /// What is made belongs to whoever makes it, and nobody else is granted anything
    /// (`--owners skip`).
    public var skipsOwners: Bool
    /// The ledger's unit that says which overrides the rows are loaded under; nothing: none.
    public var overridesUnit: String?
    /// What the request itself makes otherwise than the source has it, a line each.
    public var warnings: [String]

    public init(
        dataset: String, tables: [TablePlan], trustedSchema: SchemaText?, onExisting: OnExisting,
        constraintsInitial: Bool = false, sourceEngine: String? = nil, hidesKeys: Bool = false,
        skipsOwners: Bool = false, overridesUnit: String? = nil, warnings: [String] = []
    ) {
        self.overridesUnit = overridesUnit
        self.warnings = warnings
        self.skipsOwners = skipsOwners
        self.dataset = dataset
        self.sourceEngine = sourceEngine
        self.hidesKeys = hidesKeys
        self.tables = tables
        self.trustedSchema = trustedSchema
        self.onExisting = onExisting
        self.constraintsInitial = constraintsInitial
    }
}

/// One row of the ledger (design §7, contract).
public struct LedgerEntry: Hashable, Sendable {
    public var dataset: String
    public var unit: String
    public var rowCount: Int
    /// As `Digest.text`; empty for units without rows.
    public var digest: String
    public var mapped: String
    public var at: String

    public init(
        dataset: String, unit: String, rowCount: Int, digest: String, mapped: String, at: String
    ) {
        self.dataset = dataset
        self.unit = unit
        self.rowCount = rowCount
        self.digest = digest
        self.mapped = mapped
        self.at = at
    }
}

/// One piece of schema work, done when the target's own catalogue says so.
public struct LoadStep: Hashable, Sendable {
    public enum Phase: Int, Sendable, Comparable, CaseIterable {
        case tables = 0
        case indexes
        /// Before what a server plans by them: the check of a foreign key is a join.
        case statistics
        case foreignKeys
        case counters
        case code

        public static func < (left: Phase, right: Phase) -> Bool { left.rawValue < right.rawValue }
    }

    public var phase: Phase
    /// Unique in its request: `index orders_by_day`.
    public var name: String
    /// The tables whose rows must be in before it starts, and read back where the target's
    /// `readBackTime` says so; empty: all of them.
    public var tables: [TableName]
    /// Larger first, where the order is free.
    public var weight: Int
    /// The table whose other steps of this kind would wait for this one: they are not begun while
    /// it is in work.
    public var lockedTable: TableName?

    public init(
        phase: Phase, name: String, tables: [TableName], weight: Int = 0,
        lockedTable: TableName? = nil
    ) {
        self.lockedTable = lockedTable
        self.phase = phase
        self.name = name
        self.tables = tables
        self.weight = weight
    }
}

/// What a survey found in a target.
public struct TargetSurvey: Sendable {
    /// Every row of the ledger, of whatever dataset.
    public var ledger: [LedgerEntry]
    /// Why this request cannot be carried out as `onExisting` stands, one line each; empty: it can.
    public var conflicts: [String]
    /// What will differ from the source, known before anything is written.
    public var warnings: [String]
    /// Tables of the request that exist and have no row.
    public var emptyTables: Set<TableName>
    /// Tables of the request that are not there.
    public var missingTables: Set<TableName>
    /// The schema work, in an order that is right when done one by one.
    ///
    /// Steps that name tables are done side by side as soon as their tables are in (by phase);
    /// steps that name none wait for all rows and are done one by one, in this order.
    public var steps: [LoadStep]
    /// By the table, those whose rows must all be in before its own are loaded
    /// (`--constraints initial`). Without a circle.
    public var loadedAfter: [TableName: Set<TableName>]

    public init(
        ledger: [LedgerEntry], conflicts: [String], warnings: [String],
        emptyTables: Set<TableName>, missingTables: Set<TableName> = [], steps: [LoadStep],
        loadedAfter: [TableName: Set<TableName>] = [:]
    ) {
        self.loadedAfter = loadedAfter
        self.ledger = ledger
        self.conflicts = conflicts
        self.warnings = warnings
        self.emptyTables = emptyTables
        self.missingTables = missingTables
        self.steps = steps
    }
}

/// When the rows of a table that is complete are read back. Other than afterwards, nothing that a
/// load does later may change them.
public enum ReadBackTime: Sendable {
    /// When all is loaded.
    case afterLoading
    /// Beside the table's schema steps, by lanes that would have nothing else to do.
    case besideSteps
    /// At once, while the server has the rows in memory. The table's schema steps wait until then,
    /// as they would for its readers in the server.
    case beforeSteps
}

/// A database that is written. Safe to use from several lanes.
public protocol Target: AnyObject, Sendable {
    var engine: String { get }
    /// How messages name it; never with a secret.
    var place: String { get }
    /// Whether its sessions can load a shard without the records that are refused
    /// (`--on-bad-row quarantine`).
    var canLeaveOut: Bool { get }
    /// When rows that are in are read back to be verified by the load itself.
    var readBackTime: ReadBackTime { get }
    /// Whether its tables are in schemas within the database.
    var hasSchemas: Bool { get }
    /// What a column of its own boolean type is declared as; nothing: it has none.
    var booleanType: String? { get }
    /// Whether a source that says this of itself (`Source.identity`) is the same database.
    func isSame(as source: JSON) -> Bool
    /// Looks only, writes nothing; a target that does not exist yet is empty. With no request: just
    /// the ledger.
    func survey(_ request: LoadRequest?) throws(Failure) -> TargetSurvey
    /// A lane's own connection; called on that lane.
    func openSession(_ request: LoadRequest, stop: StopSignal) throws(Failure) -> any TargetSession
    /// A lane's way of trying records without writing any (`plan --check-values`); called on that
    /// lane.
    func openValueCheck(
        _ request: LoadRequest, stop: StopSignal
    ) throws(Failure) -> any ValueCheck
    /// How far the steps are that its sessions are doing now, where the server tells:
    /// `index public.orders_by_day`, `scanning table, 45%`. For showing only; may fail.
    func stepDetails(stop: StopSignal) throws(Failure) -> [(step: String, detail: String)]
    /// Ends what the sessions shared, when all are closed.
    func close() throws(Failure)
    /// What `doctor` looks at.
    func examine() -> [Finding]
}

/// What became of one shard.
public enum LoadOutcome: Hashable, Sendable {
    /// Its rows are in; the digest of its records as mapped for this target.
    case loaded(mapped: Digest)
    /// The ledger had it already: another lane or an earlier run.
    case alreadyThere
}

/// A lane's connection to a target. Belongs to the lane that opened it.
public protocol TargetSession: AnyObject {
    /// Makes the ledger and carries out `onExisting` (drops, truncation). Only before the first
    /// table was begun.
    func prepare() throws(Failure)
    /// Does one step of the survey, or nothing where the catalogue shows that it is done. Others
    /// that could be done by now may be done along with it.
    func perform(_ step: LoadStep) throws(Failure)
    /// Writes the units `begin <table>`, all or none; from now on these tables' rows are ours.
    func begin(_ tables: [TablePlan]) throws(Failure)
    /// Loads one shard's records in one transaction, ledger row first; all or nothing.
    ///
    /// - Parameter records: already checked against the shard's checksum; throws what is wrong
    ///   inside.
    /// - Parameter expected: what the seal says; the transaction is only committed when the records
    ///   sum up to it.
    func load(
        _ unit: String, of table: TablePlan, from records: any RecordSource,
        expecting expected: Digest
    ) throws(Failure) -> LoadOutcome
    /// Loads one shard like `load`, but without the records that the target refuses; all or
    /// nothing. Only asked of targets that can leave out.
    ///
    /// In this order, in one transaction: the ledger's row for the shard; its records, each one or
    /// its refusal (`RefusedRecords.add`, which throws where there are too many); `keepAll`, which
    /// stores the refused ones; rows and digests in the ledger's row of those that are in; a row
    /// for the unit that `keepAll` gave, with rows and digest of the refused ones and an empty
    /// `mapped`; commit. A failure that refuses no row (`Failure.refusesRow`) ends it.
    ///
    /// What makes a commit fail counts, too: deferred constraints are checked with each attempt.
    ///
    /// - Parameter refused: empty; holds the shard's records, which are those that were sealed.
    ///   `RecordSieve` finds the refused ones by attempts, where the server does not take one
    ///   record after the other.
    func load(
        _ unit: String, of table: TablePlan, without refused: RefusedRecords
    ) throws(Failure) -> LoadOutcome
    /// The records as this target will give them back: the same source of records where nothing is
    /// mapped.
    ///
    /// What `verify` compares with where there is no ledger, and what a difference is looked for
    /// in.
    func mapped(
        _ records: any RecordSource, of table: TablePlan
    ) throws(Failure) -> any RecordSource
    /// Foreign keys that loaded rows contradict, one line each, where the engine did not check them
    /// itself. The rows are those of the dataset all the same.
    func foreignKeyComplaints() throws(Failure) -> [String]
    /// Writes a ledger row without rows, if it is not there: `verified`.
    func note(_ unit: String) throws(Failure)
    /// Takes back everything the ledger says `dataset` did here: begun tables emptied, made objects
    /// dropped, its ledger rows removed.
    func undo(_ dataset: String) throws(Failure)
    /// Ranges that together are the table, for reading it back in several lanes.
    func slices(of table: TablePlan, atMost count: Int) throws(Failure) -> [Chunk]
    /// The target's rows, encoded with the dataset's record schema; rows that do not fit it become
    /// misfits.
    func readBack(_ slice: Chunk, of table: TablePlan) throws(Failure) -> any RecordSource
    func close()
}

extension Target {
    public var canLeaveOut: Bool { false }
    public var hasSchemas: Bool { false }
    public var booleanType: String? { nil }

    public func openValueCheck(
        _ request: LoadRequest, stop: StopSignal
    ) throws(Failure) -> any ValueCheck {
        throw Failure(
            .usage, "--check-values is not possible with a target of \(engine)",
            hint: "Leave it out; a value that does not fit is named when it is loaded.")
    }

    public func stepDetails(
        stop: StopSignal
    ) throws(Failure) -> [(step: String, detail: String)] { [] }
}

extension TargetSession {
    public func load(
        _ unit: String, of table: TablePlan, without refused: RefusedRecords
    ) throws(Failure) -> LoadOutcome {
        throw Failure(.bug, "a target that cannot leave records out was asked to")
    }
}
