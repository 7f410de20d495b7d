public import SluiceCore

/// A session on a server that has transactions and savepoints. Used by one lane at a time.
public protocol ServerTransactions: AnyObject {
    /// While set, statements are carried out though the stop signal is raised.
    var ignoresStop: Bool { get set }
    func carryOut(_ statement: String) throws(Failure)
}

extension ServerTransactions {
    /// All of `body` or nothing of it; only for statements that do not end the transaction
    /// themselves.
    public func inTransaction<Result>(
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try carryOut("START TRANSACTION")
        do {
            let result = try body()
            try carryOut("COMMIT")
            return result
        } catch {
            whateverStops("ROLLBACK")
            throw error
        }
    }

    /// All of `body` or nothing of it, within the open transaction.
    public func inSavepoint<Result>(
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try carryOut("SAVEPOINT sluice")
        do {
            let result = try body()
            try carryOut("RELEASE SAVEPOINT sluice")
            return result
        } catch {
            whateverStops("ROLLBACK TO SAVEPOINT sluice", "RELEASE SAVEPOINT sluice")
            throw error
        }
    }

    /// Where this fails, so does whatever comes next in the transaction, or the server has rolled
    /// it back already.
    private func whateverStops(_ statements: String...) {
        let before = ignoresStop
        ignoresStop = true
        defer { ignoresStop = before }
        for statement in statements { try? carryOut(statement) }
    }
}

/// The ledger in a server's database (design §7), and what it has to do with a shard's rows: the
/// order in which they are entered, loaded and corrected is the same for every server.
public protocol ServerLedger {
    associatedtype Session: ServerTransactions

    /// Enters a unit, its records as mapped being the records; false when it is there already.
    /// Waits for a transaction that enters it.
    static func enter(
        _ unit: String, of dataset: String, _ digest: Digest?, on session: Session
    ) throws(Failure) -> Bool
    /// What a unit's records are as mapped for this target.
    static func change(
        _ unit: String, of dataset: String, mapped: Digest, on session: Session
    ) throws(Failure)
    /// What of a unit is in, where that is less than was entered.
    static func change(
        _ unit: String, of dataset: String, _ digest: Digest, mapped: Digest, on session: Session
    ) throws(Failure)
    /// Enters records that are not in, because they were refused.
    static func enterRefused(
        _ unit: String, of dataset: String, _ digest: Digest, on session: Session
    ) throws(Failure)
}

extension ServerLedger {
    /// Loads a shard within the open transaction.
    ///
    /// - Parameter load: takes the records as mapped and says what they sum up to.
    public static func load(
        _ unit: String, of dataset: String, _ table: TablePlan, from records: any RecordSource,
        expecting expected: Digest, on session: Session,
        by load: (any RecordSource) throws(Failure) -> Digest
    ) throws(Failure) -> LoadOutcome {
        guard try enter(unit, of: dataset, expected, on: session) else { return .alreadyThere }
        guard let mapped = MappedRecords(records, of: table) else {
            let digest = try load(records)
            try digest.requireSealed(expected)
            return .loaded(mapped: digest)
        }
        let digest = try load(mapped)
        try mapped.digest.requireSealed(expected)
        try change(unit, of: dataset, mapped: digest, on: session)
        return .loaded(mapped: digest)
    }

    /// Loads a shard without the records that the target refuses, within the open transaction.
    ///
    /// - Parameter load: takes some of the records as mapped, in a savepoint of their own.
    public static func load(
        _ unit: String, of dataset: String, _ table: TablePlan, without refused: RefusedRecords,
        on session: Session, by load: (any RecordSource) throws(Failure) -> Digest
    ) throws(Failure) -> LoadOutcome {
        guard try enter(unit, of: dataset, refused.shard.digest, on: session) else {
            return .alreadyThere
        }
        var mapped = Digest.empty
        try RecordSieve.sift(refused) { rows throws(Failure) in
            mapped += try session.inSavepoint { () throws(Failure) in
                let records = try refused.shard.records(rows)
                return try load(MappedRecords(records, of: table) ?? records)
            }
        }
        if let kept = try refused.keepAll() {
            try enterRefused(kept, of: dataset, refused.digest, on: session)
        }
        try change(unit, of: dataset, refused.digestOfOthers, mapped: mapped, on: session)
        return .loaded(mapped: mapped)
    }
}
