import Glibc
import Testing

/// SIGKILL at random moments: the same command again always ends the same way, and nothing is lost or doubled.
@Suite(.serialized) struct KillTests {
    /// Moments that can be had again: the seed is in every message.
    private struct Moments: RandomNumberGenerator {
        let seed: UInt64
        private var state: UInt64

        init(seed: UInt64) {
            self.seed = seed
            state = seed
        }

        /// SplitMix64.
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var bits = state
            bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
            bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
            return bits ^ (bits >> 31)
        }

        static func random() -> Moments {
            let given = getenv("SLUICE_TEST_SEED").flatMap { UInt64(String(cString: $0)) }
            return Moments(seed: given ?? UInt64.random(in: 0...UInt64.max))
        }
    }

    private static let rounds = isLong ? 200 : 5
    private static let killsPerRound = 3

    private func workspace() throws -> Workspace {
        let place = try Workspace()
        try place.sql(
            "a.db",
            """
            CREATE TABLE keyed(id INTEGER PRIMARY KEY AUTOINCREMENT, w TEXT NOT NULL, x REAL);
            CREATE TABLE loose(a, b);
            CREATE TABLE named(k TEXT PRIMARY KEY, v BLOB) WITHOUT ROWID;
            CREATE INDEX by_word ON keyed(w);
            CREATE VIRTUAL TABLE found USING fts5(w);
            CREATE TRIGGER t AFTER INSERT ON loose BEGIN INSERT INTO loose VALUES('never', 1); END;
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<20000)
            INSERT INTO keyed(w, x) SELECT 'word ' || i, i / 7.0 FROM n;
            INSERT INTO named SELECT 'key ' || id, randomblob(40) FROM keyed LIMIT 5000;
            INSERT INTO found SELECT w FROM keyed LIMIT 500;
            DROP TRIGGER t;
            INSERT INTO loose SELECT id % 3, CASE id % 5 WHEN 0 THEN NULL ELSE w END FROM keyed;
            """)
        return place
    }

    /// How long the command takes when nobody disturbs it: on a fast machine a kill after a fixed time comes too late.
    private func seconds(of command: [String], _ place: Workspace) throws -> Double {
        let start = ContinuousClock.now
        #expect(try place.run(command + ["--quiet"]).code == 0)
        let parts = (ContinuousClock.now - start).components
        return Double(parts.seconds) + Double(parts.attoseconds) / 1e18
    }

    /// Starts the command again and again and kills it, then lets it end.
    ///
    /// - Parameter limit: kills come within this time, in seconds.
    private func endure(
        _ place: Workspace, _ command: [String], _ moments: inout Moments, within limit: Double,
        between: () throws -> Void = {}, sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> Int {
        var kills = 0
        for _ in 0..<Self.killsPerRound {
            let process = try place.sluice.start(command + ["--quiet"])
            if process.runs(afterAtMost: Double.random(in: 0..<limit, using: &moments)) {
                process.signal(SIGKILL)
            }
            let result = process.wait()
            // It may have come to its end just before the signal.
            guard result.code == 137 else {
                #expect(
                    result.code == 0, "seed \(moments.seed): \(result.errorText)",
                    sourceLocation: sourceLocation)
                break
            }
            kills += 1
            try between()
        }
        let result = try place.run(command + ["--quiet"])
        #expect(
            result.code == 0, "seed \(moments.seed): \(result.errorText)",
            sourceLocation: sourceLocation)
        return kills
    }

    private func expectWhole(
        _ place: Workspace, _ moments: Moments, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        try place.expectEqual("a.db", "b.db", sourceLocation: sourceLocation)
        #expect(!place.exists("out/lease.json"), "seed \(moments.seed)")
        let shards = try place.names("out/data").count
        let loaded = try place.sql(
            "b.db", "SELECT count(*) FROM sluice_ledger WHERE unit LIKE 'data/%'")
        #expect("\(shards)\n" == loaded, "seed \(moments.seed)", sourceLocation: sourceLocation)
        #expect(
            try place.sql("b.db", "SELECT count(DISTINCT dataset) FROM sluice_ledger") == "1\n")
    }

    private static let endpoints = [
        "--source", "sqlite:a.db", "--store", "file:out", "--target", "sqlite:b.db",
    ]
    private static let shards = ["--shard-bytes", "64KiB"]

    private func clear(_ place: Workspace) throws {
        for name in ["out", "b.db", "b.db-wal", "b.db-shm", "b.db-journal"] {
            _ = try Program.tool("rm").run(["-rf", place[name]])
        }
    }

    @Test func runEndsTheSameWayHoweverOftenItIsKilled() throws {
        let place = try workspace()
        var moments = Moments.random()
        var kills = 0
        let limit = try seconds(of: ["run"] + Self.endpoints + Self.shards, place)
        for round in 0..<Self.rounds {
            try clear(place)
            let lanes = ["--lanes", "\(1 + round % 4)"]
            kills += try endure(
                place, ["run"] + Self.endpoints + Self.shards + lanes, &moments, within: limit)
            try expectWhole(place, moments)
        }
        #expect(kills > 0, "seed \(moments.seed)")
    }

    @Test func exportAndLoadEndTheSameWayHoweverOftenTheyAreKilled() throws {
        let place = try workspace()
        var moments = Moments.random()
        let export = ["export"] + Self.endpoints.prefix(4) + Self.shards + ["--format", "csv"]
        let load = ["load"] + Self.endpoints.suffix(4) + ["--trust-schema"]
        let exportLimit = try seconds(of: export, place)
        let loadLimit = try seconds(of: load, place)
        for _ in 0..<Self.rounds {
            try clear(place)
            _ = try endure(place, export, &moments, within: exportLimit)
            _ = try endure(place, load, &moments, within: loadLimit)
            #expect(try place.run(["verify"] + Self.endpoints.suffix(4)).code == 0)
            try expectWhole(place, moments)
        }
    }

    @Test func aSourceThatChangesBetweenIsExportedAnewAndOldRowsLeaveTheTarget() throws {
        let place = try workspace()
        var moments = Moments.random()
        var change = 0
        let command = ["run"] + Self.endpoints + Self.shards
        let limit = try seconds(of: command, place)
        for _ in 0..<Self.rounds {
            try clear(place)
            _ = try endure(place, command, &moments, within: limit) {
                // A finished dataset is what it is; only an unfinished one is begun anew.
                guard !place.exists("out/manifest.json") else { return }
                change += 1
                try place.sql(
                    "a.db",
                    """
                    DELETE FROM keyed WHERE id % 20000 = \(change);
                    UPDATE named SET v = x'\(change % 2 == 0 ? "00" : "01")' WHERE k LIKE '%7';
                    INSERT INTO loose VALUES('change', \(change))
                    """)
            }
            try expectWhole(place, moments)
        }
    }

    @Test func aSignalEndsTheRunSoThatItCanBeContinued() throws {
        for number in [SIGINT, SIGTERM] {
            let place = try workspace()
            let command =
                ["run"] + Self.endpoints + ["--quiet", "--shard-bytes", "16KiB", "--lanes", "1"]
            let process = try place.sluice.start(command)
            while try place.exists("out/seals") == false || place.names("out/seals").count < 3 {
                usleep(1000)
            }
            process.signal(number)
            let result = process.wait()
            #expect(result.code == 130)
            #expect(
                result.errorText.hasPrefix("sluice: interrupted\n")
                    && result.errorText.hasSuffix(
                        "hint: Run the same command again to continue.\n"),
                "\(result.errorText)")
            #expect(result.text == "")
            #expect(!place.exists("out/lease.json"))
            let dataset = try place.read("out/dataset.json")
            #expect(try place.run(command).code == 0)
            try place.expectEqual("a.db", "b.db")
            // It was gone on with, not begun anew.
            #expect(try place.read("out/dataset.json") == dataset)
            #expect(
                try place.sql("b.db", "SELECT count(DISTINCT dataset) FROM sluice_ledger") == "1\n")
        }
    }

    @Test func aSecondSignalEndsTheRunAtOnce() throws {
        let place = try workspace()
        // The source is locked, so that the run waits for it.
        let holder = try Program.tool("sqlite3").start(
            [place["a.db"], "BEGIN EXCLUSIVE;", ".shell touch '\(place["held"])'; sleep 60"])
        defer { holder.signal(SIGKILL) }
        while !place.exists("held") { usleep(10_000) }
        let process = try place.sluice.start(["run"] + Self.endpoints + ["--quiet"])
        #expect(process.runs(afterAtMost: 0.3))
        process.signal(SIGINT)
        usleep(600_000)
        process.signal(SIGINT)
        #expect(!process.runs(afterAtMost: 5))
        #expect(process.wait().code == 130)
    }

    @Test func aSignalThatComesTwiceAtOnceIsOne() throws {
        let place = try workspace()
        let command = ["run"] + Self.endpoints + ["--quiet", "--upload-limit", "20KiB"]
        // It signals the program, and then its own group with the program in it.
        let result = try Program(path: Program.tool("timeout").path, folder: place.path).run(
            ["-s", "TERM", "1", place.sluice.path] + command)
        #expect(result.code == 124)
        #expect(result.errorText.hasPrefix("sluice: interrupted\n"), "\(result.errorText)")
        #expect(!place.exists("out/lease.json"))
    }

    @Test func aTimeLimitEndsTheRunSoThatItCanBeContinued() throws {
        let place = try workspace()
        let command = ["run"] + Self.endpoints + ["--quiet"]
        let limited = try place.run(
            command + ["--download-limit", "100KiB", "--time-limit", "1s"])
        #expect(limited.code == 4)
        #expect(limited.errorText.hasPrefix("sluice: the time limit was reached\n"))
        #expect(
            limited.errorText.hasSuffix(
                "hint: Run the same command again to continue, or raise --time-limit.\n"))
        #expect(try place.run(command).code == 0)
        try place.expectEqual("a.db", "b.db")
    }

    @Test func anAbortConditionEndsTheRunSoThatItCanBeContinued() throws {
        let place = try workspace()
        let command = ["run"] + Self.endpoints + ["--quiet"]
        let aborted = try place.run(
            command + ["--download-limit", "20KiB", "--abort-if", "test -e out/dataset.json"])
        #expect(aborted.code == 4)
        #expect(aborted.errorText.hasPrefix("sluice: the --abort-if command succeeded\n"))
        #expect(try place.run(command).code == 0)
        try place.expectEqual("a.db", "b.db")
    }
}
