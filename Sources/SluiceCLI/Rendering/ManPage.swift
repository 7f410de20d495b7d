internal import SluiceEngine

/// `sluice.1`, rendered from the option table.
enum ManPage {
    static var text: String {
        var lines = [
            ".TH SLUICE 1 \"\" \"sluice \(Version.text)\" \"User Commands\"",
            ".SH NAME",
            "sluice \\- move whole databases through an object store, verified",
            ".SH SYNOPSIS",
            ".B sluice",
            ".I COMMAND",
            "[options]",
            ".SH DESCRIPTION",
            """
            Sluice exports one consistent snapshot of a database into many small Avro or CSV \
            shards, puts them into a store, loads them into another database in parallel, and \
            proves by digests that nothing was lost or changed.
            """,
            ".SH COMMANDS",
        ]
        for command in Command.allCases {
            lines += [".TP", ".B " + escaped(command.usage), escaped(command.details)]
        }
        lines.append(".SH OPTIONS")
        lines.append(escaped(Help.settingsText))
        for group in Option.Group.allCases {
            lines.append(".SS " + escaped(group.rawValue))
            for option in Option.all where option.group == group { lines += entry(option) }
        }
        lines += [
            ".SH URLS",
            ".TP", ".BI sqlite: PATH",
            "A SQLite file as source or target; everything behind the colon is the path as it is.",
            ".TP", ".BI file: PATH",
            """
            A folder as store. {date} and {time} are replaced by the date and the time of the \
            start in UTC, like 2026\\-01\\-31 and 235959.
            """,
            ".SH JOB FILE",
        ]
        lines += jobFile
        lines.append(".SH EXIT STATUS")
        for (code, what) in Help.exitCodes { lines += [".TP", ".B " + code, escaped(what) + "."] }
        lines.append(".SH EXAMPLES")
        for command in Command.allCases {
            for example in command.examples {
                lines += [".TP", escaped(example.what), ".B " + escaped(example.line)]
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static var jobFile: [String] {
        var lines = [escaped(JobFileGuide.text)] + literal(JobFileGuide.example)
        lines += [".PP", escaped(JobFileGuide.importText)] + literal(JobFileGuide.importExample)
        lines += [".PP", "The keys of an entry:"]
        for (key, what) in JobFileGuide.importKeys { lines += [".TP", ".B " + key, escaped(what)] }
        lines += [".PP", "The keys of csv:"]
        for (key, what) in JobFileGuide.dialectKeys {
            lines += [".TP", ".B " + escaped(key), escaped(what)]
        }
        lines += [".PP", escaped(JobFileGuide.overridesText)]
        lines += literal(JobFileGuide.overridesExample)
        lines += [".PP", "The keys of overrides:"]
        for (key, what) in JobFileGuide.overridesKeys {
            lines += [".TP", ".B " + key, escaped(what)]
        }
        return lines
    }

    /// Lines as they are, indented.
    private static func literal(_ text: String) -> [String] {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        return [".sp", ".RS", ".nf"] + lines.map { escaped(String($0)) } + [".fi", ".RE"]
    }

    private static func entry(_ option: Option) -> [String] {
        var title = ".B " + escaped(option.flag)
        if !option.valueName.isEmpty {
            title = ".BI \"\(escaped(option.flag)) \" \"\(escaped(option.valueName))\""
        }
        var lines = [
            ".TP", title, escaped(option.summary.capitalizedFirst) + ".", escaped(option.details),
        ]
        let facts = Help.facts(of: option).map { "\($0.name): \($0.value)" }
        lines += [".br", escaped(facts.joined(separator: "; ")) + "."]
        return lines
    }

    /// Roff takes a backslash, a leading dot or quote, and a plain hyphen for something else.
    private static func escaped(_ text: String) -> String {
        var output = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": output += "\\e"
            case "-": output += "\\-"
            case "'": output += "\\(aq"
            case "~": output += "\\(ti"
            case "^": output += "\\(ha"
            case "\"": output += "\\(dq"
            default: output.unicodeScalars.append(scalar)
            }
        }
        return output.hasPrefix(".") ? "\\&" + output : output
    }
}

extension String {
    /// A sentence's first letter.
    var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
