import AllocationCount
import SluiceCore
import TestSupport
import Testing

@testable import SluiceRecords

@Suite struct ForeignAvroTests {
    /// Has fastavro write one of the script's files.
    private func written(
        _ name: String, _ codec: String = "null", rows: Int = 10
    ) throws -> ShardBytes {
        let folder = try ScratchFolder()
        try PythonOracle.run("foreign/write_avro.py", [name, codec, "\(rows)"], in: folder)
        return ShardBytes(try folder.read("file.avro"))
    }

    /// A table of nullable columns.
    private func table(_ fields: [(Name, ColumnType)]) -> RecordSchema {
        RecordSchema(
            table: TableName("t"),
            fields: fields.enumerated().map { index, field in
                Field(
                    name: field.0, avroName: "c\(index)", type: field.1, isNullable: true)
            })
    }

    /// The file's rows as our CSV, without the header.
    private func rows(
        _ file: ShardBytes, _ schema: RecordSchema, ignoringOthers: Bool = false
    ) throws(Failure) -> String {
        let reader = try ForeignAvroReader(
            file, schema: schema, ignoresOtherFields: ignoringOthers)
        var batch = Batch(fieldCount: schema.fields.count)
        while try reader.fill(&batch, byteGoal: batch.bytes.count + 1000) {}
        let csv = try CSVSamples.render(batch, schema)
        let header = CSVRowWriter.header(of: schema).count
        return String(decoding: csv[header...], as: UTF8.self)
    }

    @Test("other orders, promotions, enums, fixed and unions are read into a given table")
    func odd() throws {
        let schema = table([
            ("id", .int64), ("name", .text), ("small", .float64), ("ratio", .float64),
            ("raw", .bytes), ("textual", .text), ("blob", .bytes), ("color", .enumeration),
            ("again", .text), ("more", .bytes), ("absent", .date),
        ])
        let expected = """
            1,Ann,\\N,0.5,\\x00010203,"ü",\\x612c62,RED,BLUE,\\xffffffff,\\N
            -7,\\N,5.0,-0.0,\\x61626364,"",\\x,BLUE,\\N,\\N,\\N

            """
        for codec in ["null", "deflate", "snappy", "zstandard"] {
            #expect(try rows(written("odd", codec), schema) == expected, "\(codec)")
        }
    }

    @Test("the file's own schema makes a table where none is given") func inferred() throws {
        let odd = try written("odd")
        let schema = try ForeignAvro.inferSchema(
            table: TableName("t"), bytes: odd.buffer.bytes)
        #expect(
            schema.fields.map { "\($0.name) \($0.type)\($0.isNullable ? "?" : "")" } == [
                "color enum", "name text?", "id int32", "small int32?", "ratio float32",
                "raw bytes", "textual bytes", "blob text", "again enum?", "more bytes?",
            ])
        #expect(
            try rows(odd, schema) == """
                RED,Ann,1,\\N,0.5,\\x00010203,\\xc3bc,"a,b",BLUE,\\xffffffff
                BLUE,\\N,-7,5,-0.0,\\x61626364,\\x,"",\\N,\\N

                """)
    }

    @Test("logical types keep their values, in their own types and in wider ones") func logical()
        throws
    {
        let file = try written("logical")
        let schema = try ForeignAvro.inferSchema(
            table: TableName("t"), bytes: file.buffer.bytes)
        #expect(
            schema.fields.map(\.type) == [
                .decimal(precision: 10, scale: 2), .decimal(precision: 30, scale: 4), .date, .time,
                .time, .timestamp, .timestamp, .localTimestamp, .localTimestamp, .uuid, .int32,
            ])
        #expect(
            try rows(file, schema) == """
                -12.30,99999999999999999999999999.9999,1969-12-31,01:02:03.004,23:59:59.999999,\
                2024-02-29 12:30:15.123Z,2024-02-29 12:30:15.123456Z,2024-02-29 12:30:15.123,\
                2024-02-29 12:30:15.123456,00112233-4455-6677-8899-aabbccddeeff,3

                """)
        let wider = table([
            ("d1", .decimal(precision: 12, scale: 4)), ("d2", .numberText), ("u", .text),
            ("odd", .decimal(precision: 3, scale: 2)), ("l2", .timestamp),
        ])
        #expect(
            try rows(file, wider, ignoringOthers: true)
                == "-12.3000,99999999999999999999999999.9999,00112233-4455-6677-8899-aabbccddeeff,"
                + "3.00,2024-02-29 12:30:15.123456Z\n")
    }

    @Test("arrays, maps and records become JSON, unions of plain kinds any") func nested() throws {
        let file = try written("nested")
        let schema = try ForeignAvro.inferSchema(
            table: TableName("t"), bytes: file.buffer.bytes)
        #expect(schema.fields.map(\.type) == [.json, .json, .json, .any, .json, .int64])
        #expect(
            try rows(file, schema) == """
                "[""a\\""b"",null,""ü\\u000a""]","{""x"":1.5,""y"":""NaN""}",\
                "{""v"":1.5,""next"":{""v"":-2.0,""next"":null}}","7","[1,2]",\\N
                "[]","{}",\\N,7,plain,5
                "[""z""]","{""k"":-0.0}",\\N,7.5,"[]",-1
                "[""z""]","{""k"":1e+300}",\\N,x'00ff',"",0
                "[""z""]","{""k"":1.0}",\\N,\\N,q,0

                """)
    }

    @Test("a shard of ours is read with its own types and reserved values") func ours() throws {
        var generator = SeededRandom(seed: 11)
        let schema = CSVSamples.schema()
        var batch = Batch(fieldCount: schema.fields.count)
        CSVSamples.fill(&batch, schema, rows: 200, using: &generator)
        let file = ShardBytes()
        let renderer = AvroShardRenderer(schema: schema, codec: .zstandard)
        try renderer.begin(&file.buffer)
        try renderer.append(batch, to: &file.buffer)
        let found = try ForeignAvro.inferSchema(
            table: TableName("t"), bytes: file.buffer.bytes)
        #expect(found.fields.map(\.type) == schema.fields.map(\.type))
        #expect(found.fields.map(\.name) == schema.fields.map(\.name))
        let read = try readAll(
            ForeignAvroReader(file, schema: schema), fieldCount: schema.fields.count)
        #expect(read.digest == batch.digest)
        #expect(read.records == batch.bytes.array())
    }

    @Test(
        "what does not fit is told with its row and column",
        arguments: [
            ("odd", "id", .boolean, "invalid boolean in column id"),
            ("odd", "id", .uint64, "invalid uint64 in column id"),
            ("odd", "id", .date, "invalid date in column id"),
            ("odd", "name", .int32, "invalid int32 in column name"),
            ("odd", "more", .text, "invalid text in column more"),
            ("logical", "d1", .int64, "invalid int64 in column d1"),
            (
                "logical", "d1", .decimal(precision: 9, scale: 0),
                "invalid decimal(9,0) in column d1"
            ),
            (
                "logical", "d2", .decimal(precision: 20, scale: 4),
                "invalid decimal(20,4) in column d2"
            ),
            ("logical", "day", .timestamp, "invalid timestamp in column day"),
            ("nested", "tags", .text, "invalid text in column tags"),
        ] as [(String, Name, ColumnType, String)])
    func misfits(file: String, name: Name, type: ColumnType, message: String) throws {
        let schema = table([(name, type)])
        let bytes = try written(file)
        let failure = #expect(throws: Failure.self) {
            try rows(bytes, schema, ignoringOthers: true)
        }
        #expect(failure?.message == message)
        #expect(failure?.places.first?.hasPrefix("reading row ") == true)
    }

    @Test("fields without a column and columns without a field are named") func names() throws {
        let file = try written("odd")
        var failure = #expect(throws: Failure.self) {
            try rows(file, table([("id", .int32)]))
        }
        #expect(failure?.message == "the table has no column color, which the Avro file has")
        let strict = RecordSchema(
            table: TableName("t"),
            fields: [Field(name: "no", avroName: "no", type: .text, isNullable: false)])
        failure = #expect(throws: Failure.self) {
            try rows(file, strict, ignoringOthers: true)
        }
        #expect(failure?.message == "the Avro file has no field no")
    }

    @Test("all memory is given back, whatever the rows") func memory() throws {
        let file = try written("many", "deflate", rows: 20_000)
        let schema = try ForeignAvro.inferSchema(
            table: TableName("t"), bytes: file.buffer.bytes)
        func readThrough() throws -> Int {
            let reader = try ForeignAvroReader(file, schema: schema)
            var batch = Batch(fieldCount: 3)
            var rowCount = 0
            while try reader.fill(&batch, byteGoal: 64 << 10) {
                rowCount += batch.rowCount
                batch.removeAll()
            }
            return rowCount
        }
        // The first time something may be made for good.
        #expect(try readThrough() == 20_000)
        let before = allocation_balance()
        _ = try readThrough()
        #expect(allocation_balance() - before == 0)
    }
}
