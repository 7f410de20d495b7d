public import SluiceCore

/// What a table is, in words every engine has: what a target of another engine, or one that does
/// not trust the dataset's DDL, builds it from.
public struct TableDefinition: Hashable, Sendable {
    public struct Column: Hashable, Sendable {
        public var name: Name
        /// The source's declaration, as written.
        public var declared: String
        public var isNullable: Bool
        /// The default as a literal of the source's SQL (number, string, blob, NULL); nothing for
        /// expressions.
        public var defaultLiteral: String?
        public var isGenerated: Bool
        /// Numbers itself: AUTOINCREMENT, AUTO_INCREMENT, identity.
        public var isIdentity: Bool
        public var comment: String?

        public init(
            name: Name, declared: String = "", isNullable: Bool = true,
            defaultLiteral: String? = nil, isGenerated: Bool = false, isIdentity: Bool = false,
            comment: String? = nil
        ) {
            self.name = name
            self.declared = declared
            self.isNullable = isNullable
            self.defaultLiteral = defaultLiteral
            self.isGenerated = isGenerated
            self.isIdentity = isIdentity
            self.comment = comment
        }
    }

    public struct Index: Hashable, Sendable {
        public var name: Name
        public var columns: [Name]
        public var isUnique: Bool

        public init(name: Name, columns: [Name], isUnique: Bool) {
            self.name = name
            self.columns = columns
            self.isUnique = isUnique
        }
    }

    public struct ForeignKey: Hashable, Sendable {
        public var name: Name?
        public var columns: [Name]
        public var table: TableName
        /// Empty: the other table's primary key.
        public var otherColumns: [Name]
        /// `CASCADE`, `SET NULL`, `SET DEFAULT`, `RESTRICT` or `NO ACTION`.
        public var onDelete: String
        public var onUpdate: String

        public init(
            name: Name? = nil, columns: [Name], table: TableName, otherColumns: [Name],
            onDelete: String = "NO ACTION", onUpdate: String = "NO ACTION"
        ) {
            self.name = name
            self.columns = columns
            self.table = table
            self.otherColumns = otherColumns
            self.onDelete = onDelete
            self.onUpdate = onUpdate
        }
    }

    public var columns: [Column]
    /// In key order; empty where there is none.
    public var primaryKey: [Name]
    public var indexes: [Index]
    public var foreignKeys: [ForeignKey]
    /// What of the table these words cannot say: a partial index, a CHECK, a collation.
    public var omissions: [String]

    public init(
        columns: [Column], primaryKey: [Name] = [], indexes: [Index] = [],
        foreignKeys: [ForeignKey] = [], omissions: [String] = []
    ) {
        self.columns = columns
        self.primaryKey = primaryKey
        self.indexes = indexes
        self.foreignKeys = foreignKeys
        self.omissions = omissions
    }
}

extension TableDefinition {
    /// Whether no two rows have the same values in these columns, because a key of the source is
    /// over some of them; rows with NULL in one of those aside, which are equal to none.
    ///
    /// - Parameter names: as `fold` makes them of the names here.
    public func keepsApart(_ names: [Name], by fold: (Name) -> Name = { $0 }) -> Bool {
        let names = Set(names)
        let unique = [primaryKey] + indexes.filter(\.isUnique).map(\.columns)
        return unique.contains { key in
            !key.isEmpty && key.allSatisfy { names.contains(fold($0)) }
        }
    }
}
