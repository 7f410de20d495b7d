public import SluiceRecords

/// Everything a user can decide about a run; each command uses its part.
public struct Settings: Sendable {
    /// `--where TABLE=SQL`.
    public struct Filter: Hashable, Sendable {
        /// As `TableName.description` shows it.
        public var table: String
        public var sql: String

        public init(table: String, sql: String) {
            self.table = table
            self.sql = sql
        }
    }

    /// Globs over table names; empty: all tables.
    public var tables: [String] = []
    public var exclude: [String] = []
    public var filters: [Filter] = []
    public var format = ShardFormat(.avro, .zstandard)
    /// Record bytes of a shard before compression.
    public var shardBytes = 32 << 20
    /// Larger rows are refused by name.
    public var rowBytes = 256 << 20
    public var lanes = 2
    public var consistency = Consistency.snapshot
    /// `--position slot`.
    public var takesSlot = false
    /// `--count exact`.
    public var countsExactly = true
    /// `--constraints initial`.
    public var constraintsInitial = false
    public var onExisting = OnExisting.refuse
    public var trustsSchema = false
    /// `--join`.
    public var joins = false
    /// `--check-values`.
    public var checksValues = false
    public var hidesKeys = false
    /// `--on-bad-row quarantine` with its `--bad-row-limit`; nothing: the first one stops the load.
    public var badRowLimit: Int?
    /// `--owners skip`.
    public var skipsOwners = false
    /// What is to be otherwise in the target than in the source.
    public var overrides = Overrides()
    /// Files somebody else exported, to be loaded instead of a dataset.
    public var imports: [ImportFile] = []

    public init() {}
}
