internal import SluiceCore
internal import SluiceEngine

/// An option's value, read and found to be of its kind.
enum Value: Sendable, Hashable {
    case flag(Bool)
    case text(String)
    case number(Int)
    case duration(Duration)
    case list([String])
    case filters([Settings.Filter])
}

/// Where a value came from; also how strong it is, stronger last.
enum Origin: Sendable, Hashable {
    case standard
    case file(String, Mark)
    case environment
    case flag

    var strength: Int {
        switch self {
        case .standard: 0
        case .file: 1
        case .environment: 2
        case .flag: 3
        }
    }

    /// As `plan --show-settings` says it.
    func description(of option: Option) -> String {
        switch self {
        case .standard: "default"
        case .file(let name, let mark): "\(name), \(mark)"
        case .environment: option.environmentName
        case .flag: "flag"
        }
    }

    /// As a message names the option.
    func name(of option: Option) -> String {
        switch self {
        case .standard, .flag: "'\(option.flag)'"
        case .file(let name, let mark): "'\(option.name)' in \(name), \(mark)"
        case .environment: option.environmentName
        }
    }
}

/// A place in a job file, counted from 1.
struct Mark: Sendable, Hashable, CustomStringConvertible {
    let line: Int
    let column: Int

    var description: String { "line \(line), column \(column)" }
}

/// One value with its origin.
struct Given: Sendable, Hashable {
    let value: Value
    let origin: Origin
}

extension Option {
    /// Reads a value from one piece of text: what stands behind a flag, in a variable, or in a
    /// scalar.
    func value(of text: String, from origin: Origin) throws(Failure) -> Given {
        do {
            return Given(value: try kind.parse(text), origin: origin)
        } catch {
            // Options whose value is a secret must not repeat it, and no URL repeats its password.
            let shown = isSecret ? "…" : Redaction.shown(text)
            throw Failure(
                .usage, "invalid value '\(shown)' for \(origin.name(of: self)): \(error.message)",
                hint: error.hint)
        }
    }
}

extension Option.Kind {
    /// Throws what was expected instead, as the end of a sentence.
    func parse(_ text: String) throws(Failure) -> Value {
        guard !text.isEmpty else { throw Failure(.usage, "it is empty") }
        guard !text.utf8.contains(0) else { throw Failure(.usage, "it holds a NUL") }
        switch self {
        case .flag: return .flag(try ValueSyntax.boolean(text))
        case .text, .path: return .text(text)
        case .databaseURL:
            _ = try DatabaseURL(text)
            return .text(text)
        case .storeURL:
            _ = try StoreURL(text)
            return .text(text)
        case .count(let range): return .number(try ValueSyntax.count(text, in: range))
        case .bytes(let range): return .number(try ValueSyntax.bytes(text, in: range))
        case .duration(let range): return .duration(try ValueSyntax.duration(text, in: range))
        case .globs: return .list(try ValueSyntax.globs(text))
        case .list: return .list(try ValueSyntax.list(of: text))
        case .filters: return .filters([try ValueSyntax.filter(text)])
        case .choice(let known): return .text(try ValueSyntax.choice(text, among: known))
        }
    }
}

extension Value {
    /// As `plan --show-settings` prints it.
    func shown(for option: Option) -> String {
        if option.isSecret { return "***" }
        switch self {
        case .flag(let isSet): return isSet ? "true" : "false"
        case .text(let text):
            switch option.kind {
            case .databaseURL, .storeURL: return Redaction.redacted(text)
            default: return text
            }
        case .number(let number):
            if case .bytes = option.kind { return ValueSyntax.text(bytes: number) }
            return String(number)
        case .duration(let duration): return ValueSyntax.text(duration)
        case .list(let items): return items.joined(separator: ",")
        case .filters(let filters):
            return filters.map { "\($0.table)=\($0.sql)" }.joined(separator: "; ")
        }
    }
}
