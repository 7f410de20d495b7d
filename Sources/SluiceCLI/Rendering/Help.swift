internal import SluiceCore

/// What `--help` and `sluice help` print; at most 80 columns.
enum Help {
    /// For a command line without anything: enough to go on.
    static var short: String {
        """
        sluice migrates databases: source -> dataset in a store -> target, verified

        Usage: sluice COMMAND [options]

        Commands:
        \(commandLines.joined(separator: "\n"))

        Run 'sluice help' for more, and 'sluice help COMMAND' for its options.

        """
    }

    static var general: String {
        var lines = TextLayout.wrapped(
            """
            sluice exports one consistent snapshot of a database into shards in a store, loads \
            them into another database, and proves by digests that nothing was lost or changed.
            """)
        lines += ["", "Usage: sluice COMMAND [options]", "", "Commands:"]
        lines += commandLines
        lines += ["", "Options of every command:"]
        lines += optionLines(Option.all.filter { $0.commands.count == Command.allCases.count })
        lines += entry("-h, --help", "show help, for a command behind its name")
        lines += entry("-V, --version", "show the version")
        lines += ["", "URLs:"]
        lines += entry("sqlite:PATH", "SQLite file as source or target; the path as it is")
        lines += entry(
            "file:PATH", "folder as store; {date} and {time} are those of the start, UTC")
        lines += ["", "Settings:"]
        lines += TextLayout.wrapped(settingsText, indent: 2)
        lines += ["", "Exit codes:"]
        lines += exitCodes.flatMap { TextLayout.entry($0.code, $0.what, column: 7) }
        lines += ["", "Examples:"]
        lines += exampleLines([Command.run, .plan, .verify].flatMap { $0.examples.prefix(1) })
        lines += [
            "", "'sluice help COMMAND' and 'sluice help OPTION' tell more about one of them.",
        ]
        return lines.joined(separator: "\n") + "\n"
    }

    static func of(_ command: Command) -> String {
        var lines = ["sluice \(command.name) - \(command.summary)", ""]
        lines += TextLayout.wrapped("Usage: " + command.usage)
        lines.append("")
        lines += TextLayout.wrapped(command.details)
        for group in Option.Group.allCases {
            let options = command.options.filter { $0.group == group }
            if options.isEmpty { continue }
            lines += ["", group.rawValue + ":"]
            lines += optionLines(options)
        }
        lines += ["", "Examples:"]
        lines += exampleLines(command.examples)
        return lines.joined(separator: "\n") + "\n"
    }

    static func of(_ option: Option) -> String {
        var lines = [option.usage, ""]
        lines += TextLayout.wrapped(option.summary + ".", indent: 2)
        lines += TextLayout.wrapped(option.details, indent: 2)
        lines.append("")
        for (name, value) in facts(of: option) {
            lines += TextLayout.entry(name, value, column: 16)
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// What the man page and the reference say of an option besides its text.
    static func facts(of option: Option) -> [(name: String, value: String)] {
        var facts: [(name: String, value: String)] = []
        if case .choice(let known) = option.kind {
            facts.append((name: "values", value: known.joined(separator: ", ")))
        }
        if let fallback = option.fallbackText {
            facts.append((name: "default", value: fallback))
        }
        facts.append((name: "environment", value: option.environmentName))
        if option != .config { facts.append((name: "job file", value: option.name)) }
        let isEverywhere = option.commands.count == Command.allCases.count
        facts.append(
            (
                name: "commands",
                value: isEverywhere ? "all" : option.commands.map(\.name).joined(separator: ", ")
            ))
        return facts
    }

    /// What was asked for behind `sluice help`.
    static func of(_ topics: [String]) throws(Failure) -> String {
        guard let topic = topics.first else { return general }
        if let rendered = try rendered(topics) { return rendered }
        guard topics.count == 1 else {
            throw Failure(
                .usage, "unexpected argument '\(Redaction.shown(topics[1]))'",
                hint: "'sluice help' takes one command or option.")
        }
        if topic == "help" { return general }
        if let command = Command(rawValue: topic) { return of(command) }
        let name = topic.utf8.starts(with: "--".utf8) ? String(topic.dropFirst(2)) : topic
        if let option = Option.named(name) { return of(option) }
        let known = Command.allCases.map(\.name) + Option.all.map(\.name)
        throw Failure(
            .usage, "no help on '\(Redaction.shown(topic))'",
            hint: Suggestion.hint(for: name, among: known)
                ?? "Run 'sluice help' to see commands and options.")
    }

    /// What packaging renders from the option table; not shown in help.
    private static func rendered(_ topics: [String]) throws(Failure) -> String? {
        switch topics {
        case ["man"]: return ManPage.text
        case ["options-markdown"]: return OptionsMarkdown.text
        case ["types-markdown"]: return TypesMarkdown.text
        default:
            guard topics.first == "completions" else { return nil }
            guard topics.count == 2 else {
                throw Failure(
                    .usage, "'sluice help completions' needs one shell",
                    hint: "Known are \(ValueSyntax.list(Completions.shells)).")
            }
            return try Completions.script(for: topics[1])
        }
    }

    static let settingsText = """
        Every option is also an environment variable (--on-existing is SLUICE_ON_EXISTING) and a \
        key of a YAML job file (on-existing). A flag wins over the environment, the environment \
        over the job file, the job file over the default. A flag that takes no value is taken \
        back with --no- before its name.
        """

    static let exitCodes: [(code: String, what: String)] = [
        ("0", "done, or already done"),
        ("1", "failed"),
        ("2", "wrong usage or configuration"),
        ("3", "data differs, or rows are in quarantine"),
        ("4", "unfinished; the same command continues"),
        ("5", "an endpoint is unavailable after retries; the same command continues"),
        ("6", "refused for safety"),
        ("70", "a bug in sluice"),
        ("130", "interrupted; the same command continues"),
    ]

    private static let column = 29

    private static func entry(_ left: String, _ text: String) -> [String] {
        TextLayout.entry(left, text, column: column)
    }

    private static var commandLines: [String] {
        Command.allCases.flatMap { TextLayout.entry($0.name, $0.summary, column: 12) }
    }

    private static func optionLines(_ options: [Option]) -> [String] {
        options.flatMap { option in
            let note = option.fallbackText.map { " (\($0))" } ?? ""
            return entry(option.usage, option.summary + note)
        }
    }

    private static func exampleLines(_ examples: some Sequence<(line: String, what: String)>)
        -> [String]
    {
        examples.flatMap { ["  # \($0.what)", "  \($0.line)"] }
    }
}
