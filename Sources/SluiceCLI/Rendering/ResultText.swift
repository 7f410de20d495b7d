internal import SluiceCore
internal import SluiceEngine

/// Outcomes and failures as standard output has them.
enum ResultText {
    /// The result for people; ends in a line feed unless there is nothing to say.
    static func text(_ outcome: Outcome) -> String {
        var lines: [String] = []
        if let headline = headline(outcome) { lines.append(headline) }
        lines += outcome.lines
        if let verdict = verdict(outcome) { lines.append(verdict) }
        return lines.map { $0 + "\n" }.joined()
    }

    /// What the commands that move rows have done, in one line.
    private static func headline(_ outcome: Outcome) -> String? {
        guard let verb = verb(outcome) else { return nil }
        let tables = counted(outcome.tables, "table")
        let rows = counted(outcome.rows, "row")
        var size = counted(outcome.shards, "shard")
        if outcome.bytes > 0 { size += ", \(ByteCount.text(outcome.bytes))" }
        return "\(verb) \(tables), \(rows) (\(size)) in \(NumberText.spoken(outcome.seconds))"
    }

    private static func verb(_ outcome: Outcome) -> String? {
        switch (outcome.command, outcome.status) {
        case ("run", .done), ("run", .quarantined): "migrated"
        case ("export", .done): "exported"
        case ("load", .done), ("load", .quarantined): "loaded"
        case ("verify", .done), ("verify", .differs), ("verify", .quarantined), ("run", .differs):
            "compared"
        case ("load", .unfinished): "so far loaded"
        case ("export", .unchanged): "exported before:"
        case ("load", .unchanged): "loaded before:"
        default: nil
        }
    }

    private static func verdict(_ outcome: Outcome) -> String? {
        guard outcome.command == "run" || outcome.command == "verify",
            [.done, .differs, .quarantined].contains(outcome.status)
        else { return nil }
        switch outcome.verified {
        case true?:
            let whole = outcome.command == "run" ? "snapshot" : "dataset"
            if outcome.quarantined > 0 {
                return
                    "verified: the target and the quarantine hold exactly the rows of the \(whole)"
            }
            return "verified: the target holds exactly the rows of the \(whole)"
        case false?: return "not verified: the target differs"
        case nil: return nil
        }
    }

    private static func counted(_ count: Int, _ noun: String) -> String {
        "\(NumberText.grouped(count)) \(noun)\(count == 1 ? "" : "s")"
    }

    /// The one object of `--output json` where a command failed: the members of every outcome, and
    /// the error.
    static func json(of failure: Failure, command: Command?, seconds: Double = 0) -> JSON {
        var outcome = Outcome(command: command?.name ?? "")
        outcome.status = status(failure.kind)
        outcome.seconds = NumberText.rounded(seconds)
        outcome.details = [
            .init(
                "error",
                [
                    "kind": .string(failure.kind.rawValue),
                    "message": .string(failure.message),
                    "code": JSON(failure.code),
                    "while": .array(failure.places.map(JSON.string)),
                    "hint": JSON(failure.hint),
                    "exit": .int(Int(failure.kind.exitCode)),
                ])
        ]
        let json = outcome.json
        return command == nil ? json.setting("command", to: .null) : json
    }

    private static func status(_ kind: Failure.Kind) -> Outcome.Status {
        switch kind {
        case .unfinished, .interrupted: .unfinished
        case .differs: .differs
        case .failed, .usage, .unavailable, .refused, .bug: .failed
        }
    }
}
