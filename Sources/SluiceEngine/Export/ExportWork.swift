internal import SluiceCore
internal import SluiceRecords

/// What is left to do of an export, handed to its read lanes: first the plans, then the chunks,
/// then the counts.
final class ExportWork: Sendable {
    /// One table's part, from its plan to its count.
    struct Table: Sendable {
        var plan: TablePlan
        var openChunks: Int
        var rows = 0
        /// What `count(*)` gave.
        var counted: Int?
        var isCounted = false
    }

    enum Task: Sendable {
        case plan(SourceTable)
        case read(Chunk, of: TablePlan)
        case count(TablePlan)
    }

    private struct State {
        var unplanned: [SourceTable]
        var planned: [TableName: TablePlan] = [:]
        /// Chunks are handed out once every plan is made and whoever needs the plans has seen them.
        var mayRead = false
        var chunks: [(TableName, Int)] = []
        var nextChunk = 0
        var uncounted: [TableName] = []
        var tables: [TableName: Table] = [:]
        var isAbandoned = false
    }

    private let order: [TableName]
    private let counts: Bool
    private let state: Monitor<State>

    /// - Parameter counts: whether each table is counted when its last chunk is sealed.
    init(_ tables: [SourceTable], counts: Bool) {
        order = tables.map(\.name)
        self.counts = counts
        // Taken from the end: the largest first, so that the longest is not the last.
        state = Monitor(
            State(unplanned: tables.sorted { $0.estimatedBytes < $1.estimatedBytes }))
    }

    /// The next piece of work; nothing when there is no more. Waits while others may still make
    /// some.
    func next() throws(Failure) -> Task? {
        let task = state.wait { state -> Result<Task?, Failure>? in
            if state.isAbandoned { return .failure(Abandoned.failure) }
            if let table = state.unplanned.popLast() { return .success(.plan(table)) }
            guard state.mayRead else { return nil }
            if let table = state.uncounted.popLast(), let plan = state.planned[table] {
                return .success(.count(plan))
            }
            if state.nextChunk < state.chunks.count {
                let (table, number) = state.chunks[state.nextChunk]
                state.nextChunk += 1
                guard let plan = state.planned[table] else { return nil }
                return .success(.read(plan.chunks[number], of: plan))
            }
            return isDone(state) ? .success(nil) : nil
        }
        return try task.get()
    }

    func planned(_ plan: TablePlan) {
        state.change { $0.planned[plan.table] = plan }
    }

    /// Waits for all plans, in the order in which the tables were made.
    func allPlans() throws(Failure) -> [TablePlan] {
        let plans = state.wait { state -> Result<[TablePlan], Failure>? in
            if state.isAbandoned { return .failure(Abandoned.failure) }
            guard state.planned.count == order.count else { return nil }
            return .success(order.compactMap { state.planned[$0] })
        }
        return try plans.get()
    }

    /// From here on chunks are handed out: the largest tables first; a run that joins another
    /// begins elsewhere.
    func startReading(joins: Bool) {
        state.change { state in
            let plans = order.compactMap { state.planned[$0] }
                .sorted { $0.estimatedBytes > $1.estimatedBytes }
            for plan in plans {
                state.tables[plan.table] = Table(plan: plan, openChunks: plan.chunks.count)
                for chunk in plan.chunks { state.chunks.append((plan.table, chunk.number)) }
            }
            if joins { state.chunks.reverse() }
            state.mayRead = true
        }
    }

    /// A chunk is sealed, by us or by somebody else; true with the table's last one.
    @discardableResult
    func sealed(_ seal: Seal) -> Bool {
        state.change { state in
            state.tables[seal.table]?.openChunks -= 1
            state.tables[seal.table]?.rows += seal.digest.rowCount
            guard state.tables[seal.table]?.openChunks == 0 else { return false }
            if counts {
                state.uncounted.append(seal.table)
            } else {
                state.tables[seal.table]?.isCounted = true
            }
            return true
        }
    }

    func counted(_ table: TableName, _ count: Int) {
        state.change {
            $0.tables[table]?.counted = count
            $0.tables[table]?.isCounted = true
        }
    }

    /// The rows in a table's sealed chunks.
    func rows(of table: TableName) -> Int {
        state.read { $0.tables[table]?.rows ?? 0 }
    }

    /// Waits until every chunk is sealed and every table counted.
    func finish() throws(Failure) -> [Table] {
        let tables = state.wait { state -> Result<[Table], Failure>? in
            if state.isAbandoned { return .failure(Abandoned.failure) }
            guard state.mayRead, isDone(state) else { return nil }
            return .success(order.compactMap { state.tables[$0] })
        }
        return try tables.get()
    }

    func abandon() {
        state.change { $0.isAbandoned = true }
    }

    private func isDone(_ state: State) -> Bool {
        state.tables.values.allSatisfy { $0.openChunks == 0 && $0.isCounted }
    }
}
