internal import SluiceCore
internal import SluiceEngine
internal import SluiceRecords

/// The `import` section of a job file: files that another program exported, table by table.
struct ImportSection: JobFileSection {
    let name: String

    func files(_ node: YAMLNode) throws(Failure) -> [ImportFile] {
        var files: [ImportFile] = []
        var tables: Set<TableName> = []
        for item in try list(node, "'import'") {
            let file = try file(item)
            guard tables.insert(file.table).inserted else {
                throw failure(
                    "the table '\(file.table)' is imported twice", item.mark,
                    hint: "Name all of its files in one entry.")
            }
            files.append(file)
        }
        return files
    }

    private func file(_ node: YAMLNode) throws(Failure) -> ImportFile {
        let entries = try mapping(
            node, "an entry of 'import'",
            known: ["table", "schema", "format", "files", "columns", "csv"])
        let table = TableName(
            schema: try entries["schema"].map { node throws(Failure) in
                Name(try text(node, "schema"))
            },
            Name(try text(try required("table", entries, node), "table")))
        let rendering: ShardFormat.Rendering
        if let format = entries["format"] {
            let known = ShardFormat.Rendering.allCases.map(\.rawValue)
            let word = try choice(format, "format", known)
            rendering = ShardFormat.Rendering(rawValue: word) ?? .avro
        } else {
            rendering = .avro
        }
        var file = ImportFile(
            table: table, rendering: rendering,
            files: try patterns(try required("files", entries, node)), columns: [])
        if let columns = entries["columns"] {
            file.columns = try self.columns(columns)
        } else if rendering == .csv {
            throw failure(
                "the key 'columns' is missing", node.mark,
                hint: "A CSV does not say what its columns hold; list name and type of each.")
        }
        if let csv = entries["csv"] {
            guard rendering == .csv else {
                throw failure(
                    "'csv' belongs to files of format csv", csv.mark,
                    hint: "Add 'format: csv', or leave it out.")
            }
            file.dialect = try dialect(csv)
        }
        return file
    }

    private func patterns(_ node: YAMLNode) throws(Failure) -> [String] {
        var patterns: [String] = []
        let items: [YAMLNode]
        if case .sequence(let list, _) = node { items = list } else { items = [node] }
        for item in items {
            let pattern = try text(item, "files")
            do {
                _ = try Glob(pattern)
            } catch {
                throw failure(error.message, item.mark, hint: error.hint)
            }
            patterns.append(pattern)
        }
        guard !patterns.isEmpty else { throw failure("'files' is empty", node.mark) }
        return patterns
    }

    private func columns(_ node: YAMLNode) throws(Failure) -> [ImportFile.Column] {
        var columns: [ImportFile.Column] = []
        var names: Set<Name> = []
        for item in try list(node, "'columns'") {
            let entries = try mapping(
                item, "an entry of 'columns'", known: ["name", "type", "nullable", "key"])
            let column = Name(try text(try required("name", entries, item), "name"))
            guard names.insert(column).inserted else {
                throw failure("the column '\(column)' is there twice", item.mark)
            }
            let isKey = try entries["key"].map { node throws(Failure) in try flag(node, "key") }
            let isNullable = try entries["nullable"].map { node throws(Failure) in
                try flag(node, "nullable")
            }
            columns.append(
                ImportFile.Column(
                    name: column, type: try type(try required("type", entries, item)),
                    isNullable: isNullable ?? (isKey != true), isKey: isKey ?? false))
        }
        guard !columns.isEmpty else { throw failure("'columns' is empty", node.mark) }
        return columns
    }

    private func type(_ node: YAMLNode) throws(Failure) -> ColumnType {
        let word = try text(node, "type")
        if let type = ColumnType(word) { return type }
        let hint =
            Suggestion.hint(for: word, among: ColumnTypeNames.plain)
            ?? "Known are \(ColumnTypeNames.list)."
        throw failure("unknown type '\(Redaction.shown(word))'", node.mark, hint: hint)
    }

    private func dialect(_ node: YAMLNode) throws(Failure) -> ForeignCSVOptions {
        let entries = try mapping(
            node, "'csv'",
            known: [
                "delimiter", "quote", "escape", "null", "quoted-null", "header", "skip-lines",
                "bytes", "ignore-other-columns",
            ])
        var dialect = ForeignCSVOptions()
        if let node = entries["delimiter"] { dialect.delimiter = try byte(node, "delimiter") }
        if let node = entries["quote"] {
            dialect.quote = isNone(node) ? nil : try byte(node, "quote")
        }
        if let node = entries["escape"] {
            let known = ForeignCSVOptions.Escape.allCases.map(\.rawValue)
            let word = try choice(node, "escape", known)
            dialect.escape = ForeignCSVOptions.Escape(rawValue: word) ?? dialect.escape
        }
        if let node = entries["bytes"] {
            let known = ForeignCSVOptions.BytesForm.allCases.map(\.rawValue)
            let word = try choice(node, "bytes", known)
            dialect.bytesForm = ForeignCSVOptions.BytesForm(rawValue: word) ?? dialect.bytesForm
        }
        if let node = entries["null"] { dialect.nullText = try nullText(node) }
        if let node = entries["quoted-null"] {
            dialect.takesQuotedNull = try flag(node, "quoted-null")
        }
        if let node = entries["header"] { dialect.hasHeader = try flag(node, "header") }
        if let node = entries["ignore-other-columns"] {
            dialect.ignoresOtherColumns = try flag(node, "ignore-other-columns")
        }
        if let node = entries["skip-lines"] {
            dialect.skippedLineCount = try count(node, "skip-lines", in: 0...1_000_000)
        }
        guard dialect.quote != dialect.delimiter else {
            throw failure("'quote' and 'delimiter' are the same", node.mark)
        }
        return dialect
    }

    /// The text that stands for NULL; without quotes the word would be YAML's own null.
    private func nullText(_ node: YAMLNode) throws(Failure) -> [UInt8]? {
        guard case .scalar(let text, let isPlain, _) = node else {
            throw failure("'null' is \(node.kindName), but one value is expected", node.mark)
        }
        guard !isPlain || !YAMLNode.isNull(text) else {
            throw failure(
                "'null' needs quotes around its text", node.mark,
                hint: "Write null: '' for empty fields, null: 'NULL' for the word, or null: none.")
        }
        return isNone(node) ? nil : Array(text.utf8)
    }
}

/// Values of other kinds than text.
extension ImportSection {
    private func flag(_ node: YAMLNode, _ key: String) throws(Failure) -> Bool {
        let word = try text(node, key)
        guard word == "true" || word == "false" else {
            throw failure(
                "invalid value '\(Redaction.shown(word))' for '\(key)': expected true or false",
                node.mark)
        }
        return word == "true"
    }

    private func choice(
        _ node: YAMLNode, _ key: String, _ known: [String]
    ) throws(Failure) -> String {
        let word = try text(node, key)
        do {
            return try ValueSyntax.choice(word, among: known)
        } catch {
            throw failure(
                "invalid value '\(Redaction.shown(word))' for '\(key)': \(error.message)",
                node.mark,
                hint: error.hint)
        }
    }

    private func count(
        _ node: YAMLNode, _ key: String, in range: ClosedRange<Int>
    ) throws(Failure) -> Int {
        let word = try text(node, key)
        do {
            return try ValueSyntax.count(word, in: range)
        } catch {
            throw failure(
                "invalid value '\(Redaction.shown(word))' for '\(key)': \(error.message)", node.mark
            )
        }
    }

    /// The bare word `none`; in quotes it is a text like others.
    private func isNone(_ node: YAMLNode) -> Bool {
        if case .scalar("none", isPlain: true, _) = node { return true }
        return false
    }

    /// One ASCII character, or `tab`.
    private func byte(_ node: YAMLNode, _ key: String) throws(Failure) -> UInt8 {
        let word = try text(node, key)
        if word == "tab" { return UInt8(ascii: "\t") }
        guard word.utf8.count == 1, let byte = word.utf8.first, byte != UInt8(ascii: "\n"),
            byte != UInt8(ascii: "\r"), byte != 0
        else {
            throw failure(
                "invalid value '\(Redaction.shown(word))' for '\(key)': "
                    + "expected one ASCII character",
                node.mark, hint: "Write 'tab' for a tabulator.")
        }
        return byte
    }
}

/// How the types of columns are written in a job file.
enum ColumnTypeNames {
    /// Those without parameters.
    static let plain = [
        "boolean", "int32", "int64", "uint64", "float32", "float64", "number text", "text", "bytes",
        "date", "time", "timestamp", "local timestamp", "uuid", "json", "enum", "set", "bit string",
        "any", "server text",
    ]

    static var list: String { ValueSyntax.list(plain + ["decimal(p,s)"]) }
}
