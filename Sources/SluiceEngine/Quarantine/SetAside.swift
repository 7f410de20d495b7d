internal import SluiceCore
internal import SluiceRecords
internal import SluiceStore

/// What a target's ledger, or a store, says was set aside of a dataset.
struct SetAside: Sendable {
    /// At most this many rows of a table are named, and as many shards.
    static let namedLimit = 100

    private(set) var notes: [RejectsNote] = []

    var isEmpty: Bool { notes.isEmpty }
    var rowCount: Int { notes.reduce(0) { $0 + $1.digest.rowCount } }

    /// Nothing set aside.
    init() {}

    /// What a load into this target left out.
    ///
    /// - Parameter ledger: what the target has of the dataset.
    init(_ ledger: some Sequence<LedgerEntry>, of dataset: Dataset) throws(Failure) {
        let entries = ledger.filter {
            $0.dataset == dataset.id && $0.unit.hasPrefix(DatasetKeys.rejects)
        }
        for entry in entries.sorted(by: { Name($0.unit) < Name($1.unit) }) {
            guard let table = dataset.table(ofRejects: entry.unit),
                let plan = try dataset.plan(of: table)
            else {
                throw Failure(
                    .differs, "the ledger names rejects that the dataset cannot have",
                    hint: "Somebody changed the ledger; load again into an empty target.")
            }
            guard let note = try dataset.rejectsNote(beside: entry.unit, of: plan) else {
                throw Failure(
                    .refused,
                    "\(DatasetKeys.note(ofRejects: entry.unit)) is missing from"
                        + " \(dataset.store.place), and the ledger names rows there",
                    hint: "Restore the object, or load again into an empty target.")
            }
            guard note.digest.text == entry.digest, note.digest.rowCount == entry.rowCount else {
                throw Failure(
                    .differs,
                    "the ledger holds another digest of \(entry.unit) than the note beside it",
                    hint:
                        "Somebody changed the ledger or the dataset; load again into an empty target."
                )
            }
            notes.append(note)
        }
    }

    /// What loads into whatever target have left in the store.
    init(in dataset: Dataset) throws(Failure) {
        guard dataset.store.facts.canList else { return }
        var keys: [String] = []
        try dataset.store.list(DatasetKeys.rejects) { object throws(Failure) in
            if !object.key.utf8.suffix(5).elementsEqual(".json".utf8) { keys.append(object.key) }
            return true
        }
        for key in keys {
            // A killed run may leave a shard without its note.
            guard let table = dataset.table(ofRejects: key),
                let plan = try dataset.plan(of: table),
                let note = try dataset.rejectsNote(beside: key, of: plan)
            else { continue }
            notes.append(note)
        }
    }

    /// By the shards that they were refused from.
    var byOrigin: [Name: RejectsNote] {
        Dictionary(notes.map { (Name($0.origin), $0) }, uniquingKeysWith: { $1 })
    }
}

/// What was set aside of one table, as results have it.
private struct TableSetAside {
    let table: TableName
    let notes: [RejectsNote]
    let hidesKeys: Bool

    var rowCount: Int { notes.reduce(0) { $0 + $1.digest.rowCount } }

    /// Each reason with how many rows it has, the most frequent first.
    private var reasons: [(row: RejectsNote.Row, count: Int)] {
        var counts: [Name: (row: RejectsNote.Row, count: Int)] = [:]
        for row in notes.flatMap(\.rows) {
            counts[Name(row.reason), default: (row, 0)].count += 1
        }
        return counts.values.sorted {
            ($1.count, Name($0.row.reason)) < ($0.count, Name($1.row.reason))
        }
    }

    private func names(in note: RejectsNote) -> [(name: String, reason: String)] {
        note.rows.map { row in
            let place = "row \(row.row) of \(note.origin)"
            return (hidesKeys ? place : row.key ?? place, row.reason)
        }
    }

    private var names: [(name: String, reason: String)] {
        Array(notes.flatMap(names).prefix(SetAside.namedLimit))
    }

    var json: JSON {
        .object(
            table.members + [
                .init("rows", .int(rowCount)),
                .init(
                    "reasons",
                    .array(
                        reasons.map { reason in
                            [
                                "code": JSON(reason.row.code),
                                "message": .string(reason.row.message), "rows": .int(reason.count),
                            ]
                        })),
                .init("rowNames", .array(names.map { .string($0.name) })),
                .init(
                    "shards",
                    .array(notes.prefix(SetAside.namedLimit).map { .string($0.shard.key) })),
            ])
    }

    func lines(store: String) -> [String] {
        let shown = names.map { "in quarantine from \(table): \($0.name) (\($0.reason))" }
        let more = rowCount - shown.count
        return ["\(table): \(TextTable.count(rowCount, "row")) in quarantine"] + shown
            + (more > 0 ? ["and \(more) more"] : [])
            + notes.prefix(SetAside.namedLimit).map {
                "sluice inspect --store \(store) --shard \($0.shard.key)"
            }
    }
}

extension Outcome {
    /// Which rows are in quarantine, and how to look at them.
    mutating func describe(_ setAside: SetAside, in dataset: Dataset, hidesKeys: Bool) {
        let tables = dataset.header.tables.compactMap { name -> TableSetAside? in
            let notes = setAside.notes.filter { $0.table == name }
            return notes.isEmpty
                ? nil : TableSetAside(table: name, notes: notes, hidesKeys: hidesKeys)
        }
        details.append(.init("quarantine", .array(tables.map(\.json))))
        lines += tables.flatMap { $0.lines(store: dataset.store.place) }
    }

    /// The same for a command that has done what it could without these rows.
    mutating func conclude(_ setAside: SetAside, in dataset: Dataset, hidesKeys: Bool) {
        describe(setAside, in: dataset, hidesKeys: hidesKeys)
        guard !setAside.isEmpty, status == .done || status == .unchanged else { return }
        status = .quarantined
        exitKind = .differs
        quarantined = setAside.rowCount
    }
}
