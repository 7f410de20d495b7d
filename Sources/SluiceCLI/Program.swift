internal import Glibc
internal import SluiceCore
internal import SluiceEngine

/// The whole program: from what was typed to the exit code.
public enum Program {
    /// Reads the process's arguments and environment, does what they say, and returns the exit
    /// code.
    public static func run() -> Int32 {
        StopSignal.catchSignals()
        let environment = Environment.variables()
        do throws(Failure) {
            return try run(try arguments(), environment: environment)
        } catch {
            // Nothing is known of the settings yet but what can be seen without reading them.
            let early = EarlyDisplay(swiftArguments, environment)
            Log(format: early.logFormat).failure(error)
            if early.writesJSON {
                let command = swiftArguments.lazy.compactMap(Command.init).first
                write(ResultText.json(of: error, command: command).compact + "\n")
            }
            return error.kind.exitCode
        }
    }

    /// - Throws: what is wrong with the command line or the settings; what a command meets is in
    ///   its exit code.
    private static func run(
        _ arguments: [String], environment: [(name: String, value: [UInt8])]
    ) throws(Failure) -> Int32 {
        let typed = try TypedLine(arguments)
        switch typed.request {
        case .nothing:
            StandardStream.error.write(Help.short)
            return Failure.Kind.usage.exitCode
        case .version: return write("sluice \(Version.text)\n")
        case .help(let topics): return write(try Help.of(topics))
        case .command(let command):
            let values = try SettingValues(command, typed: typed.given, environment: environment)
            if values.flag(.showSettings) { return try showSettings(values) }
            return try Invocation(values).carryOut()
        }
    }

    private static func showSettings(_ values: SettingValues) throws(Failure) -> Int32 {
        // What does not fit together is worth knowing here, too.
        let display = try Display(values)
        _ = try Settings(values)
        let log = Log(threshold: display.threshold, format: display.logFormat)
        for warning in values.warnings { log.warning(warning) }
        let text = display.writesJSON ? values.json.compact + "\n" : values.text
        return write(text)
    }

    /// Writes a result to standard output. A reader that went away is no failure; a full disk is.
    @discardableResult
    static func write(_ text: String) -> Int32 {
        if StandardStream.output.write(text) || errno == EPIPE { return 0 }
        let reason = String(cString: strerror(errno))
        Log().failure(
            Failure(
                .failed, "the result cannot be written to standard output: \(reason)",
                hint: "Is the disk behind it full?"))
        return Failure.Kind.failed.exitCode
    }

    /// Without the program's name. `CommandLine.arguments` would repair what is not UTF-8, and so
    /// name another file.
    private static func arguments() throws(Failure) -> [String] {
        var arguments: [String] = []
        for index in 1..<max(1, Int(CommandLine.argc)) {
            guard let bytes = CommandLine.unsafeArgv[index] else { continue }
            guard let text = String(validatingCString: bytes) else {
                throw Failure(.usage, "argument \(index) is not valid UTF-8")
            }
            arguments.append(text)
        }
        return arguments
    }

    private static var swiftArguments: [String] { Array(CommandLine.arguments.dropFirst()) }
}

/// How to show a failure that was found before the settings were read.
struct EarlyDisplay: Equatable {
    var writesJSON: Bool
    var logFormat: Log.Format

    init(_ arguments: [String], _ environment: [(name: String, value: [UInt8])]) {
        writesJSON = EarlyDisplay.isJSON(.output, arguments, environment)
        logFormat = EarlyDisplay.isJSON(.logFormat, arguments, environment) ? .json : .text
    }

    private static func isJSON(
        _ option: Option, _ arguments: [String], _ environment: [(name: String, value: [UInt8])]
    ) -> Bool {
        for (index, argument) in arguments.enumerated() {
            if argument == "\(option.flag)=json" { return true }
            if argument == option.flag, arguments.dropFirst(index + 1).first == "json" {
                return true
            }
            if argument.hasPrefix("\(option.flag)=") || argument == option.flag { return false }
        }
        return environment.contains {
            $0.name == option.environmentName && $0.value == Array("json".utf8)
        }
    }
}

extension SettingValues {
    /// Three columns: name, value, origin.
    var text: String {
        let rows = table
        let nameWidth = rows.map(\.name.count).max() ?? 0
        let valueWidth = min(40, rows.map { TerminalText.columns($0.value) }.max() ?? 0)
        return rows.map { row in
            let gap = max(0, valueWidth - TerminalText.columns(row.value))
            return TextLayout.padded(row.name, nameWidth) + "  " + row.value
                + String(repeating: " ", count: gap) + "  " + row.origin + "\n"
        }.joined()
    }

    /// The same as one object.
    var json: JSON {
        let rows = table.map { row -> JSON in
            [
                "name": .string(row.name), "value": row.value.isEmpty ? .null : .string(row.value),
                "origin": .string(row.origin),
            ]
        }
        return ["command": .string(command.name), "settings": .array(rows)]
    }
}
