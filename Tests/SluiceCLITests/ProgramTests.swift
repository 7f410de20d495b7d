import Glibc
import SluiceCore
import TestSupport
import Testing

@testable import SluiceCLI

/// The program as its users run it: what comes out where, and with which exit code.
struct ProgramTests {
    private func sluice(
        _ arguments: String..., environment: [String: String] = [:], in folder: ScratchFolder
    ) throws -> Shell.Result {
        try Shell.sluice(arguments, environment: environment, in: folder)
    }

    @Test("help and version go to standard output and exit 0")
    func help() throws {
        let folder = try ScratchFolder()
        #expect(
            try sluice("--help", in: folder) == .init(code: 0, output: Help.general, errors: ""))
        #expect(
            try sluice("run", "--help", in: folder)
                == .init(code: 0, output: Help.of(.run), errors: ""))
        #expect(
            try sluice("help", "run", in: folder)
                == .init(code: 0, output: Help.of(.run), errors: ""))
        #expect(
            try sluice("--version", in: folder)
                == .init(code: 0, output: "sluice 0.1.0\n", errors: ""))
        #expect(
            try sluice("help", "man", in: folder)
                == .init(code: 0, output: ManPage.text, errors: ""))
        #expect(
            try sluice("help", "options-markdown", in: folder)
                == .init(code: 0, output: OptionsMarkdown.text, errors: ""))
    }

    @Test("a command line without anything is wrong usage, and shows the way")
    func nothing() throws {
        let folder = try ScratchFolder()
        #expect(try sluice(in: folder) == .init(code: 2, output: "", errors: Help.short))
    }

    @Test("wrong usage exits 2 with the reason on standard error")
    func usage() throws {
        let folder = try ScratchFolder()
        #expect(
            try sluice("run", "--tabels", "x", in: folder)
                == .init(
                    code: 2, output: "",
                    errors: "sluice: unknown option '--tabels'\nhint: Did you mean '--tables'?\n"))
        #expect(
            try sluice("verify", "--store", "file:a", in: folder)
                == .init(
                    code: 2, output: "",
                    errors: """
                        sluice: 'sluice verify' needs '--target'
                        hint: Give '--target URL', set SLUICE_TARGET, or write 'target:' into a job file.

                        """))
    }

    @Test("an argument that is not UTF-8 is refused instead of being repaired")
    func invalidArgument() throws {
        let result = try Shell.run(
            "'\(Shell.sluicePath)' plan --source \"$(printf 'sqlite:\\377')\"")
        #expect(
            result
                == .init(code: 2, output: "", errors: "sluice: argument 3 is not valid UTF-8\n"))
    }

    @Test(
        "with --output json a failure is one object on standard output, before and after the settings are read"
    )
    func jsonFailure() throws {
        let folder = try ScratchFolder()
        let early = try sluice("run", "--output", "json", "--tabels", "x", in: folder)
        #expect(early.code == 2)
        let earlyJSON = try JSON(parsing: Array(early.output.utf8))
        #expect(earlyJSON["command"]?.text == "run")
        #expect(earlyJSON["status"]?.text == "failed")
        #expect(earlyJSON["error"]?["message"]?.text == "unknown option '--tabels'")
        let late = try sluice(
            "status", "--store", "file:nothing", environment: ["SLUICE_OUTPUT": "json"], in: folder)
        #expect(late.code != 0)
        let lateJSON = try JSON(parsing: Array(late.output.utf8))
        #expect(lateJSON["command"]?.text == "status")
        #expect(lateJSON["error"]?["exit"]?.integer == Int(late.code))
        #expect(late.output.filter { $0 == "\n" }.count == 1)
    }

    @Test("with --log-format json standard error is an object a line, wrong usage included")
    func jsonLog() throws {
        let folder = try ScratchFolder()
        let result = try sluice("run", "--log-format=json", "--tabels", in: folder)
        let json = try JSON(parsing: Array(result.errors.utf8.dropLast()))
        #expect(json["level"]?.text == "error")
        #expect(json["message"]?.text == "unknown option '--tabels'")
        #expect(json["exit"]?.integer == 2)
    }

    @Test("a password command is refused where no password is taken")
    func passwordCommand() throws {
        let folder = try ScratchFolder()
        let result = try sluice(
            "plan", "--source", "sqlite:a.db", "--source-password-command", "echo secret",
            in: folder)
        #expect(
            result
                == .init(
                    code: 2, output: "",
                    errors: """
                        sluice: '--source-password-command' does not apply to SQLite, which takes no password
                        hint: Leave it out.

                        """))
    }

    @Test(
        "a password command is refused for a store that takes no password",
        arguments: ["file:a", "s3://b/p", "gs://bucket/p"])
    func storePasswordCommand(_ store: String) throws {
        let folder = try ScratchFolder()
        let result = try sluice(
            "inspect", "--store", store, "--store-password-command", "echo secret", in: folder)
        #expect(
            result
                == .init(
                    code: 2, output: "",
                    errors: """
                        sluice: '--store-password-command' is only for stores at http:// and https://
                        hint: Leave it out.

                        """))
    }

    @Test("an unknown variable is a warning, also where the settings are only shown")
    func unknownVariable() throws {
        let folder = try ScratchFolder()
        let result = try sluice(
            "plan", "--show-settings", environment: ["SLUICE_TABELS": "x"], in: folder)
        #expect(result.code == 0)
        #expect(
            result.errors
                == "warning: unknown environment variable SLUICE_TABELS; did you mean SLUICE_TABLES?\n"
        )
    }

    @Test("a reader of the result that went away is no crash, a full disk is a failure")
    func lostOutput() throws {
        let script = "'\(Shell.sluicePath)' help man | true; echo ${PIPESTATUS[0]}"
        let closed = try Shell.run(script, with: "/bin/bash")
        #expect(closed == .init(code: 0, output: "0\n", errors: ""))
        let full = try Shell.run("'\(Shell.sluicePath)' --help > /dev/full")
        #expect(
            full
                == .init(
                    code: 1, output: "",
                    errors: """
                        sluice: the result cannot be written to standard output: No space left on device
                        hint: Is the disk behind it full?

                        """))
    }

    @Test("prune sees only what an export to its URL can have made")
    func prune() throws {
        let folder = try ScratchFolder()
        let made = try Shell.run(
            "cd '\(folder.path)' && sqlite3 a.db 'create table t(a); insert into t values(1)'")
        #expect(made.code == 0)
        for name in ["app-2026-01-01", "app-2026-01-02", "other", "app-2026-01-0x"] {
            let result = try sluice(
                "export", "--source", "sqlite:a.db", "--store", "file:b/\(name)", "--quiet",
                in: folder)
            #expect(result.code == 0)
            sleep(name == "app-2026-01-01" ? 1 : 0)
        }
        let dry = try sluice(
            "prune", "--store", "file:b/app-{date}", "--keep", "1", "--dry-run", in: folder)
        #expect(dry == .init(code: 0, output: "would remove app-2026-01-01\n", errors: ""))
        let wet = try sluice("prune", "--store", "file:b/app-{date}", "--keep", "1", in: folder)
        #expect(wet == .init(code: 0, output: "removed app-2026-01-01\n", errors: ""))
        let left = try Shell.run("ls '\(folder.path)/b'")
        #expect(left.output == "app-2026-01-02\napp-2026-01-0x\nother\n")
    }
}
