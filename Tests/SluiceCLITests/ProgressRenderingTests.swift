import SluiceCore
import SluiceEngine
import Synchronization
import Testing

@testable import SluiceCLI

struct ProgressRenderingTests {
    static let export = PhaseView(
        name: "export", rows: 1_234_567, rowTotal: 2_400_000, bytes: 312_000_000, seconds: 10,
        active: ["orders chunk 3", "customers chunk 1"])
    static let load = PhaseView(
        name: "load", rows: 600_000, rowTotal: 2_400_000, bytes: 150_000_000, items: 4,
        itemTotal: 0,
        seconds: 9.5)
    static let index = PhaseView(name: "index", items: 2, itemTotal: 8, seconds: 1)
    static let ended = PhaseView(
        name: "plan", items: 12, itemTotal: 12, seconds: 3.2, isEnded: true)

    @Test("a wide terminal shows bar, share, time, rates and rows of each phase")
    func wide() {
        let lines = ProgressRendering.table(
            [Self.ended, Self.export, Self.load, Self.index], width: 110, hasBlocks: true)
        #expect(
            lines == [
                "plan    ██████████████████████████████ 100%     in 0:03         12/12",
                "export  ███████████████░░░░░░░░░░░░░░░  51%   0:09 left 123.5k rows/s   31.2 MB/s      1,234,567 rows",
                "  orders chunk 3",
                "  customers chunk 1",
                "load    ███████░░░░░░░░░░░░░░░░░░░░░░░  25%   0:28 left  63.2k rows/s   15.8 MB/s        600,000 rows",
                "index   ███████░░░░░░░░░░░░░░░░░░░░░░░  25%        0:01           2/8",
            ])
    }

    @Test("a narrow terminal shows less, and never more than its width", arguments: 20...140)
    func narrow(_ width: Int) {
        let long = PhaseView(
            name: "verify", rows: 1, seconds: 1,
            active: ["表😀" + String(repeating: "表", count: 100), "a\u{1B}[2Jb", "c", "d", "e", "f"])
        let lines = ProgressRendering.table(
            [Self.export, long], width: width, hasBlocks: width.isMultiple(of: 2))
        #expect(lines.allSatisfy { TerminalText.columns($0) <= width })
        #expect(lines.allSatisfy { !$0.unicodeScalars.contains("\u{1B}") })
        #expect(lines.first?.hasPrefix("export") == true)
    }

    @Test("eighty columns have room for bar, time, rates")
    func eighty() {
        #expect(
            ProgressRendering.table([Self.export], width: 79, hasBlocks: false).first
                == "export  ##############--------------  51%   0:09 left 123.5k rows/s   31.2 MB/s"
        )
    }

    @Test("how far a step is stands behind its name")
    func details() throws {
        let progress = Progress()
        progress.begin(.index, itemTotal: 3)
        progress.start("index a", in: .index)
        progress.start("index b", in: .index)
        progress.tell("scanning table, 45%", of: "index b", in: .index)
        progress.tell("done long ago", of: "index c", in: .index)
        let view = try #require(progress.views(now: Clock.now).first)
        #expect(view.active == ["index a", "index b: scanning table, 45%"])
        #expect(view.itemTotal == 3)
        progress.finish("index b", in: .index)
        #expect(progress.views(now: Clock.now).first?.active == ["index a"])
    }

    @Test("of many tables in work a few are named")
    func many() {
        let phase = PhaseView(name: "load", seconds: 1, active: ["a", "b", "c", "d", "e", "f"])
        #expect(
            ProgressRendering.table([phase], width: 60, hasBlocks: false) == [
                "load    ---------------------             0:01",
                "  a", "  b", "  c", "  d", "  and 2 more",
            ])
    }

    @Test(
        "a plain line says the same to a log",
        arguments: [
            (
                export,
                "export: 51%, 1,234,567 of 2,400,000 rows, 123.5k rows/s, 31.2 MB/s, 0:09 left"
            ),
            (index, "index: 25%, 2 of 8"),
            (ended, "plan: done in 0:03, 12 of 12"),
            (PhaseView(name: "plan", seconds: 4), "plan: 0:04"),
            (
                PhaseView(name: "load", rows: 30, rowTotal: 20, seconds: 2, isEnded: true),
                "load: done in 0:02, 30 rows, 15 rows/s"
            ),
        ])
    func plain(_ phase: PhaseView, _ line: String) {
        #expect(ProgressRendering.plainLine(phase) == line)
    }

    @Test("programs get one object for each line")
    func json() {
        #expect(
            ProgressRendering.json(Self.load, time: "2026-01-31T23:59:59Z").compact
                == #"{"time":"2026-01-31T23:59:59Z","level":"info","event":"progress","phase":"load","#
                + #""rows":600000,"rowTotal":2400000,"bytes":150000000,"items":4,"itemTotal":0,"#
                + #""seconds":9.5,"ended":false}"#)
    }

    @Test("an estimate that was too low never claims to be done")
    func lowEstimate() {
        let phase = PhaseView(name: "load", rows: 300, rowTotal: 200, seconds: 10)
        #expect(phase.share == 0.99)
        #expect(PhaseView(name: "load", rows: 1, seconds: 10).share == nil)
    }

    @Test("no time left is guessed in the first moments")
    func firstMoments() {
        #expect(PhaseView(name: "load", rows: 1, rowTotal: 100, seconds: 2.9).secondsLeft == nil)
        #expect(PhaseView(name: "load", rows: 50, rowTotal: 100, seconds: 3).secondsLeft == 3)
        #expect(PhaseView(name: "load", rows: 0, rowTotal: 100, seconds: 30).secondsLeft == nil)
    }
}

struct NumberTextTests {
    @Test("numbers read the same everywhere")
    func numbers() {
        #expect(NumberText.grouped(0) == "0")
        #expect(NumberText.grouped(999) == "999")
        #expect(NumberText.grouped(1_000) == "1,000")
        #expect(NumberText.grouped(-1_234_567) == "-1,234,567")
        #expect(NumberText.short(999) == "999")
        #expect(NumberText.short(999.9) == "1.0k")
        #expect(NumberText.short(1_234_567) == "1.2M")
        #expect(NumberText.short(2e9) == "2.0G")
        #expect(NumberText.byteRate(0) == "0.0 kB/s")
        #expect(NumberText.byteRate(31_240_000) == "31.2 MB/s")
        #expect(NumberText.byteRate(1.5e9) == "1.5 GB/s")
    }

    @Test("times read the same everywhere")
    func times() {
        #expect(NumberText.clock(7.9) == "0:07")
        #expect(NumberText.clock(754) == "12:34")
        #expect(NumberText.clock(3_723) == "1:02:03")
        #expect(NumberText.clock(183_845) == "2d 03:04:05")
        #expect(NumberText.clock(-1) == "0:00")
        #expect(NumberText.clock(.infinity) == "11574d 01:46:40")
        #expect(NumberText.spoken(0.04) == "0.0 s")
        #expect(NumberText.spoken(12.34) == "12.3 s")
        #expect(NumberText.spoken(245) == "4 min 5 s")
        #expect(NumberText.spoken(3_720) == "1 h 2 min")
    }
}

struct TerminalTextTests {
    @Test(
        "wide characters take two columns, marks none",
        arguments: [
            ("abc", 3), ("é", 1), ("e\u{301}", 1), ("表", 2), ("😀", 2), ("█░", 2), ("한", 2),
        ])
    func columns(_ text: String, _ width: Int) {
        #expect(TerminalText.columns(text) == width)
    }

    @Test(
        "a text is cut between characters",
        arguments: [
            ("abcdef", 6, "abcdef"), ("abcdef", 5, "abcd…"), ("表表表", 5, "表表…"), ("表表表", 4, "表…"),
            ("abc", 0, ""), ("abc", 1, "…"), ("a\nb", 9, "a\u{FFFD}b"),
        ])
    func fitted(_ text: String, _ width: Int, _ expected: String) {
        #expect(TerminalText.fitted(text, width) == expected)
    }
}

/// Collects what a display writes.
private final class Screen: Sendable {
    private let text = Mutex("")

    var write: @Sendable (String) -> Void {
        { text in self.text.withLock { $0 += text } }
    }

    func take() -> String {
        text.withLock { text in
            defer { text = "" }
            return text
        }
    }
}

struct ProgressDisplayTests {
    private func progress() -> Progress {
        let progress = Progress()
        progress.begin(.index, itemTotal: 4)
        return progress
    }

    @Test("the table is drawn over itself, log lines pass above it, and the last state stays")
    func table() throws {
        let screen = Screen()
        let display = ProgressDisplay(
            .table(hasBlocks: false), write: screen.write, columns: { 40 })
        let progress = progress()
        try display.show(progress) { () throws(Failure) in
            let start = Clock.now
            display.tick(now: start)
            display.writeLog("note\n")
            progress.add(.index, items: 2)
            display.tick(now: start)
        }
        let text = screen.take()
        let first = "index   --------------   0%        0:00\u{1B}[K\n"
        let second = "index   #######-------  50%        0:00\u{1B}[K\n"
        let again = "index   --------------   0%        0:00\n"
        let up = "\r\u{1B}[1A"
        #expect(
            text.hasPrefix(
                first + up + "\u{1B}[J" + "note\n" + again + up + second + "\u{1B}[J"))
        // Whatever is written now comes below the table.
        display.writeLog("after\n")
        #expect(screen.take() == "after\n")
    }

    @Test("a line that the terminal has wrapped since counts as two")
    func narrowed() throws {
        let screen = Screen()
        let width = Mutex(40)
        let display = ProgressDisplay(
            .table(hasBlocks: false), write: screen.write, columns: { width.withLock { $0 } })
        try display.show(progress()) { () throws(Failure) in
            display.tick(now: Clock.now)
            width.withLock { $0 = 20 }
            display.writeLog("note\n")
        }
        #expect(screen.take().contains("\r\u{1B}[2A\u{1B}[Jnote\n"))
    }

    @Test("elsewhere there is a line every ten seconds, and one at the end of a phase")
    func lines() throws {
        let screen = Screen()
        let display = ProgressDisplay(.lines, write: screen.write, columns: { 80 })
        let progress = progress()
        let start = Clock.now
        try display.show(progress) { () throws(Failure) in
            display.tick(now: start)
            display.tick(now: start + .seconds(9))
            #expect(screen.take() == "")
            display.tick(now: start + .seconds(10))
            #expect(screen.take() == "index: 0%, 0 of 4\n")
            display.tick(now: start + .seconds(19))
            #expect(screen.take() == "")
            progress.add(.index, items: 4)
            progress.end(.index)
        }
        #expect(screen.take() == "index: done in 0:00, 4 of 4\n")
    }

    @Test("quiet shows nothing, and the result passes through")
    func quiet() throws {
        let screen = Screen()
        let display = ProgressDisplay(.none, write: screen.write, columns: { 80 })
        let result = try display.show(progress()) { () throws(Failure) in 7 }
        #expect(result == 7)
        #expect(screen.take() == "")
    }

    @Test("a failure passes through and ends the display")
    func failure() {
        let screen = Screen()
        let display = ProgressDisplay(.lines, write: screen.write, columns: { 80 })
        let failure = #expect(throws: Failure.self) {
            try display.show(progress()) { () throws(Failure) -> Int in
                throw Failure(.failed, "broken")
            }
        }
        #expect(failure?.message == "broken")
    }

    @Test("a log line cannot command the terminal")
    func control() {
        let screen = Screen()
        let display = ProgressDisplay(.none, write: screen.write, columns: { 80 })
        display.writeLog("table \u{1B}[2Jx\n\tnext\n")
        #expect(screen.take() == "table \u{FFFD}[2Jx\n\tnext\n")
    }

    @Test("a warning that was logged is known, in text and in JSON")
    func logged() {
        let display = ProgressDisplay(.none, write: { _ in }, columns: { 80 })
        let text = Log(write: display.writeLog)
        let json = Log(format: .json, write: display.writeLog)
        text.warning("one is \"odd\"")
        json.warning("two is \"odd\"")
        #expect(display.hasLogged("one is \"odd\""))
        #expect(display.hasLogged("two is \"odd\""))
        #expect(!display.hasLogged("three"))
    }
}
