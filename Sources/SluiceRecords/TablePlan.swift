public import SluiceCore

/// How one table is exported, kept with the dataset.
public struct TablePlan: Hashable, Sendable {
    public var schema: RecordSchema
    public var definition: TableDefinition
    /// In key order, adjacent, open at both ends.
    public var chunks: [Chunk]
    /// The user's `--where` for this table.
    public var filter: String?
    public var estimatedRows: Int
    public var estimatedBytes: Int
    /// The virtual table that this one stores the content of.
    public var owner: TableName?
    /// What the driver needs to read the chunks; its own members.
    public var details: JSON
    /// None or one: a plan cannot hold one of its own kind.
    private var originals: [TablePlan] = []

    public init(
        schema: RecordSchema, definition: TableDefinition, chunks: [Chunk], filter: String? = nil,
        estimatedRows: Int = 0, estimatedBytes: Int = 0, owner: TableName? = nil,
        details: JSON = [:]
    ) {
        self.schema = schema
        self.definition = definition
        self.chunks = chunks
        self.filter = filter
        self.estimatedRows = estimatedRows
        self.estimatedBytes = estimatedBytes
        self.owner = owner
        self.details = details
    }

    public var table: TableName { schema.table }

    /// As the dataset has it, where names, types and records are other ones in a target; otherwise
    /// itself.
    public var original: TablePlan { originals.first ?? self }

    /// The same table with the names, types and records that a target is to have.
    public func mapped(
        to schema: RecordSchema, _ definition: TableDefinition
    ) -> TablePlan {
        var plan = self
        plan.schema = schema
        plan.definition = definition
        plan.originals = [original]
        return plan
    }
}

/// One range of one table: rows whose key is above `lower` and not above `upper`.
public struct Chunk: Hashable, Sendable {
    public var number: Int
    /// Literals of the source's SQL, one per key column, exactly as sent to it; nothing: open.
    public var lower: [String]?
    public var upper: [String]?

    public init(number: Int, lower: [String]? = nil, upper: [String]? = nil) {
        self.number = number
        self.lower = lower
        self.upper = upper
    }

    /// What makes chunks cover a table: each begins where the one before ends, both ends are open,
    /// numbers count up from 0.
    public static func coverAll(_ chunks: [Chunk]) -> Bool {
        guard let first = chunks.first, let last = chunks.last, first.lower == nil,
            last.upper == nil
        else { return false }
        for (index, chunk) in chunks.enumerated() {
            guard chunk.number == index else { return false }
            if index > 0 {
                guard let lower = chunk.lower, lower == chunks[index - 1].upper else {
                    return false
                }
            }
        }
        return true
    }
}
