internal import SluiceCore
internal import SluiceEngine

/// One phase at one moment, as it is shown.
struct PhaseView: Sendable, Equatable {
    var name: String
    var rows = 0
    var rowTotal = 0
    var bytes = 0
    var items = 0
    var itemTotal = 0
    var seconds = 0.0
    var isEnded = false
    var active: [String] = []

    /// Between 0 and 1; nothing where no total is known. Totals are estimates, so it is whole only
    /// at the end.
    var share: Double? {
        if isEnded { return 1 }
        if rowTotal > 0 { return min(Double(rows) / Double(rowTotal), 0.99) }
        if itemTotal > 0 { return min(Double(items) / Double(itemTotal), 0.99) }
        return nil
    }

    var rowRate: Double { seconds > 0 ? Double(rows) / seconds : 0 }
    var byteRate: Double { seconds > 0 ? Double(bytes) / seconds : 0 }

    /// From what has been done so far; nothing in the first moments, when it would be a guess.
    var secondsLeft: Double? {
        guard !isEnded, let share, share > 0, seconds >= 3 else { return nil }
        return seconds * (1 - share) / share
    }
}

extension PhaseView {
    init(_ phase: Progress.Phase, _ figures: Progress.Figures, now: ContinuousClock.Instant) {
        name = phase.name
        rows = figures.rows
        rowTotal = figures.rowTotal
        bytes = figures.bytes
        items = figures.items
        itemTotal = figures.itemTotal
        if let start = figures.startedAt {
            seconds = ((figures.endedAt ?? now) - start).inSeconds
        }
        isEnded = figures.endedAt != nil
        active = figures.active.map { $0.detail.isEmpty ? $0.name : "\($0.name): \($0.detail)" }
    }
}

extension Progress.Phase {
    var name: String {
        switch self {
        case .plan: "plan"
        case .check: "check"
        case .export: "export"
        case .load: "load"
        case .index: "index"
        case .verify: "verify"
        }
    }
}

extension Progress {
    /// The phases that have begun, as they are now.
    func views(now: ContinuousClock.Instant) -> [PhaseView] {
        snapshot.map { PhaseView($0.phase, $0.figures, now: now) }
    }
}

/// Snapshots as lines: a pure function, so that it can be tested without a terminal.
enum ProgressRendering {
    private static let activeLimit = 4
    private static let nameWidth = 7

    /// A line for each phase and a few for what is in work, at most `width` columns wide.
    static func table(_ phases: [PhaseView], width: Int, hasBlocks: Bool) -> [String] {
        phases.flatMap { phase in
            var lines = [line(phase, width: width, hasBlocks: hasBlocks)]
            if !phase.isEnded {
                for name in phase.active.prefix(activeLimit) {
                    lines.append(TerminalText.fitted("  " + name, width))
                }
                let more = phase.active.count - activeLimit
                if more > 0 { lines.append(TerminalText.fitted("  and \(more) more", width)) }
            }
            return lines
        }
    }

    private static func line(_ phase: PhaseView, width: Int, hasBlocks: Bool) -> String {
        let name = TextLayout.padded(phase.name, nameWidth)
        let percent = leading(phase.share.map { "\(Int($0 * 100))%" } ?? "", 4)
        // In the order in which they are left out of a narrow terminal, last first.
        var cells = [leading(time(phase), 11)]
        if phase.rows > 0 {
            cells.append(leading("\(NumberText.short(phase.rowRate)) rows/s", 13))
        } else if phase.itemTotal > 0 {
            cells.append(leading("\(phase.items)/\(phase.itemTotal)", 13))
        } else {
            cells.append(leading("", 13))
        }
        cells.append(leading(phase.bytes > 0 ? NumberText.byteRate(phase.byteRate) : "", 11))
        cells.append(leading(phase.rows > 0 ? "\(NumberText.grouped(phase.rows)) rows" : "", 19))
        var text = ""
        let fixed = nameWidth + 1 + 1 + 4
        var used = fixed + 10
        for cell in cells where used + cell.count + 1 <= width {
            text += " " + cell
            used += cell.count + 1
        }
        let barWidth = min(30, max(0, width - (used - 10)))
        let barText = barWidth >= 4 ? bar(phase.share, barWidth, hasBlocks) : ""
        let line = "\(name) \(barText) \(percent)\(text)"
        return TerminalText.fitted(line.trimmedEnd, width)
    }

    private static func bar(_ share: Double?, _ width: Int, _ hasBlocks: Bool) -> String {
        let filled = Int((share ?? 0) * Double(width))
        let (full, empty) = hasBlocks ? ("█", "░") : ("#", "-")
        return String(repeating: full, count: filled)
            + String(repeating: empty, count: width - filled)
    }

    private static func time(_ phase: PhaseView) -> String {
        if phase.isEnded { return "in \(NumberText.clock(phase.seconds))" }
        if let left = phase.secondsLeft { return "\(NumberText.clock(left)) left" }
        return NumberText.clock(phase.seconds)
    }

    private static func leading(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }

    /// One line about a phase for logs: `export: 52%, 1,234,567 of 2,400,000 rows, 28.1k rows/s,
    /// 31.2 MB/s, 0:42 left`.
    static func plainLine(_ phase: PhaseView) -> String {
        var parts: [String] = []
        if phase.isEnded {
            parts.append("done in \(NumberText.clock(phase.seconds))")
        } else if let share = phase.share {
            parts.append("\(Int(share * 100))%")
        }
        if phase.rows > 0 {
            let total = phase.isEnded || phase.rowTotal < phase.rows ? 0 : phase.rowTotal
            let of = total > 0 ? " of \(NumberText.grouped(total))" : ""
            parts.append("\(NumberText.grouped(phase.rows))\(of) rows")
            parts.append("\(NumberText.short(phase.rowRate)) rows/s")
        } else if phase.itemTotal > 0 {
            parts.append("\(phase.items) of \(phase.itemTotal)")
        }
        if phase.bytes > 0 { parts.append(NumberText.byteRate(phase.byteRate)) }
        if let left = phase.secondsLeft { parts.append("\(NumberText.clock(left)) left") }
        if parts.isEmpty { parts.append(NumberText.clock(phase.seconds)) }
        return "\(phase.name): \(parts.joined(separator: ", "))"
    }

    /// The same for programs.
    static func json(_ phase: PhaseView, time: String) -> JSON {
        [
            "time": .string(time), "level": "info", "event": "progress",
            "phase": .string(phase.name), "rows": .int(phase.rows),
            "rowTotal": .int(phase.rowTotal), "bytes": .int(phase.bytes),
            "items": .int(phase.items), "itemTotal": .int(phase.itemTotal),
            "seconds": .double(NumberText.rounded(phase.seconds)), "ended": .bool(phase.isEnded),
        ]
    }
}

extension String {
    fileprivate var trimmedEnd: String {
        String(self[..<(lastIndex { $0 != " " }.map { index(after: $0) } ?? startIndex)])
    }
}
