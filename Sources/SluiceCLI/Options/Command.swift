/// What sluice can be told to do, in the order in which help shows it.
enum Command: String, Sendable, CaseIterable {
    case run
    case export
    case load
    case verify
    case plan
    case status
    case inspect
    case handoff
    case prune
    case doctor

    /// The command's name as it is typed.
    var name: String { rawValue }

    /// The options that have to be given, on the command line, in the environment or in the job
    /// file.
    var required: [Option] {
        switch self {
        case .run: [.source, .store, .target]
        case .export: [.source, .store]
        case .load, .verify: [.store, .target]
        case .plan: [.source]
        case .inspect: [.store]
        case .handoff: [.store, .form]
        case .prune: [.store, .keep]
        case .status, .doctor: []
        }
    }

    /// Endpoints that may be given besides the required ones, for the usage line.
    private var optionalEndpoints: [Option] {
        switch self {
        case .plan: [.target]
        case .status: [.store, .source, .target]
        case .doctor: [.source, .store, .target]
        default: []
        }
    }

    /// Every option it takes, in the table's order.
    var options: [Option] { Option.all.filter { $0.commands.contains(self) } }

    /// `sluice run --source URL --store URL --target URL [options]`.
    var usage: String {
        var words = ["sluice", name]
        words += required.map(\.usage)
        words += optionalEndpoints.map { "[\($0.usage)]" }
        return (words + ["[options]"]).joined(separator: " ")
    }

    /// One line for the list of commands.
    var summary: String {
        switch self {
        case .run: "export, load and verify, overlapped"
        case .export: "export a snapshot of a source into a dataset"
        case .load: "load a dataset into a target"
        case .verify: "compare a target with a dataset's digests"
        case .plan: "show what would be done; writes nothing"
        case .status: "show how far a dataset is and what is held"
        case .inspect: "look inside a dataset, without a database"
        case .handoff: "print what the next stage needs to start from the position"
        case .prune: "remove old datasets"
        case .doctor: "check source, store and target before the window"
        }
    }

    /// A paragraph for help, man page and reference.
    var details: String {
        switch self {
        case .run:
            """
            Exports one consistent snapshot of the source into shards, puts them into the store, \
            loads them into the target while the export goes on, and proves by digests that \
            nothing was lost or changed. The same command again continues where it stopped, and \
            does nothing once it is done.
            """
        case .export:
            """
            Exports one consistent snapshot of the source into a dataset in the store. A finished \
            dataset is never touched: exporting onto it does nothing and says so.
            """
        case .load:
            """
            Loads a dataset into a target, each shard in one transaction with its row in the \
            ledger. An unfinished dataset is loaded as far as it is sealed. With an 'import' \
            section in the job file it loads Avro or CSV files that another program exported.
            """
        case .verify:
            """
            Reads the target back and compares it with the digests of the dataset. Where they \
            differ it names the rows that are missing, extra or changed.
            """
        case .plan:
            """
            Reads the source's catalogue and shows tables, chunks, memory and whatever will \
            differ in the target. Nothing is written anywhere.
            """
        case .status:
            """
            Shows how far a dataset is, who works on it and what is held on its source. With \
            --release what a dead run still holds is freed. With --source alone it shows what is \
            held there and how it is freed, for when the store is not at hand.
            """
        case .inspect:
            """
            Shows a dataset's tables, schemas, chunks and shards, or the first rows of a shard.
            """
        case .handoff:
            """
            Prints the position of the snapshot in the form that the next stage, such as change \
            capture, needs to start from exactly there.
            """
        case .prune:
            """
            Removes the oldest finished datasets below the store's URL and keeps the newest. A \
            placeholder in the URL stands for every date or time, so the export's own job file \
            can be used.
            """
        case .doctor:
            """
            Checks that whatever is given can be reached, read and written, and how fast; nothing \
            that was there is changed.
            """
        }
    }

    /// Whole command lines that can be typed as they are, with what each does.
    var examples: [(line: String, what: String)] {
        switch self {
        case .run:
            [
                (
                    "sluice run --source sqlite:app.db --store file:out --target sqlite:copy.db",
                    "migrate a database through a folder"
                ),
                ("sluice run --config job.yaml --time-limit 2h", "let a job file say what to move"),
            ]
        case .export:
            [
                (
                    "sluice export --source sqlite:app.db --store 'file:backup/{date}'",
                    "export every day into a folder of its own"
                ),
                (
                    "sluice export --source sqlite:app.db --store file:out --tables 'order*'",
                    "export some tables"
                ),
            ]
        case .load:
            [
                (
                    "sluice load --store file:out --target sqlite:test.db --on-existing replace",
                    "seed a test database"
                )
            ]
        case .verify:
            [("sluice verify --store file:out --target sqlite:copy.db", "check a target once more")]
        case .plan:
            [
                ("sluice plan --source sqlite:app.db", "see what an export would do"),
                ("sluice plan --config job.yaml --show-settings", "see what is set, and where"),
            ]
        case .status:
            [
                ("sluice status --store file:out", "see how far an export is"),
                ("sluice status --source sqlite:app.db", "see what is held there"),
            ]
        case .inspect:
            [
                ("sluice inspect --store file:out", "list the tables of a dataset"),
                (
                    "sluice inspect --store file:out --table orders --head 5",
                    "see a table's first rows"
                ),
            ]
        case .handoff:
            [("sluice handoff --store file:out --for json", "print the position")]
        case .prune:
            [
                (
                    "sluice prune --store 'file:backup/{date}' --keep 7 --dry-run",
                    "see which datasets would go"
                )
            ]
        case .doctor:
            [("sluice doctor --source sqlite:app.db --store file:out", "check both ends")]
        }
    }
}
