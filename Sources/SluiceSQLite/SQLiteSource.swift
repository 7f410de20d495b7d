public import SluiceCore
public import SluiceRecords

/// A SQLite file that is read.
public final class SQLiteSource: Source {
    private let path: String
    private let busyLimit: Duration

    /// - Parameter path: taken as it is, whatever characters it has.
    /// - Parameter busyLimit: how long to wait for another program's transaction.
    public init(path: String, busyLimit: Duration = .seconds(10)) {
        self.path = path
        self.busyLimit = busyLimit
    }

    public var engine: String { "sqlite" }
    public var place: String { "sqlite:\(path)" }

    public let facts = SourceFacts(hasSlots: false)

    public func identity() throws(Failure) -> JSON {
        try SQLiteFile.check(path, mayBeMissing: false)
        return ["engine": "sqlite", "path": .string(SQLiteFile.realPath(path) ?? path)]
    }

    public func openSnapshot(
        _ options: SnapshotOptions, stop: StopSignal
    ) throws(Failure) -> any Snapshot {
        try SQLiteSnapshot(path, options, busyLimit: busyLimit, stop: stop)
    }

    /// The system frees a file's locks when their process ends.
    public func release(_ hold: JSON) throws(Failure) {}

    public func examine(window _: Duration) -> [Finding] {
        SQLiteExamination(path).findings
    }
}
