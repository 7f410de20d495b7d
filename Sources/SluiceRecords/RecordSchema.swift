public import SluiceCore

/// One field of a table's records.
public struct Field: Hashable, Sendable {
    /// The column's name in the source.
    public let name: Name
    /// The legal Avro name made from it (design §4).
    public let avroName: String
    public let type: ColumnType
    public let isNullable: Bool
    /// The source's own declaration, for readers and for mapping; empty where there is none.
    public let declared: String
    /// The hidden rowid of a SQLite table without an INTEGER PRIMARY KEY: restored on SQLite,
    /// ignored elsewhere.
    public let isRowid: Bool
    /// What its column is to be declared as in tables that are made in the target, where the user
    /// says so; nothing: as the target maps it.
    public let targetDeclaration: String?
    /// Of dates and timestamps: those that no calendar has are NULL in the target, because the user
    /// says so.
    public let nullsImpossibleDates: Bool

    public init(
        name: Name, avroName: String, type: ColumnType, isNullable: Bool, declared: String = "",
        isRowid: Bool = false, targetDeclaration: String? = nil,
        nullsImpossibleDates: Bool = false
    ) {
        self.targetDeclaration = targetDeclaration
        self.nullsImpossibleDates = nullsImpossibleDates
        self.name = name
        self.avroName = avroName
        self.type = type
        self.isNullable = isNullable
        self.declared = declared
        self.isRowid = isRowid
    }
}

/// What the records of one table look like: its fields in column order.
public struct RecordSchema: Hashable, Sendable {
    public let table: TableName
    public let fields: [Field]

    /// With fields whose Avro names are already legal and different.
    public init(table: TableName, fields: [Field]) {
        self.table = table
        self.fields = fields
    }
}
