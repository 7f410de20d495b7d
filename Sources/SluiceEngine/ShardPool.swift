internal import SluiceCore
internal import SluiceRecords

/// The only memory for whole shards: every lane that fills, stores or loads one takes it here
/// (design §10).
///
/// Nobody waits for a second one while it holds one, so the pool cannot lock up.
final class ShardPool: Sendable {
    private struct State {
        var free: [ShardBytes]
        var isAbandoned = false
    }

    private let state: Monitor<State>
    private let shardCapacity: Int

    /// How many shards a run holds at most.
    static func count(lanes: Int) -> Int { 2 * lanes + 1 }

    init(lanes: Int, shardBytes: Int) {
        // A shard is cut when a block takes it over its size, so there is always one block more.
        // The memory is only touched, and only then real, as far as shards are long.
        shardCapacity = shardBytes + (2 << 20)
        let capacity = shardCapacity
        state = Monitor(
            State(
                free: (0..<ShardPool.count(lanes: lanes)).map { _ in
                    ShardBytes(capacity: capacity)
                }))
    }

    /// Waits for a free one; throws when the run has failed elsewhere.
    func take() throws(Failure) -> ShardBytes {
        let shard = state.wait { state -> Result<ShardBytes, Failure>? in
            if state.isAbandoned { return .failure(Abandoned.failure) }
            return state.free.popLast().map { .success($0) }
        }
        return try shard.get()
    }

    func give(_ shard: ShardBytes) {
        // After one large row the memory is given back.
        shard.buffer.removeAll(keepingAtMost: shardCapacity)
        state.change { $0.free.append(shard) }
    }

    func abandon() {
        state.change { $0.isAbandoned = true }
    }
}

/// What a lane throws that stops because another one failed; never the first failure, so nobody
/// sees it.
enum Abandoned {
    static let failure = Failure(.bug, "a lane stopped because another one failed")
}
