internal import SluiceCore

/// What was typed: a command and values, each known to exist and to be of its kind; nothing is
/// opened or compared yet.
struct TypedLine: Sendable, Equatable {
    enum Request: Sendable, Equatable {
        /// Nothing was typed.
        case nothing
        case version
        /// Help about a command or an option, or in general.
        case help([String])
        case command(Command)
    }

    var request: Request
    var given: [Option: Given] = [:]

    /// - Parameter arguments: without the program's name.
    init(_ arguments: [String]) throws(Failure) {
        var parser = TypedLineParser(arguments)
        try parser.parse()
        given = parser.given
        request = parser.request
    }
}

private struct TypedLineParser {
    var rest: ArraySlice<String>
    var given: [Option: Given] = [:]
    var words: [String] = []
    var wantsHelp = false
    var wantsVersion = false
    /// In the order in which they were typed; checked when the command is known.
    var unknown: [String] = []
    private let mayBeCommand: [String] = Command.allCases.map(\.name) + ["help"]

    init(_ arguments: [String]) {
        rest = arguments[...]
    }

    var command: Command? { words.first.flatMap { Command(rawValue: $0) } }

    var request: TypedLine.Request {
        if words.first == "help" { return .help(Array(words.dropFirst())) }
        if wantsHelp { return .help(words) }
        if wantsVersion { return .version }
        return command.map(TypedLine.Request.command) ?? .nothing
    }

    mutating func parse() throws(Failure) {
        // Help is what somebody asks for who does not know how to type the rest.
        let options = rest.prefix { $0 != "--" }
        if options.contains(where: { $0 == "--help" || $0 == "-h" }) {
            wantsHelp = true
            words = options.filter { Command(rawValue: $0) != nil }.prefix(1).map { $0 }
            return
        }
        while let argument = rest.popFirst() {
            if argument == "--" {
                for word in rest { try take(word: word) }
                rest = []
            } else if argument.utf8.starts(with: "--".utf8) {
                try take(option: argument)
            } else if argument.utf8.first == UInt8(ascii: "-"), argument.utf8.count > 1 {
                try take(short: argument)
            } else {
                try take(word: argument)
            }
        }
        if let name = unknown.first { throw unknownOption(name) }
        if wantsVersion || words.first == "help" { return }
        guard let command else {
            guard given.isEmpty else {
                throw Failure(
                    .usage, "the command is missing",
                    hint: "Run 'sluice help' to see the commands.")
            }
            return
        }
        try refuseForeign(to: command)
    }

    mutating func take(word: String) throws(Failure) {
        if words.isEmpty {
            guard mayBeCommand.contains(word) else {
                throw Failure(
                    .usage, "unknown command '\(Redaction.shown(word))'",
                    hint: Suggestion.hint(for: word, among: mayBeCommand)
                        ?? "Run 'sluice help' to see the commands.")
            }
        } else if words.first != "help" {
            throw Failure(
                .usage, "unexpected argument '\(Redaction.shown(word))'",
                hint: "Every value belongs to an option; see 'sluice help \(words[0])'.")
        }
        words.append(word)
    }

    mutating func take(short: String) throws(Failure) {
        guard short != "-V" else {
            wantsVersion = true
            return
        }
        let name = String(short.dropFirst().prefix { $0 != "=" })
        let hint = Option.named(name).map { "Did you mean '\($0.flag)'?" }
        throw Failure(
            .usage, "unknown option '\(Redaction.shown("-" + name))'",
            hint: hint ?? "Options have two dashes and their whole name.")
    }

    mutating func take(option argument: String) throws(Failure) {
        let body = argument.dropFirst(2)
        let equals = body.utf8.firstIndex(of: UInt8(ascii: "="))
        let name = String(body[..<(equals ?? body.endIndex)])
        let attached = equals.map { String(body[body.utf8.index(after: $0)...]) }
        if name == "version", attached == nil {
            wantsVersion = true
            return
        }
        if name.utf8.starts(with: "no-".utf8), let option = Option.named(String(name.dropFirst(3))),
            option.isFlag
        {
            try refuseValue(attached, of: "--" + name)
            return try note(option, Given(value: .flag(false), origin: .flag))
        }
        guard let option = Option.named(name) else {
            unknown.append(name)
            // Its value, if it has one, is no argument of its own.
            if attached == nil, let next = rest.first, !isOption(next), !mayBeCommand.contains(next)
            {
                rest.removeFirst()
            }
            return
        }
        if option.isFlag {
            try refuseValue(attached, of: option.flag)
            return try note(option, Given(value: .flag(true), origin: .flag))
        }
        guard let text = attached ?? takeValue() else {
            throw Failure(
                .usage, "'\(option.flag)' has no value", hint: "Write '\(option.usage)'.")
        }
        try note(option, try option.value(of: text, from: .flag))
    }

    /// The next argument, unless it is an option itself.
    mutating func takeValue() -> String? {
        guard let next = rest.first, !isOption(next) else { return nil }
        return rest.popFirst()
    }

    func isOption(_ argument: String) -> Bool { argument.utf8.starts(with: "--".utf8) }

    func refuseValue(_ value: String?, of flag: String) throws(Failure) {
        guard value != nil else { return }
        throw Failure(
            .usage, "'\(flag)' takes no value",
            hint: "Write '\(flag)' alone; '--no-' before the name takes it back.")
    }

    mutating func note(_ option: Option, _ new: Given) throws(Failure) {
        guard let old = given[option] else {
            given[option] = new
            return
        }
        switch (old.value, new.value) {
        case (.list(let first), .list(let more)):
            given[option] = Given(value: .list(first + more), origin: .flag)
        case (.filters(let first), .filters(let more)):
            given[option] = Given(value: .filters(first + more), origin: .flag)
        default:
            throw Failure(
                .usage, "'\(option.flag)' is given twice", hint: "Leave one of them out.")
        }
    }

    func unknownOption(_ name: String) -> Failure {
        let own = (command?.options ?? Option.all).map(\.name) + ["help", "version"]
        let nearest =
            Suggestion.nearest(to: name, among: own)
            ?? Suggestion.nearest(to: name, among: Option.all.map(\.name))
        let topic = command.map { " \($0.name)" } ?? ""
        var hint =
            nearest.map { "Did you mean '--\($0)'?" }
            ?? "Run 'sluice help\(topic)' to see what there is."
        if name.utf8.starts(with: "no-".utf8), Option.named(String(name.dropFirst(3))) != nil {
            hint = "Only flags that take no value can be taken back with '--no-'."
        }
        return Failure(.usage, "unknown option '--\(Redaction.shown(name))'", hint: hint)
    }

    func refuseForeign(to command: Command) throws(Failure) {
        // The table's order, so that the message does not depend on hashing.
        guard
            let foreign = Option.all.first(where: {
                given[$0] != nil && !$0.commands.contains(command)
            })
        else { return }
        let others = foreign.commands.map { "'\($0.name)'" }
        throw Failure(
            .usage, "'sluice \(command.name)' does not take '\(foreign.flag)'",
            hint: "It is an option of \(ValueSyntax.list(others)).")
    }
}
