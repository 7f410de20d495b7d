/// What the man page and the reference say of job files.
enum JobFileGuide {
    static let text = """
        A job file is YAML: one mapping whose keys are the names of the options without the \
        dashes. Patterns may be a list, conditions a mapping of tables to SQL. Unknown keys, keys \
        that are there twice and values of the wrong kind are refused with line and column; \
        anchors and tags are not used.
        """

    static let example = """
        source: sqlite:app.db
        store: file:backup/{date}
        target: sqlite:test.db
        tables: [orders, 'customer*']
        where:
          orders: created > '2025-01-01'
        shard-bytes: 16MiB
        on-existing: replace
        """

    static let importText = """
        With the key 'import', load takes files that another program exported instead of a \
        dataset. Each entry names one table and its files below the store.
        """

    static let importExample = """
        store: file:exported
        target: sqlite:app.db
        import:
          - table: customers
            format: csv
            files: customers/*.csv
            columns:
              - {name: id, type: int64, key: true}
              - {name: name, type: text}
              - {name: balance, type: 'decimal(12,2)', nullable: false}
            csv:
              delimiter: ';'
              null: ''
          - table: orders
            files: [orders.avro, more-orders.avro]
        """

    /// The keys of an entry, with what each means.
    static let importKeys: [(key: String, what: String)] = [
        ("table", "name of the table in the target"),
        ("schema", "its schema, where the target has schemas"),
        ("format", "avro (default) or csv"),
        ("files", "a pattern, or a list of patterns, for keys of the store"),
        (
            "columns",
            """
            list of name, type, nullable (default true) and key (default false); needed for csv. \
            Types: \(ColumnTypeNames.list)
            """
        ),
    ]

    static let overridesText = """
        With the key 'overrides', names and types are other ones in the target than in the source. \
        All keys are the source's names; a table may stand with its schema, as in app.orders. For a \
        source without schemas the database's name stands for one. The dataset stays as it is, so \
        that load, verify, run and plan take this section and export passes it over.
        """

    static let overridesExample = """
        source: mysql://reader@db.example.com/shop
        store: file:exported
        target: postgres://loader@db.example.com/shop
        zero-dates: null
        booleans: [tinyint(1), bit(1)]
        overrides:
          schemas: {shop: public}
          tables:
            orders:
              name: purchases
              columns:
                state: {name: status, type: varchar(20)}
        """

    /// The keys of `overrides`, of a table and of a column.
    static let overridesKeys: [(key: String, what: String)] = [
        ("schemas", "mapping of schemas, or of the source's database, to schemas of the target"),
        ("tables", "mapping of tables to name and columns"),
        ("columns", "mapping of columns to name and type"),
        ("name", "what the table or column is called in the target"),
        (
            "type",
            """
            how the column is declared in a table that is made: a type that comes with the target \
            and keeps every value as it is or refuses it
            """
        ),
    ]

    /// The keys of an entry's `csv`.
    static let dialectKeys: [(key: String, what: String)] = [
        ("delimiter", "one character, or tab (default: the comma)"),
        ("quote", "one character, or none (default: the double quote)"),
        ("escape", "how a quote stands inside quotes: doubling (default) or backslash"),
        (
            "null",
            """
            the quoted text of an unquoted field that is NULL (default '', the empty field); or \
            none
            """
        ),
        ("quoted-null", "whether that text is NULL in quotes, too (default false)"),
        ("header", "whether the first line names the columns (default true)"),
        ("skip-lines", "lines before the header that are passed over (default 0)"),
        ("bytes", "how bytes are written: hexadecimal (default), base64 or plain"),
        ("ignore-other-columns", "pass over columns that are not listed (default false)"),
    ]
}
