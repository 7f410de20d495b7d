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

    /// How another program wrote its CSV; only looked at where `rendering` is CSV.
    public struct Dialect: Hashable, Sendable {
        public var delimiter: UInt8
        /// Nothing: no field is quoted.
        public var quote: UInt8?
        /// A backslash makes the next byte plain, besides doubled quotes.
        public var hasBackslashes: Bool
        /// What an unquoted field holds that is NULL; nothing: no field is NULL.
        public var null: String?
        /// That text is NULL in quotes, too.
        public var takesQuotedNull: Bool
        /// The first line, behind those that are skipped, names the columns.
        public var hasHeader: Bool
        public var skippedLines: Int

        public init(
            delimiter: UInt8 = UInt8(ascii: ","), quote: UInt8? = UInt8(ascii: "\""),
            hasBackslashes: Bool = false, null: String? = "", takesQuotedNull: Bool = false,
            hasHeader: Bool = true, skippedLines: Int = 0
        ) {
            self.delimiter = delimiter
            self.quote = quote
            self.hasBackslashes = hasBackslashes
            self.null = null
            self.takesQuotedNull = takesQuotedNull
            self.hasHeader = hasHeader
            self.skippedLines = skippedLines
        }
    }

    public var table: TableName
    public var rendering: ShardFormat.Rendering
    /// Globs over the keys of the store.
    public var files: [String]
    /// Empty: as the files' own schema says (Avro only).
    public var columns: [Column]
    public var dialect: Dialect

    public init(
        table: TableName, rendering: ShardFormat.Rendering, files: [String], columns: [Column],
        dialect: Dialect = Dialect()
    ) {
        self.table = table
        self.rendering = rendering
        self.files = files
        self.columns = columns
        self.dialect = dialect
    }
}
