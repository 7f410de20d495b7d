import Glibc
import Testing

/// Unattended: no terminal, no environment, one line in the crontab.
@Suite struct CronTests {
    private func workspace() throws -> Workspace {
        let place = try Workspace()
        try place.sql(
            "a.db",
            """
            CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT); INSERT INTO t VALUES(1,'x'),(2,'y');
            CREATE TABLE e(a)
            """)
        return place
    }

    @Test func itNeedsNoEnvironment() throws {
        let place = try workspace()
        place.sluice.environment = [:]
        let result = try place.run(
            "run", "--source", "sqlite:a.db", "--store", "file:out", "--target", "sqlite:b.db")
        #expect(result.code == 0)
        // No control sequence, no carriage return: lines that a mail can hold.
        #expect(!result.errors.contains(0x1B) && !result.errors.contains(0x0D))
        try place.expectEqual("a.db", "b.db")
        #expect(try place.run("verify", "--store", "file:out", "--target", "sqlite:b.db").code == 0)
    }

    @Test func quietlyDoneItSaysOnlyTheResult() throws {
        let place = try workspace()
        place.sluice.environment = [:]
        let result = try place.run(
            "export", "--source", "sqlite:a.db", "--store", "file:out", "--quiet")
        #expect(result.errors == [])
        #expect(result.text.hasPrefix("exported 2 tables, 2 rows (2 shards, "))
        #expect(result.text.split(separator: "\n").count == 1)
    }

    @Test func everyDayHasItsFolderAndOldOnesArePruned() throws {
        let place = try workspace()
        for day in 1...4 {
            try place.succeed(
                "export", "--source", "sqlite:a.db", "--store", "file:days/2026-01-0\(day)",
                "--quiet")
            // Datasets are told apart by the second in which they were begun.
            usleep(1_100_000)
        }
        mkdir(place["days/2026-01-09"], 0o755)
        try place.write("mine", to: "days/notes.txt")
        let wanted = ["prune", "--store", "file:days/{date}", "--keep", "2", "--quiet"]
        let dry = try place.run(wanted + ["--dry-run"])
        #expect(dry.code == 0)
        #expect(dry.text == "would remove 2026-01-01\nwould remove 2026-01-02\n")
        #expect(place.exists("days/2026-01-01/dataset.json"))
        let pruned = try place.run(wanted)
        #expect(pruned.code == 0)
        #expect(pruned.text == "removed 2026-01-01\nremoved 2026-01-02\n")
        #expect(try place.names("days/2026-01-01") == [])
        #expect(place.exists("days/2026-01-03/manifest.json"))
        #expect(place.exists("days/2026-01-04/manifest.json"))
        #expect(place.exists("days/notes.txt"))
        let again = try place.run(wanted)
        #expect(again.code == 0)
        #expect(again.text == "")
    }

    @Test func todaysExportGoesIntoTodaysFolder() throws {
        let place = try workspace()
        try place.succeed(
            "export", "--source", "sqlite:a.db", "--store", "file:days/{date}/x-{time}", "--quiet")
        let header = try place.names("days").filter { $0.hasSuffix("dataset.json") }
        #expect(header.count == 1)
        let today = try Program.tool("date").run(["-u", "+%Y-%m-%d"]).text.dropLast()
        #expect(header.first?.hasPrefix(today) == true, "\(header)")
    }

    @Test func aSecondExportIntoOnePrefixIsRefusedWhileTheFirstIsAtWork() throws {
        let place = try workspace()
        let holder = try Program.tool("sqlite3").start(
            [place["a.db"], "BEGIN EXCLUSIVE;", ".shell touch '\(place["held"])'; sleep 60"])
        while !place.exists("held") { usleep(10_000) }
        let command = ["export", "--source", "sqlite:a.db", "--store", "file:out", "--quiet"]
        let first = try place.sluice.start(command)
        while !place.exists("out/lease.json") { usleep(10_000) }
        let second = try place.run(command)
        #expect(second.code == 6)
        let host = try Program.tool("hostname").run([]).text.dropLast()
        #expect(
            second.errorText == """
                sluice: process \(first.id) on \(host) is exporting into file:out
                hint: Wait for it, stop it, or share its work with --join.

                """)
        // A process that is gone is no reason to wait.
        first.signal(SIGKILL)
        #expect(first.wait().code == 137)
        #expect(place.exists("out/lease.json"))
        holder.signal(SIGKILL)
        _ = holder.wait()
        let third = try place.run(command)
        #expect(third.code == 0, "\(third.errorText)")
        #expect(!place.exists("out/lease.json"))
    }

    @Test func severalProcessesShareOneExport() throws {
        let place = try workspace()
        try place.sql(
            "a.db",
            """
            WITH RECURSIVE n(i) AS (SELECT 3 UNION ALL SELECT i+1 FROM n WHERE i<50000)
            INSERT INTO t SELECT i, 'word ' || i FROM n
            """)
        let command = [
            "export", "--source", "sqlite:a.db", "--store", "file:out", "--shard-bytes", "16KiB",
            "--quiet",
        ]
        let first = try place.sluice.start(command)
        while !place.exists("out/dataset.json") { usleep(1000) }
        let others = try (0..<2).map { _ in try place.sluice.start(command + ["--join"]) }
        for process in [first] + others {
            let result = process.wait()
            #expect(result.code == 0, "\(result.errorText)")
        }
        try place.succeed(
            "load", "--store", "file:out", "--target", "sqlite:b.db", "--trust-schema", "--quiet")
        try place.succeed("verify", "--store", "file:out", "--target", "sqlite:b.db", "--quiet")
        try place.expectEqual("a.db", "b.db")
    }

    @Test func aReaderThatGoesAwayIsNoFailure() throws {
        var ends: [Int32] = [0, 0]
        #expect(pipe(&ends) == 0)
        close(ends[0])
        defer { close(ends[1]) }
        let process = try Program.sluice().start(["--help"], output: ends[1])
        let result = process.wait()
        #expect(result.code == 0)
        #expect(result.errorText == "")
    }
}
