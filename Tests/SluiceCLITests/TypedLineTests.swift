import SluiceCore
import SluiceEngine
import TestSupport
import Testing

@testable import SluiceCLI

/// A command line that is refused, with exactly what the user sees.
struct ErrorCase: Sendable, CustomTestStringConvertible {
    let line: String
    let expected: String

    init(_ line: String, _ expected: String) {
        self.line = line
        self.expected = expected
    }

    var arguments: [String] { line.split(separator: " ").map(String.init) }
    var testDescription: String { "sluice \(line)" }
}

struct TypedLineTests {
    @Test(
        "a command line that cannot be meant is refused with a way on",
        arguments: [
            ErrorCase("rnu", "unknown command 'rnu'\nhint: Did you mean 'run'?"),
            ErrorCase(
                "migrate", "unknown command 'migrate'\nhint: Run 'sluice help' to see the commands."
            ),
            ErrorCase(
                "--source sqlite:a.db",
                "the command is missing\nhint: Run 'sluice help' to see the commands."),
            ErrorCase(
                "run --tabels x", "unknown option '--tabels'\nhint: Did you mean '--tables'?"),
            ErrorCase(
                "run --tabels=x", "unknown option '--tabels'\nhint: Did you mean '--tables'?"),
            ErrorCase(
                "--tabels x run", "unknown option '--tabels'\nhint: Did you mean '--tables'?"),
            ErrorCase(
                "verify --tabels x", "unknown option '--tabels'\nhint: Did you mean '--tables'?"),
            ErrorCase("run --hlep", "unknown option '--hlep'\nhint: Did you mean '--help'?"),
            ErrorCase(
                "run --frobnicate 3",
                "unknown option '--frobnicate'\nhint: Run 'sluice help run' to see what there is."),
            ErrorCase(
                "--frobnicate",
                "unknown option '--frobnicate'\nhint: Run 'sluice help' to see what there is."),
            ErrorCase(
                "run --no-source",
                "unknown option '--no-source'\n"
                    + "hint: Only flags that take no value can be taken back with '--no-'."),
            ErrorCase("run -source x", "unknown option '-source'\nhint: Did you mean '--source'?"),
            ErrorCase(
                "run -x", "unknown option '-x'\nhint: Options have two dashes and their whole name."
            ),
            ErrorCase(
                "run now",
                "unexpected argument 'now'\nhint: Every value belongs to an option; see 'sluice help run'."
            ),
            ErrorCase(
                "run -- --quiet",
                "unexpected argument '--quiet'\n"
                    + "hint: Every value belongs to an option; see 'sluice help run'."),
            ErrorCase("run --source", "'--source' has no value\nhint: Write '--source URL'."),
            ErrorCase(
                "run --source --store file:x",
                "'--source' has no value\nhint: Write '--source URL'."),
            ErrorCase("run --source=", "invalid value '' for '--source': it is empty"),
            ErrorCase(
                "run --join=true",
                "'--join' takes no value\n"
                    + "hint: Write '--join' alone; '--no-' before the name takes it back."),
            ErrorCase(
                "run --no-join=x",
                "'--no-join' takes no value\n"
                    + "hint: Write '--no-join' alone; '--no-' before the name takes it back."),
            ErrorCase(
                "run --lanes 2 --lanes 3",
                "'--lanes' is given twice\nhint: Leave one of them out."),
            ErrorCase(
                "run --join --no-join", "'--join' is given twice\nhint: Leave one of them out."),
            ErrorCase(
                "verify --tables x",
                "'sluice verify' does not take '--tables'\n"
                    + "hint: It is an option of 'run', 'export' and 'plan'."),
            ErrorCase(
                "run --dry-run",
                "'sluice run' does not take '--dry-run'\nhint: It is an option of 'prune'."),
            ErrorCase(
                "run --lanes many",
                "invalid value 'many' for '--lanes': expected a whole number from 1 to 256"),
            ErrorCase(
                "run --lanes -3",
                "invalid value '-3' for '--lanes': expected a whole number from 1 to 256"),
            ErrorCase(
                "run --on-existing trunkate",
                "invalid value 'trunkate' for '--on-existing': "
                    + "expected refuse, use, truncate or replace\nhint: Did you mean 'truncate'?"),
            ErrorCase(
                "run --format parquet",
                "invalid value 'parquet' for '--format': expected avro or csv"),
            ErrorCase(
                "run --tables a[b",
                "invalid value 'a[b' for '--tables': "
                    + "the table pattern 'a[b' has a bracket that is not closed\n"
                    + "hint: Write '\\[' for a bracket that is part of the name."),
            ErrorCase(
                "run --where orders",
                "invalid value 'orders' for '--where': expected TABLE=SQL\n"
                    + "hint: Write '--where \"orders=id > 100\"'."),
            ErrorCase(
                "run --source postgress://u:secret@h/d",
                "invalid value 'postgress://u:***@h/d' for '--source': unknown scheme 'postgress:'\n"
                    + "hint: Did you mean 'postgres:'?"),
            ErrorCase(
                "postgres://u:secret@h/d",
                "unknown command 'postgres://u:***@h/d'\n"
                    + "hint: Run 'sluice help' to see the commands."),
        ])
    func refusal(_ example: ErrorCase) {
        let failure = #expect(throws: Failure.self) { try TypedLine(example.arguments) }
        #expect(failure?.description == example.expected)
        #expect(failure?.kind == .usage)
    }

    @Test("values stand behind a space or an equals sign, before or behind the command")
    func forms() throws {
        let expected = [Option.source: Value.text("sqlite:a=b"), .lanes: .number(3)]
        for line in [
            ["export", "--source", "sqlite:a=b", "--lanes=3"],
            ["--lanes", "3", "export", "--source=sqlite:a=b"],
            ["export", "--source=sqlite:a=b", "--lanes", "3", "--"],
        ] {
            let typed = try TypedLine(line)
            #expect(typed.request == .command(.export))
            #expect(typed.given.mapValues(\.value) == expected)
            #expect(typed.given.values.allSatisfy { $0.origin == .flag })
        }
    }

    @Test("an attached value may begin with dashes")
    func dashes() throws {
        let typed = try TypedLine(["inspect", "--table=--odd"])
        #expect(typed.given[.table]?.value == .text("--odd"))
    }

    @Test("patterns and conditions add up, everything else is given once")
    func repetition() throws {
        let typed = try TypedLine([
            "run", "--tables", "a,b*", "--tables", "c\\,d", "--where", "a=x=1", "--where", "b=y",
        ])
        #expect(typed.given[.tables]?.value == .list(["a", "b*", "c\\,d"]))
        #expect(
            typed.given[.filter]?.value
                == .filters([.init(table: "a", sql: "x=1"), .init(table: "b", sql: "y")]))
    }

    @Test("a flag is set by its name and taken back by no- before it")
    func flags() throws {
        #expect(try TypedLine(["run", "--join"]).given[.join]?.value == .flag(true))
        #expect(try TypedLine(["run", "--no-join"]).given[.join]?.value == .flag(false))
    }

    @Test(
        "help and version are found whatever else is typed",
        arguments: [
            (["--help"], TypedLine.Request.help([])),
            (["-h"], .help([])),
            (["run", "--help"], .help(["run"])),
            (["run", "--lanes", "-h"], .help(["run"])),
            (["--bogus", "run", "-h"], .help(["run"])),
            (["help"], .help([])),
            (["help", "run"], .help(["run"])),
            (["help", "on-existing"], .help(["on-existing"])),
            (["--version"], .version),
            (["-V"], .version),
            ([], .nothing),
        ])
    func helpRequests(_ arguments: [String], _ request: TypedLine.Request) throws {
        #expect(try TypedLine(arguments).request == request)
    }

    @Test(
        "whatever is typed is either understood or refused as wrong usage, and never shows a password"
    )
    func anything() {
        var generator = SeededRandom(seed: 20_260_131)
        let pieces =
            Option.all.flatMap { [$0.flag, $0.flag + "=", "--no-" + $0.name] }
            + Command.allCases.map(\.name)
            + [
                "--", "-", "-h", "-V", "--help", "x", "=", "", "é", "\u{0}", "3", "-1", "32MiB",
                "4h",
                "sqlite:a", "file:{date}", "a=b", "[", "\\", "postgres://u:hunter2@h/d", "json",
            ]
        for _ in 0..<20_000 {
            let count = Int.random(in: 0...6, using: &generator)
            let line = (0..<count).map { _ -> String in
                let piece = pieces.randomElement(using: &generator) ?? ""
                guard piece.hasSuffix("="), Bool.random(using: &generator) else { return piece }
                return piece + (pieces.randomElement(using: &generator) ?? "")
            }
            do throws(Failure) {
                _ = try TypedLine(line)
            } catch {
                #expect(error.kind == .usage, "seed 20260131, \(line)")
                #expect(!error.description.contains("hunter2"), "seed 20260131, \(line)")
            }
        }
    }
}
