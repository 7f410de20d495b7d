internal import SluiceCore

/// What is held on a server beyond read transactions, as `holds/` has it.
struct PostgresHold {
    /// SHARE locks end with their session.
    var hasLocks = false
    var pausesReplay = false
    /// The slot's name, which is its publication's, too.
    var slot: String?

    var isEmpty: Bool { !hasLocks && !pausesReplay && slot == nil }

    var json: JSON {
        var words: [String] = []
        if hasLocks { words.append("SHARE locks on every table; others can read but not write") }
        if pausesReplay { words.append("replay on the standby is paused; it falls behind") }
        if let slot {
            words.append(
                "the replication slot \(slot) and the publication of that name; the server keeps "
                    + "its log from the snapshot on")
        }
        return [
            "engine": "postgres", "what": .string(words.joined(separator: "; ")),
            "pause": .bool(pausesReplay), "slot": JSON(slot),
            "ends_with_process": .bool(!pausesReplay && slot == nil),
        ]
    }

    init() {}

    init(_ json: JSON) {
        pausesReplay = json["pause"]?.boolean ?? false
        slot = json["slot"]?.text
    }

    static func release(_ json: JSON, on connection: PostgresConnection) throws(Failure) {
        let hold = PostgresHold(json)
        if hold.pausesReplay { try PostgresReplay.resume(connection) }
        if let slot = hold.slot { try PostgresSlot.drop(slot, on: connection) }
    }
}
