internal import SluiceCore
internal import SluiceRecords

/// Finds the rows in which a dataset's table and a target's differ, in memory that does not grow
/// with the table.
///
/// Both sides are read once into sums by hash prefix. Then only the buckets with unequal sums are
/// looked at: the hashes in them are counted, up for the dataset and down for the target, in as
/// many passes as the memory allows; what is left over differs. One more pass gives those records
/// their names.
struct DifferenceSearch {
    private enum Side {
        case dataset
        case target
    }

    private static let bucketCount = 1 << 16
    /// Hashes held at a time, about 50 bytes each.
    private static let hashLimit = 1 << 20
    /// Differing records that are told apart; more are only said to be there.
    private static let differenceLimit = 1 << 18

    private let table: DatasetTable
    /// As it is in the target.
    private let plan: TablePlan
    private let shards: any ShardSupply
    private let session: any TargetSession
    private let run: Run
    private let names: RowName
    /// Rows that were set aside, by the shards that they were refused from.
    private let setAside: [Name: RejectsNote]

    init(
        _ table: DatasetTable, as plan: TablePlan, shards: any ShardSupply,
        without setAside: [Name: RejectsNote],
        session: any TargetSession, run: Run
    ) {
        self.setAside = setAside
        self.table = table
        self.plan = plan
        self.shards = shards
        self.session = session
        self.run = run
        names = RowName(plan)
    }

    func carryOut() throws(Failure) -> Difference {
        var sums = [UInt128](repeating: 0, count: DifferenceSearch.bucketCount)
        var counts = [Int](repeating: 0, count: DifferenceSearch.bucketCount)
        var misfits: [Misfit] = []
        try eachRecord(of: .dataset) { hash, _, _ in
            sums[DifferenceSearch.bucket(hash)] &+= hash
            counts[DifferenceSearch.bucket(hash)] += 1
        }
        try eachRecord(of: .target, misfits: { misfits.append($0) }) { hash, _, _ in
            sums[DifferenceSearch.bucket(hash)] &-= hash
            counts[DifferenceSearch.bucket(hash)] += 1
        }
        var differing: [UInt128: Int] = [:]
        var isCut = false
        var first = 0
        while first < DifferenceSearch.bucketCount {
            try run.stop.check()
            let last = DifferenceSearch.lastBucket(from: first, counts, sums)
            try countHashes(in: first...last, where: sums, into: &differing, &isCut)
            first = last + 1
        }
        return try name(differing, misfits, isCut: isCut)
    }

    private static func bucket(_ hash: UInt128) -> Int { Int(hash >> 112) }

    /// As many buckets from here on as the memory holds the unequal ones of.
    private static func lastBucket(from first: Int, _ counts: [Int], _ sums: [UInt128]) -> Int {
        var held = 0
        for bucket in first..<bucketCount where sums[bucket] != 0 {
            held += counts[bucket]
            if held > hashLimit, bucket > first { return bucket - 1 }
        }
        return bucketCount - 1
    }

    private func countHashes(
        in buckets: ClosedRange<Int>, where sums: [UInt128], into differing: inout [UInt128: Int],
        _ isCut: inout Bool
    ) throws(Failure) {
        guard buckets.contains(where: { sums[$0] != 0 }) else { return }
        var counts: [UInt128: Int] = [:]
        func isWanted(_ hash: UInt128) -> Bool {
            let bucket = DifferenceSearch.bucket(hash)
            return buckets.contains(bucket) && sums[bucket] != 0
        }
        try eachRecord(of: .dataset) { hash, _, _ in
            if isWanted(hash) { counts[hash, default: 0] += 1 }
        }
        try eachRecord(of: .target) { hash, _, _ in
            if isWanted(hash) { counts[hash, default: 0] -= 1 }
        }
        for (hash, count) in counts where count != 0 {
            if differing.count < DifferenceSearch.differenceLimit {
                differing[hash] = count
            } else {
                isCut = true
            }
        }
    }

    /// Reads both sides once more for the names of the records that differ.
    private func name(
        _ differing: [UInt128: Int], _ misfits: [Misfit], isCut: Bool
    ) throws(Failure) -> Difference {
        var left = differing
        var naming = DifferenceNaming(
            misfits, hidesKeys: run.settings.hidesKeys, hasKeys: names.isAvailable)
        try eachRecord(of: .dataset) { hash, record, place throws(Failure) in
            guard let count = left[hash], count > 0 else { return }
            left[hash] = count - 1
            naming.missing.append(.init(key: try names.text(of: record), place: place()))
        }
        try eachRecord(of: .target) { hash, record, place throws(Failure) in
            guard let count = left[hash], count < 0 else { return }
            left[hash] = count + 1
            naming.extra.append(.init(key: try names.text(of: record), place: place()))
        }
        return naming.difference(isCut: isCut)
    }

    /// Calls `visit` with each record's hash, bytes, and a name for records without a key.
    private func eachRecord(
        of side: Side, misfits: (Misfit) -> Void = { _ in },
        _ visit: (UInt128, UnsafeRawBufferPointer, () -> String) throws(Failure) -> Void
    ) throws(Failure) {
        switch side {
        case .dataset:
            let bytes = ShardBytes()
            for shard in table.shards {
                let raw = try shards.open(shard, of: table.plan, into: bytes)
                let records = try session.mapped(raw, of: plan)
                let left = Set(setAside[Name(shard.key)]?.rows.map(\.row) ?? [])
                try eachRecord(in: records, from: shard.key, without: left, misfits, visit)
            }
        case .target:
            for chunk in try session.slices(of: plan, atMost: 1) {
                let records = try session.readBack(chunk, of: plan)
                try eachRecord(in: records, from: "the target", misfits, visit)
            }
        }
    }

    private func eachRecord(
        in records: any RecordSource, from place: String, without left: Set<Int> = [],
        _ misfits: (Misfit) -> Void,
        _ visit: (UInt128, UnsafeRawBufferPointer, () -> String) throws(Failure) -> Void
    ) throws(Failure) {
        let validator = RecordValidator(plan.schema)
        var reserved = [Int](repeating: 0, count: plan.schema.fields.count)
        var batch = Batch(fieldCount: reserved.count, rowByteLimit: Int.max)
        var ordinal = 0
        var hasMore = true
        while hasMore {
            try run.stop.check()
            batch.removeAll()
            hasMore = try records.fill(&batch, byteGoal: ExportLanes.batchBytes)
            batch.misfits.forEach(misfits)
            var cursor = RecordCursor(batch.bytes.bytes)
            while !cursor.isAtEnd {
                let start = cursor.position
                try validator.check(&cursor, reserved: &reserved)
                let record = cursor.read(since: start)
                guard !left.contains(ordinal + 1) else {
                    ordinal += 1
                    continue
                }
                try visit(Digest.hash(record), record) { "row \(ordinal) of \(place)" }
                ordinal += 1
            }
        }
    }
}
