/// Where from and where to.
extension Option {
    static let endpointOptions = [
        config, source, store, target, sourcePasswordCommand, targetPasswordCommand,
    ]

    static let config = Option(
        "config", .path, "FILE", in: .endpoints, for: Command.allCases,
        "job file with settings",
        """
        A YAML file whose keys are the names of the options without the dashes. Flags and \
        environment variables win over it. Keys that the command does not use are checked and \
        then ignored, so one file serves export, load and verify.
        """)

    static let source = Option(
        "source", .databaseURL, "URL", in: .endpoints,
        for: [.run, .export, .plan, .status, .doctor],
        "database to read",
        "The database to read: sqlite:PATH, where everything behind the colon is the path as it is."
    )

    static let store = Option(
        "store", .storeURL, "URL", in: .endpoints,
        for: [.run, .export, .load, .verify, .status, .inspect, .handoff, .prune, .doctor],
        "where the dataset is kept",
        """
        The place of the dataset: file:PATH for a folder. {date} and {time} stand for the moment \
        of the start in UTC, like 2026-01-31 and 235959.
        """)

    static let target = Option(
        "target", .databaseURL, "URL", in: .endpoints,
        for: [.run, .load, .verify, .plan, .status, .doctor],
        "database to write",
        "The database to write: sqlite:PATH. A file that does not exist is made.")

    static let sourcePasswordCommand = Option(
        "source-password-command", .text, "COMMAND", in: .endpoints,
        for: [.run, .export, .plan, .status, .doctor], isSecret: true,
        "command that prints the source's password",
        """
        A shell command whose first line of output is the password, so that it stands in no file \
        and in no list of processes. Only for databases that take a password.
        """)

    static let targetPasswordCommand = Option(
        "target-password-command", .text, "COMMAND", in: .endpoints,
        for: [.run, .load, .verify, .plan, .status, .doctor], isSecret: true,
        "command that prints the target's password",
        """
        A shell command whose first line of output is the password, so that it stands in no file \
        and in no list of processes. Only for databases that take a password.
        """)
}
