/// `docs/options.md`, rendered from the option table; a test fails when the file is stale.
enum OptionsMarkdown {
    static var text: String {
        var lines = [
            "# Commands and options", "",
            "Rendered from the option table by `sluice help options-markdown`; do not edit.", "",
            Help.settingsText.replacingQuotes, "",
            "## Commands", "",
        ]
        for command in Command.allCases {
            lines += ["### sluice \(command.name)", "", "```", command.usage, "```", ""]
            lines += [command.details.replacingQuotes, ""]
            let names = command.options.map { "[`\($0.flag)`](#--\($0.name))" }
            lines += ["Options: " + names.joined(separator: ", ") + ".", ""]
            lines.append("```sh")
            lines += command.examples.flatMap { ["# \($0.what)", $0.line] }
            lines += ["```", ""]
        }
        lines += ["## Options", ""]
        for group in Option.Group.allCases {
            lines += ["### \(group.rawValue)", ""]
            for option in Option.all where option.group == group { lines += entry(option) }
        }
        lines += jobFile
        lines += ["## Exit codes", "", "| code | meaning |", "| --- | --- |"]
        lines += Help.exitCodes.map { "| \($0.code) | \($0.what) |" }
        return lines.joined(separator: "\n") + "\n"
    }

    private static var jobFile: [String] {
        var lines = ["## The job file", "", JobFileGuide.text, ""]
        lines += ["```yaml", JobFileGuide.example, "```", "", "### import", ""]
        lines += [JobFileGuide.importText.replacingQuotes, ""]
        lines += ["```yaml", JobFileGuide.importExample, "```", ""]
        for (title, keys) in [
            ("key of an entry", JobFileGuide.importKeys),
            ("key of `csv`", JobFileGuide.dialectKeys),
        ] {
            lines += ["| \(title) | meaning |", "| --- | --- |"]
            lines += keys.map { "| `\($0.key)` | \($0.what) |" } + [""]
        }
        lines += ["### overrides", "", JobFileGuide.overridesText.replacingQuotes, ""]
        lines += ["```yaml", JobFileGuide.overridesExample, "```", ""]
        lines += ["| key | meaning |", "| --- | --- |"]
        lines += JobFileGuide.overridesKeys.map { "| `\($0.key)` | \($0.what) |" } + [""]
        return lines
    }

    private static func entry(_ option: Option) -> [String] {
        var lines = ["#### `\(option.flag)`", ""]
        if !option.valueName.isEmpty { lines += ["`\(option.usage)`", ""] }
        lines += ["\(option.summary.capitalizedFirst). \(option.details)".replacingQuotes, ""]
        lines += ["| | |", "| --- | --- |"]
        for (name, value) in Help.facts(of: option) {
            let isCode = name == "environment" || name == "job file" || name == "values"
            lines.append("| \(name) | \(isCode ? "`\(value)`" : value) |")
        }
        return lines + [""]
    }
}

extension String {
    /// What help quotes is code in Markdown.
    fileprivate var replacingQuotes: String {
        let quoted = String(self.map { $0 == "'" ? "`" : $0 })
        // An apostrophe within a word is none of those.
        var output = ""
        let characters = Array(quoted)
        for (index, character) in characters.enumerated() {
            let isWithin =
                index > 0 && index + 1 < characters.count && characters[index - 1].isLetter
                && characters[index + 1].isLetter
            output.append(character == "`" && isWithin ? "'" : character)
        }
        return output
    }
}
