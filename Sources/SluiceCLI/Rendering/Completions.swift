internal import SluiceCore

/// Scripts that complete command lines, rendered from the option table.
enum Completions {
    static let shells = ["bash", "zsh", "fish"]

    static func script(for shell: String) throws(Failure) -> String {
        switch shell {
        case "bash": return bash
        case "zsh": return zsh
        case "fish": return fish
        default:
            throw Failure(
                .usage, "no completions for '\(Redaction.shown(shell))'",
                hint: Suggestion.hint(for: shell, among: shells)
                    ?? "Known are \(ValueSyntax.list(shells)).")
        }
    }

    /// What a value may begin with, offered as it is.
    private static func words(for option: Option) -> [String] {
        switch option.kind {
        case .choice(let known): known
        case .databaseURL: ["sqlite:"]
        case .storeURL: ["file:"]
        default: []
        }
    }

    private static var commandNames: String {
        (Command.allCases.map(\.name) + ["help"]).joined(separator: " ")
    }

    private static var bash: String {
        var values: [String] = []
        for option in Option.all where !option.isFlag {
            let words = words(for: option).joined(separator: " ")
            let action =
                switch option.kind {
                case .path: "compopt -o default; COMPREPLY=()"
                case .databaseURL, .storeURL:
                    "compopt -o nospace; COMPREPLY=($(compgen -W '\(words)' -- \"$word\"))"
                default: "COMPREPLY=($(compgen -W '\(words)' -- \"$word\"))"
                }
            values.append("        \(option.flag)) \(action); return ;;")
        }
        let options = Command.allCases.map { command -> String in
            let flags = command.options.map(\.flag) + ["--help"]
            return "        \(command.name)) options='\(flags.joined(separator: " "))' ;;"
        }
        let commandPattern = commandNames.split(separator: " ").joined(separator: "|")
        return """
            # bash completion for sluice, rendered by 'sluice help completions bash'
            _sluice() {
                local word previous command='' options='' index
                COMPREPLY=()
                word=${COMP_WORDS[COMP_CWORD]}
                previous=${COMP_WORDS[COMP_CWORD-1]}
                for ((index = 1; index < COMP_CWORD; index++)); do
                    case ${COMP_WORDS[index]} in
                    \(commandPattern)) command=${COMP_WORDS[index]}; break ;;
                    esac
                done
                # Readline cuts words at colons; what stands behind one is a path.
                if [[ $previous == : || $word == : ]]; then
                    [[ $word == : ]] && word=''
                    compopt -o filenames
                    COMPREPLY=($(compgen -f -- "$word"))
                    return
                fi
                case $previous in
            \(values.joined(separator: "\n"))
                esac
                case $command in
                '') options='\(commandNames) --help --version' ;;
                help) options='\(commandNames)' ;;
            \(options.joined(separator: "\n"))
                esac
                COMPREPLY=($(compgen -W "$options" -- "$word"))
            }
            complete -F _sluice sluice

            """
    }

    private static var zsh: String {
        let commands = Command.allCases.map { "        '\($0.name):\(zshQuoted($0.summary))'" }
        let cases = Command.allCases.map { command -> String in
            let entries = command.options.map { "            \(zshEntry($0))" }
            return """
                    \(command.name))
                        _arguments -s : \\
                \(entries.joined(separator: " \\\n")) \\
                            '--help[show help]'
                        ;;
                """
        }
        return """
            #compdef sluice
            # zsh completion for sluice, rendered by 'sluice help completions zsh'
            _sluice_database() {
                if compset -P 'sqlite:'; then _files; else compadd -S '' -- sqlite: ; fi
            }
            _sluice_store() {
                if compset -P 'file:'; then _files -/; else compadd -S '' -- file: ; fi
            }
            _sluice() {
                local -a commands
                local curcontext=$curcontext state line
                commands=(
            \(commands.joined(separator: "\n"))
                    'help:show help on a command or an option'
                )
                _arguments -C '(- *)--help[show help]' '(- *)--version[show the version]' \\
                    '1:command:->command' '*::option:->option'
                case $state in
                command) _describe command commands ;;
                option)
                    case $words[1] in
                    help) _describe command commands ;;
            \(cases.joined(separator: "\n"))
                    esac
                    ;;
                esac
            }
            if [[ $funcstack[1] == _sluice ]]; then _sluice "$@"; else compdef _sluice sluice; fi

            """
    }

    private static func zshEntry(_ option: Option) -> String {
        let repeated = option.isRepeatable ? "*" : ""
        let text = "\(repeated)\(option.flag)[\(zshQuoted(option.summary))]"
        if option.isFlag { return "'\(text)'" }
        let action =
            switch option.kind {
            case .choice(let known): "(\(known.joined(separator: " ")))"
            case .path: "_files"
            case .databaseURL: "_sluice_database"
            case .storeURL: "_sluice_store"
            default: " "
            }
        return "'\(text):\(option.valueName.lowercased()):\(action)'"
    }

    /// Within single quotes, where brackets and colons mean something to `_arguments`.
    private static func zshQuoted(_ text: String) -> String {
        var output = ""
        for character in text {
            switch character {
            case "'": output += "'\\''"
            case "[", "]", ":": output += "\\\(character)"
            default: output.append(character)
            }
        }
        return output
    }

    private static var fish: String {
        var lines = [
            "# fish completion for sluice, rendered by 'sluice help completions fish'",
            "set -l sluice_commands \(commandNames)",
            "complete -c sluice -f",
            "complete -c sluice -l help -s h -d 'show help'",
            "complete -c sluice -l version -s V -d 'show the version'",
            "complete -c sluice -n \"not __fish_seen_subcommand_from $sluice_commands\" "
                + "-a help -d 'show help on a command or an option'",
            "complete -c sluice -n '__fish_seen_subcommand_from help' "
                + "-a '\(Command.allCases.map(\.name).joined(separator: " "))'",
        ]
        for command in Command.allCases {
            lines.append(
                "complete -c sluice -n \"not __fish_seen_subcommand_from $sluice_commands\" "
                    + "-a \(command.name) -d '\(fishQuoted(command.summary))'")
        }
        for option in Option.all {
            var line = "complete -c sluice -n '__fish_seen_subcommand_from "
            line += option.commands.map(\.name).joined(separator: " ") + "' -l \(option.name)"
            if !option.isFlag { line += " -r" }
            switch option.kind {
            case .path: line += " -F"
            default:
                let words = words(for: option)
                if !words.isEmpty { line += " -a '\(words.joined(separator: " "))'" }
            }
            lines.append(line + " -d '\(fishQuoted(option.summary))'")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func fishQuoted(_ text: String) -> String {
        text.reduce(into: "") { $0 += $1 == "'" || $1 == "\\" ? "\\\($1)" : "\($1)" }
    }
}
