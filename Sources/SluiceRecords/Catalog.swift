public import SluiceCore

/// What a source consists of, read under its snapshot.
public struct Catalog: Sendable {
    /// Every table with rows of its own, in the order they were made.
    public var tables: [SourceTable]
    /// The schema as the source's own tools print it.
    public var schema: SchemaText
    /// What a user should know before the export: things that cannot be moved, or not as they are.
    public var warnings: [String]

    public init(tables: [SourceTable], schema: SchemaText, warnings: [String] = []) {
        self.tables = tables
        self.schema = schema
        self.warnings = warnings
    }
}

/// One table of a source, before it is planned.
public struct SourceTable: Hashable, Sendable {
    public var name: TableName
    /// From statistics or file sizes; only for order and estimates.
    public var estimatedRows: Int
    public var estimatedBytes: Int
    /// The virtual table that this one stores the content of; the two are moved together.
    public var owner: TableName?
    /// The partitioned tables that it is a part of: who chooses them chooses it.
    public var wholes: [TableName]

    public init(
        name: TableName, estimatedRows: Int, estimatedBytes: Int, owner: TableName? = nil,
        wholes: [TableName] = []
    ) {
        self.name = name
        self.estimatedRows = estimatedRows
        self.estimatedBytes = estimatedBytes
        self.owner = owner
        self.wholes = wholes
    }
}

/// A schema in its engine's own language, cut into objects.
public struct SchemaText: Hashable, Sendable {
    public struct Object: Hashable, Sendable {
        public var kind: String
        public var name: TableName
        /// The table it belongs to; the object itself where it is a table.
        public var table: TableName?
        public var sql: String

        public init(kind: String, name: TableName, table: TableName?, sql: String) {
            self.kind = kind
            self.name = name
            self.table = table
            self.sql = sql
        }
    }

    public var engine: String
    /// In the order in which they were made.
    public var objects: [Object]
    /// What belongs to the database but is no object: the driver's own members.
    public var settings: JSON

    public init(engine: String, objects: [Object], settings: JSON) {
        self.engine = engine
        self.objects = objects
        self.settings = settings
    }
}
