internal import CYAML
internal import SluiceCore

/// A YAML node with its place. Only what a job file needs: no anchors, no tags, one document,
/// bounded in every way.
indirect enum YAMLNode: Sendable, Equatable {
    struct Entry: Sendable, Equatable {
        let key: String
        let mark: Mark
        let value: YAMLNode
    }

    /// Plain text is written without quotes.
    case scalar(String, isPlain: Bool, Mark)
    case sequence([YAMLNode], Mark)
    case mapping([Entry], Mark)

    var mark: Mark {
        switch self {
        case .scalar(_, _, let mark), .sequence(_, let mark), .mapping(_, let mark): mark
        }
    }

    /// As messages name it.
    var kindName: String {
        switch self {
        case .scalar: "a value"
        case .sequence: "a list"
        case .mapping: "a mapping"
        }
    }
}

extension YAMLNode {
    private static let byteLimit = 1 << 20
    static let depthLimit = 16

    /// The document in these bytes; nothing where there is none.
    ///
    /// - Parameter name: the file's name for messages.
    static func parse(_ bytes: [UInt8], name: String) throws(Failure) -> YAMLNode? {
        guard bytes.count <= byteLimit else {
            throw Failure(.usage, "\(name) is larger than \(ValueSyntax.text(bytes: byteLimit))")
        }
        let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
        defer { parser.deallocate() }
        guard yaml_parser_initialize(parser) == 1 else {
            throw Failure(.failed, "no memory to read \(name)")
        }
        defer { yaml_parser_delete(parser) }
        let outcome = bytes.withUnsafeBufferPointer { buffer in
            yaml_parser_set_input_string(parser, buffer.baseAddress, buffer.count)
            var composer = YAMLComposer(parser: parser, name: name)
            return Result { () throws(Failure) in try composer.document() }
        }
        return try outcome.get()
    }
}

/// Builds nodes from libyaml's events; its own composer would follow aliases and lose duplicate
/// keys.
private struct YAMLComposer {
    let parser: UnsafeMutablePointer<yaml_parser_t>
    let name: String

    private enum Event {
        case documentStart
        case documentEnd
        case streamEnd
        case sequenceStart
        case sequenceEnd
        case mappingStart
        case mappingEnd
        case scalar(String, isPlain: Bool)
    }

    func failure(_ what: String, _ mark: Mark, hint: String? = nil) -> Failure {
        Failure(.usage, "\(what) in \(name), \(mark)", hint: hint)
    }

    mutating func document() throws(Failure) -> YAMLNode? {
        guard case .documentStart = try next().event else { return nil }
        let (event, mark) = try next()
        let root = try node(event, mark, depth: 0)
        _ = try next()
        let (last, place) = try next()
        guard case .streamEnd = last else { throw failure("a second document", place) }
        return root
    }

    private mutating func node(_ event: Event, _ mark: Mark, depth: Int) throws(Failure) -> YAMLNode
    {
        guard depth < YAMLNode.depthLimit else { throw failure("nesting too deep", mark) }
        switch event {
        case .scalar(let text, let isPlain): return .scalar(text, isPlain: isPlain, mark)
        case .sequenceStart:
            var items: [YAMLNode] = []
            while true {
                let (event, place) = try next()
                if case .sequenceEnd = event { return .sequence(items, mark) }
                items.append(try node(event, place, depth: depth + 1))
            }
        default: return .mapping(try entries(depth: depth), mark)
        }
    }

    private mutating func entries(depth: Int) throws(Failure) -> [YAMLNode.Entry] {
        var entries: [YAMLNode.Entry] = []
        var keys: [Name: Mark] = [:]
        while true {
            let (event, mark) = try next()
            if case .mappingEnd = event { return entries }
            guard case .scalar(let key, _) = event else {
                throw failure("a key that is no text", mark)
            }
            if let first = keys.updateValue(mark, forKey: Name(key)) {
                throw failure(
                    "the key '\(Redaction.shown(key))' is there twice", mark,
                    hint: "It is in line \(first.line) already.")
            }
            let (value, place) = try next()
            entries.append(
                YAMLNode.Entry(
                    key: key, mark: mark, value: try node(value, place, depth: depth + 1)))
        }
    }

    /// The next event that means something, with its place.
    private mutating func next() throws(Failure) -> (event: Event, mark: Mark) {
        while true {
            var event = yaml_event_t()
            guard yaml_parser_parse(parser, &event) == 1 else { throw syntaxFailure() }
            defer { yaml_event_delete(&event) }
            let mark = Mark(event.start_mark)
            if let event = try translate(event, mark) { return (event, mark) }
        }
    }

    private func translate(_ event: yaml_event_t, _ mark: Mark) throws(Failure) -> Event? {
        switch event.type {
        case YAML_DOCUMENT_START_EVENT: return .documentStart
        case YAML_DOCUMENT_END_EVENT: return .documentEnd
        case YAML_STREAM_END_EVENT: return .streamEnd
        case YAML_SEQUENCE_START_EVENT:
            let start = event.data.sequence_start
            try refuse(anchor: start.anchor, tag: start.tag, mark)
            return .sequenceStart
        case YAML_SEQUENCE_END_EVENT: return .sequenceEnd
        case YAML_MAPPING_START_EVENT:
            let start = event.data.mapping_start
            try refuse(anchor: start.anchor, tag: start.tag, mark)
            return .mappingStart
        case YAML_MAPPING_END_EVENT: return .mappingEnd
        case YAML_ALIAS_EVENT: throw aliasFailure(mark)
        case YAML_SCALAR_EVENT:
            let scalar = event.data.scalar
            try refuse(anchor: scalar.anchor, tag: scalar.tag, mark)
            let bytes = UnsafeBufferPointer(start: scalar.value, count: scalar.length)
            return .scalar(
                String(decoding: bytes, as: UTF8.self),
                isPlain: scalar.style == YAML_PLAIN_SCALAR_STYLE)
        default: return nil
        }
    }

    private func refuse(
        anchor: UnsafeMutablePointer<UInt8>?, tag: UnsafeMutablePointer<UInt8>?, _ mark: Mark
    ) throws(Failure) {
        if anchor != nil { throw aliasFailure(mark) }
        if tag != nil {
            throw failure("a tag", mark, hint: "Tags, which begin with '!', are not used here.")
        }
    }

    private func aliasFailure(_ mark: Mark) -> Failure {
        failure(
            "an anchor or alias", mark,
            hint: "Put text that begins with '*' or '&' into quotes; anchors are not used here.")
    }

    /// What libyaml could not read, in its own words.
    private func syntaxFailure() -> Failure {
        let problem = parser.pointee.problem.map { String(cString: $0) } ?? "unreadable text"
        if parser.pointee.error == YAML_READER_ERROR {
            return Failure(
                .usage, "\(problem) in \(name), byte \(parser.pointee.problem_offset + 1)",
                hint: "Save the file as UTF-8.")
        }
        return failure(
            "no YAML: \(problem)", Mark(parser.pointee.problem_mark),
            hint:
                """
                A key is followed by a colon and a space; entries of one level begin in one \
                column.
                """
        )
    }
}

extension Mark {
    fileprivate init(_ mark: yaml_mark_t) {
        self.init(line: Int(mark.line) + 1, column: Int(mark.column) + 1)
    }
}
