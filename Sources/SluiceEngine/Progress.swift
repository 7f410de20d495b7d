internal import SluiceCore

/// How far a run is: counters that lanes raise and a display reads.
public final class Progress: Sendable {
    public enum Phase: Int, Sendable, CaseIterable {
        case plan
        /// Of values, by `plan --check-values`.
        case check
        case export
        case load
        case index
        case verify
    }

    /// Something that is being worked on.
    public struct Item: Sendable, Equatable {
        public var name: String
        /// How far it is, where that is known: `scanning table, 45%`.
        public var detail = ""

        public init(_ name: String, detail: String = "") {
            self.name = name
            self.detail = detail
        }
    }

    /// One phase's numbers. A total of 0 is not known yet.
    public struct Figures: Sendable {
        public var startedAt: ContinuousClock.Instant?
        public var endedAt: ContinuousClock.Instant?
        public var rows = 0
        public var rowTotal = 0
        /// Record bytes.
        public var bytes = 0
        /// Tables in `plan`, shards in `load`, steps in `index`, tables in `verify`.
        public var items = 0
        public var itemTotal = 0
        /// What is being worked on, oldest first.
        public var active: [Item] = []
    }

    private let phases = Monitor<[Figures]>(Phase.allCases.map { _ in Figures() })

    public init() {}

    public func begin(_ phase: Phase, rowTotal: Int = 0, itemTotal: Int = 0) {
        change(phase) {
            if $0.startedAt == nil { $0.startedAt = Clock.now }
            $0.rowTotal = max($0.rowTotal, rowTotal)
            $0.itemTotal = max($0.itemTotal, itemTotal)
        }
    }

    public func add(_ phase: Phase, rows: Int = 0, bytes: Int = 0, items: Int = 0) {
        change(phase) {
            $0.rows &+= rows
            $0.bytes &+= bytes
            $0.items += items
        }
    }

    public func start(_ item: String, in phase: Phase) {
        change(phase) { $0.active.append(Item(item)) }
    }

    public func finish(_ item: String, in phase: Phase) {
        change(phase) { figures in
            if let place = figures.place(of: item) { figures.active.remove(at: place) }
        }
    }

    /// How far what is being worked on is, by its name.
    public func tell(_ detail: String, of item: String, in phase: Phase) {
        change(phase) { figures in
            if let place = figures.place(of: item) { figures.active[place].detail = detail }
        }
    }

    /// May be called twice; the first time counts.
    public func end(_ phase: Phase) {
        change(phase) {
            $0.endedAt = $0.endedAt ?? Clock.now
            $0.active = []
        }
    }

    /// The figures of the phases that have begun, in order.
    public var snapshot: [(phase: Phase, figures: Figures)] {
        let all = phases.read { $0 }
        return Phase.allCases.compactMap { phase in
            let figures = all[phase.rawValue]
            return figures.startedAt.map { _ in (phase: phase, figures: figures) }
        }
    }

    private func change(_ phase: Phase, _ body: (inout Figures) -> Void) {
        phases.change { body(&$0[phase.rawValue]) }
    }
}

extension Progress.Figures {
    /// By bytes: two names may be one String.
    fileprivate func place(of item: String) -> Int? {
        active.firstIndex { $0.name.utf8.elementsEqual(item.utf8) }
    }
}
