import SluiceCore
import SluiceEngine
import SluiceRecords
import TestSupport
import Testing

@testable import SluiceCLI

struct ImportSectionTests {
    private func imports(_ text: String) throws -> [ImportFile] {
        try JobFile(Array(text.utf8), name: "job.yaml").imports
    }

    @Test("files of other programs are named table by table")
    func complete() throws {
        let files = try imports(
            """
            import:
              - table: orders
                schema: sales
                format: csv
                files: [orders/*.csv, more.csv.gz]
                columns:
                  - {name: id, type: int64, key: true}
                  - {name: price, type: "decimal(10,2)", nullable: false}
                  - name: note
                    type: text
                csv:
                  delimiter: tab
                  quote: "'"
                  escape: backslash
                  null: 'NULL'
                  quoted-null: true
                  header: false
                  skip-lines: 2
                  bytes: base64
                  ignore-other-columns: true
              - table: items
                files: items.avro
            """)
        var dialect = ForeignCSVOptions()
        dialect.delimiter = UInt8(ascii: "\t")
        dialect.quote = UInt8(ascii: "'")
        dialect.escape = .backslash
        dialect.nullText = Array("NULL".utf8)
        dialect.takesQuotedNull = true
        dialect.hasHeader = false
        dialect.skippedLineCount = 2
        dialect.bytesForm = .base64
        dialect.ignoresOtherColumns = true
        #expect(
            files == [
                ImportFile(
                    table: TableName(schema: "sales", "orders"), rendering: .csv,
                    files: ["orders/*.csv", "more.csv.gz"],
                    columns: [
                        .init(name: "id", type: .int64, isNullable: false, isKey: true),
                        .init(
                            name: "price", type: .decimal(precision: 10, scale: 2),
                            isNullable: false),
                        .init(name: "note", type: .text),
                    ], dialect: dialect),
                ImportFile(
                    table: TableName("items"), rendering: .avro, files: ["items.avro"], columns: []),
            ])
    }

    @Test("the word none switches quotes and NULL off, an empty text is a NULL that is empty")
    func none() throws {
        let start =
            "import: [{table: a, format: csv, files: a, columns: [{name: b, type: text}], csv: "
        let off = try imports(start + "{quote: none, null: none}}]")
        #expect(off.first?.dialect.quote == nil)
        #expect(off.first?.dialect.nullText == nil)
        let empty = try imports(start + "{null: ''}}]")
        #expect(empty.first?.dialect.nullText == [])
        let word = try imports(start + "{null: 'none'}}]")
        #expect(word.first?.dialect.nullText == Array("none".utf8))
    }

    @Test("every name of a column type can be written")
    func types() throws {
        for name in ColumnTypeNames.plain {
            let files = try imports(
                "import: [{table: a, files: a, columns: [{name: b, type: \(name)}]}]")
            #expect(files.first?.columns.first?.type.description == name)
        }
    }

    private static let csv =
        "import:\n- table: a\n  format: csv\n  files: a\n  columns: [{name: b, type: text}]\n  csv:\n"

    @Test(
        "what is wrong in an import is named with line and column",
        arguments: [
            JobFileCase(
                "import: x\n",
                "'import' is a value, but a list is expected in job.yaml, line 1, column 9\n"
                    + "hint: Begin each entry with '- '."),
            JobFileCase(
                "import:\n- x\n",
                "an entry of 'import' is a value, but a mapping is expected in job.yaml, line 2, column 3"
            ),
            JobFileCase(
                "import:\n- tabel: x\n",
                "unknown key 'tabel' in job.yaml, line 2, column 3\nhint: Did you mean 'table'?"),
            JobFileCase(
                "import:\n- colour: x\n",
                "unknown key 'colour' in job.yaml, line 2, column 3\n"
                    + "hint: Known here are table, schema, format, files, columns and csv."),
            JobFileCase(
                "import:\n- files: x\n", "the key 'table' is missing in job.yaml, line 2, column 3"),
            JobFileCase(
                "import:\n- table: x\n", "the key 'files' is missing in job.yaml, line 2, column 3"),
            JobFileCase(
                "import:\n- table: x\n  files: []\n",
                "'files' is empty in job.yaml, line 3, column 10"),
            JobFileCase(
                "import:\n- table: x\n  files: ['a[']\n",
                "the table pattern 'a[' has a bracket that is not closed in job.yaml, line 3, column 11\n"
                    + "hint: Write '\\[' for a bracket that is part of the name."),
            JobFileCase(
                "import:\n- table: [x]\n  files: y\n",
                "'table' is a list, but one value is expected in job.yaml, line 2, column 10"),
            JobFileCase(
                "import:\n- table: ~\n  files: y\n",
                "'table' has no value in job.yaml, line 2, column 10"),
            JobFileCase(
                "import:\n- {table: x, files: y}\n- {table: x, files: z}\n",
                "the table 'x' is imported twice in job.yaml, line 3, column 3\n"
                    + "hint: Name all of its files in one entry."),
            JobFileCase(
                "import:\n- {table: x, files: y, format: parquet}\n",
                "invalid value 'parquet' for 'format': expected avro or csv in job.yaml, "
                    + "line 2, column 32"),
            JobFileCase(
                "import:\n- {table: x, files: y, format: csv}\n",
                "the key 'columns' is missing in job.yaml, line 2, column 3\n"
                    + "hint: A CSV does not say what its columns hold; list name and type of each."),
            JobFileCase(
                "import:\n- {table: x, files: y, columns: []}\n",
                "'columns' is empty in job.yaml, line 2, column 33"),
            JobFileCase(
                "import:\n- {table: x, files: y, columns: [{name: a, type: integer}]}\n",
                "unknown type 'integer' in job.yaml, line 2, column 50\n"
                    + "hint: Known are boolean, int32, int64, uint64, float32, float64, number text, text, "
                    + "bytes, date, time, timestamp, local timestamp, uuid, json, enum, set, bit string, "
                    + "any, server text and decimal(p,s)."),
            JobFileCase(
                "import:\n- {table: x, files: y, columns: [{name: a, type: int46}]}\n",
                "unknown type 'int46' in job.yaml, line 2, column 50\nhint: Did you mean 'int64'?"),
            JobFileCase(
                "import:\n- table: x\n  files: y\n  columns:\n  - {name: a, type: text}\n"
                    + "  - {name: a, type: text}\n",
                "the column 'a' is there twice in job.yaml, line 6, column 5"),
            JobFileCase(
                "import:\n- {table: x, files: y, columns: [{name: a, type: text, key: 1}]}\n",
                "invalid value '1' for 'key': expected true or false in job.yaml, line 2, column 61"
            ),
            JobFileCase(
                "import:\n- {table: x, files: y, csv: {header: true}}\n",
                "'csv' belongs to files of format csv in job.yaml, line 2, column 29\n"
                    + "hint: Add 'format: csv', or leave it out."),
            JobFileCase(
                csv + "    delimiter: ab\n",
                "invalid value 'ab' for 'delimiter': expected one ASCII character in job.yaml, "
                    + "line 7, column 16\nhint: Write 'tab' for a tabulator."),
            JobFileCase(
                csv + "    quote: ','\n",
                "'quote' and 'delimiter' are the same in job.yaml, line 7, column 5"),
            JobFileCase(
                csv + "    null: NULL\n",
                "'null' needs quotes around its text in job.yaml, line 7, column 11\n"
                    + "hint: Write null: '' for empty fields, null: 'NULL' for the word, or null: none."
            ),
            JobFileCase(
                csv + "    null: [x]\n",
                "'null' is a list, but one value is expected in job.yaml, line 7, column 11"),
            JobFileCase(
                csv + "    skip-lines: -1\n",
                "invalid value '-1' for 'skip-lines': expected a whole number from 0 to 1000000 "
                    + "in job.yaml, line 7, column 17"),
            JobFileCase(
                csv + "    escape: backslsh\n",
                "invalid value 'backslsh' for 'escape': expected doubling or backslash in job.yaml, "
                    + "line 7, column 13\nhint: Did you mean 'backslash'?"),
        ])
    func refusal(_ example: JobFileCase) {
        let failure = #expect(throws: Failure.self) { try imports(example.text) }
        #expect(failure?.description == example.expected)
        #expect(failure?.kind == .usage)
    }

    @Test("load and verify take the import section, others pass over it")
    func takers() throws {
        let folder = try ScratchFolder()
        let file = try folder.write("import: [{table: a, files: a}]\n", to: "job.yaml")
        let typed: [Option: Given] = [.config: Given(value: .text(file), origin: .flag)]
        #expect(try SettingValues(.load, typed: typed, environment: []).imports.count == 1)
        #expect(try SettingValues(.verify, typed: typed, environment: []).imports.count == 1)
        #expect(try SettingValues(.run, typed: typed, environment: []).imports.isEmpty)
    }
}
