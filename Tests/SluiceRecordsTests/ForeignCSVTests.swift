import SluiceCore
import TestSupport
import Testing

@testable import SluiceRecords

@Suite struct ForeignCSVTests {
    private static let people = RecordSchema(
        table: TableName("people"),
        fields: [
            Field(name: "id", avroName: "id", type: .int64, isNullable: false),
            Field(name: "name", avroName: "name", type: .text, isNullable: true),
            Field(name: "born", avroName: "born", type: .date, isNullable: true),
        ])

    /// The records of these rows of `people`; nothing is NULL.
    private func records(_ rows: [(Int64, String?, Int64?)]) -> [UInt8] {
        var buffer = ByteBuffer()
        for (id, name, born) in rows {
            buffer.appendLong(id)
            if let name {
                buffer.appendNotNull()
                Array(name.utf8).withUnsafeBytes { buffer.appendBytes($0) }
            } else {
                buffer.appendNull()
            }
            if let born {
                buffer.appendNotNull()
                buffer.appendLong(born)
            } else {
                buffer.appendNull()
            }
        }
        return buffer.array()
    }

    private func read(
        _ csv: String, _ options: ForeignCSVOptions = ForeignCSVOptions()
    ) throws(Failure) -> [UInt8] {
        let reader = try ForeignCSVReader(
            ShardBytes(Array(csv.utf8)), schema: ForeignCSVTests.people, options: options,
            rowByteLimit: 200)
        return try readAll(reader, fieldCount: 3).records
    }

    private func options(_ change: (inout ForeignCSVOptions) -> Void) -> ForeignCSVOptions {
        var options = ForeignCSVOptions()
        change(&options)
        return options
    }

    @Test("columns are found by the header's names, in any order") func byName() throws {
        #expect(
            try read("born,id,name\r\n1970-01-02,7,\"a\r\nb\"\r\n,8,\"\"\r\n")
                == records([(7, "a\r\nb", 1), (8, "", nil)]))
    }

    @Test("columns are taken by position without a header") func byPosition() throws {
        let plain = options { $0.hasHeader = false }
        #expect(try read("7,x,\n8,,1970-01-01", plain) == records([(7, "x", nil), (8, nil, 0)]))
        let named = options { options in
            options.columns = ["born", "-", "name", "id"]
            options.ignoresOtherColumns = true
            options.skippedLineCount = 2
        }
        #expect(
            try read("a \"note\nanother\nA,B,C,D\n1970-01-01,\"x\ny\",n,7\n", named)
                == records([(7, "n", 0)]))
    }

    @Test("a byte order mark and blank lines are no data") func blankLines() throws {
        #expect(
            try read("\u{FEFF}\"id\",name,born\n\n7,x,\n\r\n\n")
                == records([(7, "x", nil)]))
    }

    @Test("what stands for NULL is for the job to say") func nulls() throws {
        let header = "id,name,born\n"
        let backslashN = options { $0.nullText = Array("\\N".utf8) }
        #expect(
            try read(header + "1,\\N,\\N\n2,\"\\N\",\\N\n3,,\\N\n", backslashN)
                == records([(1, nil, nil), (2, "\\N", nil), (3, "", nil)]))
        let quotedToo = options { options in
            options.nullText = Array("NULL".utf8)
            options.takesQuotedNull = true
        }
        #expect(
            try read(header + "1,\"NULL\",NULL\n2,null,NULL\n", quotedToo)
                == records([(1, nil, nil), (2, "null", nil)]))
        let none = options { $0.nullText = nil }
        #expect(try read(header + "1,,1970-01-01\n", none) == records([(1, "", 0)]))
    }

    @Test("backslashes mean what MySQL and PostgreSQL mean by them") func backslashes() throws {
        let mysql = options { options in
            options.escape = .backslash
            options.delimiter = UInt8(ascii: "\t")
            options.nullText = Array("\\N".utf8)
            options.hasHeader = false
        }
        let text = "1\ta\\tb\\nc\\\\d\\\"\\N\t\\N\n2\t\"x\\\"y\"\"z\\\n\"\t\\N\n3\t\\N\t\\N\n"
        #expect(
            try read(text, mysql)
                == records([(1, "a\tb\nc\\d\"N", nil), (2, "x\"y\"z\n", nil), (3, nil, nil)]))
    }

    @Test("a CSV without quotes may hold them") func noQuotes() throws {
        let plain = options { $0.quote = nil }
        #expect(
            try read("id,name,born\n1,\"a\" b\",\n", plain) == records([(1, "\"a\" b\"", nil)]))
    }

    @Test(
        "random texts in Python's dialects come back",
        arguments: [
            ("minimal", "none"), ("minimal", "gzip"), ("all", "zstandard"), ("semicolon", "none"),
            ("tab", "gzip"), ("backslash", "none"),
        ])
    func python(dialect: String, compression: String) throws {
        var generator = SeededRandom(seed: 3)
        let schema = RecordSchema(
            table: TableName("t"),
            fields: [
                Field(name: "first", avroName: "first", type: .text, isNullable: false),
                Field(
                    name: "zweite", avroName: "zweite", type: .text, isNullable: dialect == "tab"),
            ])
        var cells = ""
        var expected = ByteBuffer()
        for _ in 0..<5000 {
            let first = ForeignCSVTests.text(using: &generator)
            let isNull = dialect == "tab" && Bool.random(using: &generator)
            let second = ForeignCSVTests.text(using: &generator)
            cells += "\(Hexadecimal.string(first.utf8)) "
            cells += (isNull ? "-" : Hexadecimal.string(second.utf8)) + "\n"
            Array(first.utf8).withUnsafeBytes { expected.appendBytes($0) }
            if dialect == "tab" { isNull ? expected.appendNull() : expected.appendNotNull() }
            if !isNull { Array(second.utf8).withUnsafeBytes { expected.appendBytes($0) } }
        }
        let options = options { options in
            options.ignoresOtherColumns = true
            options.nullText = dialect == "tab" ? Array("\\N".utf8) : nil
            switch dialect {
            case "semicolon":
                options.delimiter = UInt8(ascii: ";")
                options.quote = UInt8(ascii: "'")
            case "tab": options.delimiter = UInt8(ascii: "\t")
            case "backslash": options.escape = .backslash
            default: break
            }
        }
        let folder = try ScratchFolder()
        try folder.write(cells, to: "cells")
        try PythonOracle.run("foreign/write_csv.py", [dialect, compression], in: folder)
        let file = ShardBytes(try folder.read("file.csv"))
        let reader = try ForeignCSVReader(file, schema: schema, options: options)
        #expect(try readAll(reader, fieldCount: 2).records == expected.array())
    }

    private static func text(using generator: inout SeededRandom) -> String {
        let pieces = [
            "a", "B", "ß", "😀", ",", ";", "\"", "'", "\t", "\n", "\r\n", " ", "\\", "NULL", "0",
        ]
        let count = Int.random(in: 0...8, using: &generator)
        return (0..<count).map { _ in pieces.randomElement(using: &generator) ?? "" }.joined()
    }

    @Test(
        "what is wrong is told with line and column",
        arguments: [
            CSVFlaw("", "the CSV has no header: it is empty"),
            CSVFlaw("id,name\n", "the CSV has no column born"),
            CSVFlaw("id,name,born,id\n", "the CSV has two columns id"),
            CSVFlaw("id,name,born,x\n", "the table has no column x, which the CSV has"),
            CSVFlaw("id,name,born\n1,x\n", "too few columns in line 2: 2 instead of 3"),
            CSVFlaw("id,name,born\n1,x,,\n", "too many columns in line 2: more than 3"),
            CSVFlaw(
                "id,name,born\r\n1,\"a\r\nb\",\r\n2,x\"y,\r\n",
                "stray quote in line 4, column 2 (name)"),
            CSVFlaw("id,name,born\n1,\"x\" y,\n", "stray quote in line 2, column 2 (name)"),
            CSVFlaw("id,name,born\n1,\"x\n", "quote without an end in line 2, column 2 (name)"),
            CSVFlaw(
                "born,id,name\n,1,\"\n\n\"\n1970-02-30,2,x\n",
                "invalid date in line 5, column 1 (born)"),
            CSVFlaw("id,name,born\n1.5,x,\n", "invalid int64 in line 2, column 1 (id)"),
            CSVFlaw(
                "id,name,born\n,x,\n",
                "NULL, which the column does not take, in line 2, column 1 (id)"),
            CSVFlaw("id,name,born\r1,x,\r", "stray carriage return in line 1, column 3"),
            CSVFlaw(
                "id,name,born\n1,\(String(repeating: "x", count: 201)),\n",
                "row of more than 200 bytes in line 2, column 2 (name)"),
        ])
    func flaw(_ flaw: CSVFlaw) {
        let failure = #expect(throws: Failure.self) { try read(flaw.csv) }
        #expect(failure?.message == flaw.message)
    }

    @Test("a text that is not UTF-8, a damaged file and a backslash without a byte are refused")
    func damage() throws {
        func message(
            _ bytes: [UInt8], _ options: ForeignCSVOptions = ForeignCSVOptions()
        ) -> String? {
            #expect(throws: Failure.self) {
                let reader = try ForeignCSVReader(
                    ShardBytes(bytes), schema: ForeignCSVTests.people, options: options)
                _ = try readAll(reader, fieldCount: 3)
            }?.headline
        }
        let latin = Array("id,name,born\n1,".utf8) + [0xE4] + Array(",\n".utf8)
        #expect(message(latin) == "invalid text in line 2, column 2 (name)")
        #expect(message([0x69, 0xFF]) == "a name that is not UTF-8 in line 1, column 1")
        #expect(
            message(Array("id,name,born\n1,x\\".utf8), options { $0.escape = .backslash })
                == "backslash at the end in line 2, column 2 (name)")
        #expect(message([0x1F, 0x8B, 8, 0]) == "the gzip data ends early")
        #expect(message([0x1F, 0x8B, 9, 0, 0, 0]) == "the gzip data is damaged [data error]")
        #expect(message([0x28, 0xB5, 0x2F, 0xFD]) == "the zstandard data ends early")
    }
}
