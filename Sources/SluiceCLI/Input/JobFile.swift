internal import Glibc
internal import SluiceCore
internal import SluiceEngine

/// The settings, imports and overrides of a YAML job file.
struct JobFile: Sendable {
    var given: [Option: Given] = [:]
    var imports: [ImportFile] = []
    var overrides = Overrides()

    init() {}

    /// - Parameter name: as it was typed; messages show it.
    init(path name: String) throws(Failure) {
        try self.init(try JobFile.contents(of: name), name: name)
    }

    init(_ bytes: [UInt8], name: String) throws(Failure) {
        guard let root = try YAMLNode.parse(bytes, name: name) else { return }
        guard case .mapping(let entries, _) = root else {
            throw Failure(
                .usage, "expected a mapping of settings in \(name), \(root.mark)",
                hint: "Write lines like 'source: sqlite:app.db'.")
        }
        for entry in entries {
            if entry.key == "import" {
                imports = try ImportSection(name: name).files(entry.value)
            } else if entry.key == "overrides" {
                overrides = try OverridesSection(name: name).overrides(entry.value)
            } else {
                let option = try JobFile.option(entry, name: name)
                given[option] = try JobFile.value(of: option, entry.value, name: name)
            }
        }
    }

    private static func option(_ entry: YAMLNode.Entry, name: String) throws(Failure) -> Option {
        if let option = Option.named(entry.key), option != .config { return option }
        if entry.key == Option.config.name {
            throw Failure(
                .usage, "'config' cannot be set in \(name), \(entry.mark)",
                hint: "A job file does not name another one.")
        }
        let known = Option.all.filter { $0 != .config }.map(\.name) + ["import", "overrides"]
        let typed = String(entry.key.map { $0 == "_" ? "-" : $0 })
        throw Failure(
            .usage, "unknown key '\(Redaction.shown(entry.key))' in \(name), \(entry.mark)",
            hint: Suggestion.hint(for: typed, among: known)
                ?? "Keys are the names of options without dashes; see 'sluice help'.")
    }

    private static func value(
        of option: Option, _ node: YAMLNode, name: String
    ) throws(Failure) -> Given {
        let origin = Origin.file(name, node.mark)
        switch (option.kind, node) {
        case (_, .scalar(let text, let isPlain, _)):
            guard !isPlain || !YAMLNode.isNull(text) || option.hasChoice(text) else {
                throw Failure(
                    .usage, "\(origin.name(of: option)) has no value",
                    hint: "Leave the key out, or put a text into quotes.")
            }
            return try option.value(of: text, from: origin)
        case (.globs, .sequence(let items, _)):
            var patterns: [String] = []
            for item in items {
                let text = try scalar(item, of: option, name: name)
                // An item is one pattern: its commas are its own.
                do {
                    _ = try Glob(text)
                } catch {
                    throw error.during("reading \(Origin.file(name, item.mark).name(of: option))")
                }
                patterns.append(text)
            }
            return Given(value: .list(patterns), origin: origin)
        case (.list, .sequence(let items, _)):
            var texts: [String] = []
            for item in items { texts.append(try scalar(item, of: option, name: name)) }
            return Given(value: .list(texts), origin: origin)
        case (.filters, .sequence(let items, _)):
            var filters: [Settings.Filter] = []
            for item in items {
                let text = try scalar(item, of: option, name: name)
                let given = try option.value(of: text, from: .file(name, item.mark))
                if case .filters(let more) = given.value { filters += more }
            }
            return Given(value: .filters(filters), origin: origin)
        case (.filters, .mapping(let entries, _)):
            var filters: [Settings.Filter] = []
            for entry in entries {
                let sql = try scalar(entry.value, of: option, name: name)
                filters.append(Settings.Filter(table: entry.key, sql: sql))
            }
            return Given(value: .filters(filters), origin: origin)
        default:
            throw Failure(
                .usage,
                "\(origin.name(of: option)) is \(node.kindName), but one value is expected")
        }
    }

    private static func scalar(
        _ node: YAMLNode, of option: Option, name: String
    ) throws(Failure) -> String {
        let place = Origin.file(name, node.mark).name(of: option)
        guard case .scalar(let text, let isPlain, _) = node else {
            throw Failure(
                .usage, "\(place) holds \(node.kindName), but texts are expected")
        }
        guard !text.isEmpty, !isPlain || !YAMLNode.isNull(text) else {
            throw Failure(.usage, "\(place) holds an empty value")
        }
        return text
    }

    private static func contents(of name: String) throws(Failure) -> [UInt8] {
        let descriptor = open(name, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw unreadable(name) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        // One piece more than the parser takes is enough to be refused.
        while bytes.count <= 1 << 20 {
            let count = read(descriptor, &piece, piece.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw unreadable(name) }
            if count == 0 { break }
            bytes += piece[..<count]
        }
        return bytes
    }

    private static func unreadable(_ name: String) -> Failure {
        Failure(
            .usage,
            "cannot read the job file \(Redaction.shown(name)): "
                + String(cString: strerror(errno)),
            hint: "Does --config name the right file?")
    }
}

extension YAMLNode {
    /// What YAML takes for nothing when it stands without quotes.
    static func isNull(_ text: String) -> Bool { ["", "~", "null", "Null", "NULL"].contains(text) }
}
