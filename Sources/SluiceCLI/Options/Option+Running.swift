/// Pace, limits and what is shown.
extension Option {
    static let runningOptions = [
        lanes, join, uploadLimit, downloadLimit, timeLimit, abortIf, hideKeys, output, logFormat,
        quiet,
        verbose,
    ]

    private static let moving: [Command] = [.run, .export, .load, .verify]

    static let lanes = Option(
        "lanes", .count(1...256), "N", default: .cores, in: .pace, for: moving + [.plan],
        "how many lanes read, compress and load",
        "Each lane is a thread with its own connections. Memory grows with it; plan prints the sum."
    )

    static let join = Option(
        "join", .flag, in: .pace, for: [.run, .export, .load],
        "share the work with a run that is under way",
        """
        Takes part in an export or load that another process is doing, instead of being refused \
        with exit 6.
        """
    )

    static let uploadLimit = Option(
        "upload-limit", .bytes(1 << 10...1 << 40), "BYTES", in: .pace, for: [.run, .export],
        "bytes per second that are put into the store",
        "The limit holds for the whole process, not for each lane.")

    static let downloadLimit = Option(
        "download-limit", .bytes(1 << 10...1 << 40), "BYTES", in: .pace,
        for: [.run, .load, .verify],
        "bytes per second that are taken from the store",
        "The limit holds for the whole process, not for each lane.")

    static let timeLimit = Option(
        "time-limit", .duration(.seconds(1)...(.seconds(30 * 86_400))), "DURATION", in: .pace,
        for: moving + [.doctor],
        "stop cleanly after this time, with exit 4",
        """
        What is open is finished or rolled back; the same command continues. Like 90s, 30m, 4h or \
        1h30m. 'doctor' takes it for what export, load and catching up may take together, and \
        warns where the source keeps its log for less.
        """
    )

    static let abortIf = Option(
        "abort-if", .text, "COMMAND", in: .pace, for: moving,
        "stop cleanly when this shell command succeeds",
        """
        A shell command, run at the start and then every 10 seconds. When it exits 0 the work \
        stops as at a time limit, with exit 4.
        """)

    static let hideKeys = Option(
        "hide-keys", .flag, in: .output, for: moving + [.plan],
        "name rows by shard and place instead of by key",
        """
        Key values of rows at fault appear in messages and reports. With this flag shard and \
        ordinal do.
        """
    )

    static let output = Option(
        "output", .choice(["text", "json"]), "text|json", default: .value("text"), in: .output,
        for: Command.allCases,
        "form of the result on standard output",
        """
        With json standard output is exactly one object at the end (docs/json-output.md), on \
        failures, too.
        """
    )

    static let logFormat = Option(
        "log-format", .choice(["text", "json"]), "text|json", default: .value("text"), in: .output,
        for: Command.allCases,
        "form of log and progress on standard error",
        "With json each line of standard error is one object, and progress is lines, too.")

    static let quiet = Option(
        "quiet", .flag, in: .output, for: Command.allCases,
        "only warnings and errors on standard error",
        "No progress and no notes.")

    static let verbose = Option(
        "verbose", .flag, in: .output, for: Command.allCases,
        "more notes on standard error",
        "Says what is done step by step.")
}
