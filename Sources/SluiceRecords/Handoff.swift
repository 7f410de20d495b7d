public import SluiceCore

/// What a driver knows of a finished dataset when it tells the next stage where to start.
public struct HandoffFacts: Sendable {
    public var dataset: String
    public var engine: String
    /// As `Source.identity` said it.
    public var identity: JSON
    /// Where it is not exact, a driver may say what would have made it so.
    public var position: Position
    public var tables: [TableName]

    public init(
        dataset: String, engine: String, identity: JSON, position: Position, tables: [TableName]
    ) {
        self.dataset = dataset
        self.engine = engine
        self.identity = identity
        self.position = position
        self.tables = tables
    }
}

/// Writes what starts a form of change capture at a dataset's position, line by line; nothing for
/// engines and forms it does not know.
public typealias HandoffWriter =
    @Sendable (_ form: String, _ facts: HandoffFacts) throws(Failure) -> [String]?
