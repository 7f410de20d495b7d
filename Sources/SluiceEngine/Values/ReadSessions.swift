internal import SluiceCore
internal import SluiceRecords

/// A snapshot's sessions, opened once and read by one lane after another: some snapshots have no
/// more of them than they were opened for.
///
/// Unchecked because a session is in the hands of one lane at a time, whoever has taken it.
final class ReadSessions: @unchecked Sendable {
    private struct State: @unchecked Sendable {
        var free: [any SourceSession] = []
    }

    private let snapshot: any Snapshot
    private let state = Monitor(State())

    init(_ snapshot: any Snapshot) {
        self.snapshot = snapshot
    }

    /// How many lanes can read side by side.
    func laneCount(_ wanted: Int) -> Int { max(1, min(wanted, snapshot.laneLimit)) }

    func take() throws(Failure) -> any SourceSession {
        if let session = state.change({ $0.free.popLast() }) { return session }
        return try snapshot.openSession()
    }

    func give(_ session: any SourceSession) {
        let held = HeldSession(session)
        state.change { $0.free.append(held.session) }
    }

    func close() {
        for session in state.change({ state in
            defer { state.free = [] }
            return state
        }).free {
            session.close()
        }
    }
}

/// Unchecked for the same reason.
private struct HeldSession: @unchecked Sendable {
    let session: any SourceSession

    init(_ session: any SourceSession) {
        self.session = session
    }
}
