internal import Glibc
internal import SluiceCore
internal import SluiceEngine
internal import Synchronization

/// Shows a run's progress on standard error while it lasts, and lets log lines pass.
///
/// On a terminal it is a table that is drawn again in place; elsewhere a line every ten seconds
/// and one at the end of each phase. The cursor stays visible, so there is nothing to restore on
/// the way out.
final class ProgressDisplay: Sendable {
    enum Style: Sendable, Equatable {
        case none
        case table(hasBlocks: Bool)
        case lines
        case json
    }

    private struct State {
        var progress: Progress?
        /// The lines that stand on the terminal now.
        var drawn: [String] = []
        var endedPhases: Set<String> = []
        var lastLineAt: ContinuousClock.Instant?
        var isOver = false
        var loggedLines: [String] = []
    }

    private static let redrawPause = Duration.milliseconds(200)
    private static let linePause = Duration.seconds(10)
    private static let loggedLimit = 1_000

    private let style: Style
    private let write: @Sendable (String) -> Void
    private let columns: @Sendable () -> Int
    private let state = Monitor(State())

    /// - Parameters:
    ///   - write: takes finished text; standard error but in tests.
    ///   - columns: how wide the terminal is now.
    init(
        _ style: Style, write: @escaping @Sendable (String) -> Void = Log.writeToStandardError,
        columns: @escaping @Sendable () -> Int = Terminal.columns
    ) {
        self.style = style
        self.write = write
        self.columns = columns
    }

    /// What `Log` writes with: the table makes room for the line and comes back below it.
    func writeLog(_ line: String) {
        state.change { state in
            if state.loggedLines.count < ProgressDisplay.loggedLimit {
                state.loggedLines.append(line)
            }
            let erase = eraseText(state.drawn)
            let table = state.drawn.map { $0 + "\n" }.joined()
            write(erase + TerminalText.plain(line, keeping: ["\n", "\t"]) + table)
        }
    }

    /// Whether a line with this text went through the log already.
    func hasLogged(_ text: String) -> Bool {
        let quoted = JSON.string(text).compact
        return state.read { state in
            state.loggedLines.contains {
                $0.firstRange(ofText: text) != nil || $0.firstRange(ofText: quoted) != nil
            }
        }
    }

    /// Shows the progress until `body` is over; what it returns or throws is passed on.
    func show<Result>(
        _ progress: Progress, during body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        if style == .none { return try body() }
        state.change { $0.progress = progress }
        let thread = Thread { self.redraw() }
        defer {
            state.change { $0.isOver = true }
            thread.join()
            finish(progress)
        }
        return try body()
    }

    private func redraw() {
        var isOver = false
        while !isOver {
            isOver =
                state.wait(atMost: ProgressDisplay.redrawPause) { $0.isOver ? true : nil } ?? false
            if !isOver { tick(now: Clock.now) }
        }
    }

    /// Draws what there is now.
    func tick(now: ContinuousClock.Instant) {
        state.change { state in
            guard let views = state.progress?.views(now: now) else { return }
            switch style {
            case .none: break
            case .table(let hasBlocks):
                let lines = ProgressRendering.table(
                    views, width: max(20, columns() - 1), hasBlocks: hasBlocks)
                if lines == state.drawn { return }
                write(redrawText(from: state.drawn, to: lines))
                state.drawn = lines
            case .lines, .json: writeLines(views, now: now, &state)
            }
        }
    }

    private func writeLines(
        _ views: [PhaseView], now: ContinuousClock.Instant, _ state: inout State
    ) {
        let start = state.lastLineAt ?? now
        if state.lastLineAt == nil { state.lastLineAt = now }
        let isDue = now - start >= ProgressDisplay.linePause
        for view in views where !state.endedPhases.contains(view.name) {
            if view.isEnded { state.endedPhases.insert(view.name) }
            if isDue || view.isEnded { write(text(view) + "\n") }
        }
        if isDue { state.lastLineAt = now }
    }

    private func text(_ view: PhaseView) -> String {
        style == .json
            ? ProgressRendering.json(view, time: Clock.timestamp()).compact
            : ProgressRendering.plainLine(view)
    }

    /// The last state stays on the screen; what is logged from here on follows below it.
    private func finish(_ progress: Progress) {
        tick(now: Clock.now)
        state.change {
            $0.drawn = []
            $0.progress = nil
        }
    }

    /// Moves to the first line of what was drawn, and overwrites line by line, so that nothing
    /// flickers.
    private func redrawText(from old: [String], to new: [String]) -> String {
        var text = moveUp(rows(old))
        for line in new { text += line + "\u{1B}[K\n" }
        return text + (old.isEmpty ? "" : "\u{1B}[J")
    }

    private func eraseText(_ drawn: [String]) -> String {
        drawn.isEmpty ? "" : moveUp(rows(drawn)) + "\u{1B}[J"
    }

    private func moveUp(_ count: Int) -> String { count > 0 ? "\r\u{1B}[\(count)A" : "" }

    /// How many rows the lines take now: a terminal that became narrower has wrapped them.
    private func rows(_ lines: [String]) -> Int {
        let width = max(1, columns())
        return lines.reduce(0) { $0 + max(1, (TerminalText.columns($1) + width - 1) / width) }
    }
}

/// What standard error is connected to.
enum Terminal {
    static let columns: @Sendable () -> Int = {
        var size = winsize()
        guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    /// How progress is shown, as the display settings and the terminal have it.
    static func style(_ display: Display) -> ProgressDisplay.Style {
        if display.isQuiet { return .none }
        if display.logFormat == .json { return .json }
        guard StandardStream.error.isTerminal, variable("TERM") != "dumb" else { return .lines }
        return .table(hasBlocks: isUTF8)
    }

    /// The first of the variables that decide it, as the C library reads them.
    private static var isUTF8: Bool {
        let locale =
            ["LC_ALL", "LC_CTYPE", "LANG"].lazy.map(variable).first { !$0.isEmpty } ?? ""
        let name = locale.lowercased()
        return name.firstRange(of: "utf-8") != nil || name.firstRange(of: "utf8") != nil
    }

    private static func variable(_ name: String) -> String {
        getenv(name).map { String(cString: $0) } ?? ""
    }
}
