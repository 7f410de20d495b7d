internal import SluiceCore
internal import SluiceEngine
internal import SluiceRecords
internal import SluiceStore

/// One command with its settings: opens what it needs, runs it, shows progress, result and failure.
struct Invocation {
    /// What `doctor` takes a window to last where nobody says it.
    static let usualWindow = Duration.seconds(86_400)

    let values: SettingValues
    let settings: Settings
    let display: Display
    private let watch: Watch
    private let progressDisplay: ProgressDisplay
    let run: Run
    private let startedAt = Clock.now
    private let wallStart = Clock.wallSeconds

    init(_ values: SettingValues) throws(Failure) {
        self.values = values
        display = try Display(values)
        settings = try Settings(values)
        try values.checkRequired()
        watch = Watch(
            timeLimit: values.duration(.timeLimit), abortCommand: values.text(.abortIf))
        let progressDisplay = ProgressDisplay(Terminal.style(display))
        self.progressDisplay = progressDisplay
        let log = Log(threshold: display.threshold, format: display.logFormat) { line in
            progressDisplay.writeLog(line)
        }
        run = Run(settings: settings, stop: StopSignal(), log: log, progress: Progress())
    }

    /// The exit code, after everything has been said.
    func carryOut() -> Int32 {
        for warning in values.warnings { run.log.warning(warning) }
        do throws(Failure) {
            let outcome = try watch.watch(run.stop) { () throws(Failure) in
                try progressDisplay.show(run.progress) { () throws(Failure) in
                    try perform()
                }
            }
            return conclude(outcome)
        } catch {
            run.log.failure(error)
            if display.writesJSON {
                let seconds = (Clock.now - startedAt).inSeconds
                let json = ResultText.json(of: error, command: values.command, seconds: seconds)
                Program.write(json.compact + "\n")
            }
            return error.kind.exitCode
        }
    }

    private func conclude(_ outcome: Outcome) -> Int32 {
        for warning in outcome.warnings where !progressDisplay.hasLogged(warning) {
            run.log.warning(warning)
        }
        var text =
            display.writesJSON ? outcome.json.compact + "\n" : ResultText.text(outcome)
        if StandardStream.output.isTerminal {
            text = TerminalText.plain(text, keeping: ["\n", "\t"])
        }
        let written = Program.write(text)
        return outcome.exitCode == 0 ? written : outcome.exitCode
    }
}

/// What the command line names, opened.
extension Invocation {
    func source() throws(Failure) -> any Source {
        guard let source = try optionalSource() else { throw missing(.source) }
        return source
    }

    func optionalSource() throws(Failure) -> (any Source)? {
        guard let text = values.text(.source) else { return nil }
        return try Drivers.openSource(try DatabaseURL(text), access(.sourcePasswordCommand))
    }

    func target() throws(Failure) -> any Target {
        guard let target = try optionalTarget() else { throw missing(.target) }
        return target
    }

    func optionalTarget() throws(Failure) -> (any Target)? {
        guard let text = values.text(.target) else { return nil }
        return try Drivers.openTarget(try DatabaseURL(text), access(.targetPasswordCommand))
    }

    func store() throws(Failure) -> any Store {
        guard let store = try optionalStore() else { throw missing(.store) }
        return store
    }

    func optionalStore() throws(Failure) -> (any Store)? {
        guard let text = values.text(.store) else { return nil }
        let url = try StoreURL(text)
        return wrapped(
            try Drivers.openStore(url.service, at: url.location(at: wallStart), storeAccess))
    }

    /// The place below which datasets are found that were exported to this URL at any time.
    func storeOfAllTimes() throws(Failure) -> any Store {
        guard let text = values.text(.store) else { throw missing(.store) }
        let url = try StoreURL(text)
        guard let split = url.splitAtPlaceholder() else { return try store() }
        let below = try Drivers.openStore(url.service, at: split.base, storeAccess)
        return DatedStore(wrapped(below), pattern: split.pattern)
    }

    private var storeAccess: Drivers.StoreAccess {
        Drivers.StoreAccess(
            http: HTTPOptions(
                caBundle: values.text(.caBundle),
                clientCertificate: values.text(.clientCertificate),
                clientKey: values.text(.clientKey)),
            passwordCommand: values.text(.storePasswordCommand))
    }

    /// One retry policy and one limit for whatever store it is.
    private func wrapped(_ store: any Store) -> any Store {
        let log = run.log
        let retrying = RetryingStore(store, retry: Retry(), stop: run.stop) { failure, number in
            log.info("attempt \(number) failed and is repeated: \(failure.headline)")
        }
        let upload = values.number(.uploadLimit)
        let download = values.number(.downloadLimit)
        guard upload != nil || download != nil else { return retrying }
        return LimitedStore(
            retrying, uploadLimit: upload, downloadLimit: download, stop: run.stop)
    }

    private func access(_ passwordOption: Option) -> Drivers.DatabaseAccess {
        Drivers.DatabaseAccess(
            passwordOption: passwordOption, passwordCommand: values.text(passwordOption),
            postgresFolder: values.text(.postgresFolder))
    }

    private func missing(_ option: Option) -> Failure {
        Failure(.usage, "'sluice \(values.command.name)' needs '\(option.flag)'")
    }
}
