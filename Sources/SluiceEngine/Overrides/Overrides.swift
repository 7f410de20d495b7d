public import SluiceCore

/// What is to be otherwise in a target than in the source: names, types, and what is made of dates
/// that no calendar has and of columns that are used as booleans. The dataset stays as it is.
public struct Overrides: Hashable, Sendable {
    /// A schema of the source, or its database where it has none, and what it is in the target.
    public struct Schema: Hashable, Sendable {
        public var schema: String
        public var name: Name
        /// Where the user says so, for messages: `in job.yaml, line 7, column 3`.
        public var place: String

        public init(_ schema: String, name: Name, place: String) {
            self.schema = schema
            self.name = name
            self.place = place
        }
    }

    public struct Column: Hashable, Sendable {
        /// Its name in the source.
        public var column: Name
        public var name: Name?
        /// As the target declares columns.
        public var type: String?
        public var place: String

        public init(_ column: Name, name: Name? = nil, type: String? = nil, place: String) {
            self.column = column
            self.name = name
            self.type = type
            self.place = place
        }
    }

    public struct Table: Hashable, Sendable {
        /// Its name in the source, with its schema or without.
        public var table: String
        public var name: Name?
        public var columns: [Column]
        public var place: String

        public init(_ table: String, name: Name? = nil, columns: [Column] = [], place: String) {
            self.table = table
            self.name = name
            self.columns = columns
            self.place = place
        }
    }

    public var schemas: [Schema] = []
    public var tables: [Table] = []
    /// `--zero-dates null`.
    public var nullsZeroDates = false
    /// Declarations of the source whose columns become booleans (`--booleans`).
    public var booleans: [String] = []

    public init() {}
}
