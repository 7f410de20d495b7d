/// Where from and where to.
extension Option {
    static let endpointOptions = [
        config, source, store, target, sourcePasswordCommand, targetPasswordCommand,
        postgresFolder, storePasswordCommand, caBundle, clientCertificate, clientKey,
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
        """
        The database to read: sqlite:PATH, where everything behind the colon is the path as it is, \
        or postgres://USER@HOST:PORT/DATABASE with the parameters of libpq behind a question mark. \
        The variables PG… and the password file of PostgreSQL count.
        """)

    static let store = Option(
        "store", .storeURL, "URL", in: .endpoints,
        for: [.run, .export, .load, .verify, .status, .inspect, .handoff, .prune, .doctor],
        "where the dataset is kept",
        """
        The place of the dataset: file:PATH for a folder, s3://BUCKET/PREFIX for any S3-compatible \
        store, gs://BUCKET/PREFIX for Google Cloud Storage, http://HOST/PATH or https://HOST/PATH \
        for a server that takes PUT and GET, with WebDAV or without. Behind s3:// may stand \
        ?endpoint=URL&region=NAME, and also style=path or style=virtual, sse=NAME, \
        sse-kms-key-id=ID and storage-class=NAME; behind gs:// ?endpoint=URL. Credentials are \
        found where the tools of AWS and of Google find them. {date} and {time} stand for the \
        moment of the start in UTC, like 2026-01-31 and 235959.
        """)

    static let target = Option(
        "target", .databaseURL, "URL", in: .endpoints,
        for: [.run, .load, .verify, .plan, .status, .doctor],
        "database to write",
        """
        The database to write: sqlite:PATH, where a file that does not exist is made, or \
        postgres://USER@HOST:PORT/DATABASE as for the source; that database must exist.
        """)

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

    static let postgresFolder = Option(
        "pg-bin", .path, "DIR", in: .endpoints, for: [.run, .export, .plan],
        "folder of PostgreSQL's own programs",
        """
        Where pg_dump is, which prints the schema of a PostgreSQL source. It must not be older \
        than the server. Without this option it is looked for where Debian has it and in PATH.
        """)

    static let storePasswordCommand = Option(
        "store-password-command", .text, "COMMAND", in: .endpoints, for: storeCommands,
        isSecret: true,
        "command that prints the store's password",
        """
        A shell command whose first line of output is the password of the user in an http:// or \
        https:// URL of a store, or, where the URL names no user, a bearer token.
        """)

    static let caBundle = Option(
        "ca-bundle", .path, "FILE", in: .endpoints, for: storeCommands,
        "certificates to trust when talking to the store",
        """
        A file of certificates in PEM form that are trusted instead of the system's when talking \
        to a store over HTTPS. The variables CURL_CA_BUNDLE, SSL_CERT_FILE and, for s3://, \
        AWS_CA_BUNDLE count where it is not given.
        """)

    static let clientCertificate = Option(
        "client-certificate", .path, "FILE", in: .endpoints, for: storeCommands,
        "certificate to show to the store",
        "A file in PEM form with the certificate that a store over HTTPS asks for.")

    static let clientKey = Option(
        "client-key", .path, "FILE", in: .endpoints, for: storeCommands,
        "key of that certificate",
        "A file in PEM form with the key of --client-certificate, where that file holds none.")

    private static let storeCommands: [Command] = [
        .run, .export, .load, .verify, .status, .inspect, .handoff, .prune, .doctor,
    ]
}
