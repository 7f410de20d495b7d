/// What a driver does with types, for the page that shows every pair of engines: its own types as
/// records, and records as columns of its own. Made of the very tables that the driver works by.
public struct TypeTable: Sendable {
    /// One of the engine's types.
    public struct Origin: Sendable {
        /// As a column is declared.
        public let declared: String
        /// Where that says more than the declaration does.
        public let remark: String?
        public let type: ColumnType

        public init(_ declared: String, _ type: ColumnType, remark: String? = nil) {
            self.declared = declared
            self.type = type
            self.remark = remark
        }
    }

    /// One kind of column that a target may have already.
    public struct Column: Sendable {
        public let declared: String
        /// Whether it takes values of a record type, each as it is or not at all.
        public let takes: @Sendable (ColumnType) -> Bool

        public init(_ declared: String, takes: @escaping @Sendable (ColumnType) -> Bool) {
            self.declared = declared
            self.takes = takes
        }
    }

    /// As `Source.engine` says it.
    public let engine: String
    /// As people say it.
    public let title: String
    public let origins: [Origin]
    public let columns: [Column]
    /// Values that no column of the engine keeps, sentences.
    public let refusals: [String]
    /// What a field becomes in a table that is made here, of a source of some engine.
    public let declaration: @Sendable (Field, _ sourceEngine: String) -> String

    public init(
        engine: String, title: String, origins: [Origin], columns: [Column], refusals: [String],
        declaration: @escaping @Sendable (Field, _ sourceEngine: String) -> String
    ) {
        self.engine = engine
        self.title = title
        self.origins = origins
        self.columns = columns
        self.refusals = refusals
        self.declaration = declaration
    }
}

extension ColumnType {
    /// One of each, decimals by an example.
    public static let examples: [ColumnType] = [
        .boolean, .int32, .int64, .uint64, .float32, .float64, .decimal(precision: 12, scale: 2),
        .numberText, .text, .bytes, .date, .time, .timestamp, .localTimestamp, .uuid, .json,
        .enumeration, .set, .bitString, .serverText, .any,
    ]
}
