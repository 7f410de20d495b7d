import Glibc
import SluiceCore
import SluiceEngine
import SluiceRecords
import TestSupport
import Testing

@testable import SluiceCLI

struct HelpTests {
    static let pages =
        [Help.short, Help.general] + Command.allCases.map(Help.of) + Option.all.map(Help.of)

    @Test("help fits eighty columns, has no space at line ends, and ends in one line feed")
    func width() {
        for page in Self.pages {
            let lines = page.split(separator: "\n", omittingEmptySubsequences: false)
            #expect(lines.last == "")
            for line in lines {
                #expect(line.count <= 80, "\(line)")
                #expect(line.last != " ", "\(line)")
            }
        }
    }

    @Test("help on a command shows what it is, its options by subject and examples")
    func command() {
        #expect(
            Help.of(.prune) == """
                sluice prune - remove old datasets

                Usage: sluice prune --store URL --keep N [options]

                Removes the oldest finished datasets below the store's URL and keeps the newest.
                A placeholder in the URL stands for every date or time, so the export's own job
                file can be used.

                This command:
                  --keep N                   how many finished datasets stay
                  --dry-run                  say what would be removed and remove nothing

                Source, store and target:
                  --config FILE              job file with settings
                  --store URL                where the dataset is kept
                  --store-password-command COMMAND
                                             command that prints the store's password
                  --ca-bundle FILE           certificates to trust when talking to the store
                  --client-certificate FILE  certificate to show to the store
                  --client-key FILE          key of that certificate

                Output:
                  --output text|json         form of the result on standard output (text)
                  --log-format text|json     form of log and progress on standard error (text)
                  --quiet                    only warnings and errors on standard error
                  --verbose                  more notes on standard error

                Examples:
                  # see which datasets would go
                  sluice prune --store 'file:backup/{date}' --keep 7 --dry-run

                """)
    }

    @Test("help on an option tells where else it can be set")
    func option() throws {
        let text = """
            --on-existing MODE

              refuse, use, truncate or replace what is there.
              What may be in the target before the load. 'refuse': no object that is to be
              made may exist. 'use': tables exist, are empty and keep their definition.
              'truncate': like use, after emptying our tables. 'replace': every object that
              is to be made is dropped first.

              values        refuse, use, truncate, replace
              default       refuse
              environment   SLUICE_ON_EXISTING
              job file      on-existing
              commands      run, load, plan

            """
        #expect(try Help.of(["on-existing"]) == text)
        #expect(try Help.of(["--on-existing"]) == text)
    }

    @Test("a command line without anything gets the short help")
    func short() {
        #expect(
            Help.short == """
                sluice migrates databases: source -> dataset in a store -> target, verified

                Usage: sluice COMMAND [options]

                Commands:
                  run       export, load and verify, overlapped
                  export    export a snapshot of a source into a dataset
                  load      load a dataset into a target
                  verify    compare a target with a dataset's digests
                  plan      show what would be done; writes nothing
                  status    show how far a dataset is and what is held
                  inspect   look inside a dataset, without a database
                  handoff   print what the next stage needs to start from the position
                  prune     remove old datasets
                  doctor    check source, store and target before the window

                Run 'sluice help' for more, and 'sluice help COMMAND' for its options.

                """)
    }

    @Test(
        "help on something that does not exist suggests what does",
        arguments: [
            (["rnu"], "no help on 'rnu'\nhint: Did you mean 'run'?"),
            (["--tabels"], "no help on '--tabels'\nhint: Did you mean 'tables'?"),
            (
                ["weather"],
                "no help on 'weather'\nhint: Run 'sluice help' to see commands and options."
            ),
            (
                ["run", "export"],
                "unexpected argument 'export'\nhint: 'sluice help' takes one command or option."
            ),
            (
                ["completions"],
                "'sluice help completions' needs one shell\nhint: Known are bash, zsh and fish."
            ),
            (
                ["completions", "zhs"],
                "no completions for 'zhs'\nhint: Did you mean 'zsh'?"
            ),
            (
                ["completions", "powershell"],
                "no completions for 'powershell'\nhint: Known are bash, zsh and fish."
            ),
        ])
    func unknown(_ topics: [String], _ message: String) {
        let failure = #expect(throws: Failure.self) { try Help.of(topics) }
        #expect(failure?.description == message)
        #expect(failure?.kind == .usage)
    }

    @Test("the job files shown as examples are understood")
    func jobFiles() throws {
        let settings = try JobFile(Array(JobFileGuide.example.utf8), name: "job.yaml")
        #expect(settings.given.count == 7)
        let imports = try JobFile(Array(JobFileGuide.importExample.utf8), name: "job.yaml").imports
        #expect(imports.map(\.table.description) == ["customers", "orders"])
        #expect(imports.first?.dialect.delimiter == UInt8(ascii: ";"))
    }

    @Test("docs/options.md is what the option table says")
    func reference() throws {
        let file = try Repository.text("docs/options.md")
        #expect(
            file == OptionsMarkdown.text,
            "run: swift run sluice help options-markdown > docs/options.md")
    }

    @Test("docs/types.md is what the drivers' tables of types say")
    func types() throws {
        let file = try Repository.text("docs/types.md")
        #expect(
            file == TypesMarkdown.text,
            "run: swift run sluice help types-markdown > docs/types.md")
    }
}

struct OptionTableTests {
    @Test("every option of the contract is there")
    func contract() {
        let names = Set(Option.all.map(\.name))
        for name in [
            "source", "store", "target", "config", "tables", "exclude", "where", "format", "codec",
            "shard-bytes", "row-bytes", "lanes", "consistency", "position", "count", "constraints",
            "on-existing", "trust-schema", "join", "on-bad-row", "bad-row-limit", "check-values",
            "upload-limit", "download-limit", "time-limit", "abort-if", "hide-keys",
            "source-password-command", "target-password-command", "output", "log-format", "quiet",
            "verbose", "release", "table", "shard", "head", "for", "keep", "dry-run",
            "show-settings",
        ] {
            #expect(names.contains(name))
        }
    }

    @Test("names, texts and defaults of the table are well formed")
    func wellFormed() throws {
        #expect(Set(Option.all).count == Option.all.count)
        for option in Option.all {
            #expect(option.name.allSatisfy { $0.isASCII && ($0.isLowercase || $0 == "-") })
            #expect(!option.summary.hasSuffix(".") && !option.summary.isEmpty, "\(option.name)")
            #expect(option.summary.first?.isUppercase == false, "\(option.name)")
            #expect(option.details.hasSuffix("."), "\(option.name)")
            #expect(!option.details.contains("  "), "\(option.name)")
            #expect(!option.commands.isEmpty, "\(option.name)")
            #expect(option.isFlag == option.valueName.isEmpty, "\(option.name)")
            #expect(Option.named(option.name) == option)
            if case .value(let text) = option.fallback {
                _ = try option.value(of: text, from: .standard)
            }
        }
    }

    @Test("no flag's name begins like the way to take a flag back")
    func negation() {
        #expect(Option.all.allSatisfy { !$0.name.hasPrefix("no-") })
    }

    @Test("a command's required options are options of that command")
    func required() {
        for command in Command.allCases {
            #expect(command.required.allSatisfy { $0.commands.contains(command) })
        }
    }

    @Test("the examples of every command are command lines that are understood")
    func examples() throws {
        for command in Command.allCases {
            #expect(!command.examples.isEmpty)
            for example in command.examples {
                let words = example.line.split(separator: " ").dropFirst().map { word in
                    word.filter { $0 != "'" }
                }
                let typed = try TypedLine(words)
                #expect(typed.request == .command(command))
                guard typed.given[.config] == nil else { continue }
                try SettingValues(command, typed: typed.given, environment: []).checkRequired()
            }
        }
    }
}

struct RenderingTests {
    @Test(
        "shells accept their completion scripts",
        arguments: [
            ("bash", "bash -n"), ("zsh", "zsh -n"), ("fish", "fish --no-execute"),
        ])
    func completions(_ shell: String, _ check: String) throws {
        let folder = try ScratchFolder()
        let file = try folder.write(try Completions.script(for: shell), to: "completion")
        let result = try Shell.run("\(check) \(file)")
        #expect(result == .init(code: 0, output: "", errors: ""))
    }

    @Test(
        "bash completes commands, options, choices and paths behind a scheme",
        arguments: [
            (["sluice", "ex"], "export"),
            (["sluice", "run", "--tab"], "--tables"),
            (["sluice", "prune", "--ke"], "--keep"),
            (["sluice", "load", "--on-existing", "tr"], "truncate"),
            (["sluice", "run", "--source", "sq"], "sqlite:"),
            (["sluice", "run", "--source", "sqlite", ":", "app"], "app.db"),
            (["sluice", "help", "ver"], "verify"),
        ])
    func bash(_ words: [String], _ completion: String) throws {
        let folder = try ScratchFolder()
        let file = try folder.write(try Completions.script(for: "bash"), to: "completion")
        try folder.write("", to: "app.db")
        let list = words.map { "'\($0)'" }.joined(separator: " ")
        let script = """
            cd \(folder.path); source \(file)
            compopt() { :; }
            COMP_WORDS=(\(list)); COMP_CWORD=\(words.count - 1); _sluice
            printf '%s' "${COMPREPLY[*]}"
            """
        let result = try Shell.run(script, with: "/bin/bash")
        #expect(result == .init(code: 0, output: completion, errors: ""))
    }

    @Test(
        "fish completes commands, options and choices",
        arguments: [
            ("sluice ex", "export"), ("sluice run --tab", "--tables"),
            ("sluice load --on-existing tr", "truncate"),
        ])
    func fish(_ line: String, _ completion: String) throws {
        let folder = try ScratchFolder()
        let file = try folder.write(try Completions.script(for: "fish"), to: "completion")
        let result = try Shell.run(
            "HOME=\(folder.path) fish --no-config -c 'source \(file); complete -C \"\(line)\"'")
        #expect(result.code == 0)
        let words = result.output.split(separator: "\n").map { $0.prefix { $0 != "\t" } }
        #expect(words.map(String.init) == [completion])
    }

    @Test("man formats the manual page without a warning")
    func man() throws {
        let folder = try ScratchFolder()
        let file = try folder.write(ManPage.text, to: "sluice.1")
        let result = try Shell.run("LC_ALL=C.UTF-8 MANWIDTH=80 man --warnings -l \(file)")
        #expect(result.code == 0)
        #expect(result.errors == "")
        for option in Option.all { #expect(result.output.contains(option.flag), "\(option.name)") }
        #expect(result.output.contains("130"))
    }
}
