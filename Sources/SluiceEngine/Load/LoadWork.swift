internal import SluiceCore
internal import SluiceRecords

/// What is left to do of a load, handed to its lanes: shards as they get sealed, schema steps as
/// their tables get complete, and tables to be read back.
final class LoadWork: Sendable {
    enum Task: Sendable {
        case load(Seal.Shard, of: TablePlan, chunk: Int, ordinal: Int)
        case perform(LoadStep)
        /// The table is complete: say what it is to be read in.
        case slice(TablePlan, rowCount: Int)
        case read(ReadBack.Slice)
    }

    private struct Table {
        var openChunks: Int
        var openShards = 0
        /// Tables that wait for this one.
        var followers: [TableName] = []
        /// How many tables must be complete before this one is loaded.
        var openParents = 0
        /// Its shards until then.
        var waiting: [Task] = []
        var rowCount = 0
        var isSliced: Bool
        var isComplete: Bool { openChunks == 0 && openShards == 0 }
    }

    private struct Step {
        enum State {
            case waiting
            case inWork
            case done
        }

        let step: LoadStep
        /// Steps of earlier phases on the same tables.
        let predecessors: [Int]
        var state = State.waiting
    }

    private struct State {
        var mayLoad = false
        var ready: [Task] = []
        var nextReady = 0
        var tables: [TableName: Table]
        var steps: [Step]
        /// Tables in whose foreign keys a lane is at work.
        var lockedTables: Set<TableName> = []
        /// Complete tables that nobody has looked at yet.
        var ripe: [TableName] = []
        var slices: [ReadBack.Slice] = []
        /// How many slices of a table are still to be read, and one more while it is being cut.
        var readingCounts: [TableName: Int] = [:]
        var rowTotal = 0
        /// No more seals come; tables that are not complete stay so.
        var isFed = false
        var isAbandoned = false

        var hasReady: Bool { nextReady < ready.count }
        var isComplete: Bool { tables.values.allSatisfy(\.isComplete) }
        var isRead: Bool {
            readingCounts.isEmpty && tables.values.allSatisfy(\.isSliced)
        }
    }

    private let state: Monitor<State>
    private let readBackTime: ReadBackTime
    private let plans: [TableName: TablePlan]
    /// What tables are called in the target, by their names in the dataset.
    private let names: [TableName: TableName]
    /// Where each step is. By bytes: to a String two steps of different tables may have one name.
    private let places: [Name: Int]

    /// - Parameters:
    ///   - steps: the survey's, without those of the phase `tables`.
    ///   - loadedAfter: the survey's.
    ///   - readBackTime: when tables are read back; afterwards: by somebody else.
    init(
        _ plans: [TablePlan], steps: [LoadStep], loadedAfter: [TableName: Set<TableName>] = [:],
        readBackTime: ReadBackTime = .afterLoading
    ) {
        self.readBackTime = readBackTime
        self.plans = Dictionary(plans.map { ($0.table, $0) }) { first, _ in first }
        names = Dictionary(plans.map { ($0.original.table, $0.table) }) { first, _ in first }
        var tables: [TableName: Table] = [:]
        for plan in plans {
            tables[plan.table] = Table(
                openChunks: plan.chunks.count, isSliced: readBackTime == .afterLoading)
        }
        for (table, parents) in loadedAfter {
            for parent in parents where tables[parent]?.isComplete == false {
                tables[parent]?.followers.append(table)
                tables[table]?.openParents += 1
            }
        }
        var first = State(tables: tables, steps: LoadWork.ordered(steps))
        first.rowTotal = plans.reduce(0) { $0 &+ $1.estimatedRows }
        first.ripe = tables.filter { $0.value.isComplete && !$0.value.isSliced }.map(\.key)
        state = Monitor(first)
        let named = steps.enumerated().map { (Name($0.element.name), $0.offset) }
        places = Dictionary(named) { first, _ in first }
    }

    /// What each step waits for, found once: there may be thousands of them.
    private static func ordered(_ steps: [LoadStep]) -> [Step] {
        var places: [TableName: [Int]] = [:]
        for (place, step) in steps.enumerated() {
            for table in step.tables { places[table, default: []].append(place) }
        }
        return steps.map { step in
            let others = Set(step.tables.flatMap { places[$0] ?? [] })
            return Step(
                step: step, predecessors: others.filter { steps[$0].phase < step.phase }.sorted())
        }
    }

    /// A chunk is complete: its shards can be loaded.
    ///
    /// - Parameter plan: as the dataset has it, or as it is in the target.
    func add(_ seal: Seal, of plan: TablePlan) {
        let plan = names[plan.original.table].flatMap { plans[$0] } ?? plan
        state.change { state in
            state.tables[plan.table]?.openChunks -= 1
            state.tables[plan.table]?.openShards += seal.shards.count
            state.tables[plan.table]?.rowCount &+= seal.digest.rowCount
            if let table = state.tables[plan.table], table.openChunks == 0 {
                state.rowTotal &+= table.rowCount &- plan.estimatedRows
            }
            let shards = seal.shards.enumerated().map { ordinal, shard in
                Task.load(shard, of: plan, chunk: seal.chunk.number, ordinal: ordinal)
            }
            if state.tables[plan.table]?.openParents ?? 0 > 0 {
                state.tables[plan.table]?.waiting += shards
            } else {
                state.ready += shards
            }
            LoadWork.release(after: plan.table, &state)
        }
    }

    /// No more seals come.
    func endFeed() {
        state.change { $0.isFed = true }
    }

    /// The target's tables are there; from here on work is handed out.
    func startLoading() {
        state.change { $0.mayLoad = true }
    }

    func abandon() {
        state.change { $0.isAbandoned = true }
    }

    func loaded(_ table: TableName) {
        state.change { state in
            state.tables[table]?.openShards -= 1
            LoadWork.release(after: table, &state)
        }
    }

    /// Where a table is complete now, it may be read, and others may be loaded.
    private static func release(after table: TableName, _ state: inout State) {
        guard let parent = state.tables[table], parent.isComplete else { return }
        if !parent.isSliced { state.ripe.append(table) }
        state.tables[table]?.followers = []
        for follower in parent.followers {
            state.tables[follower]?.openParents -= 1
            guard let found = state.tables[follower], found.openParents == 0 else { continue }
            state.ready += found.waiting
            state.tables[follower]?.waiting = []
        }
    }

    func performed(_ step: LoadStep) {
        guard let place = places[Name(step.name)] else { return }
        state.change { state in
            state.steps[place].state = .done
            if let table = step.lockedTable { state.lockedTables.remove(table) }
        }
    }

    func sliced(_ plan: TablePlan, _ slices: [ReadBack.Slice]) {
        state.change { state in
            state.readingCounts[plan.table, default: 0] += slices.count
            state.slices += slices
        }
        read(plan.table)
    }

    /// A slice of the table was read, or the table was cut.
    func read(_ table: TableName) {
        state.change { state in
            let left = (state.readingCounts[table] ?? 0) - 1
            state.readingCounts[table] = left > 0 ? left : nil
        }
    }

    var isAbandoned: Bool { state.read { $0.isAbandoned } }
    var stepCount: Int { state.read { $0.steps.count } }
    /// Whether every shard of every table is in.
    var isLoaded: Bool { state.read(\.isComplete) }
    /// The rows of all tables; of those that are not sealed yet as many as are expected.
    var rowTotal: Int { state.read { $0.rowTotal } }

    /// Whether every table is complete, and read where that was asked for, and every step done.
    var isFinished: Bool {
        state.read { $0.isComplete && $0.isRead && $0.steps.allSatisfy { $0.state == .done } }
    }

    /// The next piece of work; nothing when there is no more. Waits while others may still make
    /// some.
    func next() throws(Failure) -> Task? {
        let task = state.wait { state -> Result<Task?, Failure>? in
            if state.isAbandoned { return .failure(Abandoned.failure) }
            guard state.mayLoad else { return nil }
            if self.readBackTime == .beforeSteps, let task = self.takeReading(&state) {
                return .success(task)
            }
            if state.hasReady { return .success(LoadWork.takeShard(&state)) }
            if let step = self.takeStep(&state) { return .success(.perform(step)) }
            if let task = self.takeReading(&state) { return .success(task) }
            return LoadWork.nothingLeft(state) ? .success(nil) : nil
        }
        return try task.get()
    }

    private static func takeShard(_ state: inout State) -> Task {
        let task = state.ready[state.nextReady]
        state.nextReady += 1
        if state.nextReady == 4096 {
            state.ready.removeFirst(state.nextReady)
            state.nextReady = 0
        }
        return task
    }

    /// Steps that name tables go side by side, the heaviest first; the others wait for everything
    /// before them. Where steps and readers do not get on, they wait for the readers.
    private func takeStep(_ state: inout State) -> LoadStep? {
        var best: Int?
        for (place, candidate) in state.steps.enumerated()
        where candidate.state == .waiting && !candidate.step.tables.isEmpty {
            guard isFree(candidate, state) else { continue }
            if let other = best, state.steps[other].step.weight >= candidate.step.weight {
                continue
            }
            best = place
        }
        if best == nil, state.isComplete, readBackTime == .besideSteps || state.isRead,
            let place = state.steps.firstIndex(where: { $0.state != .done }),
            state.steps[place].state == .waiting, state.steps[place].step.tables.isEmpty
        {
            best = place
        }
        guard let place = best else { return nil }
        state.steps[place].state = .inWork
        if let table = state.steps[place].step.lockedTable { state.lockedTables.insert(table) }
        return state.steps[place].step
    }

    /// The largest table first.
    private func takeReading(_ state: inout State) -> Task? {
        if let slice = state.slices.popLast() { return .read(slice) }
        let sizes = state.ripe.map { state.tables[$0]?.rowCount ?? 0 }
        guard let largest = sizes.max(), let place = sizes.firstIndex(of: largest),
            let plan = plans[state.ripe.remove(at: place)]
        else { return nil }
        state.tables[plan.table]?.isSliced = true
        state.readingCounts[plan.table] = 1
        return .slice(plan, rowCount: largest)
    }

    private func isFree(_ candidate: Step, _ state: State) -> Bool {
        if let table = candidate.step.lockedTable, state.lockedTables.contains(table) {
            return false
        }
        return candidate.step.tables.allSatisfy {
            state.tables[$0]?.isComplete ?? true
                && (readBackTime == .besideSteps || state.readingCounts[$0] == nil)
        } && candidate.predecessors.allSatisfy { state.steps[$0].state == .done }
    }

    private static func nothingLeft(_ state: State) -> Bool {
        if state.isComplete { return state.isRead && state.steps.allSatisfy { $0.state == .done } }
        // Of an unfinished dataset what is sealed is loaded, and that is all.
        return state.isFed && !state.hasReady
            && state.tables.values.allSatisfy { $0.openShards == $0.waiting.count }
    }
}
