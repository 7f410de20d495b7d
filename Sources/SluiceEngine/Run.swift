public import SluiceCore

/// One invocation of sluice: what the user decided, and how to stop it, log and show its progress.
///
/// Each command is an extension in its own file.
public final class Run: Sendable {
    /// Random; names what this run leaves in `holds/` and `reports/`.
    public let id: String
    public let settings: Settings
    public let stop: StopSignal
    public let log: Log
    public let progress: Progress
    public let startedAt = Clock.now

    public init(settings: Settings, stop: StopSignal, log: Log, progress: Progress) {
        id = RandomID.make(byteCount: 8)
        self.settings = settings
        self.stop = stop
        self.log = log
        self.progress = progress
    }
}

/// Identifiers that nobody else makes.
enum RandomID {
    static func make(byteCount: Int = 16) -> String {
        Hexadecimal.string((0..<byteCount).map { _ in UInt8.random(in: 0...255) })
    }
}
