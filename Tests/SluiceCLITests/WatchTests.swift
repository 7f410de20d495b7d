import Glibc
import SluiceCore
import TestSupport
import Testing

@testable import SluiceCLI

struct WatchTests {
    /// Waits for the stop signal as the engine does; far longer than any test takes.
    private func untilStopped(_ stop: StopSignal) throws(Failure) {
        let end = Clock.now + .seconds(60)
        while Clock.now < end {
            try stop.check()
            Clock.sleep(.milliseconds(5))
        }
        throw Failure(.bug, "nobody stopped it")
    }

    @Test("at its time limit a run stops, unfinished")
    func timeLimit() {
        let stop = StopSignal()
        let failure = #expect(throws: Failure.self) {
            try Watch(timeLimit: .milliseconds(20)).watch(stop) { () throws(Failure) in
                try untilStopped(stop)
            }
        }
        #expect(failure?.kind == .unfinished)
        #expect(failure?.message == "the time limit was reached")
        #expect(stop.reason == .timeLimit)
    }

    @Test("when the abort command succeeds a run stops, unfinished")
    func abort() throws {
        let folder = try ScratchFolder()
        let stop = StopSignal()
        let watch = Watch(
            abortCommand: "test -e '\(folder.path)/now'", pause: .milliseconds(5))
        let failure = #expect(throws: Failure.self) {
            try watch.watch(stop) { () throws(Failure) in
                do {
                    try folder.write("", to: "now")
                } catch {
                    throw Failure(.bug, "no file")
                }
                try untilStopped(stop)
            }
        }
        #expect(failure?.kind == .unfinished)
        #expect(failure?.message == "the --abort-if command succeeded")
    }

    @Test(
        "a command that fails, or cannot be run, stops nothing",
        arguments: [
            "false", "exit 3", "nonexistent-command", "kill -9 $$",
        ])
    func failingCommand(_ command: String) {
        #expect(!ShellCommand.succeeds(command, isOver: { false }))
    }

    @Test(
        "a command that exits 0 succeeds, whatever it prints",
        arguments: ["true", "echo x; echo y >&2"])
    func succeedingCommand(_ command: String) {
        #expect(ShellCommand.succeeds(command, isOver: { false }))
    }

    @Test("a run that is over does not wait for its abort command")
    func overMeanwhile() throws {
        let start = Clock.now
        let stop = StopSignal()
        let watch = Watch(
            timeLimit: .seconds(3_600), abortCommand: "sleep 3600", pause: .milliseconds(1))
        let result = try watch.watch(stop) { () throws(Failure) -> Int in
            Clock.sleep(.milliseconds(50))
            return 7
        }
        #expect(result == 7)
        #expect(stop.reason == nil)
        #expect(Clock.now - start < .seconds(600))
    }

    @Test("without limits nothing is watched")
    func nothing() throws {
        #expect(try Watch().watch(StopSignal()) { () throws(Failure) in 7 } == 7)
    }
}
