public import SluiceCore
public import SluiceRecords

/// Files of one table that somebody else exported, as a job file names them.
public struct ImportFile: Hashable, Sendable {
    public struct Column: Hashable, Sendable {
        public var name: Name
        public var type: ColumnType
        public var isNullable: Bool
        public var isKey: Bool

        public init(name: Name, type: ColumnType, isNullable: Bool = true, isKey: Bool = false) {
            self.name = name
            self.type = type
            self.isNullable = isNullable
            self.isKey = isKey
        }
    }

    public var table: TableName
    public var rendering: ShardFormat.Rendering
    /// Globs over the keys of the store.
    public var files: [String]
    /// Empty: as the files' own schema says (Avro only).
    public var columns: [Column]
    /// How another program wrote its CSV; only looked at where `rendering` is CSV.
    public var dialect: ForeignCSVOptions

    public init(
        table: TableName, rendering: ShardFormat.Rendering, files: [String], columns: [Column],
        dialect: ForeignCSVOptions = ForeignCSVOptions()
    ) {
        self.table = table
        self.rendering = rendering
        self.files = files
        self.columns = columns
        self.dialect = dialect
    }
}
