import Glibc
import SluiceCore
import SluiceEngine
import SluiceRecords
import TestSupport
import Testing

@testable import SluiceCLI

struct SettingValuesTests {
    private func values(
        _ line: [String], environment: [String: String] = [:]
    ) throws -> SettingValues {
        let typed = try TypedLine(line)
        guard case .command(let command) = typed.request else {
            throw Failure(.failed, "no command in \(line)")
        }
        let variables = environment.sorted { $0.key < $1.key }.map {
            (name: $0.key, value: Array($0.value.utf8))
        }
        return try SettingValues(command, typed: typed.given, environment: variables)
    }

    @Test(
        "flag beats environment beats job file beats default",
        arguments: [
            (true, true, true, 5, "flag"), (true, false, false, 5, "flag"),
            (false, true, true, 4, "SLUICE_SHARD_BYTES"),
            (false, true, false, 4, "SLUICE_SHARD_BYTES"),
            (false, false, true, 3, "line 1, column 14"),
            (false, false, false, 32 << 10, "default"),
        ])
    func precedence(
        _ hasFlag: Bool, _ hasVariable: Bool, _ hasKey: Bool, _ kibibytes: Int, _ origin: String
    ) throws {
        let folder = try ScratchFolder()
        var line = ["export"]
        if hasFlag { line += ["--shard-bytes", "5KiB"] }
        if hasKey { line += ["--config", try folder.write("shard-bytes: 3KiB\n", to: "job.yaml")] }
        let values = try values(
            line, environment: hasVariable ? ["SLUICE_SHARD_BYTES": "4KiB"] : [:])
        #expect(values.number(.shardBytes) == kibibytes << 10)
        let row = values.table.first { $0.name == "shard-bytes" }
        #expect(row?.origin.hasSuffix(origin) == true)
    }

    @Test("the job file's own name may come from the environment")
    func configFromEnvironment() throws {
        let folder = try ScratchFolder()
        let file = try folder.write("lanes: 7\n", to: "job.yaml")
        #expect(try values(["export"], environment: ["SLUICE_CONFIG": file]).number(.lanes) == 7)
    }

    @Test("a flag that is taken back wins over the job file")
    func negation() throws {
        let folder = try ScratchFolder()
        let file = try folder.write("join: true\n", to: "job.yaml")
        #expect(try values(["export", "--config", file]).flag(.join))
        #expect(try !values(["export", "--config", file, "--no-join"]).flag(.join))
        #expect(
            try !values(["export", "--config", file], environment: ["SLUICE_JOIN": "0"]).flag(.join)
        )
    }

    @Test(
        "settings of other commands in the environment and the job file are checked and passed over"
    )
    func otherCommands() throws {
        let folder = try ScratchFolder()
        let file = try folder.write("target: sqlite:b.db\nkeep: 3\n", to: "job.yaml")
        let values = try values(
            ["export", "--config", file], environment: ["SLUICE_DRY_RUN": "true"])
        #expect(values.text(.target) == nil)
        #expect(values.warnings.isEmpty)
        #expect(throws: Failure.self) {
            try self.values(["export"], environment: ["SLUICE_KEEP": "none"])
        }
    }

    @Test("a wrong value in the environment names the variable")
    func wrongVariable() {
        let failure = #expect(throws: Failure.self) {
            try values(["export"], environment: ["SLUICE_LANES": "0"])
        }
        #expect(
            failure?.description
                == "invalid value '0' for SLUICE_LANES: expected a whole number from 1 to 256")
    }

    @Test("an empty variable is not set, an unknown one is a warning with a suggestion")
    func variables() throws {
        let values = try values(
            ["export"],
            environment: [
                "SLUICE_LANES": "", "SLUICE_TABELS": "x", "SLUICE_COLOUR": "red",
                "SLUICE_TEST_PYTHON": "python3",
            ])
        #expect(values.origin(.lanes) == .standard)
        #expect(
            values.warnings == [
                "unknown environment variable SLUICE_COLOUR",
                "unknown environment variable SLUICE_TABELS; did you mean SLUICE_TABLES?",
            ])
    }

    @Test("a variable that is not UTF-8 is refused")
    func invalidVariable() {
        let failure = #expect(throws: Failure.self) {
            try SettingValues(
                .export, typed: [:], environment: [(name: "SLUICE_SOURCE", value: [0xFF])])
        }
        #expect(failure?.description == "SLUICE_SOURCE is not valid UTF-8")
    }

    @Test(
        "an option that is needed says how it can be given",
        arguments: [
            ("run", "source", "URL", "SLUICE_SOURCE"),
            ("export --source sqlite:a", "store", "URL", "SLUICE_STORE"),
            ("handoff --store file:a", "for", "FORM", "SLUICE_FOR"),
            ("prune --store file:a", "keep", "N", "SLUICE_KEEP"),
        ])
    func required(_ line: String, _ name: String, _ value: String, _ variable: String) throws {
        let words = line.split(separator: " ").map(String.init)
        let values = try values(words)
        let failure = #expect(throws: Failure.self) { try values.checkRequired() }
        #expect(
            failure?.description == """
                'sluice \(words[0])' needs '--\(name)'
                hint: Give '--\(name) \(value)', set \(variable), or write '\(name):' into a job file.
                """)
    }

    @Test(
        "options that need or exclude each other say so",
        arguments: [
            ErrorCase(
                "doctor",
                "'sluice doctor' needs '--source', '--store' or '--target'\n"
                    + "hint: Give whatever the window will need; it is checked and left as it is."),
            ErrorCase(
                "inspect --store file:a --head 3",
                "'--head' needs '--table' or '--shard'\nhint: Say whose first rows you want to see."
            ),
            ErrorCase(
                "inspect --store file:a --table t --shard s",
                "'--table' and '--shard' exclude each other\n"
                    + "hint: A shard's key says which table it belongs to."),
        ])
    func together(_ example: ErrorCase) throws {
        let values = try values(example.arguments)
        let failure = #expect(throws: Failure.self) { try values.checkRequired() }
        #expect(failure?.description == example.expected)
    }

    @Test("show-settings shows each value with its origin, and no secret")
    func showSettings() throws {
        let folder = try ScratchFolder()
        let file = try folder.write("source: sqlite:a.db\ntables: [a, b]\n", to: "job.yaml")
        let values = try values(
            [
                "plan", "--config", file, "--show-settings", "--target", "postgres://u:secret@h/d",
                "--source-password-command", "echo secret", "--where", "a=x > 1", "--lanes", "3",
            ], environment: ["SLUICE_CODEC": "none"])
        let lines = values.text.split(separator: "\n").map { line in
            line.split(separator: " ", omittingEmptySubsequences: true).joined(separator: " ")
        }
        #expect(
            lines == [
                "show-settings true flag",
                "config \(file) flag",
                "source sqlite:a.db \(file), line 1, column 9",
                "target postgres://u:***@h/d flag",
                "source-password-command *** flag",
                "target-password-command not set",
                "pg-bin not set",
                "tables a,b \(file), line 2, column 9",
                "exclude not set",
                "where a=x > 1 flag",
                "format avro default",
                "codec none SLUICE_CODEC",
                "shard-bytes 32MiB default",
                "row-bytes 256MiB default",
                "consistency snapshot default",
                "position none default",
                "count exact default",
                "constraints final default",
                "on-existing refuse default",
                "check-values false default",
                "owners keep default",
                "zero-dates refuse default",
                "booleans not set",
                "on-bad-row stop default",
                "bad-row-limit 1000 default",
                "lanes 3 flag",
                "hide-keys false default",
                "output text default",
                "log-format text default",
                "quiet false default",
                "verbose false default",
            ])
        #expect(
            values.json["settings"]?.elements?.first
                == ["name": "show-settings", "value": "true", "origin": "flag"])
    }

    @Test("values become settings")
    func settings() throws {
        let settings = try Settings(
            values([
                "run", "--tables", "a", "--exclude", "b", "--where", "a=x", "--format", "csv",
                "--codec", "none", "--shard-bytes", "1MiB", "--row-bytes", "2MiB", "--lanes", "3",
                "--consistency", "locked", "--position", "slot", "--count", "none", "--constraints",
                "initial", "--on-existing", "replace", "--join", "--hide-keys",
            ]))
        #expect(settings.tables == ["a"])
        #expect(settings.exclude == ["b"])
        #expect(settings.filters == [.init(table: "a", sql: "x")])
        #expect(settings.format == ShardFormat(.csv, .none))
        #expect(settings.shardBytes == 1 << 20)
        #expect(settings.rowBytes == 2 << 20)
        #expect(settings.lanes == 3)
        #expect(settings.consistency == .locked)
        #expect(settings.takesSlot)
        #expect(!settings.countsExactly)
        #expect(settings.constraintsInitial)
        #expect(settings.onExisting == .replace)
        #expect(settings.joins)
        #expect(settings.hidesKeys)
        #expect(try Settings(values(["plan", "--check-values"])).checksValues)
        #expect(try Settings(values(["load", "--trust-schema"])).trustsSchema)
    }

    @Test("the defaults are those of the option table")
    func defaults() throws {
        let settings = try Settings(values(["run"]))
        let standard = Settings()
        #expect(settings.format == standard.format)
        #expect(settings.shardBytes == standard.shardBytes)
        #expect(settings.rowBytes == standard.rowBytes)
        #expect(settings.consistency == standard.consistency)
        #expect(settings.onExisting == standard.onExisting)
        #expect(settings.countsExactly == standard.countsExactly)
        #expect(settings.takesSlot == standard.takesSlot)
        #expect(settings.lanes == min(max(sysconf(Int32(_SC_NPROCESSORS_ONLN)), 1), 256))
    }

    @Test(
        "settings that do not fit together are refused",
        arguments: [
            ErrorCase(
                "run --format csv --codec snappy",
                "'--codec snappy' does not go with '--format csv'\n"
                    + "hint: CSV shards take the codec zstandard or none."),
            ErrorCase(
                "run --where a=x --where a=y",
                "'--where' is given twice for the table 'a'\nhint: Join the two conditions with AND."
            ),
            ErrorCase(
                "run --bad-row-limit 3",
                "'--bad-row-limit' needs '--on-bad-row quarantine'\n"
                    + "hint: Without a quarantine the first row that is refused stops the load."),
            ErrorCase(
                "run --quiet --verbose",
                "'--quiet' and '--verbose' exclude each other\nhint: Leave one of them out."),
        ])
    func conflicts(_ example: ErrorCase) throws {
        let values = try values(example.arguments)
        let failure = #expect(throws: Failure.self) {
            _ = try Settings(values)
            _ = try Display(values)
        }
        #expect(failure?.description == example.expected)
        #expect(failure?.kind == .usage)
    }

    @Test("a limit of bad rows counts with a quarantine only")
    func badRows() throws {
        #expect(try Settings(values(["run"])).badRowLimit == nil)
        #expect(try Settings(values(["run", "--on-bad-row", "quarantine"])).badRowLimit == 1000)
        let limited = ["load", "--on-bad-row", "quarantine", "--bad-row-limit", "3"]
        #expect(try Settings(values(limited)).badRowLimit == 3)
    }

    @Test("of quiet and verbose the stronger one counts")
    func loudness() throws {
        let loud = try Display(values(["run", "--verbose"], environment: ["SLUICE_QUIET": "1"]))
        #expect(loud.threshold == .debug)
        #expect(!loud.isQuiet)
        let quiet = try Display(values(["run", "--quiet"], environment: ["SLUICE_VERBOSE": "1"]))
        #expect(quiet.threshold == .warning)
        #expect(quiet.isQuiet)
        #expect(try Display(values(["run"])).threshold == .info)
    }
}
