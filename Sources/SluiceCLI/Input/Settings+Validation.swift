internal import SluiceCore
internal import SluiceEngine
internal import SluiceRecords

/// The second stage: values that are each of their kind become settings that fit together.
extension Settings {
    init(_ values: SettingValues) throws(Failure) {
        self.init()
        tables = values.list(.tables)
        exclude = values.list(.exclude)
        filters = values.filters(.filter)
        try Settings.refuseRepeatedFilter(filters)
        format = try Settings.format(values)
        if let bytes = values.number(.shardBytes) { shardBytes = bytes }
        if let bytes = values.number(.rowBytes) { rowBytes = bytes }
        if let count = values.number(.lanes) { lanes = count }
        if let mode = values.text(.consistency).flatMap(Consistency.init) { consistency = mode }
        takesSlot = values.text(.position) == "slot"
        countsExactly = values.text(.count) != "none"
        constraintsInitial = values.text(.constraints) == "initial"
        if let mode = values.text(.onExisting).flatMap(OnExisting.init) { onExisting = mode }
        trustsSchema = values.flag(.trustSchema)
        joins = values.flag(.join)
        checksValues = values.flag(.checkValues)
        hidesKeys = values.flag(.hideKeys)
        skipsOwners = values.text(.owners) == "skip"
        imports = values.imports
        overrides = values.overrides
        overrides.nullsZeroDates = values.text(.zeroDates) == "null"
        overrides.booleans = values.list(.booleans)
        badRowLimit = try Settings.badRowLimit(values)
    }

    private static func format(_ values: SettingValues) throws(Failure) -> ShardFormat {
        guard let rendering = values.text(.format).flatMap(ShardFormat.Rendering.init),
            let codec = values.text(.codec).flatMap(ShardFormat.Codec.init)
        else { return ShardFormat(.avro, .zstandard) }
        guard rendering == .avro || codec == .zstandard || codec == .none else {
            throw Failure(
                .usage, "'--codec \(codec.rawValue)' does not go with '--format csv'",
                hint: "CSV shards take the codec zstandard or none.")
        }
        return ShardFormat(rendering, codec)
    }

    private static func refuseRepeatedFilter(_ filters: [Filter]) throws(Failure) {
        var tables: Set<Name> = []
        for filter in filters where !tables.insert(Name(filter.table)).inserted {
            throw Failure(
                .usage, "'--where' is given twice for the table '\(Redaction.shown(filter.table))'",
                hint: "Join the two conditions with AND.")
        }
    }

    private static func badRowLimit(_ values: SettingValues) throws(Failure) -> Int? {
        if values.text(.onBadRow) == "quarantine" {
            guard values.imports.isEmpty else {
                throw Failure(
                    .usage, "'--on-bad-row quarantine' does not go with 'import'",
                    hint: "There is no dataset that rows could be set aside in; leave it out.")
            }
            return values.number(.badRowLimit)
        }
        if let origin = values.origin(.badRowLimit), origin != .standard {
            throw Failure(
                .usage, "'--bad-row-limit' needs '--on-bad-row quarantine'",
                hint: "Without a quarantine the first row that is refused stops the load.")
        }
        return nil
    }
}

/// How much is said, and in which form.
struct Display: Sendable, Equatable {
    var writesJSON = false
    var logFormat = Log.Format.text
    var threshold = Log.Level.info
    /// Progress is for whoever watches, and `--quiet` says that nobody does.
    var isQuiet = false

    init(_ values: SettingValues) throws(Failure) {
        writesJSON = values.text(.output) == "json"
        logFormat = values.text(.logFormat).flatMap(Log.Format.init) ?? .text
        switch (values.flag(.quiet), values.flag(.verbose)) {
        case (true, true):
            let quiet = values.origin(.quiet)?.strength ?? 0
            let verbose = values.origin(.verbose)?.strength ?? 0
            guard quiet != verbose else {
                throw Failure(
                    .usage, "'--quiet' and '--verbose' exclude each other",
                    hint: "Leave one of them out.")
            }
            set(isQuiet: quiet > verbose)
        case (true, false): set(isQuiet: true)
        case (false, true): set(isQuiet: false)
        case (false, false): break
        }
    }

    private mutating func set(isQuiet: Bool) {
        self.isQuiet = isQuiet
        threshold = isQuiet ? .warning : .debug
    }
}
