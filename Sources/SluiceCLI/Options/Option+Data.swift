internal import SluiceRecords

/// What is moved, and how it is read, written and loaded.
extension Option {
    static let dataOptions = [
        tables, exclude, filter, format, codec, shardBytes, rowBytes, consistency, position, count,
        constraints, onExisting, trustSchema, checkValues, owners, zeroDates, booleans, onBadRow,
        badRowLimit,
    ]

    private static let exporting: [Command] = [.run, .export, .plan]

    static let tables = Option(
        "tables", .globs, "GLOBS", in: .data, for: exporting,
        "only tables that match one of these patterns",
        """
        Patterns separated by commas; may be repeated. '*' stands for any run of characters, '?' \
        for one, '[a-z]' for one of a range, '[!a-z]' for one outside it, and a backslash makes \
        the next character plain. A pattern is matched against schema.table and against table \
        alone. One that matches nothing is an error.
        """)

    static let exclude = Option(
        "exclude", .globs, "GLOBS", in: .data, for: exporting,
        "leave out tables that match one of these patterns",
        "Patterns as in --tables; a table that matches is left out even where --tables names it.")

    static let filter = Option(
        "where", .filters, "TABLE=SQL", in: .data, for: exporting,
        "only rows of the table for which the condition holds",
        """
        A condition in the source's SQL; may be repeated, once for each table. In a job file it \
        is a mapping of tables to conditions.
        """)

    static let format = Option(
        "format", .choice(ShardFormat.Rendering.allCases.map(\.rawValue)), "avro|csv",
        default: .value("avro"), in: .shards, for: exporting,
        "how shards are written",
        "Avro containers, or CSV in the one dialect of docs/format.md.")

    static let codec = Option(
        "codec", .choice(ShardFormat.Codec.allCases.map(\.rawValue)), "CODEC",
        default: .value("zstandard"), in: .shards, for: exporting,
        "compression: zstandard, deflate, snappy or none",
        "How shards are compressed. CSV takes zstandard or none.")

    static let shardBytes = Option(
        "shard-bytes", .bytes(1 << 10...1 << 30), "BYTES", default: .value("32MiB"), in: .shards,
        for: exporting,
        "record bytes of a shard before compression",
        """
        A shard is cut when its records have reached this size. Memory grows with it: about twice \
        the lanes and one more shards are in work at a time.
        """)

    static let rowBytes = Option(
        "row-bytes", .bytes(1 << 10...1 << 30), "BYTES", default: .value("256MiB"), in: .shards,
        for: [.run, .export, .load, .verify, .plan],
        "refuse rows larger than this by name",
        """
        A larger row ends the command with the table and the key of the row. It bounds the memory \
        for one row.
        """
    )

    static let consistency = Option(
        "consistency", .choice(Consistency.allCases.map(\.rawValue)), "MODE",
        default: .value("snapshot"), in: .source, for: exporting,
        "how the source is kept still",
        """
        'snapshot' reads one consistent view while others go on writing; 'locked' keeps writers \
        out for the whole export; 'replica' reads a replica that stands still.
        """)

    static let position = Option(
        "position", .choice(["none", "slot"]), "none|slot", default: .value("none"), in: .source,
        for: exporting,
        "whether a slot is made for change capture",
        """
        'slot' makes a replication slot whose first change follows the snapshot exactly. \
        PostgreSQL only.
        """
    )

    static let count = Option(
        "count", .choice(["exact", "none"]), "exact|none", default: .value("exact"), in: .source,
        for: exporting,
        "count each table's rows under the snapshot",
        """
        'exact' compares one count(*) for each table, under the same snapshot, with the rows that \
        were exported. 'none' leaves this proof out, and the report says so.
        """)

    static let checkValues = Option(
        "check-values", .flag, in: .target, for: [.plan],
        "try every value against the target's columns",
        """
        Reads every row under the plan's snapshot and asks the target's own rules whether it would \
        be kept: length, range, form, NULL, characters, and unique keys that take different rows \
        for the same. Nothing is written. Values that would be refused are named, with exit code 6.
        """
    )

    static let constraints = Option(
        "constraints", .choice(["final", "initial"]), "final|initial", default: .value("final"),
        in: .target, for: [.run, .load, .plan],
        "when foreign keys are made",
        """
        'final' makes foreign keys after the rows are in; 'initial' makes acyclic ones with the \
        tables and loads parents first.
        """)

    static let onExisting = Option(
        "on-existing", .choice(OnExisting.allCases.map(\.rawValue)), "MODE",
        default: .value("refuse"), in: .target, for: [.run, .load, .plan],
        "refuse, use, truncate or replace what is there",
        """
        What may be in the target before the load. 'refuse': no object that is to be made may \
        exist. 'use': tables exist, are empty and keep their definition. 'truncate': like use, \
        after emptying our tables. 'replace': every object that is to be made is dropped first.
        """)

    static let trustSchema = Option(
        "trust-schema", .flag, in: .target, for: [.load],
        "run the dataset's own DDL",
        """
        Executes the DDL that the dataset carries, complete with views and triggers. Without it \
        load builds tables, keys and indexes from the plan, and names what that leaves out. Only \
        for datasets you trust.
        """)

    static let owners = Option(
        "owners", .choice(["keep", "skip"]), "MODE", default: .value("keep"), in: .target,
        for: [.run, .load, .plan],
        "whether objects keep their owners and grants",
        """
        'keep': objects of a PostgreSQL database have the owners and grants that they have in the \
        source; a role that the target lacks is refused. 'skip': they belong to the user of the \
        target, and nobody else is granted anything.
        """)

    static let zeroDates = Option(
        "zero-dates", .choice(["refuse", "null"]), "refuse|null", default: .value("refuse"),
        in: .target, for: [.run, .load, .verify, .plan],
        "what becomes of MySQL dates that no calendar has",
        """
        0000-00-00, 2024-00-15 or 2023-02-30, which MySQL and MariaDB can keep. 'refuse': a target \
        that lacks them refuses the row by name. 'null': they become NULL, in columns that allow \
        it from then on; in a primary key they are refused all the same.
        """)

    static let booleans = Option(
        "booleans", .list, "TYPES", in: .target, for: [.run, .load, .verify, .plan],
        "declarations whose columns become booleans",
        """
        Declarations of the source, separated by commas: 'tinyint(1),bit(1)'. Columns declared so \
        become booleans where the target has them, which is PostgreSQL; a value other than 0 and 1 \
        is refused by name.
        """)

    static let onBadRow = Option(
        "on-bad-row", .choice(["stop", "quarantine"]), "MODE", default: .value("stop"), in: .target,
        for: [.run, .load, .plan],
        "stop at a row that is refused, or set it aside",
        """
        'stop' ends the command at the first row that the target refuses. 'quarantine' keeps such \
        rows in the dataset, below rejects/, loads the others, and ends with exit code 3.
        """
    )

    static let badRowLimit = Option(
        "bad-row-limit", .count(1...1_000_000), "N", default: .value("1000"), in: .target,
        for: [.run, .load, .plan],
        "how many rows may be set aside",
        "More rows in quarantine than this end the command. Only with --on-bad-row quarantine.")
}
