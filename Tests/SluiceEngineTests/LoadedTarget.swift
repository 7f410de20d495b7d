import SluiceCore
import SluiceRecords

/// A target in memory, for tests that look at what arrives.
final class LoadedTarget: Target {
    struct State: Sendable {
        var ledger: [LedgerEntry] = []
        /// Record by record, by the unit they came in.
        var records: [String: [[UInt8]]] = [:]
    }

    let engine = "memory"
    let place = "memory"
    let state = Monitor(State())
    /// What the next attempts to read rows back end with.
    let readFailures = Monitor<[Failure]>([])
    /// Schema work behind the rows, and what is done in each step.
    private let steps: [LoadStep]
    fileprivate let onStep: @Sendable () -> Void
    let hasSchemas: Bool
    let booleanType: String?

    init(
        steps: [LoadStep] = [], hasSchemas: Bool = false, booleanType: String? = nil,
        onStep: @escaping @Sendable () -> Void = {}
    ) {
        self.hasSchemas = hasSchemas
        self.booleanType = booleanType
        self.steps = steps
        self.onStep = onStep
    }

    var units: Set<String> { state.read { Set($0.records.keys) } }
    /// All records, sorted.
    var rows: [[UInt8]] {
        state.read { $0.records.values.flatMap { $0 }.sorted { $0.lexicographicallyPrecedes($1) } }
    }

    var readBackTime: ReadBackTime { .afterLoading }
    func isSame(as source: JSON) -> Bool { false }
    func examine() -> [Finding] { [] }
    func close() throws(Failure) {}

    func survey(_ request: LoadRequest?) throws(Failure) -> TargetSurvey {
        TargetSurvey(
            ledger: state.read { $0.ledger }, conflicts: [], warnings: [], emptyTables: [],
            steps: steps)
    }

    func stepDetails(
        stop: StopSignal
    ) throws(Failure) -> [(step: String, detail: String)] {
        steps.map { (step: $0.name, detail: "half of it") }
    }

    func openSession(
        _ request: LoadRequest, stop: StopSignal
    ) throws(Failure) -> any TargetSession {
        LoadedSession(self, dataset: request.dataset)
    }
}

private final class LoadedSession: TargetSession {
    let target: LoadedTarget
    let dataset: String

    init(_ target: LoadedTarget, dataset: String) {
        self.target = target
        self.dataset = dataset
    }

    func prepare() throws(Failure) {}
    func perform(_ step: LoadStep) throws(Failure) { target.onStep() }
    func begin(_ tables: [TablePlan]) throws(Failure) {
        for table in tables { try note("begin \(table.table)") }
    }
    func close() {}

    func load(
        _ unit: String, of table: TablePlan, from records: any RecordSource,
        expecting expected: Digest
    ) throws(Failure) -> LoadOutcome {
        var found: [[UInt8]] = []
        var digest = Digest.empty
        let validator = RecordValidator(table.schema)
        var reserved = [Int](repeating: 0, count: table.schema.fields.count)
        var batch = Batch(fieldCount: reserved.count)
        var hasMore = true
        while hasMore {
            batch.removeAll()
            hasMore = try records.fill(&batch, byteGoal: 1 << 16)
            digest += batch.digest
            var cursor = RecordCursor(batch.bytes.bytes)
            while !cursor.isAtEnd {
                let start = cursor.position
                try validator.check(&cursor, reserved: &reserved)
                found.append(Array(cursor.read(since: start)))
            }
        }
        guard digest == expected else {
            throw Failure(.refused, "the records of \(unit) are not those that were sealed")
        }
        let entry = LedgerEntry(
            dataset: dataset, unit: unit, rowCount: digest.rowCount, digest: digest.text,
            mapped: digest.text, at: "")
        let rows = found
        return target.state.change { state in
            if state.records[unit] != nil { return .alreadyThere }
            state.records[unit] = rows
            state.ledger.append(entry)
            return .loaded(mapped: digest)
        }
    }

    func mapped(
        _ records: any RecordSource, of table: TablePlan
    ) throws(Failure) -> any RecordSource { records }

    func foreignKeyComplaints() throws(Failure) -> [String] { [] }

    func note(_ unit: String) throws(Failure) {
        let entry = LedgerEntry(
            dataset: dataset, unit: unit, rowCount: 0, digest: "", mapped: "", at: "")
        target.state.change { state in
            if !state.ledger.contains(where: { $0.unit == unit }) { state.ledger.append(entry) }
        }
    }

    func undo(_ dataset: String) throws(Failure) {
        target.state.change { $0 = LoadedTarget.State() }
    }

    func slices(of table: TablePlan, atMost count: Int) throws(Failure) -> [Chunk] {
        [Chunk(number: 0)]
    }

    func readBack(
        _ slice: Chunk, of table: TablePlan
    ) throws(Failure) -> any RecordSource {
        if let failure = target.readFailures.change({ $0.popLast() }) { throw failure }
        let prefix = "data/\(table.original.table)/"
        return LoadedRecords(
            target.state.read { state in
                state.records.filter { $0.key.hasPrefix(prefix) }.flatMap(\.value)
            })
    }
}

private final class LoadedRecords: RecordSource {
    private var left: [[UInt8]]

    init(_ records: [[UInt8]]) {
        left = records
    }

    func fill(_ batch: inout Batch, byteGoal: Int) throws(Failure) -> Bool {
        while batch.bytes.count < byteGoal {
            guard let record = left.popLast() else { return false }
            batch.bytes.append(record)
            batch.endRecord()
        }
        return !left.isEmpty
    }
}
