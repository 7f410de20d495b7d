import SluiceCore
import SluiceRecords

/// A source of tables of numbers, with faults that no real server has on demand.
final class NumberSource: Source {
    /// What goes wrong, in table `numbers`.
    enum Fault: Sendable {
        case none
        /// The last row of chunk 1 is not read.
        case rowLeftOut
        /// The first row of chunk 1 is read twice.
        case rowReadTwice
        /// Chunk 1 begins one row late, where it should begin at the end of chunk 0.
        case gapBetweenChunks
        /// Chunk 1 begins one row early.
        case overlapOfChunks
        /// The last chunk has an upper bound, and a row lies above it.
        case closedEnd
        /// Chunks are planned rightly, but chunk 1 is read with a wrong upper bound, its count too.
        case readBeyondBound
        /// The reading of chunk 1 fails the first time, after some rows, in a way that may pass.
        case failsOnce
        /// A row is larger than the limit.
        case rowTooLarge
    }

    let engine = "numbers"
    let place = "numbers:test"
    let facts: SourceFacts
    let rowCount: Int
    let chunkRows: Int
    let fault: Fault
    let stamp: JSON?
    let tables: [TableName]
    let failures = Monitor(0)
    /// What was asked of it, in order: slots, and what they became.
    let events = Monitor<[String]>([])

    init(
        rowCount: Int = 1000, chunkRows: Int = 300, fault: Fault = .none, stamp: JSON? = ["n": 1],
        tables: [TableName] = [TableName("numbers")], hasSlots: Bool = false
    ) {
        facts = SourceFacts(hasSlots: hasSlots)
        self.rowCount = rowCount
        self.chunkRows = chunkRows
        self.fault = fault
        self.stamp = stamp
        self.tables = tables
    }

    func identity() throws(Failure) -> JSON { ["engine": "numbers", "name": "test"] }
    func examine(window _: Duration) -> [Finding] { [] }

    func openSnapshot(
        _ options: SnapshotOptions, stop: StopSignal
    ) throws(Failure) -> any Snapshot {
        for left in options.leftBehind { note("left behind: \(left["what"]?.text ?? "")") }
        if options.slot != nil {
            try options.announce(["what": "a slot of numbers", "ends_with_process": false])
            note("made")
        }
        return NumberSnapshot(self, hasSlot: options.slot != nil)
    }

    func release(_ hold: JSON) throws(Failure) {
        note("released: \(hold["what"]?.text ?? "")")
    }

    func note(_ event: String) {
        events.change { $0.append(event) }
    }
}

private final class NumberSnapshot: Snapshot {
    let source: NumberSource
    let position: Position
    var stamp: JSON? { source.stamp }
    let laneLimit = 4

    init(_ source: NumberSource, hasSlot: Bool) {
        self.source = source
        position = Position(isExact: hasSlot, details: [:])
    }

    func dropSlot() throws(Failure) { source.note("dropped") }

    func catalog() throws(Failure) -> Catalog {
        Catalog(
            tables: source.tables.map {
                SourceTable(
                    name: $0, estimatedRows: source.rowCount, estimatedBytes: source.rowCount * 8)
            },
            schema: SchemaText(engine: "numbers", objects: [], settings: [:]))
    }

    func openSession() throws(Failure) -> any SourceSession { NumberSession(source) }
    func close() throws(Failure) {}
}

private final class NumberSession: SourceSession {
    let source: NumberSource
    private var rows: [Int] = []
    private var chunk = Chunk(number: 0)

    init(_ source: NumberSource) {
        self.source = source
    }

    func plan(_ table: SourceTable, _ options: PlanOptions) throws(Failure) -> TablePlan {
        let schema = RecordSchema(
            table: table.name,
            fields: [
                Field(name: "n", avroName: "n", type: .int64, isNullable: false),
                Field(name: "word", avroName: "word", type: .text, isNullable: true),
            ])
        var bounds = Array(
            stride(from: source.chunkRows, to: source.rowCount, by: source.chunkRows))
        bounds.insert(-1, at: 0)
        var chunks = bounds.enumerated().map { number, lower in
            Chunk(
                number: number, lower: number == 0 ? nil : ["\(lower)"],
                upper: number + 1 < bounds.count ? ["\(bounds[number + 1])"] : nil)
        }
        switch source.fault {
        case .gapBetweenChunks: chunks[1].lower = ["\(bounds[1] + 1)"]
        case .overlapOfChunks: chunks[1].lower = ["\(bounds[1] - 1)"]
        case .closedEnd: chunks[chunks.count - 1].upper = ["\(source.rowCount - 2)"]
        default: break
        }
        return TablePlan(
            schema: schema,
            definition: TableDefinition(
                columns: [.init(name: "n", isNullable: false), .init(name: "word")],
                primaryKey: ["n"]),
            chunks: chunks, estimatedRows: source.rowCount)
    }

    private func numbers(_ chunk: Chunk) -> Range<Int> {
        let lower = chunk.lower.flatMap { Int($0[0]) } ?? -1
        var upper = chunk.upper.flatMap { Int($0[0]) } ?? source.rowCount - 1
        if source.fault == .readBeyondBound, chunk.number == 1 { upper -= 1 }
        return lower + 1..<min(upper + 1, source.rowCount)
    }

    func open(_ chunk: Chunk, of plan: TablePlan, hidesKeys: Bool) throws(Failure) {
        self.chunk = chunk
        rows = Array(numbers(chunk))
        if chunk.number == 1, source.fault == .rowLeftOut { rows.removeLast() }
        if chunk.number == 1, source.fault == .rowReadTwice { rows.insert(rows[0], at: 0) }
        rows.reverse()
    }

    func fill(_ batch: inout Batch, byteGoal: Int) throws(Failure) -> Bool {
        if source.fault == .failsOnce, chunk.number == 1, rows.count < 100,
            source.failures.change({
                $0 += 1; return $0
            }) == 1
        {
            throw Failure(.unavailable, "the connection was lost", isTransient: true)
        }
        // Small runs, so that a chunk has several batches.
        for _ in 0..<50 {
            guard let number = rows.popLast() else { return false }
            batch.bytes.appendLong(Int64(number))
            if number % 3 == 0 {
                batch.bytes.appendNull()
            } else {
                batch.bytes.appendNotNull()
                var word = "word \(number)"
                word.withUTF8 { batch.bytes.appendBytes(UnsafeRawBufferPointer($0)) }
            }
            batch.endRecord()
        }
        return !rows.isEmpty
    }

    func countRows(in chunk: Chunk, of plan: TablePlan) throws(Failure) -> Int {
        numbers(chunk).count
    }

    func countRows(of plan: TablePlan) throws(Failure) -> Int { source.rowCount }
    func close() {}
}
