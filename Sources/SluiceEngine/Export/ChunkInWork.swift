internal import SluiceCore
internal import SluiceRecords

/// One chunk between its first record and its seal: its shards are stored by put lanes while it is
/// still read.
final class ChunkInWork: Sendable {
    private struct State {
        var stored: [Int: Seal.Shard] = [:]
        var shardCount: Int?
        var counted = 0
    }

    let plan: TablePlan
    let chunk: Chunk
    private let state = Monitor(State())

    init(_ chunk: Chunk, of plan: TablePlan) {
        self.chunk = chunk
        self.plan = plan
    }

    /// A shard is in the store. With the last one of a chunk that is read to its end, the chunk's
    /// seal to be written.
    func stored(_ shard: Seal.Shard, ordinal: Int, dataset: String) -> Seal? {
        state.change { state in
            state.stored[ordinal] = shard
            return seal(state, dataset: dataset)
        }
    }

    /// The chunk is read to its end; the seal where everything is stored already.
    func read(shards: Int, counted: Int, dataset: String) -> Seal? {
        state.change { state in
            state.shardCount = shards
            state.counted = counted
            return seal(state, dataset: dataset)
        }
    }

    private func seal(_ state: State, dataset: String) -> Seal? {
        guard let count = state.shardCount, state.stored.count == count else { return nil }
        return Seal(
            dataset: dataset, table: plan.table, chunk: chunk, counted: state.counted,
            shards: (0..<count).compactMap { state.stored[$0] })
    }
}

/// A finished shard on its way to the store.
struct ShardToStore: Sendable {
    let bytes: ShardBytes
    let summary: ShardSummary
    let key: String
    let ordinal: Int
    let chunk: ChunkInWork
}
