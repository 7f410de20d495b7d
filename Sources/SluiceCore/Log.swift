internal import Glibc

/// What happened, line by line, on standard error: text for people or one JSON object a line.
public final class Log: Sendable {
    public enum Level: Int, Sendable, Comparable {
        case debug = 0
        case info = 1
        case warning = 2
        case error = 3

        public static func < (left: Level, right: Level) -> Bool { left.rawValue < right.rawValue }

        var name: String {
            switch self {
            case .debug: "debug"
            case .info: "info"
            case .warning: "warning"
            case .error: "error"
            }
        }
    }

    public enum Format: String, Sendable {
        case text
        case json
    }

    private let threshold: Level
    private let format: Format
    private let write: @Sendable (String) -> Void

    /// - Parameter write: takes one finished line with its line feed; a live display clears itself
    ///   around it.
    public init(
        threshold: Level = .info, format: Format = .text,
        write: @escaping @Sendable (String) -> Void = Log.writeToStandardError
    ) {
        self.threshold = threshold
        self.format = format
        self.write = write
    }

    /// Says nothing; for tests and for commands whose result is all there is to say.
    public static let silent = Log(threshold: .error, write: { _ in })

    public func debug(_ message: @autoclosure () -> String) { emit(.debug, message) }
    public func info(_ message: @autoclosure () -> String) { emit(.info, message) }
    public func warning(_ message: @autoclosure () -> String) { emit(.warning, message) }

    /// A failure that ends the command; `sluice: message`, its places and its hint.
    public func failure(_ failure: Failure) {
        switch format {
        case .text: write("sluice: \(failure)\n")
        case .json:
            let object: JSON = [
                "time": .string(Clock.timestamp()),
                "level": "error",
                "message": .string(failure.message),
                "code": JSON(failure.code),
                "while": .array(failure.places.map(JSON.string)),
                "hint": JSON(failure.hint),
                "exit": .int(Int(failure.kind.exitCode)),
            ]
            write(object.compact + "\n")
        }
    }

    private func emit(_ level: Level, _ message: () -> String) {
        guard level >= threshold else { return }
        switch format {
        case .text:
            write(level == .warning ? "warning: \(message())\n" : message() + "\n")
        case .json:
            let object: JSON = [
                "time": .string(Clock.timestamp()), "level": .string(level.name),
                "message": .string(message()),
            ]
            write(object.compact + "\n")
        }
    }

    public static let writeToStandardError: @Sendable (String) -> Void = { line in
        StandardStream.error.write(line)
    }
}

/// Whole writes to standard output and standard error, without buffering between them.
public enum StandardStream: Sendable {
    case output
    case error

    var descriptor: Int32 { self == .output ? 1 : 2 }

    /// False when nobody reads any more, or the disk behind it is full.
    @discardableResult
    public func write(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)
            while !rest.isEmpty {
                let written = Glibc.write(descriptor, rest.baseAddress, rest.count)
                if written < 0 {
                    if errno == EINTR { continue }
                    return false
                }
                rest = UnsafeRawBufferPointer(rebasing: rest[written...])
            }
            return true
        }
    }

    /// Whether a person looks at it.
    public var isTerminal: Bool { isatty(descriptor) == 1 }
}
