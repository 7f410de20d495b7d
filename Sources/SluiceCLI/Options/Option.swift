/// One setting: a flag, an environment variable and a key of the job file, declared once (design
/// §8).
///
/// The table of all of them makes the parser, the help, the man page, the reference and the
/// completions.
struct Option: Sendable {
    /// What its value is.
    enum Kind: Sendable, Equatable {
        case flag
        case text
        case path
        case databaseURL
        case storeURL
        case count(ClosedRange<Int>)
        case bytes(ClosedRange<Int>)
        case duration(ClosedRange<Duration>)
        /// Patterns, comma separated; may be given more than once.
        case globs
        /// Texts, comma separated; may be given more than once.
        case list
        /// `TABLE=SQL`; may be given more than once.
        case filters
        case choice([String])
    }

    enum Fallback: Sendable, Equatable {
        case nothing
        case value(String)
        /// The number of cores of this machine.
        case cores
    }

    /// Headings of help, man page and reference.
    enum Group: String, Sendable, CaseIterable {
        case command = "This command"
        case endpoints = "Source, store and target"
        case data = "What is moved"
        case shards = "How shards are written"
        case source = "How the source is read"
        case target = "How the target is loaded"
        case pace = "Pace and limits"
        case output = "Output"
    }

    /// Without the dashes: the flag's name and the job file's key.
    let name: String
    let kind: Kind
    /// What help shows for the value: `URL`.
    let valueName: String
    let fallback: Fallback
    let group: Group
    let commands: [Command]
    /// One line, without a final stop.
    let summary: String
    /// A paragraph for man page and reference.
    let details: String
    /// The value is never shown.
    let isSecret: Bool

    init(
        _ name: String, _ kind: Kind, _ valueName: String = "",
        default fallback: Fallback = .nothing,
        in group: Group, for commands: [Command], isSecret: Bool = false, _ summary: String,
        _ details: String
    ) {
        self.name = name
        self.kind = kind
        self.valueName = valueName
        self.fallback = fallback
        self.group = group
        self.commands = commands
        self.isSecret = isSecret
        self.summary = summary
        self.details = details
    }
}

extension Option {
    var flag: String { "--" + name }

    /// `SLUICE_ON_EXISTING`.
    var environmentName: String {
        "SLUICE_"
            + String(name.map { $0 == "-" ? "_" : $0 }).uppercased()
    }

    /// Whether it may be given more than once, each time adding to what is there.
    var isRepeatable: Bool { [.globs, .list, .filters].contains(kind) }

    /// Whether it can be this word, which in YAML may mean that there is no value.
    func hasChoice(_ word: String) -> Bool {
        if case .choice(let known) = kind { known.contains(word) } else { false }
    }

    var isFlag: Bool { kind == .flag }

    /// `--format avro|csv` for help, `--source URL` elsewhere.
    var usage: String { valueName.isEmpty ? flag : "\(flag) \(valueName)" }

    /// What help shows behind the summary.
    var fallbackText: String? {
        switch fallback {
        case .nothing: nil
        case .value(let text): text
        case .cores: "the cores"
        }
    }

    /// In the order in which help shows them.
    static let all: [Option] = commandOptions + endpointOptions + dataOptions + runningOptions

    private static let byName: [String: Option] = Dictionary(
        uniqueKeysWithValues: all.map { ($0.name, $0) })

    /// The option of this name, without dashes.
    static func named(_ name: String) -> Option? { byName[name] }
}

extension Option: Hashable {
    static func == (left: Option, right: Option) -> Bool { left.name == right.name }

    func hash(into hasher: inout Hasher) { hasher.combine(name) }
}
