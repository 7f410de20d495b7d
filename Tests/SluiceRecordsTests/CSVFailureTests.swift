import SluiceCore
import Testing

@testable import SluiceRecords

/// What is wrong with a CSV of the columns `id` int64, `name` text (may be NULL), `b` bytes; and
/// what is said.
struct CSVFlaw: CustomTestStringConvertible, Sendable {
    let csv: String
    let message: String

    init(_ csv: String, _ message: String) {
        self.csv = csv
        self.message = message
    }

    var testDescription: String { message }
}

@Suite struct CSVFailureTests {
    private static let schema = RecordSchema(
        table: TableName("t"),
        fields: [
            Field(name: "id", avroName: "id", type: .int64, isNullable: false),
            Field(name: "name", avroName: "name", type: .text, isNullable: true),
            Field(name: "b", avroName: "b", type: .bytes, isNullable: false),
        ])

    static let flaws: [CSVFlaw] = [
        CSVFlaw("", "no line feed at the end of line 1"),
        CSVFlaw("id,name,b", "no line feed at the end of line 1"),
        CSVFlaw("id,nom,b\n", "another name in the header in line 1, column 2 (name)"),
        CSVFlaw("id,\"name\",b\n", "another name in the header in line 1, column 2 (name)"),
        CSVFlaw("\u{FEFF}id,name,b\n", "another name in the header in line 1, column 1 (id)"),
        CSVFlaw("id,name\n", "too few columns in line 1: 2 instead of 3"),
        CSVFlaw("id,name,b,c\n", "too many columns in line 1: more than 3"),
        CSVFlaw("id,name,b\r\n", "stray carriage return in line 1, column 3 (b)"),
        CSVFlaw("id,name,b\n1,x,\\x\n\n", "too few columns in line 3: 1 instead of 3"),
        CSVFlaw("id,name,b\n1,x\n", "too few columns in line 2: 2 instead of 3"),
        CSVFlaw("id,name,b\n1,x,\\x,\n", "too many columns in line 2: more than 3"),
        CSVFlaw("id,name,b\n1,x,\\x", "no line feed at the end of line 2"),
        CSVFlaw(
            "id,name,b\n1,\"a\nb\nc\",\\x\n2,\"d\ne\"f,\\x\n",
            "stray quote in line 6, column 2 (name)"),
        CSVFlaw("id,name,b\n1,a\"b,\\x\n", "stray quote in line 2, column 2 (name)"),
        CSVFlaw("id,name,b\n1,\"\n\n,\\x\n", "quote without an end in line 2, column 2 (name)"),
        CSVFlaw("id,name,b\n1,\"x\" ,\\x\n", "stray quote in line 2, column 2 (name)"),
        CSVFlaw("id,name,b\n1,\"x\",\\x\n", "invalid text in line 2, column 2 (name)"),
        CSVFlaw("id,name,b\n1,,\\x\n", "invalid text in line 2, column 2 (name)"),
        CSVFlaw("id,name,b\n1, x,\\x\n", "invalid text in line 2, column 2 (name)"),
        CSVFlaw("id,name,b\n1,é,\\x\n", "invalid text in line 2, column 2 (name)"),
        CSVFlaw("id,name,b\n01,x,\\x\n", "invalid int64 in line 2, column 1 (id)"),
        CSVFlaw("id,name,b\n-0,x,\\x\n", "invalid int64 in line 2, column 1 (id)"),
        CSVFlaw("id,name,b\n\"1\",x,\\x\n", "invalid int64 in line 2, column 1 (id)"),
        CSVFlaw(
            "id,name,b\n9223372036854775808,x,\\x\n", "invalid int64 in line 2, column 1 (id)"),
        CSVFlaw(
            "id,name,b\n\\N,x,\\x\n",
            "NULL, which the column does not take, in line 2, column 1 (id)"),
        CSVFlaw("id,name,b\n1,x,\\x0\n", "invalid bytes in line 2, column 3 (b)"),
        CSVFlaw("id,name,b\n1,x,\\x0G\n", "invalid bytes in line 2, column 3 (b)"),
        CSVFlaw("id,name,b\n1,x,\\xAB\n", "invalid bytes in line 2, column 3 (b)"),
        CSVFlaw("id,name,b\n1,x,\"\\x00\"\n", "invalid bytes in line 2, column 3 (b)"),
        CSVFlaw(
            "id,name,b\n1,x,\\x\n2,\"" + String(repeating: "\"\"", count: 1001) + "\",\\x\n",
            "row of more than 1000 bytes in line 3, column 2 (name)"),
    ]

    @Test("what is wrong is told with line and column", arguments: flaws)
    func flaw(_ flaw: CSVFlaw) {
        for codec in [ShardFormat.Codec.none, .zstandard] {
            let text = Array(flaw.csv.utf8)
            let failure = #expect(throws: Failure.self) {
                try CSVSamples.parse(
                    codec == .none ? text : CSVFailureTests.compress(text), CSVFailureTests.schema,
                    codec, rowByteLimit: 1000)
            }
            #expect(failure?.message == flaw.message)
            #expect(failure?.kind == .failed)
        }
    }

    @Test("a row that is too large comes with a remedy") func tooLarge() {
        let csv = Array("id,name,b\n1,\"\(String(repeating: ".", count: 2000))\",\\x\n".utf8)
        let failure = #expect(throws: Failure.self) {
            try CSVSamples.parse(csv, CSVFailureTests.schema, rowByteLimit: 1000)
        }
        #expect(failure?.message == "row of more than 1000 bytes in line 2, column 3 (b)")
        #expect(failure?.hint == "Raise --row-bytes if rows may be this large.")
    }

    @Test(
        "a value of no record's form is refused in every type",
        arguments: [
            (.boolean, "TRUE"), (.boolean, "1"), (.boolean, "t"), (.int32, "2147483648"),
            (.int32, "+1"), (.uint64, "-1"), (.uint64, "18446744073709551616"), (.uint64, "#-1"),
            (.float32, "1"), (.float32, "0.10"), (.float64, "1"), (.float64, "Infinity"),
            (.decimal(precision: 3, scale: 1), "1"), (.decimal(precision: 3, scale: 1), "1.00"),
            (.decimal(precision: 3, scale: 1), "100.0"), (.decimal(precision: 3, scale: 1), "#999"),
            (.decimal(precision: 3, scale: 1), "#2000"), (.date, "2023-02-29"),
            (.date, "24-01-01"), (.date, "#1"), (.time, "839:00:00"), (.time, "1:00:00"),
            (.time, "#1"), (.timestamp, "1970-01-01 00:00:00"), (.timestamp, "#0"),
            (.localTimestamp, "1970-01-01T00:00:00"), (.uuid, "0"),
            (.uuid, "00000000-0000-0000-0000-00000000000G"), (.bitString, "012"), (.any, "x"),
            (.any, "x'0'"), (.any, "x'0g'"), (.any, "t'61'"), (.any, "01"), (.any, "+1"),
            (.any, ""), (.any, "t'"),
        ] as [(ColumnType, String)])
    func otherForms(type: ColumnType, text: String) {
        let schema = CSVSamples.schema([type], isNullable: false)
        let csv = CSVRowWriter.header(of: schema) + Array("\(text)\n".utf8)
        let failure = #expect(throws: Failure.self) { try CSVSamples.parse(csv, schema) }
        #expect(
            failure?.message == "invalid \(type) in line 2, column 1 (\(type) 0)")
    }

    @Test("what is wrong with the compression is told") func compression() throws {
        let schema = CSVSamples.schema([.int64])
        let batch = Batch(fieldCount: 1)
        let csv = try CSVSamples.render(batch, schema, .zstandard)
        func message(_ bytes: [UInt8]) -> String? {
            #expect(throws: Failure.self) { try CSVSamples.parse(bytes, schema, .zstandard) }?
                .headline
        }
        #expect(message([]) == "the zstandard data ends early")
        #expect(message(Array(csv.dropLast())) == "the zstandard data ends early")
        #expect(message(csv + [0]) == "there are bytes behind the zstandard frame")
        #expect(message(csv + csv) == "there are bytes behind the zstandard frame")
        #expect(
            message(Array("id\n1\n".utf8))
                == "the zstandard data is damaged [Unknown frame descriptor]")
    }

    static func compress(_ text: [UInt8]) throws(Failure) -> [UInt8] {
        var sink = CSVSink(isCompressing: true)
        var output = ByteBuffer()
        try sink.begin()
        sink.text.append(text)
        try sink.drain(to: &output, isLast: true)
        return output.array()
    }
}
