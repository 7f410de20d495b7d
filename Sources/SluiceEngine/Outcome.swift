public import SluiceCore

/// What a command ended with: the one object of `--output json` and the text for people.
public struct Outcome: Sendable {
    public enum Status: String, Sendable {
        case done
        /// It was done before; nothing was to do.
        case unchanged
        case unfinished
        case differs
        /// Done, but for rows that the target refused and that were set aside.
        case quarantined
        case failed
    }

    public var command: String
    public var status = Status.done
    public var dataset: String?
    public var tables = 0
    public var rows = 0
    public var shards = 0
    /// Stored bytes.
    public var bytes = 0
    public var seconds = 0.0
    /// Nothing where verification is not part of the command.
    public var verified: Bool?
    /// Rows that were set aside.
    public var quarantined = 0
    public var position: JSON = .null
    public var warnings: [String] = []
    /// The command's own members, behind the common ones (docs/json-output.md).
    public var details: [JSON.Member] = []
    /// The result as text, a line each; the display adds nothing.
    public var lines: [String] = []
    /// What the process ends with, where that is not 0.
    var exitKind: Failure.Kind?

    public init(command: String) {
        self.command = command
    }

    public var exitCode: Int32 { exitKind?.exitCode ?? 0 }

    public var json: JSON {
        var members: [JSON.Member] = [
            .init("command", .string(command)),
            .init("status", .string(status.rawValue)),
            .init("dataset", JSON(dataset)),
            .init("tables", .int(tables)),
            .init("rows", .int(rows)),
            .init("shards", .int(shards)),
            .init("bytes", .int(bytes)),
            .init("seconds", .double((seconds * 1000).rounded() / 1000)),
            .init("verified", verified.map(JSON.bool) ?? .null),
            .init("position", position),
            .init("warnings", .array(warnings.map(JSON.string))),
        ]
        members += details
        return .object(members)
    }
}
