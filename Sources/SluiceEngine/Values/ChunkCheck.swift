internal import SluiceCore
internal import SluiceRecords

/// Looks at the records of one chunk, batch by batch. Belongs to one lane.
final class ChunkCheck {
    private let plan: TablePlan
    private let chunk: Chunk
    private let check: any ValueCheck
    private let names: RowName?
    private var folds = KeyFolds()
    /// How many records came before the batch.
    private var rowCount = 0

    init(_ plan: TablePlan, _ chunk: Chunk, _ check: any ValueCheck, hidesKeys: Bool) {
        self.plan = plan
        self.chunk = chunk
        self.check = check
        let names = RowName(plan)
        self.names = hidesKeys || !names.isAvailable ? nil : names
    }

    /// The next batch comes.
    func pass(_ count: Int) { rowCount += count }

    func look(
        at batch: borrowing Batch, _ misfits: Monitor<[TableName: ValueMisfits]>
    ) throws(Failure) {
        let bytes = batch.bytes.bytes
        try check.look(at: batch) { misfit in
            let place = ValueMisfits.Place(chunk: chunk.number, row: rowCount + misfit.row + 1)
            let reason = ValueMisfits.Reason(
                subject: misfit.field.map { plan.original.schema.fields[$0].name }, isKey: false,
                what: Name(misfit.failure.message), remedy: Name(misfit.failure.hint ?? ""))
            let record = UnsafeRawBufferPointer(rebasing: bytes[misfit.start...])
            misfits.change { misfits in
                misfits[plan.table, default: ValueMisfits()].add(reason, at: place) {
                    name(of: record, at: place)
                }
            }
        }
    }

    /// By its key, or by its place in the chunk.
    private func name(of record: UnsafeRawBufferPointer, at place: ValueMisfits.Place) -> String {
        if let name = try? names?.text(of: record) { return name }
        return "row \(place.row) of chunk \(place.chunk)"
    }

    func hashes(of batch: borrowing Batch, by key: Int) throws(Failure) -> [UInt128] {
        folds.removeAll()
        try check.fold(batch, by: key, into: &folds)
        guard folds.count == batch.rowCount else {
            throw Failure(.bug, "a batch of \(plan.table) has not as many keys as records")
        }
        return (0..<folds.count).compactMap { folds[$0].map(Digest.hash) }
    }

    /// Keeps the names of records whose hash is that of others, and what they are compared by.
    func collect(
        _ batch: borrowing Batch, _ twins: Monitor<[TableName: KeyTwins]>
    ) throws(Failure) {
        guard let wanted = twins.read({ $0[plan.table]?.wanted }) else { return }
        for (key, doubles) in wanted.enumerated() where !doubles.isEmpty {
            folds.removeAll()
            try check.fold(batch, by: key, into: &folds)
            var cursor = RecordCursor(batch.bytes.bytes)
            var reserved = [Int](repeating: 0, count: plan.schema.fields.count)
            let validator = RecordValidator(plan.schema)
            for row in 0..<batch.rowCount {
                let start = cursor.position
                try validator.check(&cursor, reserved: &reserved)
                guard let fold = folds[row] else { continue }
                let hash = Digest.hash(fold)
                guard doubles.contains(hash) else { continue }
                let place = ValueMisfits.Place(chunk: chunk.number, row: rowCount + row + 1)
                let name = name(of: cursor.read(since: start), at: place)
                let bytes = [UInt8](fold)
                twins.change { $0[plan.table]?.add(key, hash, bytes, place, name) }
            }
        }
    }
}
