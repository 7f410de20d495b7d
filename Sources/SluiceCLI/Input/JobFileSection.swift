internal import SluiceCore
internal import SluiceEngine

/// A part of a job file that is more than options: reads nodes, each failure with its place.
protocol JobFileSection {
    /// The job file's name for messages.
    var name: String { get }
}

extension JobFileSection {
    static var entryLimit: Int { 10_000 }

    func failure(_ what: String, _ mark: Mark, hint: String? = nil) -> Failure {
        Failure(.usage, "\(what) in \(name), \(mark)", hint: hint)
    }

    func list(_ node: YAMLNode, _ what: String) throws(Failure) -> [YAMLNode] {
        guard case .sequence(let items, _) = node else {
            throw failure(
                "\(what) is \(node.kindName), but a list is expected", node.mark,
                hint: "Begin each entry with '- '.")
        }
        guard items.count <= Self.entryLimit else {
            throw failure("\(what) has more than \(Self.entryLimit) entries", node.mark)
        }
        return items
    }

    /// Entries whose keys are names.
    func entries(_ node: YAMLNode, _ what: String) throws(Failure) -> [YAMLNode.Entry] {
        guard case .mapping(let entries, _) = node else {
            throw failure(
                "\(what) is \(node.kindName), but a mapping is expected", node.mark)
        }
        guard !entries.isEmpty else { throw failure("\(what) is empty", node.mark) }
        guard entries.count <= Self.entryLimit else {
            throw failure("\(what) has more than \(Self.entryLimit) entries", node.mark)
        }
        return entries
    }

    func mapping(
        _ node: YAMLNode, _ what: String, known: [String]
    ) throws(Failure) -> [String: YAMLNode] {
        guard case .mapping(let entries, _) = node else {
            throw failure("\(what) is \(node.kindName), but a mapping is expected", node.mark)
        }
        var found: [String: YAMLNode] = [:]
        for entry in entries {
            guard known.contains(entry.key) else {
                throw failure(
                    "unknown key '\(Redaction.shown(entry.key))'", entry.mark,
                    hint: Suggestion.hint(for: entry.key, among: known)
                        ?? "Known here are \(ValueSyntax.list(known)).")
            }
            found[entry.key] = entry.value
        }
        return found
    }

    func required(
        _ key: String, _ entries: [String: YAMLNode], _ node: YAMLNode
    ) throws(Failure) -> YAMLNode {
        guard let value = entries[key] else {
            throw failure("the key '\(key)' is missing", node.mark)
        }
        return value
    }

    func text(_ node: YAMLNode, _ key: String) throws(Failure) -> String {
        guard case .scalar(let text, let isPlain, _) = node else {
            throw failure("'\(key)' is \(node.kindName), but one value is expected", node.mark)
        }
        guard !text.isEmpty, !isPlain || !YAMLNode.isNull(text) else {
            throw failure("'\(key)' has no value", node.mark)
        }
        return text
    }
}
