internal import Glibc
internal import SluiceCore
internal import SluiceEngine

/// For each option of a command the strongest value: flag before environment before job file
/// before default.
struct SettingValues: Sendable {
    let command: Command
    private var given: [Option: Given] = [:]
    /// From the job file's `import` section.
    private(set) var imports: [ImportFile] = []
    /// From its `overrides` section.
    private(set) var overrides = Overrides()
    private(set) var warnings: [String] = []

    /// - Parameter environment: the variables whose names begin with `SLUICE_`.
    init(
        _ command: Command, typed: [Option: Given], environment: [(name: String, value: [UInt8])]
    ) throws(Failure) {
        self.command = command
        let variables = try Environment.read(environment)
        warnings = variables.warnings
        var file = JobFile()
        if case .text(let path)? = (typed[.config] ?? variables.given[.config])?.value {
            file = try JobFile(path: path)
        }
        // What another command needs may stand in the environment and the job file; it was checked
        // all the same.
        for option in command.options {
            let value = typed[option] ?? variables.given[option] ?? file.given[option]
            if let value {
                given[option] = value
            } else {
                given[option] = try SettingValues.standard(option)
            }
        }
        if command == .load || command == .verify { imports = file.imports }
        if [.run, .load, .verify, .plan].contains(command) { overrides = file.overrides }
    }

    private static func standard(_ option: Option) throws(Failure) -> Given? {
        switch option.fallback {
        case .nothing: return option.isFlag ? Given(value: .flag(false), origin: .standard) : nil
        case .value(let text): return try option.value(of: text, from: .standard)
        case .cores: return Given(value: .number(coreCount), origin: .standard)
        }
    }

    private static var coreCount: Int { min(max(sysconf(Int32(_SC_NPROCESSORS_ONLN)), 1), 256) }

    func origin(_ option: Option) -> Origin? { given[option]?.origin }

    func flag(_ option: Option) -> Bool {
        if case .flag(let isSet)? = given[option]?.value { isSet } else { false }
    }

    func text(_ option: Option) -> String? {
        if case .text(let text)? = given[option]?.value { text } else { nil }
    }

    func number(_ option: Option) -> Int? {
        if case .number(let number)? = given[option]?.value { number } else { nil }
    }

    func duration(_ option: Option) -> Duration? {
        if case .duration(let duration)? = given[option]?.value { duration } else { nil }
    }

    func list(_ option: Option) -> [String] {
        if case .list(let items)? = given[option]?.value { items } else { [] }
    }

    func filters(_ option: Option) -> [Settings.Filter] {
        if case .filters(let filters)? = given[option]?.value { filters } else { [] }
    }

    /// The options the command cannot do without, and those that need another one.
    func checkRequired() throws(Failure) {
        if let missing = command.required.first(where: { given[$0] == nil }) {
            throw Failure(
                .usage, "'sluice \(command.name)' needs '\(missing.flag)'",
                hint:
                    "Give '\(missing.usage)', set \(missing.environmentName), "
                    + "or write '\(missing.name):' into a job file."
            )
        }
        if command == .doctor, [Option.source, .store, .target].allSatisfy({ given[$0] == nil }) {
            throw Failure(
                .usage, "'sluice doctor' needs '--source', '--store' or '--target'",
                hint: "Give whatever the window will need; it is checked and left as it is.")
        }
        if command == .status, given[.store] == nil {
            let needsStore = given[.target] != nil || flag(.release)
            guard !needsStore, given[.source] != nil else {
                throw Failure(
                    .usage,
                    "'sluice status' needs '--store'" + (needsStore ? "" : " or '--source'"),
                    hint: "Give the store of a dataset, or, to see what is held on a database, "
                        + "'--source' alone.")
            }
        }
        if given[.table] != nil, given[.shard] != nil {
            throw Failure(
                .usage, "'--table' and '--shard' exclude each other",
                hint: "A shard's key says which table it belongs to.")
        }
        if given[.head] != nil, given[.table] == nil, given[.shard] == nil {
            throw Failure(
                .usage, "'--head' needs '--table' or '--shard'",
                hint: "Say whose first rows you want to see.")
        }
    }

    /// Name, value and origin of every option the command takes, for `plan --show-settings`.
    var table: [(name: String, value: String, origin: String)] {
        command.options.map { option in
            guard let given = given[option] else {
                return (name: option.name, value: "", origin: "not set")
            }
            return (
                name: option.name, value: given.value.shown(for: option),
                origin: given.origin.description(of: option)
            )
        }
    }
}
