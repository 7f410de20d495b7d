/// Options of one command each.
extension Option {
    static let commandOptions = [
        showSettings, release, table, shard, head, form, keep, dryRun,
    ]

    static let showSettings = Option(
        "show-settings", .flag, in: .command, for: [.plan],
        "print every setting and where it came from",
        """
        Prints name, value and origin (flag, environment, job file with line and column, default) \
        of every setting, and does nothing else. Secrets are masked.
        """)

    static let release = Option(
        "release", .flag, in: .command, for: [.status],
        "free what a run that is gone still holds on the source",
        """
        Releases what the dataset's holds name, such as a paused replica or a replication slot, \
        when the run that took it is gone.
        """)

    static let table = Option(
        "table", .text, "TABLE", in: .command, for: [.inspect],
        "look at this table only",
        """
        Shows one table: its schema, its chunks and its shards. The name is written as the \
        dataset lists it.
        """
    )

    static let shard = Option(
        "shard", .text, "KEY", in: .command, for: [.inspect],
        "look at this shard only",
        """
        Shows one shard: its schema, its codec, its blocks and its sums. The key is one that \
        inspect lists.
        """
    )

    static let head = Option(
        "head", .count(1...1_000_000), "N", in: .command, for: [.inspect],
        "show the first N rows",
        "Prints the first rows of the table or shard, as CSV with a header line.")

    static let form = Option(
        "for", .text, "FORM", in: .command, for: [.handoff],
        "form of the position: what the next stage reads",
        """
        The form in which the position is printed: 'json' as it is; 'postgres', 'mariadb' or \
        'mysql' as SQL that starts the engine's own replication on the target; 'debezium' as a \
        connector with its offset; 'datastream' as what a stream of Google's Datastream is started \
        from. A source without a change log has none to hand over.
        """
    )

    static let keep = Option(
        "keep", .count(1...100_000), "N", in: .command, for: [.prune],
        "how many finished datasets stay",
        """
        The newest N finished datasets stay; older ones are removed. Unfinished ones that \
        somebody works on stay, too.
        """
    )

    static let dryRun = Option(
        "dry-run", .flag, in: .command, for: [.prune],
        "say what would be removed and remove nothing",
        "Lists the datasets that would be removed, with their sizes.")
}
